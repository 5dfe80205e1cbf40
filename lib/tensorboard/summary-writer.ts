/** SummaryWriter: scalars, histograms, images, text and hyperparameters, in event files that TensorBoard reads. */
import { hostname } from 'node:os';
import path from 'node:path';
import '../disposable.js';
import { type Arguments, checkInteger, checkNumber, isOptions, readArguments } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { FLOAT64 } from '../storage/dtype.js';
import { castTo } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { EventFile, type EventFileOptions } from './event-file.js';
import { type Bins, makeHistogram } from './histogram.js';
import { encodeImage } from './image.js';
import type { Message } from './protobuf.js';
import {
  type EventTime,
  histogramSummary,
  hparamSummaries,
  imageSummary,
  scalarSummary,
  sessionStartEvent,
  summaryEvent,
  textSummary,
  versionEvent,
} from './summaries.js';

export interface SummaryWriterOptions {
  /** The run's folder; default: runs/<date>_<host><comment>. */
  logDir?: string | null;
  /** Put after the default folder's name. */
  comment?: string;
  /** Hides what older files of the folder hold from this step on, after a crash and a resumption there. */
  purgeStep?: number | null;
  /** How many events may wait in memory; default 10. */
  maxQueue?: number;
  /** How many seconds an event may wait in memory; default 120. */
  flushSecs?: number;
  filenameSuffix?: string;
}

/** When an event happened: the step, and the time in seconds since 1970 (default now). */
export interface EventOptions {
  globalStep?: Step;
  walltime?: number | null;
}
export interface HistogramOptions extends EventOptions {
  bins?: Bins;
  maxBins?: number | null;
}
export interface ImageOptions extends EventOptions {
  /** The order of the dimensions: the letters N, C, H, W. */
  dataformats?: string;
}
type Step = number | bigint | Tensor | null;
type Scalar = number | bigint | boolean | Tensor;
type HyperParameters = Readonly<Record<string, number | string | boolean>>;
interface HparamsOptions {
  runName?: string | null;
  globalStep?: Step;
}
type ImageArguments = Arguments<
  [imgTensor?: Tensor, globalStep?: Step, walltime?: number | null, dataformats?: string],
  { imgTensor?: Tensor } & ImageOptions
>;
/** Numbers as a tensor, an array, a typed array or alone. */
export type Numbers = Tensor | number | readonly number[] | Float32Array | Float64Array | Int32Array | Uint8Array;

const WRITER_DEFAULTS = {
  logDir: null as string | null,
  comment: '',
  purgeStep: null as number | null,
  maxQueue: 10,
  flushSecs: 120,
  filenameSuffix: '',
};
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function defaultLogDir(comment: string): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('-');
  const date = `${MONTHS[now.getMonth()]}${two(now.getDate())}_${time}`;
  return path.join('runs', `${date}_${hostname()}${comment}`);
}

/** The step and time of an event, checked. */
function eventTime(op: string, { globalStep, walltime }: { globalStep: unknown; walltime: unknown }): EventTime {
  const step = globalStep === null ? undefined : scalarOf(op, 'a whole number as globalStep', globalStep);
  if (step !== undefined && !Number.isFinite(step))
    fail(ArgumentError, op, 'a whole number as globalStep', String(step));
  const wallTime = walltime === null ? Date.now() / 1000 : walltime;
  if (typeof wallTime !== 'number' || !Number.isFinite(wallTime))
    fail(ArgumentError, op, 'seconds as walltime', describe(walltime));
  return { wallTime, step: step === undefined ? undefined : Math.trunc(step) };
}
const WHEN = { globalStep: null as unknown, walltime: null as unknown };

function checkTag(op: string, tag: unknown): asserts tag is string {
  if (typeof tag !== 'string' || tag === '') fail(ArgumentError, op, 'a tag', describe(tag));
}

