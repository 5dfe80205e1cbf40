/**
 * Normalisations at sizes around every cut of their kernels against plain loops in float64; third derivatives; threads;
 * running statistics.
 */
import { expect } from 'chai';
import { autograd, enableGrad, nn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

const F = nn.functional;

function fill(count: number, seed: number, offset = 0): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2147483648 - 1 + offset);
  });
}

/**
 * Normalises the elements of each set, and gives the gradient of sum(g y) as central formulas read; `weightOf` names an
 * element's weight.
 */
function reference(
  x: Float64Array,
  g: Float64Array,
  sets: number[][],
  weightOf: (i: number) => number,
  w: Float64Array,
  b: Float64Array,
  eps: number,
) {
  const y = new Float64Array(x.length);
  const dx = new Float64Array(x.length);
  const dw = new Float64Array(w.length);
  const db = new Float64Array(w.length);
  for (const set of sets) {
    const mean = set.reduce((sum, i) => sum + x[i], 0) / set.length;
    const variance = set.reduce((sum, i) => sum + (x[i] - mean) ** 2, 0) / set.length;
    const r = 1 / Math.sqrt(variance + eps);
    let sum = 0;
    let product = 0;
    for (const i of set) {
      const k = weightOf(i);
      const xh = (x[i] - mean) * r;
      y[i] = xh * w[k] + b[k];
      dw[k] += g[i] * xh;
      db[k] += g[i];
      sum += g[i] * w[k];
      product += g[i] * w[k] * xh;
    }
    for (const i of set)
      dx[i] = r * (g[i] * w[weightOf(i)] - sum / set.length - ((x[i] - mean) * r * product) / set.length);
  }
  return { y, dx, dw, db };
}

function expectNear(got: Tensor | null, expected: Float64Array, tolerance: number, what: string): void {
  const values = got?.to('float64').toTypedArray() as Float64Array;
  const scale = expected.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
  for (let i = 0; i < expected.length; i++)
    if (!(Math.abs(values[i] - expected[i]) <= tolerance * scale))
      expect.fail(`${what}: element ${i} is ${values[i]}, expected ${expected[i]}`);
}

const indices = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

interface Row {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: number;
  readonly setOf: (i: number) => number;
  readonly weightOf: (i: number) => number;
  readonly call: (x: Tensor, w: Tensor, b: Tensor) => Tensor;
  readonly offset?: number;
}
const batch = (n: number, c: number, inner: number, offset = 0): Row => ({
  name: `batchNorm [${n},${c},${inner}]${offset > 0 ? ` around ${offset}` : ''}`,
  shape: inner === 1 ? [n, c] : [n, c, inner],
  weights: c,
  setOf: (i) => Math.floor(i / inner) % c,
  weightOf: (i) => Math.floor(i / inner) % c,
  call: (x, w, b) => F.batchNorm(x, null, null, w, b, { training: true }),
  offset,
});
const layer = (rows: number, n: number, offset = 0): Row => ({
  name: `layerNorm [${rows},${n}]${offset > 0 ? ` around ${offset}` : ''}`,
  shape: [rows, n],
  weights: n,
  setOf: (i) => Math.floor(i / n),
  weightOf: (i) => i % n,
  call: (x, w, b) => F.layerNorm(x, [n], w, b),
  offset,
});
const group = (n: number, c: number, inner: number, groups: number): Row => ({
  name: `groupNorm [${n},${c},${inner}] in ${groups}`,
  shape: [n, c, inner],
  weights: c,
  setOf: (i) => Math.floor(i / ((c / groups) * inner)),
  weightOf: (i) => Math.floor(i / inner) % c,
  call: (x, w, b) => F.groupNorm(x, groups, w, b),
});
// Around the block of 64 columns, the 16 lanes, the block of 512 elements, and the 32 parts of the rows.
const rows: Row[] = [
  batch(5, 131, 1),
  batch(300, 64, 1),
  batch(3, 5, 17),
  batch(2, 3, 1031),
  batch(21, 4, 255),
  batch(3000, 3, 1),
  batch(2, 3, 1031, 100),
  layer(7, 3),
  layer(1000, 17),
  layer(37, 700),
  layer(5, 515, 100),
  group(3, 6, 35, 2),
  group(70, 8, 5, 4),
  group(2, 9, 600, 1),
];

