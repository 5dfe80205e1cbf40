/** What every `loadStateDict` asks of its argument before it reads a key. */
import { CheckpointError, describe, fail } from './errors.js';
import { Tensor } from './tensor/tensor.js';

/**
 * Throws CheckpointError for anything but an object or a Map. A promise is one of `load`, whose `await` was forgotten.
 */
export function checkStateDict(op: string, given: unknown): void {
  const isObject =
    typeof given === 'object' &&
    given !== null &&
    !Array.isArray(given) &&
    !(given instanceof Tensor) &&
    !(given instanceof Promise);
  if (!isObject)
    fail(
      CheckpointError,
      op,
      'a state dict',
      given instanceof Promise ? 'a promise of one: await load(...)' : describe(given),
    );
}
