/**
 * Losses of class scores: cross entropy, fused with its log-softmax, and negative log likelihood. Scores are (N, C,
 * ...) or (C), class indices (N, ...) or (), int64; every index is checked before a kernel reads by it.
 */

import type { Gradients } from '../../autograd/node.js';
import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { type DTypeInfo, FLOAT32, INT64, UINT8 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { mul, subOp } from '../elementwise/arithmetic.js';
import { sumOp } from '../reductions/reduce.js';
import { logSoftmax, softmaxOp } from '../reductions/softmax.js';
import { checkSameShape, lossArguments, type Reduction, reduceLoss, reductionOf } from './difference-loss.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** The first of n targets that is neither a class nor ignored, or -1. */
    findOutside: KernelTable<[target: TypedArray, n: number, classes: number, ignored: number], number>;
    crossEntropy: KernelTable<
      [
        input: TypedArray,
        target: TypedArray,
        weight: TypedArray,
        out: TypedArray,
        logSum: TypedArray,
        factor: TypedArray,
        norm: TypedArray,
        outer: number,
        classes: number,
        inner: number,
        ignored: number,
        smoothing: number,
        mode: number,
      ]
    >;
    crossEntropyBackward: KernelTable<
      [
        gradient: TypedArray,
        input: TypedArray,
        logSum: TypedArray,
        factor: TypedArray,
        norm: TypedArray,
        target: TypedArray,
        weight: TypedArray,
        out: TypedArray,
        outer: number,
        classes: number,
        inner: number,
        ignored: number,
        smoothing: number,
        shared: number,
      ]
    >;
    nllLoss: KernelTable<
      [
        input: TypedArray,
        target: TypedArray,
        weight: TypedArray,
        out: TypedArray,
        norm: TypedArray,
        outer: number,
        classes: number,
        inner: number,
        ignored: number,
        mode: number,
      ]
    >;
    nllLossBackward: KernelTable<
      [
        gradient: TypedArray,
        norm: TypedArray,
        target: TypedArray,
        weight: TypedArray,
        out: TypedArray,
        outer: number,
        classes: number,
        inner: number,
        ignored: number,
        shared: number,
      ]
    >;
  }
}

interface ClassAttributes {
  readonly target: Tensor;
  readonly weight: Tensor | null;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
}
interface ClassSpec extends ClassAttributes {
  readonly shape: Shape;
  /** The dimension of classes. */
  readonly dim: number;
  readonly outer: number;
  readonly classes: number;
  readonly inner: number;
  /** The shape with the dimension of classes kept as 1. */
  readonly kept: Shape;
  /** Scores of 16 bits are computed in float32. */
  readonly info: DTypeInfo;
}
const MODES: Readonly<Record<Reduction, number>> = { none: 0, mean: 1, sum: 2 };

