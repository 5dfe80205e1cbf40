/**
 * Sorting, selection, scans and softmax against JavaScript's own sort and naive loops; NaN, ties, types and layouts.
 */
import { expect } from 'chai';
import {
  argsort,
  autograd,
  cummax,
  cummin,
  cumprod,
  cumsum,
  kthvalue,
  logcumsumexp,
  logSoftmax,
  median,
  mode,
  searchsorted,
  softmax,
  sort,
  type Tensor,
  tensor,
  topk,
  unique,
  uniqueConsecutive,
} from '../../../lib/index.js';

/** Integers in 0..range-1 from a fixed stream: many ties. */
function integers(count: number, range: number): number[] {
  let state = 99;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * range);
  });
}
const numbers = (t: Tensor) => Array.from(t.toTypedArray() as Float64Array, Number);
const stableOrder = (data: readonly number[], sign: number) =>
  data.map((_, i) => i).sort((a, b) => sign * (data[a] - data[b]) || a - b);
/** Expects that a vector of these elements is sorted stably; returns the order. */
function expectSorted(x: Tensor, data: readonly number[], descending: boolean): number[] {
  const order = stableOrder(data, descending ? -1 : 1);
  const { values, indices } = sort(x, 0, descending);
  expect(numbers(indices)).to.deep.equal(order);
  expect(numbers(values)).to.deep.equal(order.map((i) => data[i]));
  expect(values.dtype).to.equal(x.dtype);
  return order;
}

describe('sort', () => {
  for (const dtype of ['float32', 'float64', 'int64', 'int32', 'int16', 'int8', 'uint8'] as const) {
    it(`orders ${dtype} stably, in both directions, short and long`, () => {
      const offset = dtype === 'uint8' ? 0 : -50;
      for (const n of [1, 5, 511, 512, 3000]) {
        const data = integers(n, 100).map((v) => v + offset);
        const x = tensor(data, { dtype });
        for (const descending of [false, true]) {
          const order = expectSorted(x, data, descending);
          const k = Math.ceil(n / 20);
          expect(numbers(topk(x, k, 0, { largest: descending }).indices)).to.deep.equal(order.slice(0, k));
        }
        const rank = Math.ceil(n / 3);
        expect(kthvalue(x, rank).indices.item()).to.equal(stableOrder(data, 1)[rank - 1]);
      }
    });
  }

  it('orders long runs, which threads share, and finds the few first among many ties', () => {
    for (const n of [32767, 32768, 70001]) {
      const data = integers(n, 3000).map((v) => v - 1500);
      for (const dtype of ['float32', 'int64'] as const) {
        const x = tensor(data, { dtype });
        for (const descending of [false, true]) {
          const order = expectSorted(x, data, descending);
          for (const k of [1, 17, 64, 65])
            expect(numbers(topk(x, k, 0, { largest: descending }).indices)).to.deep.equal(order.slice(0, k));
        }
        const [distinct, places, counts] = unique(x, { returnInverse: true, returnCounts: true }) as Tensor[];
        const elements = numbers(distinct);
        expect(elements).to.deep.equal([...new Set(data)].sort((a, b) => a - b));
        expect(numbers(places).map((place) => elements[place])).to.deep.equal(data);
        expect(numbers(counts).reduce((a, b) => a + b, 0)).to.equal(n);
      }
    }
  });

  it('sorts along any dim', () => {
    const x = tensor(integers(3 * 40 * 5, 1000)).reshape(3, 40, 5);
    const along = sort(x, 1);
    const reference = sort(x.transpose(1, 2).contiguous(), -1);
    expect(along.values.transpose(1, 2).tolist()).to.deep.equal(reference.values.tolist());
    expect(along.indices.transpose(1, 2).tolist()).to.deep.equal(reference.indices.tolist());
  });

  it('puts NaN last, first where descending, and takes -0 for 0', () => {
    const x = tensor([3, Number.NaN, -Infinity, 0, -0, Infinity]);
    expect(argsort(x).tolist()).to.deep.equal([2, 3, 4, 0, 5, 1]);
    expect(argsort(x, 0, true).tolist()).to.deep.equal([1, 5, 0, 3, 4, 2]);
    expect(topk(x, 1).values.item()).to.be.NaN;
    expect(kthvalue(x, 6).values.item()).to.be.NaN;
    expect(median(x).item()).to.be.NaN;
    expect(median(x, 0).indices.item()).to.equal(1);
  });

  it('orders int64 beyond the range of doubles', () => {
    const x = tensor([2n ** 62n + 1n, 2n ** 62n, -(2n ** 63n)]);
    expect(argsort(x).tolist()).to.deep.equal([2, 1, 0]);
  });

  it('takes the lower median and the smallest mode', () => {
    expect(median(tensor([4, 1, 3, 2])).item()).to.equal(2);
    expect(mode(tensor([2, 1, 1, 2, 3])).values.item()).to.equal(1);
    expect(mode(tensor([2, 1, 1, 2, 3])).indices.item()).to.equal(2);
    expect(median(tensor([], { dtype: 'float32' })).item()).to.be.NaN;
  });
});

