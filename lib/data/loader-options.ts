/**
 * What a DataLoader can be told, as it is read from PyTorch's arguments, and which settings contradict each other. It
 * loads nothing.
 */
import { type Arguments, checkBoolean, checkFunction, checkInteger, checkNumber, readArguments } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import type { FileName } from '../file-name.js';
import { Generator } from '../random/generator.js';
import { isModuleSpec, type ModuleSpec } from './dataset-module.js';

/**
 * A function that a worker runs before its first batch, given by its module: `{ module: new URL('./init.js',
 * import.meta.url), exportName: 'init' }`.
 */
export type WorkerInit = ModuleSpec | FileName | ((workerId: number) => unknown);

export interface DataLoaderOptions<T = unknown, B = unknown> {
  /** Items in a batch; default 1. null gives items alone, not collated. */
  batchSize?: number | null;
  /** A new random order in each round; default false. */
  shuffle?: boolean | null;
  /** The order of the items, in place of `shuffle`. */
  sampler?: (Iterable<number> & { readonly length?: number }) | null;
  /** The indices of each batch, in place of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: (Iterable<readonly number[]> & { readonly length?: number }) | null;
  /** Worker threads; the dataset must then be given by its module. Default 0: the main thread. */
  numWorkers?: number;
  /**
   * How items become a batch; default `defaultCollate`. Where batchSize is null it gets one item. With workers it runs
   * in the main thread.
   */
  collateFn?: ((items: T[]) => B) | null;
  /** Accepted as PyTorch's: memory of the CPU needs no pinning. */
  pinMemory?: boolean;
  /** Leave out a last batch that is not full; default false. */
  dropLast?: boolean;
  /** Seconds to wait for a worker's batch; default 0: without end. */
  timeout?: number;
  /**
   * Runs in each worker with its number, once it is seeded and has its dataset. A thread cannot be handed a function,
   * so it is given by its module.
   */
  workerInitFn?: WorkerInit | null;
  /** Accepted as PyTorch's: workers are threads, however processes would be started. */
  multiprocessingContext?: string | object | null;
  /** What the random order is drawn from; default: a seed from the default generator for each round, as in PyTorch. */
  generator?: Generator | null;
  /**
   * Batches begun before they are asked for: for each worker (default 2), or in all where there are none (default 0).
   */
  prefetchFactor?: number | null;
  /** Keep the workers between rounds, until `close()` or the end of the process. Default false. */
  persistentWorkers?: boolean;
  /** Accepted as PyTorch's, as `pinMemory`. */
  pinMemoryDevice?: string;
  /** Accepted as PyTorch's: batches always come in order. */
  inOrder?: boolean;
}

/** PyTorch's parameters after the dataset that may be given by position. */
export type DataLoaderArguments<T, B> = Arguments<
  [
    batchSize?: number | null,
    shuffle?: boolean | null,
    sampler?: DataLoaderOptions['sampler'],
    batchSampler?: DataLoaderOptions['batchSampler'],
    numWorkers?: number,
    collateFn?: ((items: T[]) => B) | null,
    pinMemory?: boolean,
    dropLast?: boolean,
    timeout?: number,
    workerInitFn?: WorkerInit | null,
    multiprocessingContext?: string | null,
    generator?: Generator | null,
  ],
  DataLoaderOptions<T, B>
>;
const POSITIONAL = 12;

const DEFAULTS = {
  batchSize: 1 as number | null,
  shuffle: null as boolean | null,
  sampler: null as (Iterable<number> & { readonly length?: number }) | null,
  batchSampler: null as (Iterable<readonly number[]> & { readonly length?: number }) | null,
  numWorkers: 0,
  collateFn: null as ((items: unknown) => unknown) | null,
  pinMemory: false,
  dropLast: false,
  timeout: 0,
  workerInitFn: null as WorkerInit | null,
  multiprocessingContext: null as unknown,
  generator: null as Generator | null,
  prefetchFactor: null as number | null,
  persistentWorkers: false,
  pinMemoryDevice: '',
  inOrder: true,
};
export type LoaderSettings = Readonly<typeof DEFAULTS>;

/**
 * The settings in the arguments after the dataset. Throws ArgumentError for such as cannot be, or contradict each
 * other.
 */
export function readSettings(args: readonly unknown[]): LoaderSettings {
  const settings = readArguments('DataLoader', DEFAULTS, args, POSITIONAL);
  checkKinds(settings);
  checkTogether(settings);
  return settings;
}

function checkKinds(settings: LoaderSettings): void {
  const op = 'DataLoader';
  const {
    batchSize,
    shuffle,
    sampler,
    batchSampler,
    collateFn,
    generator,
    prefetchFactor,
    workerInitFn,
    multiprocessingContext,
    pinMemoryDevice,
  } = settings;
  if (batchSize !== null) checkInteger(op, 'batchSize', batchSize, 1);
  if (prefetchFactor !== null) checkInteger(op, 'prefetchFactor', prefetchFactor, 0);
  checkInteger(op, 'numWorkers', settings.numWorkers, 0);
  checkNumber(op, 'timeout', settings.timeout, 0);
  if (shuffle !== null) checkBoolean(op, 'shuffle', shuffle);
  for (const name of ['dropLast', 'persistentWorkers', 'pinMemory', 'inOrder'] as const)
    checkBoolean(op, name, settings[name]);
  if (collateFn !== null) checkFunction(op, 'a function as collateFn', collateFn);
  if (generator !== null && !(generator instanceof Generator))
    fail(ArgumentError, op, 'a Generator', describe(generator));
  for (const [name, value] of Object.entries({ sampler, batchSampler }))
    if (value !== null && !(typeof value === 'object' && Symbol.iterator in value))
      fail(ArgumentError, op, `an iterable as ${name}`, describe(value));
  if (workerInitFn !== null && typeof workerInitFn !== 'function' && !isModuleSpec(workerInitFn))
    fail(ArgumentError, op, 'a function, or the module of one, as workerInitFn', describe(workerInitFn));
  if (
    multiprocessingContext !== null &&
    typeof multiprocessingContext !== 'object' &&
    !['fork', 'spawn', 'forkserver'].includes(multiprocessingContext as string)
  )
    fail(ArgumentError, op, "multiprocessingContext 'fork', 'spawn' or 'forkserver'", describe(multiprocessingContext));
  if (typeof pinMemoryDevice !== 'string')
    fail(ArgumentError, op, 'a string for pinMemoryDevice', describe(pinMemoryDevice));
}

function checkTogether({
  batchSize,
  shuffle,
  sampler,
  batchSampler,
  dropLast,
  numWorkers,
  timeout,
  persistentWorkers,
  workerInitFn,
}: LoaderSettings): void {
  const op = 'DataLoader';
  if (sampler !== null && shuffle) fail(ArgumentError, op, 'either sampler or shuffle', 'both');
  if (batchSampler !== null && (sampler !== null || shuffle || dropLast || batchSize !== 1))
    fail(ArgumentError, op, 'batchSampler without batchSize, shuffle, sampler and dropLast', 'some of them beside it');
  if (batchSize === null && dropLast) fail(ArgumentError, op, 'a batchSize where dropLast is true', 'null');
  if (numWorkers === 0 && (timeout > 0 || persistentWorkers))
    fail(ArgumentError, op, 'numWorkers above 0 for timeout and persistentWorkers', '0');
  // Without workers PyTorch does not call it either.
  if (numWorkers > 0 && typeof workerInitFn === 'function')
    fail(
      ArgumentError,
      op,
      'the module of workerInitFn for worker threads: { module: new URL("./init.js", import.meta.url), exportName }',
      'a function of this thread',
    );
}