const widened = (x: Tensor, info: DTypeInfo): Tensor => (x.info === info ? contiguousOf(x) : castTo(x, info));
/** Checks everything that does not depend on a kernel: shapes, types, and every class index. */
function classSpec(op: string, input: Tensor, attributes: ClassAttributes): ClassSpec {
  const { target, weight, ignoreIndex } = attributes;
  const { shape } = input;
  if (!input.info.floating) fail(DTypeError, op, 'floating scores', input.dtype, { input });
  if (shape.length === 0) fail(ShapeError, op, 'scores of shape (C), or (N, C, ...)', '[]', { input, target });
  const dim = shape.length === 1 ? 0 : 1;
  const wanted = shape.filter((_, d) => d !== dim);
  if (!sameShape(target.shape, wanted))
    fail(ShapeError, op, `a target of shape [${wanted}]`, `[${target.shape}]`, { input, target });
  if (target.info !== INT64 && target.info !== UINT8)
    fail(DTypeError, op, 'class indices of int64', target.dtype, { input, target });
  const classes = shape[dim];
  if (weight !== null && !sameShape(weight.shape, [classes]))
    fail(ShapeError, op, `a weight of shape [${classes}], one a class`, `[${weight.shape}]`, { input, weight });
  if (!Number.isInteger(ignoreIndex)) fail(ArgumentError, op, 'a whole ignoreIndex', describe(ignoreIndex));
  const indices = widened(target, INT64);
  const count = elementCount(target.shape);
  const outside = instanceOf('crossEntropy', kernels.findOutside, INT64)(indices.array, count, classes, ignoreIndex);
  if (outside >= 0)
    fail(
      IndexError,
      op,
      `class indices in [0, ${classes - 1}] or ignoreIndex ${ignoreIndex}`,
      `${indices.array[outside]} at element ${outside}`,
      { input, target },
    );
  const info = input.info.half ? FLOAT32 : input.info;
  return {
    ...attributes,
    target: indices,
    weight: weight === null ? null : castTo(weight, info),
    shape,
    dim,
    outer: dim === 0 ? 1 : shape[0],
    classes,
    inner: elementCount(shape.slice(dim + 1)),
    kept: Object.freeze(shape.map((n, d) => (d === dim ? 1 : n))),
    info,
  };
}

const weightArray = (spec: ClassSpec): TypedArray => spec.weight?.array ?? new spec.info.Array(0);
const lossShape = (spec: ClassSpec): Shape => (spec.reduction === 'none' ? spec.target.shape : []);
/**
 * The gradient of the loss laid beside the scores: a scalar, or one a position with a dimension of 1 for the classes.
 */
const beside = (g: Tensor, spec: ClassSpec): Tensor => (spec.reduction === 'none' ? g.view(spec.kept) : g);

/**
 * z = g k (a softmax(x) - b): k, a, b constants of the target; dg = c k (a softmax(x) - b), dx = y (h - sum h y), h = c
 * g k a, y = softmax(x).
 */
const crossEntropyBackwardOp: Operator<ClassSpec, Tensor> = defineOp<ClassSpec, ClassSpec>({
  name: 'crossEntropyBackward',
  nativeHalf: true,
  infer: (_, spec) => spec,
  forward: (spec, [g, x, logSum, factor, norm]) => {
    const { info, shape, target, outer, classes, inner, ignoreIndex, labelSmoothing } = spec;
    const out = allocate(shape, info);
    const kernel = instanceOf('crossEntropy', kernels.crossEntropyBackward, info);
    kernel(
      widened(g, info).array,
      widened(x, info).array,
      logSum.array,
      factor.array,
      norm.array,
      target.array,
      weightArray(spec),
      out.array,
      outer,
      classes,
      inner,
      ignoreIndex,
      labelSmoothing,
      Number(g.shape.length === 0),
    );
    return x.info === info ? out : castTo(out, x.info);
  },
  save: (context, inputs) => context.save(...inputs),
  backward: (context, c): Gradients => {
    const [g, x, logSum, factor, norm] = [0, 1, 2, 3, 4].map((i) => context.saved(i));
    const { spec } = context;
    const none = [null, null, null];
    const dg = context.needs(0)
      ? mul.op([c, crossEntropyBackwardOp([scalarTensor(1, g.info), x, logSum, factor, norm], spec)])
      : null;
    if (!context.needs(1)) return [dg, null, ...none];
    const y = softmaxOp([x], spec.dim);
    const h = mul.op([mul.op([c, g]), mul.op([factor.view(spec.kept), norm])]);
    const weighed = mul.op([h, y]);
    return [dg, subOp([weighed, mul.op([y, sumOp([weighed], [spec.dim])])]), ...none];
  },
});

/**
 * y = the reduction of w_t (log sum e^x - x_t), labels smoothed; also what its gradient needs. dx = g k (a softmax(x) -
 * b).
 */
