/** New tensors over uninitialised memory: what operators make their outputs with. */
import { OutOfMemoryError } from '../errors.js';
import { checkSizes } from '../shape/dims.js';
import { contiguousStrides, elementCount, type Shape } from '../shape/layout.js';
import { allocateStorage } from '../storage/allocator.js';
import type { DTypeInfo } from '../storage/dtype.js';
import { Tensor } from './tensor.js';

const LARGE = 2 ** 31;

/** An uninitialised contiguous tensor. */
export function allocate(shape: Shape, info: DTypeInfo): Tensor {
  return fresh(info, Object.freeze(shape), contiguousStrides(shape));
}

/** An uninitialised contiguous tensor of the same shape. */
export function allocateLike(other: Tensor, info: DTypeInfo = other.info): Tensor {
  if (!other.contiguousLayout) return allocate(other.shape, info);
  return fresh(info, other.shape, other.strides);
}

function fresh(info: DTypeInfo, shape: Shape, strides: readonly number[]): Tensor {
  const count = elementCount(shape);
  const out = new Tensor(allocateStorage(count * info.bytes), null, info, shape, strides, 0, true);
  if (count >= LARGE) requireArray(out, count);
  return out;
}

/** A typed array holds fewer elements than there may be memory for. */
function requireArray(out: Tensor, count: number): void {
  try {
    void out.array;
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected a number of elements that a typed array holds, got ${count}`, { cause: error });
  }
}

/** As `allocate`, for sizes that a user gave: they are checked first. */
export function allocateChecked(op: string, shape: Shape, info: DTypeInfo): Tensor {
  checkSizes(op, shape);
  return allocate([...shape], info);
}
