/**
 * Losses of the difference of two tensors of one shape (squared, absolute, smooth, Huber), each fused with its
 * reduction; and what all losses share: reductions by name, and the rule that input and target have one shape, where
 * PyTorch would broadcast with a warning.
 */

import type { Gradients } from '../../autograd/node.js';
import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateAs, allocateResult } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { resultType, scalarTensor, tensorArgument } from '../core/promotion.js';
import { withStrides } from '../core/relayout.js';
import { divOp, mul } from '../elementwise/arithmetic.js';
import { mean, sum } from '../reductions/reduce.js';

/** How the elements of a loss become one: their mean (the default), their sum, or not at all. */
export type Reduction = 'none' | 'mean' | 'sum';

type LossKernel = KernelTable<
  [input: TypedArray, target: TypedArray, out: TypedArray, n: number, parameter: number, reduces: number, scale: number]
>;
type LossBackwardKernel = KernelTable<
  [
    gradient: TypedArray,
    input: TypedArray,
    target: TypedArray,
    out: TypedArray,
    n: number,
    parameter: number,
    shared: number,
    scale: number,
  ]
>;
type LossCurvatureKernel = KernelTable<
  [weight: TypedArray, input: TypedArray, target: TypedArray, out: TypedArray, n: number, parameter: number]
>;

declare module '../../native/kernels.js' {
  interface Kernels {
    mseLoss: LossKernel;
    mseLossBackward: LossBackwardKernel;
    mseLossCurvature: LossCurvatureKernel;
    l1Loss: LossKernel;
    l1LossBackward: LossBackwardKernel;
    smoothL1Loss: LossKernel;
    smoothL1LossBackward: LossBackwardKernel;
    smoothL1LossCurvature: LossCurvatureKernel;
    huberLoss: LossKernel;
    huberLossBackward: LossBackwardKernel;
    huberLossCurvature: LossCurvatureKernel;
    binaryCrossEntropy: LossKernel;
    binaryCrossEntropyBackward: LossBackwardKernel;
    binaryCrossEntropyWithLogits: LossKernel;
    binaryCrossEntropyWithLogitsBackward: LossBackwardKernel;
  }
}

export interface LossAttributes {
  readonly reduction: Reduction;
  /** beta, delta; 0 where a loss has none. */
  readonly parameter: number;
}
export interface LossSpec extends LossAttributes {
  readonly shape: Shape;
  readonly count: number;
  /** What a gradient is multiplied by: 1 / count for a mean. */
  readonly scale: number;
}
/** The reduction of a loss's arguments, PyTorch's deprecated sizeAverage and reduce included. */
export function reductionOf(
  op: string,
  reduction: unknown,
  sizeAverage?: boolean | null,
  reduce?: boolean | null,
): Reduction {
  if ((sizeAverage ?? null) !== null || (reduce ?? null) !== null)
    return reduce === false ? 'none' : sizeAverage === false ? 'sum' : 'mean';
  if (reduction === undefined) return 'mean';
  if (reduction === 'none' || reduction === 'mean' || reduction === 'sum') return reduction;
  return fail(ArgumentError, op, "reduction 'none', 'mean' or 'sum'", describe(reduction));
}

/** The elements of a composed loss, reduced. */
export function reduceLoss(loss: Tensor, reduction: Reduction): Tensor {
  return reduction === 'none' ? loss : reduction === 'sum' ? sum(loss) : mean(loss);
}

/** Tensors of one loss under autocast and in their common floating type. */
export function lossArguments(op: string, named: Readonly<Record<string, unknown>>): Tensor[] {
  const names = Object.keys(named);
  const tensors = applyAutocast(
    'float32',
    names.map((name) => tensorArgument(op, name, named[name])),
  );
  const info = resultType(op, tensors);
  if (!info.floating) fail(DTypeError, op, 'floating values', tensors[0].dtype, { [names[0]]: tensors[0] });
  return tensors.map((t) => castRecorded(t, info));
}

export function checkSameShape(op: string, input: Tensor, target: Tensor): void {
  if (!sameShape(input.shape, target.shape))
    fail(
      ShapeError,
      op,
      'input and target of one shape (PyTorch would broadcast them, which is nearly always a mistake)',
      `[${input.shape}] and [${target.shape}]`,
      {
        input,
        target,
      },
    );
}

export function lossSpec(op: string, inputs: readonly Tensor[], { reduction, parameter }: LossAttributes): LossSpec {
  const [input, target] = inputs;
  checkSameShape(op, input, target);
  const count = elementCount(input.shape);
  return { shape: input.shape, count, reduction, parameter, scale: reduction === 'mean' ? 1 / count : 1 };
}

/**
 * `unreduced` makes the output of reduction 'none'; by default the operands decide its layout as those of an
 * elementwise operator.
 */
