/** Powers and roots. */

import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, fail } from '../../errors.js';
import { BOOL, FLOAT64 } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { asOperand, isScalar, type Operand, resultType, scalarTensor } from '../core/promotion.js';
import { divOp, mul, scaledMulOp, subOp, zerosFor } from './arithmetic.js';
import { eq, ge } from './comparison.js';
import { defineElementwise, Planned, pair, type UnaryFunction, unary } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import { log } from './exponential.js';
import { logicalAnd } from './logical.js';
import { whereOp } from './selection.js';

/** y = x^p for a number p; dx = p g x^(p-1), and 0 for p = 0 whatever x is. */
export const powScalarOp: Elementwise = elementwiseOp({
  name: 'powScalar',
  keep: (_, [x]) => [x],
  backward: (g, context) => {
    const p = context.spec.numbers[0];
    if (p === 0) return [zerosFor(g)];
    if (p === 1) return [g];
    const x = context.saved(0);
    return [scaledMulOp([g, p === 2 ? x : powScalarOp([x], [p - 1])], [p])];
  },
});
/** y = a^b; da = g b a^(b-1), 0 where b = 0; db = g y log a, 0 where a = 0 and b >= 0. */
const powOp: Elementwise = elementwiseOp({
  name: 'pow',
  keep: (needs, [a, b], y) => [a, b, needs[1] ? y : null],
  backward: (g, context) => {
    const [a, b] = [context.saved(0), context.saved(1)];
    const zero = scalarTensor(0, g.info);
    const base = (): Tensor => mul.op([g, mul.op([b, powOp([a, subOp([b, scalarTensor(1, g.info)])])])]);
    const slope = (): Tensor => mul.op([context.saved(2), log.op([a])]);
    return [
      context.needs(0) ? whereOp([zero, base(), eq.op([b, zero])]) : null,
      context.needs(1)
        ? mul.op([g, whereOp([zero, slope(), logicalAnd.op([eq.op([a, zero]), ge.op([b, zero])])])])
        : null,
    ];
  },
});

/** `input ^ exponent`, elementwise; either may be a number. An integer to a negative number is an error. */
export const pow = defineElementwise(
  { name: 'pow', parameters: ['input', 'exponent'], required: 2, scalarInput: true },
  (input: Operand, exponent: Operand) => {
    if (!isScalar(exponent) || !(input instanceof Tensor)) return new Planned(powOp, pair('pow', input, exponent));
    const info = resultType('pow', [input, exponent]);
    if (info === BOOL) fail(ArgumentError, 'pow', 'numbers', 'bool', { input });
    const p = Number(exponent);
    if (!info.floating && p < 0)
      fail(ArgumentError, 'pow', 'a non-negative exponent of integers', String(exponent), { input });
    return new Planned(powScalarOp, [asOperand('pow', input, info)], [p]);
  },
);

/** `input ^ exponent` in float64, elementwise; either may be a number. */
export const floatPower = defineElementwise(
  { name: 'floatPower', parameters: ['input', 'exponent'], required: 2, scalarInput: true },
  (input: Operand, exponent: Operand) => {
    if (isScalar(exponent) && input instanceof Tensor)
      return new Planned(powScalarOp, [asOperand('floatPower', input, FLOAT64)], [Number(exponent)]);
    return new Planned(powOp, [asOperand('floatPower', input, FLOAT64), asOperand('floatPower', exponent, FLOAT64)]);
  },
);

/** y = sqrt(x); dx = g / (2 y). */
export const sqrt: UnaryFunction = unary({
  name: 'sqrt',
  keep: (_, __, y) => [y],
  backward: (g, context) => [divOp([g, mul.op([context.saved(0), scalarTensor(2, g.info)])])],
});
/** y = 1 / sqrt(x); dx = -g y^3 / 2. */
export const rsqrt: UnaryFunction = unary({
  name: 'rsqrt',
  keep: (_, __, y) => [y],
  backward: (g, context) => [scaledMulOp([g, powScalarOp([context.saved(0)], [3])], [-0.5])],
});
/** y = 1 / x; dx = -g y^2. */
export const reciprocal: UnaryFunction = unary({
  name: 'reciprocal',
  keep: (_, __, y) => [y],
  backward: (g, context) => [scaledMulOp([g, powScalarOp([context.saved(0)], [2])], [-1])],
});
/** y = x^2; dx = 2 g x. */
export const square: UnaryFunction = unary(
  { name: 'square', keep: (_, [x]) => [x], backward: (g, context) => [scaledMulOp([g, context.saved(0)], [2])] },
  { integers: 'same' },
);

type Name = 'sqrt' | 'rsqrt' | 'reciprocal' | 'square';
type Methods = { [N in Name | `${Name}_`]: () => Tensor };
declare module '../../tensor/tensor.js' {
  interface Tensor extends Methods {
    pow: Method<typeof pow>;
    pow_: Method<typeof pow>;
    floatPower: Method<typeof floatPower>;
    floatPower_: Method<typeof floatPower>;
  }
}
