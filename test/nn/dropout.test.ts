/** Dropout: what is kept and what it is scaled by, whole channels, gradients, evaluation, printing. */
import { expect } from 'chai';
import {
  autograd,
  bernoulli,
  full,
  manualSeed,
  nn,
  ones,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

const { functional: F } = nn;
const distinct = (x: Tensor): number[] =>
  [...new Set([...x.flatten().toTypedArray()].map(Number))].sort((a, b) => a - b);

describe('dropout', () => {
  it('keeps what the bernoulli stream keeps, scaled by 1 / (1 - p)', () => {
    manualSeed(5);
    const y = F.dropout(ones([6, 7]), 0.25);
    manualSeed(5);
    const kept = bernoulli(zeros([6, 7]), 0.75);
    expect(y.tolist()).to.deep.equal(kept.mul(4 / 3).tolist());
    expect(distinct(y)).to.deep.equal([0, Math.fround(4 / 3)]);
  });

  it('has the noise as its derivative, and none of second order', () => {
    const x = tensor([1, 2, 3, 4, 5, 6], { dtype: 'float64', requiresGrad: true });
    for (const fn of [F.dropout, F.alphaDropout]) {
      const call = (t: Tensor): Tensor => {
        manualSeed(3);
        return fn(t, 0.5, true);
      };
      expect(autograd.gradcheck(call, [x])).to.equal(true);
      expect(autograd.gradgradcheck(call, [x])).to.equal(true);
    }
    manualSeed(3);
    const y = F.dropout(x, 0.5);
    expect(autograd.grad(y.sum(), x)[0]?.mul(x).tolist()).to.deep.equal(y.tolist());
  });

  it('drops whole channels', () => {
    manualSeed(1);
    const y = F.dropout2d(ones([4, 5, 3, 2]), 0.5).view(20, 6);
    const channels = (y.tolist() as number[][]).map((row) => distinct(tensor(row)));
    expect(channels.every((values) => values.length === 1)).to.equal(true);
    expect(new Set(channels.map(([value]) => value))).to.deep.equal(new Set([0, 2]));
    manualSeed(1);
    const unbatched = F.dropout1d(ones([20, 6]), 0.5);
    expect(unbatched.tolist()).to.deep.equal(y.tolist());
    expect(() => F.dropout1d(ones([3]))).to.throw(ShapeError, /dropout1d: expected an input of 2 or 3 dimensions/);
    expect(() => F.dropout2d(ones([3]))).to.throw(ShapeError, /at least 2 dimensions/);
  });

  it('keeps mean and variance where it is alpha dropout', () => {
    manualSeed(0);
    const x = zeros([100000]).normal_();
    const y = F.alphaDropout(x, 0.3, { training: true }).toTypedArray() as Float32Array;
    const mean = y.reduce((a, b) => a + b) / y.length;
    const variance = y.reduce((a, b) => a + (b - mean) ** 2, 0) / y.length;
    expect(mean).to.be.closeTo(0, 0.02);
    expect(variance).to.be.closeTo(1, 0.02);
  });

  it('works in place, and gives the input itself in evaluation', () => {
    const x = ones([10]);
    expect(F.dropout(x, 0.5, { training: false })).to.equal(x);
    expect(F.dropout(x, 0)).to.equal(x);
    expect(F.dropout(x, 0.5, { inplace: true })).to.equal(x);
    expect(distinct(x)).to.deep.equal([0, 2]);
    const row = ones([4, 10]);
    expect(F.dropout1d(row, { inplace: true })).to.equal(row);
    expect(distinct(F.dropout(ones([5]), 1))).to.deep.equal([0]);
  });

  it('stores half types rounded once', () => {
    manualSeed(2);
    expect(distinct(F.dropout(full([50], 1, { dtype: 'bfloat16' }), 0.4))).to.deep.equal([0, 1.6640625]);
  });

  it('as modules follows training, and prints as PyTorch', () => {
    const seq = new nn.Sequential(
      new nn.Dropout(0.5),
      new nn.Dropout2d({ p: 0.1, inplace: true }),
      new nn.AlphaDropout(),
    );
    const x = ones([2, 3, 4]);
    expect(seq.eval()(x)).to.equal(x);
    expect(new nn.Dropout(1)(x).sum().item()).to.equal(0);
    expect(String(seq)).to.equal(
      'Sequential(\n  (0): Dropout(p=0.5, inplace=False)\n  (1): Dropout2d(p=0.1, inplace=True)\n  (2): ' +
        'AlphaDropout(p=0.5, inplace=False)\n)',
    );
    expect(() => new nn.Dropout(-0.1)).to.throw(/Dropout: expected a probability p between 0 and 1, got -0.1/);
    expect(() => new nn.Dropout({ P: 0.1 } as never)).to.throw(/did you mean "p"/);
  });
});
