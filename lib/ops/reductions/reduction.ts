/**
 * How a reduction walks a tensor: as passes over (outer, n, inner), one a group of neighbouring dimensions, over the
 * memory as it lies; a copy is made only where the elements have gaps, or where groups apart cannot be reduced one
 * after the other. It knows no kernel.
 */
import { wrapDims } from '../../shape/dims.js';
import { contiguousStrides, elementCount, isContiguous, type Shape } from '../../shape/layout.js';
import { type DType, type DTypeInfo, dtypeInfo, INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import { Tensor, windowOn } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { withStrides } from '../core/relayout.js';
import { viewOp } from '../core/view.js';

const SCALAR: Shape = Object.freeze([]);

/** What a `dim` parameter takes: one dimension, several, or all where it is null, missing or empty. */
export type Dims = number | readonly number[] | null | undefined;

export interface ReduceSpec {
  readonly shape: Shape;
  readonly dims: readonly number[];
  /** The output's shape with every reduced dimension kept as 1. */
  readonly kept: Shape;
}

/**
 * The geometry of a reduction over `dims`, checked. Null reduces all of them to a scalar, which expands back as it is.
 */
export function reduceSpec(op: string, input: Tensor, dims: Dims): ReduceSpec {
  if (dims === null) return { shape: input.shape, dims: input.shape.map((_, d) => d), kept: SCALAR };
  const wrapped = wrapDims(op, dims, input.shape.length);
  return { shape: input.shape, dims: wrapped, kept: keptShape(input.shape, wrapped) };
}

/** A shape with the given dimensions as 1. */
export function keptShape(shape: Shape, dims: readonly number[]): Shape {
  return Object.freeze(shape.map((n, d) => (dims.includes(d) ? 1 : n)));
}

/** A shape without the given dimensions. */
export function dropDims(shape: Shape, dims: readonly number[]): number[] {
  return shape.filter((_, d) => !dims.includes(d));
}

/** The result with its reduced dimensions of size 1, or without them. */
export function finishDims(out: Tensor, dims: readonly number[], keepdim: boolean | undefined): Tensor {
  return keepdim || dims.length === 0 ? out : viewOp([out], dropDims(out.shape, dims));
}

/** Whether a public call asks for one scalar of all elements. */
export function isFull(dim: Dims, keepdim: boolean | undefined): boolean {
  return !keepdim && (dim === undefined || dim === null);
}

/** The number of elements that go into one result. */
export function reducedCount({ shape, dims }: ReduceSpec): number {
  return dims.reduce((count, d) => count * shape[d], 1);
}

/** (outer, n, inner) of one dimension of a contiguous tensor; a scalar counts as one element of one dimension. */
export function aroundDim(shape: Shape, dim: number): [outer: number, n: number, inner: number] {
  if (shape.length === 0) return [1, 1, 1];
  return [elementCount(shape.slice(0, dim)), shape[dim], elementCount(shape.slice(dim + 1))];
}

/** Dimensions by memory, the outermost first, where the elements lie without gaps in that order; else null. */
function memoryOrder(x: Tensor): number[] | null {
  const order = x.shape.map((_, d) => d).sort((a, b) => x.strides[b] - x.strides[a] || a - b);
  const dense = isContiguous(
    order.map((d) => x.shape[d]),
    order.map((d) => x.strides[d]),
  );
  return dense ? order : null;
}

/** One kernel call; `last` is true for the one that fills the result. */
export type Pass = (input: Tensor, out: Tensor, outer: number, n: number, inner: number, last: boolean) => void;

/**
 * Reduces group after group, the longest first, so that the later passes are short. For reductions whose result over
 * all dimensions is their result over some of the results over the others. `info` is the type of the outputs of all
 * passes.
 */
export function reduceGroups(x: Tensor, { dims, kept }: ReduceSpec, info: DTypeInfo, pass: Pass): Tensor {
  let current = x;
  let order: number[] | null = null;
  if (!x.contiguousLayout) {
    order = memoryOrder(x);
    if (order === null) current = contiguousOf(x);
  }
  const axes = order ?? x.shape.map((_, d) => d);
  // Runs of neighbouring dimensions that are all reduced or all kept; dimensions of one element do not part a run.
  const runs: { size: number; reduced: boolean }[] = [];
  for (const d of axes) {
    const size = x.shape[d];
    if (size === 1) continue;
    const reduced = dims.includes(d);
    const run = runs[runs.length - 1];
    if (run !== undefined && run.reduced === reduced) run.size *= size;
    else runs.push({ size, reduced });
  }
  let groups = runs.filter((run) => run.reduced).length;
  if (groups === 0) {
    const out = allocate(kept, info);
    pass(current, out, 1, 1, elementCount(kept), true);
    return inRows(out, order);
  }
  for (;;) {
    let longest = -1;
    runs.forEach((run, i) => {
      if (run.reduced && (longest < 0 || run.size >= runs[longest].size)) longest = i;
    });
    const before = runs.slice(0, longest).reduce((count, run) => count * run.size, 1);
    const after = runs.slice(longest + 1).reduce((count, run) => count * run.size, 1);
    const last = groups === 1;
    const out = last ? allocate(kept, info) : allocate([before * after], info);
    pass(current, out, before, runs[longest].size, after, last);
    if (last) return inRows(out, order);
    groups--;
    current = out;
    runs[longest] = { size: 1, reduced: false };
  }
}

/**
 * Elements that were written in the order of the input's memory, in rows, as PyTorch's reductions leave them whatever
 * the input.
 */
function inRows(written: Tensor, order: readonly number[] | null): Tensor {
  const { shape, strides } = written;
  if (order === null || shape.length === 0) return written;
  const steps = contiguousStrides(order.map((d) => shape[d]));
  const lying = new Array<number>(shape.length);
  order.forEach((d, i) => {
    lying[d] = steps[i];
  });
  return isContiguous(shape, lying) ? written : withStrides(windowOn(written, shape, lying, 0), strides);
}

/** A contiguous form of a tensor in which the reduced dimensions are neighbours, and how its geometry reads. */
export interface Gathered {
  readonly input: Tensor;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** Shows a contiguous tensor of the gathered layout (outer, n, inner) under the input's shape. */
  readonly restore: (gathered: Tensor) => Tensor;
}

/**
 * For reductions that need all of their elements in one pass: neighbouring dimensions as they are, others by a permuted
 * copy.
 */
export function gatherDims(x: Tensor, { shape, dims }: ReduceSpec): Gathered {
  const long = dims.filter((d) => shape[d] !== 1).sort((a, b) => a - b);
  const neighbours = long.every((d, i) => i === 0 || shape.slice(long[i - 1] + 1, d).every((n) => n === 1));
  if (neighbours) {
    const first = long.length === 0 ? shape.length : long[0];
    const last = long.length === 0 ? shape.length : long[long.length - 1] + 1;
    return {
      input: contiguousOf(x),
      outer: elementCount(shape.slice(0, first)),
      n: elementCount(shape.slice(first, last)),
      inner: elementCount(shape.slice(last)),
      restore: (gathered) => windowOn(gathered, [...shape], contiguousStrides(shape), 0),
    };
  }
  const order = [...shape.map((_, d) => d).filter((d) => !dims.includes(d)), ...dims];
  const permuted = windowOn(
    x,
    order.map((d) => shape[d]),
    order.map((d) => x.strides[d]),
    x.offset,
  );
  const steps = contiguousStrides(permuted.shape);
  const strides = new Array<number>(shape.length);
  order.forEach((d, i) => {
    strides[d] = steps[i];
  });
  const n = long.reduce((count, d) => count * shape[d], 1);
  return {
    input: contiguousOf(permuted),
    outer: elementCount(dropDims(shape, dims)),
    n,
    inner: 1,
    restore: (gathered) => windowOn(gathered, [...shape], strides, 0),
  };
}

/** The type that a sum or product is computed in: the one asked for, a floating input's own, else int64. */
export function accumulationInfo(op: string, x: Tensor, dtype: DType | null | undefined): DTypeInfo {
  if (dtype !== undefined && dtype !== null) return dtypeInfo(op, dtype);
  return x.info.floating ? x.info : INT64;
}

/**
 * sum or product over dims in a type that has a kernel; narrower integers are computed in int64 (modulo 2^64) and cut.
 */
export function inAccumulationType(x: Tensor, info: DTypeInfo, compute: (wide: Tensor) => Tensor): Tensor {
  const wide = info.floating ? info : INT64;
  return castRecorded(compute(castRecorded(castRecorded(x, info), wide)), info);
}

/** True where the value is a tensor: tells `max(x, other)` from `max(x, dim)`. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}