const A_SCALAR = 'a number or a tensor of one element';
function scalarOf(op: string, what: string, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  if (value instanceof Tensor && value.numel() === 1) return Number(value.item());
  return fail(ArgumentError, op, what, describe(value));
}

function numbersOf(op: string, values: unknown): Float64Array {
  if (values instanceof Tensor) return castTo(values, FLOAT64).array.slice(0, values.numel()) as Float64Array;
  if (typeof values === 'number') return Float64Array.of(values);
  const list = Array.isArray(values)
    ? (values.flat(Infinity) as unknown[])
    : ArrayBuffer.isView(values) && !(values instanceof DataView)
      ? (values as unknown as ArrayLike<unknown>)
      : null;
  if (list === null) fail(ArgumentError, op, 'numbers or a tensor', describe(values));
  return Float64Array.from(list as ArrayLike<number | bigint>, (value) => scalarOf(op, 'numbers or a tensor', value));
}

/**
 * Writes event files into a folder that `tensorboard --logdir` shows. Source: torch.utils.tensorboard.SummaryWriter.
 * Writing is synchronous: after `flush` or `close`, and when the process ends by itself, everything is in the file.
 */
export class SummaryWriter {
  readonly logDir: string;
  private readonly fileOptions: EventFileOptions;
  private purgeStep: number | undefined;
  /** Event files by folder, opened when they are first needed; `addScalars` has one for each of its lines. */
  private readonly files = new Map<string, EventFile>();

  /** A folder, or options: `new SummaryWriter('runs/first')`, `new SummaryWriter({ logDir, flushSecs: 10 })`. */
  constructor(
    ...args: Arguments<
      [
        logDir?: string | null,
        comment?: string,
        purgeStep?: number | null,
        maxQueue?: number,
        flushSecs?: number,
        filenameSuffix?: string,
      ],
      SummaryWriterOptions
    >
  ) {
    const op = 'SummaryWriter';
    const { logDir, comment, purgeStep, maxQueue, flushSecs, filenameSuffix } = readArguments(
      op,
      WRITER_DEFAULTS,
      args,
    );
    for (const [name, text] of Object.entries({ logDir: logDir ?? '', comment, filenameSuffix }))
      if (typeof text !== 'string') fail(ArgumentError, op, `a string for ${name}`, describe(text));
    if (purgeStep !== null) checkInteger(op, 'purgeStep', purgeStep, 0);
    checkNumber(op, 'maxQueue', maxQueue, 0);
    checkNumber(op, 'flushSecs', flushSecs, 0);
    this.logDir = logDir === null || logDir === '' ? defaultLogDir(comment) : logDir;
    this.purgeStep = purgeStep ?? undefined;
    this.fileOptions = { maxQueue, flushSecs, suffix: filenameSuffix };
    this.fileIn(this.logDir);
  }

  private fileIn(folder: string): EventFile {
    const open = this.files.get(folder);
    if (open !== undefined) return open;
    const file = new EventFile(folder, this.fileOptions);
    this.files.set(folder, file);
    const wallTime = Date.now() / 1000;
    file.add(versionEvent({ wallTime }));
    if (folder === this.logDir && this.purgeStep !== undefined) {
      file.add(versionEvent({ wallTime, step: this.purgeStep }));
      file.add(sessionStartEvent({ wallTime, step: this.purgeStep }));
      this.purgeStep = undefined;
    }
    return file;
  }

  private add(summary: Message, time: EventTime, folder = this.logDir): void {
    this.fileIn(folder).add(summaryEvent(time, summary));
  }