const crossEntropyOp = defineOp<ClassAttributes, ClassSpec, Tensor[]>({
  name: 'crossEntropy',
  autocast: 'float32',
  nativeHalf: true,
  nonDifferentiableOutputs: [1, 2, 3],
  infer: ([x], attributes) => classSpec('crossEntropy', x, attributes),
  forward: (spec, [x]) => {
    const { info, target, outer, classes, inner, ignoreIndex, labelSmoothing, reduction } = spec;
    const out = allocate(lossShape(spec), info);
    const logSum = allocate([outer * inner], info);
    const factor = allocate([outer * inner], info);
    const norm = allocate([], info);
    const kernel = instanceOf('crossEntropy', kernels.crossEntropy, logSum.info);
    kernel(
      widened(x, info).array,
      target.array,
      weightArray(spec),
      out.array,
      logSum.array,
      factor.array,
      norm.array,
      outer,
      classes,
      inner,
      ignoreIndex,
      labelSmoothing,
      MODES[reduction],
    );
    return [x.info === info ? out : castTo(out, x.info), logSum, factor, norm];
  },
  save: (context, [x], [, logSum, factor, norm]) => context.save(x, logSum, factor, norm),
  backward: (context, g): Gradients => [
    crossEntropyBackwardOp(
      [beside(g, context.spec), context.saved(0), context.saved(1), context.saved(2), context.saved(3)],
      context.spec,
    ),
  ],
});

/** z = -g k w_t where c = t, else 0; linear in g, and its transpose is the loss itself: dg = nllLoss(c). */
const nllLossBackwardOp: Operator<ClassSpec, Tensor> = defineOp<ClassSpec, ClassSpec>({
  name: 'nllLossBackward',
  infer: (_, spec) => spec,
  forward: (spec, [g, norm]) => {
    const out = allocate(spec.shape, g.info);
    const shared = g.shape.length === 0 && spec.reduction !== 'none';
    instanceOf('nllLoss', kernels.nllLossBackward, g.info)(
      contiguousOf(g).array,
      widened(norm, g.info).array,
      spec.target.array,
      weightArray(spec),
      out.array,
      spec.outer,
      spec.classes,
      spec.inner,
      spec.ignoreIndex,
      Number(shared),
    );
    return out;
  },
  backward: (context, c): Gradients => [nllLossOp([c], context.spec)[0], null],
});

/** y = the reduction of -w_t x_t; dx = -g k w_t where c = t, k = 1 / sum w_t for a mean, else 1. */
const nllLossOp: Operator<ClassAttributes, Tensor[]> = defineOp<ClassAttributes, ClassSpec, Tensor[]>({
  name: 'nllLoss',
  autocast: 'float32',
  nonDifferentiableOutputs: [1],
  infer: ([x], attributes) => classSpec('nllLoss', x, attributes),
  forward: (spec, [x]) => {
    const out = allocate(lossShape(spec), x.info);
    const norm = allocate([], x.info);
    instanceOf('nllLoss', kernels.nllLoss, x.info)(
      contiguousOf(x).array,
      spec.target.array,
      weightArray(spec),
      out.array,
      norm.array,
      spec.outer,
      spec.classes,
      spec.inner,
      spec.ignoreIndex,
      MODES[spec.reduction],
    );
    return [out, norm];
  },
  save: (context, _, [, norm]) => context.save(norm),
  backward: (context, g): Gradients => [nllLossBackwardOp([g, context.saved(0)], context.spec)],
});

function optionalWeight(op: string, weight: Tensor | null | undefined): Tensor | null {
  return weight === undefined || weight === null ? null : tensorArgument(op, 'weight', weight);
}

