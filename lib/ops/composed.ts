/**
 * Functions made of several operators: what the operators make on the way goes back to the pool as the function ends, rather than with the next
 * collection, where no graph may hold it. A loop that evaluates without gradients then stays in the processor's cache.
 */
import { count, noteLent, scopeStart, takenSince } from '../storage/scope.js';
import type { Storage } from '../storage/storage.js';
import { Tensor } from '../tensor/tensor.js';

/** Calls `implementation`, whose results are a tensor or an array of tensors, and hands back what it took beyond them. */
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
  const held = heldBy(result);
  if (held === null) return result;
  for (let i = 0; i < taken.length; i++) {
    const storage = taken[i];
    if (!held.some((tensor) => tensor.storage === storage)) {
      if (!storage.shared) storage.release();
    } else if (outer) {
      noteLent(storage);
    }
  }
  return result;
}

/** The tensors of a result; null where a graph begins at one of them, or where it is something else. */
function heldBy(result: unknown): readonly Tensor[] | null {
  const list = (Array.isArray(result) ? (result as readonly unknown[]) : [result]).filter((item) => item !== null);
  return list.every((item): item is Tensor => item instanceof Tensor && !item.requiresGrad) ? list : null;
}
