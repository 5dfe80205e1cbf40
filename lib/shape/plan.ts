/**
 * Plans tell a native kernel how to walk strided operands: dimensions collapsed where memory allows, or a plain count
 * where all operands are contiguous. Pure, with no knowledge of tensors; the layout is read by native/runtime/plan.h.
 *
 * A plan is [ndim, sizes..., strides of operand 0 (the output)..., strides of operand 1..., ...], or a count where all
 * operands are contiguous. Where there are no elements it is the count 0, whatever the strides, so that no kernel meets
 * a size of 0. One buffer serves all calls: a plan lives only as long as the kernel call that it is made for.
 */
import { fail, ShapeError } from '../errors.js';
import { elementCount, type Shape, sameShape } from './layout.js';

/** A count of contiguous elements, or the shared plan buffer. */
export type Plan = number | Int32Array;

export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly contiguousLayout: boolean;
}

const MAX_OPERANDS = 8;
/** As many dimensions as PyTorch's tensors may have. */
export const MAX_DIMS = 64;
const buffer = new Int32Array(1 + MAX_DIMS * (1 + MAX_OPERANDS));
// Workspace of one call, so that making a plan allocates nothing: sizes, and strides of operand k from k * MAX_DIMS on.
const sizes = new Float64Array(MAX_DIMS);
const steps = new Float64Array(MAX_DIMS * MAX_OPERANDS);

/** The plan that walks the operands over `shape`, the output first; operands are broadcast to it. */
export function planOf(shape: Shape, operands: readonly Strided[]): Plan {
  const count = operands.length;
  let plain = true;
  let flat = true;
  for (let k = 0; k < count; k++) {
    const operand = operands[k];
    if (operand.contiguousLayout && (operand.shape === shape || sameShape(operand.shape, shape))) continue;
    plain = false;
    if (elementCount(operand.shape) !== 1) {
      flat = false;
      break;
    }
  }
  if (plain) return elementCount(shape);
  if (flat) return flatPlan(shape, operands);
  const ndim = shape.length;
  checkDims(ndim);
  for (let d = 0; d < ndim; d++) sizes[d] = shape[d];
  for (let k = 0; k < count; k++) {
    const { shape: own, strides } = operands[k];
    const lead = ndim - own.length;
    for (let d = 0; d < ndim; d++)
      steps[k * MAX_DIMS + d] = d < lead || own[d - lead] !== shape[d] ? 0 : strides[d - lead];
  }
  return collapse(ndim, count);
}

/** All operands are contiguous but some of one element, which are repeated: one dimension does. */
function flatPlan(shape: Shape, operands: readonly Strided[]): Plan {
  const count = elementCount(shape);
  if (count === 0) return 0;
  buffer[0] = 1;
  buffer[1] = int32(count);
  for (let k = 0; k < operands.length; k++)
    buffer[2 + k] = operands[k].contiguousLayout && sameShape(operands[k].shape, shape) ? 1 : 0;
  return buffer;
}

/** The plan for explicit strides, one list an operand, all of the length of `shape`. */
export function stridedPlan(shape: Shape, strides: readonly (readonly number[])[]): Plan {
  const ndim = shape.length;
  checkDims(ndim);
  for (let d = 0; d < ndim; d++) sizes[d] = shape[d];
  for (let k = 0; k < strides.length; k++) for (let d = 0; d < ndim; d++) steps[k * MAX_DIMS + d] = strides[k][d];
  return collapse(ndim, strides.length);
}

/** Orders and joins the dimensions in the workspace, and writes the plan. */
function collapse(ndim: number, operands: number): Plan {
  for (let d = 0; d < ndim; d++) if (sizes[d] === 0) return 0;
  sortByOutput(ndim, operands);
  let kept = 0;
  for (let d = 0; d < ndim; d++) {
    const size = sizes[d];
    if (size === 1) continue;
    if (kept > 0 && continues(kept - 1, d, size, operands)) {
      sizes[kept - 1] *= size;
      for (let k = 0; k < operands; k++) steps[k * MAX_DIMS + kept - 1] = steps[k * MAX_DIMS + d];
      continue;
    }
    sizes[kept] = size;
    for (let k = 0; k < operands; k++) steps[k * MAX_DIMS + kept] = steps[k * MAX_DIMS + d];
    kept++;
  }
  if (kept === 0) return 1;
  let plain = kept === 1;
  for (let k = 0; k < operands && plain; k++) plain = steps[k * MAX_DIMS] === 1;
  if (plain) return sizes[0];
  buffer[0] = kept;
  let at = 1;
  for (let d = 0; d < kept; d++) buffer[at++] = int32(sizes[d]);
  for (let k = 0; k < operands; k++) for (let d = 0; d < kept; d++) buffer[at++] = int32(steps[k * MAX_DIMS + d]);
  return buffer;
}

/** Whether walking the outer dimension continues the inner one for every operand, so that both are walked as one. */
function continues(outer: number, inner: number, size: number, operands: number): boolean {
  for (let k = 0; k < operands; k++)
    if (steps[k * MAX_DIMS + outer] !== steps[k * MAX_DIMS + inner] * size) return false;
  return true;
}

/**
 * Dimensions from the outermost to the innermost by the output's strides: a transposed output is walked as it lies in
 * memory.
 */
function sortByOutput(ndim: number, operands: number): void {
  for (let i = 1; i < ndim; i++) {
    for (let j = i; j > 0 && steps[j - 1] < steps[j]; j--) {
      swap(sizes, j);
      for (let k = 0; k < operands; k++) swap(steps, k * MAX_DIMS + j);
    }
  }
}

function swap(list: Float64Array, j: number): void {
  const value = list[j];
  list[j] = list[j - 1];
  list[j - 1] = value;
}

function checkDims(ndim: number): void {
  if (ndim > MAX_DIMS) fail(ShapeError, 'strided access', `at most ${MAX_DIMS} dimensions`, String(ndim));
}

function int32(value: number): number {
  if (value > 0x7fffffff) fail(ShapeError, 'strided access', 'sizes and strides below 2^31 elements', String(value));
  return value;
}
