/**
 * `tqdm`: a progress bar over any iterable or async iterable, or counted by hand. On a terminal the line is drawn in
 * place; elsewhere plain lines appear at intervals. It knows nothing of what it counts.
 */
import '../disposable.js';
import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { formatMeter, formatNumber } from './format.js';

/** What a bar writes to: a terminal, or anything that takes text. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TqdmOptions {
  /** Put before the bar. */
  desc?: string;
  /** The expected count; default: the iterable's length or size, where it has one. */
  total?: number;
  /** Whether the bar stays when it is done; default true for the outermost bar, false for those inside it. */
  leave?: boolean;
  disable?: boolean;
  /** What is counted; default 'it'. */
  unit?: string;
  /** Counts with the prefixes k, M, G. */
  unitScale?: boolean;
  /** Where the count begins, after a resumption. */
  initial?: number;
  /** Seconds between two drawings; default 0.1 on a terminal, 10 elsewhere. */
  mininterval?: number;
  /** Weight of the newest speed in the displayed one, from 0 (the average) to 1; default 0.3. */
  smoothing?: number;
  postfix?: string | Readonly<Record<string, unknown>>;
  /** Default: process.stderr. */
  file?: ProgressStream;
  /** The line's width; default: the terminal's. */
  ncols?: number;
}

const OPTIONS = [
  'desc',
  'total',
  'leave',
  'disable',
  'unit',
  'unitScale',
  'initial',
  'mininterval',
  'smoothing',
  'postfix',
  'file',
  'ncols',
];
const ERASE_LINE = '\x1b[2K';

/** Bars that are being drawn on terminals, the outermost first: each has a line of its own below the one before. */
const openBars: Tqdm<unknown>[] = [];

/** An average that forgets. */
class MovingAverage {
  private last = 0;
  private weight = 1;
  constructor(private readonly smoothing: number) {}

  add(value: number): void {
    this.last = this.smoothing * value + (1 - this.smoothing) * this.last;
    this.weight *= 1 - this.smoothing;
  }
  get value(): number {
    return this.weight === 1 ? 0 : this.last / (1 - this.weight);
  }
}

/** The iterable's own count. A getter may refuse (a loader of unknown length): then there is none. */
function lengthOf(source: unknown): number | undefined {
  if (typeof source !== 'object' || source === null) return undefined;
  try {
    const { length, size } = source as { length?: unknown; size?: unknown };
    return typeof length === 'number' ? length : typeof size === 'number' ? size : undefined;
  } catch {
    return undefined;
  }
}

function postfixText(postfix: string | Readonly<Record<string, unknown>>): string {
  if (typeof postfix === 'string') return postfix;
  const text = (value: unknown): string =>
    typeof value === 'number' || typeof value === 'bigint' ? formatNumber(value) : String(value).trim();
  return Object.entries(postfix)
    .map(([key, value]) => `${key}=${text(value)}`)
    .join(', ');
}

/** A progress bar; made by `tqdm`. Iterating it iterates the source. */
export class Tqdm<T> {
  n: number;
  total: number | undefined;
  private readonly options: TqdmOptions;
  private readonly stream: ProgressStream;
  private readonly drawn: boolean;
  private readonly interval: number;
  private readonly position: number;
  private readonly start = performance.now();
  private readonly counts: MovingAverage;
  private readonly times: MovingAverage;
  private desc: string;
  private postfix: string;
  private lastTime = this.start;
  private lastCount: number;
  private closed: boolean;

