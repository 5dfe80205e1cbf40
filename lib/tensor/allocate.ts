/** New tensors over uninitialised memory: what operators make their outputs with. */
import { OutOfMemoryError } from '../errors.js';
import { checkSizes } from '../shape/dims.js';
import { contiguousStrides, elementCount, isContiguous, isRowMajor, type Shape, sameShape } from '../shape/layout.js';
import { formatStrides, type MemoryFormat } from '../shape/memory-format.js';
import { likeStrides, resultStrides } from '../shape/result-strides.js';
import { allocateStorage } from '../storage/allocator.js';
import type { DTypeInfo } from '../storage/dtype.js';
import { Tensor } from './tensor.js';

const LARGE = 2 ** 31;

/** An uninitialised contiguous tensor. */
export function allocate(shape: Shape, info: DTypeInfo): Tensor {
  return fresh(info, Object.freeze(shape), contiguousStrides(shape), true, true);
}

/** An uninitialised contiguous tensor of the same shape. */
export function allocateLike(other: Tensor, info: DTypeInfo = other.info): Tensor {
  const { shape, strides } = other;
  return fresh(info, shape, other.rowMajor ? strides : contiguousStrides(shape), true, true);
}

/**
 * An uninitialised tensor in the layout of another (torch.empty_like): its strides where it has no gaps, else its order
 * of dimensions.
 */
export function allocateAs(other: Tensor, info: DTypeInfo = other.info): Tensor {
  if (other.contiguousLayout) return fresh(info, other.shape, other.strides, true, other.rowMajor);
  return allocateStrided(other.shape, likeStrides(other), info);
}

/** The same in a memory format of the caller's choice; `preserve_format` is the layout of `other`. */
export function allocateInFormat(
  op: string,
  other: Tensor,
  format: MemoryFormat,
  info: DTypeInfo = other.info,
): Tensor {
  if (format === 'preserve_format') return allocateAs(other, info);
  return allocateStrided(other.shape, formatStrides(op, other.shape, format), info);
}

/** The uninitialised result of an elementwise operator on operands that broadcast to `shape`, laid out as PyTorch's. */
export function allocateResult(shape: Shape, operands: readonly Tensor[], info: DTypeInfo): Tensor {
  for (let k = 0; k < operands.length; k++) {
    if (operands[k].rowMajor) continue;
    const strides = resultStrides(shape, operands);
    return strides === null ? allocate(shape, info) : allocateStrided(shape, strides, info);
  }
  const first = operands[0];
  return sameShape(first.shape, shape) ? fresh(info, first.shape, first.strides, true, true) : allocate(shape, info);
}

/** An uninitialised tensor with given strides that leave no gaps. */
export function allocateStrided(shape: Shape, strides: readonly number[], info: DTypeInfo): Tensor {
  const contiguous = isContiguous(shape, strides);
  return fresh(info, Object.freeze(shape), strides, contiguous, contiguous && isRowMajor(shape, strides));
}

function fresh(
  info: DTypeInfo,
  shape: Shape,
  strides: readonly number[],
  contiguous: boolean,
  rowMajor: boolean,
): Tensor {
  const count = elementCount(shape);
  const out = new Tensor(allocateStorage(count * info.bytes), null, info, shape, strides, 0, contiguous, rowMajor);
  if (count >= LARGE) requireArray(out, count);
  return out;
}

/** A typed array holds fewer elements than there may be memory for. */
function requireArray(out: Tensor, count: number): void {
  try {
    void out.array;
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected a number of elements that a typed array holds, got ${count}`, {
      cause: error,
    });
  }
}

/** As `allocate`, for sizes that a user gave: they are checked first. */
export function allocateChecked(op: string, shape: Shape, info: DTypeInfo): Tensor {
  checkSizes(op, shape);
  return allocate([...shape], info);
}
