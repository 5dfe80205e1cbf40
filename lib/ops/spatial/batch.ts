/**
 * Arguments that every spatial layer shares: a number or one number a dimension, and an input with or without a batch
 * dimension. Pure checks, with no knowledge of kernels.
 */
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { viewOp } from '../core/view.js';

/** One number for all spatial dimensions, or one each. */
export type Sizes = number | readonly number[];
/** One, two or three spatial dimensions. */
export type SpatialDims = 1 | 2 | 3;

/** `value` as one whole number a dimension, each at least `least`. */
export function spatialList(op: string, name: string, value: Sizes, nd: number, least: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(nd).fill(value) : value;
  if (!Array.isArray(list)) fail(ArgumentError, op, `${name} to be a number or ${nd} numbers`, describe(value));
  const full = list.length === 1 && nd > 1 ? new Array<number>(nd).fill(list[0]) : [...list];
  if (full.length !== nd)
    fail(ArgumentError, op, `${name} to be a number or ${nd} number${nd > 1 ? 's' : ''}`, describe(value));
  for (const n of full)
    if (!Number.isInteger(n) || n < least || n > 0x7fffffff)
      fail(ArgumentError, op, `${name} of whole numbers of at least ${least}`, describe(value));
  return full;
}

/** `values` for the last of three dimensions; those that are missing in front get `fill`. */
export function threeDims(values: readonly number[], fill: number): number[] {
  return values.length === 3 ? [...values] : [...new Array<number>(3 - values.length).fill(fill), ...values];
}

/** Whole numbers for a kernel; sizes beyond its 32 bits are an error. */
export function geometryWords(op: string, values: readonly number[]): Int32Array {
  for (const value of values) if (value > 0x7fffffff) fail(ShapeError, op, 'sizes below 2^31', String(value));
  return Int32Array.from(values);
}

/** Throws unless the input has nd spatial dimensions behind channels and, if there is one, the batch. */
export function checkSpatialInput(op: string, input: Tensor, nd: number): void {
  const ndim = input.shape.length;
  if (ndim !== nd + 1 && ndim !== nd + 2)
    fail(ShapeError, op, `an input of ${nd + 1} (unbatched) or ${nd + 2} dimensions`, `${ndim}`, { input });
}

/** Runs `fn` on the input with a batch dimension in front, which is dropped again where the input had none. */
export function withBatch(input: Tensor, nd: number, fn: (batched: Tensor) => Tensor): Tensor {
  if (input.shape.length !== nd + 1) return fn(input);
  return unbatch(fn(viewOp([input], [1, ...input.shape])));
}

/** Drops the leading dimension of size 1. */
export function unbatch(output: Tensor): Tensor {
  return viewOp([output], output.shape.slice(1));
}
