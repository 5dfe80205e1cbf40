/** Products made of matrix products: tensordot, kron, addbmm, chains of matrices. */

import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { broadcastsTo } from '../../shape/broadcast.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defineInplace } from '../core/inplace.js';
import { tensorArgument, tensorArguments } from '../core/promotion.js';
import { reshape, viewOp } from '../core/view.js';
import { add, mul } from '../elementwise/arithmetic.js';
import { sum } from '../reductions/reduce.js';
import { permuteOp, transposeOp } from '../views/permute.js';
import { factor } from './matmul.js';
import { linearOp, linearWeightOp } from './matmul-op.js';

/**
 * Sums of products over several dimensions of both: the last `dims` of `a` with the first of `b`, or pairs of lists.
 * PyTorch's `torch.tensordot`. Throws ShapeError where the sizes differ.
 */
export const tensordot = defineFunction(
  {
    name: 'tensordot',
    parameters: ['a', 'b', 'dims'],
    required: 2,
    method: false,
    composed: true,
    kinds: { a: 'tensor', b: 'tensor' },
  },
  (a: Tensor, b: Tensor, dims: number | readonly (number | readonly number[])[] = 2): Tensor => {
    let x = tensorArgument('tensordot', 'a', a);
    let y = tensorArgument('tensordot', 'b', b);
    const [inA, inB] = summedDims(x, y, dims);
    inA.forEach((d, i) => {
      // A size of 1 repeats: the other side is then summed beforehand.
      if (x.shape[d] === 1) y = y.shape[inB[i]] === 1 ? y : sum(y, inB[i], true);
      else if (y.shape[inB[i]] === 1) x = sum(x, d, true);
      else if (x.shape[d] !== y.shape[inB[i]])
        fail(ShapeError, 'tensordot', 'summed dimensions of one size', `${x.shape[d]} and ${y.shape[inB[i]]}`, {
          a: x,
          b: y,
        });
    });
    const restA = x.shape.map((_, d) => d).filter((d) => !inA.includes(d));
    const restB = y.shape.map((_, d) => d).filter((d) => !inB.includes(d));
    const k = elementCount(inA.map((d) => x.shape[d]));
    const shapeA = restA.map((d) => x.shape[d]);
    const shapeB = restB.map((d) => y.shape[d]);
    const left = reshape(permuteOp([x], [...restA, ...inA]), [elementCount(shapeA), k]);
    const right = reshape(permuteOp([y], [...inB, ...restB]), [k, elementCount(shapeB)]);
    return viewOp(
      [linearOp([left, right], { op: 'tensordot', transpose: false, alpha: 1, beta: 0 })],
      [...shapeA, ...shapeB],
    );
  },
);

function summedDims(
  a: Tensor,
  b: Tensor,
  dims: number | readonly (number | readonly number[])[],
): [number[], number[]] {
  if (typeof dims === 'number') {
    if (!Number.isInteger(dims) || dims < 0 || dims > Math.min(a.shape.length, b.shape.length))
      fail(ArgumentError, 'tensordot', `dims from 0 to ${Math.min(a.shape.length, b.shape.length)}`, String(dims), {
        a,
        b,
      });
    return [
      Array.from({ length: dims }, (_, i) => a.shape.length - dims + i),
      Array.from({ length: dims }, (_, i) => i),
    ];
  }
  const list = (side: number | readonly number[], x: Tensor): number[] => {
    if (typeof side !== 'number' && !Array.isArray(side))
      fail(ArgumentError, 'tensordot', 'a list of dims of each tensor', describe(dims));
    return Array.from(typeof side === 'number' ? [side] : (side as readonly number[]), (d) =>
      wrapDim('tensordot', d, x.shape.length),
    );
  };
  if (!Array.isArray(dims) || dims.length !== 2)
    fail(ArgumentError, 'tensordot', 'dims as a number or two lists', describe(dims));
  const inA = list(dims[0], a);
  const inB = list(dims[1], b);
  if (inA.length !== inB.length)
    fail(ArgumentError, 'tensordot', 'as many dims of a as of b', `${inA.length} and ${inB.length}`);
  if (new Set(inA).size !== inA.length || new Set(inB).size !== inB.length)
    fail(ArgumentError, 'tensordot', 'each dim once', describe(dims));
  return [inA, inB];
}

