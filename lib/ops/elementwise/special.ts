/** Special functions: the error function and its complement. */

import type { Tensor } from '../../tensor/tensor.js';
import { neg, scaledMulOp } from './arithmetic.js';
import { type UnaryFunction, unary } from './elementwise-function.js';
import { exp } from './exponential.js';
import { square } from './power.js';

const TWO_BY_ROOT_PI = 2 / Math.sqrt(Math.PI);
function bell(x: Tensor): Tensor {
  return exp.op([neg.op([square.op([x])])]);
}
/** y = erf x, the integral of the bell curve; dx = g 2 / sqrt(pi) e^(-x^2). */
export const erf: UnaryFunction = unary({
  name: 'erf',
  keep: (_, [x]) => [x],
  backward: (g, context) => [scaledMulOp([g, bell(context.saved(0))], [TWO_BY_ROOT_PI])],
});
/** y = 1 - erf x; dx = -g 2 / sqrt(pi) e^(-x^2). */
export const erfc: UnaryFunction = unary({
  name: 'erfc',
  keep: (_, [x]) => [x],
  backward: (g, context) => [scaledMulOp([g, bell(context.saved(0))], [-TWO_BY_ROOT_PI])],
});
