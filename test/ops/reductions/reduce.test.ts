/**
 * Reductions against a naive float64 reference, over every way in which the kernels cut the work: small and large
 * inner sizes, long reductions in pieces, permuted memory; and PyTorch's rules for types, empty inputs, NaN and ties.
 */
import { expect } from 'chai';
import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  autograd,
  countNonzero,
  logsumexp,
  max,
  mean,
  prod,
  sum,
  type Tensor,
  tensor,
  varMean,
} from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

/** Values in [-1, 1) that float32 holds exactly, with few repetitions. */
function values(count: number): Float64Array {
  let state = 7;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2147483648 - 1);
  });
}

type Fold = (elements: number[]) => number;

/** The fold of all elements that share the kept coordinates, in row-major order of those. */
function naive(data: ArrayLike<number>, shape: readonly number[], dims: readonly number[], fold: Fold): number[] {
  const groups = new Map<number, number[]>();
  for (let flat = 0; flat < data.length; flat++) {
    let rest = flat;
    let key = 0;
    let step = 1;
    for (let d = shape.length - 1; d >= 0; d--) {
      const at = rest % shape[d];
      rest = (rest - at) / shape[d];
      if (dims.includes(d)) continue;
      key += at * step;
      step *= shape[d];
    }
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [data[flat]]);
    else group.push(data[flat]);
  }
  return [...groups.keys()].sort((a, b) => a - b).map((key) => fold(groups.get(key) as number[]));
}

/** A sum of n float64 values with one rounding error of the last place, by Neumaier's compensation. */
const exactSum: Fold = (elements) => {
  let total = 0;
  let lost = 0;
  for (const x of elements) {
    const next = total + x;
    lost += Math.abs(total) >= Math.abs(x) ? total - next + x : x - next + total;
    total = next;
  }
  return total + lost;
};
const exactVariance: Fold = (elements) => {
  const m = exactSum(elements) / elements.length;
  return exactSum(elements.map((x) => (x - m) ** 2)) / (elements.length - 1);
};
const first =
  (best: (a: number, b: number) => boolean): Fold =>
  (elements) => {
    let at = 0;
    elements.forEach((x, i) => {
      if (best(x, elements[at])) at = i;
    });
    return at;
  };

const geometries: readonly (readonly [shape: number[], dims: number[]])[] = [
  [[7], [0]],
  [[5, 3], [1]],
  [[5, 3], [0]],
  [[3, 70, 5], [1]],
  [[40, 33], [0]],
  [[3, 200, 65], [1]],
  [[300, 700], [0]],
  [[2, 1100, 3], [1]],
  [[300001], [0]],
  [[3, 150000], [1]],
  [[70000, 5], [0]],
  [[400, 600], [0]],
  [
    [6, 50, 4, 30],
    [1, 3],
  ],
  [
    [6, 5, 4, 3],
    [0, 2],
  ],
  [
    [20, 1, 30],
    [0, 1, 2],
  ],
];

function close(actual: Tensor, expected: number[], tolerance: number): void {
  const got = Array.from(actual.toTypedArray() as Float64Array, Number);
  expect(got.length).to.equal(expected.length);
  for (let i = 0; i < got.length; i++)
    if (!(Math.abs(got[i] - expected[i]) <= tolerance))
      expect.fail(`element ${i}: expected ${expected[i]}, got ${got[i]}`);
}

