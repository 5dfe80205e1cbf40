/**
 * The strides of results, by PyTorch's rules: those of an elementwise operator from the strides of its operands
 * (TensorIterator), and those of a tensor that is made like another (empty_like). Pure, with no knowledge of tensors.
 */
import { isDense, isRowMajor, type Shape, sameShape } from './layout.js';
import { followsFormat, formatStrides, stridesInOrder } from './memory-format.js';
import type { Strided } from './plan.js';

/**
 * Which of two dimensions is the inner one of an operand: negative for the first, positive for the second, 0 where the
 * operand leaves it open. A repeated dimension (stride 0) says nothing; of equal strides the shorter dimension is the
 * inner one, if that is the second.
 */
function compare(shape: Shape, strides: readonly number[], first: number, second: number): number {
  const a = strides[first];
  const b = strides[second];
  if (a === 0 || b === 0) return 0;
  if (a !== b) return a - b;
  return shape[first] > shape[second] ? 1 : 0;
}

/**
 * The dimensions from the innermost to the outermost in memory; the first operand that tells two of them apart decides.
 */
function innermostFirst(shape: Shape, operands: readonly (readonly number[])[]): number[] {
  const ndim = shape.length;
  const order = new Array<number>(ndim);
  for (let i = 0; i < ndim; i++) order[i] = ndim - 1 - i;
  // Insertion that passes over what it cannot compare, as PyTorch's.
  for (let i = 1; i < ndim; i++) {
    let at = i;
    for (let j = i - 1; j >= 0; j--) {
      let comparison = 0;
      for (let k = 0; k < operands.length && comparison === 0; k++)
        comparison = compare(shape, operands[k], order[j], order[at]);
      if (comparison < 0) break;
      if (comparison === 0) continue;
      const moved = order[j];
      order[j] = order[at];
      order[at] = moved;
      at = j;
    }
  }
  return order;
}

/** The order of the dimensions in memory, the innermost first, as PyTorch's random functions fill them. */
export function memoryOrder(shape: Shape, strides: readonly number[]): number[] {
  return innermostFirst(shape, [strides]);
}

/**
 * The strides of a tensor that is made like another (`preserve_format`): its own where it has no gaps, else without
 * gaps in its order.
 */
export function likeStrides({ shape, strides, contiguousLayout }: Strided): readonly number[] {
  if (contiguousLayout || isDense(shape, strides)) return strides;
  if (shape.length === 1) return [1];
  return stridesInOrder(
    shape.map((n) => Math.max(n, 1)),
    innermostFirst(shape, [strides]),
  );
}

/** The strides of an operand under the shape of the result: 0 where it is repeated. */
function stridesUnder(operand: Strided, shape: Shape): readonly number[] {
  const own = operand.shape;
  if (own === shape || sameShape(own, shape)) return operand.strides;
  const lead = shape.length - own.length;
  const strides = new Array<number>(shape.length).fill(0);
  for (let d = 0; d < own.length; d++)
    if (own[d] !== 1 || shape[d + lead] === 1) strides[d + lead] = operand.strides[d];
  return strides;
}

function sameStrides(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

/** The strides of the elementwise result of operands that broadcast to `shape`; null where they are row-major. */
export function resultStrides(shape: Shape, operands: readonly Strided[]): readonly number[] | null {
  const first = operands[0];
  let alike = true;
  let contiguous = true;
  for (let k = 0; k < operands.length; k++) {
    if (!sameShape(operands[k].shape, shape)) alike = false;
    if (!operands[k].contiguousLayout) contiguous = false;
  }
  if (alike) {
    if (contiguous) return null;
    let same = true;
    for (let k = 1; k < operands.length; k++) if (!sameStrides(first.strides, operands[k].strides)) same = false;
    if (shape.length === 4 && operands.every((operand) => followsFormat(shape, operand.strides, 'channels_last')))
      return formatStrides('elementwise', shape, 'channels_last');
    if (same && isDense(shape, first.strides)) return first.strides;
  } else if (contiguous && operands.every((operand) => isRowMajor(operand.shape, operand.strides))) return null;
  const order = innermostFirst(
    shape,
    operands.map((operand) => stridesUnder(operand, shape)),
  );
  for (let i = 0; i < order.length; i++) if (order[i] !== order.length - 1 - i) return stridesInOrder(shape, order);
  return null;
}
