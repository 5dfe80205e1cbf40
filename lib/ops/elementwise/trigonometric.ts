/** Mathematical functions of one tensor, element by element; integers and bools become the default floating type. */
import type { Tensor } from '../../tensor/tensor.js';
import { addOp, divOp, mulOp, negOp, scaled, scaledMulOp, subOp } from './arithmetic.js';
import { aliasOf, binary, type BinaryFunction, floatPair, unary, type UnaryFunction } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import type { Method } from '../../dispatch/define-function.js';
import { reciprocal, rsqrt, square } from './power.js';
import { scalarTensor } from '../core/promotion.js';
import { eqOp } from './comparison.js';
import { whereOp } from './selection.js';

function plus(x: Tensor, value: number): Tensor {
  return addOp([x, scalarTensor(value, x.info)]);
}

/** y = e^x; dx = g y. */
export const exp: UnaryFunction = unary({ name: 'exp', keep: (_, __, y) => [y], backward: (g, context) => [mulOp([g, context.saved(0)])] });
/** y = 2^x; dx = g y ln 2. */
export const exp2: UnaryFunction = unary({ name: 'exp2', keep: (_, __, y) => [y], backward: (g, context) => [scaledMulOp([g, context.saved(0)], [Math.LN2])] });
/** y = e^x - 1; dx = g (y + 1). */
export const expm1: UnaryFunction = unary({ name: 'expm1', keep: (_, __, y) => [y], backward: (g, context) => [mulOp([g, plus(context.saved(0), 1)])] });
/** y = ln x; dx = g / x. */
export const log: UnaryFunction = unary({ name: 'log', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, context.saved(0)])] });
/** y = ln(1 + x); dx = g / (1 + x). */
export const log1p: UnaryFunction = unary({ name: 'log1p', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, plus(context.saved(0), 1)])] });
/** y = log2 x; dx = g / (x ln 2). */
export const log2: UnaryFunction = unary({ name: 'log2', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, scaled(context.saved(0), Math.LN2)])] });
/** y = log10 x; dx = g / (x ln 10). */
export const log10: UnaryFunction = unary({ name: 'log10', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, scaled(context.saved(0), Math.LN10)])] });

/** y = sin x; dx = g cos x. */
export const sin: UnaryFunction = unary({ name: 'sin', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, cos.op([context.saved(0)])])] });
/** y = cos x; dx = -g sin x. */
export const cos: UnaryFunction = unary({ name: 'cos', keep: (_, [x]) => [x], backward: (g, context) => [scaledMulOp([g, sin.op([context.saved(0)])], [-1])] });
/** y = tan x; dx = g (1 + y^2). */
export const tan: UnaryFunction = unary({ name: 'tan', keep: (_, __, y) => [y], backward: (g, context) => [mulOp([g, plus(square.op([context.saved(0)]), 1)])] });
/** y = arcsin x; dx = g / sqrt(1 - x^2). */
export const asin: UnaryFunction = unary({ name: 'asin', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, rsqrt.op([oneMinusSquare(context.saved(0))])])] });
/** y = arccos x; dx = -g / sqrt(1 - x^2). */
export const acos: UnaryFunction = unary({ name: 'acos', keep: (_, [x]) => [x], backward: (g, context) => [scaledMulOp([g, rsqrt.op([oneMinusSquare(context.saved(0))])], [-1])] });
/** y = arctan x; dx = g / (1 + x^2). */
export const atan: UnaryFunction = unary({ name: 'atan', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, plus(square.op([context.saved(0)]), 1)])] });
/** y = sinh x; dx = g cosh x. */
export const sinh: UnaryFunction = unary({ name: 'sinh', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, cosh.op([context.saved(0)])])] });
/** y = cosh x; dx = g sinh x. */
export const cosh: UnaryFunction = unary({ name: 'cosh', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, sinh.op([context.saved(0)])])] });
/** y = arsinh x; dx = g / sqrt(x^2 + 1). */
export const asinh: UnaryFunction = unary({ name: 'asinh', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, rsqrt.op([plus(square.op([context.saved(0)]), 1)])])] });
/** y = arcosh x; dx = g / sqrt(x^2 - 1). */
export const acosh: UnaryFunction = unary({ name: 'acosh', keep: (_, [x]) => [x], backward: (g, context) => [mulOp([g, rsqrt.op([plus(square.op([context.saved(0)]), -1)])])] });
/** y = artanh x; dx = g / (1 - x^2). */
export const atanh: UnaryFunction = unary({ name: 'atanh', keep: (_, [x]) => [x], backward: (g, context) => [divOp([g, oneMinusSquare(context.saved(0))])] });

function oneMinusSquare(x: Tensor): Tensor {
  return subOp([scalarTensor(1, x.info), square.op([x])]);
}

