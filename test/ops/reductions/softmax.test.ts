/**
 * Softmax and log-softmax against their definition, rows a lane, rows a pack and columns, with tails, infinities and
 * NaN.
 */
import { expect } from 'chai';
import { autograd, type DType, manualSeed, nn, randn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

const F = nn.functional;

// [outer, n, inner]: around 16 lanes, 32 elements a short row, 1024 a run.
const shapes = [
  [1, 1, 1],
  [3, 2, 1],
  [37, 10, 1],
  [16, 16, 1],
  [33, 31, 1],
  [5, 33, 1],
  [7, 100, 1],
  [3, 1037, 1],
  [2, 3, 5],
  [3, 17, 21],
  [2, 70, 129],
];
const tolerances = { float64: 1e-12, float32: 2e-6, bfloat16: 2 ** -8, float16: 2 ** -11 } as const;

function definition(x: Float64Array, g: Float64Array, [outer, n, inner]: number[], logarithm: boolean) {
  const y = new Float64Array(x.length);
  const dx = new Float64Array(x.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (k: number): number => (o * n + k) * inner + i;
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < n; k++) top = Math.max(top, x[at(k)]);
      let total = 0;
      let weighted = 0;
      let sum = 0;
      for (let k = 0; k < n; k++) total += Math.exp(x[at(k)] - top);
      for (let k = 0; k < n; k++) {
        const p = Math.exp(x[at(k)] - top) / total;
        y[at(k)] = logarithm ? x[at(k)] - top - Math.log(total) : p;
        weighted += g[at(k)] * p;
        sum += g[at(k)];
      }
      for (let k = 0; k < n; k++) {
        const p = Math.exp(x[at(k)] - top) / total;
        dx[at(k)] = logarithm ? g[at(k)] - p * sum : p * (g[at(k)] - weighted);
      }
    }
  }
  return { y, dx };
}

const numbers = (t: Tensor): Float64Array => t.detach().to('float64').toTypedArray() as Float64Array;

function close(got: Float64Array, expected: Float64Array, tolerance: number, what: string): void {
  for (const [i, value] of expected.entries()) {
    if (Object.is(got[i], value) || got[i] === value || (Number.isNaN(got[i]) && Number.isNaN(value))) continue;
    if (!(Math.abs(got[i] - value) <= tolerance * Math.max(1, Math.abs(value))))
      expect.fail(`${what}: element ${i} is ${got[i]}, expected ${value}`);
  }
}

describe('softmax by definition', () => {
  for (const shape of shapes) {
    for (const [dtype, tolerance] of Object.entries(tolerances) as [DType, number][]) {
      for (const logarithm of [false, true]) {
        it(`${logarithm ? 'log-softmax' : 'softmax'} of [${shape}], ${dtype}`, () => {
          manualSeed(3);
          const x = randn(shape).mul(4).to(dtype).requiresGrad_();
          const g = randn(shape).to(dtype);
          const y = (logarithm ? F.logSoftmax : F.softmax)(x, 1);
          const expected = definition(numbers(x), numbers(g), shape, logarithm);
          close(numbers(y), expected.y, tolerance, 'output');
          // The rule reads the output, which has been rounded.
          const [dx] = autograd.grad(y, [x], { gradOutputs: g }) as Tensor[];
          close(numbers(dx), expected.dx, tolerance * (logarithm ? 4 * shape[1] : 4), 'gradient');
        });
      }
    }
  }

  it('gives 0 to minus infinity and NaN to a row that holds NaN or only minus infinity', () => {
    for (const n of [5, 64, 1040]) {
      const data = Float32Array.from(randn([4, n]).toTypedArray() as Float32Array);
      data[n - 1] = Number.NEGATIVE_INFINITY;
      data[n + 1] = Number.NaN;
      data.fill(Number.NEGATIVE_INFINITY, 2 * n, 3 * n);
      const x = tensor(data, { shape: [4, n] });
      const { y } = definition(numbers(x), numbers(x), [4, n, 1], false);
      close(numbers(F.softmax(x, 1)), y, 2e-6, `${n}`);
      expect((F.softmax(x, 1).toTypedArray() as Float32Array)[n - 1]).to.equal(0);
    }
  });

  it('the same bits for any number of threads', () => {
    const x = randn([3000, 24]);
    const run = (): Float32Array => F.softmax(x, 1).toTypedArray() as Float32Array;
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