  /**
   * One number of a series: `addScalar('loss/train', loss.item(), step)`. All arguments of this and the other methods
   * may come by name in one object.
   */
  addScalar(
    tag: string | ({ tag: string; scalarValue: Scalar } & EventOptions),
    ...args: Arguments<
      [scalarValue?: Scalar, globalStep?: Step, walltime?: number | null],
      { scalarValue?: Scalar } & EventOptions
    >
  ): void {
    const op = 'addScalar';
    const given = readArguments(op, { tag: undefined as unknown, scalarValue: undefined as unknown, ...WHEN }, [
      tag,
      ...args,
    ]);
    checkTag(op, given.tag);
    this.add(scalarSummary(given.tag, scalarOf(op, A_SCALAR, given.scalarValue)), eventTime(op, given));
  }

  /**
   * Several series in one picture, each a run of its own in a folder below: `addScalars('loss', { train, val }, step)`.
   */
  addScalars(
    mainTag: string | ({ mainTag: string; tagScalarDict: Readonly<Record<string, number | Tensor>> } & EventOptions),
    ...args: [
      tagScalarDict?: Readonly<Record<string, number | Tensor>>,
      globalStep?: Step | EventOptions,
      walltime?: number | null | EventOptions,
    ]
  ): void {
    const op = 'addScalars';
    const [dict, ...rest] = args;
    const named = args.length === 0;
    const given = named
      ? readArguments(op, { mainTag: undefined as unknown, tagScalarDict: undefined as unknown, ...WHEN }, [mainTag])
      : { ...readArguments(op, WHEN, rest), mainTag, tagScalarDict: dict };
    checkTag(op, given.mainTag);
    if (!isOptions(given.tagScalarDict)) fail(ArgumentError, op, 'an object of numbers', describe(given.tagScalarDict));
    const time = eventTime(op, given);
    const folder = given.mainTag.replaceAll('/', '_');
    const values = Object.entries(given.tagScalarDict).map(
      ([tag, value]) => [tag, scalarOf(op, A_SCALAR, value)] as const,
    );
    for (const [tag, value] of values)
      this.add(scalarSummary(given.mainTag, value), time, path.join(this.logDir, `${folder}_${tag}`));
  }

  /**
   * The distribution of values: `addHistogram('weights', model.fc.weight, step)`. Bins: 'tensorflow', a number, or
   * edges.
   */
  addHistogram(
    tag: string | ({ tag: string; values: Numbers } & HistogramOptions),
    ...args: Arguments<
      [values?: Numbers, globalStep?: Step, bins?: Bins, walltime?: number | null, maxBins?: number | null],
      { values?: Numbers } & HistogramOptions
    >
  ): void {
    const op = 'addHistogram';
    const defaults = {
      tag: undefined as unknown,
      values: undefined as unknown,
      globalStep: null as unknown,
      bins: 'tensorflow' as Bins,
      walltime: null as unknown,
      maxBins: null as number | null,
    };
    const given = readArguments(op, defaults, [tag, ...args]);
    checkTag(op, given.tag);
    if (given.maxBins !== null) checkInteger(op, 'maxBins', given.maxBins, 1);
    const { bins } = given;
    const edges = Array.isArray(bins) && bins.every((edge) => typeof edge === 'number');
    if (bins !== 'tensorflow' && !edges && !(typeof bins === 'number' && Number.isInteger(bins) && bins > 0))
      fail(ArgumentError, op, "bins 'tensorflow', a whole number above 0, or edges", describe(bins));
    this.add(
      histogramSummary(given.tag, makeHistogram(numbersOf(op, given.values), bins, given.maxBins ?? undefined)),
      eventTime(op, given),
    );
  }

  /** An image: uint8, or numbers from 0 to 1. `dataformats` names its dimensions: 'CHW' (default), 'HWC' or 'HW'. */
  addImage(tag: string | ({ tag: string; imgTensor: Tensor } & ImageOptions), ...args: ImageArguments): void {
    this.image('addImage', 'CHW', [tag, ...args]);
  }

  /** A batch of images as a grid with eight in a row; `dataformats` 'NCHW' (default) or 'NHWC'. */
  addImages(tag: string | ({ tag: string; imgTensor: Tensor } & ImageOptions), ...args: ImageArguments): void {
    this.image('addImages', 'NCHW', [tag, ...args]);
  }

