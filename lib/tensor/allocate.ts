/** New tensors over uninitialised memory: what operators make their outputs with. */
import { checkSizes } from '../shape/dims.js';
import { contiguousStrides, elementCount, type Shape } from '../shape/layout.js';
import { allocateArray } from '../storage/allocator.js';
import type { DTypeInfo } from '../storage/dtype.js';
import { type Tensor, tensorOver } from './tensor.js';

/** An uninitialised contiguous tensor. */
export function allocate(shape: Shape, info: DTypeInfo): Tensor {
  return tensorOver(allocateArray(info, elementCount(shape)), info, Object.freeze(shape), contiguousStrides(shape));
}

/** An uninitialised contiguous tensor of the same shape. */
export function allocateLike(other: Tensor, info: DTypeInfo = other.info): Tensor {
  if (!other.contiguousLayout) return allocate(other.shape, info);
  return tensorOver(allocateArray(info, elementCount(other.shape)), info, other.shape, other.strides);
}

/** As `allocate`, for sizes that a user gave: they are checked first. */
export function allocateChecked(op: string, shape: Shape, info: DTypeInfo): Tensor {
  checkSizes(op, shape);
  return allocate([...shape], info);
}
