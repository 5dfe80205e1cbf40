/** The messages of event files (tensorflow.Event, Summary and their parts), by field number. It knows no tensors. */
import type { Histogram } from './histogram.js';
import { Message } from './protobuf.js';

export interface EventTime {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
}

function event({ wallTime, step }: EventTime): Message {
  return new Message().double(1, wallTime).int(2, step);
}
const summary = (value: Message): Message => new Message().message(1, value);

export const versionEvent = (time: EventTime): Buffer => event(time).string(3, 'brain.Event:2').encode();
export const summaryEvent = (time: EventTime, value: Message): Buffer => event(time).message(5, value).encode();
/** Session start: what came after this step in older files is to be hidden. */
export const sessionStartEvent = (time: EventTime): Buffer => event(time).message(7, new Message().int(1, 1)).encode();

export const scalarSummary = (tag: string, value: number): Message =>
  summary(new Message().string(1, tag).float(2, value));

export function imageSummary(
  tag: string,
  image: { height: number; width: number; channels: number; png: Uint8Array },
): Message {
  const message = new Message().int(1, image.height).int(2, image.width).int(3, image.channels).bytes(4, image.png);
  return summary(new Message().string(1, tag).message(4, message));
}

export function histogramSummary(tag: string, h: Histogram): Message {
  const message = new Message()
    .double(1, h.min)
    .double(2, h.max)
    .double(3, h.num)
    .double(4, h.sum)
    .double(5, h.sumSquares)
    .doubles(6, h.bucketLimits)
    .doubles(7, h.bucketCounts);
  return summary(new Message().string(1, tag).message(5, message));
}

/** SummaryMetadata that hands the value to one of TensorBoard's plugins. */
function metadata(plugin: string, content: Message): Message {
  return new Message().message(1, new Message().string(1, plugin).message(2, content));
}

export function textSummary(tag: string, text: string): Message {
  const DT_STRING = 7;
  const shape = new Message().message(2, new Message().int(1, 1));
  const tensor = new Message().int(1, DT_STRING).message(2, shape).string(8, text);
  return summary(
    new Message().string(1, `${tag}/text_summary`).message(8, tensor).message(9, metadata('text', new Message())),
  );
}

/** google.protobuf.Value */
function protoValue(value: number | string | boolean): Message {
  if (typeof value === 'number') return new Message().double(2, value);
  return typeof value === 'string' ? new Message().string(3, value) : new Message().int(4, value ? 1 : 0);
}
const DATA_TYPE = { string: 1, boolean: 2, number: 3 } as const;

/** The three summaries by which the HParams plugin knows a run: the experiment, its start with the values, its end. */
export function hparamSummaries(
  hparams: Readonly<Record<string, number | string | boolean>>,
  metrics: readonly string[],
): Message[] {
  const experiment = new Message();
  const start = new Message();
  for (const [name, value] of Object.entries(hparams)) {
    experiment.message(4, new Message().string(1, name).int(4, DATA_TYPE[typeof value as keyof typeof DATA_TYPE]));
    start.message(1, new Message().string(1, name).message(2, protoValue(value)));
  }
  for (const tag of metrics) experiment.message(5, new Message().message(1, new Message().string(2, tag)));
  const SUCCESS = 1;
  const end = new Message().int(1, SUCCESS);
  const value = (tag: string, field: number, content: Message): Message =>
    summary(
      new Message()
        .string(1, `_hparams_/${tag}`)
        .message(9, metadata('hparams', new Message().int(1, 0).message(field, content))),
    );
  return [value('experiment', 2, experiment), value('session_start_info', 3, start), value('session_end_info', 4, end)];
}