  private image(op: string, dataformats: string, args: readonly unknown[]): void {
    const given = readArguments(
      op,
      { tag: undefined as unknown, imgTensor: undefined as unknown, ...WHEN, dataformats },
      args,
    );
    checkTag(op, given.tag);
    if (!(given.imgTensor instanceof Tensor)) fail(ArgumentError, op, 'a tensor', describe(given.imgTensor));
    if (typeof given.dataformats !== 'string')
      fail(ArgumentError, op, 'a string for dataformats', describe(given.dataformats));
    this.add(imageSummary(given.tag, encodeImage(op, given.imgTensor, given.dataformats)), eventTime(op, given));
  }

  /** Text, shown as Markdown. */
  addText(
    tag: string | ({ tag: string; textString: string } & EventOptions),
    ...args: Arguments<
      [textString?: string, globalStep?: Step, walltime?: number | null],
      { textString?: string } & EventOptions
    >
  ): void {
    const op = 'addText';
    const given = readArguments(op, { tag: undefined as unknown, textString: undefined as unknown, ...WHEN }, [
      tag,
      ...args,
    ]);
    checkTag(op, given.tag);
    if (typeof given.textString !== 'string') fail(ArgumentError, op, 'a string', describe(given.textString));
    this.add(textSummary(given.tag, given.textString), eventTime(op, given));
  }

  /**
   * A run's hyperparameters with the metrics it reached, for the HParams page; written into a folder below, named
   * `runName`.
   */
  addHparams(
    hparamDict: HyperParameters,
    metricDict: Readonly<Record<string, number | Tensor>>,
    options?: HparamsOptions,
  ): void;
  addHparams(
    all: { hparamDict: HyperParameters; metricDict: Readonly<Record<string, number | Tensor>> } & HparamsOptions,
  ): void;
  addHparams(...args: unknown[]): void {
    const op = 'addHparams';
    const defaults = { runName: null as unknown, globalStep: null as unknown };
    const [first, second, ...rest] = args;
    const given =
      args.length === 1
        ? readArguments(op, { hparamDict: undefined as unknown, metricDict: undefined as unknown, ...defaults }, args)
        : { ...readArguments(op, defaults, rest), hparamDict: first, metricDict: second };
    const { hparamDict, metricDict, runName } = given;
    if (!isOptions(hparamDict)) fail(ArgumentError, op, 'an object of hyperparameters', describe(hparamDict));
    if (!isOptions(metricDict)) fail(ArgumentError, op, 'an object of metrics', describe(metricDict));
    if (runName !== null && typeof runName !== 'string')
      fail(ArgumentError, op, 'a string for runName', describe(runName));
    for (const [name, value] of Object.entries(hparamDict))
      if (!['number', 'string', 'boolean'].includes(typeof value))
        fail(ArgumentError, op, `a number, string or boolean as ${name}`, describe(value));
    const metrics = Object.entries(metricDict).map(([tag, value]) => [tag, scalarOf(op, A_SCALAR, value)] as const);
    const time = eventTime(op, { globalStep: given.globalStep, walltime: null });
    const writer = new SummaryWriter({ logDir: path.join(this.logDir, runName ?? String(Date.now() / 1000)) });
    for (const summary of hparamSummaries(
      hparamDict as HyperParameters,
      metrics.map(([tag]) => tag),
    ))
      writer.add(summary, time);
    for (const [tag, value] of metrics)
      writer.add(scalarSummary(tag, value), eventTime(op, { globalStep: given.globalStep, walltime: null }));
    writer.close();
  }

  /** Writes what waits. */
  flush(): void {
    for (const file of this.files.values()) file.flush();
  }

  /** Writes what waits and closes the files. Adding more afterwards opens new ones in the same folder. */
  close(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }

  getLogdir(): string {
    return this.logDir;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}
