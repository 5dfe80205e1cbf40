/**
 * The operators of activation functions: each forward kernel, its fused derivative, and the derivative of that one.
 * Second derivatives are composed of operators, since only double backward runs them. f' stands for the function's
 * derivative.
 */
import type { Gradients } from '../../autograd/node.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { scalarTensor } from '../core/promotion.js';
import { addOp, divOp, mul, plus, scaled, scaledMulOp, subOp } from '../elementwise/arithmetic.js';
import { ge, lt } from '../elementwise/comparison.js';
import { type Elementwise, elementwiseOp, type Keep } from '../elementwise/elementwise-op.js';
import { exp, sigmoid, tanh } from '../elementwise/exponential.js';
import { square } from '../elementwise/power.js';
import { whereOp } from '../elementwise/selection.js';

/** An activation y = f(x), saving x (or y, where f' can be read off it): dx = backward(g, saved). */
function activation(
  name: string,
  backward: () => Elementwise,
  keep: Keep = (_, [x]) => [x],
  layout?: 'contiguous',
): Elementwise {
  return elementwiseOp({
    name,
    layout,
    keep,
    backward: (g, context): Gradients => [backward()([g, context.saved(0)], context.spec.numbers)],
  });
}
/** z = g f'(x) where f' is constant in pieces: dg = h f'(x), and nothing for x. */
function piecewiseBackward(name: string): Elementwise {
  const op: Elementwise = elementwiseOp({
    name,
    keep: (_, [, x]) => [x],
    backward: (h, context): Gradients => [op([h, context.saved(0)], context.spec.numbers), null],
  });
  return op;
}
/** z = g f'(x): dg = h f'(x), dx = second(h g, x), which is h g f''(x). */
function smoothBackward(
  name: string,
  second: (hg: Tensor, x: Tensor, numbers: readonly number[]) => Tensor,
): Elementwise {
  const op: Elementwise = elementwiseOp({
    name,
    keep: (needs, [g, x]) => [needs[1] ? g : null, x],
    backward: (h, context): Gradients => {
      const x = context.saved(1);
      const { numbers } = context.spec;
      return [
        context.needs(0) ? op([h, x], numbers) : null,
        context.needs(1) ? second(mul.op([h, context.saved(0)]), x, numbers) : null,
      ];
    },
  });
  return op;
}

/** s (1 - s) */
function bump(s: Tensor): Tensor {
  return subOp([s, square.op([s])]);
}
function product(...factors: Tensor[]): Tensor {
  return factors.reduce((a, b) => mul.op([a, b]));
}

const keepOutput: Keep = (_, __, y) => [y];

/** y = max(x, 0); dx = g where y > 0. */
export const reluOp: Elementwise = elementwiseOp({
  name: 'relu',
  keep: keepOutput,
  backward: (g, context): Gradients => [thresholdBackwardOp([g, context.saved(0)], [0])],
});
/** z = g where x > threshold. Numbers: threshold. */
export const thresholdBackwardOp = piecewiseBackward('thresholdBackward');
/** y = x where x > threshold, else value; dx = g there. Numbers: threshold, value. */
export const thresholdOp: Elementwise = elementwiseOp({
  name: 'threshold',
  keep: (_, [x]) => [x],
  backward: (g, context): Gradients => [thresholdBackwardOp([g, context.saved(0)], [context.spec.numbers[0]])],
});
/** y = x held between two bounds; dx = g strictly between them, as y tells. Numbers: low, high. */
export const hardtanhOp: Elementwise = elementwiseOp({
  name: 'hardtanh',
  kernel: 'clampScalar',
  keep: keepOutput,
  backward: (g, context): Gradients => [hardtanhBackwardOp([g, context.saved(0)], context.spec.numbers)],
});
const hardtanhBackwardOp = piecewiseBackward('hardtanhBackward');
/** y = x, or slope x below 0; dx = g, or slope g. For a slope of at least 0 y tells which. Numbers: slope. */
export const leakyReluOp = activation(
  'leakyRelu',
  () => leakyReluBackwardOp,
  (_, [x], y, [slope]) => [slope >= 0 ? y : x],
);
const leakyReluBackwardOp = piecewiseBackward('leakyReluBackward');

/** z = g where x < 0; dg = h there. */
const negativeGateOp = piecewiseBackward('negativeGate');
/** y = x, or w x below 0; dx = g, or w g; dw = g x below 0. */
export const preluOp: Elementwise = elementwiseOp({
  name: 'prelu',
  keep: (_, [x, w]) => [x, w],
  backward: (g, context): Gradients => {
    const x = context.saved(0);
    return [
      context.needs(0) ? preluBackwardOp([g, x, context.saved(1)]) : null,
      context.needs(1) ? mul.op([negativeGateOp([g, x]), x]) : null,
    ];
  },
});
/**
 * z = g, or w g where x <= 0; dg = h, or w h where x < 0 (PyTorch takes 0 to the other side here); dw = h g where x <
 * 0.
 */
const preluBackwardOp: Elementwise = elementwiseOp({
  name: 'preluBackward',
  keep: (needs, [g, x, w]) => [needs[2] ? g : null, x, w],
  backward: (h, context): Gradients => {
    const x = context.saved(1);
    const w = context.saved(2);
    const below = (): Tensor => whereOp([h, mul.op([h, w]), ge.op([x, scalarTensor(0, x.info)])]);
    return [
      context.needs(0) ? below() : null,
      null,
      context.needs(2) ? negativeGateOp([mul.op([h, context.saved(0)]), x]) : null,
    ];
  },
});