  constructor(
    private readonly source: Iterable<T> | AsyncIterable<T> | null,
    options: TqdmOptions,
  ) {
    rejectUnknownOptions('tqdm', options, OPTIONS);
    const { initial = 0, smoothing = 0.3, disable = false, mininterval } = options;
    if (options.total !== undefined && options.total !== null && !(options.total >= 0))
      fail(ArgumentError, 'tqdm', 'a total of at least 0', describe(options.total));
    if (!(smoothing >= 0 && smoothing <= 1)) fail(ArgumentError, 'tqdm', 'smoothing from 0 to 1', describe(smoothing));
    if (mininterval !== undefined && !(mininterval >= 0))
      fail(ArgumentError, 'tqdm', 'mininterval of at least 0 seconds', describe(mininterval));
    this.options = options;
    this.stream = options.file ?? process.stderr;
    this.drawn = this.stream.isTTY === true;
    this.interval = 1000 * (mininterval ?? (this.drawn ? 0.1 : 10));
    this.total = options.total ?? lengthOf(source);
    this.n = initial;
    this.lastCount = initial;
    this.desc = options.desc ?? '';
    this.postfix = postfixText(options.postfix ?? '');
    this.counts = new MovingAverage(smoothing);
    this.times = new MovingAverage(smoothing);
    this.closed = disable;
    this.position = openBars.filter((bar) => bar.stream === this.stream).length;
    if (disable || !this.drawn) return;
    openBars.push(this as Tqdm<unknown>);
    this.draw(this.line());
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    const { source } = this;
    if (source === null || !(Symbol.iterator in source))
      throw new ArgumentError(
        `tqdm: expected an iterable for for..of, got ${source === null ? 'none' : 'an async one; use for await'}`,
      );
    try {
      for (const item of source) {
        yield item;
        this.update();
      }
    } finally {
      this.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const { source } = this;
    if (source === null) throw new ArgumentError('tqdm: expected an iterable for for await, got none');
    try {
      for await (const item of source) {
        yield item;
        this.update();
      }
    } finally {
      this.close();
    }
  }

  /** Counts `n` more, and draws where the last drawing is long enough ago. */
  update(n = 1): void {
    this.n += n;
    this.refreshWhenDue();
  }

  /** The text before the bar. */
  setDescription(desc = ''): void {
    this.desc = desc;
    this.refreshWhenDue();
  }

  /** What stands after the speed: `setPostfix({ loss: loss.item() })`. Drawn with the next drawing. */
  setPostfix(postfix: string | Readonly<Record<string, unknown>>): void {
    this.postfix = postfixText(postfix);
    this.refreshWhenDue();
  }

  /** Begins anew, for another round over as many. */
  reset(total?: number): void {
    this.n = 0;
    this.lastCount = 0;
    if (total !== undefined) this.total = total;
    this.refresh();
  }

  /** Draws now. */
  refresh(): void {
    if (this.closed) return;
    this.measure(performance.now());
    this.draw(this.line());
  }

  /** Prints a line above the bars. */
  write(text: string): void {
    if (this.closed) this.stream.write(`${text}\n`);
    else write(text, this.stream);
  }

  /** The last drawing, with the overall speed. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const index = openBars.indexOf(this as Tqdm<unknown>);
    if (index >= 0) openBars.splice(index, 1);
    const leave = this.options.leave ?? this.position === 0;
    const line = formatMeter({ ...this.meter(), rate: undefined });
    if (!this.drawn) {
      if (leave) this.stream.write(`${line}\n`);
    } else if (leave)
      this.stream.write(`${this.down()}\r${ERASE_LINE}${line}${this.position === 0 ? '\n' : this.up()}`);
    else this.stream.write(`${this.down()}\r${ERASE_LINE}${this.up()}`);
  }
  [Symbol.dispose](): void {
    this.close();
  }

  private refreshWhenDue(): void {
    if (this.closed) return;
    const now = performance.now();
    if (now - this.lastTime < this.interval) return;
    this.measure(now);
    this.draw(this.line());
  }

  private measure(now: number): void {
    if (this.n > this.lastCount) {
      this.counts.add(this.n - this.lastCount);
      this.times.add((now - this.lastTime) / 1000);
    }
    this.lastCount = this.n;
    this.lastTime = now;
  }

  private meter(): Parameters<typeof formatMeter>[0] {
    const { unit, unitScale, initial, ncols } = this.options;
    const rate = this.times.value > 0 ? this.counts.value / this.times.value : undefined;
    // One column is left free: a full line would wrap on some terminals.
    const width = ncols ?? (this.drawn && this.stream.columns ? this.stream.columns - 1 : undefined);
    return {
      n: this.n,
      total: this.total,
      elapsed: (performance.now() - this.start) / 1000,
      initial,
      rate,
      desc: this.desc,
      unit,
      unitScale,
      postfix: this.postfix,
      ncols: width,
    };
  }
  /** The line as it would be drawn now. */
  private line(): string {
    return formatMeter(this.meter());
  }
  toString(): string {
    return this.line();
  }

  private down(): string {
    return '\n'.repeat(this.position);
  }
  private up(): string {
    return this.position === 0 ? '\r' : `\r\x1b[${this.position}A`;
  }
  private draw(line: string): void {
    if (!this.drawn) this.stream.write(`${line}\n`);
    else this.stream.write(`${this.down()}\r${ERASE_LINE}${line}${this.position === 0 ? '' : this.up()}`);
  }

  /** Internal: removes the drawn line, or draws it again, around a message on the same stream. */
  hide(stream: ProgressStream): void {
    if (stream === this.stream) stream.write(`${this.down()}\r${ERASE_LINE}${this.up()}`);
  }
  /** Internal: see `hide`. */
  show(stream: ProgressStream): void {
    if (stream === this.stream) this.draw(this.line());
  }
}

function write(text: string, stream: ProgressStream = process.stderr): void {
  for (const bar of openBars) bar.hide(stream);
  stream.write(`${text}\n`);
  for (const bar of openBars) bar.show(stream);
}

function makeBar<T>(iterable: Iterable<T> | AsyncIterable<T>, options?: TqdmOptions): Tqdm<T>;
function makeBar(options?: TqdmOptions): Tqdm<never>;
function makeBar<T>(first?: Iterable<T> | AsyncIterable<T> | TqdmOptions | null, options?: TqdmOptions): Tqdm<T> {
  const isSource =
    (typeof first === 'object' || typeof first === 'string' || typeof first === 'function') &&
    first !== null &&
    (typeof first === 'string' || Symbol.iterator in first || Symbol.asyncIterator in first);
  if (isSource) return new Tqdm<T>(first as Iterable<T> | AsyncIterable<T>, options ?? {});
  if (first !== undefined && first !== null && !isOptions(first))
    fail(ArgumentError, 'tqdm', 'an iterable, an async iterable, or options', describe(first));
  return new Tqdm<T>(null, { ...((first ?? {}) as TqdmOptions), ...options });
}

/**
 * A progress bar: `for await (const batch of tqdm(loader, { desc: 'epoch 1' }))`, `for (const x of tqdm(array))`, or
 * counted by hand:
 * `const bar = tqdm({ total: 100 }); bar.update(); bar.close()`. `tqdm.write(text)` prints above the bars. Source: tqdm
 * for Python.
 */
export const tqdm = Object.assign(makeBar, { write });

function* range(n: number): Generator<number, void, undefined> {
  for (let i = 0; i < n; i++) yield i;
}

/** `tqdm` over 0 .. n - 1. */
export function trange(n: number, options: TqdmOptions = {}): Tqdm<number> {
  if (!(Number.isInteger(n) && n >= 0)) fail(ArgumentError, 'trange', 'a whole number of at least 0', describe(n));
  return new Tqdm<number>(range(n), { total: n, ...options });
}