describe('reductions against a naive reference', () => {
  for (const [shape, dims] of geometries) {
    const count = shape.reduce((a, b) => a * b, 1);
    const data = values(count);
    const n = dims.reduce((a, d) => a * shape[d], 1);
    for (const dtype of ['float64', 'float32'] as const) {
      it(`[${shape}] over [${dims}] in ${dtype}`, () => {
        const x = tensor(data, { shape, dtype });
        const eps = dtype === 'float64' ? 2 ** -52 : 2 ** -23;
        // Pairwise summation: the error grows with the logarithm of n, times the size of the sums on the way.
        const sumTolerance = eps * Math.sqrt(n) * Math.log2(n + 2) * 2;
        close(sum(x, dims), naive(data, shape, dims, exactSum), sumTolerance);
        close(
          mean(x, dims),
          naive(data, shape, dims, (e) => exactSum(e) / e.length),
          sumTolerance / n + eps,
        );
        const [variance, average] = varMean(x, dims);
        if (n > 1) close(variance, naive(data, shape, dims, exactVariance), 8 * eps);
        close(
          average,
          naive(data, shape, dims, (e) => exactSum(e) / e.length),
          sumTolerance / n + eps,
        );
        close(
          amax(x, dims),
          naive(data, shape, dims, (e) => e.reduce((a, b) => Math.max(a, b))),
          0,
        );
        close(
          amin(x, dims),
          naive(data, shape, dims, (e) => e.reduce((a, b) => Math.min(a, b))),
          0,
        );
        if (dims.length > 1) return;
        close(
          argmax(x, dims[0]),
          naive(
            data,
            shape,
            dims,
            first((a, b) => a > b),
          ),
          0,
        );
        close(
          argmin(x, dims[0]),
          naive(
            data,
            shape,
            dims,
            first((a, b) => a < b),
          ),
          0,
        );
        close(
          prod(x.mul(0.01).add(1), dims[0]),
          naive(data, shape, dims, (e) => e.reduce((a, b) => a * (1 + Math.fround(0.01 * b)), 1)),
          dtype === 'float64' ? 1e-4 : 2e-3,
        );
      });
    }
  }

  for (const [shape, dims] of geometries) {
    it(`logsumexp, all and any of [${shape}] over [${dims}]`, () => {
      const data = values(shape.reduce((a, b) => a * b, 1)).map((v) => v * 30);
      const lse: Fold = (e) => Math.log(exactSum(e.map((v) => Math.exp(v - 30)))) + 30;
      close(logsumexp(tensor(data, { shape, dtype: 'float64' }), dims), naive(data, shape, dims, lse), 1e-12);
      close(
        logsumexp(tensor(data, { shape, dtype: 'float32' }), dims),
        naive(data.map(Math.fround), shape, dims, lse),
        2e-5,
      );
      const sparse = data.map((v, i) => (i % 977 === 3 ? v : 0));
      const x = tensor(sparse, { shape });
      const dense = x.add(data.length);
      close(
        any(x, dims).long(),
        naive(sparse, shape, dims, (e) => (e.some((v) => v !== 0) ? 1 : 0)),
        0,
      );
      close(
        all(dense, dims).long(),
        naive(sparse, shape, dims, () => 1),
        0,
      );
      close(
        all(x, dims).long(),
        naive(sparse, shape, dims, (e) => (e.every((v) => v !== 0) ? 1 : 0)),
        0,
      );
      close(
        countNonzero(x, dims),
        naive(sparse, shape, dims, (e) => e.filter((v) => v !== 0).length),
        0,
      );
    });
  }

  it('gives the same bits for any number of threads', () => {
    const before = addon.getNumThreads();
    const x = tensor(values(600000), { shape: [600, 1000], dtype: 'float32' });
    const run = () =>
      [sum(x), sum(x, 0), ...varMean(x), ...varMean(x, 0), prod(x), x.softmax(0)].map((t) =>
        Array.from(t.toTypedArray() as Float32Array),
      );
    try {
      addon.setNumThreads(1);
      const alone = run();
      addon.setNumThreads(4);
      expect(run()).to.deep.equal(alone);
    } finally {
      addon.setNumThreads(before);
    }
  });

  it('reduces permuted memory where it lies, with the same result as a copy', () => {
    const x = tensor(values(6 * 5 * 4 * 3), { shape: [6, 5, 4, 3], dtype: 'float64' });
    const permuted = x.permute(2, 0, 3, 1);
    const copy = permuted.contiguous();
    for (const dims of [[0], [1], [3], [0, 2], [1, 3], [0, 1, 2, 3]]) {
      for (const fn of [sum, mean, amax, amin] as const) {
        const got = fn(permuted, dims, true);
        expect(got.shape).to.deep.equal(fn(copy, dims, true).shape);
        close(got, Array.from(fn(copy, dims).toTypedArray() as Float64Array), 1e-13);
      }
      close(varMean(permuted, dims)[0], Array.from(varMean(copy, dims)[0].toTypedArray() as Float64Array), 1e-14);
    }
    const expanded = tensor([1, 2, 3]).expand(4, 3);
    expect(sum(expanded, 0).tolist()).to.deep.equal([4, 8, 12]);
  });
});

