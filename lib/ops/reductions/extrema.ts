/**
 * Largest and smallest elements over dimensions, and where they stand: amax, amin, aminmax, max, min, argmax, argmin.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction, namedTuple } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, describe, fail, IndexError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim, wrapDims } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { BOOL, type DTypeInfo, INT32, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { mul } from '../elementwise/arithmetic.js';
import { placeAlongOp } from '../indexing/gather.js';
import {
  aroundDim,
  finishDims,
  gatherDims,
  isTensor,
  keptShape,
  type ReduceSpec,
  reduceGroups,
  reduceSpec,
} from './reduction.js';

type Extremum = 'amax' | 'amin';

declare module '../../native/kernels.js' {
  interface Kernels {
    amax: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
    amin: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
    /** indices[o, i] = the first k with input[o, k, i] = extremum[o, i]. */
    firstIndex: KernelTable<
      [input: TypedArray, extremum: TypedArray, indices: TypedArray, outer: number, n: number, inner: number]
    >;
    /** 1 / (number of ties) where the input equals its extremum, else 0. */
    tieWeights: KernelTable<
      [input: TypedArray, extremum: TypedArray, out: TypedArray, outer: number, n: number, inner: number, nan: number]
    >;
  }
}

/** Types below 32 bits have no kernels of their own here: they are compared as int32, and come back exactly. */
export function throughInt32(x: Tensor, compute: (wide: Tensor) => Tensor): Tensor {
  const { info } = x;
  return info.floating || info.bytes >= 4 ? compute(x) : castTo(compute(castTo(x, INT32)), info);
}

/** Throws where a reduced dimension has no element and so no extremum. */
export function requireElements(op: string, x: Tensor, dims: readonly number[], given: boolean): void {
  if (!given && elementCount(x.shape) === 0)
    fail(IndexError, op, 'a dim to reduce, since the input has no elements', 'none', { input: x });
  for (const d of dims)
    if (x.shape[d] === 0) fail(IndexError, op, `a dim ${d} with at least one element`, '0', { input: x });
}

export interface ExtremumSpec extends ReduceSpec {
  /** PyTorch's full `max` shares the gradient among NaNs too; `amax` makes it NaN. */
  readonly nan: boolean;
}
interface ExtremumAttributes {
  readonly dims: readonly number[];
  readonly nan: boolean;
}

/** w = 1 / (number of ties) where x equals its extremum y, else 0: piecewise constant. */
export const tieWeightsOp = defineOp<ExtremumSpec, ExtremumSpec>({
  name: 'tieWeights',
  infer: (_, spec) => spec,
  forward: (spec, [x, y]) => {
    const { input, outer, n, inner, restore } = gatherDims(x, spec);
    const out = allocate([elementCount(spec.shape)], x.info);
    instanceOf('tieWeights', kernels.tieWeights, x.info)(
      input.array,
      contiguousOf(y).array,
      out.array,
      outer,
      n,
      inner,
      spec.nan ? 1 : 0,
    );
    return restore(out);
  },
  notDifferentiable: 'piecewise constant',
});

/** y = extremum of x over dims (kept as 1); dx = g shared evenly among the ties. */
function extremumOp(name: Extremum): Operator<ExtremumAttributes, Tensor> {
  return defineOp<ExtremumAttributes, ExtremumSpec>({
    name,
    infer: ([x], { dims, nan }) => ({ ...reduceSpec(name, x, dims), dims, kept: keptShape(x.shape, dims), nan }),
    forward: (spec, [x]) =>
      throughInt32(x, (wide) =>
        reduceGroups(wide, spec, wide.info, (input, out, outer, n, inner) =>
          instanceOf(name, kernels[name], input.info)(input.array, out.array, outer, n, inner),
        ),
      ),
    save: (context, [x], [y]) => context.save(x, y),
    backward: (context, g) => [mul.op([g, tieWeightsOp([context.saved(0), context.saved(1)], context.spec)])],
  });
}
export const amaxOp = extremumOp('amax');
export const aminOp = extremumOp('amin');

function extremum(name: Extremum, op: Operator<ExtremumAttributes, Tensor>) {
  return (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean): Tensor => {
    const x = tensorArgument(name, 'input', input);
    const dims = wrapDims(name, dim, x.shape.length);
    requireElements(name, x, dims, dim !== undefined && dim !== null && !(Array.isArray(dim) && dim.length === 0));
    return finishDims(op([x], { dims, nan: false }), dims, keepdim);
  };
}

