/** Sums, products and quotients: elementwise with promotion and broadcasting. */

import { gradientOperators } from '../../autograd/gradient-operators.js';
import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount } from '../../shape/layout.js';
import { type Plan, planOf } from '../../shape/plan.js';
import { BOOL } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf, fillWith } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import {
  asOperand,
  isScalar,
  type Operand,
  resultType,
  type Scalar,
  scalarTensor,
  tensorArgument,
} from '../core/promotion.js';
import {
  aliasOf,
  arithmeticPair,
  type BinaryFunction,
  binary,
  defineElementwise,
  floatPair,
  Planned,
  pair,
  type UnaryFunction,
  unary,
} from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    add: KernelTable<[a: TypedArray, b: TypedArray, out: TypedArray, plan: Plan]>;
    /** 1 where any of the first n elements is zero. */
    containsZero: KernelTable<[x: TypedArray, n: number], number>;
  }
}

/** y = a + b; da = g, db = g. */
export const addOp = elementwiseOp({ name: 'add', backward: (g) => [g, g] });
/** y = a - b; da = g, db = -g. */
export const subOp: Elementwise = elementwiseOp({
  name: 'sub',
  backward: (g, context) => [g, context.needs(1) ? neg.op([g]) : null],
});
/** y = a / b; da = g / b, db = -g (a / b) / b. */
export const divOp: Elementwise = elementwiseOp({
  name: 'div',
  keep: (needs, [a, b]) => [needs[1] ? a : null, b],
  backward: (g, context) => {
    const b = context.saved(1);
    return [
      context.needs(0) ? divOp([g, b]) : null,
      context.needs(1) ? mul.op([neg.op([g]), divOp([divOp([context.saved(0), b]), b])]) : null,
    ];
  },
});
/** y = c a b for a number c; da = c g b, db = c g a. */
export const scaledMulOp: Elementwise = elementwiseOp({
  name: 'scaledMul',
  keep: (needs, [a, b]) => [needs[1] ? a : null, needs[0] ? b : null],
  backward: (g, context) => {
    const { numbers } = context.spec;
    return [
      context.needs(0) ? scaledMulOp([g, context.saved(1)], numbers) : null,
      context.needs(1) ? scaledMulOp([g, context.saved(0)], numbers) : null,
    ];
  },
});

/** y = trunc(a / b): a step, whose derivative is zero. */
const truncDivideOp = elementwiseOp({ name: 'truncDivide', backward: (g) => [zerosFor(g), zerosFor(g)] });

gradientOperators.add = (a, b) => addOp([a, b]);
gradientOperators.addInto = (a, b) => {
  const addend = b.info === a.info ? b : castTo(b, a.info);
  instanceOf('add', kernels.add, a.info)(a.array, addend.array, a.array, planOf(a.shape, [a, a, addend]));
};

/** The zero gradient of a function that is constant almost everywhere. */
export function zerosFor(g: Tensor): Tensor {
  const zeros = allocate(g.shape, g.info);
  fillWith(zeros, 0);
  return zeros;
}

/** x times a number, recorded. */
export function scaled(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : mul.op([x, scalarTensor(factor, x.info)]);
}

/** -input. Not for bool. */
export const neg: UnaryFunction = unary({ name: 'neg', backward: (g) => [neg.op([g])] }, { integers: 'same' });
/** y = -x; dx = -g. */

/** y = a + alpha b; da = g, db = alpha g. */
const addScaledOp: Elementwise = elementwiseOp({
  name: 'addScaled',
  backward: (g, context) => [g, context.needs(1) ? scaled(g, context.spec.numbers[0]) : null],
});

/** a + sign alpha b; PyTorch's rules of what alpha may be. */
function planSum(op: string, a: Operand, b: Operand, alpha: Scalar, negate: boolean): Planned {
  const info = resultType(op, [a, b]);
  if (!isScalar(alpha)) fail(ArgumentError, op, 'a number for alpha', describe(alpha));
  if (!info.floating && typeof alpha === 'number' && !Number.isInteger(alpha))
    fail(ArgumentError, op, `an integral alpha for ${info.name} tensors`, String(alpha));
  if (typeof alpha === 'boolean' && info !== BOOL)
    fail(ArgumentError, op, 'a boolean alpha for bool tensors alone', String(alpha), { dtype: info.name });
  const [x, y] = [asOperand(op, a, info), asOperand(op, b, info)];
  const factor = negate ? -Number(alpha) : Number(alpha);
  if (info.floating) return new Planned(addScaledOp, [x, y], [factor]);
  return new Planned(negate ? subOp : addOp, [x, mul.op([y, asOperand(op, alpha, info)])]);
}

function rejectBool(op: string, a: Operand, b: Operand): void {
  for (const operand of [a, b])
    if (operand instanceof Tensor ? operand.info === BOOL : typeof operand === 'boolean')
      fail(DTypeError, op, 'no bool operand (use logicalXor or bitwiseNot)', describe(operand), { input: a, other: b });
}

/** `input + alpha * other`, elementwise. */
export const add = defineElementwise(
  { name: 'add', parameters: ['input', 'other', 'alpha'], keywords: 1, required: 2, scalarInput: true },
  (input: Operand, other: Operand, alpha?: Scalar) =>
    alpha === undefined || alpha === 1
      ? new Planned(addOp, arithmeticPair('add', input, other))
      : planSum('add', input, other, alpha, false),
);

/** `input - alpha * other`, elementwise. Not for bool. */
export const sub = defineElementwise(
  { name: 'sub', parameters: ['input', 'other', 'alpha'], keywords: 1, required: 2, scalarInput: true },
  (input: Operand, other: Operand, alpha?: Scalar) => {
    rejectBool('sub', input, other);
    return alpha === undefined || alpha === 1
      ? new Planned(subOp, arithmeticPair('sub', input, other))
      : planSum('sub', input, other, alpha, true);
  },
);
export const subtract = aliasOf('subtract', sub);

