/** The linear layers' functions: y = x W^T + b, and the bilinear form. */
import { fail, ShapeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { add } from './arithmetic.js';
import { defineFunction } from './define-function.js';
import { matmul } from './matmul.js';
import { linearOp } from './matmul-op.js';
import { tensorArgument } from './promotion.js';

const OP = 'nn.functional.linear';

/**
 * y = x W^T + b. PyTorch's `torch.nn.functional.linear`.
 *
 * `input` is [..., inFeatures], `weight` [outFeatures, inFeatures] or [inFeatures], `bias` [outFeatures] or none; the result is
 * [..., outFeatures], or [...] for a weight of one dimension. Throws ShapeError where the features differ.
 */
export const linear = defineFunction({ name: OP, parameters: ['input', 'weight', 'bias'], required: 2 }, (input: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
  const x = tensorArgument(OP, 'input', input);
  const w = tensorArgument(OP, 'weight', weight);
  if (x.shape.length === 0 || (w.shape.length !== 1 && w.shape.length !== 2)) fail(ShapeError, OP, 'input[..., in] and weight[out, in] or [in]', `[${x.shape}] and [${w.shape}]`);
  if (w.shape.length === 1) {
    const y = matmul(x, w);
    return bias === null || bias === undefined ? y : add(y, bias);
  }
  if (bias === null || bias === undefined) return linearOp([x, w], { op: OP, transpose: true, alpha: 1, beta: 0 });
  return linearOp([x, w, tensorArgument(OP, 'bias', bias)], { op: OP, transpose: true, alpha: 1, beta: 1 });
});
