/** The worker threads of one DataLoader: requests go out in turn, answers come back in the order of the requests. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Worker } from 'node:worker_threads';
import { NodegradError } from '../errors.js';
import { workerThreads } from '../native/builtin.js';
import { contiguousStrides } from '../shape/layout.js';
import { DTYPES } from '../storage/dtype.js';
import { tensorOver, windowOn } from '../tensor/tensor.js';
import type { Request } from './fetch.js';
import {
  isPackedTensor,
  mapStructure,
  type WorkerAnswer,
  type WorkerRequest,
  type WorkerStart,
} from './worker-messages.js';

/** How long a worker may take to end by itself before it is ended, in milliseconds. */
const GRACE = 500;

/** In a clone the sources are run, else the files of the package. */
const fromSource = import.meta.url.endsWith('.ts');
const ENTRY = new URL(fromSource ? './worker.ts' : './data-worker.js', import.meta.url);
const LIBRARY = new URL(fromSource ? '../index.ts' : './index.mjs', import.meta.url).href;

function makeWorker(start: WorkerStart): Worker {
  const { Worker } = workerThreads();
  const workerData = { nodegradDataLoader: start };
  if (!fromSource) return new Worker(ENTRY, { workerData });
  // tsx, which runs this file, must be registered in each thread by hand before TypeScript can be loaded there.
  const loader = pathToFileURL(
    createRequire(import.meta.url)
      .resolve('tsx/esm/api')
      .replace(/\.cjs$/, '.mjs'),
  ).href;
  const code =
    `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return ` +
    `import(${JSON.stringify(ENTRY.href)}); });`;
  return new Worker(code, { eval: true, workerData });
}

/** One answer: a batch, or the end of the worker's share. */
export type PoolAnswer = { readonly value: unknown } | { readonly exhausted: true };

interface Waiting {
  resolve(answer: PoolAnswer): void;
  reject(error: Error): void;
  readonly worker: number;
}

function unpack(value: unknown): unknown {
  return mapStructure(value, (item) => {
    if (!isPackedTensor(item)) return ArrayBuffer.isView(item) ? item : undefined;
    const info = DTYPES.find(({ name }) => name === item.dtype);
    if (info === undefined) throw new Error(`no dtype ${item.dtype}`);
    return windowOn(
      tensorOver(new info.Array(item.bytes), info, item.shape, contiguousStrides(item.shape)),
      [...item.shape],
      item.strides,
      0,
    );
  });
}

export class WorkerPool {
  private readonly workers: Worker[];
  private readonly ended: Promise<unknown>[];
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 0;
  private closing = false;
  /** Why no worker of the pool can be asked any more. */
  private broken: Error | null = null;

  constructor(
    private readonly numWorkers: number,
    start: Omit<WorkerStart, 'id' | 'numWorkers' | 'library' | 'seed'>,
    seed: bigint,
    private readonly timeout: number,
  ) {
    this.workers = Array.from({ length: numWorkers }, (_, id) => {
      const data: WorkerStart = {
        ...start,
        id,
        numWorkers,
        seed: BigInt.asUintN(64, seed + BigInt(id)),
        library: LIBRARY,
      };
      return makeWorker(data);
    });
    this.ended = this.workers.map((worker, id) => {
      worker.on('message', (answer: WorkerAnswer) => this.receive(id, answer));
      worker.on('error', (error) => this.break(id, error));
      // A worker alone does not keep the process alive; a batch that is waited for does.
      worker.unref();
      return new Promise((resolve) => {
        worker.on('exit', (code) => {
          if (!this.closing) this.break(id, new Error(`it ended with code ${code}`));
          resolve(code);
        });
      });
    });
  }

  /** Asks worker `worker` (taken round the pool) for a batch. */
  ask(worker: number, request: Request): Promise<PoolAnswer> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (this.broken !== null) {
        reject(this.broken);
        return;
      }
      this.waiting.set(id, { resolve, reject, worker });
      this.post(worker, { kind: 'fetch', id, request });
    });
  }
  /** Another round over the dataset begins: iterables start anew. */
  beginEpoch(): void {
    for (let worker = 0; worker < this.numWorkers; worker++) this.post(worker, { kind: 'epoch' });
  }
  private post(worker: number, message: WorkerRequest): void {
    this.workers[worker].postMessage(message);
  }

  /** Waits for an answer with the process kept alive, for at most the timeout. */
  async wait(answer: Promise<PoolAnswer>, worker: number): Promise<PoolAnswer> {
    for (const each of this.workers) each.ref();
    let timer: NodeJS.Timeout | undefined;
    try {
      if (this.timeout === 0) return await answer;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () =>
            reject(
              new NodegradError(`DataLoader: expected a batch of worker ${worker} within ${this.timeout} s, got none`),
            ),
          this.timeout * 1000,
        );
      });
      return await Promise.race([answer, late]);
    } finally {
      clearTimeout(timer);
      for (const each of this.workers) each.unref();
    }
  }

  private receive(worker: number, answer: WorkerAnswer): void {
    const waiting = this.waiting.get(answer.id);
    if (waiting === undefined) return;
    this.waiting.delete(answer.id);
    if (answer.kind === 'batch') waiting.resolve({ value: unpack(answer.value) });
    else if (answer.kind === 'exhausted') waiting.resolve({ exhausted: true });
    else {
      const { name, message, stack } = answer.error;
      const cause = Object.assign(new Error(message), { name, stack });
      waiting.reject(
        new NodegradError(`DataLoader: worker ${worker} failed with ${name}: ${message}\nin the worker:\n${stack}`, {
          cause,
        }),
      );
    }
  }

  private break(worker: number, cause: unknown): void {
    if (this.closing) return;
    const text = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.broken ??= new NodegradError(`DataLoader: expected worker ${worker} to stay alive, got: ${text}`, { cause });
    for (const waiting of this.waiting.values()) waiting.reject(this.broken);
    this.waiting.clear();
  }

  get usable(): boolean {
    return this.broken === null && !this.closing;
  }

  /** Ends all workers: by themselves where they can at once, else from outside. */
  async close(): Promise<void> {
    if (this.closing) return;
    this.closing = true;
    this.waiting.clear();
    await Promise.all(
      this.workers.map(async (worker, id) => {
        worker.ref();
        worker.postMessage({ kind: 'end' } satisfies WorkerRequest);
        const timer = setTimeout(() => void worker.terminate(), GRACE);
        await this.ended[id];
        clearTimeout(timer);
      }),
    );
  }
}
