/** Layer, group, instance and root-mean-square normalisation: one fused pair of kernels that normalises rows. */

import { checkNumber } from '../../arguments.js';
import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { inFormatOf } from '../core/relayout.js';
import { batchNorm, runningStatistic, updateRunning } from './batch-norm.js';
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
    rowNorm: KernelTable<
      [
        x: TypedArray,
        weight: TypedArray,
        bias: TypedArray,
        y: TypedArray,
        mean: TypedArray,
        rstd: TypedArray,
        rows: number,
        groups: number,
        channels: number,
        inner: number,
        eps: number,
        hasWeight: number,
        hasBias: number,
        centred: number,
      ]
    >;
    rowNormBackward: KernelTable<
      [
        g: TypedArray,
        x: TypedArray,
        weight: TypedArray,
        mean: TypedArray,
        rstd: TypedArray,
        gradInput: TypedArray,
        gradWeight: TypedArray,
        gradBias: TypedArray,
        rows: number,
        groups: number,
        channels: number,
        inner: number,
        hasWeight: number,
        affine: number,
        centred: number,
      ]
    >;
  }
}

/** Rows of `channels` runs of `inner` elements; a sample is `groups` rows, with a weight for each run of a sample. */
interface Rows {
  readonly samples: number;
  readonly groups: number;
  readonly channels: number;
  readonly inner: number;
  readonly weightShape: Shape;
}
interface Attributes extends Operands {
  readonly rows: Rows;
  readonly eps: number;
}

function rowNormOperator(name: string, centred: boolean, followsImage: boolean) {
  /**
   * y = (x - mean) / sqrt(var + eps) w + b by rows; dx, dw, db = its backward operator on (g, x, mean, rstd, w). The
   * outputs are y and, without gradients and in the type of the computation, mean and rstd = 1 / sqrt(var + eps).
   */
  const forward = defineOp<Attributes, Attributes, Tensor[]>({
    name,
    nativeHalf: true,
    nonDifferentiableOutputs: [1, 2],
    infer: (inputs, attributes) => {
      const [weight, bias] = weightAndBias(inputs, attributes);
      checkOperand(name, 'weight', weight, attributes.rows.weightShape, inputs[0]);
      checkOperand(name, 'bias', bias, attributes.rows.weightShape, inputs[0]);
      return attributes;
    },
    forward: (spec, inputs) => {
      const [input] = inputs;
      const { samples, groups, channels, inner } = spec.rows;
      const info = computeInfo(input);
      const x = contiguousOf(input);
      const [weight, bias] = weightAndBias(inputs, spec).map((t) => (t === null ? null : computed(t, info)));
      const y = allocate(input.shape, input.info);
      const mean = allocate([samples * groups], info);
      const rstd = allocate([samples * groups], info);
      const kernel = instanceOf(name, kernels.rowNorm, x.info);
      const present = (t: Tensor | null): number => (t === null ? 0 : 1);
      const [w, b] = [(weight ?? mean).array, (bias ?? mean).array];
      kernel(
        x.array,
        w,
        b,
        y.array,
        mean.array,
        rstd.array,
        samples * groups,
        groups,
        channels,
        inner,
        spec.eps,
        present(weight),
        present(bias),
        centred ? 1 : 0,
      );
      return [followsImage ? inFormatOf(input, y) : y, mean, rstd];
    },
    save: (context, inputs, [, mean, rstd]) =>
      context.save(inputs[0], mean, rstd, weightAndBias(inputs, context.spec)[0]),
    backward: (context, g) => operandGradients(context, g, backward),
  });

  /** dx, dw, db of the rows, given g, x, mean, rstd and the weight; their derivative: derivative.ts. */
  const backward = defineOp<Attributes, Attributes, Tensor[]>({
    name: `${name}Backward`,
    nativeHalf: true,
    infer: (_, spec) => spec,
    forward: ({ rows, hasWeight, hasBias }, [gradOutput, input, mean, rstd, w]) => {
      const { samples, groups, channels, inner, weightShape } = rows;
      const g = computed(gradOutput, input.info);
      const x = contiguousOf(input);
      const weight = w === undefined ? null : computed(w, mean.info);
      const dx = allocate(input.shape, input.info);
      const dw = allocate([...weightShape], mean.info);
      const db = allocate([...weightShape], mean.info);
      const affine = hasWeight || hasBias;
      const kernel = instanceOf(name, kernels.rowNormBackward, g.info);
      const flags = [weight === null ? 0 : 1, affine ? 1 : 0, centred ? 1 : 0] as const;
      kernel(
        g.array,
        x.array,
        (weight ?? mean).array,
        mean.array,
        rstd.array,
        dx.array,
        dw.array,
        db.array,
        samples * groups,
        groups,
        channels,
        inner,
        ...flags,
      );
      return [dx, dw, db];
    },
    save: (context, [g, x, mean, rstd, weight]) => context.save(g, x, mean, rstd, weight ?? null),
    backward: (context, _, gradients): Gradients => {
      const { rows, eps, hasWeight } = context.spec;
      const { samples, groups, channels, inner } = rows;
      const given = { g: context.saved(0), x: context.saved(1), weight: hasWeight ? context.saved(4) : null };
      const normalisation = {
        shape: [samples, groups, channels, inner],
        dims: [2, 3],
        weightShape: [1, groups, channels, 1],
        eps,
        kind: centred ? 'centred' : 'rms',
      } as const;
      const d = normDoubleBackward(normalisation, given, gradients);
      return hasWeight ? [d.g, d.x, null, null, d.weight] : [d.g, d.x, null, null];
    },
  });
  return forward;
}