describe('normalisation against its definition', () => {
  for (const row of rows) {
    for (const [dtype, tolerance] of [
      ['float64', 1e-11],
      ['float32', 2e-5],
      ['bfloat16', 2 ** -7],
      ['float16', 2 ** -10],
    ] as const) {
      // The mean takes all bits of such elements.
      if ((row.offset ?? 0) > 0 && tolerance > 1e-4) continue;
      it(`${row.name}, ${dtype}`, () => {
        const count = row.shape.reduce((a, b) => a * b, 1);
        // The input in its own type and the parameters in float32 is what autocast passes.
        const rounded = (v: Float64Array): Float64Array =>
          tensor(v, { dtype }).to('float64').toTypedArray() as Float64Array;
        const values = {
          x: rounded(fill(count, 1, row.offset)),
          g: rounded(fill(count, 2)),
          w: fill(row.weights, 3),
          b: fill(row.weights, 4),
        };
        const parameters = dtype === 'float64' ? dtype : 'float32';
        const sets: number[][] = Array.from({ length: 1 + Math.max(...indices(count).map(row.setOf)) }, () => []);
        for (const i of indices(count)) sets[row.setOf(i)].push(i);
        const expected = reference(values.x, values.g, sets, row.weightOf, values.w, values.b, 1e-5);
        const x = tensor(values.x, { shape: row.shape, dtype, requiresGrad: true });
        const w = tensor(values.w, { dtype: parameters, requiresGrad: true });
        const b = tensor(values.b, { dtype: parameters, requiresGrad: true });
        const y = row.call(x, w, b);
        expectNear(y, expected.y, tolerance, 'output');
        y.backward(tensor(values.g, { shape: row.shape, dtype }));
        expectNear(x.grad, expected.dx, tolerance, 'gradient of the input');
        expectNear(w.grad, expected.dw, Math.min(tolerance, 2e-5), 'gradient of the weight');
        expectNear(b.grad, expected.db, Math.min(tolerance, 2e-5), 'gradient of the bias');
      });
    }
  }

  it('gives the same bits for any number of threads', () => {
    const run = (): number[][] =>
      rows.flatMap((row) => {
        const count = row.shape.reduce((a, b) => a * b, 1);
        const x = tensor(fill(count, 1), { shape: row.shape, dtype: 'float32', requiresGrad: true });
        const w = tensor(fill(row.weights, 3), { dtype: 'float32', requiresGrad: true });
        const b = tensor(fill(row.weights, 4), { dtype: 'float32', requiresGrad: true });
        const y = row.call(x, w, b);
        const gradients = autograd.grad(y.mul(y).sum(), [x, w, b]) as Tensor[];
        return [y, ...gradients].map((t) => Array.from(t.toTypedArray() as Float32Array));
      });
    const before = addon.getNumThreads();
    try {
      addon.setNumThreads(1);
      const one = run();
      addon.setNumThreads(3);
      expect(run()).to.deep.equal(one);
    } finally {
      addon.setNumThreads(before);
    }
  });
});

describe('normalisation differentiated three times', () => {
  const cases: [string, readonly number[], (x: Tensor) => Tensor][] = [
    ['batchNorm', [3, 2, 2], (x) => F.batchNorm(x, null, null, { training: true, eps: 0.1 })],
    ['layerNorm', [2, 4], (x) => F.layerNorm(x, [4], { eps: 0.1 })],
    ['rmsNorm', [2, 4], (x) => F.rmsNorm(x, [4], { eps: 0.1 })],
  ];
  for (const [name, shape, call] of cases) {
    it(name, () => {
      const count = shape.reduce((a, b) => a * b, 1);
      const x = tensor(fill(count, 1), { shape, requiresGrad: true });
      const g = tensor(fill(count, 2), { shape });
      const gradient = (input: Tensor): Tensor =>
        enableGrad(() => autograd.grad(call(input).mul(g).sum(), input, { createGraph: true })[0] as Tensor);
      autograd.gradcheck(gradient, [x]);
      autograd.gradgradcheck(gradient, [x]);
    });
  }
});
