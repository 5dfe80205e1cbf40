/**
 * Attention with several heads between linear projections: the function under nn.MultiheadAttention. Masks are merged
 * here, once.
 */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, DTypeError, fail, ShapeError } from '../../errors.js';
import { type Shape, sameShape } from '../../shape/layout.js';
import { BOOL, type DTypeInfo } from '../../storage/dtype.js';
import { filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { reshape, squeeze, unsqueeze } from '../core/view.js';
import { add, addOp } from '../elementwise/arithmetic.js';
import { whereOp } from '../elementwise/selection.js';
import { linearOp, matmulOp } from '../products/matmul-op.js';
import { dropout } from '../random/dropout.js';
import { mean } from '../reductions/reduce.js';
import { softmaxOp } from '../reductions/softmax.js';
import { cat, catOp } from '../views/cat.js';
import { permuteOp } from '../views/permute.js';
import { splitWithSizes } from '../views/split.js';
import { scaledDotProductAttention } from './attention.js';

const OP = 'nn.functional.multiHeadAttentionForward';

type Optional = Tensor | null | undefined;
const present = (x: Optional): x is Tensor => x !== null && x !== undefined;

/** A mask as what is added to scores: true in a bool mask becomes -infinity, a floating mask stays as it is. */
export function canonicalMask(op: string, name: string, mask: Optional, info: DTypeInfo): Tensor | undefined {
  if (!present(mask)) return undefined;
  tensorArgument(op, name, mask);
  if (mask.info.floating) return mask;
  if (mask.info !== BOOL) fail(DTypeError, op, `a bool or floating ${name}`, mask.dtype);
  if (!info.floating) fail(DTypeError, op, `operands of a floating dtype beside a bool ${name}`, info.name);
  return whereOp([scalarTensor(Number.NEGATIVE_INFINITY, info), scalarTensor(0, info), mask]);
}

/**
 * The parts of x W^T + b, each of `sizes`; x is [L, N, E] and multiplied as it lies in memory, which is batch first
 * more often than not.
 */
function projectInParts(x: Tensor, weight: Tensor, bias: Tensor | undefined, sizes: readonly number[]): Tensor[] {
  const batchFirst = x.shape[1] > 1 && x.strides[0] < x.strides[1];
  const turned = (y: Tensor): Tensor => (batchFirst ? permuteOp([y], [1, 0, 2]) : y);
  const all = linearOp(bias === undefined ? [turned(x), weight] : [turned(x), weight, bias], {
    op: OP,
    transpose: true,
    alpha: 1,
    beta: 1,
  });
  return (sizes.length === 1 ? [all] : splitWithSizes(all, sizes, 2)).map(turned);
}

function project(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  return projectInParts(x, weight, bias, [weight.shape[0]])[0];
}

function checkShapes(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  padding: Optional,
  mask: Optional,
  heads: number,
): boolean {
  const ndim = query.shape.length;
  if (ndim !== 2 && ndim !== 3)
    fail(ShapeError, OP, 'a query of 2 dimensions, or 3 with a batch', String(ndim), { query });
  if (key.shape.length !== ndim || value.shape.length !== ndim)
    fail(
      ShapeError,
      OP,
      `key and value of ${ndim} dimensions, as query`,
      `${key.shape.length} and ${value.shape.length}`,
      { query, key, value },
    );
  if (present(padding) && padding.shape.length !== ndim - 1)
    fail(ShapeError, OP, `a keyPaddingMask of ${ndim - 1} dimensions`, String(padding.shape.length), {
      keyPaddingMask: padding,
    });
  if (present(mask)) {
    const [length, keys] = [query.shape[0], key.shape[0]];
    const expected =
      mask.shape.length === 2 ? [length, keys] : [(ndim === 3 ? query.shape[1] : 1) * heads, length, keys];
    if (!sameShape(mask.shape, expected))
      fail(
        ShapeError,
        OP,
        `an attnMask of shape [${length},${keys}] or [${(ndim === 3 ? query.shape[1] : 1) * heads},${length},${keys}]`,
        `[${mask.shape}]`,
      );
  }
  return ndim === 3;
}

function zeros(shape: Shape, info: DTypeInfo): Tensor {
  return filledTensor(shape, info, 0);
}

/** x with one more element of 0 at the end of its last dimension. */
function padded(x: Tensor): Tensor {
  return catOp([x, zeros([...x.shape.slice(0, -1), 1], x.info)], x.shape.length - 1);
}

interface Weights {
  readonly inProjWeight: Optional;
  readonly inProjBias: Optional;
  readonly separate: readonly [Optional, Optional, Optional] | null;
}

/** q, k, v after the input projections; one product where operands are the same tensor and the weights are packed. */
function projections(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  { inProjWeight, inProjBias, separate }: Weights,
): [Tensor, Tensor, Tensor] {
  const e = query.shape[2];
  // All parts at once, so that their gradients are laid side by side rather than into zeros and added up.
  const parts = (x: Optional, sizes: readonly number[]): (Tensor | undefined)[] =>
    present(x)
      ? splitWithSizes(
          x,
          sizes.map((n) => n * e),
          0,
        )
      : [];
  if (separate !== null) {
    const [q, k, v] = separate;
    if (!present(q) || !present(k) || !present(v))
      fail(ArgumentError, OP, 'qProjWeight, kProjWeight and vProjWeight with useSeparateProjWeight', 'not all of them');
    const [bq, bk, bv] = parts(inProjBias, [1, 1, 1]);
    return [project(query, q, bq), project(key, k, bk), project(value, v, bv)];
  }
  if (!present(inProjWeight)) fail(ArgumentError, OP, 'inProjWeight without useSeparateProjWeight', 'none');
  if (key === value && query === key) {
    return projectInParts(query, inProjWeight, present(inProjBias) ? inProjBias : undefined, [e, e, e]) as [
      Tensor,
      Tensor,
      Tensor,
    ];
  }
  const sizes = key === value ? [1, 2] : [1, 1, 1];
  const weights = parts(inProjWeight, sizes) as Tensor[];
  const biases = parts(inProjBias, sizes);
  const q = project(query, weights[0], biases[0]);
  if (key === value) {
    const [k, v] = projectInParts(key, weights[1], biases[1], [e, e]);
    return [q, k, v];
  }
  return [q, project(key, weights[1], biases[1]), project(value, weights[2], biases[2])];
}

/**
 * Attention of `numHeads` heads: projections of query, key and value, scaled dot product attention a head, and the
 * output projection. PyTorch's `torch.nn.functional.multi_head_attention_forward`.
 *
 * `query` is [L, N, E] or [L, E], `key` and `value` [S, N, E'] or [S, E']; the result is [output, weights]: [L, N, E],
 * and [N, L, S] (a head each: [N, H, L, S], not averaged) or null without `needWeights`. In bool masks true means:
 * ignore. Throws ShapeError, ArgumentError.
 */
export const multiHeadAttentionForward = defineFunction(
  {
    name: OP,
    parameters: [
      'query',
      'key',
      'value',
      'embedDimToCheck',
      'numHeads',
      'inProjWeight',
      'inProjBias',
      'biasK',
      'biasV',
      'addZeroAttn',
      'dropoutP',
      'outProjWeight',
      'outProjBias',
      'training',
      'keyPaddingMask',
      'needWeights',
      'attnMask',
      'useSeparateProjWeight',
      'qProjWeight',
      'kProjWeight',
      'vProjWeight',
      'staticK',
      'staticV',
      'averageAttnWeights',
      'isCausal',
    ],
    required: 5,
    composed: true,
    kinds: { value: 'tensor' },
  },
  (
    queryInput: Tensor,
    keyInput: Tensor,
    valueInput: Tensor,
    embedDimToCheck: number,
    numHeads: number,
    inProjWeight: Optional,
    inProjBias: Optional,
    biasK: Optional,
    biasV: Optional,
    addZeroAttn: boolean | undefined,
    dropoutP: number | undefined,
    outProjWeight: Tensor,
    outProjBias: Optional,
    training: boolean = true,
    keyPaddingMask?: Optional,
    needWeights: boolean = true,
    attnMask?: Optional,
    useSeparateProjWeight: boolean = false,
    qProjWeight?: Optional,
    kProjWeight?: Optional,
    vProjWeight?: Optional,
    staticK?: Optional,
    staticV?: Optional,
    averageAttnWeights: boolean = true,
    isCausal: boolean = false,
  ): [output: Tensor, weights: Tensor | null] => {
    for (const [name, x] of Object.entries({ query: queryInput, key: keyInput, value: valueInput, outProjWeight }))
      tensorArgument(OP, name, x);
    for (const [name, x] of Object.entries({ keyPaddingMask, attnMask })) if (present(x)) tensorArgument(OP, name, x);
    const batched = checkShapes(queryInput, keyInput, valueInput, keyPaddingMask, attnMask, numHeads);
    const lifted = (x: Tensor): Tensor => (batched ? x : unsqueeze(x, 1));
    const query = lifted(queryInput);
    const key = keyInput === queryInput ? query : lifted(keyInput);
    const value = valueInput === keyInput ? key : lifted(valueInput);
    const [length, batch, embedDim] = query.shape;
    if (embedDim !== embedDimToCheck)
      fail(ShapeError, OP, `an embedding dimension of ${embedDimToCheck}`, String(embedDim), { query });
    const headDim = Math.floor(embedDim / numHeads);
    if (headDim * numHeads !== embedDim)
      fail(ArgumentError, OP, `an embedding dimension that numHeads divides`, `${embedDim} and ${numHeads}`);
    if (
      useSeparateProjWeight
        ? !sameShape(key.shape.slice(0, 2), value.shape.slice(0, 2))
        : !sameShape(key.shape, value.shape)
    )
      fail(ShapeError, OP, 'key and value of one shape', `[${key.shape}] and [${value.shape}]`);
    if (isCausal && !present(attnMask)) fail(ArgumentError, OP, 'attnMask beside the hint isCausal', 'none');

    let padding = canonicalMask(OP, 'keyPaddingMask', keyPaddingMask, query.info);
    // The hint says that the mask is the causal one: then the kernel needs no mask at all.
    const causal = isCausal && padding === undefined && !needWeights;
    let mask = causal ? undefined : canonicalMask(OP, 'attnMask', attnMask, query.info);
    if (padding !== undefined && !batched) padding = unsqueeze(padding, 0);

    let [q, k, v] = projections(query, key, value, {
      inProjWeight,
      inProjBias,
      separate: useSeparateProjWeight ? [qProjWeight, kProjWeight, vProjWeight] : null,
    });
    if (present(biasK) !== present(biasV)) fail(ArgumentError, OP, 'biasK and biasV, or neither', 'one of them');
    if (present(biasK) && present(biasV)) {
      if (present(staticK) || present(staticV))
        fail(ArgumentError, OP, 'no biasK and biasV beside staticK or staticV', 'both');
      const repeated = (x: Tensor): Tensor => x.expand([1, batch, embedDim]);
      k = cat([k, repeated(biasK)], 0);
      v = cat([v, repeated(biasV)], 0);
      if (mask !== undefined) mask = padded(mask);
      if (padding !== undefined) padding = padded(padding);
    }
    const headed = (x: Tensor): Tensor => permuteOp([reshape(x, [x.shape[0], batch, numHeads, headDim])], [1, 2, 0, 3]);
    const given = (name: string, x: Tensor): Tensor => {
      if (x.shape.length !== 3 || x.shape[0] !== batch * numHeads || x.shape[2] !== headDim)
        fail(ShapeError, OP, `${name} of shape [${batch * numHeads}, S, ${headDim}]`, `[${x.shape}]`);
      return reshape(x, [batch, numHeads, x.shape[1], headDim]);
    };
    q = headed(q);
    k = present(staticK) ? given('staticK', staticK) : headed(k);
    v = present(staticV) ? given('staticV', staticV) : headed(v);
    if (addZeroAttn) {
      const none = zeros([batch, numHeads, 1, headDim], k.info);
      k = catOp([k, none], 2);
      v = catOp([v, none], 2);
      if (mask !== undefined) mask = padded(mask);
      if (padding !== undefined) padding = padded(padding);
    }
    const keys = k.shape[2];
    if (mask !== undefined && mask.shape.length === 3) mask = reshape(mask, [batch, numHeads, length, keys]);
    if (padding !== undefined) {
      if (padding.shape[0] !== batch || padding.shape[1] !== keys)
        fail(ShapeError, OP, `a keyPaddingMask of shape [${batch},${keys}]`, `[${padding.shape}]`);
      const wide = reshape(padding, [batch, 1, 1, keys]);
      mask = mask === undefined ? wide : add(mask, wide);
    }
    const p = training ? (dropoutP ?? 0) : 0;
    const joined = (heads: Tensor): Tensor => {
      // Row-major as PyTorch's, so that dropout of the result drops the same elements.
      const rows = reshape(permuteOp([heads], [2, 0, 1, 3]), [length, batch, embedDim]).contiguous();
      const out = project(rows, outProjWeight, present(outProjBias) ? outProjBias : undefined);
      return batched ? out : squeeze(out, 1);
    };
    if (mask !== undefined && mask.info !== q.info)
      fail(DTypeError, OP, `masks of the query's type or bool`, mask.dtype, { query });
    if (!needWeights) return [joined(scaledDotProductAttention(q, k, v, mask ?? null, p, causal)), null];

    const scores = matmulOp([q, k], {
      op: OP,
      transposeA: false,
      transposeB: true,
      alpha: Math.sqrt(1 / headDim),
      beta: 0,
    });
    let weights = softmaxOp([mask === undefined ? scores : addOp([scores, mask])], 3);
    if (p > 0) weights = dropout(weights, p, true);
    const output = joined(matmulOp([weights, v], { op: OP, transposeA: false, transposeB: false, alpha: 1, beta: 0 }));
    const shown = averageAttnWeights ? mean(weights, 1) : weights;
    return [output, batched ? shown : squeeze(shown, 0)];
  },
);
