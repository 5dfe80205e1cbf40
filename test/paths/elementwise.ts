/** Cases of elementwise functions, conversions, movement of data, dropout and optimizers. */
import * as nodegrad from '../../lib/index.js';
import {
  cat,
  type DType,
  manualSeed,
  maximum,
  minimum,
  nn,
  optim,
  type Tensor,
  tensor,
  where,
} from '../../lib/index.js';
import { toBfloat16, toFloat16 } from '../reference/rounding.js';
import { type Case, taped, WITH_HALVES } from './case.js';

const F = nn.functional;
const FLOATS: readonly DType[] = ['float32', 'float64'];
type Real = (x: number) => number;

// ---- functions of one tensor

/** 2/sqrt(pi) e^(-x^2) times the sum of 2^n x^(2n+1) / (2n+1)!!, all terms of one sign. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
const sigmoid: Real = (x) => 1 / (1 + Math.exp(-x));
const normalDensity: Real = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const inner: Real = (x) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);

type Row = readonly [name: string, low: number, high: number, call: (x: Tensor) => Tensor, f: Real, slope: Real];
const named =
  (name: string) =>
  (x: Tensor): Tensor =>
    (nodegrad as unknown as Record<string, (x: Tensor) => Tensor>)[name](x);
const FUNCTIONS: readonly Row[] = [
  ['exp', -10, 10, named('exp'), Math.exp, Math.exp],
  ['exp2', -15, 15, named('exp2'), (x) => 2 ** x, (x) => Math.LN2 * 2 ** x],
  ['expm1', -3, 3, named('expm1'), Math.expm1, Math.exp],
  ['log', 0.01, 50, named('log'), Math.log, (x) => 1 / x],
  ['log1p', -0.8, 50, named('log1p'), Math.log1p, (x) => 1 / (1 + x)],
  ['log2', 0.01, 50, named('log2'), Math.log2, (x) => Math.LOG2E / x],
  ['log10', 0.01, 50, named('log10'), Math.log10, (x) => Math.LOG10E / x],
  ['sin', -9, 9, named('sin'), Math.sin, Math.cos],
  ['cos', -9, 9, named('cos'), Math.cos, (x) => -Math.sin(x)],
  ['tanh', -5, 5, named('tanh'), Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
  ['sigmoid', -9, 9, named('sigmoid'), sigmoid, (x) => sigmoid(x) * sigmoid(-x)],
  ['erf', -3, 3, named('erf'), erf, (x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)],
  ['sqrt', 0.01, 50, named('sqrt'), Math.sqrt, (x) => 0.5 / Math.sqrt(x)],
  ['rsqrt', 0.01, 50, named('rsqrt'), (x) => 1 / Math.sqrt(x), (x) => -0.5 * x ** -1.5],
  ['reciprocal', 0.1, 50, named('reciprocal'), (x) => 1 / x, (x) => -1 / (x * x)],
  ['square', -5, 5, named('square'), (x) => x * x, (x) => 2 * x],
  ['abs', -5, 5, named('abs'), Math.abs, Math.sign],
  ['neg', -5, 5, named('neg'), (x) => -x, () => -1],
  ['relu', -5, 5, named('relu'), (x) => Math.max(x, 0), (x) => (x > 0 ? 1 : 0)],
  ['leakyRelu', -5, 5, (x) => F.leakyRelu(x, 0.25), (x) => (x > 0 ? x : 0.25 * x), (x) => (x > 0 ? 1 : 0.25)],
  ['elu', -5, 5, (x) => F.elu(x), (x) => (x > 0 ? x : Math.expm1(x)), (x) => (x > 0 ? 1 : Math.exp(x))],
  [
    'gelu',
    -5,
    5,
    (x) => F.gelu(x),
    (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
    (x) => 0.5 * (1 + erf(x * Math.SQRT1_2)) + x * normalDensity(x),
  ],
  [
    'gelu by tanh',
    -5,
    5,
    (x) => F.gelu(x, { approximate: 'tanh' }),
    (x) => 0.5 * x * (1 + Math.tanh(inner(x))),
    (x) =>
      0.5 * (1 + Math.tanh(inner(x))) +
      0.5 * x * (1 - Math.tanh(inner(x)) ** 2) * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x),
  ],
  ['silu', -9, 9, (x) => F.silu(x), (x) => x * sigmoid(x), (x) => sigmoid(x) * (1 + x * sigmoid(-x))],
  ['softplus', -9, 9, (x) => F.softplus(x), (x) => Math.log1p(Math.exp(x)), sigmoid],
  [
    'hardswish',
    -5,
    5,
    (x) => F.hardswish(x),
    (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    (x) => (x <= -3 ? 0 : x < 3 ? x / 3 + 0.5 : 1),
  ],
  [
    'clamp',
    -5,
    5,
    (x) => x.clamp(-1.25, 2.5),
    (x) => Math.min(Math.max(x, -1.25), 2.5),
    (x) => (x >= -1.25 && x <= 2.5 ? 1 : 0),
  ],
  ['times and plus a number', -5, 5, (x) => x.mul(0.75).add(1.5), (x) => 0.75 * x + 1.5, () => 0.75],
  ['power of three', -3, 3, (x) => x.pow(3), (x) => x ** 3, (x) => 3 * x * x],
];

/** Functions near whose zeros larger numbers cancel, so that only the distance to the largest value counts. */
const CANCELLING = ['gelu', 'gelu by tanh', 'times and plus a number', 'erf'];