/** Cross entropy against probabilities of the input's shape, composed: they may be differentiated too. */
function withProbabilities(
  input: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: Reduction,
  labelSmoothing: number,
): Tensor {
  const op = 'crossEntropy';
  const [x, given] = lossArguments(op, { input, target });
  checkSameShape(op, x, given);
  if (x.shape.length === 0) fail(ShapeError, op, 'scores of shape (C), or (N, C, ...)', '[]', { input, target });
  const dim = x.shape.length === 1 ? 0 : 1;
  const classes = x.shape[dim];
  if (weight !== null && !sameShape(weight.shape, [classes]))
    fail(ShapeError, op, `a weight of shape [${classes}], one a class`, `[${weight.shape}]`, { input, weight });
  const t = labelSmoothing > 0 ? given.mul(1 - labelSmoothing).add(labelSmoothing / classes) : given;
  let terms = mul.op([logSoftmax(x, dim), t]);
  if (weight !== null)
    terms = mul.op([terms, castRecorded(weight, x.info).view(x.shape.map((_, d) => (d === dim ? classes : 1)))]);
  const elements = sumOp([terms], [dim])
    .view(x.shape.filter((_, d) => d !== dim))
    .mul(-1);
  const loss = reduceLoss(elements, reduction);
  // PyTorch's mean divides by elements / classes, which without classes is 0 / 0.
  return reduction === 'mean' && classes === 0 ? loss.mul(Number.NaN) : loss;
}

/**
 * Cross entropy of unnormalised scores: `-log softmax(input)[target]`, reduced. `input` is (N, C, ...) or (C); `target`
 * holds class indices (N, ...) or (), int64, or probabilities of the input's shape. `weight` (C) weighs classes, and
 * the mean is weighted too; targets equal to
 * `ignoreIndex` (default -100) count for nothing; `labelSmoothing` (default 0) spreads that share evenly over the
 * classes. Throws ShapeError, DTypeError, and IndexError for an index that is no class. Source:
 * torch.nn.functional.cross_entropy.
 */
export const crossEntropy = defineFunction(
  {
    name: 'nn.functional.crossEntropy',
    parameters: ['input', 'target', 'weight', 'sizeAverage', 'ignoreIndex', 'reduce', 'reduction', 'labelSmoothing'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    ignored?: number,
    reduce?: boolean | null,
    reductionName?: Reduction,
    smoothing?: number,
  ): Tensor => {
    const op = 'crossEntropy';
    const ignoreIndex = ignored ?? -100;
    const labelSmoothing = smoothing ?? 0;
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    const x = tensorArgument(op, 'input', input);
    const t = tensorArgument(op, 'target', target);
    const w = optionalWeight(op, weight);
    if (!(labelSmoothing >= 0 && labelSmoothing <= 1))
      fail(ArgumentError, op, 'labelSmoothing in [0, 1]', describe(labelSmoothing));
    if (t.info.floating && sameShape(t.shape, x.shape)) {
      if (ignoreIndex >= 0) fail(ArgumentError, op, 'no ignoreIndex with probabilities as target', String(ignoreIndex));
      return withProbabilities(x, t, w, reduction, labelSmoothing);
    }
    return crossEntropyOp([x], { target: t, weight: w, reduction, ignoreIndex, labelSmoothing })[0];
  },
);

/**
 * Negative log likelihood of log-probabilities: `-weight[target] input[target]`, reduced. Shapes and errors as
 * crossEntropy. Source: torch.nn.functional.nll_loss.
 */
export const nllLoss = defineFunction(
  {
    name: 'nn.functional.nllLoss',
    parameters: ['input', 'target', 'weight', 'sizeAverage', 'ignoreIndex', 'reduce', 'reduction'],
    required: 2,
  },
  (
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    ignored?: number,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('nllLoss', reductionName, sizeAverage, reduce);
    const [x] = applyAutocast('float32', [tensorArgument('nllLoss', 'input', input)]);
    const attributes = {
      target: tensorArgument('nllLoss', 'target', target),
      weight: optionalWeight('nllLoss', weight),
      reduction,
      ignoreIndex: ignored ?? -100,
      labelSmoothing: 0,
    };
    return nllLossOp([x], attributes)[0];
  },
);
