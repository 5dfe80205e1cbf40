/** Sums, means and products over dimensions. */

import { gradientOperators } from '../../autograd/gradient-operators.js';
import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { attachSizesMethod, type SizesMethod } from '../../dispatch/sizes-method.js';
import { DTypeError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastDims } from '../../shape/broadcast.js';
import { wrapDim, wrapDims } from '../../shape/dims.js';
import type { Shape } from '../../shape/layout.js';
import { type DType, dtypeInfo, FLOAT32 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { castTo } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded, wide } from '../core/convert.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { expandOp, reshape, viewOp } from '../core/view.js';
import { mul } from '../elementwise/arithmetic.js';
import { eq, isnan } from '../elementwise/comparison.js';
import { whereOp } from '../elementwise/selection.js';
import {
  accumulationInfo,
  type Dims,
  finishDims,
  inAccumulationType,
  isFull,
  type ReduceSpec,
  reducedCount,
  reduceGroups,
  reduceSpec,
} from './reduction.js';
import { exclusiveProduct } from './scan.js';

export { dropDims, type ReduceSpec, reduceSpec } from './reduction.js';

type ReduceKernel = KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out[o, i] = (sum over n of input[o, n, i]) / divisor; 16-bit floats give float32. */
    sum: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number, divisor: number]>;
    prod: ReduceKernel;
  }
}

/** The sum over dims, divided by `divisor`; 16-bit floats are summed in float32 and rounded once. */
function sumForward(spec: ReduceSpec, x: Tensor, divisor: number): Tensor {
  const out = reduceGroups(x, spec, x.info.half ? FLOAT32 : x.info, (input, to, outer, n, inner, last) =>
    instanceOf('sum', kernels.sum, input.info)(input.array, to.array, outer, n, inner, last ? divisor : 1),
  );
  return x.info.half ? castTo(out, x.info) : out;
}

/** y = sum of x over dims (kept as 1); dx = g, expanded. */
export const sumOp = defineOp<Dims, ReduceSpec>({
  name: 'sum',
  nativeHalf: true,
  infer: ([x], dims) => reduceSpec('sum', x, dims),
  forward: (spec, [x]) => sumForward(spec, x, 1),
  backward: (context, g) => [expandOp([g], context.spec.shape)],
});

/** y = sum of x over dims (kept as 1) / n; dx = g / n, expanded. */
export const meanOp = defineOp<Dims, ReduceSpec>({
  name: 'mean',
  nativeHalf: true,
  infer: ([x], dims) => reduceSpec('mean', x, dims),
  forward: (spec, [x]) => sumForward(spec, x, reducedCount(spec)),
  backward: (context, given) => {
    // A 16-bit float would not hold 1 / n of a large n.
    const g = wide(given);
    return [expandOp([mul.op([g, scalarTensor(1 / reducedCount(context.spec), g.info)])], context.spec.shape)];
  },
});

/** y = product of x along dim (kept as 1); dx = g (product of the elements before) (product of the elements after). */
const prodOp = defineOp<number, ReduceSpec & { dim: number }>({
  name: 'prod',
  infer: ([x], dim) => ({ ...reduceSpec('prod', x, dim), dim }),
  forward: (spec, [x]) =>
    reduceGroups(x, spec, x.info, (input, out, outer, n, inner) =>
      instanceOf('prod', kernels.prod, input.info)(input.array, out.array, outer, n, inner),
    ),
  save: (context, [x]) => context.save(x),
  backward: (context, g): readonly (Tensor | null)[] => {
    const x = context.saved(0);
    const { dim } = context.spec;
    return [
      mul.op([g, mul.op([exclusiveProduct(x, { dim, reverse: false }), exclusiveProduct(x, { dim, reverse: true })])]),
    ];
  },
});

/** The sum over the dimensions along which broadcasting from `shape` repeated, recorded. */
export function sumToShape(gradient: Tensor, shape: Shape): Tensor {
  const dims = broadcastDims(shape, gradient.shape);
  const reduced = dims.length === 0 ? gradient : sumOp([gradient], dims);
  return viewOp([reduced], shape);
}
gradientOperators.sumToShape = sumToShape;

