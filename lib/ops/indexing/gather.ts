/**
 * Elements by an index of one dimension, the others at their own places: gather, scatter and scatterAdd, takeAlongDim.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { type Plan, stridedPlan } from '../../shape/plan.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, filledTensor } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { defineInplace } from '../core/inplace.js';
import { asOperand, isScalar, type Scalar, tensorArgument } from '../core/promotion.js';
import { expandOp, viewOp } from '../core/view.js';
import { checkedIndex, requireSameType } from './index-rows.js';
import { atLeastVector } from './index-select.js';

/**
 * Lines along a dimension: source, index and out, how many elements of each line, its steps, and a plan over the lines.
 */
type ScatterKernel = KernelTable<
  [
    source: TypedArray,
    index: TypedArray,
    out: TypedArray,
    count: number,
    sourceStep: number,
    indexStep: number,
    n: number,
    step: number,
    plan: Plan,
  ]
>;

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out = input at the index along a dimension of n elements `step` apart; plan [out, index, input]. */
    gather: KernelTable<[input: TypedArray, index: TypedArray, out: TypedArray, n: number, step: number, plan: Plan]>;
    scatter: ScatterKernel;
    scatterAdd: ScatterKernel;
    scatterProd: ScatterKernel;
    scatterAmax: ScatterKernel;
    scatterAmin: ScatterKernel;
  }
}

interface Along {
  readonly dim: number;
  /** The shape of the tensor that is gathered from or scattered into. */
  readonly shape: Shape;
}

/** y[i][j][k] = x[i][index[i][j][k]][k] (dim 1); dx = g added at the index in zeros. */
export const gatherOp: Operator<number, Tensor> = defineOp<number, Along>({
  name: 'gather',
  nativeHalf: true,
  infer: ([x], dim) => ({ dim, shape: x.shape }),
  forward: ({ dim }, [x, index]) => {
    const out = allocate(index.shape, x.info);
    if (elementCount(index.shape) === 0) return out;
    const still = x.strides.map((s, d) => (d === dim ? 0 : s));
    const kernel = instanceOf('gather', kernels.gather, x.info);
    kernel(
      x.array,
      index.array,
      out.array,
      x.shape[dim],
      x.strides[dim],
      stridedPlan(index.shape, [out.strides, index.strides, still]),
    );
    return out;
  },
  save: (context, [, index]) => context.save(index),
  backward: (context, g): Gradients => [
    placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
    null,
  ],
});

interface Places extends Along {
  readonly indices: Tensor;
}

/** y = zeros of `shape` with x added at indices along dim; dx = g gathered there. */
export const placeAlongOp: Operator<Places, Tensor> = defineOp<Places, Places>({
  name: 'placeAlong',
  infer: (_, spec) => spec,
  forward: ({ indices, shape, dim }, [x]) => {
    if (shape.length === 0) return castTo(x, x.info);
    const out = filledTensor(shape, x.info, 0);
    scatterInto(kernels.scatterAdd, out, x, indices, dim);
    return out;
  },
  backward: ({ spec: { indices, shape, dim } }, g): Gradients => [shape.length === 0 ? g : gatherOp([g, indices], dim)],
});

/** Scatters a source into contiguous memory by the kernel; no autograd. */
export function scatterInto(table: ScatterKernel, out: Tensor, source: Tensor, index: Tensor, dim: number): void {
  if (elementCount(index.shape) === 0) return;
  const others = (list: readonly number[]): number[] => list.filter((_, d) => d !== dim);
  const plan = stridedPlan(others(index.shape), [others(source.strides), others(index.strides), others(out.strides)]);
  const kernel = instanceOf('scatter', table, out.info);
  kernel(
    source.array,
    index.array,
    out.array,
    index.shape[dim],
    source.strides[dim],
    index.strides[dim],
    out.shape[dim],
    out.strides[dim],
    plan,
  );
}

/** y = x with source added at the index; dx = g, dsource = g gathered at the index. */
const scatterAddOp: Operator<number, Tensor> = defineOp<number, Along>({
  name: 'scatterAdd',
  infer: ([x], dim) => ({ dim, shape: x.shape }),
  forward: ({ dim }, [x, source, index]) => {
    const out = castTo(x, x.info);
    scatterInto(kernels.scatterAdd, out, source, index, dim);
    return out;
  },
  save: (context, [, , index]) => context.save(index),
  backward: (context, g): Gradients => [
    g,
    context.needs(1) ? gatherOp([g, context.saved(0)], context.spec.dim) : null,
    null,
  ],
});