/** The largest element over `dim` (all dimensions by default); NaN wins; ties share the gradient evenly. */
export const amax = defineFunction({ name: 'amax', parameters: ['input', 'dim', 'keepdim'] }, extremum('amax', amaxOp));
/** The smallest element over `dim` (all dimensions by default); NaN wins; ties share the gradient evenly. */
export const amin = defineFunction({ name: 'amin', parameters: ['input', 'dim', 'keepdim'] }, extremum('amin', aminOp));

/** Smallest and largest element over one dimension, or over all: `{ min, max }`. */
export const aminmax = defineFunction(
  { name: 'aminmax', parameters: ['input', 'dim', 'keepdim'], keywords: 2 },
  (input: Tensor, dim?: number | null, keepdim?: boolean) => {
    const x = tensorArgument('aminmax', 'input', input);
    const dims = wrapDims('aminmax', dim, x.shape.length);
    requireElements('aminmax', x, dims, dim !== undefined && dim !== null);
    const attributes = { dims, nan: false };
    return namedTuple(
      ['min', 'max'],
      [finishDims(aminOp([x], attributes), dims, keepdim), finishDims(amaxOp([x], attributes), dims, keepdim)],
    );
  },
);

// ---- one dimension, with indices

interface DimSpec {
  readonly shape: Shape;
  readonly dim: number;
  readonly kept: Shape;
}

/** Values and first indices of the extremum of a contiguous tensor of a type that has kernels. */
function withIndices(
  name: Extremum,
  input: Tensor,
  shape: Shape,
  outer: number,
  n: number,
  inner: number,
): [values: Tensor, indices: Tensor] {
  const values = allocate(shape, input.info);
  const indices = allocate(shape, INT64);
  instanceOf(name, kernels[name], input.info)(input.array, values.array, outer, n, inner);
  instanceOf(name, kernels.firstIndex, input.info)(input.array, values.array, indices.array, outer, n, inner);
  return [values, indices];
}

/** y = extremum along dim (kept as 1), and where it first stands; dx = g placed there. */
function extremumAlongOp(name: 'maxAlong' | 'minAlong', kernel: Extremum): Operator<number, Tensor[]> {
  return defineOp<number, DimSpec, Tensor[]>({
    name,
    infer: ([x], dim) => ({ shape: x.shape, dim, kept: keptShape(x.shape, [dim]) }),
    forward: ({ shape, dim, kept }, [x]) => {
      const narrow = !x.info.floating && x.info.bytes < 4;
      const [values, indices] = withIndices(
        kernel,
        narrow ? castTo(x, INT32) : contiguousOf(x),
        kept,
        ...aroundDim(shape, dim),
      );
      return [narrow ? castTo(values, x.info) : values, indices];
    },
    save: (context, _, [, indices]) => context.save(indices),
    backward: (context, g): Gradients => [
      placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
    ],
  });
}
const maxAlongOp = extremumAlongOp('maxAlong', 'amax');
const minAlongOp = extremumAlongOp('minAlong', 'amin');

/** Values beside the int64 indices at which they stand. */
export type ValuesAndIndices = Tensor[] & { values: Tensor; indices: Tensor };

/** Drops the reduced dimension of values and indices, and names them. */
export function valuesAndIndices(
  [values, indices]: readonly Tensor[],
  dim: number,
  keepdim: boolean | undefined,
): ValuesAndIndices {
  const dims = values.shape.length === 0 ? [] : [dim];
  return namedTuple(
    ['values', 'indices'],
    [finishDims(values, dims, keepdim), finishDims(indices, dims, keepdim)],
  ) as unknown as ValuesAndIndices;
}

/** Options of `max` and `min` over one dimension. */
export interface DimOptions {
  dim: number;
  keepdim?: boolean;
}
/** The three forms of `max` and `min`. */
export interface ExtremumFunction {
  /** The one largest (smallest) element. */
  (input: Tensor): Tensor;
  /** Along one dimension: `{ values, indices }`, the index that of the first. */
  (input: Tensor, dim: number, keepdim?: boolean | { keepdim?: boolean }): ValuesAndIndices;
  (input: Tensor, options: DimOptions): ValuesAndIndices;
  /** Element by element: `maximum` (`minimum`). */
  (input: Tensor, other: Tensor | { other: Tensor }): Tensor;
}
/** The method form of `max` and `min`. */
export interface ExtremumMethod {
  (): Tensor;
  (dim: number, keepdim?: boolean | { keepdim?: boolean }): ValuesAndIndices;
  (options: DimOptions): ValuesAndIndices;
  (other: Tensor | { other: Tensor }): Tensor;
}

