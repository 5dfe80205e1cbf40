/**
 * Plans tell a native kernel how to walk strided operands: dimensions collapsed where memory allows, or a plain count where
 * all operands are contiguous. Pure, with no knowledge of tensors; the layout is read by native/runtime/plan.h.
 *
 * A plan is [ndim, sizes..., strides of operand 0 (the output)..., strides of operand 1..., ...]. One buffer serves all calls:
 * a plan lives only as long as the kernel call that it is made for.
 */
import { fail, ShapeError } from '../errors.js';
import { broadcastStrides } from './broadcast.js';
import { elementCount, type Shape } from './layout.js';

/** A count of contiguous elements, or the shared plan buffer. */
export type Plan = number | Int32Array;

export interface Strided {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly contiguousLayout: boolean;
}

const MAX_OPERANDS = 8;
const MAX_DIMS = 64;
const buffer = new Int32Array(1 + MAX_DIMS * (1 + MAX_OPERANDS));

/** The plan that walks the operands over `shape`, the output first; operands are broadcast to it. */
export function planOf(shape: Shape, operands: readonly Strided[]): Plan {
  let plain = true;
  for (let k = 0; k < operands.length; k++) {
    const operand = operands[k];
    if (!operand.contiguousLayout || (operand.shape !== shape && !sameSizes(operand.shape, shape))) {
      plain = false;
      break;
    }
  }
  if (plain) return elementCount(shape);
  const strides = operands.map((operand) => broadcastStrides(operand.shape, operand.strides, shape));
  return stridedPlan(shape, strides);
}

function sameSizes(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The plan for explicit strides, one list an operand, all of the length of `shape`. */
export function stridedPlan(shape: Shape, strides: readonly (readonly number[])[]): Plan {
  const order = walkingOrder(shape, strides);
  const sizes: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (const d of order) {
    const size = shape[d];
    if (size === 1) continue;
    const last = sizes.length - 1;
    // The previous (outer) dimension continues this one for every operand: walk both as one.
    if (last >= 0 && strides.every((s, k) => steps[k][last] === s[d] * size)) {
      sizes[last] *= size;
      strides.forEach((s, k) => {
        steps[k][last] = s[d];
      });
    } else {
      sizes.push(size);
      strides.forEach((s, k) => {
        steps[k].push(s[d]);
      });
    }
  }
  const ndim = sizes.length;
  if (ndim === 0) return elementCount(shape);
  if (ndim === 1 && steps.every((s) => s[0] === 1)) return sizes[0];
  buffer[0] = ndim;
  for (let i = 0; i < ndim; i++) buffer[1 + i] = int32(sizes[i]);
  let at = 1 + ndim;
  for (let k = 0; k < strides.length; k++) for (let i = 0; i < ndim; i++) buffer[at++] = int32(steps[k][i]);
  return buffer;
}

function int32(value: number): number {
  if (value > 0x7fffffff) fail(ShapeError, 'strided access', 'sizes and strides below 2^31 elements', String(value));
  return value;
}

/** Dimensions from the outermost to the innermost by the output's strides: a transposed output is walked as it lies in memory. */
function walkingOrder(shape: Shape, strides: readonly (readonly number[])[]): number[] {
  const out = strides[0];
  const order = Array.from({ length: shape.length }, (_, i) => i);
  return order.sort((a, b) => out[b] - out[a] || a - b);
}
