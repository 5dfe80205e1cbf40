/**
 * Functions made of several operators: what the operators make on the way goes back to the pool as the function ends,
 * rather than with the next collection, where no graph may hold it. A loop that evaluates without gradients then stays
 * in the processor's cache.
 */
import { count, noteLent, scopeStart, takenSince } from '../storage/scope.js';
import { isAmong, type Storage } from '../storage/storage.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Calls `implementation`, whose results are a tensor or an array of tensors, and hands back what it took beyond them.
 */
export function callComposed<R>(implementation: (...args: unknown[]) => R, args: readonly unknown[]): R {
  const start = scopeStart();
  const outer = count(true);
  let taken: readonly Storage[];
  let result: R;
  try {
    result = implementation(...args);
  } finally {
    count(outer);
    taken = takenSince(start);
  }
  if (taken.length === 0) return result;
  const results = (Array.isArray(result) ? result : [result]) as readonly unknown[];
  if (!results.every(isPlain)) return result;
  for (let i = 0; i < taken.length; i++) {
    const storage = taken[i];
    if (isAmong(storage, results)) {
      if (outer) noteLent(storage);
    } else if (!storage.shared) storage.release();
  }
  return result;
}

/** No result, or a tensor at which no graph begins. */
function isPlain(item: unknown): item is Tensor | null {
  return item === null || (item instanceof Tensor && !item.requiresGrad);
}
