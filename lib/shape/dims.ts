/**
 * Checks of dimensions and sizes: negative dimensions wrapped, duplicates and ranges rejected. Pure, with no knowledge
 * of tensors.
 */
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../errors.js';
import { elementCount, type Shape } from './layout.js';

/** A dimension in -ndim..ndim-1 as 0..ndim-1; a scalar counts as one dimension, as in PyTorch. */
export function wrapDim(op: string, dim: number, ndim: number): number {
  if (!Number.isInteger(dim)) fail(ArgumentError, op, 'an integral dim', describe(dim));
  const range = Math.max(ndim, 1);
  if (dim < -range || dim >= range) fail(IndexError, op, `dim in [${-range}, ${range - 1}]`, String(dim), { ndim });
  return dim < 0 ? dim + range : dim;
}

/** Several dimensions, wrapped and free of repetition; null or an empty list means all of them. */
export function wrapDims(op: string, dims: number | readonly number[] | null | undefined, ndim: number): number[] {
  if (dims === null || dims === undefined) return Array.from({ length: ndim }, (_, i) => i);
  if (typeof dims === 'number') {
    const wrapped = wrapDim(op, dims, ndim);
    return ndim === 0 ? [] : [wrapped];
  }
  if (!Array.isArray(dims as unknown)) fail(ArgumentError, op, 'a dim or an array of dims', describe(dims));
  if (dims.length === 0) return Array.from({ length: ndim }, (_, i) => i);
  const wrapped = dims.map((dim) => wrapDim(op, dim, ndim));
  if (new Set(wrapped).size !== wrapped.length) fail(ArgumentError, op, 'each dim once', `[${dims.join(', ')}]`);
  return ndim === 0 ? [] : wrapped;
}

/** Throws unless every size is a whole number of at least 0 and their product can be counted. */
export function checkSizes(op: string, sizes: readonly number[]): void {
  if (!Array.isArray(sizes)) fail(ArgumentError, op, 'an array of sizes', describe(sizes));
  for (const size of sizes) {
    if (!Number.isInteger(size)) fail(ArgumentError, op, 'integral sizes', describe(sizes));
    if (size < 0) fail(ShapeError, op, 'sizes of at least 0', `[${sizes.join(', ')}]`);
  }
  if (elementCount(sizes) > Number.MAX_SAFE_INTEGER)
    fail(ShapeError, op, 'a size that can be counted', `[${sizes.join(', ')}]`);
}

/** A target shape with at most one -1, resolved against the number of elements. */
export function inferSize(op: string, shape: readonly number[], count: number): number[] {
  let unknown = -1;
  let known = 1;
  for (let i = 0; i < shape.length; i++) {
    if (!Number.isInteger(shape[i])) fail(ArgumentError, op, 'integral sizes', describe(shape));
    if (shape[i] === -1) {
      if (unknown >= 0) fail(ShapeError, op, 'at most one size of -1', `[${shape.join(', ')}]`);
      unknown = i;
    } else if (shape[i] < 0) fail(ShapeError, op, 'sizes of at least 0, or one -1', `[${shape.join(', ')}]`);
    else known *= shape[i];
  }
  if (unknown >= 0) {
    if (known === 0)
      fail(ShapeError, op, 'no -1 beside a size of 0, where any size would fit', `[${shape.join(', ')}]`);
    if (count % known === 0) {
      const result = [...shape];
      result[unknown] = count / known;
      return result;
    }
  } else if (known === count) return [...shape];
  return fail(ShapeError, op, `a shape of ${count} elements`, `[${shape.join(', ')}]`);
}

/** A shape given as one array or as separate numbers. */
export function sizesOf(args: readonly (number | Shape)[]): number[] {
  return args.length === 1 && typeof args[0] !== 'number' ? [...args[0]] : (args as number[]).slice();
}
