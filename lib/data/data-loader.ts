/**
 * DataLoader: batches of a dataset for `for await`, made here or in worker threads, always in the sampler's order.
 * Between two batches it lets the event loop run, so that timers and servers live beside a synchronous training step.
 */
import '../disposable.js';
import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import type { FileName } from '../file-name.js';
import type { Generator } from '../random/generator.js';
import { Tensor } from '../tensor/tensor.js';
import { type Collated, defaultCollate, defaultConvert } from './collate.js';
import { type IterableDataset, isMapDataset, type MapDataset, TensorRows } from './dataset.js';
import { type DatasetModule, datasetOf, exportOf, isDatasetModule, moduleSpec, urlOf } from './dataset-module.js';
import { type AnyDataset, type Collate, Fetcher, type FetchOptions, isDataset, isEnd, type Request } from './fetch.js';
import {
  type DataLoaderArguments,
  type DataLoaderOptions,
  type LoaderSettings,
  readSettings,
} from './loader-options.js';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler } from './sampler.js';
import { setWorkerDataset } from './worker-info.js';
import { WorkerPool } from './worker-pool.js';

/** Ends this turn of the event loop: timers, sockets and signals get theirs. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A result that waits for its turn without being called unhandled. */
type Settled<T> = Promise<{ value: T } | { error: unknown }>;
const settle = <T>(promise: Promise<T>): Settled<T> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
async function outcomeOf<T>(settled: Settled<T>): Promise<T> {
  const outcome = await settled;
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

type Source<T> =
  | (T extends Tensor ? Tensor : never)
  | MapDataset<T>
  | IterableDataset<T>
  | Iterable<T>
  | AsyncIterable<T>
  | DatasetModule
  | FileName;

/**
 * Batches of a dataset: `for await (const [x, y] of new DataLoader(dataset, { batchSize: 8, shuffle: true }))`. Source:
 * torch.utils.data.DataLoader.
 *
 * The dataset is a `Dataset` (or any object with `getItem` and `length`), an array, an `IterableDataset` or other
 * iterable, or a module that makes one (`{ module, options }`, a path or a URL), which worker threads need. After the
 * same `manualSeed`, the order is PyTorch's. All arguments may come by name in one object.
 */
export class DataLoader<T = unknown, B = Collated<T>> implements AsyncIterable<B> {
  /** Internal: what the worker's entry needs of the library's one instance. */
  static readonly internals = {
    datasetOf,
    defaultCollate: defaultCollate as Collate,
    defaultConvert: defaultConvert as Collate,
    exportOf,
    Fetcher,
    isEnd,
    setWorkerDataset,
  } as const;
  static {
    // For JavaScript alone: to the types a loader is no iterable, which says the same.
    const fails = (): never =>
      fail(
        ArgumentError,
        'DataLoader',
        'for await (const batch of loader), since batches are made asynchronously',
        'for ... of or a spread',
      );
    Object.defineProperty(DataLoader.prototype, Symbol.iterator, { value: fails, writable: true, configurable: true });
  }

  readonly batchSize: number | null;
  readonly dropLast: boolean;
  readonly numWorkers: number;
  readonly pinMemory: boolean;
  readonly timeout: number;
  readonly prefetchFactor: number | null;
  readonly persistentWorkers: boolean;
  readonly generator: Generator | null;
  private readonly module: DatasetModule | null;
  private readonly settings: LoaderSettings;
  private made: AnyDataset | null = null;
  private pool: WorkerPool | null = null;

  /** Throws ArgumentError for options that cannot be, or that contradict each other. */
  constructor(dataset: Source<T>, ...args: DataLoaderArguments<T, B>);
  constructor(all: { dataset: Source<T> } & DataLoaderOptions<T, B>);
  constructor(first: unknown, ...args: unknown[]) {
    let dataset = first;
    // A dataset may be a plain object as well.
    if (args.length === 0 && isOptions(first) && 'dataset' in first && !isDataset(first) && !isDatasetModule(first)) {
      const { dataset: given, ...options } = first;
      dataset = given;
      this.settings = readSettings([options]);
    } else this.settings = readSettings(args);
    if (dataset instanceof Tensor) dataset = new TensorRows(dataset);
    this.module =
      typeof dataset === 'string' || dataset instanceof URL
        ? { module: dataset }
        : isDatasetModule(dataset)
          ? dataset
          : null;
    if (this.module === null) {
      if (!isDataset(dataset))
        fail(
          ArgumentError,
          'DataLoader',
          'a dataset with getItem and length, an array, a tensor, an iterable, or { module, options }',
          describe(dataset),
        );
      this.made = dataset;
    }
    const { batchSize, batchSampler, numWorkers } = this.settings;
    this.batchSize = batchSampler === null ? batchSize : null;
    this.dropLast = this.settings.dropLast;
    this.numWorkers = numWorkers;
    this.pinMemory = this.settings.pinMemory;
    this.timeout = this.settings.timeout;
    this.prefetchFactor = this.settings.prefetchFactor;
    this.persistentWorkers = this.settings.persistentWorkers;
    this.generator = this.settings.generator;
    if (numWorkers > 0 && this.module === null)
      fail(
        ArgumentError,
        'DataLoader',
        'a dataset given by its module for worker threads: new DataLoader({ module: new ' +
          'URL("./dataset.js", import.meta.url), options })',
        'a dataset of this thread',
      );
    if (this.made !== null) this.checkKind(this.made);
  }

  private checkKind(dataset: AnyDataset): void {
    if (isMapDataset(dataset)) return;
    const { shuffle, sampler, batchSampler } = this.settings;
    if (shuffle || sampler !== null || batchSampler !== null)
      fail(ArgumentError, 'DataLoader', 'an iterable dataset without shuffle, sampler and batchSampler', 'one of them');
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
    if (this.made === null)
      fail(ArgumentError, 'DataLoader.dataset', 'a dataset that is made already (await loader.prepare())', 'a module');
    return this.made;
  }

  /**
   * The number of batches in a round. Throws ArgumentError for an iterable dataset, and before a module has made its
   * dataset.
   */
  get length(): number {
    const { dataset } = this;
    if (!isMapDataset(dataset)) fail(ArgumentError, 'DataLoader.length', 'a dataset with a length', 'an iterable');
    const { length } = this.order(dataset);
    if (typeof length !== 'number') fail(ArgumentError, 'DataLoader.length', 'a sampler with a length', 'one without');
    return length;
  }

  /**
   * The order of the items, made anew at each call unless one was given. Throws ArgumentError as `dataset` does, and
   * for an iterable dataset.
   */
  get sampler(): Iterable<number> & { readonly length?: number } {
    const { dataset } = this;
    if (!isMapDataset(dataset)) fail(ArgumentError, 'DataLoader.sampler', 'a dataset with a length', 'an iterable');
    return this.itemOrder(dataset);
  }

  /** Indices of each batch, or of each item where there are no batches. */
  private order(dataset: MapDataset<unknown>): Iterable<Request> & { readonly length?: number } {
    const { batchSampler } = this.settings;
    if (batchSampler !== null) return batchSampler;
    const items = this.itemOrder(dataset);
    return this.batchSize === null ? items : new BatchSampler(items, this.batchSize, this.dropLast);
  }
  private itemOrder(dataset: MapDataset<unknown>): Iterable<number> & { readonly length?: number } {
    const { shuffle, sampler, generator } = this.settings;
    // An empty dataset has one order only.
    return (
      sampler ??
      (shuffle === true && dataset.length > 0
        ? new RandomSampler(dataset, { generator })
        : new SequentialSampler(dataset))
    );
  }

  private get collate(): Collate {
    const { collateFn, batchSize, batchSampler } = this.settings;
    if (collateFn !== null) return collateFn;
    return (batchSize === null && batchSampler === null ? defaultConvert : defaultCollate) as Collate;
  }

  /** A new round over the dataset. */
  [Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    // PyTorch draws a seed for the workers before the sampler draws its own, also where there are no workers.
    const seed = this.pool === null ? drawSeed(this.settings.generator) : 0n;
    return (this.numWorkers === 0 ? this.runHere() : this.runInWorkers(seed)) as AsyncGenerator<B, void, undefined>;
  }

  private requests(): Iterator<Request> {
    const { dataset } = this;
    if (isMapDataset(dataset)) return this.order(dataset)[Symbol.iterator]();
    return { next: () => ({ value: null, done: false }) };
  }

  private async *runHere(): AsyncGenerator<unknown, void, undefined> {
    await this.prepare();
    const options: FetchOptions = { collate: this.collate, batchSize: this.batchSize, dropLast: this.dropLast };
    const fetcher = new Fetcher(this.dataset, options);
    const requests = this.requests();
    const ahead = isMapDataset(this.dataset) ? (this.settings.prefetchFactor ?? 0) : 0;
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
        const batch = await outcomeOf(first);
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
    const { collateFn, persistentWorkers, timeout, workerInitFn } = this.settings;
    if (this.pool?.usable === true) {
      this.pool.beginEpoch();
      return this.pool;
    }
    const spec = this.module as DatasetModule;
    const init = workerInitFn === null || typeof workerInitFn === 'function' ? null : moduleSpec(workerInitFn);
    const collate = collateFn !== null ? null : this.collate === defaultCollate ? 'stack' : 'convert';
    const start = {
      dataset: { ...spec, module: urlOf(spec.module) },
      init,
      collate,
      batchSize: this.batchSize,
      dropLast: this.dropLast,
    } as const;
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
      const ahead = this.numWorkers * Math.max(1, this.settings.prefetchFactor ?? 2);
      for (;;) {
        while (begun.length < ahead && turn.length > 0) {
          const next = requests.next();
          if (next.done) break;
          const worker = turn[at++ % turn.length];
          begun.push({ worker, answer: settle(pool.ask(worker, next.value)) });
        }
        const first = begun.shift();
        if (first === undefined) return;
        const answer = await pool.wait(outcomeOf(first.answer), first.worker);
        if ('exhausted' in answer) {
          turn = turn.filter((worker) => worker !== first.worker);
          continue;
        }
        yield this.settings.collateFn === null ? answer.value : this.settings.collateFn(answer.value);
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
