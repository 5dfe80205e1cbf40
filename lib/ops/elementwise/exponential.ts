/** Exponentials, logarithms and what is made of them: tanh and sigmoid. */

import { divOp, mul, plus, scaled, scaledMulOp } from './arithmetic.js';
import { type UnaryFunction, unary } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';

/** y = e^x; dx = g y. */
export const exp: UnaryFunction = unary({
  name: 'exp',
  keep: (_, __, y) => [y],
  backward: (g, context) => [mul.op([g, context.saved(0)])],
});
/** y = 2^x; dx = g y ln 2. */
export const exp2: UnaryFunction = unary({
  name: 'exp2',
  keep: (_, __, y) => [y],
  backward: (g, context) => [scaledMulOp([g, context.saved(0)], [Math.LN2])],
});
/** y = e^x - 1; dx = g (y + 1). */
export const expm1: UnaryFunction = unary({
  name: 'expm1',
  keep: (_, __, y) => [y],
  backward: (g, context) => [mul.op([g, plus(context.saved(0), 1)])],
});
/** y = ln x; dx = g / x. */
export const log: UnaryFunction = unary({
  name: 'log',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, context.saved(0)])],
});
/** y = ln(1 + x); dx = g / (1 + x). */
export const log1p: UnaryFunction = unary({
  name: 'log1p',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, plus(context.saved(0), 1)])],
});
/** y = log2 x; dx = g / (x ln 2). */
export const log2: UnaryFunction = unary({
  name: 'log2',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, scaled(context.saved(0), Math.LN2)])],
});
/** y = log10 x; dx = g / (x ln 10). */
export const log10: UnaryFunction = unary({
  name: 'log10',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, scaled(context.saved(0), Math.LN10)])],
});
/** y = tanh x; dx = g (1 - y^2). */
export const tanh: UnaryFunction = unary({
  name: 'tanh',
  keep: (_, __, y) => [y],
  backward: (g, context) => [tanhBackwardOp([g, context.saved(0)])],
});
/** z = g (1 - y^2); dg = h (1 - y^2), dy = -2 h g y. */
const tanhBackwardOp: Elementwise = elementwiseOp({
  name: 'tanhBackward',
  keep: (_, [g, y]) => [g, y],
  backward: (h, context) => [
    context.needs(0) ? tanhBackwardOp([h, context.saved(1)]) : null,
    context.needs(1) ? scaledMulOp([mul.op([h, context.saved(0)]), context.saved(1)], [-2]) : null,
  ],
});
/** y = 1 / (1 + e^-x); dx = g y (1 - y). */
export const sigmoid: UnaryFunction = unary({
  name: 'sigmoid',
  keep: (_, __, y) => [y],
  backward: (g, context) => [sigmoidBackwardOp([g, context.saved(0)])],
});
/** z = g y (1 - y); dg = h y (1 - y), dy = h g (1 - 2 y). */
const sigmoidBackwardOp: Elementwise = elementwiseOp({
  name: 'sigmoidBackward',
  keep: (_, [g, y]) => [g, y],
  backward: (h, context) => [
    context.needs(0) ? sigmoidBackwardOp([h, context.saved(1)]) : null,
    context.needs(1) ? mul.op([mul.op([h, context.saved(0)]), plus(scaled(context.saved(1), -2), 1)]) : null,
  ],
});
