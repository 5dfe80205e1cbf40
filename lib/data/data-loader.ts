/**
 * DataLoader: batches of a dataset for `for await`, made here or in worker threads, always in the sampler's order. Between two batches
 * it lets the event loop run, so that timers and servers live beside a synchronous training step.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import '../disposable.js';
import type { FileName } from '../file-name.js';
import { Generator } from '../random/generator.js';
import { type Collated, defaultCollate } from './collate.js';
import { type DatasetModule, datasetOf, isDatasetModule, urlOf } from './dataset-module.js';
import { type IterableDataset, isMapDataset, type MapDataset } from './dataset.js';
import { type AnyDataset, type Collate, Fetcher, type FetchOptions, isDataset, isEnd, type Request } from './fetch.js';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler } from './sampler.js';
import { WorkerPool } from './worker-pool.js';

export interface DataLoaderOptions<T = unknown, B = unknown> {
  /** Items in a batch; default 1. null gives items alone, not collated. */
  batchSize?: number | null;
  /** A new random order in each round; default false. */
  shuffle?: boolean;
  /** The order of the items, in place of `shuffle`. */
  sampler?: Iterable<number> & { readonly length?: number };
  /** The indices of each batch, in place of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Iterable<readonly number[]> & { readonly length?: number };
  /** Leave out a last batch that is not full; default false. */
  dropLast?: boolean;
  /** How items become a batch; default `defaultCollate`. With workers it runs in the main thread. */
  collateFn?: (items: T[]) => B;
  /** What the random order is drawn from; default: a seed from the default generator for each round, as in PyTorch. */
  generator?: Generator;
  /** Batches begun before they are asked for: in all without workers (default 0), for each worker with them (default 2). */
  prefetch?: number;
  /** Worker threads; the dataset must then be given by its module. Default 0: the main thread. */
  numWorkers?: number;
  /** Seconds to wait for a worker's batch; default 0: without end. */
  timeout?: number;
  /** Keep the workers between rounds, until `close()` or the end of the process. Default false. */
  persistentWorkers?: boolean;
}

const OPTIONS = ['batchSize', 'shuffle', 'sampler', 'batchSampler', 'dropLast', 'collateFn', 'generator', 'prefetch', 'numWorkers', 'timeout', 'persistentWorkers'];

