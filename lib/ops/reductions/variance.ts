/** Variance and standard deviation over dimensions: one fused pass, with the mean beside it. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDims } from '../../shape/dims.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import type { Tensor } from '../../tensor/tensor.js';
import { wide } from '../core/convert.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { expandOp } from '../core/view.js';
import { addOp, mul, subOp } from '../elementwise/arithmetic.js';
import { divideOrZero } from '../elementwise/selection.js';
import { meanOp } from './reduce.js';
import { finishDims, gatherDims, keptShape, type ReduceSpec, reducedCount, reduceSpec } from './reduction.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /**
     * variance = (sum over n of (input - mean)^2) / max(0, n - correction), or its square root where `root`, and the
     * mean.
     */
    varMean: KernelTable<
      [
        input: TypedArray,
        variance: TypedArray,
        mean: TypedArray,
        outer: number,
        n: number,
        inner: number,
        correction: number,
        root: number,
      ]
    >;
  }
}

interface VarianceAttributes {
  readonly dims: readonly number[];
  readonly correction: number;
}
type VarianceSpec = ReduceSpec & VarianceAttributes;
/** x - its mean over dims. */
function centred(x: Tensor, dims: readonly number[]): Tensor {
  return subOp([x, meanOp([x], dims)]);
}

/**
 * v = sum (x - m)^2 / (n - correction), m = sum x / n; dx = 2 gv (x - m) / (n - correction) + gm / n. Of the deviation
 * s = sqrt(v), which may be in range where v is not: dx = gs ((x - m) / s) / (n - correction) + gm / n, 0 where s is 0.
 * 16-bit gradients are computed in float32 and rounded once.
 */
function momentsOp(name: 'varMean' | 'stdMean'): Operator<VarianceAttributes, Tensor[]> {
  const root = name === 'stdMean';
  return defineOp<VarianceAttributes, VarianceSpec, Tensor[]>({
    name,
    infer: ([x], attributes) => ({
      ...reduceSpec('var', x, attributes.dims),
      ...attributes,
      kept: keptShape(x.shape, attributes.dims),
    }),
    forward: (spec, [x]) => {
      const { input, outer, n, inner } = gatherDims(x, spec);
      const spread = allocate(spec.kept, x.info);
      const mean = allocate(spec.kept, x.info);
      instanceOf('var', kernels.varMean, x.info)(
        input.array,
        spread.array,
        mean.array,
        outer,
        n,
        inner,
        spec.correction,
        Number(root),
      );
      return [spread, mean];
    },
    save: (context, [x], [spread]) => (root ? context.save(x, spread) : context.save(x)),
    backward: (context, _, gradients): Gradients => {
      const { spec } = context;
      const n = reducedCount(spec);
      const [gv, gm] = gradients.map((g) => (g === null ? null : wide(g)));
      const throughMean = gm === null ? null : expandOp([mul.op([gm, scalarTensor(1 / n, gm.info)])], spec.shape);
      if (gv === null) return [throughMean];
      const x = centred(wide(context.saved(0)), spec.dims);
      const freedom = Math.max(0, n - spec.correction);
      const throughSpread = root
        ? mul.op([divideOrZero(x, wide(context.saved(1))), mul.op([gv, scalarTensor(1 / freedom, gv.info)])])
        : mul.op([mul.op([gv, scalarTensor(2 / freedom, gv.info)]), x]);
      return [throughMean === null ? throughSpread : addOp([throughSpread, throughMean])];
    },
  });
}
const varMeanOp = momentsOp('varMean');
const stdMeanOp = momentsOp('stdMean');

/**
 * Arguments of var and its relatives after the input: PyTorch's (unbiased), (dim, unbiased, keepdim) and (dim, keepdim,
 * correction).
 */
export type VarianceArguments = [
  input: Tensor,
  dim?: number | readonly number[] | boolean | null,
  unbiased?: boolean | null,
  keepdim?: boolean,
  correction?: number | null,
];
const PARAMETERS = ['input', 'dim', 'unbiased', 'keepdim', 'correction'] as const;

interface Spread {
  /** The variance, or its root. */
  readonly spread: Tensor;
  readonly mean: Tensor;
  readonly dims: readonly number[];
  readonly keepdim: boolean | undefined;
}

function spreadOf(
  op: string,
  moments: Operator<VarianceAttributes, Tensor[]>,
  [input, dim, unbiased, keepdim, correction]: VarianceArguments,
): Spread {
  const x = tensorArgument(op, 'input', input);
  if (!x.info.floating) fail(DTypeError, op, 'a floating dtype', x.dtype, { input: x });
  const all = typeof dim === 'boolean';
  const flag = all ? dim : unbiased;
  if (correction !== undefined && correction !== null) {
    if (typeof correction !== 'number') fail(ArgumentError, op, 'a number for correction', describe(correction));
    if (flag !== undefined && flag !== null) fail(ArgumentError, op, 'either unbiased or correction', 'both');
  }
  const dims = wrapDims(op, all ? null : dim, x.shape.length);
  const [spread, mean] = moments([x], { dims, correction: correction ?? (flag === false ? 0 : 1) });
  return { spread, mean, dims, keepdim };
}

/**
 * The variance over `dim` (all dimensions by default): sum (x - mean)^2 / max(0, n - correction), correction 1 unless
 * `unbiased` is false.
 */
const variance = defineFunction(
  { name: 'var', parameters: PARAMETERS, keywords: 1 },
  (...args: VarianceArguments): Tensor => {
    const { spread, dims, keepdim } = spreadOf('var', varMeanOp, args);
    return finishDims(spread, dims, keepdim);
  },
);

export { variance as var };

/** Variance and mean over `dim` in one pass: `[variance, mean]`. */
export const varMean = defineFunction(
  { name: 'varMean', parameters: PARAMETERS, keywords: 1, method: false },
  (...args: VarianceArguments): [Tensor, Tensor] => {
    const { spread, mean, dims, keepdim } = spreadOf('varMean', varMeanOp, args);
    return [finishDims(spread, dims, keepdim), finishDims(mean, dims, keepdim)];
  },
);

/** The standard deviation over `dim`: the square root of `var`. */
export const std = defineFunction(
  { name: 'std', parameters: PARAMETERS, keywords: 1 },
  (...args: VarianceArguments): Tensor => {
    const { spread, dims, keepdim } = spreadOf('std', stdMeanOp, args);
    return finishDims(spread, dims, keepdim);
  },
);

/** Standard deviation and mean over `dim` in one pass: `[std, mean]`. */
export const stdMean = defineFunction(
  { name: 'stdMean', parameters: PARAMETERS, keywords: 1, method: false },
  (...args: VarianceArguments): [Tensor, Tensor] => {
    const { spread, mean, dims, keepdim } = spreadOf('stdMean', stdMeanOp, args);
    return [finishDims(spread, dims, keepdim), finishDims(mean, dims, keepdim)];
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    std: Method<typeof std>;
    var: Method<typeof variance>;
  }
}
