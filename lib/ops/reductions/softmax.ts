/** Softmax and its relatives along one dimension: fused forward and backward kernels. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim, wrapDims } from '../../shape/dims.js';
import type { Shape } from '../../shape/layout.js';
import { type DType, defaultFloatInfo, dtypeInfo } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { tensorArgument } from '../core/promotion.js';
import { mul, neg, subOp } from '../elementwise/arithmetic.js';
import { exp } from '../elementwise/exponential.js';
import { sumOp } from './reduce.js';
import { aroundDim, finishDims, keptShape, type ReduceSpec, reduceGroups } from './reduction.js';

type SoftmaxKernel = KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
type SoftmaxBackwardKernel = KernelTable<
  [gradient: TypedArray, output: TypedArray, out: TypedArray, outer: number, n: number, inner: number]
>;

declare module '../../native/kernels.js' {
  interface Kernels {
    softmax: SoftmaxKernel;
    logSoftmax: SoftmaxKernel;
    /** out[o, i] = log sum over n of e^input[o, n, i]. */
    logsumexp: SoftmaxKernel;
    softmaxBackward: SoftmaxBackwardKernel;
    logSoftmaxBackward: SoftmaxBackwardKernel;
  }
}

interface Along {
  readonly shape: Shape;
  readonly dim: number;
}
function forward(name: 'softmax' | 'logSoftmax', { shape, dim }: Along, x: Tensor): Tensor {
  const out = allocate(shape, x.info);
  instanceOf(name, kernels[name], x.info)(contiguousOf(x).array, out.array, ...aroundDim(shape, dim));
  return out;
}

function backward(name: 'softmaxBackward' | 'logSoftmaxBackward', { shape, dim }: Along, g: Tensor, y: Tensor): Tensor {
  const out = allocate(shape, y.info);
  instanceOf(name, kernels[name], y.info)(
    contiguousOf(g).array,
    contiguousOf(y).array,
    out.array,
    ...aroundDim(shape, dim),
  );
  return out;
}

/** dx = y (g - s), s = sum g y over dim; with cotangent c: dg = y (c - sum c y), dy = c (g - s) - g sum c y. */
const softmaxBackwardOp: Operator<number, Tensor> = defineOp<number, Along>({
  name: 'softmaxBackward',
  nativeHalf: true,
  infer: ([g], dim) => ({ shape: g.shape, dim }),
  forward: (spec, [g, y]) => backward('softmaxBackward', spec, g, y),
  save: (context, [g, y]) => context.save(g, y),
  backward: (context, c): Gradients => {
    const g = context.saved(0);
    const y = context.saved(1);
    const { dim } = context.spec;
    const dg = context.needs(0) ? softmaxBackwardOp([c, y], dim) : null;
    if (!context.needs(1)) return [dg, null];
    const dims = y.shape.length === 0 ? [] : [dim];
    const s = sumOp([mul.op([g, y])], dims);
    const t = sumOp([mul.op([c, y])], dims);
    return [dg, subOp([mul.op([c, subOp([g, s])]), mul.op([g, t])])];
  },
});

/** dx = g - e^y s, s = sum g over dim; with cotangent c: dg = c - sum c e^y, dy = -c e^y s. */
const logSoftmaxBackwardOp = defineOp<number, Along>({
  name: 'logSoftmaxBackward',
  nativeHalf: true,
  infer: ([g], dim) => ({ shape: g.shape, dim }),
  forward: (spec, [g, y]) => backward('logSoftmaxBackward', spec, g, y),
  save: (context, [g, y]) => context.save(g, y),
  backward: (context, c): Gradients => {
    const y = context.saved(1);
    const dims = y.shape.length === 0 ? [] : [context.spec.dim];
    const weighted = mul.op([c, exp.op([y])]);
    const dg = context.needs(0) ? subOp([c, sumOp([weighted], dims)]) : null;
    return [dg, context.needs(1) ? neg.op([mul.op([weighted, sumOp([context.saved(0)], dims)])]) : null];
  },
});

/** y = e^x / sum e^x over dim; dx = y (g - sum g y). */
export const softmaxOp = defineOp<number, Along>({
  name: 'softmax',
  nativeHalf: true,
  infer: ([x], dim) => ({ shape: x.shape, dim: wrapDim('softmax', dim, x.shape.length) }),
  forward: (spec, [x]) => forward('softmax', spec, x),
  save: (context, _, [y]) => context.save(y),
  backward: (context, g) => [softmaxBackwardOp([g, context.saved(0)], context.spec.dim)],
});

/** y = x - log sum e^x over dim; dx = g - e^y sum g. */
export const logSoftmaxOp = defineOp<number, Along>({
  name: 'logSoftmax',
  nativeHalf: true,
  infer: ([x], dim) => ({ shape: x.shape, dim: wrapDim('logSoftmax', dim, x.shape.length) }),
  forward: (spec, [x]) => forward('logSoftmax', spec, x),
  save: (context, _, [y]) => context.save(y),
  backward: (context, g) => [logSoftmaxBackwardOp([g, context.saved(0)], context.spec.dim)],
});

