/**
 * Rows by index, the core of indexing: a tensor seen as (outer, n, inner), rows of `inner` elements taken from it, put
 * into it or added to it at places of a dimension of size n. Also the checks that every index passes before memory is
 * touched.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { DTypeError, describe, fail, IndexError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import type { Plan } from '../../shape/plan.js';
import { likeStrides } from '../../shape/result-strides.js';
import { INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf, filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { withStrides } from '../core/relayout.js';

type RowArguments = [
  source: TypedArray,
  index: TypedArray,
  out: TypedArray,
  outer: number,
  n: number,
  inner: number,
  count: number,
];

declare module '../../native/kernels.js' {
  interface Kernels {
    /** The position of the first of `count` indices outside of low..high-1, or -1. */
    firstOutside: KernelTable<[index: TypedArray, count: number, low: number, high: number], number>;
    /** out += index * step, negative indices counted from n. */
    addToLinearIndex: KernelTable<[index: TypedArray, out: TypedArray, n: number, step: number, plan: Plan]>;
    /** out[o, k, :] = input[o, index[k], :]; zeros where index[k] is `skip`. */
    takeRows: KernelTable<[...RowArguments, skip: number]>;
    /** out[o, index[k], :] = source[o, k, :]; the last of several wins. */
    putRows: KernelTable<RowArguments>;
    /** out[o, index[k], :] += source[o, k, :]; rows of index `skip` are left out. */
    addRows: KernelTable<[...RowArguments, skip: number]>;
  }
}

/** How a tensor of `shape` is seen as (outer, n, inner), and the shape that `count` rows of it have together. */
export interface Rows {
  readonly shape: Shape;
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  /** The shape of the taken rows: (outer, count, inner) elements. */
  readonly rowsShape: Shape;
  /** A row that counts as zeros, or -1. */
  readonly skip: number;
  /** The strides of taken rows, where they are not row-major. */
  readonly strides?: readonly number[] | null;
  /** Whether what rows are put into keeps its layout; else the result is row-major. */
  readonly preserves?: boolean;
}

/** The rows along one dimension, `count` of them in a dimension of the same place. */
export function rowsAlong(shape: Shape, dim: number, index: Shape): Rows {
  return {
    shape,
    outer: elementCount(shape.slice(0, dim)),
    n: shape[dim] ?? 1,
    inner: elementCount(shape.slice(dim + 1)),
    rowsShape: Object.freeze([...shape.slice(0, dim), ...index, ...shape.slice(dim + 1)]),
    skip: -1,
  };
}

/**
 * The index as contiguous int64 with all its values in 0..n-1, or a typed error. PyTorch counts a negative index from
 * the end in some functions only (`fromEnd`: index, indexFill, take, put, takeAlongDim); everywhere else it is an
 * error, which a padding value of -1 must not pass.
 */
export function checkedIndex(op: string, index: unknown, n: number, fromEnd = false): Tensor {
  const given = tensorArgument(op, 'index', index);
  if (given.info.category !== 1) fail(DTypeError, op, 'an index of an integer type', given.dtype);
  const list = contiguousOf(castTo64(given));
  const at = instanceOf('index', kernels.firstOutside, INT64)(
    list.array,
    elementCount(list.shape),
    fromEnd ? -n : 0,
    n,
  );
  if (at >= 0)
    fail(
      IndexError,
      op,
      fromEnd ? `indices in [${-n}, ${n - 1}]` : `indices in [0, ${n - 1}]`,
      `${list.array[at]} (element ${at})`,
      { index: given },
    );
  return list;
}

function castTo64(index: Tensor): Tensor {
  return index.info === INT64 ? index : castTo(index, INT64);
}

function countOf(rows: Rows): number {
  return rows.outer * rows.inner === 0 ? 0 : elementCount(rows.rowsShape) / (rows.outer * rows.inner);
}