/** Ends this turn of the event loop: timers, sockets and signals get theirs. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A result that waits for its turn without being called unhandled. */
type Settled<T> = Promise<{ value: T } | { error: unknown }>;
const settle = <T>(promise: Promise<T>): Settled<T> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
async function valueOf<T>(settled: Settled<T>): Promise<T> {
  const outcome = await settled;
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

function wholeNumber(name: string, value: unknown, least: number): void {
  if (!(Number.isInteger(value) && (value as number) >= least)) fail(ArgumentError, 'DataLoader', `a whole number of at least ${least} as ${name}`, describe(value));
}

type Source<T> = MapDataset<T> | IterableDataset<T> | Iterable<T> | AsyncIterable<T> | DatasetModule | FileName;

/**
 * Batches of a dataset: `for await (const [x, y] of new DataLoader(dataset, { batchSize: 8, shuffle: true }))`. Source:
 * torch.utils.data.DataLoader.
 *
 * The dataset is a `Dataset` (or any object with `getItem` and `length`), an array, an `IterableDataset` or other iterable, or a module
 * that makes one (`{ module, options }`, a path or a URL), which worker threads need. After the same `manualSeed`, the order is PyTorch's.
 */
export class DataLoader<T = unknown, B = Collated<T>> implements AsyncIterable<B> {
  /** Internal: what the worker's entry needs of the library's one instance. */
  static readonly internals = { datasetOf, defaultCollate: defaultCollate as Collate, Fetcher, isEnd } as const;

  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly generator: Generator | undefined;
  private readonly module: DatasetModule | null;
  private readonly options: DataLoaderOptions<T, B>;
  private made: AnyDataset | null = null;
  private pool: WorkerPool | null = null;

  /** Throws ArgumentError for options that cannot be, or that contradict each other. */
  constructor(dataset: Source<T>, options: DataLoaderOptions<T, B> = {}) {
    rejectUnknownOptions('DataLoader', options, OPTIONS);
    const { batchSize = 1, dropLast = false, numWorkers = 0, generator } = options;
    this.module = typeof dataset === 'string' || dataset instanceof URL ? { module: dataset } : isDatasetModule(dataset) ? dataset : null;
    if (this.module === null) {
      if (!isDataset(dataset)) fail(ArgumentError, 'DataLoader', 'a dataset with getItem and length, an array, an iterable, or { module, options }', describe(dataset));
      this.made = dataset;
    }
    this.options = options;
    this.batchSize = options.batchSampler === undefined ? batchSize : null;
    this.dropLast = dropLast;
    this.numWorkers = numWorkers;
    this.generator = generator;
    this.check();
    if (this.made !== null) this.checkKind(this.made);
  }

  private check(): void {
    const { batchSize = 1, shuffle, sampler, batchSampler, dropLast = false, collateFn, generator, prefetch = 0, numWorkers = 0, timeout = 0, persistentWorkers = false } = this.options;
    if (batchSize !== null) wholeNumber('batchSize', batchSize, 1);
    wholeNumber('prefetch', prefetch, 0);
    wholeNumber('numWorkers', numWorkers, 0);
    for (const [name, value] of Object.entries({ shuffle: shuffle ?? false, dropLast, persistentWorkers })) if (typeof value !== 'boolean') fail(ArgumentError, 'DataLoader', `a boolean as ${name}`, describe(value));
    if (!(typeof timeout === 'number' && timeout >= 0)) fail(ArgumentError, 'DataLoader', 'a timeout of at least 0 seconds', describe(timeout));
    if (collateFn !== undefined && typeof collateFn !== 'function') fail(ArgumentError, 'DataLoader', 'a function as collateFn', describe(collateFn));
    if (generator !== undefined && generator !== null && !(generator instanceof Generator)) fail(ArgumentError, 'DataLoader', 'a Generator', describe(generator));
    for (const [name, value] of Object.entries({ sampler, batchSampler }))
      if (value !== undefined && !(typeof value === 'object' && value !== null && Symbol.iterator in value)) fail(ArgumentError, 'DataLoader', `an iterable as ${name}`, describe(value));
    if (sampler !== undefined && shuffle) fail(ArgumentError, 'DataLoader', 'either sampler or shuffle', 'both');
    if (batchSampler !== undefined && (sampler !== undefined || shuffle || dropLast || batchSize !== 1))
      fail(ArgumentError, 'DataLoader', 'batchSampler without batchSize, shuffle, sampler and dropLast', 'some of them beside it');
    if (batchSize === null && dropLast) fail(ArgumentError, 'DataLoader', 'a batchSize where dropLast is true', 'null');
    if (numWorkers > 0 && this.module === null)
      fail(ArgumentError, 'DataLoader', 'a dataset given by its module for worker threads: new DataLoader({ module: new URL("./dataset.js", import.meta.url), options })', 'a dataset of this thread');
    if (numWorkers === 0 && (timeout > 0 || persistentWorkers)) fail(ArgumentError, 'DataLoader', 'numWorkers above 0 for timeout and persistentWorkers', '0');
  }

  private checkKind(dataset: AnyDataset): void {
    if (isMapDataset(dataset)) return;
    const { shuffle, sampler, batchSampler } = this.options;
    if (shuffle || sampler !== undefined || batchSampler !== undefined) fail(ArgumentError, 'DataLoader', 'an iterable dataset without shuffle, sampler and batchSampler', 'one of them');
  }

  /** Makes the dataset of a module, after which `dataset` and `length` are known. The first round does it as well. */
  async prepare(): Promise<this> {
    if (this.made === null) {
      const dataset = await datasetOf(this.module as DatasetModule);
      this.checkKind(dataset);
      this.made ??= dataset;
    }
    return this;
  }

  /** The dataset. Throws ArgumentError where a module is yet to make it. */
  get dataset(): AnyDataset {
    if (this.made === null) fail(ArgumentError, 'DataLoader.dataset', 'a dataset that is made already (await loader.prepare())', 'a module');
    return this.made;
  }

  /** The number of batches in a round. Throws ArgumentError for an iterable dataset, and before a module has made its dataset. */
  get length(): number {
    const { dataset } = this;
    if (!isMapDataset(dataset)) fail(ArgumentError, 'DataLoader.length', 'a dataset with a length', 'an iterable');
    const { length } = this.sampler(dataset);
    if (typeof length !== 'number') fail(ArgumentError, 'DataLoader.length', 'a sampler with a length', 'one without');
    return length;
  }

  /** Indices of each batch, or of each item where there are no batches. */
  private sampler(dataset: MapDataset<unknown>): Iterable<Request> & { readonly length?: number } {
    const { shuffle = false, batchSampler, generator } = this.options;
    if (batchSampler !== undefined) return batchSampler;
    // An empty dataset has one order only.
    const order = this.options.sampler ?? (shuffle && dataset.length > 0 ? new RandomSampler(dataset, { generator }) : new SequentialSampler(dataset));
    return this.batchSize === null ? order : new BatchSampler(order, this.batchSize, this.dropLast);
  }

  private get collate(): Collate | null {
    const { collateFn, batchSize, batchSampler } = this.options;
    if (collateFn !== undefined) return collateFn as Collate;
    return batchSize === null && batchSampler === undefined ? null : (defaultCollate as Collate);
  }

  /** A new round over the dataset. */
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    // PyTorch draws a seed for the workers before the sampler draws its own, also where there are no workers.
    const seed = this.pool === null ? drawSeed(this.options.generator) : 0n;
    return (this.numWorkers === 0 ? this.runHere() : this.runInWorkers(seed)) as AsyncGenerator<B, void, undefined>;
  }

  private requests(): Iterator<Request> {
    const { dataset } = this;
    if (isMapDataset(dataset)) return this.sampler(dataset)[Symbol.iterator]();
    return { next: () => ({ value: null, done: false }) };
  }

  private async *runHere(): AsyncGenerator<unknown, void, undefined> {
    await this.prepare();
    const options: FetchOptions = { collate: this.collate, batchSize: this.batchSize, dropLast: this.dropLast };
    const fetcher = new Fetcher(this.dataset, options);
    const requests = this.requests();
    const ahead = isMapDataset(this.dataset) ? (this.options.prefetch ?? 0) : 0;
    const begun: Settled<unknown>[] = [];
    try {
      for (;;) {
        while (begun.length <= ahead) {
          const next = requests.next();
          if (next.done) break;
          begun.push(settle(fetcher.fetch(next.value)));
        }
        const first = begun.shift();
        if (first === undefined) return;
        const batch = await valueOf(first);
        if (isEnd(batch)) return;
        yield batch;
        await breathe();
      }
    } finally {
      await Promise.all(begun);
      requests.return?.();
      await fetcher.close();
    }
  }

  private poolFor(seed: bigint): WorkerPool {
    const { collateFn, persistentWorkers = false, timeout = 0 } = this.options;
    if (this.pool !== null && this.pool.usable) {
      this.pool.beginEpoch();
      return this.pool;
    }
    const spec = this.module as DatasetModule;
    const start = { dataset: { ...spec, module: urlOf(spec.module) }, collate: collateFn === undefined && this.collate !== null, batchSize: this.batchSize, dropLast: this.dropLast };
    const pool = new WorkerPool(this.numWorkers, start, seed, timeout);
    this.pool = persistentWorkers ? pool : null;
    return pool;
  }

  private async *runInWorkers(seed: bigint): AsyncGenerator<unknown, void, undefined> {
    const pool = this.poolFor(seed);
    const begun: { worker: number; answer: Settled<Awaited<ReturnType<WorkerPool['ask']>>> }[] = [];
    let requests: Iterator<Request> | null = null;
    try {
      // The main thread needs the dataset as well: for its length, from which the sampler draws the order.
      await this.prepare();
      requests = this.requests();
      /** Workers that have more, in turn. An iterable dataset's worker leaves when it is exhausted. */
      let turn = Array.from({ length: this.numWorkers }, (_, worker) => worker);
      let at = 0;
      const ahead = this.numWorkers * Math.max(1, this.options.prefetch ?? 2);
      for (;;) {
        while (begun.length < ahead && turn.length > 0) {
          const next = requests.next();
          if (next.done) break;
          const worker = turn[at++ % turn.length];
          begun.push({ worker, answer: settle(pool.ask(worker, next.value)) });
        }
        const first = begun.shift();
        if (first === undefined) return;
        const answer = await pool.wait(valueOf(first.answer), first.worker);
        if ('exhausted' in answer) {
          turn = turn.filter((worker) => worker !== first.worker);
          continue;
        }
        yield this.options.collateFn === undefined ? answer.value : this.options.collateFn((this.batchSize === null && this.options.batchSampler === undefined ? [answer.value] : answer.value) as T[]);
        await breathe();
      }
    } finally {
      requests?.return?.();
      // Workers that are kept finish what they were asked for; nobody reads it.
      if (pool !== this.pool || !pool.usable) await pool.close();
      if (this.pool !== null && !this.pool.usable) this.pool = null;
    }
  }

  /** Ends workers that were kept between rounds. */
  async close(): Promise<void> {
    const { pool } = this;
    this.pool = null;
    await pool?.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
