/** Activation functions of `nn.functional`, and those that PyTorch also has on the top level or as methods. */
import { checkInplace } from '../../autograd/graph.js';
import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { attachMethod, defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { BOOL } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { asOperand, isScalar, tensorArgument } from '../core/promotion.js';
import { reshape } from '../core/view.js';
import { add, div, sub } from '../elementwise/arithmetic.js';
import { le } from '../elementwise/comparison.js';
import { evaluate, Planned, runInto } from '../elementwise/elementwise-function.js';
import type { Elementwise } from '../elementwise/elementwise-op.js';
import { sigmoid as sigmoidOf, tanh as tanhOf } from '../elementwise/exponential.js';
import { abs } from '../elementwise/rounding.js';
import { clamp, whereOp } from '../elementwise/selection.js';
import {
  eluOp,
  geluOp,
  geluTanhOp,
  hardshrinkOp,
  hardsigmoidOp,
  hardswishOp,
  hardtanhOp,
  leakyReluOp,
  logsigmoidOp,
  mishOp,
  preluOp,
  reluOp,
  siluOp,
  softplusOp,
  softshrinkOp,
  thresholdOp,
} from './activation-op.js';
import { gluOp } from './glu-op.js';

/** The input among the options. */
type NamedInput = { input: Tensor } & Readonly<Record<string, Tensor | number | boolean>>;
/** A function of the input, of numbers with defaults, and of `inplace` where PyTorch has that. */
type Activation = (
  input: Tensor | NamedInput,
  ...rest: (number | boolean | Record<string, number | boolean> | undefined)[]
) => Tensor;

interface Settings {
  /** Parameters after the input and their defaults; a default of undefined means that the parameter must be given. */
  readonly numbers?: Readonly<Record<string, number | undefined>>;
  /** Whether there is an `inplace` parameter. Default true. */
  readonly inplace?: boolean;
  /** What the operator takes, from the parameters. Default: the parameters themselves. */
  readonly operands?: (numbers: readonly number[]) => readonly number[];
  /** What runs on integers: true for the same operator, or a plan of its own. By default they are refused. */
  readonly integers?: true | ((x: Tensor, numbers: readonly number[]) => Planned | Tensor);
}

function inputOf(op: string, input: unknown, integers: boolean): Tensor {
  const x = tensorArgument(op, 'input', input);
  if (x.info === BOOL || (!integers && !x.info.floating))
    fail(DTypeError, op, integers ? 'numbers' : 'a floating tensor', x.dtype, { input: x });
  return x;
}

/** Declares an activation function and, in the second result, its form with `_`. */
function activation(name: string, op: Elementwise, settings: Settings = {}): [Activation, Activation] {
  const { numbers = {}, inplace = true, operands = (given) => given, integers } = settings;
  const names = Object.keys(numbers);
  const defaults = Object.values(numbers);
  const required = 1 + defaults.filter((value) => value === undefined).length;
  const plan = (input: Tensor, given: readonly unknown[]): Planned | Tensor => {
    const x = inputOf(name, input, integers !== undefined);
    const values = names.map((parameter, i) => {
      const value = given[i] ?? defaults[i];
      return isScalar(value) ? Number(value) : fail(ArgumentError, name, `a number for ${parameter}`, String(value));
    });
    if (typeof integers === 'function' && !x.info.floating) return integers(x, operands(values));
    return new Planned(op, [x], operands(values));
  };
  const change = (input: Tensor, given: readonly unknown[]): Tensor => {
    checkInplace(`${name}_`, tensorArgument(name, 'input', input));
    return runInto(`${name}_`, input, plan(input, given));
  };
  const fn = defineFunction(
    { name: `nn.functional.${name}`, parameters: ['input', ...names, ...(inplace ? ['inplace'] : [])], required },
    (input: Tensor, ...given: unknown[]) =>
      inplace && given[names.length] === true ? change(input, given) : evaluate(plan(input, given)),
  );
  const fnInplace = defineFunction(
    { name: `nn.functional.${name}_`, parameters: ['input', ...names], required, hidden: true },
    (input: Tensor, ...given: unknown[]) => change(input, given),
  );
  return [fn as unknown as Activation, fnInplace as unknown as Activation];
}

/** Bounds of integers count as integers. */
function clampIntegers(x: Tensor, [low, high]: readonly number[]): Tensor {
  return clamp(x, Math.trunc(low), Math.trunc(high));
}

/** `max(x, 0)`. */
export const [relu, relu_] = activation('relu', reluOp, { integers: true });
/** `min(max(x, 0), 6)`. */
export const [relu6] = activation('relu6', hardtanhOp, { operands: () => [0, 6], integers: clampIntegers });
/** `min(max(x, minVal), maxVal)`; defaults -1 and 1. No gradient flows at the bounds. */
export const [hardtanh, hardtanh_] = activation('hardtanh', hardtanhOp, {
  numbers: { minVal: -1, maxVal: 1 },
  integers: clampIntegers,
});
/** `x` where it is above `threshold`, else `value`. */
export const [threshold, threshold_] = activation('threshold', thresholdOp, {
  numbers: { threshold: undefined, value: undefined },
  integers: (x, [limit, value]) =>
    new Planned(whereOp, [asOperand('threshold', value, x.info), x, le.op([x, asOperand('threshold', limit, x.info)])]),
});
/** `x`, or `negativeSlope * x` (default 0.01) below 0. */
export const [leakyRelu, leakyRelu_] = activation('leakyRelu', leakyReluOp, { numbers: { negativeSlope: 0.01 } });
/** `x`, or `alpha * (e^x - 1)` (default alpha 1) below 0. */
export const [elu, elu_] = activation('elu', eluOp, { numbers: { alpha: 1 }, operands: ([alpha]) => [alpha, 1, 1] });
const SELU = [1.6732632423543772, 1.0507009873554805, 1];
/** `scale * elu(x, alpha)` with the constants of self-normalising networks (Klambauer et al. 2017). */
export const [selu, selu_] = activation('selu', eluOp, { operands: () => SELU });
/** `max(x, 0) + min(alpha * (e^(x / alpha) - 1), 0)`; default alpha 1. */
export const [celu, celu_] = activation('celu', eluOp, {
  numbers: { alpha: 1 },
  operands: ([alpha]) =>
    alpha === 0 ? fail(ArgumentError, 'celu', 'an alpha other than 0', '0') : [alpha, 1, 1 / alpha],
});
/** `x * sigmoid(x)`. */
export const [silu] = activation('silu', siluOp);
/** `x * tanh(softplus(x))` (Misra 2019). */
export const [mish] = activation('mish', mishOp);
/** `ln(1 + e^(beta x)) / beta`, and `x` itself where `beta x` is above `threshold`; defaults 1 and 20. */
export const [softplus] = activation('softplus', softplusOp, { numbers: { beta: 1, threshold: 20 }, inplace: false });
/** `min(max(x + 3, 0), 6) / 6`. */
export const [hardsigmoid] = activation('hardsigmoid', hardsigmoidOp);
/** `x * hardsigmoid(x)`. */
export const [hardswish] = activation('hardswish', hardswishOp);
/** `ln(sigmoid(x))`. */
export const [logsigmoid] = activation('logsigmoid', logsigmoidOp, { inplace: false });
/** `x` moved by `lambd` (default 0.5) towards 0, and 0 within `lambd` of it. */
export const [softshrink] = activation('softshrink', softshrinkOp, {
  numbers: { lambd: 0.5 },
  inplace: false,
  operands: ([lambda]) =>
    lambda >= 0 ? [lambda] : fail(ArgumentError, 'softshrink', 'a lambd of at least 0', String(lambda)),
});
/** `x`, and 0 within `lambd` (default 0.5) of 0. */
export const [hardshrink] = activation('hardshrink', hardshrinkOp, { numbers: { lambd: 0.5 }, inplace: false });

/**
 * `x Phi(x)` with Phi the normal distribution's integral; `approximate: 'tanh'` takes Hendrycks and Gimpel's formula
 * for it.
 */
export const gelu = defineFunction(
  { name: 'nn.functional.gelu', parameters: ['input', 'approximate'], keywords: 1 },
  (input: Tensor, formula?: 'none' | 'tanh'): Tensor => {
    const x = inputOf('gelu', input, false);
    const approximate = formula ?? 'none';
    if (approximate !== 'none' && approximate !== 'tanh')
      fail(ArgumentError, 'gelu', "approximate 'none' or 'tanh'", describe(approximate));
    return (approximate === 'none' ? geluOp : geluTanhOp)([x]);
  },
);
/** `x`, or `weight * x` below 0; `weight` has one element, or one a channel (dim 1 of the input). */
export const prelu = defineFunction(
  { name: 'nn.functional.prelu', parameters: ['input', 'weight'], required: 2 },
  (input: Tensor, weight: Tensor): Tensor => {
    const [x, w] = applyAutocast('lower', [inputOf('prelu', input, false), tensorArgument('prelu', 'weight', weight)]);
    if (w.info !== x.info) fail(DTypeError, 'prelu', `a weight of the input's dtype ${x.dtype}`, w.dtype);
    if (w.shape.length > 1) fail(ShapeError, 'prelu', 'a weight of 0 or 1 dimensions', `[${w.shape}]`, { input: x });
    const count = w.numel();
    const channels = x.shape.length < 2 ? 1 : x.shape[1];
    if (count !== 1 && count !== channels)
      fail(ShapeError, 'prelu', `a weight of 1 or ${channels} elements (channels of the input)`, String(count), {
        input: x,
        weight: w,
      });
    const shape = x.shape.map((_, d) => (d === 1 && count !== 1 ? count : 1));
    return preluOp([x, reshape(w, count === 1 ? x.shape.map(() => 1) : shape)]);
  },
);
/** `1 / (1 + e^-x)`. */
export const sigmoid = defineFunction(
  { name: 'nn.functional.sigmoid', parameters: ['input'] },
  (input: Tensor): Tensor => sigmoidOf(input),
);
/** `tanh(x)`. */
export const tanh = defineFunction(
  { name: 'nn.functional.tanh', parameters: ['input'] },
  (input: Tensor): Tensor => tanhOf(input),
);
/** `x / (1 + |x|)`. */
export const softsign = defineFunction(
  { name: 'nn.functional.softsign', parameters: ['input'], composed: true },
  (input: Tensor): Tensor => div(input, add(abs(input), 1)),
);
/** `x - tanh(x)`. */
export const tanhshrink = defineFunction(
  { name: 'nn.functional.tanhshrink', parameters: ['input'], composed: true },
  (input: Tensor): Tensor => sub(input, tanhOf(input)),
);
/** `a * sigmoid(b)` where a and b are the halves of the input along `dim` (default the last). */
export const glu = defineFunction(
  { name: 'nn.functional.glu', parameters: ['input', 'dim'] },
  (input: Tensor, along?: number): Tensor => {
    const x = inputOf('glu', input, false);
    const dim = along ?? -1;
    if (x.shape.length === 0 || x.size(dim) % 2 !== 0)
      fail(ShapeError, 'glu', `an even size of dim ${dim}`, `[${x.shape}]`);
    return gluOp([x], wrapDim('glu', dim, x.shape.length));
  },
);

attachMethod('relu', relu);
attachMethod('relu_', relu_);
attachMethod('prelu', prelu);
attachMethod('hardshrink', hardshrink);
declare module '../../tensor/tensor.js' {
  interface Tensor {
    relu(): Tensor;
    relu_(): Tensor;
    prelu(weight: Tensor): Tensor;
    hardshrink(lambd?: number): Tensor;
  }
}
