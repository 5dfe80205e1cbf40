/**
 * Broadcasting: dimensions are aligned at the right, and a size of 1 is repeated. Pure, with no knowledge of tensors.
 */
import { fail, ShapeError } from '../errors.js';
import { type Shape, sameShape } from './layout.js';

/** The common shape of two operands, or a ShapeError that names the dimension. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  if (b.length === 0) return a;
  if (a.length === 0) return b;
  const ndim = Math.max(a.length, b.length);
  const out = new Array<number>(ndim);
  for (let i = 1; i <= ndim; i++) {
    const x = i <= a.length ? a[a.length - i] : 1;
    const y = i <= b.length ? b[b.length - i] : 1;
    if (x !== y && x !== 1 && y !== 1)
      fail(
        ShapeError,
        op,
        `shapes that broadcast (sizes equal or 1 at dim ${ndim - i})`,
        `[${a.join(',')}] and [${b.join(',')}]`,
      );
    out[ndim - i] = x === 1 ? y : x;
  }
  return out;
}

/** Whether a tensor of shape `from` can be expanded to `to`. */
export function broadcastsTo(from: Shape, to: Shape): boolean {
  if (from.length > to.length) return false;
  for (let i = 1; i <= from.length; i++)
    if (from[from.length - i] !== to[to.length - i] && from[from.length - i] !== 1) return false;
  return true;
}

/** Strides that show an operand under a broadcast shape: 0 where a dimension is repeated. */
export function broadcastStrides(shape: Shape, strides: readonly number[], to: Shape): number[] {
  const lead = to.length - shape.length;
  const out = new Array<number>(to.length);
  for (let i = 0; i < to.length; i++) out[i] = i < lead || shape[i - lead] !== to[i] ? 0 : strides[i - lead];
  return out;
}

/** The dimensions of `to` over which an operand of shape `from` was repeated. */
export function broadcastDims(from: Shape, to: Shape): number[] {
  const lead = to.length - from.length;
  const dims: number[] = [];
  for (let i = 0; i < to.length; i++) if (i < lead || (from[i - lead] === 1 && to[i] !== 1)) dims.push(i);
  return dims;
}