/** y = scale x, or scale alpha (e^(rate x) - 1) below 0. Numbers: alpha, scale, rate. */
export const eluOp = activation('elu', () => eluBackwardOp);
/** f'' = rate f' below 0, 0 elsewhere. */
const eluBackwardOp: Elementwise = smoothBackward('eluBackward', (hg, x, numbers) =>
  scaled(
    mul.op([eluBackwardOp([hg, x], numbers), castRecorded(lt.op([x, scalarTensor(0, x.info)]), x.info)]),
    numbers[2],
  ),
);

/** y = x Phi(x), Phi the normal distribution's integral. */
export const geluOp = activation('gelu', () => geluBackwardOp);
/** f'' = phi(x) (2 - x^2), phi the normal density. */
const geluBackwardOp = smoothBackward('geluBackward', (hg, x) => {
  const xx = square.op([x]);
  return scaledMulOp([mul.op([hg, exp.op([scaled(xx, -0.5)])]), plus(scaled(xx, -1), 2)], [1 / Math.sqrt(2 * Math.PI)]);
});
const INNER = Math.sqrt(2 / Math.PI);
const CUBE = 0.044715;
/** y = x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3). */
export const geluTanhOp = activation('geluTanh', () => geluTanhBackwardOp);
/** f'' = (1 - t^2) (u' + x u'' / 2 - x t u'^2), t = tanh u. */
const geluTanhBackwardOp = smoothBackward('geluTanhBackward', (hg, x) => {
  const xx = square.op([x]);
  const t = tanh.op([product(x, plus(scaled(xx, INNER * CUBE), INNER))]);
  const u1 = plus(scaled(xx, 3 * INNER * CUBE), INNER);
  const bracket = subOp([addOp([u1, scaled(xx, 3 * INNER * CUBE)]), product(x, t, square.op([u1]))]);
  return product(hg, plus(scaled(square.op([t]), -1), 1), bracket);
});
/** y = x s with s = sigmoid x. */
export const siluOp = activation('silu', () => siluBackwardOp);
/** f'' = s (1 - s) (2 + x (1 - 2 s)). */
const siluBackwardOp = smoothBackward('siluBackward', (hg, x) => {
  const s = sigmoid.op([x]);
  return product(hg, bump(s), plus(mul.op([x, plus(scaled(s, -2), 1)]), 2));
});
/** y = x w with w = tanh(ln(1 + e^x)). */
export const mishOp = activation('mish', () => mishBackwardOp);
/**
 * f'' = 2 w' + x w'', w' = s (1 - w^2), w'' = s (1 - s) (1 - w^2) - 2 w s w'; s = e^x / (1 + e^x), NaN where that
 * overflows, as PyTorch's.
 */
const mishBackwardOp = smoothBackward('mishBackward', (hg, x) => {
  const e = exp.op([x]);
  const s = divOp([e, plus(e, 1)]);
  const w = tanh.op([softplusOp([x], [1, 20])]);
  const rest = plus(scaled(square.op([w]), -1), 1);
  const w1 = mul.op([s, rest]);
  const w2 = subOp([mul.op([bump(s), rest]), scaled(product(w, s, w1), 2)]);
  return mul.op([hg, addOp([scaled(w1, 2), mul.op([x, w2])])]);
});
/** y = ln(1 + e^(beta x)) / beta, x itself above the threshold. Numbers: beta, threshold. */
export const softplusOp = activation('softplus', () => softplusBackwardOp);
/** f'' = beta s (1 - s) with s = sigmoid(beta x), 0 from the threshold on. */
const softplusBackwardOp = smoothBackward('softplusBackward', (hg, x, [beta, threshold]) => {
  const z = scaled(x, beta);
  return whereOp([
    scalarTensor(0, x.info),
    scaled(mul.op([hg, bump(sigmoid.op([z]))]), beta),
    ge.op([z, scalarTensor(threshold, x.info)]),
  ]);
});
/** y = ln sigmoid x, which PyTorch lays out row by row. */
export const logsigmoidOp = activation('logsigmoid', () => logsigmoidBackwardOp, undefined, 'contiguous');
/** f' = sigmoid(-x), f'' = -s (1 - s). */
const logsigmoidBackwardOp = smoothBackward('logsigmoidBackward', (hg, x) =>
  scaledMulOp([hg, bump(sigmoid.op([x]))], [-1]),
);

/** y = (x + 3) / 6 held between 0 and 1. */
export const hardsigmoidOp = activation('hardsigmoid', () => hardsigmoidBackwardOp);
const hardsigmoidBackwardOp = piecewiseBackward('hardsigmoidBackward');
/** y = x hardsigmoid x. */
export const hardswishOp = activation('hardswish', () => hardswishBackwardOp);
/** f'' = 1/3 between -3 and 3. */
const hardswishBackwardOp = smoothBackward('hardswishBackward', (hg, x) => scaled(hardsigmoidBackwardOp([hg, x]), 2));

/** y = x moved by lambda towards 0, 0 within lambda of it. Numbers: lambda. */
export const softshrinkOp = activation('softshrink', () => shrinkBackwardOp);
/** y = x, 0 within lambda of 0. Numbers: lambda. */
export const hardshrinkOp = activation('hardshrink', () => shrinkBackwardOp);
const shrinkBackwardOp = piecewiseBackward('shrinkBackward');
