/** The linear layers' functions: y = x W^T + b, and the bilinear form. */

import { defineFunction } from '../../dispatch/define-function.js';
import { fail, ShapeError } from '../../errors.js';
import { elementCount, sameShape } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { reshape } from '../core/view.js';
import { add } from '../elementwise/arithmetic.js';
import { matmul } from './matmul.js';
import { linearOp, matmulOp } from './matmul-op.js';

const OP = 'nn.functional.linear';
const BILINEAR = 'nn.functional.bilinear';

/**
 * y = x W^T + b. PyTorch's `torch.nn.functional.linear`.
 *
 * `input` is [..., inFeatures], `weight` [outFeatures, inFeatures] or [inFeatures], `bias` [outFeatures] or none; the
 * result is [..., outFeatures], or [...] for a weight of one dimension. Throws ShapeError where the features differ.
 */
export const linear = defineFunction(
  { name: OP, parameters: ['input', 'weight', 'bias'], required: 2 },
  (input: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
    const x = tensorArgument(OP, 'input', input);
    const w = tensorArgument(OP, 'weight', weight);
    if (x.shape.length === 0 || (w.shape.length !== 1 && w.shape.length !== 2))
      fail(ShapeError, OP, 'input[..., in] and weight[out, in] or [in]', `[${x.shape}] and [${w.shape}]`);
    if (w.shape.length === 1) {
      const y = matmul(x, w);
      return bias === null || bias === undefined ? y : add(y, bias);
    }
    if (bias === null || bias === undefined) return linearOp([x, w], { op: OP, transpose: true, alpha: 1, beta: 0 });
    return linearOp([x, w, tensorArgument(OP, 'bias', bias)], { op: OP, transpose: true, alpha: 1, beta: 1 });
  },
);

/**
 * y[..., o] = sum over i, j of x1[..., i] W[o, i, j] x2[..., j] + b[o]. PyTorch's `torch.nn.functional.bilinear`.
 *
 * `input1` is [..., in1], `input2` [..., in2] with the same leading sizes, `weight` [out, in1, in2], `bias` [out] or
 * none.
 */
export const bilinear = defineFunction(
  { name: BILINEAR, parameters: ['input1', 'input2', 'weight', 'bias'], required: 3, composed: true },
  (input1: Tensor, input2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
    const x = tensorArgument(BILINEAR, 'input1', input1);
    const y = tensorArgument(BILINEAR, 'input2', input2);
    const w = tensorArgument(BILINEAR, 'weight', weight);
    const lead = x.shape.slice(0, -1);
    const [i, j] = [x.shape[x.shape.length - 1], y.shape[y.shape.length - 1]];
    if (x.shape.length === 0 || y.shape.length === 0 || !sameShape(lead, y.shape.slice(0, -1)))
      fail(ShapeError, BILINEAR, 'inputs of the same leading sizes', `[${x.shape}] and [${y.shape}]`);
    if (w.shape.length !== 3 || w.shape[1] !== i || w.shape[2] !== j)
      fail(ShapeError, BILINEAR, `a weight of [out, ${i}, ${j}]`, `[${w.shape}]`);
    const rows = elementCount(lead);
    const out = w.shape[0];
    const partial = linearOp([reshape(y, [rows, j]), reshape(w, [out * i, j])], {
      op: BILINEAR,
      transpose: true,
      alpha: 1,
      beta: 0,
    });
    const column = reshape(x, [rows, i, 1]);
    const product = matmulOp([reshape(partial, [rows, out, i]), column], {
      op: BILINEAR,
      transposeA: false,
      transposeB: false,
      alpha: 1,
      beta: 0,
    });
    const result = reshape(product, [...lead, out]);
    return bias === null || bias === undefined ? result : add(result, tensorArgument(BILINEAR, 'bias', bias));
  },
);