/** y = tanh x; dx = g (1 - y^2). */
export const tanh: UnaryFunction = unary({ name: 'tanh', keep: (_, __, y) => [y], backward: (g, context) => [tanhBackwardOp([g, context.saved(0)])] });
/** z = g (1 - y^2); dg = h (1 - y^2), dy = -2 h g y. */
const tanhBackwardOp: Elementwise = elementwiseOp({
  name: 'tanhBackward',
  keep: (_, [g, y]) => [g, y],
  backward: (h, context) => [
    context.needs(0) ? tanhBackwardOp([h, context.saved(1)]) : null,
    context.needs(1) ? scaledMulOp([mulOp([h, context.saved(0)]), context.saved(1)], [-2]) : null,
  ],
});
/** y = 1 / (1 + e^-x); dx = g y (1 - y). */
export const sigmoid: UnaryFunction = unary({ name: 'sigmoid', keep: (_, __, y) => [y], backward: (g, context) => [sigmoidBackwardOp([g, context.saved(0)])] });
/** z = g y (1 - y); dg = h y (1 - y), dy = h g (1 - 2 y). */
const sigmoidBackwardOp: Elementwise = elementwiseOp({
  name: 'sigmoidBackward',
  keep: (_, [g, y]) => [g, y],
  backward: (h, context) => [
    context.needs(0) ? sigmoidBackwardOp([h, context.saved(1)]) : null,
    context.needs(1) ? mulOp([mulOp([h, context.saved(0)]), plus(scaled(context.saved(1), -2), 1)]) : null,
  ],
});

const TWO_BY_ROOT_PI = 2 / Math.sqrt(Math.PI);
function bell(x: Tensor): Tensor {
  return exp.op([negOp([square.op([x])])]);
}
/** y = erf x, the integral of the bell curve; dx = g 2 / sqrt(pi) e^(-x^2). */
export const erf: UnaryFunction = unary({ name: 'erf', keep: (_, [x]) => [x], backward: (g, context) => [scaledMulOp([g, bell(context.saved(0))], [TWO_BY_ROOT_PI])] });
/** y = 1 - erf x; dx = -g 2 / sqrt(pi) e^(-x^2). */
export const erfc: UnaryFunction = unary({ name: 'erfc', keep: (_, [x]) => [x], backward: (g, context) => [scaledMulOp([g, bell(context.saved(0))], [-TWO_BY_ROOT_PI])] });

/** y = atan2(a, b), the angle of (b, a); da = g b / (a^2 + b^2), db = -g a / (a^2 + b^2), 0 at the origin. */
export const atan2: BinaryFunction = binary(
  {
    name: 'atan2',
    keep: (_, [a, b]) => [a, b],
    backward: (g, context) => {
      const [a, b] = [context.saved(0), context.saved(1)];
      const squared = addOp([square.op([a]), square.op([b])]);
      const zero = scalarTensor(0, g.info);
      const share = mulOp([g, whereOp([zero, reciprocal.op([squared]), eqOp([squared, zero])])]);
      return [context.needs(0) ? mulOp([share, b]) : null, context.needs(1) ? scaledMulOp([share, a], [-1]) : null];
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
    return [context.needs(0) ? mulOp([g, divOp([context.saved(0), y])]) : null, context.needs(1) ? mulOp([g, divOp([context.saved(1), y])]) : null];
  },
});

export const expOp: Elementwise = exp.op;
export const logOp: Elementwise = log.op;
export const tanhOp: Elementwise = tanh.op;
export const sigmoidOp: Elementwise = sigmoid.op;

export const arcsin = aliasOf('arcsin', asin);
export const arccos = aliasOf('arccos', acos);
export const arctan = aliasOf('arctan', atan);
export const arctan2 = aliasOf('arctan2', atan2);
export const arcsinh = aliasOf('arcsinh', asinh);
export const arccosh = aliasOf('arccosh', acosh);
export const arctanh = aliasOf('arctanh', atanh);

type Name =
  | ('exp' | 'exp2' | 'expm1' | 'log' | 'log1p' | 'log2' | 'log10' | 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'atan' | 'sinh' | 'cosh' | 'tanh' | 'asinh' | 'acosh' | 'atanh')
  | ('arcsin' | 'arccos' | 'arctan' | 'arcsinh' | 'arccosh' | 'arctanh' | 'sigmoid' | 'erf' | 'erfc');
type Methods = { [N in Name | `${Name}_`]: () => Tensor };
type BinaryName = 'atan2' | 'arctan2' | 'hypot';
type BinaryMethods = { [N in BinaryName | `${BinaryName}_`]: Method<BinaryFunction> };
declare module '../../tensor/tensor.js' {
  interface Tensor extends Methods, BinaryMethods {}
}