const layerNormOp = rowNormOperator('layerNorm', true, false);
const groupNormOp = rowNormOperator('groupNorm', true, true);
const instanceNormOp = rowNormOperator('instanceNorm', true, false);
const rmsNormOp = rowNormOperator('rmsNorm', false, true);

/** Rows over the last dimensions, which must be `normalizedShape`. */
function trailingRows(op: string, input: Tensor, normalizedShape: number | readonly number[]): Rows {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  if (!Array.isArray(shape) || shape.length === 0)
    fail(ArgumentError, op, 'a normalizedShape of at least 1 dimension', describe(normalizedShape));
  const lead = input.shape.length - shape.length;
  if (lead < 0 || !sameShape(input.shape.slice(lead), shape))
    fail(ShapeError, op, `an input whose shape ends in normalizedShape [${shape}]`, `[${input.shape}]`, { input });
  return {
    samples: elementCount(input.shape.slice(0, lead)),
    groups: 1,
    channels: elementCount(shape),
    inner: 1,
    weightShape: Object.freeze([...shape]),
  };
}

/**
 * Normalises over the last dimensions: y = (x - mean) / sqrt(var + eps) weight + bias. normalizedShape, weight and bias
 * have the shape of those dimensions. Returns the input's shape. Throws ShapeError. PyTorch:
 * torch.nn.functional.layer_norm.
 */
export const layerNorm = defineFunction(
  { name: 'nn.functional.layerNorm', parameters: ['input', 'normalizedShape', 'weight', 'bias', 'eps'], required: 2 },
  (
    input: Tensor,
    normalizedShape: number | readonly number[],
    weight?: Tensor | null,
    bias?: Tensor | null,
    eps?: number,
  ): Tensor => {
    const { inputs, has } = operandsOf('layerNorm', input, weight, bias);
    return layerNormOp(inputs, {
      ...has,
      rows: trailingRows('layerNorm', inputs[0], normalizedShape),
      eps: checkNumber('layerNorm', 'eps', eps ?? 1e-5),
    })[0];
  },
);

/** The distance from 1 to the next number of each floating type. */
const EPSILON: Readonly<Record<string, number>> = { float64: 2 ** -52 };

/**
 * Divides by the root mean square over the last dimensions: y = x / sqrt(mean(x^2) + eps) weight; eps is by default the
 * machine epsilon of the computation. Returns the input's shape. Throws ShapeError. PyTorch:
 * torch.nn.functional.rms_norm.
 */
export const rmsNorm = defineFunction(
  {
    name: 'nn.functional.rmsNorm',
    parameters: ['input', 'normalizedShape', 'weight', 'eps'],
    required: 2,
    kinds: { eps: 'number?' },
  },
  (input: Tensor, normalizedShape: number | readonly number[], weight?: Tensor | null, eps?: number | null): Tensor => {
    const { inputs, has } = operandsOf('rmsNorm', input, weight, null);
    const least = eps ?? EPSILON[inputs[0].dtype] ?? 2 ** -23;
    return rmsNormOp(inputs, {
      ...has,
      rows: trailingRows('rmsNorm', inputs[0], normalizedShape),
      eps: checkNumber('rmsNorm', 'eps', least),
    })[0];
  },
);

/**
 * Normalises each group of channels of a sample over channels and space. input [N, C, ...]; numGroups divides C; weight
 * and bias [C]. Returns the input's shape. Throws ShapeError. PyTorch: torch.nn.functional.group_norm.
 */