/**
 * y = x with source put at the index, the last of several; dx = g with zeros at the index, dsource = g gathered at the
 * index.
 */
const scatterOp: Operator<number, Tensor> = defineOp<number, Along>({
  name: 'scatter',
  nativeHalf: true,
  infer: ([x], dim) => ({ dim, shape: x.shape }),
  forward: ({ dim }, [x, source, index]) => {
    const out = castTo(x, x.info);
    scatterInto(kernels.scatter, out, source, index, dim);
    return out;
  },
  save: (context, [, , index]) => context.save(index),
  backward: (context, g): Gradients => {
    const { dim } = context.spec;
    const index = context.saved(0);
    return [
      context.needs(0) ? scatterOp([g, filledTensor(index.shape, g.info, 0), index], dim) : null,
      context.needs(1) ? gatherOp([g, index], dim) : null,
      null,
    ];
  },
});

export interface Arranged {
  readonly x: Tensor;
  readonly dim: number;
  readonly index: Tensor;
}

/** Checks dim and index against the tensor; scalars count as vectors of one element. */
function arrange(op: string, input: unknown, dim: number, index: unknown, fromEnd = false): Arranged {
  const given = tensorArgument(op, 'input', input);
  const x = atLeastVector(given);
  const i = atLeastVector(tensorArgument(op, 'index', index));
  const d = wrapDim(op, dim, x.shape.length);
  if (elementCount(i.shape) > 0) {
    if (i.shape.length !== x.shape.length)
      fail(ShapeError, op, `an index of ${x.shape.length} dimensions`, `[${i.shape}]`, { input: given });
    for (let k = 0; k < x.shape.length; k++)
      if (k !== d && i.shape[k] > x.shape[k])
        fail(ShapeError, op, `an index no larger than the tensor (except in dim ${d})`, `[${i.shape}]`, {
          input: given,
        });
  }
  return { x, dim: d, index: checkedIndex(op, i, x.shape[d], fromEnd) };
}

/** What was taken by an index of one element, in the shape of the index that was given. */
const inIndexShape = (out: Tensor, index: Tensor): Tensor => (index.shape.length === 0 ? viewOp([out], []) : out);

/** The elements at the index of dimension `dim`: out[i][j] = input[i][index[i][j]] for dim 1. torch.gather */
export const gather = defineFunction(
  { name: 'gather', parameters: ['input', 'dim', 'index', 'sparseGrad'], keywords: 1, required: 3 },
  (input: Tensor, dim: number, index: Tensor, sparseGrad?: boolean): Tensor => {
    void sparseGrad;
    const a = arrange('gather', input, dim, index);
    return inIndexShape(gatherOp([a.x, a.index], a.dim), index);
  },
);

export function scatterArguments(
  op: string,
  input: Tensor,
  dim: number,
  index: Tensor,
  src: unknown,
): Arranged & { source: Tensor } {
  const a = arrange(op, input, dim, index);
  if (!(src instanceof Tensor)) {
    if (!isScalar(src)) fail(ArgumentError, op, 'a tensor or a number for src', describe(src));
    return { ...a, source: expandOp([asOperand(op, src, a.x.info)], a.index.shape) };
  }
  requireSameType(op, 'src', a.x, src);
  const source = atLeastVector(src);
  if (elementCount(a.index.shape) > 0) {
    if (source.shape.length !== a.index.shape.length || a.index.shape.some((n, k) => n > source.shape[k]))
      fail(ShapeError, op, `src at least as large as the index [${a.index.shape}]`, `[${src.shape}]`, { input });
  }
  let part = source;
  for (let k = 0; k < a.index.shape.length; k++)
    if (part.shape[k] !== a.index.shape[k]) part = part.narrow(k, 0, a.index.shape[k]);
  return { ...a, source: part };
}

/** The result in the shape of the tensor that was given. */
const asGiven = (out: Tensor, input: Tensor): Tensor => (input.shape.length === 0 ? viewOp([out], []) : out);