function anyExtremum(
  name: 'max' | 'min',
  elementwise: 'maximum' | 'minimum',
  full: Operator<ExtremumAttributes, Tensor>,
  along: Operator<number, Tensor[]>,
): ExtremumFunction {
  const implementation = (
    input: Tensor,
    dim?: number | Tensor | null,
    keepdim?: boolean,
    other?: Tensor,
  ): Tensor | ValuesAndIndices => {
    const x = tensorArgument(name, 'input', input);
    const operand = isTensor(dim) ? dim : other;
    if (operand !== undefined) {
      const pair = tensorArgument(name, 'other', operand);
      return (x as unknown as Record<string, (other: Tensor) => Tensor>)[elementwise](pair);
    }
    if (dim === undefined || dim === null) {
      requireElements(name, x, [], false);
      const dims = x.shape.map((_, d) => d);
      return finishDims(full([x], { dims, nan: true }), dims, false);
    }
    if (typeof dim !== 'number') fail(ArgumentError, name, 'a dim or another tensor', describe(dim));
    const wrapped = wrapDim(name, dim, x.shape.length);
    requireElements(name, x, x.shape.length === 0 ? [] : [wrapped], true);
    return valuesAndIndices(along([x], wrapped), wrapped, keepdim);
  };
  return defineFunction(
    { name, parameters: ['input', 'dim', 'keepdim', 'other'], keywords: 1, integers: false },
    implementation,
  ) as unknown as ExtremumFunction;
}

/** The largest element; along one dimension with its index; or of two tensors, element by element. NaN wins. */
export const max = anyExtremum('max', 'maximum', amaxOp, maxAlongOp);
/** The smallest element; along one dimension with its index; or of two tensors, element by element. NaN wins. */
export const min = anyExtremum('min', 'minimum', aminOp, minAlongOp);

/** indices = where the extremum along dim (or of all elements) first stands. */
function argExtremumOp(name: 'argmax' | 'argmin', kernel: Extremum): Operator<number | null, Tensor> {
  return defineOp<number | null, { shape: Shape; dim: number | null; kept: Shape; info: DTypeInfo }>({
    name,
    infer: ([x], dim) => ({
      shape: x.shape,
      dim,
      kept: keptShape(x.shape, dim === null ? x.shape.map((_, d) => d) : [dim]),
      info: x.info,
    }),
    forward: ({ shape, dim, kept }, [x]) => {
      const input = !x.info.floating && x.info.bytes < 4 ? castTo(x, INT32) : contiguousOf(x);
      const around: [number, number, number] = dim === null ? [1, elementCount(shape), 1] : aroundDim(shape, dim);
      return withIndices(kernel, input, kept, ...around)[1];
    },
    notDifferentiable: 'indices',
  });
}
const argmaxOp = argExtremumOp('argmax', 'amax');
const argminOp = argExtremumOp('argmin', 'amin');

function argExtremum(name: 'argmax' | 'argmin', op: Operator<number | null, Tensor>) {
  return (input: Tensor, dim?: number | null, keepdim?: boolean): Tensor => {
    const x = tensorArgument(name, 'input', input);
    if (x.info === BOOL) fail(DTypeError, name, 'a number type', 'bool', { input: x });
    const dims = wrapDims(name, dim, x.shape.length);
    requireElements(name, x, dims, dim !== undefined && dim !== null);
    return finishDims(
      op([x], dim === undefined || dim === null || x.shape.length === 0 ? null : dims[0]),
      dims,
      keepdim,
    );
  };
}

/** The int64 index of the (first) largest element along `dim`, or in the flattened input. */
export const argmax = defineFunction(
  { name: 'argmax', parameters: ['input', 'dim', 'keepdim'] },
  argExtremum('argmax', argmaxOp),
);
/** The int64 index of the (first) smallest element along `dim`, or in the flattened input. */
export const argmin = defineFunction(
  { name: 'argmin', parameters: ['input', 'dim', 'keepdim'] },
  argExtremum('argmin', argminOp),
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    amax(
      dim?: number | readonly number[] | null | { dim?: number | readonly number[] | null; keepdim?: boolean },
      keepdim?: boolean | { keepdim?: boolean },
    ): Tensor;
    amin(
      dim?: number | readonly number[] | null | { dim?: number | readonly number[] | null; keepdim?: boolean },
      keepdim?: boolean | { keepdim?: boolean },
    ): Tensor;
    aminmax(options?: { dim?: number | null; keepdim?: boolean }): Tensor[] & { min: Tensor; max: Tensor };
    max: ExtremumMethod;
    min: ExtremumMethod;
    argmax(
      dim?: number | null | { dim?: number | null; keepdim?: boolean },
      keepdim?: boolean | { keepdim?: boolean },
    ): Tensor;
    argmin(
      dim?: number | null | { dim?: number | null; keepdim?: boolean },
      keepdim?: boolean | { keepdim?: boolean },
    ): Tensor;
  }
}