describe('scans', () => {
  it('accumulates along a dim in every layout', () => {
    const data = integers(3 * 70 * 5, 3).map((v) => v - 1.25);
    const x = tensor(data, { dtype: 'float64' }).reshape(3, 70, 5);
    const at = (o: number, k: number, i: number) => data[(o * 70 + k) * 5 + i];
    for (const [fn, step] of [
      [cumsum, (a: number, b: number) => a + b],
      [cumprod, (a: number, b: number) => a * b],
      [logcumsumexp, (a: number, b: number) => Math.log(Math.exp(a) + Math.exp(b))],
      [(t: Tensor, d: number) => cummax(t, d).values, Math.max],
      [(t: Tensor, d: number) => cummin(t, d).values, Math.min],
    ] as const) {
      const got = numbers(fn(x, 1));
      for (let o = 0; o < 3; o++) {
        for (let i = 0; i < 5; i++) {
          let state = at(o, 0, i);
          for (let k = 0; k < 70; k++) {
            if (k > 0) state = step(state, at(o, k, i));
            expect(got[(o * 70 + k) * 5 + i]).to.be.closeTo(state, 1e-12 * Math.max(1, Math.abs(state)));
          }
        }
      }
    }
  });

  it('sums integers in int64, keeps the last of equal extrema, and keeps NaN', () => {
    expect(cumsum(tensor([100, 100], { dtype: 'int8' }), 0).tolist()).to.deep.equal([100, 200]);
    expect(tensor([100, 100], { dtype: 'int8' }).cumsum_(0).tolist()).to.deep.equal([100, -56]);
    expect(cummax(tensor([1, 3, 3, 2]), 0).indices.tolist()).to.deep.equal([0, 1, 2, 2]);
    expect(cummin(tensor([1, Number.NaN, 0]), 0).values.tolist()).to.deep.equal([1, Number.NaN, Number.NaN]);
    expect(logcumsumexp(tensor([-Infinity, 1000, 1000]), 0).tolist()).to.deep.equal([
      -Infinity,
      1000,
      Math.fround(1000 + Math.LN2),
    ]);
  });

  it('differentiates products with zeros', () => {
    const x = tensor([2, 0, 3, 0], { dtype: 'float64', requiresGrad: true });
    expect(autograd.grad(cumprod(x, 0).sum(), x)[0]?.tolist()).to.deep.equal([1, 8, 0, 0]);
    expect(autograd.grad(x.narrow(0, 0, 3).prod(), x)[0]?.tolist()).to.deep.equal([0, 6, 0, 0]);
  });
});

describe('search and distinct elements', () => {
  it('finds where values belong', () => {
    const s = tensor([1, 3, 3, 5]);
    const v = tensor([0, 1, 3, 4, 9, Number.NaN]);
    expect(searchsorted(s, v).tolist()).to.deep.equal([0, 0, 1, 3, 4, 4]);
    expect(searchsorted(s, v, { right: true }).tolist()).to.deep.equal([0, 1, 3, 3, 4, 4]);
    const unsorted = tensor([5, 1, 3]);
    expect(searchsorted(unsorted, tensor([2, 5]), { sorter: argsort(unsorted) }).tolist()).to.deep.equal([1, 2]);
  });

  it('gives distinct elements, their inverse and their counts', () => {
    const x = tensor([2, 1, 2, 3, 3]);
    const [values, inverse, counts] = unique(x, { returnInverse: true, returnCounts: true }) as Tensor[];
    expect(values.tolist()).to.deep.equal([1, 2, 3]);
    expect(inverse.tolist()).to.deep.equal([1, 0, 1, 2, 2]);
    expect(counts.tolist()).to.deep.equal([1, 2, 2]);
    expect((uniqueConsecutive(x) as Tensor).tolist()).to.deep.equal([2, 1, 2, 3]);
    const columns = tensor([
      [2, 1, 2],
      [0, 5, 0],
    ]);
    expect((unique(columns, { dim: 1 }) as Tensor).tolist()).to.deep.equal([
      [1, 2],
      [5, 0],
    ]);
  });
});

describe('softmax', () => {
  const shapes: readonly (readonly [shape: number[], dim: number])[] = [
    [[3, 5], 1],
    [[3, 5], 0],
    [[2, 1000], 1],
    [[2, 130, 70], 1],
    [[5, 2, 600], 1],
    [[40, 9], 1],
  ];
  for (const [shape, dim] of shapes) {
    it(`[${shape}] along ${dim}`, () => {
      const count = shape.reduce((a, b) => a * b, 1);
      const data = integers(count, 2000).map((v) => v / 50);
      const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
      const n = shape[dim];
      for (const [dtype, tolerance] of [
        ['float64', 1e-14],
        ['float32', 3e-6],
      ] as const) {
        const x = tensor(data, { dtype }).reshape(...shape);
        const y = numbers(softmax(x, dim));
        const l = numbers(logSoftmax(x, dim));
        for (let flat = 0; flat < count; flat++) {
          const start = flat - (Math.floor(flat / inner) % n) * inner;
          let total = 0;
          for (let k = 0; k < n; k++) total += Math.exp(data[start + k * inner] - 40);
          const log = data[flat] - 40 - Math.log(total);
          if (!(Math.abs(l[flat] - log) <= tolerance * 40))
            expect.fail(`logSoftmax ${flat}: expected ${log}, got ${l[flat]}`);
          if (!(Math.abs(y[flat] - Math.exp(log)) <= tolerance))
            expect.fail(`softmax ${flat}: expected ${Math.exp(log)}, got ${y[flat]}`);
        }
      }
    });
  }

  it('does not overflow, and rounds 16-bit floats once', () => {
    expect(softmax(tensor([1000, 1000]), 0).tolist()).to.deep.equal([0.5, 0.5]);
    expect(logSoftmax(tensor([-1000, 0]), 0).tolist()).to.deep.equal([-1000, 0]);
    expect(softmax(tensor([-Infinity, -Infinity]), 0).tolist()).to.deep.equal([Number.NaN, Number.NaN]);
    expect(softmax(tensor([1, 2], { dtype: 'bfloat16' }), 0).dtype).to.equal('bfloat16');
    expect(softmax(tensor([1n, 1n]), 0, { dtype: 'float64' }).tolist()).to.deep.equal([0.5, 0.5]);
  });
});