export function lossForward(
  op: string,
  kernel: LossKernel,
  spec: LossSpec,
  inputs: readonly Tensor[],
  unreduced: (inputs: readonly Tensor[]) => Tensor = (operands) =>
    allocateResult(spec.shape, operands, operands[0].info),
): Tensor {
  const [input, target] = inputs;
  const call = (x: Tensor, t: Tensor, out: Tensor): Tensor => {
    instanceOf(op, kernel, input.info)(
      x.array,
      t.array,
      out.array,
      spec.count,
      spec.parameter,
      Number(spec.reduction !== 'none'),
      spec.scale,
    );
    return out;
  };
  if (spec.reduction !== 'none') return call(contiguousOf(input), contiguousOf(target), allocate([], input.info));
  const out = unreduced(inputs);
  return call(withStrides(input, out.strides), withStrides(target, out.strides), out);
}

export function lossBackward(
  op: string,
  kernel: LossBackwardKernel,
  spec: LossSpec,
  [g, input, target]: readonly Tensor[],
): Tensor {
  const out = allocate(spec.shape, input.info);
  const shared = g.shape.length === 0 && spec.shape.length > 0;
  instanceOf(op, kernel, input.info)(
    contiguousOf(g).array,
    contiguousOf(input).array,
    contiguousOf(target).array,
    out.array,
    spec.count,
    spec.parameter,
    Number(shared),
    spec.scale,
  );
  return out;
}

const minus = (x: Tensor): Tensor => mul.op([x, scalarTensor(-1, x.info)]);

type Curved = 'mseLoss' | 'smoothL1Loss' | 'huberLoss';

/** z = h l''(x - t); dh = c l''; the third derivative is 0 almost everywhere. */
function curvatureOf(name: Curved): Operator<LossAttributes, Tensor> {
  const curvatureOp: Operator<LossAttributes, Tensor> = defineOp<LossAttributes, LossAttributes>({
    name: `${name}Curvature`,
    infer: (_, attributes) => attributes,
    forward: ({ parameter }, [h, x, t]) => {
      const out = allocate(x.shape, x.info);
      instanceOf(name, kernels[`${name}Curvature`], x.info)(
        contiguousOf(h).array,
        contiguousOf(x).array,
        contiguousOf(t).array,
        out.array,
        elementCount(x.shape),
        parameter,
      );
      return out;
    },
    save: (context, [, x, t]) => context.save(x, t),
    backward: (context, c): Gradients => [
      curvatureOp([c, context.saved(0), context.saved(1)], context.spec),
      null,
      null,
    ],
  });
  return curvatureOp;
}

/**
 * A loss l(x - t), by its kernels for l, its slope and its curvature, which the absolute error does without: it is 0.
 */
function differenceLoss(
  name: Curved | 'l1Loss',
  unreduced?: (inputs: readonly Tensor[]) => Tensor,
): Operator<LossAttributes, Tensor> {
  const curvatureOp = name === 'l1Loss' ? null : curvatureOf(name);
  /** z = g s l'(x - t); dg = c s l', dx = c g s l'', dt = -dx, where s = 1 / n for a mean, else 1. */
  const backwardOp: Operator<LossSpec, Tensor> = defineOp<LossSpec, LossSpec>({
    name: `${name}Backward`,
    infer: (_, spec) => spec,
    forward: (spec, inputs) => lossBackward(name, kernels[`${name}Backward`], spec, inputs),
    save: (context, inputs) => context.save(...inputs),
    backward: (context, c): Gradients => {
      const [g, x, t] = [context.saved(0), context.saved(1), context.saved(2)];
      const dg = context.needs(0) ? backwardOp([c, x, t], context.spec) : null;
      if (curvatureOp === null || (!context.needs(1) && !context.needs(2))) return [dg, null, null];
      const dx = curvatureOp([mul.op([mul.op([c, g]), scalarTensor(context.spec.scale, c.info)]), x, t], context.spec);
      return [dg, dx, context.needs(2) ? minus(dx) : null];
    },
  });
  /** y = the reduction of l(x - t); dx = g s l'(x - t), dt = -dx. */
  return defineOp<LossAttributes, LossSpec>({
    name,
    autocast: 'float32',
    infer: (inputs, attributes) => lossSpec(name, inputs, attributes),
    forward: (spec, inputs) => lossForward(name, kernels[name], spec, inputs, unreduced),
    save: (context, [x, t]) => context.save(x, t),
    backward: (context, g): Gradients => {
      const dx = backwardOp([g, context.saved(0), context.saved(1)], context.spec);
      return [context.needs(0) ? dx : null, context.needs(1) ? minus(dx) : null];
    },
  });
}

