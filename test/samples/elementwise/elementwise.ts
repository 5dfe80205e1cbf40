/**
 * Samples of elementwise functions: arithmetic, mathematical functions, rounding, selection. Values keep clear of kinks
 * and poles.
 */
import * as lib from '../../../lib/index.js';
import { ArgumentError, DTypeError, ShapeError, type Tensor, tensor } from '../../../lib/index.js';
import { type Case, type ErrorCase, make, samples } from '../sample.js';

type Call = (...args: unknown[]) => Tensor;
const functions = lib as unknown as Record<string, Call>;
const notATensor = 'x' as unknown as Tensor;
const integers = tensor([1n, 2n, 3n]);
const bools = tensor([true, false, true]);

/** Values away from every whole number and from zero, between low and high. */
function offGrid(shape: readonly number[], low: number, high: number): Tensor {
  const x = make(shape, low, high);
  const values = x.toTypedArray() as Float64Array;
  return tensor(
    values.map((v) => Math.floor(v) + 0.25 + 0.5 * (v - Math.floor(v))),
    { shape, requiresGrad: true },
  );
}

const anywhere = (shape: readonly number[]): Tensor => make(shape, -2, 2);
const positive = (shape: readonly number[]): Tensor => make(shape, 0.2, 3);
/** Multiples of a half, plus `offset`. */
const halves = (shape: readonly number[], offset: number): Tensor => {
  const values = make(shape).toTypedArray() as Float64Array;
  return tensor(
    values.map((v) => Math.round(2 * v) / 2 + offset),
    { shape, requiresGrad: true },
  );
};
const inUnit = (shape: readonly number[]): Tensor => make(shape, -0.9, 0.9);
const beyondOne = (shape: readonly number[]): Tensor => make(shape, 1.2, 3);
const broken = (shape: readonly number[]): Tensor => offGrid(shape, -3, 3);