/** y = rows of x at the index; dx = rows of g added up at the index in zeros. */
export const takeRowsOp: Operator<Rows, Tensor> = defineOp<Rows, Rows>({
  name: 'takeRows',
  nativeHalf: true,
  infer: (_, rows) => rows,
  forward: (rows, [x, index]) => {
    const kernel = instanceOf('index', kernels.takeRows, x.info);
    const out = allocate([...rows.rowsShape], x.info);
    kernel(contiguousOf(x).array, index.array, out.array, rows.outer, rows.n, rows.inner, countOf(rows), rows.skip);
    return withStrides(out, rows.strides ?? out.strides);
  },
  save: (context, [, index]) => context.save(index),
  backward: (context, g): Gradients => [sumRowsOp([g, context.saved(0)], context.spec), null],
});

/** y = zeros with rows added at the index; dsource = g's rows at the index. */
export const sumRowsOp: Operator<Rows, Tensor> = defineOp<Rows, Rows>({
  name: 'sumRows',
  infer: (_, rows) => rows,
  forward: (rows, [source, index]) => {
    const out = filledTensor(rows.shape, source.info, 0);
    addRowsInto(out, source, index, rows);
    return out;
  },
  save: (context, [, index]) => context.save(index),
  backward: (context, g): Gradients => [takeRowsOp([g, context.saved(0)], context.spec), null],
});

/** y = x with rows added at the index; dx = g, dsource = g's rows at the index. */
export const addRowsOp: Operator<Rows, Tensor> = defineOp<Rows, Rows>({
  name: 'addRows',
  infer: (_, rows) => rows,
  forward: (rows, [x, source, index]) => {
    const out = castTo(x, x.info);
    addRowsInto(out, source, index, rows);
    return rows.preserves === true ? withStrides(out, likeStrides(x)) : out;
  },
  save: (context, [, , index]) => context.save(index),
  backward: (context, g): Gradients => [
    g,
    context.needs(1) ? takeRowsOp([g, context.saved(0)], context.spec) : null,
    null,
  ],
});

/** y = x with rows replaced at the index; dx = g with zeros there, dsource = g's rows at the index. */
export const putRowsOp: Operator<Rows, Tensor> = defineOp<Rows, Rows>({
  name: 'putRows',
  nativeHalf: true,
  infer: (_, rows) => rows,
  forward: (rows, [x, source, index]) => {
    const out = castTo(x, x.info);
    putRowsInto(out, source, index, rows);
    return rows.preserves === true ? withStrides(out, likeStrides(x)) : out;
  },
  save: (context, [, , index]) => context.save(index),
  backward: (context, g): Gradients => {
    const { spec } = context;
    const index = context.saved(0);
    return [
      context.needs(0) ? putRowsOp([g, filledTensor(spec.rowsShape, g.info, 0), index], spec) : null,
      context.needs(1) ? takeRowsOp([g, index], spec) : null,
      null,
    ];
  },
});

/** Adds rows into contiguous memory; no autograd. */
export function addRowsInto(out: Tensor, source: Tensor, index: Tensor, rows: Rows): void {
  const kernel = instanceOf('indexAdd', kernels.addRows, out.info);
  kernel(contiguousOf(source).array, index.array, out.array, rows.outer, rows.n, rows.inner, countOf(rows), rows.skip);
}

/** Puts rows into contiguous memory; no autograd. */
export function putRowsInto(out: Tensor, source: Tensor, index: Tensor, rows: Rows): void {
  const kernel = instanceOf('indexPut', kernels.putRows, out.info);
  kernel(contiguousOf(source).array, index.array, out.array, rows.outer, rows.n, rows.inner, countOf(rows));
}

/** Throws unless the tensor's type can be added to in place of another's. */
export function requireSameType(op: string, name: string, x: Tensor, source: Tensor): void {
  if (source.info !== x.info)
    fail(DTypeError, op, `${name} of the same type as the tensor`, describe(source), { input: x });
}
