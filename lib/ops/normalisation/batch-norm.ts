/** Batch normalisation with running statistics: fused forward and backward over [n, c, inner]. */

import { checkNumber } from '../../arguments.js';
import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf, copyInto } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { inFormatOf } from '../core/relayout.js';
import { viewOp } from '../core/view.js';
import { normDoubleBackward } from './derivative.js';
import {
  checkOperand,
  computed,
  computeInfo,
  type Operands,
  operandGradients,
  operandsOf,
  weightAndBias,
} from './operands.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    batchNorm: KernelTable<
      [
        x: TypedArray,
        weight: TypedArray,
        bias: TypedArray,
        y: TypedArray,
        mean: TypedArray,
        variance: TypedArray,
        rstd: TypedArray,
        n: number,
        c: number,
        inner: number,
        eps: number,
        hasWeight: number,
        hasBias: number,
        training: number,
      ]
    >;
    batchNormBackward: KernelTable<
      [
        g: TypedArray,
        x: TypedArray,
        weight: TypedArray,
        mean: TypedArray,
        rstd: TypedArray,
        gradInput: TypedArray,
        gradWeight: TypedArray,
        gradBias: TypedArray,
        n: number,
        c: number,
        inner: number,
        hasWeight: number,
        training: number,
      ]
    >;
  }
}

interface Attributes extends Operands {
  readonly runningMean: Tensor | null;
  readonly runningVar: Tensor | null;
  readonly training: boolean;
  readonly eps: number;
}
interface Spec extends Attributes {
  readonly n: number;
  readonly c: number;
  readonly inner: number;
}

/** running += momentum (value - running), in place, with the value's factor for an unbiased variance. */
export function updateRunning(running: Tensor, values: ArrayLike<number>, factor: number, momentum: number): void {
  const wide = castTo(running, running.info.half ? computeInfo(running) : running.info);
  const array = wide.array as Float64Array;
  for (let i = 0; i < array.length && i < values.length; i++)
    array[i] = momentum * values[i] * factor + (1 - momentum) * array[i];
  copyInto(running, wide);
  running.storage.version++;
}

/**
 * y = (x - mean) / sqrt(var + eps) w + b by channels; dx, dw, db = batchNormBackward(g, x, w, mean, rstd). The
 * outputs are
 * y and, without gradients and in the type of the computation, mean, var and rstd = 1 / sqrt(var + eps).
 */
const batchNormOp = defineOp<Attributes, Spec, Tensor[]>({
  name: 'batchNorm',
  nativeHalf: true,
  nonDifferentiableOutputs: [1, 2, 3],
  infer: (inputs, attributes) => {
    const [input] = inputs;
    const { runningMean, runningVar, training } = attributes;
    // An empty list has no channels, as in PyTorch.
    const empty = input.shape.length === 1 && input.shape[0] === 0;
    if (input.shape.length < 2 && !empty)
      fail(ShapeError, 'batchNorm', 'an input of at least 2 dimensions', `${input.shape.length}`, { input });
    const [n, c] = empty ? [0, 0] : input.shape;
    const inner = elementCount(input.shape.slice(2));
    const [weight, bias] = weightAndBias(inputs, attributes);
    checkOperand('batchNorm', 'weight', weight, [c], input);
    checkOperand('batchNorm', 'bias', bias, [c], input);
    checkOperand('batchNorm', 'runningMean', runningMean, [c], input);
    checkOperand('batchNorm', 'runningVar', runningVar, [c], input);
    if (training && n * inner === 1)
      fail(ShapeError, 'batchNorm', 'more than 1 value per channel when training', `[${input.shape}]`, { input });
    if (!training && (runningMean === null || runningVar === null))
      fail(ArgumentError, 'batchNorm', 'runningMean and runningVar in evaluation', 'none', { input });
    return { ...attributes, n, c, inner };
  },
  forward: (spec, inputs) => {
    const [input] = inputs;
    const { n, c, inner, training, runningMean, runningVar } = spec;
    const info = computeInfo(input);
    const x = contiguousOf(input);
    const [weight, bias] = weightAndBias(inputs, spec).map((t) => (t === null ? null : computed(t, info)));
    const y = allocate(input.shape, input.info);
    const mean = training ? allocate([c], info) : castTo(runningMean as Tensor, info);
    const variance = training ? allocate([c], info) : castTo(runningVar as Tensor, info);
    const rstd = allocate([c], info);
    const kernel = instanceOf('batchNorm', kernels.batchNorm, x.info);
    const present = (t: Tensor | null): number => (t === null ? 0 : 1);
    kernel(
      x.array,
      (weight ?? mean).array,
      (bias ?? mean).array,
      y.array,
      mean.array,
      variance.array,
      rstd.array,
      n,
      c,
      inner,
      spec.eps,
      present(weight),
      present(bias),
      training ? 1 : 0,
    );
    return [input.contiguousLayout ? y : inFormatOf(input, y), mean, variance, rstd];
  },
  save: (context, inputs, [, mean, , rstd]) =>
    context.save(inputs[0], mean, rstd, weightAndBias(inputs, context.spec)[0]),
  backward: (context, g) => operandGradients(context, g, batchNormBackwardOp),
});