export const groupNorm = defineFunction(
  { name: 'nn.functional.groupNorm', parameters: ['input', 'numGroups', 'weight', 'bias', 'eps'], required: 2 },
  (input: Tensor, numGroups: number, weight?: Tensor | null, bias?: Tensor | null, eps?: number): Tensor => {
    const { inputs, has } = operandsOf('groupNorm', input, weight, bias);
    const [x] = inputs;
    if (x.shape.length < 2)
      fail(ShapeError, 'groupNorm', 'an input of at least 2 dimensions', `${x.shape.length}`, { input: x });
    if (!Number.isInteger(numGroups) || numGroups < 1)
      fail(ArgumentError, 'groupNorm', 'numGroups to be a whole number of at least 1', describe(numGroups));
    const [n, c] = x.shape;
    if (c % numGroups !== 0)
      fail(ShapeError, 'groupNorm', 'channels divisible by numGroups', `${c}`, { input: x, numGroups });
    const inner = elementCount(x.shape.slice(2));
    if (n * inner * (c / numGroups) === 1)
      fail(ShapeError, 'groupNorm', 'more than 1 value per channel when training', `[${x.shape}]`, {
        input: x,
        numGroups,
      });
    const rows = { samples: n, groups: numGroups, channels: c / numGroups, inner, weightShape: Object.freeze([c]) };
    return groupNormOp(inputs, { ...has, rows, eps: checkNumber('groupNorm', 'eps', eps ?? 1e-5) })[0];
  },
);

/**
 * Normalises each channel of each sample over space. input [N, C, ...]; weight and bias [C]. Running statistics, where
 * given, move towards the means over the batch; without useInputStats they take the place of the input's. Returns the
 * input's shape. Throws ShapeError. PyTorch: torch.nn.functional.instance_norm.
 */
export const instanceNorm = defineFunction(
  {
    name: 'nn.functional.instanceNorm',
    parameters: ['input', 'runningMean', 'runningVar', 'weight', 'bias', 'useInputStats', 'momentum', 'eps'],
  },
  (
    input: Tensor,
    runningMean?: Tensor | null,
    runningVar?: Tensor | null,
    weight?: Tensor | null,
    bias?: Tensor | null,
    useInputStats?: boolean,
    momentum?: number,
    eps?: number,
  ): Tensor => {
    const op = 'instanceNorm';
    const { inputs, has } = operandsOf(op, input, weight, bias);
    const [x] = inputs;
    const mean = runningStatistic(op, 'runningMean', runningMean);
    const variance = runningStatistic(op, 'runningVar', runningVar);
    const rate = checkNumber(op, 'momentum', momentum ?? 0.1);
    const least = checkNumber(op, 'eps', eps ?? 1e-5);
    if (!(useInputStats ?? true)) {
      if (mean === null || variance === null)
        fail(ArgumentError, op, 'runningMean and runningVar where useInputStats is false', 'none', { input: x });
      return batchNorm(x, mean, variance, weight, bias, false, rate, least);
    }
    if (x.shape.length < 2)
      fail(ShapeError, op, 'an input of at least 2 dimensions', `${x.shape.length}`, { input: x });
    const [n, c] = x.shape;
    const inner = elementCount(x.shape.slice(2));
    if (inner === 1) fail(ShapeError, op, 'more than 1 spatial element when training', `[${x.shape}]`, { input: x });
    checkOperand(op, 'runningMean', mean, [c], x);
    checkOperand(op, 'runningVar', variance, [c], x);
    // Without elements there are no statistics to keep apart, and the gradients are those of batch normalisation.
    if (n * c * inner === 0) return batchNorm(x, null, null, weight, bias, true, rate, least);
    const rows = { samples: n, groups: c, channels: 1, inner, weightShape: Object.freeze([c]) };
    const [y, means, rstds] = instanceNormOp(inputs, { ...has, rows, eps: least });
    // The mean over the batch of what each sample had.
    const average = (value: (row: number) => number): number[] =>
      Array.from(
        { length: c },
        (_, channel) => Array.from({ length: n }, (__, i) => value(i * c + channel)).reduce((a, b) => a + b, 0) / n,
      );
    if (mean !== null) {
      const values = means.array as Float64Array;
      const averages = average((row) => values[row]);
      updateRunning(mean, averages, 1, rate);
    }
    if (variance !== null) {
      const values = rstds.array as Float64Array;
      const averages = average((row) => Math.max(0, 1 / values[row] ** 2 - least));
      updateRunning(variance, averages, inner / (inner - 1), rate);
    }
    return y;
  },
);
