/** SummaryWriter: scalars, histograms, images, text and hyperparameters, in event files that TensorBoard reads. */
import { hostname } from 'node:os';
import path from 'node:path';
import '../disposable.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { castTo } from '../ops/cast.js';
import { isOptions } from '../ops/define-function.js';
import { FLOAT64 } from '../storage/dtype.js';
import { Tensor } from '../tensor/tensor.js';
import { EventFile, type EventFileOptions } from './event-file.js';
import { type Bins, makeHistogram } from './histogram.js';
import { encodeImage } from './image.js';
import type { Message } from './protobuf.js';
import { hparamSummaries, histogramSummary, imageSummary, scalarSummary, sessionStartEvent, summaryEvent, textSummary, versionEvent } from './summaries.js';

export interface SummaryWriterOptions {
  /** The run's folder; default: runs/<date>_<host><comment>. */
  logDir?: string;
  /** Put after the default folder's name. */
  comment?: string;
  /** Hides what older files of the folder hold from this step on, after a crash and a resumption there. */
  purgeStep?: number;
  /** How many events may wait in memory; default 10. */
  maxQueue?: number;
  /** How many seconds an event may wait in memory; default 120. */
  flushSecs?: number;
  filenameSuffix?: string;
}

/** When an event happened: the step, and the time in seconds since 1970 (default now). */
export interface EventOptions {
  globalStep?: number | bigint;
  walltime?: number;
}
export interface HistogramOptions extends EventOptions {
  bins?: Bins;
  maxBins?: number;
}
export interface ImageOptions extends EventOptions {
  /** The order of the dimensions: the letters N, C, H, W. */
  dataformats?: string;
}
type Step = number | bigint | null;
/** Numbers as a tensor, an array, a typed array or alone. */
export type Numbers = Tensor | number | readonly number[] | Float32Array | Float64Array | Int32Array | Uint8Array;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function defaultLogDir(comment: string): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${MONTHS[now.getMonth()]}${two(now.getDate())}_${two(now.getHours())}-${two(now.getMinutes())}-${two(now.getSeconds())}`;
  return path.join('runs', `${date}_${hostname()}${comment}`);
}

/** Positional arguments by name, with a trailing options object laid over them. */
function named<T extends object>(op: string, names: readonly (keyof T & string)[], args: readonly unknown[]): T {
  const result: Record<string, unknown> = {};
  args.forEach((arg, i) => {
    if (isOptions(arg) && i === args.length - 1) {
      rejectUnknownOptions(op, arg, names);
      Object.assign(result, arg);
    } else if (i < names.length) result[names[i]] = arg ?? undefined;
    else fail(ArgumentError, op, `at most ${names.length} arguments after the value`, String(args.length));
  });
  return result as T;
}

function checkTag(op: string, tag: unknown): void {
  if (typeof tag !== 'string' || tag === '') fail(ArgumentError, op, 'a tag', describe(tag));
}

function scalarOf(op: string, value: unknown): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return Number(value);
  if (value instanceof Tensor && value.numel() === 1) return Number(value.item());
  return fail(ArgumentError, op, 'a number or a tensor of one element', describe(value));
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
  return Float64Array.from(list as ArrayLike<number | bigint>, Number);
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
  constructor(options: string | SummaryWriterOptions = {}) {
    if (typeof options !== 'string' && !isOptions(options)) fail(ArgumentError, 'SummaryWriter', 'a folder or options', describe(options));
    const given: SummaryWriterOptions = typeof options === 'string' ? { logDir: options } : options;
    rejectUnknownOptions('SummaryWriter', given, ['logDir', 'comment', 'purgeStep', 'maxQueue', 'flushSecs', 'filenameSuffix']);
    const { logDir, comment = '', maxQueue = 10, flushSecs = 120, filenameSuffix = '' } = given;
    if (!(maxQueue >= 0) || !(flushSecs >= 0)) fail(ArgumentError, 'SummaryWriter', 'maxQueue and flushSecs of at least 0', `${maxQueue} and ${flushSecs}`);
    this.logDir = logDir || defaultLogDir(comment);
    this.purgeStep = given.purgeStep;
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

  private add(op: string, summary: Message, { globalStep, walltime }: EventOptions, folder = this.logDir): void {
    const step = globalStep === undefined ? undefined : Number(globalStep);
    if (step !== undefined && !Number.isFinite(step)) fail(ArgumentError, op, 'a whole number as globalStep', String(globalStep));
    this.fileIn(folder).add(summaryEvent({ wallTime: walltime ?? Date.now() / 1000, step: step === undefined ? undefined : Math.trunc(step) }, summary));
  }

  /** One number of a series: `addScalar('loss/train', loss.item(), step)`. */
  addScalar(tag: string, scalarValue: number | bigint | boolean | Tensor, globalStep?: Step | EventOptions, walltime?: number): void {
    checkTag('addScalar', tag);
    this.add('addScalar', scalarSummary(tag, scalarOf('addScalar', scalarValue)), named<EventOptions>('addScalar', ['globalStep', 'walltime'], trimmed([globalStep, walltime])));
  }

  /** Several series in one picture, each a run of its own in a folder below: `addScalars('loss', { train, val }, step)`. */
  addScalars(mainTag: string, tagScalarDict: Readonly<Record<string, number | Tensor>>, globalStep?: Step | EventOptions, walltime?: number): void {
    checkTag('addScalars', mainTag);
    if (!isOptions(tagScalarDict)) fail(ArgumentError, 'addScalars', 'an object of numbers', describe(tagScalarDict));
    const when = named<EventOptions>('addScalars', ['globalStep', 'walltime'], trimmed([globalStep, walltime]));
    const time = { ...when, walltime: when.walltime ?? Date.now() / 1000 };
    const values = Object.entries(tagScalarDict).map(([tag, value]) => [tag, scalarOf('addScalars', value)] as const);
    for (const [tag, value] of values) this.add('addScalars', scalarSummary(mainTag, value), time, path.join(this.logDir, `${mainTag.replaceAll('/', '_')}_${tag}`));
  }

  /** The distribution of values: `addHistogram('weights', model.fc.weight, step)`. Bins: 'tensorflow', a number, or edges. */
  addHistogram(tag: string, values: Numbers, globalStep?: Step | HistogramOptions, bins?: Bins | HistogramOptions, walltime?: number, maxBins?: number): void {
    checkTag('addHistogram', tag);
    const options = named<HistogramOptions>('addHistogram', ['globalStep', 'bins', 'walltime', 'maxBins'], trimmed([globalStep, bins, walltime, maxBins]));
    this.add('addHistogram', histogramSummary(tag, makeHistogram(numbersOf('addHistogram', values), options.bins ?? 'tensorflow', options.maxBins)), options);
  }

  /** An image: uint8, or numbers from 0 to 1. `dataformats` names its dimensions: 'CHW' (default), 'HWC' or 'HW'. */
  addImage(tag: string, imgTensor: Tensor, globalStep?: Step | ImageOptions, walltime?: number | ImageOptions, dataformats?: string): void {
    this.image('addImage', tag, imgTensor, 'CHW', trimmed([globalStep, walltime, dataformats]));
  }

  /** A batch of images as a grid with eight in a row; `dataformats` 'NCHW' (default) or 'NHWC'. */
  addImages(tag: string, imgTensor: Tensor, globalStep?: Step | ImageOptions, walltime?: number | ImageOptions, dataformats?: string): void {
    this.image('addImages', tag, imgTensor, 'NCHW', trimmed([globalStep, walltime, dataformats]));
  }

  private image(op: string, tag: string, x: Tensor, fallback: string, args: readonly unknown[]): void {
    checkTag(op, tag);
    if (!(x instanceof Tensor)) fail(ArgumentError, op, 'a tensor', describe(x));
    const options = named<ImageOptions>(op, ['globalStep', 'walltime', 'dataformats'], args);
    this.add(op, imageSummary(tag, encodeImage(op, x, options.dataformats ?? fallback)), options);
  }

  /** Text, shown as Markdown. */
  addText(tag: string, textString: string, globalStep?: Step | EventOptions, walltime?: number): void {
    checkTag('addText', tag);
    if (typeof textString !== 'string') fail(ArgumentError, 'addText', 'a string', describe(textString));
    this.add('addText', textSummary(tag, textString), named<EventOptions>('addText', ['globalStep', 'walltime'], trimmed([globalStep, walltime])));
  }

  /** A run's hyperparameters with the metrics it reached, for the HParams page; written into a folder below, named `runName`. */
  addHparams(
    hparamDict: Readonly<Record<string, number | string | boolean>>,
    metricDict: Readonly<Record<string, number | Tensor>>,
    options: { runName?: string; globalStep?: number } = {},
  ): void {
    rejectUnknownOptions('addHparams', options, ['runName', 'globalStep']);
    for (const [name, value] of Object.entries({ hparamDict, metricDict }))
      if (typeof value !== 'object' || value === null) fail(ArgumentError, 'addHparams', `an object of names and values for ${name}`, describe(value));
    if (options.runName !== undefined && typeof options.runName !== 'string') fail(ArgumentError, 'addHparams', 'a string for runName', describe(options.runName));
    for (const [name, value] of Object.entries(hparamDict))
      if (!['number', 'string', 'boolean'].includes(typeof value)) fail(ArgumentError, 'addHparams', `a number, string or boolean as ${name}`, describe(value));
    const metrics = Object.entries(metricDict).map(([tag, value]) => [tag, scalarOf('addHparams', value)] as const);
    const writer = new SummaryWriter({ logDir: path.join(this.logDir, options.runName ?? String(Date.now() / 1000)) });
    for (const summary of hparamSummaries(
      hparamDict,
      metrics.map(([tag]) => tag),
    ))
      writer.add('addHparams', summary, options);
    for (const [tag, value] of metrics) writer.addScalar(tag, value, { globalStep: options.globalStep });
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

/** Without trailing arguments that were not given, so that the last one may be the options. */
function trimmed(args: readonly unknown[]): unknown[] {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return args.slice(0, length);
}