describe('rules of reductions', () => {
  it('sums bool and integers in int64, and narrower types on request', () => {
    expect(sum(tensor([true, true, false])).dtype).to.equal('int64');
    expect(sum(tensor([true, true, false])).item()).to.equal(2);
    expect(prod(tensor([2, 3], { dtype: 'int8' })).dtype).to.equal('int64');
    expect(sum(tensor([200, 100], { dtype: 'uint8' }), { dtype: 'uint8' }).item()).to.equal(44);
    expect(sum(tensor([1.5, 2.5]), { dtype: 'int32' }).item()).to.equal(3);
    expect(sum(tensor([1n, 2n]), { dtype: 'bool' }).item()).to.equal(true);
    expect(sum(tensor([2n ** 53n, 1n])).toTypedArray()[0]).to.equal(2n ** 53n + 1n);
  });

  it('wraps int64 around', () => {
    const big = tensor([2n ** 63n - 1n, 2n]);
    expect(sum(big).toTypedArray()[0]).to.equal(-(2n ** 63n) + 1n);
    expect(prod(big).toTypedArray()[0]).to.equal(-2n);
    expect(big.cumsum(0).toTypedArray()[1]).to.equal(-(2n ** 63n) + 1n);
  });

  it('keeps 16-bit floats, summed in float32', () => {
    const x = tensor(new Float32Array(4096).fill(1), { dtype: 'bfloat16' });
    expect(sum(x).dtype).to.equal('bfloat16');
    expect(sum(x).item()).to.equal(4096);
    expect(mean(x.reshape(64, 64), [0, 1]).item()).to.equal(1);
    expect(amax(tensor([1, 3, 2], { dtype: 'float16' })).dtype).to.equal('float16');
  });

  it('has identities for empty sums and products', () => {
    const none = tensor(new Float32Array(0), { shape: [0, 3] });
    expect(sum(none).item()).to.equal(0);
    expect(prod(none, 0).tolist()).to.deep.equal([1, 1, 1]);
    expect(mean(none).item()).to.be.NaN;
    expect(sum(none, 1).shape).to.deep.equal([0]);
    expect(varMean(tensor([3]))[0].item()).to.be.NaN;
    expect(varMean(tensor([3]), { correction: 0 })[0].item()).to.equal(0);
  });

  it('keeps uint8 as a truth value, and knows the empty cases', () => {
    expect(all(tensor([2, 1], { dtype: 'uint8' })).dtype).to.equal('uint8');
    expect(any(tensor([0.5])).item()).to.equal(true);
    expect(all(tensor(new Float32Array(0), { shape: [0] })).item()).to.equal(true);
    expect(any(tensor([Number.NaN])).item()).to.equal(true);
    expect(logsumexp(tensor([-Infinity, -Infinity]), 0).item()).to.equal(-Infinity);
    expect(logsumexp(tensor([Infinity, 1]), 0).item()).to.equal(Infinity);
    expect(logsumexp(tensor([1000, 1000]), 0).item()).to.equal(Math.fround(1000 + Math.LN2));
  });

  it('lets NaN win, at its first place', () => {
    const x = tensor([1, Number.NaN, 3, Number.NaN]);
    for (const fn of [amax, amin] as const) expect(fn(x).item()).to.be.NaN;
    expect(argmax(x).item()).to.equal(1);
    expect(argmin(x, 0).item()).to.equal(1);
    expect(max(x, 0).indices.item()).to.equal(1);
    const long = values(100000);
    long[70001] = Number.NaN;
    expect(argmax(tensor(long, { shape: [100000] })).item()).to.equal(70001);
  });

  it('shares the gradient of ties evenly, but gives that of max along a dim to the first', () => {
    const gradient = (fn: (x: Tensor) => Tensor, data: number[]) => {
      const x = tensor(data, { requiresGrad: true });
      return autograd.grad(fn(x), x)[0]?.tolist();
    };
    expect(gradient((x) => amax(x), [1, 3, 3])).to.deep.equal([0, 0.5, 0.5]);
    expect(gradient((x) => max(x), [1, 3, 3])).to.deep.equal([0, 0.5, 0.5]);
    expect(gradient((x) => max(x, 0).values, [1, 3, 3])).to.deep.equal([0, 1, 0]);
    expect(gradient((x) => max(x), [1, Number.NaN, 3, Number.NaN])).to.deep.equal([0, 0.5, 0, 0.5]);
    expect(gradient((x) => amax(x), [1, Number.NaN])).to.deep.equal([Number.NaN, Number.NaN]);
  });

  it('compares every integer type exactly', () => {
    const wide = tensor([2n ** 53n, 2n ** 53n + 1n]);
    expect(argmax(wide).item()).to.equal(1);
    expect(amax(wide).toTypedArray()[0]).to.equal(2n ** 53n + 1n);
    for (const dtype of ['int32', 'int16', 'int8', 'uint8'] as const) {
      const x = tensor([3, 120, 7], { dtype });
      expect([amax(x).item(), amax(x).dtype, argmin(x).item()]).to.deep.equal([120, dtype, 0]);
    }
    expect(max(tensor([false, true]), 0).values.item()).to.equal(true);
  });
});
