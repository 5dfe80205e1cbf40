/** Norms of vectors over dimensions, (sum |x|^p)^(1/p) in one pass, with PyTorch's gradients at zero; and normalize. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDims } from '../../shape/dims.js';
import { BOOL, type DType, dtypeInfo, promote } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { castTo } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded, wide } from '../core/convert.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { expandOp } from '../core/view.js';
import { divOp, mul } from '../elementwise/arithmetic.js';
import { eq } from '../elementwise/comparison.js';
import { powScalarOp } from '../elementwise/power.js';
import { abs, sign } from '../elementwise/rounding.js';
import { clampMin, divideOrZero, whereOp } from '../elementwise/selection.js';
import { requireElements, tieWeightsOp } from '../reductions/extrema.js';
import { finishDims, keptShape, type ReduceSpec, reduceGroups } from '../reductions/reduction.js';
import { nuclearNorm } from './svd.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out[o, i] = (sum over n of |input|^p)^(1/p); the largest or smallest |input| for p of infinity. */
    norm: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number, p: number]>;
  }
}

interface NormAttributes {
  readonly dims: readonly number[];
  readonly p: number;
}
type NormSpec = ReduceSpec & NormAttributes;
/** sign(x) |x|^e; for a negative e, 0 where x is 0. */
function signedPower(x: Tensor, e: number): Tensor {
  if (e === 1) return x;
  const size = abs.op([x]);
  if (e > 1) return mul.op([x, powScalarOp([size], [e - 1])]);
  const zero = scalarTensor(0, x.info);
  const atZero = eq.op([x, zero]);
  const safe = whereOp([scalarTensor(1, x.info), size, atZero]);
  return mul.op([sign.op([x]), whereOp([zero, powScalarOp([safe], [e]), atZero])]);
}

/**
 * y = (sum |x|^p)^(1/p); dx = g sign(x) (|x| / y)^(p - 1), 0 where y is 0; for p of infinity the ties of |x| = y share
 * g sign(x) evenly. The quotient is taken before its power, which stays in range, and 16-bit gradients are computed in
 * float32 and rounded once.
 */
const normOp = defineOp<NormAttributes, NormSpec>({
  name: 'norm',
  infer: ([x], { dims, p }) => ({ shape: x.shape, dims, kept: keptShape(x.shape, dims), p }),
  forward: (spec, [x]) => {
    // The 0-norm counts; every other norm of norms is the norm of all.
    if (spec.p === 0) {
      const ones = castTo(castTo(x, BOOL), x.info);
      return reduceGroups(ones, spec, x.info, (input, out, outer, n, inner) =>
        instanceOf('norm', kernels.sum, input.info)(input.array, out.array, outer, n, inner, 1),
      );
    }
    return reduceGroups(x, spec, x.info, (input, out, outer, n, inner) =>
      instanceOf('norm', kernels.norm, input.info)(input.array, out.array, outer, n, inner, spec.p),
    );
  },
  save: (context, [x], [y]) => context.save(x, y),
  backward: (context, given): Gradients => {
    const { p } = context.spec;
    const g = wide(given);
    const x = wide(context.saved(0));
    if (p === 0) return [expandOp([mul.op([g, scalarTensor(0, g.info)])], context.spec.shape)];
    if (p === 1) return [mul.op([g, sign.op([x])])];
    const y = context.saved(1);
    if (!Number.isFinite(p))
      return [
        mul.op([
          mul.op([g, sign.op([x])]),
          wide(tieWeightsOp([abs.op([context.saved(0)]), y], { ...context.spec, nan: true })),
        ]),
      ];
    if (p < 1) return [mul.op([signedPower(x, p - 1), mul.op([g, powScalarOp([wide(y)], [1 - p])])])];
    return [mul.op([g, signedPower(divideOrZero(x, wide(y)), p - 1)])];
  },
});

/** The input in the type asked for, which must hold all of its values. */
function inDtype(op: string, input: Tensor, dtype: DType | null | undefined): Tensor {
  if (dtype === undefined || dtype === null) return input;
  const info = dtypeInfo(op, dtype);
  if (!info.floating || promote(info, input.info) !== info)
    fail(DTypeError, op, `a floating dtype that holds ${input.dtype}`, dtype);
  return castRecorded(input, info);
}

/** The vector norm over dims, after the checks that `norm` and `linalg.vectorNorm` share. */
function vectorNormOf(
  op: string,
  input: Tensor,
  p: number,
  dim: number | readonly number[] | null | undefined,
  keepdim: boolean | undefined,
  dtype: DType | null | undefined,
): Tensor {
  if (typeof p !== 'number') fail(ArgumentError, op, 'a number for the order', describe(p));
  if (!input.info.floating) fail(DTypeError, op, 'a floating dtype', input.dtype, { input });
  const x = inDtype(op, input, dtype);
  const dims = wrapDims(op, dim, x.shape.length);
  if (p < 0 || p === Number.POSITIVE_INFINITY) requireElements(op, x, dims, dim !== undefined && dim !== null);
  return finishDims(normOp([x], { dims, p }), dims, keepdim);
}

/**
 * `(sum |x|^ord)^(1/ord)` over `dim` (all dimensions by default): ord 2 by default; infinity and -infinity take the
 * largest and smallest |x|, 0 counts what is not 0. PyTorch: torch.linalg.vector_norm.
 */
export const vectorNorm = defineFunction(
  { name: 'linalg.vectorNorm', parameters: ['x', 'ord', 'dim', 'keepdim', 'dtype'], keywords: 1, composed: true },
  (x: Tensor, ord?: number, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType | null): Tensor =>
    vectorNormOf('vectorNorm', tensorArgument('vectorNorm', 'x', x), ord ?? 2, dim, keepdim, dtype),
);

/**
 * The `p`-norm over `dim` (all dimensions by default); 'fro', the default, is the 2-norm; 'nuc' sums the singular
 * values of matrices.
 */
export const norm = defineFunction(
  { name: 'norm', parameters: ['input', 'p', 'dim', 'keepdim', 'dtype'], composed: true },
  (
    input: Tensor,
    p?: number | 'fro' | 'nuc' | null,
    dim?: number | readonly number[] | null,
    keepdim?: boolean,
    dtype?: DType | null,
  ): Tensor => {
    const x = tensorArgument('norm', 'input', input);
    if (p === 'nuc') return nuclearNorm('norm', inDtype('norm', x, dtype), dim, keepdim);
    if (typeof p === 'string' && p !== 'fro')
      fail(ArgumentError, 'norm', "a number, 'fro' or 'nuc' for p", describe(p));
    return vectorNormOf('norm', x, p === undefined || p === null || p === 'fro' ? 2 : p, dim, keepdim, dtype);
  },
);

/**
 * `input / max(norm(input, p, dim), eps)`: vectors along `dim` (1 by default) at length 1. Same shape. 16-bit tensors
 * are computed in float32 and rounded once.
 */
export const normalize = defineFunction(
  { name: 'nn.functional.normalize', parameters: ['input', 'p', 'dim', 'eps'], composed: true },
  (input: Tensor, p?: number, dim?: number | readonly number[], eps: number = 1e-12): Tensor => {
    const x = wide(tensorArgument('normalize', 'input', input));
    return castRecorded(divOp([x, clampMin(vectorNorm(x, p ?? 2, dim ?? 1, true), eps)]), input.info);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    norm: Method<typeof norm>;
  }
}