const UNARY: Readonly<Record<string, (shape: readonly number[]) => Tensor>> = {
  ...{
    neg: anywhere,
    exp: anywhere,
    exp2: anywhere,
    expm1: anywhere,
    sin: anywhere,
    cos: anywhere,
    atan: anywhere,
    sinh: anywhere,
    cosh: anywhere,
    tanh: anywhere,
  },
  ...{
    asinh: anywhere,
    erf: anywhere,
    erfc: anywhere,
    sigmoid: anywhere,
    square: anywhere,
    tan: inUnit,
    asin: inUnit,
    acos: inUnit,
    atanh: inUnit,
    acosh: beyondOne,
  },
  ...{
    log: positive,
    log1p: positive,
    log2: positive,
    log10: positive,
    sqrt: positive,
    rsqrt: positive,
    reciprocal: positive,
  },
  ...{
    abs: broken,
    sign: broken,
    floor: broken,
    ceil: broken,
    trunc: broken,
    round: broken,
    frac: broken,
    nanToNum: broken,
  },
};
for (const [fn, domain] of Object.entries(UNARY)) {
  samples({
    fn,
    cases: [[3, 4], [], [0, 2]].map((shape) => ({
      name: `shape [${shape}]`,
      inputs: [domain(shape)],
      call: (x) => functions[fn](x),
    })),
    errors: [
      {
        name: 'not a tensor',
        call: () => functions[fn](notATensor),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}

const shapeError = (fn: string, ...rest: unknown[]): ErrorCase => ({
  name: 'shapes that do not broadcast',
  call: () => functions[fn](make([2, 3]), make([4]), ...rest),
  error: ShapeError,
  // The operator names itself: rsub is sub with its operands exchanged, floatPower is pow.
  message: new RegExp(`${fn === 'rsub' ? 'sub' : fn === 'floatPower' ? 'pow' : fn}: expected shapes that broadcast`),
});

/** Second operands by function, where they must keep clear of something. */
const BINARY: Readonly<
  Record<string, readonly [a: (shape: readonly number[]) => Tensor, b: (shape: readonly number[]) => Tensor]>
> = {
  ...{
    add: [anywhere, anywhere],
    sub: [anywhere, anywhere],
    mul: [anywhere, anywhere],
    div: [anywhere, positive],
    pow: [positive, anywhere],
    floatPower: [positive, anywhere],
  },
  ...{
    rsub: [anywhere, anywhere],
    atan2: [anywhere, positive],
    hypot: [positive, positive],
    xlogy: [positive, positive],
    copysign: [positive, positive],
  },
  // Quotients between two whole numbers.
  ...{
    remainder: [(s) => make(s, 2.2, 2.8), (s) => make(s, 1.85, 2.15)],
    fmod: [(s) => make(s, 2.2, 2.8), (s) => make(s, 1.85, 2.15)],
  },
  ...{ floorDivide: [(s) => make(s, 2.2, 2.8), (s) => make(s, 1.85, 2.15)] },
  // Either side is the larger one somewhere, and no step crosses a tie.
  ...{
    maximum: [(s) => halves(s, 0), (s) => halves(s, 0.25)],
    minimum: [(s) => halves(s, 0), (s) => halves(s, 0.25)],
    fmax: [(s) => halves(s, 0), (s) => halves(s, 0.25)],
    fmin: [(s) => halves(s, 0), (s) => halves(s, 0.25)],
  },
};
const PAIRS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [3, 4],
    [3, 4],
  ],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[3], []],
  [[], [3]],
  [
    [0, 3],
    [1, 3],
  ],
];
for (const [fn, [left, right]] of Object.entries(BINARY)) {
  const cases: Case[] = PAIRS.map(([a, b]) => ({
    name: `[${a}] and [${b}]`,
    inputs: [left(a), right(b)],
    call: (x, y) => functions[fn](x, y),
  }));
  if (!['maximum', 'minimum', 'fmax', 'fmin', 'atan2', 'hypot'].includes(fn))
    cases.push({ name: 'a number', inputs: [left([2, 3])], call: (x) => functions[fn](x, 1.9375) });
  samples({
    fn,
    cases,
    errors: [
      shapeError(fn),
      {
        name: 'not a number',
        call: () => functions[fn](make([2]), 'x'),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor or a number`),
      },
    ],
  });
}

const steps = 'its values are constant almost everywhere';
for (const fn of ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor']) {
  samples({
    fn,
    notDifferentiable: steps,
    cases: PAIRS.map(([a, b]) => ({
      name: `[${a}] and [${b}]`,
      inputs: [broken(a), broken(b)],
      call: (x, y) => functions[fn](x, y),
    })),
    errors: [shapeError(fn)],
  });
}
for (const fn of ['isnan', 'isinf', 'isfinite', 'isposinf', 'isneginf', 'signbit', 'logicalNot']) {
  samples({
    fn,
    notDifferentiable: steps,
    cases: [[2, 3], [0]].map((shape) => ({
      name: `shape [${shape}]`,
      inputs: [make(shape)],
      call: (x) => functions[fn](x),
    })),
    errors: [
      {
        name: 'not a tensor',
        call: () => functions[fn](notATensor),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}
for (const fn of ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor', 'bitwiseLeftShift', 'bitwiseRightShift']) {
  samples({
    fn,
    notDifferentiable: steps,
    cases: [
      { name: 'two tensors', inputs: [], call: () => functions[fn](integers, tensor([3n, 1n, 2n])) },
      { name: 'a number', inputs: [], call: () => functions[fn](integers, 2) },
    ],
    errors: [
      {
        name: 'floats',
        call: () => functions[fn](make([2]), make([2])),
        error: DTypeError,
        message: new RegExp(`${fn}: expected integers`),
      },
    ],
  });
}
samples({
  fn: 'bitwiseNot',
  notDifferentiable: steps,
  cases: [
    { name: 'integers', inputs: [], call: () => lib.bitwiseNot(integers) },
    { name: 'bools', inputs: [], call: () => lib.bitwiseNot(bools) },
  ],
  errors: [
    {
      name: 'floats',
      call: () => lib.bitwiseNot(make([2])),
      error: DTypeError,
      message: /bitwiseNot: expected a dtype/,
    },
  ],
});
for (const fn of ['isclose', 'allclose', 'equal']) {
  const flag = (result: unknown): Tensor => (typeof result === 'boolean' ? tensor(result) : (result as Tensor));
  samples({
    fn,
    notDifferentiable: steps,
    cases: [
      { name: 'the same', inputs: [make([2, 3])], call: (x) => flag(functions[fn](x, x)) },
      { name: 'no elements', inputs: [make([0])], call: (x) => flag(functions[fn](x, x)) },
    ],
    errors:
      fn === 'equal'
        ? [
            {
              name: 'a number',
              call: () => functions[fn](make([2]), 3),
              error: ArgumentError,
              message: /equal: expected a tensor for other/,
            },
          ]
        : [
            {
              name: 'two dtypes',
              call: () => functions[fn](make([2]), integers),
              error: DTypeError,
              message: new RegExp(`${fn}: expected two tensors of one dtype`),
            },
          ],
  });
}

const mask = tensor([
  [true, false, true],
  [false, false, true],
]);
samples({
  fn: 'where',
  cases: [
    { name: 'two tensors', inputs: [make([2, 3]), make([3])], call: (x, y) => lib.where(mask, x, y) },
    { name: 'a broadcast tensor', inputs: [make([3])], call: (x) => lib.where(mask, x, 0.5) },
    { name: 'a number', inputs: [make([2, 3])], call: (x) => lib.where(mask, x, -1.5) },
    { name: 'the condition alone', inputs: [], call: () => lib.where(mask) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => lib.where(tensor([true, false, true]), x, 0) },
  ],
  errors: [
    {
      name: 'a condition that is no mask',
      call: () => lib.where(make([2, 3]), make([2, 3]), 0),
      error: DTypeError,
      message: /where: expected a bool tensor for condition/,
    },
    {
      name: 'one choice',
      call: () => lib.where(mask, undefined as unknown as number, 0),
      error: ArgumentError,
      message: /where: expected input and other, or neither/,
    },
    {
      name: 'shapes that do not broadcast',
      call: () => lib.where(mask, make([4]), 0),
      error: ShapeError,
      message: /where: expected shapes that broadcast/,
    },
  ],
});
samples({
  fn: 'maskedFill',
  cases: [
    { name: 'a number', inputs: [make([2, 3])], call: (x) => lib.maskedFill(x, mask, -1.5) },
    { name: 'a tensor', inputs: [make([2, 3]), make([])], call: (x, v) => lib.maskedFill(x, mask, v) },
    {
      name: 'a mask of one row',
      inputs: [make([2, 3])],
      call: (x) => lib.maskedFill(x, tensor([true, false, false]), 1),
    },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => lib.maskedFill(x, tensor([true, false, true]), 1) },
  ],
  errors: [
    {
      name: 'a value with dimensions',
      call: () => lib.maskedFill(make([2, 3]), mask, make([3])),
      error: ArgumentError,
      message: /maskedFill: expected a number or a 0-dimensional tensor/,
    },
    {
      name: 'a float into integers',
      call: () => lib.maskedFill(integers, bools, 0.5),
      error: DTypeError,
      message: /maskedFill: expected a value that can be stored as int64/,
    },
  ],
});
samples({
  fn: 'clamp',
  cases: [
    { name: 'numbers', inputs: [broken([3, 4])], call: (x) => lib.clamp(x, -1, 1) },
    { name: 'one number', inputs: [broken([3, 4])], call: (x) => lib.clamp(x, { max: 1 }) },
    {
      name: 'tensors',
      inputs: [offGrid([3, 4], -3, 3), make([4], -1.1, -1), make([3, 1], 1, 1.1)],
      call: (x, low, high) => lib.clamp(x, low, high),
    },
    { name: 'no elements', inputs: [make([0])], call: (x) => lib.clamp(x, 0, 1) },
  ],
  errors: [
    {
      name: 'no bound',
      call: () => lib.clamp(make([2])),
      error: ArgumentError,
      message: /clamp: expected min or max, got neither/,
    },
    {
      name: 'bools',
      call: () => lib.clamp(bools, 0 > 1, 1 > 0),
      error: DTypeError,
      message: /clamp: expected numbers, got bool/,
    },
  ],
});
for (const fn of ['clampMin', 'clampMax']) {
  samples({
    fn,
    cases: [
      { name: 'a number', inputs: [broken([3, 4])], call: (x) => functions[fn](x, 1) },
      {
        name: 'a tensor',
        inputs: [broken([3, 4]), make([4], 0.95, 1.05)],
        call: (x, bound) => functions[fn](x, bound),
      },
      { name: 'no elements', inputs: [make([0])], call: (x) => functions[fn](x, 0) },
    ],
    errors: [shapeError(fn)],
  });
}
samples({
  fn: 'lerp',
  cases: [
    { name: 'a number', inputs: [make([4]), make([3, 4])], call: (a, b) => lib.lerp(a, b, 0.3) },
    {
      name: 'a tensor',
      inputs: [make([3, 4]), make([4]), make([3, 1], 0.1, 0.4)],
      call: (a, b, w) => lib.lerp(a, b, w),
    },
    { name: 'no elements', inputs: [make([0]), make([0])], call: (a, b) => lib.lerp(a, b, 0.7) },
  ],
  errors: [
    {
      name: 'integers',
      call: () => lib.lerp(integers, integers, 0.5),
      error: DTypeError,
      message: /lerp: expected floating tensors of one dtype/,
    },
  ],
});
for (const fn of ['addcmul', 'addcdiv']) {
  samples({
    fn,
    cases: [
      {
        name: 'value 1',
        inputs: [make([3, 4]), make([4]), positive([3, 1])],
        call: (x, a, b) => functions[fn](x, a, b),
      },
      {
        name: 'a value',
        inputs: [make([4]), make([3, 4]), positive([])],
        call: (x, a, b) => functions[fn](x, a, b, { value: -0.5 }),
      },
      { name: 'no elements', inputs: [make([0]), make([0]), positive([1])], call: (x, a, b) => functions[fn](x, a, b) },
    ],
    errors: [
      {
        name: 'shapes that do not broadcast',
        call: () => functions[fn](make([2]), make([3]), make([1])),
        error: ShapeError,
        message: new RegExp(`${fn}: expected shapes that broadcast`),
      },
      {
        name: 'a misspelt option',
        call: () => functions[fn](make([2]), make([2]), make([2]), { valu: 2 }),
        error: ArgumentError,
        message: /did you mean "value"/,
      },
    ],
  });
}
