/**
 * Sorting and selection along one dimension, with int64 indices. NaN counts as the largest, as in PyTorch; every sort
 * is stable.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, IndexError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { likeStrides } from '../../shape/result-strides.js';
import { BOOL, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { withStrides } from '../core/relayout.js';
import { scalarOf } from '../creation/creation.js';
import { mul } from '../elementwise/arithmetic.js';
import { placeAlongOp } from '../indexing/gather.js';
import { requireElements, tieWeightsOp, type ValuesAndIndices, valuesAndIndices } from './extrema.js';
import { aroundDim, keptShape } from './reduction.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** The first `count` elements of each sorted run, and their indices. */
    sort: KernelTable<
      [
        input: TypedArray,
        values: TypedArray,
        indices: TypedArray,
        outer: number,
        n: number,
        inner: number,
        descending: number,
        count: number,
      ]
    >;
    /**
     * The same elements as `sort`'s, in the order in which PyTorch's topk leaves them where they are not to be sorted.
     */
    topkUnsorted: KernelTable<
      [
        input: TypedArray,
        values: TypedArray,
        indices: TypedArray,
        outer: number,
        n: number,
        inner: number,
        descending: number,
        count: number,
      ]
    >;
    /** The element of rank k of each run and its index; the first NaN instead where `nan`. */
    kthvalue: KernelTable<
      [
        input: TypedArray,
        values: TypedArray,
        indices: TypedArray,
        outer: number,
        n: number,
        inner: number,
        k: number,
        nan: number,
      ]
    >;
    /** The most frequent element of each run and its last index. */
    mode: KernelTable<
      [input: TypedArray, values: TypedArray, indices: TypedArray, outer: number, n: number, inner: number]
    >;
  }
}

/** Runs longer than this do not fit the kernels' packed indices. */
const MAX_RUN = 0xffffffff;

interface SortSpec {
  readonly shape: Shape;
  readonly dim: number;
  readonly descending: boolean;
  readonly count: number;
  /** Whether the elements come in order; else as PyTorch's topk leaves them. */
  readonly ordered: boolean;
  /** Whether the results lie in memory as the input does; else row by row. */
  readonly preserves: boolean;
}
type SortAttributes = Omit<SortSpec, 'shape'>;

/** y = the first `count` of x in order along dim, and where they came from; dx = g placed there. */
const sortOp: Operator<SortAttributes, Tensor[]> = defineOp<SortAttributes, SortSpec, Tensor[]>({
  name: 'sort',
  infer: ([x], attributes) => {
    if ((x.shape[attributes.dim] ?? 1) > MAX_RUN)
      fail(
        ArgumentError,
        'sort',
        `at most ${MAX_RUN} elements along dim ${attributes.dim}`,
        String(x.shape[attributes.dim]),
        { x },
      );
    return { ...attributes, shape: x.shape };
  },
  forward: ({ shape, dim, descending, count, ordered, preserves }, [x]) => {
    const out = shape.map((n, d) => (d === dim ? count : n));
    const values = allocate([...out], x.info);
    const indices = allocate([...out], INT64);
    const kernel = ordered
      ? instanceOf('sort', kernels.sort, x.info)
      : instanceOf('topk', kernels.topkUnsorted, x.info);
    kernel(contiguousOf(x).array, values.array, indices.array, ...aroundDim(shape, dim), descending ? 1 : 0, count);
    if (!preserves) return [values, indices];
    const strides = likeStrides(x);
    return [withStrides(values, strides), withStrides(indices, strides)];
  },
  save: (context, _, [, indices]) => context.save(indices),
  backward: (context, g): Gradients => [
    placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
  ],
});

function sorted(op: string, input: unknown, dim: number | null | undefined, descending: boolean | undefined): Tensor[] {
  const x = tensorArgument(op, 'input', input);
  const wrapped = wrapDim(op, dim ?? -1, x.shape.length);
  return sortOp([x], {
    dim: wrapped,
    descending: descending === true,
    count: x.shape[wrapped] ?? 1,
    ordered: true,
    preserves: true,
  });
}

/**
 * The elements in ascending (or `descending`) order along `dim`, the last by default, and their indices: `{ values,
 * indices }`. Always stable.
 */
