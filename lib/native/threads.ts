/** The process's thread pool, as a user sees it. Results do not depend on the number of threads. */
import { ArgumentError, fail } from '../errors.js';
import { addon } from './addon.js';

/**
 * How many threads kernels run on: as many as there are cores, `NODEGRAD_NUM_THREADS`, or what `setNumThreads` said.
 */
export function getNumThreads(): number {
  return addon.getNumThreads();
}

/**
 * Sets how many threads kernels run on, for the whole process. Throws ArgumentError unless it is a whole number from 1
 * to 1024.
 */
export function setNumThreads(count: number): void {
  if (!Number.isInteger(count) || count < 1 || count > 1024)
    fail(ArgumentError, 'setNumThreads', 'a whole number from 1 to 1024', String(count));
  addon.setNumThreads(count);
}
