/** Losses of distances and margins, composed of elementwise operators. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { elementCount, sameShape } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { minimum, where } from '../elementwise/selection.js';
import { pairwiseDistance } from '../linalg/distance.js';
import { binaryCrossEntropyWithLogits } from './binary-cross-entropy.js';
import { checkSameShape, lossArguments, type Reduction, reduceLoss, reductionOf } from './difference-loss.js';

/**
 * `1 - cos(input1, input2)` where the target is 1, `max(0, cos - margin)` where it is -1, reduced. Inputs (N, D) with
 * target (N), or (D) with a scalar; else ShapeError. Source: torch.nn.functional.cosine_embedding_loss.
 */
export const cosineEmbeddingLoss = defineFunction(
  {
    name: 'nn.functional.cosineEmbeddingLoss',
    parameters: ['input1', 'input2', 'target', 'margin', 'sizeAverage', 'reduce', 'reduction'],
    required: 3,
    composed: true,
  },
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin?: number,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'cosineEmbeddingLoss';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    const [a, b, t] = lossArguments(op, { input1, input2, target });
    if (t.shape.length > 1)
      fail(ShapeError, op, 'a target of at most one dimension', `[${t.shape}]`, { input1, input2, target });
    if (
      a.shape.length !== t.shape.length + 1 ||
      !sameShape(a.shape.slice(0, -1), t.shape) ||
      !sameShape(a.shape, b.shape)
    )
      fail(
        ShapeError,
        op,
        'inputs of shape (N, D) with a target (N), or (D) with a scalar',
        `[${a.shape}], [${b.shape}] and [${t.shape}]`,
        { input1, input2, target },
      );
    const dot = (x: Tensor, y: Tensor): Tensor => x.mul(y).sum(-1);
    const cosine = dot(a, b).div(dot(a, a).add(1e-12).mul(dot(b, b).add(1e-12)).sqrt());
    const zero = scalarTensor(0, a.info);
    const near = where(t.eq(1), cosine.neg().add(1), zero);
    const far = where(t.eq(-1), cosine.sub(margin ?? 0).clampMin(0), zero);
    return reduceLoss(near.add(far), reduction);
  },
);

/**
 * `input` where the target is 1, `max(0, margin - input)` where it is -1, reduced. Shapes equal, else ShapeError.
 * Source: torch.nn.functional.hinge_embedding_loss.
 */