/** `other - alpha * input`, elementwise. Not for bool. */
export const rsub = defineElementwise(
  {
    name: 'rsub',
    parameters: ['input', 'other', 'alpha'],
    keywords: 1,
    required: 2,
    scalarInput: true,
    inplace: false,
    method: false,
  },
  (input: Operand, other: Operand, alpha?: Scalar) => {
    rejectBool('rsub', input, other);
    return alpha === undefined || alpha === 1
      ? new Planned(subOp, pair('rsub', other, input))
      : planSum('rsub', other, input, alpha, true);
  },
);

/** `input * other`, elementwise. y = a b; da = g b, db = g a. */
export const mul: BinaryFunction = binary(
  {
    name: 'mul',
    keep: (needs, [a, b]) => [needs[1] ? a : null, needs[0] ? b : null],
    backward: (g, context) => [
      context.needs(0) ? mul.op([g, context.saved(1)]) : null,
      context.needs(1) ? mul.op([g, context.saved(0)]) : null,
    ],
  },
  { operands: arithmeticPair },
);
export const multiply = aliasOf('multiply', mul);

/**
 * Operands of a quotient that is not a true division: integers stay integers, and none of them may be divided by zero.
 */
function divisible(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const [x, y] = pair(op, a, b);
  if (x.info === BOOL) fail(DTypeError, op, 'numbers', 'bool', { input: a, other: b });
  if (!x.info.floating && elementCount(x.shape) > 0) {
    const divisor = contiguousOf(y);
    if (instanceOf(op, kernels.containsZero, divisor.info)(divisor.array, elementCount(divisor.shape)))
      fail(ArgumentError, op, 'integer divisors other than 0', 'a 0', { input: a, other: b });
  }
  return [x, y];
}

export type RoundingMode = 'trunc' | 'floor' | null;

/**
 * `input / other`, elementwise; integers give floats unless `roundingMode` ('trunc', towards zero, or 'floor') asks for
 * whole numbers.
 */
export const div = defineElementwise(
  { name: 'div', parameters: ['input', 'other', 'roundingMode'], keywords: 1, required: 2, scalarInput: true },
  (input: Operand, other: Operand, roundingMode?: RoundingMode) => {
    if (roundingMode === undefined || roundingMode === null)
      return new Planned(divOp, floatPair('div', input, other, true));
    if (roundingMode !== 'trunc' && roundingMode !== 'floor')
      fail(ArgumentError, 'div', "roundingMode 'trunc', 'floor' or null", describe(roundingMode));
    return new Planned(roundingMode === 'trunc' ? truncDivideOp : floorDivide.op, divisible('div', input, other));
  },
);
export const divide = aliasOf('divide', div);
export const trueDivide = aliasOf('trueDivide', div);

/** `floor(input / other)`, elementwise: a step, whose derivative is zero. */
export const floorDivide: BinaryFunction = binary(
  { name: 'floorDivide', backward: (g) => [zerosFor(g), zerosFor(g)] },
  { operands: divisible },
);
/** `input - floor(input / other) * other`: the rest with the divisor's sign. da = g, db = -g floor(a / b). */
export const remainder: BinaryFunction = binary(
  {
    name: 'remainder',
    keep: (needs, [a, b]) => (needs[1] ? [a, b] : []),
    backward: (g, context) => [
      g,
      context.needs(1) ? neg.op([mul.op([g, floorDivide.op([context.saved(0), context.saved(1)])])]) : null,
    ],
  },
  { operands: divisible },
);
/** `input - trunc(input / other) * other`: the rest with the dividend's sign. da = g, db = -g trunc(a / b). */
export const fmod: BinaryFunction = binary(
  {
    name: 'fmod',
    keep: (needs, [a, b]) => (needs[1] ? [a, b] : []),
    backward: (g, context) => [
      g,
      context.needs(1) ? neg.op([mul.op([g, truncDivideOp([context.saved(0), context.saved(1)])])]) : null,
    ],
  },
  { operands: divisible },
);
export const negative = aliasOf('negative', neg);

type BinaryName = 'mul' | 'multiply' | 'floorDivide' | 'remainder' | 'fmod';
type BinaryMethods = { [N in BinaryName | `${BinaryName}_`]: Method<BinaryFunction> };
type UnaryName = 'neg' | 'negative';
type UnaryMethods = { [N in UnaryName | `${UnaryName}_`]: () => Tensor };

declare module '../../tensor/tensor.js' {
  interface Tensor extends BinaryMethods, UnaryMethods {
    add: Method<typeof add>;
    add_: Method<typeof add>;
    sub: Method<typeof sub>;
    sub_: Method<typeof sub>;
    subtract: Method<typeof sub>;
    subtract_: Method<typeof sub>;
    div: Method<typeof div>;
    div_: Method<typeof div>;
    divide: Method<typeof div>;
    divide_: Method<typeof div>;
    trueDivide: Method<typeof div>;
    trueDivide_: Method<typeof div>;
  }
}

/** The tensor itself; a DTypeError for bool. torch.positive */
export const positive = defineFunction({ name: 'positive', parameters: ['input'] }, (input: Tensor): Tensor => {
  const x = tensorArgument('positive', 'input', input);
  if (x.info.name === 'bool') fail(DTypeError, 'positive', 'a tensor of numbers', x.dtype);
  return x;
});

declare module '../../tensor/tensor.js' {
  interface Tensor {
    positive: Method<typeof positive>;
  }
}

export function plus(x: Tensor, value: number): Tensor {
  return addOp([x, scalarTensor(value, x.info)]);
}
