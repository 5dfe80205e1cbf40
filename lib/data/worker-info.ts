/** What a dataset can ask in a worker thread: which worker it is in. */

import { workerThreads } from '../native/builtin.js';
import type { AnyDataset } from './fetch.js';

export interface WorkerInfo {
  /** 0 .. numWorkers - 1. */
  readonly id: number;
  readonly numWorkers: number;
  /** The seed of this worker's random numbers. */
  readonly seed: bigint;
  /** This worker's dataset; null while its module makes it. */
  readonly dataset: AnyDataset | null;
}

let dataset: AnyDataset | null = null;
/** Internal: the worker's entry says which dataset it has. */
export function setWorkerDataset(made: AnyDataset): void {
  dataset = made;
}

/** The worker that this code runs in, or null in the main thread. Source: torch.utils.data.get_worker_info. */
export function getWorkerInfo(): WorkerInfo | null {
  const data: unknown = workerThreads().workerData;
  if (typeof data !== 'object' || data === null || !('nodegradDataLoader' in data)) return null;
  const { id, numWorkers, seed } = data.nodegradDataLoader as WorkerInfo;
  return { id, numWorkers, seed, dataset };
}