/** y = log sum e^x over dims (kept as 1); dx = g e^(x - y). */
export const logsumexpOp = defineOp<readonly number[], ReduceSpec>({
  name: 'logsumexp',
  infer: ([x], dims) => ({ shape: x.shape, dims, kept: keptShape(x.shape, dims) }),
  forward: (spec, [x]) =>
    reduceGroups(x, spec, x.info, (input, out, outer, n, inner) =>
      instanceOf('logsumexp', kernels.logsumexp, input.info)(input.array, out.array, outer, n, inner),
    ),
  save: (context, [x], [y]) => context.save(x, y),
  backward: (context, g) => [mul.op([g, exp.op([subOp([context.saved(0), context.saved(1)])])])],
});

/** The input in the type asked for; integers need one, as in PyTorch. */
function converted(op: string, input: unknown, dtype: DType | null | undefined): Tensor {
  const x = tensorArgument(op, 'input', input);
  return dtype === undefined || dtype === null ? x : castRecorded(x, dtypeInfo(op, dtype));
}

/**
 * The dimension that nn.functional takes where none is given (PyTorch's legacy rule): 0 for 0, 1 and 3 dimensions, else
 * 1.
 */
function implicitDim(dim: number | null | undefined, ndim: number): number {
  if (dim !== undefined && dim !== null) return dim;
  return ndim === 0 || ndim === 1 || ndim === 3 ? 0 : 1;
}

/** e^input / sum of e^input along `dim`, computed without overflow; `dtype` converts the input first. Same shape. */
export const softmax = defineFunction(
  { name: 'softmax', parameters: ['input', 'dim', 'dtype'], required: 2 },
  (input: Tensor, dim: number, dtype?: DType | null): Tensor => softmaxOp([converted('softmax', input, dtype)], dim),
);

/** log(softmax(input)) along `dim`, computed in one stable step. Same shape. */
export const logSoftmax = defineFunction(
  { name: 'logSoftmax', parameters: ['input', 'dim', 'dtype'], required: 2 },
  (input: Tensor, dim: number, dtype?: DType | null): Tensor =>
    logSoftmaxOp([converted('logSoftmax', input, dtype)], dim),
);

/** As `softmax`; PyTorch's `nn.functional.softmax`, in which `dim` may be left out. */
export const functionalSoftmax = defineFunction(
  { name: 'nn.functional.softmax', parameters: ['input', 'dim', '_stacklevel', 'dtype'] },
  (input: Tensor, dim?: number | null, _stacklevel?: number, dtype?: DType | null): Tensor => {
    const x = converted('softmax', input, dtype);
    return softmaxOp([x], implicitDim(dim, x.shape.length));
  },
);

/** As `logSoftmax`; PyTorch's `nn.functional.log_softmax`, in which `dim` may be left out. */
export const functionalLogSoftmax = defineFunction(
  { name: 'nn.functional.logSoftmax', parameters: ['input', 'dim', '_stacklevel', 'dtype'] },
  (input: Tensor, dim?: number | null, _stacklevel?: number, dtype?: DType | null): Tensor => {
    const x = converted('logSoftmax', input, dtype);
    return logSoftmaxOp([x], implicitDim(dim, x.shape.length));
  },
);

/** softmax(-input) along `dim`: the smallest element gets the largest share. */
export const functionalSoftmin = defineFunction(
  { name: 'nn.functional.softmin', parameters: ['input', 'dim', '_stacklevel', 'dtype'], composed: true },
  (input: Tensor, dim?: number | null, _stacklevel?: number, dtype?: DType | null): Tensor => {
    // Negated in its own type first, as PyTorch does: an unsigned integer wraps around.
    const x = converted('softmin', neg.op([tensorArgument('softmin', 'input', input)]), dtype);
    return softmaxOp([x], implicitDim(dim, x.shape.length));
  },
);

/**
 * log of the sum of e^input over `dim`, computed without overflow; -Infinity where there is nothing to sum. Integers
 * become the default floating type.
 */
export const logsumexp = defineFunction(
  { name: 'logsumexp', parameters: ['input', 'dim', 'keepdim'], required: 2 },
  (input: Tensor, dim: number | readonly number[], keepdim?: boolean): Tensor => {
    const given = tensorArgument('logsumexp', 'input', input);
    const x = given.info.floating ? given : castRecorded(given, defaultFloatInfo());
    const dims = wrapDims('logsumexp', dim, x.shape.length);
    return finishDims(logsumexpOp([x], dims), dims, keepdim);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    softmax: Method<typeof softmax>;
    logSoftmax: Method<typeof logSoftmax>;
    logsumexp: Method<typeof logsumexp>;
  }
}
