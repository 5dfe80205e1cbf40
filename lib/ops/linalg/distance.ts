/** Distances of vectors, composed of norms: cosineSimilarity and pairwiseDistance. */

import { defineFunction } from '../../dispatch/define-function.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import { wrapDim } from '../../shape/dims.js';
import { sameShape } from '../../shape/layout.js';
import { defaultFloatInfo } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded, detach, wide } from '../core/convert.js';
import { asOperand, resultType, scalarTensor, tensorArgument } from '../core/promotion.js';
import { expandOp } from '../core/view.js';
import { addOp, divOp, mul, subOp } from '../elementwise/arithmetic.js';
import { clampMin } from '../elementwise/selection.js';
import { sumOp } from '../reductions/reduce.js';
import { finishDims } from '../reductions/reduction.js';
import { vectorNorm } from './vector-norm.js';

/** The norm along dim, at least eps in value; its gradient is the norm's own, as in PyTorch. */
function boundedNorm(x: Tensor, dim: number, eps: number): Tensor {
  const norm = vectorNorm(x, 2, dim, true);
  // What is missing: 0 of a norm that overflowed, where a difference of norms would be NaN.
  return addOp([norm, clampMin(subOp([scalarTensor(eps, x.info), detach(norm)]), 0)]);
}

/**
 * Sum of x1 x2 over `dim` (1 by default), each divided by its 2-norm, which counts as at least `eps` (1e-8). The
 * broadcast shape without `dim`.
 * 16-bit tensors are computed in float32 and rounded once.
 */
export const cosineSimilarity = defineFunction(
  { name: 'cosineSimilarity', parameters: ['x1', 'x2', 'dim', 'eps'], required: 2, method: false, composed: true },
  (x1: Tensor, x2: Tensor, dim?: number, eps: number = 1e-8): Tensor => {
    const op = 'cosineSimilarity';
    const info = resultType(op, [tensorArgument(op, 'x1', x1), tensorArgument(op, 'x2', x2)]);
    const a = wide(asOperand(op, x1, info));
    const b = wide(asOperand(op, x2, info));
    const shape = broadcastShapes(op, a.shape, b.shape);
    const wrapped = wrapDim(op, dim ?? 1, shape.length);
    const [x, y] = [a, b].map((t) => (sameShape(t.shape, shape) ? t : expandOp([t], shape)));
    const dims = shape.length === 0 ? [] : [wrapped];
    const similarity = sumOp(
      [mul.op([divOp([x, boundedNorm(x, wrapped, eps)]), divOp([y, boundedNorm(y, wrapped, eps)])])],
      dims,
    );
    return finishDims(castRecorded(similarity, info), dims, false);
  },
);

/** The `p`-norm (2) of `x1 - x2 + eps` along the last dimension: the distance of each pair of vectors. */
export const pairwiseDistance = defineFunction(
  {
    name: 'pairwiseDistance',
    parameters: ['x1', 'x2', 'p', 'eps', 'keepdim'],
    required: 2,
    method: false,
    composed: true,
    kinds: { p: 'number' },
  },
  (x1: Tensor, x2: Tensor, p: number = 2, eps: number = 1e-6, keepdim: boolean = false): Tensor => {
    const op = 'pairwiseDistance';
    const info = resultType(op, [tensorArgument(op, 'x1', x1), tensorArgument(op, 'x2', x2)]);
    const difference = subOp([asOperand(op, x1, info), asOperand(op, x2, info)]);
    // Integers become floating by the addition of eps, as in PyTorch.
    const floating = info.floating ? info : defaultFloatInfo();
    const moved = addOp([castRecorded(difference, floating), scalarTensor(eps, floating)]);
    return vectorNorm(moved, p, -1, keepdim);
  },
);
