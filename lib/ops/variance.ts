/** Variance and standard deviation over dimensions: one fused pass, with the mean beside it. */
import { ArgumentError, DTypeError, describe, fail } from '../errors.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import { wrapDims } from '../shape/dims.js';
import type { TypedArray } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';
import { addOp, mulOp, subOp } from './arithmetic.js';
import { defineFunction, type Method } from './define-function.js';
import { defineOp, instanceOf, type Operator } from './define-op.js';
import { divideOrZero } from './norm.js';
import { sqrt } from './power.js';
import { scalarTensor, tensorArgument } from './promotion.js';
import { meanOp } from './reduce.js';
import { finishDims, gatherDims, reducedCount, reduceSpec, type ReduceSpec } from './reduction.js';
import { expandOp } from './view.js';

declare module '../native/kernels.js' {
  interface Kernels {
    /** variance = (sum over n of (input - mean)^2) / max(0, n - correction), and the mean. */
    varMean: KernelTable<[input: TypedArray, variance: TypedArray, mean: TypedArray, outer: number, n: number, inner: number, correction: number]>;
  }
}

interface VarianceAttributes {
  readonly dims: readonly number[];
  readonly correction: number;
}
type VarianceSpec = ReduceSpec & VarianceAttributes;
type Gradients = readonly (Tensor | null)[];

/** x - its mean over dims. */
function centred(x: Tensor, dims: readonly number[]): Tensor {
  return subOp([x, meanOp([x], dims)]);
}

/** v = sum (x - m)^2 / (n - correction), m = sum x / n; dx = 2 gv (x - m) / (n - correction) + gm / n. */
export const varMeanOp: Operator<VarianceAttributes, Tensor[]> = defineOp<VarianceAttributes, VarianceSpec, Tensor[]>({
  name: 'varMean',
  infer: ([x], { dims, correction }) => ({ ...reduceSpec('var', x, dims), dims, kept: Object.freeze(x.shape.map((n, d) => (dims.includes(d) ? 1 : n))), correction }),
  forward: (spec, [x]) => {
    const { input, outer, n, inner } = gatherDims(x, spec);
    const variance = allocate(spec.kept, x.info);
    const mean = allocate(spec.kept, x.info);
    instanceOf('var', kernels.varMean, x)(input.array, variance.array, mean.array, outer, n, inner, spec.correction);
    return [variance, mean];
  },
  save: (context, [x]) => context.save(x),
  backward: (context, _, [gv, gm]): Gradients => {
    const { spec } = context;
    const n = reducedCount(spec);
    const throughMean = gm === null ? null : expandOp([mulOp([gm, scalarTensor(1 / n, gm.info)])], spec.shape);
    if (gv === null) return [throughMean];
    const x = context.saved(0);
    const scaled = mulOp([gv, scalarTensor(2 / Math.max(0, n - spec.correction), gv.info)]);
    const throughVariance = mulOp([scaled, centred(x, spec.dims)]);
    return [throughMean === null ? throughVariance : addOp([throughVariance, throughMean])];
  },
});

/** y = sqrt(v); dv = g / (2 y), 0 where y is 0. */
const standardDeviationOp = defineOp<void, null>({
  name: 'standardDeviation',
  infer: () => null,
  forward: (_, [v]) => sqrt.op([v]),
  save: (context, _, [y]) => context.save(y),
  backward: (context, g): Gradients => [divideOrZero(mulOp([g, scalarTensor(0.5, g.info)]), context.saved(0))],
});

/** Arguments of var and its relatives after the input: PyTorch's (unbiased), (dim, unbiased, keepdim) and (dim, keepdim, correction). */
export type VarianceArguments = [input: Tensor, dim?: number | readonly number[] | boolean | null, unbiased?: boolean | null, keepdim?: boolean, correction?: number | null];
const PARAMETERS = ['input', 'dim', 'unbiased', 'keepdim', 'correction'] as const;

interface Variance {
  readonly variance: Tensor;
  readonly mean: Tensor;
  readonly dims: readonly number[];
  readonly keepdim: boolean | undefined;
}

function varianceOf(op: string, [input, dim, unbiased, keepdim, correction]: VarianceArguments): Variance {
  const x = tensorArgument(op, 'input', input);
  if (!x.info.floating) fail(DTypeError, op, 'a floating dtype', x.dtype, { input: x });
  const all = typeof dim === 'boolean';
  const flag = all ? dim : unbiased;
  if (correction !== undefined && correction !== null) {
    if (typeof correction !== 'number') fail(ArgumentError, op, 'a number for correction', describe(correction));
    if (flag !== undefined && flag !== null) fail(ArgumentError, op, 'either unbiased or correction', 'both');
  }
  const dims = wrapDims(op, all ? null : dim, x.shape.length);
  const [variance, mean] = varMeanOp([x], { dims, correction: correction ?? (flag === false ? 0 : 1) });
  return { variance, mean, dims, keepdim };
}

/** The variance over `dim` (all dimensions by default): sum (x - mean)^2 / max(0, n - correction), correction 1 unless `unbiased` is false. */
const variance = defineFunction({ name: 'var', parameters: PARAMETERS, keywords: 1 }, (...args: VarianceArguments): Tensor => {
  const { variance, dims, keepdim } = varianceOf('var', args);
  return finishDims(variance, dims, keepdim);
});
export { variance as var };

/** Variance and mean over `dim` in one pass: `[variance, mean]`. */
export const varMean = defineFunction({ name: 'varMean', parameters: PARAMETERS, keywords: 1, method: false }, (...args: VarianceArguments): [Tensor, Tensor] => {
  const { variance, mean, dims, keepdim } = varianceOf('varMean', args);
  return [finishDims(variance, dims, keepdim), finishDims(mean, dims, keepdim)];
});

/** The standard deviation over `dim`: the square root of `var`. */
export const std = defineFunction({ name: 'std', parameters: PARAMETERS, keywords: 1, composed: true }, (...args: VarianceArguments): Tensor => {
  const { variance, dims, keepdim } = varianceOf('std', args);
  return finishDims(standardDeviationOp([variance], undefined), dims, keepdim);
});

/** Standard deviation and mean over `dim` in one pass: `[std, mean]`. */
export const stdMean = defineFunction({ name: 'stdMean', parameters: PARAMETERS, keywords: 1, method: false, composed: true }, (...args: VarianceArguments): [Tensor, Tensor] => {
  const { variance, mean, dims, keepdim } = varianceOf('stdMean', args);
  return [finishDims(standardDeviationOp([variance], undefined), dims, keepdim), finishDims(mean, dims, keepdim)];
});

declare module '../tensor/tensor.js' {
  interface Tensor {
    std: Method<typeof std>;
    var: Method<typeof variance>;
  }
}
