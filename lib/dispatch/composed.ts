/**
 * Calls functions that are built from several operators. Their intermediates return to the pool when the function
 * returns, unless a graph may hold them. They need not wait for the next collection, so a loop that evaluates without
 * gradients stays in the processor's cache.
 */
import { count, noteLent, scopeStart, takenSince } from '../storage/scope.js';
import { isAmong, type Storage } from '../storage/storage.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Calls `implementation`, which returns a tensor or an array of tensors, and returns the memory of its intermediates to
 * the pool.
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

/** True for null and for a tensor that requires no gradient. */
function isPlain(item: unknown): item is Tensor | null {
  return item === null || (item instanceof Tensor && !item.requiresGrad);
}