export const sort = defineFunction(
  { name: 'sort', parameters: ['input', 'dim', 'descending', 'stable'], keywords: 1 },
  (input: Tensor, dim?: number, descending?: boolean, _stable?: boolean | null): ValuesAndIndices =>
    valuesAndIndices(sorted('sort', input, dim, descending), 0, true),
);

/** The int64 indices that sort `input` along `dim`. Always stable. */
export const argsort = defineFunction(
  { name: 'argsort', parameters: ['input', 'dim', 'descending', 'stable'] },
  (input: Tensor, dim?: number, descending?: boolean, _stable?: boolean): Tensor =>
    sorted('argsort', input, dim, descending)[1],
);

/** The elements in ascending order along the first dimension. */
export const msort = defineFunction(
  { name: 'msort', parameters: ['input'] },
  (input: Tensor): Tensor => sorted('msort', input, 0, false)[0],
);

/**
 * The `k` largest (or smallest) elements along `dim`, the last by default, and their indices: `{ values, indices }`. In
 * order, equal ones by index; with `sorted` false in the order in which PyTorch leaves them.
 */
export const topk = defineFunction(
  { name: 'topk', parameters: ['input', 'k', 'dim', 'largest', 'sorted'], required: 2 },
  (input: Tensor, k: number, dim?: number, largest?: boolean, sorted?: boolean): ValuesAndIndices => {
    const x = tensorArgument('topk', 'input', input);
    const wrapped = wrapDim('topk', dim ?? -1, x.shape.length);
    const n = x.shape[wrapped] ?? 1;
    if (!Number.isInteger(k)) fail(ArgumentError, 'topk', 'an integral k', describe(k));
    if (k < 0 || k > n) fail(IndexError, 'topk', `k in [0, ${n}]`, String(k), { input: x });
    if (x.info === BOOL) fail(DTypeError, 'topk', 'a number type', 'bool', { input: x });
    return valuesAndIndices(
      sortOp([x], {
        dim: wrapped,
        descending: largest !== false,
        count: x.shape.length === 0 ? 1 : k,
        ordered: sorted !== false,
        preserves: false,
      }),
      wrapped,
      true,
    );
  },
);

interface SelectionSpec {
  readonly shape: Shape;
  readonly dim: number;
  readonly kept: Shape;
  readonly k: number;
  readonly nan: boolean;
}

/** y = the element of rank k along dim (kept as 1), and where it stands; dx = g placed there. */
const kthvalueOp: Operator<Omit<SelectionSpec, 'shape' | 'kept'>, Tensor[]> = defineOp<
  Omit<SelectionSpec, 'shape' | 'kept'>,
  SelectionSpec,
  Tensor[]
>({
  name: 'kthvalue',
  infer: ([x], attributes) => ({ ...attributes, shape: x.shape, kept: keptShape(x.shape, [attributes.dim]) }),
  forward: ({ shape, dim, kept, k, nan }, [x]) => {
    const values = allocate(kept, x.info);
    const indices = allocate(kept, INT64);
    const around = aroundDim(shape, dim);
    if (elementCount(kept) > 0)
      instanceOf('kthvalue', kernels.kthvalue, x.info)(
        contiguousOf(x).array,
        values.array,
        indices.array,
        ...around,
        k,
        nan ? 1 : 0,
      );
    return [values, indices];
  },
  save: (context, _, [, indices]) => context.save(indices),
  backward: (context, g): Gradients => [
    placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
  ],
});

/** The `k`-th smallest element (from 1) along `dim`, the last by default, and its index: `{ values, indices }`. */
export const kthvalue = defineFunction(
  { name: 'kthvalue', parameters: ['input', 'k', 'dim', 'keepdim'], required: 2, composed: true },
  (input: Tensor, k: number, dim?: number, keepdim?: boolean): ValuesAndIndices => {
    const x = tensorArgument('kthvalue', 'input', input);
    const wrapped = wrapDim('kthvalue', dim ?? -1, x.shape.length);
    const n = x.shape[wrapped] ?? 1;
    requireElements('kthvalue', x, x.shape.length === 0 ? [] : [wrapped], true);
    if (!Number.isInteger(k) || k < 1 || k > n) fail(IndexError, 'kthvalue', `k in [1, ${n}]`, String(k), { input: x });
    return valuesAndIndices(kthvalueOp([x], { dim: wrapped, k: k - 1, nan: false }), wrapped, keepdim);
  },
);

