/** Local response normalisation across channels, composed of an average over neighbouring channels. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { elementCount } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { pad } from '../movement/pad.js';
import { avgPool2d } from '../spatial/avg-pool.js';

/**
 * y[c] = x[c] / (k + alpha mean of x^2 over `size` channels around c)^beta. input [N, C, ...] with at least 3
 * dimensions. Returns the input's shape. Throws ShapeError, ArgumentError. PyTorch:
 * torch.nn.functional.local_response_norm.
 */
export const localResponseNorm = defineFunction(
  {
    name: 'nn.functional.localResponseNorm',
    parameters: ['input', 'size', 'alpha', 'beta', 'k'],
    required: 2,
    composed: true,
  },
  (input: Tensor, size: number, alpha?: number, beta?: number, k?: number): Tensor => {
    const x = tensorArgument('localResponseNorm', 'input', input);
    if (x.shape.length < 3)
      fail(ShapeError, 'localResponseNorm', 'an input of at least 3 dimensions', `${x.shape.length}`, { input: x });
    if (!Number.isInteger(size) || size < 1)
      fail(ArgumentError, 'localResponseNorm', 'size to be a whole number of at least 1', describe(size));
    if (elementCount(x.shape) === 0) return x;
    const [n, c] = x.shape;
    const squares = x.mul(x).reshape(n, 1, c, elementCount(x.shape.slice(2)));
    const padded = pad(squares, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)]);
    const mean = avgPool2d(padded, [size, 1], 1).reshape(x.shape);
    return x.div(
      mean
        .mul(alpha ?? 1e-4)
        .add(k ?? 1)
        .pow(beta ?? 0.75),
    );
  },
);