export const hingeEmbeddingLoss = defineFunction(
  {
    name: 'nn.functional.hingeEmbeddingLoss',
    parameters: ['input', 'target', 'margin', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    margin?: number,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('hingeEmbeddingLoss', reductionName, sizeAverage, reduce);
    const [x, t] = lossArguments('hingeEmbeddingLoss', { input, target });
    checkSameShape('hingeEmbeddingLoss', x, t);
    const zero = scalarTensor(0, x.info);
    const far = where(
      t.ne(1),
      x
        .neg()
        .add(margin ?? 1)
        .clampMin(0),
      zero,
    );
    return reduceLoss(far.add(where(t.ne(-1), x, zero)), reduction);
  },
);

/**
 * `max(0, -target (input1 - input2) + margin)`, reduced. Shapes equal, else ShapeError. Source:
 * torch.nn.functional.margin_ranking_loss.
 */
export const marginRankingLoss = defineFunction(
  {
    name: 'nn.functional.marginRankingLoss',
    parameters: ['input1', 'input2', 'target', 'margin', 'sizeAverage', 'reduce', 'reduction'],
    required: 3,
    composed: true,
  },
  (
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin?: number,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('marginRankingLoss', reductionName, sizeAverage, reduce);
    const [a, b, t] = lossArguments('marginRankingLoss', { input1, input2, target });
    checkSameShape('marginRankingLoss', a, b);
    checkSameShape('marginRankingLoss', a, t);
    return reduceLoss(
      t
        .neg()
        .mul(a.sub(b))
        .add(margin ?? 0)
        .clampMin(0),
      reduction,
    );
  },
);

/**
 * `log(1 + e^(-target input))`, reduced. Shapes equal, else ShapeError. Source: torch.nn.functional.soft_margin_loss.
 */
export const softMarginLoss = defineFunction(
  {
    name: 'nn.functional.softMarginLoss',
    parameters: ['input', 'target', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('softMarginLoss', reductionName, sizeAverage, reduce);
    const [x, t] = lossArguments('softMarginLoss', { input, target });
    checkSameShape('softMarginLoss', x, t);
    return reduceLoss(x.neg().mul(t).exp().log1p(), reduction);
  },
);

/**
 * `max(0, d(anchor, positive) - d(anchor, negative) + margin)` with the p-norm distance of the last dimension, reduced;
 * `swap` takes the smaller of the distances of anchor and positive to the negative. Shapes equal, else ShapeError.
 * Source: torch.nn.functional.triplet_margin_loss.
 */
export const tripletMarginLoss = defineFunction(
  {
    name: 'nn.functional.tripletMarginLoss',
    parameters: ['anchor', 'positive', 'negative', 'margin', 'p', 'eps', 'swap', 'sizeAverage', 'reduce', 'reduction'],
    required: 3,
    composed: true,
  },
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin?: number,
    p?: number,
    eps?: number,
    swap?: boolean,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'tripletMarginLoss';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    if (margin !== undefined && !(margin > 0)) fail(ArgumentError, op, 'margin above 0', describe(margin));
    const [a, b, c] = lossArguments(op, { anchor, positive, negative });
    checkSameShape(op, a, b);
    checkSameShape(op, a, c);
    const between = (x: Tensor, y: Tensor): Tensor => pairwiseDistance(x, y, p ?? 2, eps ?? 1e-6);
    const near = between(a, b);
    let far = between(a, c);
    if (swap) far = minimum(far, between(b, c));
    return reduceLoss(
      near
        .sub(far)
        .add(margin ?? 1)
        .clampMin(0),
      reduction,
    );
  },
);

/** Scores as (N, C) and class indices as (N): (C) with one index is a batch of one. */
function batchOfClasses(
  op: string,
  input: Tensor,
  target: Tensor,
  perClass: boolean,
): { x: Tensor; t: Tensor; single: boolean } {
  const classes = input.shape.length === 0 ? 1 : input.shape[input.shape.length - 1];
  const n = input.shape.length < 2 ? 1 : input.shape[0];
  if (input.shape.length > 2 || classes === 0)
    fail(ShapeError, op, 'scores of shape (N, C) or (C)', `[${input.shape}]`, { input, target });
  if (target.info !== INT64) fail(DTypeError, op, 'class indices of int64', target.dtype, { input, target });
  const wanted = n * (perClass ? classes : 1);
  if (elementCount(target.shape) !== wanted || target.shape.length > (perClass ? 2 : 1))
    fail(ShapeError, op, `a target of ${wanted} elements`, `[${target.shape}]`, { input, target });
  return {
    x: input.reshape(n, classes),
    t: perClass ? target.reshape(n, classes) : target.reshape(n, 1),
    single: input.shape.length < 2,
  };
}

/** Throws IndexError for the first index that is no class; -1 is let through where it ends a list. */
function checkClasses(op: string, target: Tensor, classes: number, ended: boolean): void {
  const indices = contiguousOf(target);
  const outside = instanceOf(op, kernels.findOutside, INT64)(
    indices.array,
    elementCount(target.shape),
    classes,
    ended ? -1 : 0,
  );
  if (outside >= 0)
    fail(
      IndexError,
      op,
      `class indices in [${ended ? -1 : 0}, ${classes - 1}]`,
      `${indices.array[outside]} at element ${outside}`,
      { target },
    );
}

/**
 * `sum over c != t of weight[t] max(0, margin - input[t] + input[c])^p / C`, reduced. `input` (N, C) or (C), `target`
 * (N) int64. Throws ShapeError, IndexError. Source: torch.nn.functional.multi_margin_loss.
 */
export const multiMarginLoss = defineFunction(
  {
    name: 'nn.functional.multiMarginLoss',
    parameters: ['input', 'target', 'p', 'margin', 'weight', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    p?: number,
    margin?: number,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'multiMarginLoss';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    const power = p ?? 1;
    if (power !== 1 && power !== 2) fail(ArgumentError, op, 'p of 1 or 2', describe(p));
    const [given] = lossArguments(op, { input });
    const { x, t, single } = batchOfClasses(op, given, tensorArgument(op, 'target', target), false);
    const classes = x.shape[1];
    checkClasses(op, t, classes, false);
    let terms = x
      .sub(x.gather(1, t))
      .add(margin ?? 1)
      .clampMin(0);
    if (power === 2) terms = terms.mul(terms);
    if (weight !== undefined && weight !== null) {
      if (!sameShape(weight.shape, [classes]))
        fail(ShapeError, op, `a weight of shape [${classes}], one a class`, `[${weight.shape}]`, { input, weight });
      terms = terms.mul(weight.gather(0, t.reshape(-1)).reshape(-1, 1));
    }
    const loss = terms.scatter(1, t, 0).sum(1).div(classes);
    return reduceLoss(single ? loss.reshape(target.shape) : loss, reduction);
  },
);

/**
 * `sum over targets t and other classes c of max(0, 1 - input[t] + input[c]) / C`, reduced; each row of the target
 * lists classes up to the first -1. `input` and `target` (N, C) or (C). Throws ShapeError, IndexError. Source:
 * torch.nn.functional.multilabel_margin_loss.
 */
export const multilabelMarginLoss = defineFunction(
  {
    name: 'nn.functional.multilabelMarginLoss',
    parameters: ['input', 'target', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'multilabelMarginLoss';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    const [given] = lossArguments(op, { input });
    checkSameShape(op, given, tensorArgument(op, 'target', target));
    const { x, t, single } = batchOfClasses(op, given, target, true);
    const classes = x.shape[1];
    checkClasses(op, t, classes, true);
    const listed = t.eq(-1).to('int64').cumsum(1).eq(0).to(x.dtype);
    const index = t.clampMin(0);
    const isTarget = x.detach().mul(0).scatterAdd(1, index, listed).gt(0);
    const others = isTarget.logicalNot().to(x.dtype).unsqueeze(1);
    const terms = x.unsqueeze(1).sub(x.gather(1, index).unsqueeze(2)).add(1).clampMin(0);
    const loss = terms.mul(listed.unsqueeze(2)).mul(others).sum([1, 2]).div(classes);
    return reduceLoss(single ? loss.reshape([]) : loss, reduction);
  },
);

/**
 * The mean over classes of the binary cross entropy of `sigmoid(input)`, times `weight`, reduced. Shapes equal, else
 * ShapeError. Source: torch.nn.functional.multilabel_soft_margin_loss.
 */
export const multilabelSoftMarginLoss = defineFunction(
  {
    name: 'nn.functional.multilabelSoftMarginLoss',
    parameters: ['input', 'target', 'weight', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('multilabelSoftMarginLoss', reductionName, sizeAverage, reduce);
    const elements = binaryCrossEntropyWithLogits(input, target, { weight: weight ?? null, reduction: 'none' });
    return reduceLoss(elements.mean(-1), reduction);
  },
);
