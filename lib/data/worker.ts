/**
 * The entry of a DataLoader's worker thread: makes the dataset from its module and answers requests in their order. It
 * loads the library by the URL it is given, so that there is one instance for it and for the dataset.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { ArgumentError } from '../errors.js';
import type { manualSeed } from '../random/generator.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DataLoader } from './data-loader.js';
import type { Fetcher } from './fetch.js';
import { pack, type WorkerAnswer, type WorkerRequest, type WorkerStart } from './worker-messages.js';

const start = (workerData as { nodegradDataLoader: WorkerStart }).nodegradDataLoader;
const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');

function send(answer: WorkerAnswer, transfer: ArrayBuffer[] = []): void {
  port?.postMessage(answer, transfer);
}

function failure(id: number, error: unknown): WorkerAnswer {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'failure', id, error: { name, message, stack: stack ?? '' } };
}

/** What the worker needs of the library. */
interface Library {
  readonly ArgumentError: typeof ArgumentError;
  readonly Tensor: typeof Tensor;
  readonly manualSeed: typeof manualSeed;
  readonly utils: { readonly data: { readonly DataLoader: typeof DataLoader } };
}

interface Ready {
  readonly library: Library;
  makeFetcher(): Fetcher;
}

async function prepare(): Promise<Ready> {
  const library = (await import(start.library)) as Library;
  library.manualSeed(start.seed);
  const { datasetOf, defaultCollate, defaultConvert, exportOf, Fetcher, setWorkerDataset } =
    library.utils.data.DataLoader.internals;
  const dataset = await datasetOf(start.dataset);
  setWorkerDataset(dataset);
  if (start.init !== null) {
    const init = await exportOf(start.init);
    if (typeof init !== 'function')
      throw new library.ArgumentError(
        `DataLoader: expected a function as workerInitFn, got ${typeof init} (export ` +
          `${start.init.exportName} of ${start.init.module})`,
      );
    await (init as (id: number) => unknown)(start.id);
  }
  const options = {
    collate: start.collate === null ? null : start.collate === 'stack' ? defaultCollate : defaultConvert,
    batchSize: start.batchSize,
    dropLast: start.dropLast,
  };
  return { library, makeFetcher: () => new Fetcher(dataset, options) };
}

const ready = prepare();
let fetcher: Fetcher | null = null;

async function answer(id: number, request: (WorkerRequest & { kind: 'fetch' })['request']): Promise<void> {
  try {
    const { library, makeFetcher } = await ready;
    fetcher ??= makeFetcher();
    const value = await fetcher.fetch(request);
    if (library.utils.data.DataLoader.internals.isEnd(value)) send({ kind: 'exhausted', id });
    else {
      const packed = pack(value, (item): item is Tensor => item instanceof library.Tensor);
      send({ kind: 'batch', id, value: packed.value }, packed.transfer);
    }
  } catch (error) {
    send(failure(id, error));
  }
}

/** Requests are answered one after the other, so that an iterable dataset is never asked twice at once. */
let last: Promise<void> = Promise.resolve();
port.on('message', (message: WorkerRequest) => {
  if (message.kind === 'fetch') last = last.then(() => answer(message.id, message.request));
  else if (message.kind === 'epoch')
    last = last.then(() => {
      fetcher = null;
    });
  else port.close();
});
