/**
 * Norms, distances and standard deviations against naive loops, and PyTorch's choices where a derivative does not
 * exist.
 */
import { expect } from 'chai';
import {
  autograd,
  cosineSimilarity,
  linalg,
  nanmean,
  nansum,
  nn,
  norm,
  std,
  type Tensor,
  tensor,
} from '../../../lib/index.js';

const data = Array.from({ length: 4 * 300 * 3 }, (_, i) => Math.sin(i * 1.7 + 0.3) * 3);
const column = (o: number, i: number) => Array.from({ length: 300 }, (_, k) => data[(o * 300 + k) * 3 + i]);
const gradient = (fn: (x: Tensor) => Tensor, values: number[]) => {
  const x = tensor(values, { dtype: 'float64', requiresGrad: true });
  return autograd.grad(fn(x).sum(), x)[0]?.tolist();
};

describe('norm', () => {
  for (const p of [0, 0.5, 1, 1.5, 2, 3, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    it(`of order ${p}, along a middle dim and over all`, () => {
      const naive = (v: number[]) => {
        const sizes = v.map(Math.abs);
        if (p === 0) return sizes.filter((s) => s !== 0).length;
        if (!Number.isFinite(p)) return sizes.reduce(p > 0 ? (a, b) => Math.max(a, b) : (a, b) => Math.min(a, b));
        return sizes.reduce((a, s) => a + s ** p, 0) ** (1 / p);
      };
      const x = tensor(data, { dtype: 'float64' }).reshape(4, 300, 3);
      const got = linalg.vectorNorm(x, p, 1).tolist() as number[][];
      for (let o = 0; o < 4; o++)
        for (let i = 0; i < 3; i++) expect(got[o][i] / naive(column(o, i))).to.be.closeTo(1, 1e-13);
      expect((norm(x, p).item() as number) / naive(data)).to.be.closeTo(1, 1e-13);
      expect((norm(x.float(), p, [0, 2, 1]).item() as number) / naive(data)).to.be.closeTo(1, 1e-5);
    });
  }

  it('has gradient 0 at 0, and shares that of an infinite order among ties', () => {
    for (const p of [0, 0.5, 1, 1.5, 2, 3]) expect(gradient((x) => norm(x, p), [0, 0])).to.deep.equal([0, 0]);
    expect(gradient((x) => norm(x, Number.POSITIVE_INFINITY), [1, -3, 3])).to.deep.equal([0, -0.5, 0.5]);
    expect(gradient((x) => norm(x), [3, 4])).to.deep.equal([0.6, 0.8]);
  });
});

describe('standard deviation', () => {
  it('is the root of the variance, with gradient 0 where nothing varies', () => {
    expect(std(tensor([1, 2, 3, 4], { dtype: 'float64' })).item()).to.be.closeTo(Math.sqrt(5 / 3), 1e-15);
    expect(std(tensor([1, 3], { dtype: 'float64' }), { correction: 0 }).item()).to.equal(1);
    expect(std(tensor([2])).item()).to.be.NaN;
    expect(gradient((x) => std(x), [2, 2])).to.deep.equal([0, 0]);
  });

  it('is exact far from zero', () => {
    const x = tensor([1e6 + 1, 1e6 + 2, 1e6 + 3]);
    expect(std(x).item()).to.equal(1);
  });
});

describe('sums without NaN, directions', () => {
  it('skips NaN in value and gradient', () => {
    expect(nansum(tensor([1, Number.NaN, 2])).item()).to.equal(3);
    expect(nanmean(tensor([1, Number.NaN, 2])).item()).to.equal(1.5);
    expect(nanmean(tensor([Number.NaN])).item()).to.be.NaN;
    expect(gradient((x) => nanmean(x), [1, Number.NaN, 2])).to.deep.equal([0.5, 0, 0.5]);
  });

  it('normalizes vectors, but not the zero vector', () => {
    const x = tensor([
      [3, 4],
      [0, 0],
    ]);
    expect(nn.functional.normalize(x.double()).tolist()).to.deep.equal([
      [0.6, 0.8],
      [0, 0],
    ]);
    expect(cosineSimilarity(x, tensor([[8, 0]])).tolist()).to.deep.equal([Math.fround(0.6), 0]);
  });
});

describe('singular values', () => {
  it('are those of known matrices, whatever the shape and rank', () => {
    const values = (rows: number[][]) => linalg.svdvals(tensor(rows, { dtype: 'float64' })).tolist() as number[];
    const [a, b] = values([
      [3, 0],
      [4, 5],
    ]);
    expect(a).to.be.closeTo(3 * Math.sqrt(5), 1e-14);
    expect(b).to.be.closeTo(Math.sqrt(5), 1e-14);
    const [c, d] = values([
      [1, 2, 3],
      [2, 4, 6],
    ]);
    expect(c).to.be.closeTo(Math.sqrt(70), 1e-14);
    expect(d).to.be.closeTo(0, 1e-14);
    expect(values([[0, 0]])).to.deep.equal([0]);
    expect(
      norm(
        tensor(
          [
            [1, 2, 3],
            [2, 4, 6],
          ].flat(),
          { dtype: 'float64' },
        ).reshape(2, 3),
        'nuc',
      ).item(),
    ).to.be.closeTo(Math.sqrt(70), 1e-13);
  });
});

describe('singular values of matrices of rank one', () => {
  it('are one length and zeros, whatever the scale', () => {
    for (let i = 0; i < 300; i++) {
      const row = [1, Math.sin(i + 1), Math.cos(3 * i)].map((x) => x * 10 ** ((i % 60) - 30));
      const [first, ...rest] = linalg.svdvals(tensor([row, row, row, row], { dtype: 'float64' })).tolist() as number[];
      const length = 2 * Math.hypot(...row);
      expect(Math.abs(first / length - 1)).to.be.lessThan(1e-14);
      for (const value of rest) expect(value).to.be.lessThan(1e-15 * length);
    }
  });
});