/** y = the lower median of all elements; dx = g shared evenly among the elements equal to it. */
const medianOp = defineOp<void, { shape: Shape; count: number }>({
  name: 'median',
  infer: ([x]) => ({ shape: x.shape, count: elementCount(x.shape) }),
  forward: ({ count }, [x]) => {
    const values = allocate([], x.info);
    const indices = allocate([], INT64);
    instanceOf('median', kernels.kthvalue, x.info)(
      contiguousOf(x).array,
      values.array,
      indices.array,
      1,
      count,
      1,
      Math.floor((count - 1) / 2),
      1,
    );
    return values;
  },
  save: (context, [x], [y]) => context.save(x, y),
  backward: (context, g): Gradients => {
    const { shape } = context.spec;
    const dims = shape.map((_, d) => d);
    return [
      mul.op([
        g,
        tieWeightsOp([context.saved(0), context.saved(1)], { shape, dims, kept: keptShape(shape, dims), nan: true }),
      ]),
    ];
  },
});

/** The two forms of `median`. */
export interface MedianFunction {
  /** The lower median of all elements; NaN where there is one, or none at all. */
  (input: Tensor): Tensor;
  /** Along one dimension: `{ values, indices }`. */
  (
    input: Tensor,
    dim: number | { dim: number; keepdim?: boolean },
    keepdim?: boolean | { keepdim?: boolean },
  ): ValuesAndIndices;
}

/** The lower of the middle elements of all, or along `dim` with its index; NaN where there is one. */
export const median = defineFunction(
  { name: 'median', parameters: ['input', 'dim', 'keepdim'], composed: true },
  (input: Tensor, dim?: number | null, keepdim?: boolean): Tensor | ValuesAndIndices => {
    const x = tensorArgument('median', 'input', input);
    if (dim === undefined || dim === null) {
      if (elementCount(x.shape) > 0) return medianOp([x], undefined);
      return x.info.floating ? x.sum().mul(Number.NaN) : scalarOf(-(2n ** 63n), x.info);
    }
    const wrapped = wrapDim('median', dim, x.shape.length);
    requireElements('median', x, x.shape.length === 0 ? [] : [wrapped], true);
    const n = x.shape[wrapped] ?? 1;
    return valuesAndIndices(kthvalueOp([x], { dim: wrapped, k: Math.floor((n - 1) / 2), nan: true }), wrapped, keepdim);
  },
) as unknown as MedianFunction;

/**
 * The most frequent element along `dim`, the last by default (the smallest of several), and its index: `{ values,
 * indices }`.
 */
const modeOp = defineOp<number, { shape: Shape; dim: number; kept: Shape }, Tensor[]>({
  name: 'mode',
  infer: ([x], dim) => ({ shape: x.shape, dim, kept: keptShape(x.shape, [dim]) }),
  forward: ({ shape, dim, kept }, [x]) => {
    const values = allocate(kept, x.info);
    const indices = allocate(kept, INT64);
    if (elementCount(kept) > 0)
      instanceOf('mode', kernels.mode, x.info)(
        contiguousOf(x).array,
        values.array,
        indices.array,
        ...aroundDim(shape, dim),
      );
    return [values, indices];
  },
  save: (context, _, [, indices]) => context.save(indices),
  backward: (context, g): Gradients => [
    placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
  ],
});
export const mode = defineFunction(
  { name: 'mode', parameters: ['input', 'dim', 'keepdim'] },
  (input: Tensor, dim?: number, keepdim?: boolean): ValuesAndIndices => {
    const x = tensorArgument('mode', 'input', input);
    const wrapped = wrapDim('mode', dim ?? -1, x.shape.length);
    requireElements('mode', x, x.shape.length === 0 ? [] : [wrapped], true);
    return valuesAndIndices(modeOp([x], wrapped), wrapped, keepdim);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    sort: Method<typeof sort>;
    argsort: Method<typeof argsort>;
    msort: Method<typeof msort>;
    topk: Method<typeof topk>;
    kthvalue: Method<typeof kthvalue>;
    median(): Tensor;
    median(
      dim: number | { dim: number; keepdim?: boolean },
      keepdim?: boolean | { keepdim?: boolean },
    ): ValuesAndIndices;
    mode: Method<typeof mode>;
  }
}