/** dx, dw, db of batchNorm, given g, x, mean, rstd and the weight; their derivative: derivative.ts. */
const batchNormBackwardOp = defineOp<Spec, Spec, Tensor[]>({
  name: 'batchNormBackward',
  nativeHalf: true,
  infer: (_, spec) => spec,
  forward: ({ n, c, inner, training }, [gradOutput, input, mean, rstd, w]) => {
    const { info } = mean;
    const g = computed(gradOutput, input.info);
    const x = contiguousOf(input);
    const weight = w === undefined ? null : computed(w, info);
    const dx = allocate(input.shape, input.info);
    const dw = allocate([c], info);
    const db = allocate([c], info);
    const kernel = instanceOf('batchNormBackward', kernels.batchNormBackward, g.info);
    kernel(
      g.array,
      x.array,
      (weight ?? mean).array,
      mean.array,
      rstd.array,
      dx.array,
      dw.array,
      db.array,
      n,
      c,
      inner,
      weight === null ? 0 : 1,
      training ? 1 : 0,
    );
    return [dx, dw, db];
  },
  save: (context, [g, x, mean, rstd, weight]) => context.save(g, x, mean, rstd, weight ?? null),
  backward: (context, _, gradients): Gradients => {
    const { n, c, inner, training, eps, hasWeight } = context.spec;
    const fixed = training
      ? {}
      : { mean: viewOp([context.saved(2)], [1, c, 1]), rstd: viewOp([context.saved(3)], [1, c, 1]) };
    const kind = training ? 'centred' : 'fixed';
    const given = { g: context.saved(0), x: context.saved(1), weight: hasWeight ? context.saved(4) : null };
    const d = normDoubleBackward(
      { shape: [n, c, inner], dims: [0, 2], weightShape: [1, c, 1], eps, kind, ...fixed },
      given,
      gradients,
    );
    return hasWeight ? [d.g, d.x, null, null, d.weight] : [d.g, d.x, null, null];
  },
});

/** A running statistic: a tensor or nothing. */
export function runningStatistic(op: string, name: string, value: Tensor | null | undefined): Tensor | null {
  return value === undefined || value === null ? null : tensorArgument(op, name, value);
}

/**
 * Normalises each channel over batch and space: y = (x - mean) / sqrt(var + eps) weight + bias. input [N, C, ...];
 * weight and bias [C]. In training the statistics are those of the input, and runningMean, runningVar [C] move towards
 * them by `momentum` (the variance unbiased); otherwise they are the running ones. Returns the input's shape. Throws
 * ShapeError for one value per channel in training. PyTorch: torch.nn.functional.batch_norm.
 */
export const batchNorm = defineFunction(
  {
    name: 'nn.functional.batchNorm',
    parameters: ['input', 'runningMean', 'runningVar', 'weight', 'bias', 'training', 'momentum', 'eps'],
  },
  (
    input: Tensor,
    runningMean?: Tensor | null,
    runningVar?: Tensor | null,
    weight?: Tensor | null,
    bias?: Tensor | null,
    training?: boolean,
    momentum?: number,
    eps?: number,
  ): Tensor => {
    const { inputs, has } = operandsOf('batchNorm', input, weight, bias);
    const attributes = {
      ...has,
      runningMean: runningStatistic('batchNorm', 'runningMean', runningMean),
      runningVar: runningStatistic('batchNorm', 'runningVar', runningVar),
      training: training ?? false,
      eps: checkNumber('batchNorm', 'eps', eps ?? 1e-5),
    };
    const rate = checkNumber('batchNorm', 'momentum', momentum ?? 0.1);
    const [y, mean, variance] = batchNormOp(inputs, attributes);
    const count = mean.shape[0] === 0 ? 0 : elementCount(y.shape) / mean.shape[0];
    if (!attributes.training || count === 0) return y;
    if (attributes.runningMean !== null) updateRunning(attributes.runningMean, mean.array as Float64Array, 1, rate);
    if (attributes.runningVar !== null)
      updateRunning(attributes.runningVar, variance.array as Float64Array, count / (count - 1), rate);
    return y;
  },
);