/** input with src added at the index of dimension `dim`; repeated places add up in a fixed order. torch.scatter_add */
export const scatterAdd = defineFunction(
  { name: 'scatterAdd', parameters: ['input', 'dim', 'index', 'src'], required: 4 },
  (input: Tensor, dim: number, index: Tensor, src: Tensor): Tensor => {
    const a = scatterArguments('scatterAdd', input, dim, index, src);
    return asGiven(scatterAddOp([a.x, a.source, a.index], a.dim), input);
  },
);

/**
 * input with src (a tensor or a number) put at the index of dimension `dim`: out[i][index[i][j]] = src[i][j] for dim 1.
 * Where places repeat the last wins. `reduce`: 'add' or 'multiply' combines instead. torch.scatter
 */
export const scatter = defineFunction(
  {
    name: 'scatter',
    parameters: ['input', 'dim', 'index', 'src', 'value', 'reduce'],
    keywords: 2,
    required: 3,
    kinds: { src: 'operand' },
  },
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    src?: Tensor | Scalar,
    value?: Scalar,
    reduce?: 'add' | 'multiply',
  ): Tensor => {
    const a = scatterArguments('scatter', input, dim, index, src ?? value);
    if (reduce !== undefined && reduce !== null && reduce !== 'add' && reduce !== 'multiply')
      fail(ArgumentError, 'scatter', "reduce 'add' or 'multiply'", describe(reduce));
    const op = reduce === 'add' ? scatterAddOp : reduce === 'multiply' ? scatterMultiplyOp : scatterOp;
    return asGiven(op([a.x, a.source, a.index], a.dim), input);
  },
);

/** y = x multiplied by source at the index. */
const scatterMultiplyOp = defineOp<number, Along>({
  name: 'scatterMultiply',
  infer: ([x], dim) => ({ dim, shape: x.shape }),
  forward: ({ dim }, [x, source, index]) => {
    const out = castTo(x, x.info);
    scatterInto(kernels.scatterProd, out, source, index, dim);
    return out;
  },
  notDifferentiable: 'PyTorch has no derivative of scatter with a reduction; scatterReduce has one',
});

defineInplace('scatter_', scatter);
defineInplace('scatterAdd_', scatterAdd);

/**
 * The elements at the indices of dimension `dim`, where input and indices broadcast, negative ones counted from the
 * end; of the flattened tensor without `dim`. An index beyond the ends is an IndexError, where PyTorch takes it modulo
 * the size. torch.take_along_dim
 */
export const takeAlongDim = defineFunction(
  { name: 'takeAlongDim', parameters: ['input', 'indices', 'dim'], required: 2 },
  (input: Tensor, indices: Tensor, dim?: number | null): Tensor => {
    const x = tensorArgument('takeAlongDim', 'input', input);
    const index = tensorArgument('takeAlongDim', 'indices', indices);
    if (dim === undefined || dim === null) return gather(x.reshape([-1]), 0, index.reshape([-1]));
    if (x.shape.length !== index.shape.length)
      fail(ShapeError, 'takeAlongDim', `indices of ${x.shape.length} dimensions`, `[${index.shape}]`, { input: x });
    const d = wrapDim('takeAlongDim', dim, x.shape.length);
    if (x.shape.length === 0) fail(IndexError, 'takeAlongDim', 'no dim for a scalar', String(dim), { input: x });
    const common = broadcastShapes(
      'takeAlongDim',
      x.shape.map((n, k) => (k === d ? 1 : n)),
      index.shape.map((n, k) => (k === d ? 1 : n)),
    );
    const sized = (t: Tensor): Tensor =>
      expandOp(
        [t],
        common.map((n, k) => (k === d ? t.shape[k] : n)),
      );
    const a = arrange('takeAlongDim', sized(x), d, sized(index), true);
    return inIndexShape(gatherOp([a.x, a.index], a.dim), index);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    gather: Method<typeof gather>;
    scatter: Method<typeof scatter>;
    scatter_: Method<typeof scatter>;
    scatterAdd: Method<typeof scatterAdd>;
    scatterAdd_: Method<typeof scatterAdd>;
    takeAlongDim: Method<typeof takeAlongDim>;
  }
}