const mseLossOp = differenceLoss('mseLoss');
const l1LossOp = differenceLoss('l1Loss');
const smoothL1LossOp = differenceLoss('smoothL1Loss');
const huberLossOp = differenceLoss('huberLoss', ([x]) => allocateAs(x));

/**
 * A loss with an element-wise weight of the input's shape; PyTorch divides the mean by the sum of weights, for Huber by
 * the count.
 */
function weighted(
  op: string,
  loss: Operator<LossAttributes, Tensor>,
  tensors: readonly Tensor[],
  attributes: LossAttributes,
  byCount: boolean,
): Tensor {
  const [x, t, w] = tensors;
  checkSameShape(op, x, t);
  if (!sameShape(w.shape, x.shape))
    fail(ShapeError, op, 'a weight of the input’s shape', `[${w.shape}]`, { input: x, weight: w });
  const elements = mul.op([loss([x, t], { ...attributes, reduction: 'none' }), w]);
  if (attributes.reduction !== 'mean' || byCount) return reduceLoss(elements, attributes.reduction);
  return divOp([sum(elements), sum(w)]);
}

const PAIR = ['input', 'target', 'sizeAverage', 'reduce', 'reduction'] as const;

/**
 * The squared error `(input - target)^2`, reduced; `weight` weighs the elements. Input and target of one shape, else
 * ShapeError; returns a scalar, or the input's shape for 'none'. Source: torch.nn.functional.mse_loss.
 */
export const mseLoss = defineFunction(
  { name: 'nn.functional.mseLoss', parameters: [...PAIR, 'weight'], required: 2, composed: true },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reduction?: Reduction,
    weight?: Tensor | null,
  ): Tensor => {
    const attributes = { reduction: reductionOf('mseLoss', reduction, sizeAverage, reduce), parameter: 0 };
    if ((weight ?? null) === null) return mseLossOp(lossArguments('mseLoss', { input, target }), attributes);
    return weighted('mseLoss', mseLossOp, lossArguments('mseLoss', { input, target, weight }), attributes, false);
  },
);

/** The absolute error `|input - target|`, reduced. Shapes as mseLoss. Source: torch.nn.functional.l1_loss. */
export const l1Loss = defineFunction(
  { name: 'nn.functional.l1Loss', parameters: [...PAIR, 'weight'], required: 2, composed: true },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reduction?: Reduction,
    weight?: Tensor | null,
  ): Tensor => {
    const attributes = { reduction: reductionOf('l1Loss', reduction, sizeAverage, reduce), parameter: 0 };
    if ((weight ?? null) === null) return l1LossOp(lossArguments('l1Loss', { input, target }), attributes);
    return weighted('l1Loss', l1LossOp, lossArguments('l1Loss', { input, target, weight }), attributes, false);
  },
);

/**
 * `d^2 / (2 beta)` where `d = |input - target|` is below beta (default 1), else `d - beta / 2`, reduced. Shapes as
 * mseLoss. Source: torch.nn.functional.smooth_l1_loss.
 */
export const smoothL1Loss = defineFunction(
  {
    name: 'nn.functional.smoothL1Loss',
    parameters: [...PAIR, 'beta'],
    required: 2,
    composed: true,
    kinds: { beta: 'number' },
  },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reduction?: Reduction,
    given?: number,
  ): Tensor => {
    const beta = given ?? 1;
    if (!(beta >= 0)) fail(ArgumentError, 'smoothL1Loss', 'beta of at least 0', String(beta));
    const attributes = { reduction: reductionOf('smoothL1Loss', reduction, sizeAverage, reduce), parameter: beta };
    return (beta === 0 ? l1LossOp : smoothL1LossOp)(lossArguments('smoothL1Loss', { input, target }), attributes);
  },
);

/**
 * `d^2 / 2` where `d = |input - target|` is at most delta (default 1), else `delta (d - delta / 2)`, reduced. Shapes as
 * mseLoss. Source: torch.nn.functional.huber_loss.
 */
export const huberLoss = defineFunction(
  {
    name: 'nn.functional.huberLoss',
    parameters: ['input', 'target', 'reduction', 'delta', 'weight'],
    required: 2,
    composed: true,
  },
  (input: Tensor, target: Tensor, reduction?: Reduction, given?: number, weight?: Tensor | null): Tensor => {
    const delta = given ?? 1;
    if (!(delta > 0)) fail(ArgumentError, 'huberLoss', 'delta above 0', String(delta));
    const attributes = { reduction: reductionOf('huberLoss', reduction), parameter: delta };
    if ((weight ?? null) === null) return huberLossOp(lossArguments('huberLoss', { input, target }), attributes);
    return weighted('huberLoss', huberLossOp, lossArguments('huberLoss', { input, target, weight }), attributes, true);
  },
);
