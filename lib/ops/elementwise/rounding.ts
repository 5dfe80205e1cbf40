/** Signs, whole numbers and special values, element by element. */

import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { BOOL, type DTypeInfo } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { clone } from '../core/convert.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { divOp, mul, zerosFor } from './arithmetic.js';
import { eq, isfinite } from './comparison.js';
import {
  aliasOf,
  type BinaryFunction,
  binary,
  defineElementwise,
  floatPair,
  Planned,
  type UnaryFunction,
  unary,
} from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import { whereOp } from './selection.js';

/** y = |x|; dx = g sign x, 0 at 0. */
export const abs: UnaryFunction = unary(
  { name: 'abs', keep: (_, [x]) => [x], backward: (g, context) => [mul.op([g, sign.op([context.saved(0)])])] },
  { integers: 'same' },
);
export const absolute = aliasOf('absolute', abs);
/** y = -1, 0 or 1 by the sign of x; a step, whose derivative is zero. */
export const sign: UnaryFunction = unary({ name: 'sign', backward: (g) => [zerosFor(g)] }, { integers: 'same' });
export const sgn = aliasOf('sgn', sign);

/** A step of floating tensors; integers are whole already. */
function wholeNumbers(name: string): UnaryFunction {
  const op = elementwiseOp({ name, backward: (g) => [zerosFor(g)] });
  const fn = defineElementwise({ name, parameters: ['input'] }, (input: Tensor) => {
    const x = wholeInput(name, input);
    return x.info.floating ? new Planned(op, [x]) : clone(x);
  });
  return Object.assign(fn, { op });
}
function wholeInput(op: string, input: unknown): Tensor {
  const x = tensorArgument(op, 'input', input);
  if (x.info === BOOL) fail(ArgumentError, op, 'numbers', 'bool', { input: x });
  return x;
}
/** The largest whole number that is not above the input. Its derivative is zero. */
export const floor = wholeNumbers('floor');
/** The smallest whole number that is not below the input. Its derivative is zero. */
export const ceil = wholeNumbers('ceil');
/** The input without its digits after the point. Its derivative is zero. */
export const trunc = wholeNumbers('trunc');
export const fix = aliasOf('fix', trunc);

const roundOp = elementwiseOp({ name: 'round', backward: (g) => [zerosFor(g)] });
const roundDecimalsOp = elementwiseOp({ name: 'roundDecimals', backward: (g) => [zerosFor(g)] });
/**
 * The nearest whole number, the even one of two, at `decimals` places after the point (before it, where negative;
 * default 0).
 */
export const round = defineElementwise(
  { name: 'round', parameters: ['input', 'decimals'], keywords: 1 },
  (input: Tensor, places?: number) => {
    const decimals = places ?? 0;
    const x = wholeInput('round', input);
    if (!Number.isInteger(decimals)) fail(ArgumentError, 'round', 'integral decimals', describe(decimals));
    if (!x.info.floating) return clone(x);
    if (decimals === 0) return new Planned(roundOp, [x]);
    return new Planned(roundDecimalsOp, [x], decimals > 0 ? [10 ** decimals, 1] : [1, 10 ** -decimals]);
  },
);
/** y = x - trunc x; dx = g. */
export const frac: UnaryFunction = unary({ name: 'frac', backward: (g) => [g] }, { integers: 'same' });

const LARGEST: Readonly<Record<string, number>> = {
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
  bfloat16: 3.3895313892515355e38,
  float16: 65504,
};
function largest(info: DTypeInfo): number {
  return LARGEST[info.name];
}
/** y = x with NaN and infinities replaced; dx = g where x is finite. */
const nanToNumOp: Elementwise = elementwiseOp({
  name: 'nanToNum',
  keep: (_, [x]) => [x],
  backward: (g, context) => [whereOp([g, scalarTensor(0, g.info), isfinite(context.saved(0))])],
});
/**
 * `input` with NaN replaced by `nan` (default 0) and the infinities by `posinf` and `neginf` (default: the dtype's
 * largest numbers).
 */
export const nanToNum = defineElementwise(
  { name: 'nanToNum', parameters: ['input', 'nan', 'posinf', 'neginf'] },
  (input: Tensor, nan?: number | null, posinf?: number | null, neginf?: number | null) => {
    const x = tensorArgument('nanToNum', 'input', input);
    if (!x.info.floating) return clone(x);
    return new Planned(nanToNumOp, [x], [nan ?? 0, posinf ?? largest(x.info), neginf ?? -largest(x.info)]);
  },
);

/** y = a with the sign of b; da = g y / a, 0 where a = 0; db = 0. */
export const copysign: BinaryFunction = binary(
  {
    name: 'copysign',
    keep: (_, [a], y) => [a, y],
    backward: (g, context) => {
      const a = context.saved(0);
      const zero = scalarTensor(0, g.info);
      return [
        context.needs(0) ? mul.op([g, whereOp([zero, divOp([context.saved(1), a]), eq.op([a, zero])])]) : null,
        context.needs(1) ? zerosFor(g) : null,
      ];
    },
  },
  { operands: floatPair },
);

type Name = 'abs' | 'absolute' | 'sign' | 'sgn' | 'floor' | 'ceil' | 'trunc' | 'fix' | 'frac';
type Methods = { [N in Name | `${Name}_`]: () => Tensor };
declare module '../../tensor/tensor.js' {
  interface Tensor extends Methods {
    round: Method<typeof round>;
    round_: Method<typeof round>;
    nanToNum: Method<typeof nanToNum>;
    nanToNum_: Method<typeof nanToNum>;
    copysign: Method<BinaryFunction>;
    copysign_: Method<BinaryFunction>;
  }
}
