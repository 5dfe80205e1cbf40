/** Products under `linalg`: matmul, vecdot, multiDot. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, fail, ShapeError } from '../../errors.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import { wrapDim } from '../../shape/dims.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument, tensorArguments } from '../core/promotion.js';
import { squeeze, unsqueeze } from '../core/view.js';
import { mul } from '../elementwise/arithmetic.js';
import { matmul as product } from '../products/matmul.js';
import { multiplyChain } from '../products/tensor-products.js';
import { sum } from '../reductions/reduce.js';

/** As `matmul`. PyTorch's `torch.linalg.matmul`. */
export const matmul = defineFunction(
  { name: 'linalg.matmul', parameters: ['input', 'other'], required: 2 },
  (input: Tensor, other: Tensor): Tensor => product(input, other),
);

/**
 * Dot products along a dimension of both, the rest broadcast: y = sum over `dim` (default -1) of x y. PyTorch's
 * `torch.linalg.vecdot`.
 */
export const vecdot = defineFunction(
  { name: 'linalg.vecdot', parameters: ['x', 'y', 'dim'], keywords: 1, required: 2 },
  (x: Tensor, y: Tensor, dim: number = -1): Tensor => {
    const a = tensorArgument('vecdot', 'x', x);
    const b = tensorArgument('vecdot', 'y', y);
    const shape = broadcastShapes('vecdot', a.shape, b.shape);
    if (shape.length === 0) fail(ShapeError, 'vecdot', 'operands of at least 1 dimension', '0');
    return sum(mul(a, b), wrapDim('vecdot', dim, shape.length));
  },
);

/**
 * The product of two or more matrices in the order that takes the fewest operations; the first and the last may be
 * vectors. PyTorch's `torch.linalg.multi_dot`.
 */
export const multiDot = defineFunction(
  { name: 'linalg.multiDot', parameters: ['tensors'], composed: true },
  (tensors: readonly Tensor[]): Tensor => {
    if (!Array.isArray(tensors) || tensors.length < 2)
      fail(
        ArgumentError,
        'multiDot',
        'a list of at least 2 tensors',
        Array.isArray(tensors) ? String(tensors.length) : typeof tensors,
      );
    const list = tensorArguments('multiDot', 'tensor', tensors);
    const last = list.length - 1;
    list.forEach((t, i) => {
      if (t.shape.length !== 2 && !((i === 0 || i === last) && t.shape.length === 1))
        fail(ShapeError, 'multiDot', 'matrices, with vectors only at the ends', `[${t.shape}]`);
    });
    const row = list[0].shape.length === 1;
    const column = list[last].shape.length === 1;
    if (row) list[0] = unsqueeze(list[0], 0);
    if (column) list[last] = unsqueeze(list[last], 1);
    const out = multiplyChain('multiDot', list);
    const lines = column ? squeeze(out, 1) : out;
    return row ? squeeze(lines, 0) : lines;
  },
);
