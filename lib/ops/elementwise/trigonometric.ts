/** Mathematical functions of one tensor, element by element; integers and bools become the default floating type. */

import type { Method } from '../../dispatch/public-arguments.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scalarTensor } from '../core/promotion.js';
import { addOp, divOp, mul, plus, scaledMulOp, subOp } from './arithmetic.js';
import { eq } from './comparison.js';
import { aliasOf, type BinaryFunction, binary, floatPair, type UnaryFunction, unary } from './elementwise-function.js';
import { reciprocal, rsqrt, square } from './power.js';
import { whereOp } from './selection.js';

/** y = sin x; dx = g cos x. */
export const sin: UnaryFunction = unary({
  name: 'sin',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, cos.op([context.saved(0)])])],
});
/** y = cos x; dx = -g sin x. */
export const cos: UnaryFunction = unary({
  name: 'cos',
  keep: (_, [x]) => [x],
  backward: (g, context) => [scaledMulOp([g, sin.op([context.saved(0)])], [-1])],
});
/** y = tan x; dx = g (1 + y^2). */
export const tan: UnaryFunction = unary({
  name: 'tan',
  keep: (_, __, y) => [y],
  backward: (g, context) => [mul.op([g, plus(square.op([context.saved(0)]), 1)])],
});
/** y = arcsin x; dx = g / sqrt(1 - x^2). */
export const asin: UnaryFunction = unary({
  name: 'asin',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, rsqrt.op([oneMinusSquare(context.saved(0))])])],
});
/** y = arccos x; dx = -g / sqrt(1 - x^2). */
export const acos: UnaryFunction = unary({
  name: 'acos',
  keep: (_, [x]) => [x],
  backward: (g, context) => [scaledMulOp([g, rsqrt.op([oneMinusSquare(context.saved(0))])], [-1])],
});
/** y = arctan x; dx = g / (1 + x^2). */
export const atan: UnaryFunction = unary({
  name: 'atan',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, plus(square.op([context.saved(0)]), 1)])],
});
/** y = sinh x; dx = g cosh x. */
export const sinh: UnaryFunction = unary({
  name: 'sinh',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, cosh.op([context.saved(0)])])],
});
/** y = cosh x; dx = g sinh x. */
export const cosh: UnaryFunction = unary({
  name: 'cosh',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, sinh.op([context.saved(0)])])],
});
/** y = arsinh x; dx = g / sqrt(x^2 + 1). */
export const asinh: UnaryFunction = unary({
  name: 'asinh',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, rsqrt.op([plus(square.op([context.saved(0)]), 1)])])],
});
/** y = arcosh x; dx = g / sqrt(x^2 - 1). */
export const acosh: UnaryFunction = unary({
  name: 'acosh',
  keep: (_, [x]) => [x],
  backward: (g, context) => [mul.op([g, rsqrt.op([plus(square.op([context.saved(0)]), -1)])])],
});
/** y = artanh x; dx = g / (1 - x^2). */
export const atanh: UnaryFunction = unary({
  name: 'atanh',
  keep: (_, [x]) => [x],
  backward: (g, context) => [divOp([g, oneMinusSquare(context.saved(0))])],
});

function oneMinusSquare(x: Tensor): Tensor {
  return subOp([scalarTensor(1, x.info), square.op([x])]);
}

/** y = atan2(a, b), the angle of (b, a); da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2), 0 at the origin. */
export const atan2: BinaryFunction = binary(
  {
    name: 'atan2',
    keep: (_, [a, b]) => [a, b],
    backward: (g, context) => {
      const [a, b] = [context.saved(0), context.saved(1)];
      const squared = addOp([square.op([a]), square.op([b])]);
      const zero = scalarTensor(0, g.info);
      const share = mul.op([g, whereOp([zero, reciprocal.op([squared]), eq.op([squared, zero])])]);
      return [context.needs(0) ? mul.op([share, b]) : null, context.needs(1) ? scaledMulOp([share, a], [-1]) : null];
    },
  },
  { operands: floatPair },
);
/** y = sqrt(a^2 + b^2); da = g a / y, db = g b / y. */
export const hypot: BinaryFunction = binary({
  name: 'hypot',
  keep: (_, [a, b], y) => [a, b, y],
  backward: (g, context) => {
    const y = context.saved(2);
    return [
      context.needs(0) ? mul.op([g, divOp([context.saved(0), y])]) : null,
      context.needs(1) ? mul.op([g, divOp([context.saved(1), y])]) : null,
    ];
  },
});

export const arcsin = aliasOf('arcsin', asin);
export const arccos = aliasOf('arccos', acos);
export const arctan = aliasOf('arctan', atan);
export const arctan2 = aliasOf('arctan2', atan2);
export const arcsinh = aliasOf('arcsinh', asinh);
export const arccosh = aliasOf('arccosh', acosh);
export const arctanh = aliasOf('arctanh', atanh);

type BinaryName = 'atan2' | 'arctan2' | 'hypot';
type BinaryMethods = { [N in BinaryName | `${BinaryName}_`]: Method<BinaryFunction> };
declare module '../../tensor/tensor.js' {
  interface Tensor extends BinaryMethods {}
}