/** The sum over `dim` (all dimensions by default); bool and integers are summed in int64. */
export const sum = defineFunction(
  { name: 'sum', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1 },
  (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor => {
    const x = tensorArgument('sum', 'input', input);
    const info = accumulationInfo('sum', x, dtype);
    if (isFull(dim, keepdim)) return inAccumulationType(x, info, (wide) => sumOp([wide], null));
    const dims = wrapDims('sum', dim, x.shape.length);
    return finishDims(
      inAccumulationType(x, info, (wide) => sumOp([wide], dims)),
      dims,
      keepdim,
    );
  },
);

/** The input as floating numbers for a mean: PyTorch takes no integers here unless a floating dtype is asked for. */
function meanInput(op: string, input: unknown, dtype: DType | null | undefined): Tensor {
  const x = tensorArgument(op, 'input', input);
  const info = dtype === undefined || dtype === null ? x.info : dtypeInfo(op, dtype);
  if (!info.floating) fail(DTypeError, op, 'a floating dtype (pass { dtype } to convert)', info.name, { input: x });
  return castRecorded(x, info);
}

/**
 * The mean over `dim` (all dimensions by default): sum / n, NaN where n is 0. Floating input, or a floating `dtype`.
 */
export const mean = defineFunction(
  { name: 'mean', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1 },
  (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor => {
    const x = meanInput('mean', input, dtype);
    if (isFull(dim, keepdim)) return meanOp([x], null);
    const dims = wrapDims('mean', dim, x.shape.length);
    return finishDims(meanOp([x], dims), dims, keepdim);
  },
);

/** The sum over `dim` (all dimensions by default) with NaN counted as 0. */
export const nansum = defineFunction(
  { name: 'nansum', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1, composed: true },
  (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor => {
    const x = tensorArgument('nansum', 'input', input);
    return sum(x.info.floating ? withoutNan(x) : x, dim, { keepdim, dtype });
  },
);

/**
 * The mean over `dim` (all dimensions by default) of the elements that are not NaN; NaN where there is none. Floating
 * input.
 */
export const nanmean = defineFunction(
  { name: 'nanmean', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1, composed: true },
  (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor => {
    const x = meanInput('nanmean', tensorArgument('nanmean', 'input', input), null);
    const numbers = sum(eq.op([x, x]), dim, { keepdim });
    return nansum(x, dim, { keepdim, dtype }).div(numbers);
  },
);

/** x with 0 in the place of NaN; no gradient flows there. */
function withoutNan(x: Tensor): Tensor {
  return whereOp([scalarTensor(0, x.info), x, isnan(x)]);
}

/** The product along `dim`, or of all elements; bool and integers are multiplied in int64. */
export const prod = defineFunction(
  { name: 'prod', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1 },
  (input: Tensor, dim?: number | null, keepdim?: boolean, dtype?: DType | null): Tensor => {
    const [x] = applyAutocast('float32', [tensorArgument('prod', 'input', input)]);
    const info = accumulationInfo('prod', x, dtype);
    if (dim === undefined || dim === null)
      return inAccumulationType(x, info, (wide) => finishDims(prodOp([reshape(wide, [-1])], 0), [0], false));
    const wrapped = wrapDim('prod', dim, x.shape.length);
    return finishDims(
      inAccumulationType(x, info, (wide) => prodOp([wide], wrapped)),
      x.shape.length === 0 ? [] : [wrapped],
      keepdim,
    );
  },
);

attachSizesMethod('sumToSize', 'size', (x, size) => {
  const lead = x.shape.length - size.length;
  if (lead < 0 || size.some((n, d) => n !== x.shape[d + lead] && n !== 1))
    fail(ShapeError, 'sumToSize', `a size that expands to [${x.shape}]`, `[${size}]`, { input: x });
  const dims = x.shape.map((_, d) => d).filter((d) => d < lead || (size[d - lead] === 1 && x.shape[d] !== 1));
  return dims.length === 0 ? x : x.sum(dims, true).reshape([...size]);
});

declare module '../../tensor/tensor.js' {
  interface Tensor {
    sum: Method<typeof sum>;
    mean: Method<typeof mean>;
    nansum: Method<typeof nansum>;
    nanmean: Method<typeof nanmean>;
    prod: Method<typeof prod>;
    sumToSize: SizesMethod;
  }
}