function unary([name, low, high, call, f, slope]: Row, shape: readonly number[], dtypes: readonly DType[]): Case {
  return {
    name: `${name} of ${shape.join('x')}`,
    inputs: [{ shape, low, high }],
    call,
    reference: ([x], weights) => {
      const g = weights(0, x.length);
      return { outputs: [x.map(f)], gradients: [x.map((v, i) => g[i] * slope(v))] };
    },
    terms: CANCELLING.includes(name) ? 9 : 1,
    gradientTerms: 9,
    roundings: 4,
    dtypes,
  };
}
const unaries = FUNCTIONS.flatMap((row) => [unary(row, [7, 145], WITH_HALVES), unary(row, [13], FLOATS)]);
/** Long enough to be cut into pieces for threads. */
const long = FUNCTIONS.filter(([name]) =>
  ['exp', 'tanh', 'relu', 'gelu', 'times and plus a number'].includes(name),
).map((row) => unary(row, [3, 66671], ['float32']));

const SPECIAL = [
  0,
  -0,
  Infinity,
  -Infinity,
  Number.NaN,
  1e-40,
  -1e-40,
  1e-30,
  1e30,
  -1e30,
  88.7,
  88.8,
  -87.4,
  -103.9,
  -104.1,
  127.9,
  1,
  -1,
  0.5,
  709,
  3e38,
];
const specials: Case[] = (
  [
    ['exp', Math.exp],
    ['expm1', Math.expm1],
    ['log', Math.log],
    ['log1p', Math.log1p],
    ['tanh', Math.tanh],
    ['sigmoid', sigmoid],
    ['sqrt', Math.sqrt],
    ['relu', (x) => (Number.isNaN(x) ? x : Math.max(x, 0))],
    ['abs', Math.abs],
    ['erf', (x) => (Math.abs(x) > 6 ? Math.sign(x) : erf(x))],
  ] as [string, Real][]
).map(([name, f]) => ({
  name: `${name} of special values`,
  inputs: [{ shape: [67], values: SPECIAL }],
  call: named(name),
  // A subnormal float32 may come out as zero or as itself: the reference is rounded, and what is below the normal
  // numbers counts as an absolute error.
  reference: ([x]) => ({ outputs: [x.map((v) => Math.fround(f(v)))], gradients: [null] }),
  dtypes: ['float32'],
  backward: false,
}));

// ---- functions of two tensors