/** The Kronecker product: blocks of `other`, each scaled by an element of `input`. PyTorch's `torch.kron`. */
export const kron = defineFunction(
  { name: 'kron', parameters: ['input', 'other'], required: 2, composed: true },
  (input: Tensor, other: Tensor): Tensor => {
    const a = tensorArgument('kron', 'input', input);
    const b = tensorArgument('kron', 'other', other);
    const ndim = Math.max(a.shape.length, b.shape.length);
    const padded = (x: Tensor): number[] => [...new Array<number>(ndim - x.shape.length).fill(1), ...x.shape];
    const [sizeA, sizeB] = [padded(a), padded(b)];
    const product = mul(
      reshape(
        a,
        sizeA.flatMap((n) => [n, 1]),
      ),
      reshape(
        b,
        sizeB.flatMap((n) => [1, n]),
      ),
    );
    return reshape(
      product,
      sizeA.map((n, d) => n * sizeB[d]),
    );
  },
);

/**
 * beta input + alpha (sum over the batch of batch1 @ batch2), with `input` broadcast to [n, p]. PyTorch's
 * `torch.addbmm`.
 */
export const addbmm = defineFunction(
  {
    name: 'addbmm',
    parameters: ['input', 'batch1', 'batch2', 'beta', 'alpha'],
    keywords: 2,
    required: 3,
    composed: true,
  },
  (input: Tensor, batch1: Tensor, batch2: Tensor, givenBeta?: number, givenAlpha?: number): Tensor => {
    const addend = tensorArgument('addbmm', 'input', input);
    const a = tensorArgument('addbmm', 'batch1', batch1);
    const b = tensorArgument('addbmm', 'batch2', batch2);
    if (a.shape.length !== 3 || b.shape.length !== 3 || a.shape[0] !== b.shape[0] || a.shape[2] !== b.shape[1])
      fail(ShapeError, 'addbmm', 'batches [b, n, m] and [b, m, p]', `[${a.shape}] and [${b.shape}]`);
    const shape = [a.shape[1], b.shape[2]];
    if (!broadcastsTo(addend.shape, shape))
      fail(ShapeError, 'addbmm', `an input that broadcasts to [${shape}]`, `[${addend.shape}]`);
    const alpha = factor('addbmm', 'alpha', givenAlpha, a);
    const beta = factor('addbmm', 'beta', givenBeta, a);
    const product = linearWeightOp([transposeOp([a], [1, 2]), b], { op: 'addbmm', alpha });
    if (beta === 0) return product;
    return add(product, addend, { alpha: beta });
  },
);
defineInplace('addbmm_', addbmm);

/**
 * The product of two or more matrices, multiplied in the order that takes the fewest operations. PyTorch's
 * `torch.chain_matmul`.
 */
export function chainMatmul(...matrices: Tensor[] | [readonly Tensor[]]): Tensor {
  const list = tensorArguments(
    'chainMatmul',
    'matrix',
    matrices.length === 1 && Array.isArray(matrices[0]) ? matrices[0] : matrices,
  );
  if (list.length === 0) fail(ArgumentError, 'chainMatmul', 'at least one matrix', 'none');
  list.forEach((m, i) => {
    if (m.shape.length !== 2)
      fail(ShapeError, 'chainMatmul', 'matrices of 2 dimensions', String(m.shape.length), { [`matrix${i}`]: m });
  });
  return multiplyChain('chainMatmul', list);
}

/** The product of matrices in the cheapest order, found by dynamic programming over sub-chains. */
export function multiplyChain(op: string, matrices: readonly Tensor[]): Tensor {
  const n = matrices.length;
  const sizes = [matrices[0].shape[0], ...matrices.map((m) => m.shape[1])];
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const cutAt = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let length = 1; length < n; length++) {
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      cost[i][j] = Number.POSITIVE_INFINITY;
      for (let cut = i; cut < j; cut++) {
        const total = cost[i][cut] + cost[cut + 1][j] + sizes[i] * sizes[cut + 1] * sizes[j + 1];
        if (total < cost[i][j]) {
          cost[i][j] = total;
          cutAt[i][j] = cut;
        }
      }
    }
  }
  const build = (i: number, j: number): Tensor =>
    i === j
      ? matrices[i]
      : linearOp([build(i, cutAt[i][j]), build(cutAt[i][j] + 1, j)], { op, transpose: false, alpha: 1, beta: 0 });
  return build(0, n - 1);
}

declare module '../../tensor/tensor.js' {
  interface Tensor {
    kron: Method<typeof kron>;
    addbmm: Method<typeof addbmm>;
    addbmm_: Method<typeof addbmm>;
  }
}