const SHAPES: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [5, 67],
    [5, 67],
  ],
  [[5, 67], [67]],
  [
    [5, 67],
    [5, 1],
  ],
  [
    [1, 3, 9],
    [4, 1, 9],
  ],
];
type Pair = readonly [
  name: string,
  call: (a: Tensor, b: Tensor) => Tensor,
  f: (a: number, b: number) => number,
  da: (a: number, b: number) => number,
  db: (a: number, b: number) => number,
];
const PAIRS: readonly Pair[] = [
  ['add', (a, b) => a.add(b), (a, b) => a + b, () => 1, () => 1],
  ['sub', (a, b) => a.sub(b), (a, b) => a - b, () => 1, () => -1],
  ['sub with a factor', (a, b) => a.sub(b, { alpha: 0.5 }), (a, b) => a - 0.5 * b, () => 1, () => -0.5],
  ['mul', (a, b) => a.mul(b), (a, b) => a * b, (_, b) => b, (a) => a],
  ['div', (a, b) => a.div(b), (a, b) => a / b, (_, b) => 1 / b, (a, b) => -a / (b * b)],
  ['pow', (a, b) => a.pow(b), (a, b) => a ** b, (a, b) => b * a ** (b - 1), (a, b) => a ** b * Math.log(a)],
  ['atan2', (a, b) => nodegrad.atan2(a, b), Math.atan2, (a, b) => b / (a * a + b * b), (a, b) => -a / (a * a + b * b)],
  [
    'maximum',
    (a, b) => maximum(a, b),
    Math.max,
    (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
  ],
  [
    'minimum',
    (a, b) => minimum(a, b),
    Math.min,
    (a, b) => (a < b ? 1 : a === b ? 0.5 : 0),
    (a, b) => (a > b ? 1 : a === b ? 0.5 : 0),
  ],
];
function binary(
  [name, call, f, da, db]: Pair,
  left: readonly number[],
  right: readonly number[],
  dtypes: readonly DType[],
): Case {
  const nd = Math.max(left.length, right.length);
  const wide = (shape: readonly number[]): number[] => [...new Array<number>(nd - shape.length).fill(1), ...shape];
  const [a, b] = [wide(left), wide(right)];
  const out = a.map((size, d) => Math.max(size, b[d]));
  const count = out.reduce((x, y) => x * y, 1);
  const place = (shape: readonly number[], at: number): number => {
    let [index, rest] = [0, at];
    let step = 1;
    for (let d = nd - 1; d >= 0; d--) {
      const i = rest % out[d];
      rest = Math.floor(rest / out[d]);
      if (shape[d] > 1) index += i * step;
      step *= shape[d];
    }
    return index;
  };
  return {
    name: `${name} of ${left.join('x')} and ${right.join('x')}`,
    inputs: [
      { shape: left, low: 0.5, high: 2 },
      { shape: right, low: 0.5, high: 2 },
    ],
    call,
    reference: ([x, y], weights) => {
      const g = weights(0, count);
      const z = new Float64Array(count);
      const [gx, gy] = [new Float64Array(x.length), new Float64Array(y.length)];
      for (let at = 0; at < count; at++) {
        const [i, j] = [place(a, at), place(b, at)];
        z[at] = f(x[i], y[j]);
        gx[i] += g[at] * da(x[i], y[j]);
        gy[j] += g[at] * db(x[i], y[j]);
      }
      return { outputs: [z], gradients: [gx, gy] };
    },
    terms: count,
    roundings: 4,
    dtypes,
  };
}
const binaries = PAIRS.flatMap((row) => SHAPES.map(([a, b]) => binary(row, a, b, WITH_HALVES)));
/** Rows that lie apart, are one and the same or one number each; short ones and such as no block holds. */
const ROWS: typeof SHAPES = [
  [[700, 3], [3]],
  [
    [700, 3],
    [700, 1],
  ],
  [[300, 10], [10]],
  [
    [4, 6, 5, 20],
    [6, 1, 1],
  ],
  [
    [2, 3, 40],
    [2, 1, 40],
  ],
  [[3, 2500], [2500]],
  [
    [3, 2500],
    [3, 1],
  ],
  [
    [5, 1, 300],
    [7, 1],
  ],
  [
    [3, 1],
    [3, 2500],
  ],
  [
    [6, 1, 1],
    [4, 6, 5, 20],
  ],
];
const rowPairs = PAIRS.filter(([name]) => ['sub', 'mul', 'div', 'atan2'].includes(name)).flatMap((row) =>
  ROWS.map(([a, b]) => binary(row, a, b, WITH_HALVES)),
);
/** What lies between two columns of each row. */
const between: Case[] = [
  [700, 5],
  [30, 70],
  [3, 2500],
  [7, 6, 22],
].map((shape) => ({
  name: `what lies between columns of ${shape.join('x')}, and its half`,
  inputs: [{ shape }],
  call: (x) =>
    cat([x.narrow(-1, 1, shape[shape.length - 1] - 3), x.narrow(-1, 2, shape[shape.length - 1] - 3).mul(0.5)], -1),
  reference: taped((t, x) => {
    const width = shape[shape.length - 1];
    return Array.from({ length: x.length / width }, (_, row) => [
      ...Array.from({ length: width - 3 }, (__, i) => x[row * width + 1 + i]),
      ...Array.from({ length: width - 3 }, (__, i) => t.affine(x[row * width + 2 + i], 0.5)),
    ]).flat();
  }),
  roundings: 4,
  dtypes: WITH_HALVES,
}));

const longPairs = PAIRS.slice(0, 3).map((row) => binary(row, [3, 66671], [3, 66671], ['float32']));

// ---- conversions

const CONVERSIONS: Partial<Record<DType, Real>> = {
  float64: (x) => x,
  float32: Math.fround,
  bfloat16: toBfloat16,
  float16: toFloat16,
  int64: Math.trunc,
  int32: Math.trunc,
  int16: Math.trunc,
  int8: Math.trunc,
  bool: (x) => (x === 0 ? 0 : 1),
};
const conversions: Case[] = (Object.keys(CONVERSIONS) as DType[]).flatMap((target) => [
  {
    name: `conversion of 7x145 to ${target}`,
    inputs: [{ shape: [7, 145], low: -100, high: 100 }],
    call: (x: Tensor) => x.to(target),
    reference: ([x]: readonly Float64Array[]) => ({ outputs: [x.map(CONVERSIONS[target] as Real)], gradients: [null] }),
    dtypes: WITH_HALVES,
    backward: false,
    exact: true,
  },
  {
    name: `conversion of whole numbers to ${target}`,
    inputs: [{ shape: [131], below: 120 }],
    call: (x: Tensor) => x.to(target),
    reference: ([x]: readonly Float64Array[]) => ({ outputs: [x.map(CONVERSIONS[target] as Real)], gradients: [null] }),
    dtypes: ['float32'] as const,
    backward: false,
    exact: true,
  },
]);
const EDGES = [
  65504,
  65519,
  65520,
  1e5,
  6e-8,
  2.9e-8,
  3.1e-8,
  1.00390625,
  1.01171875,
  3.39e38,
  -3.4e38,
  1e-40,
  -65520,
  0.1,
  1 / 3,
  2049,
  2051,
];
const edges: Case[] = (['bfloat16', 'float16'] as const).map((target) => ({
  name: `conversion of edges to ${target}`,
  inputs: [{ shape: [53], values: EDGES }],
  call: (x) => x.to(target),
  reference: ([x]) => ({ outputs: [x.map(CONVERSIONS[target] as Real)], gradients: [null] }),
  dtypes: ['float32'],
  backward: false,
  exact: true,
}));

// ---- movement, dropout

const movement: Case[] = [
  {
    name: 'cat of two widths',
    inputs: [{ shape: [5, 33] }, { shape: [5, 7] }],
    call: (a, b) => cat([a, b], 1),
    reference: taped((_, a, b) =>
      Array.from({ length: 200 }, (__, at) =>
        at % 40 < 33 ? a[Math.floor(at / 40) * 33 + (at % 40)] : b[Math.floor(at / 40) * 7 + (at % 40) - 33],
      ),
    ),
    exact: true,
    dtypes: WITH_HALVES,
  },
  {
    name: 'where',
    inputs: [{ shape: [9, 65] }, { shape: [9, 65] }],
    call: (a, b) => where(a.gt(b), a, b.mul(2)),
    reference: taped((t, a, b) => Array.from(a, (x, i) => (t.value(x) > t.value(b[i]) ? x : t.affine(b[i], 2)))),
    exact: true,
    dtypes: FLOATS,
  },
  {
    name: 'glu of columns',
    inputs: [{ shape: [7, 66] }],
    call: (x) => F.glu(x),
    reference: taped((t, x) =>
      Array.from({ length: 7 * 33 }, (_, i) => Math.floor(i / 33) * 66 + (i % 33)).map((at) =>
        t.mul(x[at], t.sigmoid(x[at + 33])),
      ),
    ),
    dtypes: WITH_HALVES,
  },
  {
    name: 'glu of rows',
    inputs: [{ shape: [6, 45] }],
    call: (x) => F.glu(x, 0),
    reference: taped((t, x) => Array.from({ length: 3 * 45 }, (_, i) => t.mul(x[i], t.sigmoid(x[i + 3 * 45])))),
    dtypes: WITH_HALVES,
  },
  {
    name: 'padding by zeros',
    inputs: [{ shape: [3, 5, 7] }],
    call: (x) => F.pad(x, [1, 2, 3, 0]),
    reference: taped((t, x) =>
      Array.from({ length: 3 * 8 * 10 }, (_, at) => {
        const [i, j] = [(Math.floor(at / 10) % 8) - 3, (at % 10) - 1];
        return i >= 0 && j >= 0 && j < 7 ? x[(Math.floor(at / 80) * 5 + i) * 7 + j] : t.constant(0);
      }),
    ),
    exact: true,
    dtypes: WITH_HALVES,
  },
  {
    name: 'dropout',
    inputs: [{ shape: [31, 67] }],
    call: (x) => {
      manualSeed(5);
      return F.dropout(x, 0.3, true);
    },
    reference: null,
  },
];

// ---- optimizers

type Update = (p: Float64Array, g: Float64Array, step: number, memory: Float64Array[]) => void;
/** Three steps on two parameters of odd sizes, with the gradient g, 2 g, 3 g. */
function optimizer(name: string, make: (params: nn.Parameter[]) => optim.Optimizer, update: Update): Case {
  const shapes = [[1003], [7, 33]];
  return {
    name: `three steps of ${name}`,
    inputs: [...shapes.map((shape) => ({ shape })), ...shapes.map((shape) => ({ shape }))],
    call: (a, b, ga, gb) => {
      const params = [a, b].map((t) => new nn.Parameter(t.detach()));
      const opt = make(params);
      for (let step = 1; step <= 3; step++) {
        params[0].grad = ga.mul(step);
        params[1].grad = gb.mul(step);
        opt.step();
      }
      return params.map((p) => p.detach());
    },
    reference: ([a, b, ga, gb], _, dtype) => {
      const outputs = [
        [a, ga],
        [b, gb],
      ].map(([values, gradient]) => {
        const p = values.slice();
        const memory = Array.from({ length: 3 }, () => new Float64Array(p.length));
        for (let step = 1; step <= 3; step++)
          update(
            p,
            gradient.map((g) => (dtype === 'float64' ? g * step : Math.fround(g * step))),
            step,
            memory,
          );
        return p;
      });
      return { outputs, gradients: [null, null, null, null] };
    },
    backward: false,
    // The roots of squares near zero carry the rounding of the squares.
    terms: 64,
  };
}
function adam(amsgrad: boolean, decay: number, decoupled: boolean): Update {
  return (p, given, step, [m, v, top]) => {
    for (let i = 0; i < p.length; i++) {
      if (decoupled) p[i] *= 1 - 0.1 * decay;
      const g = given[i] + (decoupled ? 0 : decay * p[i]);
      m[i] = 0.9 * m[i] + 0.1 * g;
      v[i] = 0.999 * v[i] + 0.001 * g * g;
      top[i] = Math.max(top[i], v[i]);
      p[i] -= (0.1 / (1 - 0.9 ** step)) * (m[i] / (Math.sqrt((amsgrad ? top[i] : v[i]) / (1 - 0.999 ** step)) + 1e-8));
    }
  };
}
const sgd =
  (nesterov: boolean): Update =>
  (p, given, step, [m]) => {
    for (let i = 0; i < p.length; i++) {
      const g = given[i] + 0.01 * p[i];
      m[i] = step === 1 ? g : 0.9 * m[i] + g;
      p[i] -= 0.1 * (nesterov ? g + 0.9 * m[i] : m[i]);
    }
  };
const optimizers: Case[] = [
  optimizer('SGD', (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.01 }), sgd(false)),
  optimizer(
    'SGD by Nesterov',
    (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov: true }),
    sgd(true),
  ),
  optimizer(
    'SGD without momentum',
    (p) => new optim.SGD(p, { lr: 0.1 }),
    (p, g) => {
      for (let i = 0; i < p.length; i++) p[i] -= 0.1 * g[i];
    },
  ),
  optimizer('Adam', (p) => new optim.Adam(p, { lr: 0.1 }), adam(false, 0, false)),
  optimizer(
    'Adam with amsgrad',
    (p) => new optim.Adam(p, { lr: 0.1, amsgrad: true, weightDecay: 0.25 }),
    adam(true, 0.25, false),
  ),
  optimizer('AdamW', (p) => new optim.AdamW(p, { lr: 0.1, weightDecay: 0.25 }), adam(false, 0.25, true)),
  optimizer(
    'RMSprop',
    (p) => new optim.RMSprop(p, { lr: 0.1 }),
    (p, g, _, [v]) => {
      for (let i = 0; i < p.length; i++) {
        v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
        p[i] -= (0.1 * g[i]) / (Math.sqrt(v[i]) + 1e-8);
      }
    },
  ),
  optimizer(
    'Adagrad',
    (p) => new optim.Adagrad(p, { lr: 0.1 }),
    (p, g, _, [v]) => {
      for (let i = 0; i < p.length; i++) {
        v[i] += g[i] * g[i];
        p[i] -= (0.1 * g[i]) / (Math.sqrt(v[i]) + 1e-10);
      }
    },
  ),
];

/** Whole numbers, whose sums are exact. */
const integers: Case[] = [
  {
    name: 'whole numbers: sums, products, comparisons',
    inputs: [
      { shape: [7, 65], below: 50 },
      { shape: [7, 65], below: 50 },
    ],
    call: (a, b) => [a.add(b), a.mul(b), a.gt(b), a.sum(), tensor(3, { dtype: 'int32' }).mul(b.to('int32'))],
    reference: ([a, b]) => ({
      outputs: [
        a.map((x, i) => x + b[i]),
        a.map((x, i) => x * b[i]),
        a.map((x, i) => (x > b[i] ? 1 : 0)),
        Float64Array.of(a.reduce((x, y) => x + y, 0)),
        b.map((x) => 3 * x),
      ],
      gradients: [null, null],
    }),
    backward: false,
    exact: true,
  },
];

export const elementwise: readonly Case[] = [
  ...unaries,
  ...long,
  ...specials,
  ...binaries,
  ...longPairs,
  ...rowPairs,
  ...between,
  ...conversions,
  ...edges,
  ...movement,
  ...optimizers,
  ...integers,
];
