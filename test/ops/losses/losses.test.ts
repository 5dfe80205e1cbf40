/**
 * Losses against naive float64 sums at sizes around every cut of the kernels, at extreme values, and for any number of
 * threads.
 */
import { expect } from 'chai';
import { manualSeed, nn, rand, randint, randn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

const F = nn.functional;

/** -log softmax(x)[t] of a row of scores, by definition. */
function entropyOf(scores: readonly number[], target: number): number {
  const top = Math.max(...scores);
  return top + Math.log(scores.reduce((sum, s) => sum + Math.exp(s - top), 0)) - scores[target];
}

function naiveCrossEntropy(x: Tensor, t: Tensor): { losses: number[]; grads: number[] } {
  const [n, classes] = x.shape;
  const inner = x.numel() / (n * classes);
  const scores = x.toTypedArray() as Float32Array;
  const targets = Array.from(t.toTypedArray() as BigInt64Array, Number);
  const losses: number[] = [];
  const grads = new Array<number>(x.numel()).fill(0);
  for (let o = 0; o < n; o++) {
    for (let i = 0; i < inner; i++) {
      const at = (c: number): number => (o * classes + c) * inner + i;
      const row = Array.from({ length: classes }, (_, c) => scores[at(c)]);
      const target = targets[o * inner + i];
      losses.push(entropyOf(row, target));
      for (let c = 0; c < classes; c++) grads[at(c)] = Math.exp(-entropyOf(row, c)) - (c === target ? 1 : 0);
    }
  }
  return { losses, grads };
}

function close(got: ArrayLike<number | bigint>, expected: readonly number[], tolerance: number): void {
  expect(got.length).to.equal(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(Number(got[i]) - value), `element ${i}: ${got[i]}, expected ${value}`).to.be.at.most(
      tolerance * Math.max(1, Math.abs(value)),
    );
  });
}

describe('losses', () => {
  for (const shape of [
    [3, 2],
    [5, 15],
    [5, 16],
    [4, 33],
    [2, 1000],
    [2, 3, 7],
    [2, 5, 129],
    [1, 3, 40, 33],
    [6, 700],
    [37, 10],
    [16, 1],
    [19, 31],
    [33, 47],
  ]) {
    it(`crossEntropy of [${shape}] is its definition, and its gradient too`, () => {
      manualSeed(1);
      const x = randn(shape).mul(3).requiresGrad_();
      const [n, classes, ...rest] = shape;
      const t = randint(0, classes, [n, ...rest]);
      const { losses, grads } = naiveCrossEntropy(x, t);
      close(F.crossEntropy(x, t, { reduction: 'none' }).toTypedArray(), losses, 2e-6);
      const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
      const loss = F.crossEntropy(x, t);
      close([Number(loss.item())], [mean], 1e-6);
      F.crossEntropy(x, t, { reduction: 'sum' }).backward();
      close((x.grad as Tensor).toTypedArray(), grads, 2e-6);
    });
  }

  it('binaryCrossEntropyWithLogits is its definition from -1000 to 1000, without overflow', () => {
    const logits = [-1000, -100, -20, -1, -1e-3, -0, 0, 1e-3, 0.5, 1, 20, 100, 1000];
    for (const dtype of ['float32', 'float64'] as const) {
      for (const target of [0, 0.3, 1]) {
        const x = tensor(logits, { dtype, requiresGrad: true });
        const loss = F.binaryCrossEntropyWithLogits(
          x,
          tensor(new Array<number>(logits.length).fill(target), { dtype }),
          { reduction: 'none' },
        );
        const rounded = Array.from(x.toTypedArray(), Number);
        close(
          loss.toTypedArray(),
          rounded.map((v) => (1 - target) * v + Math.log1p(Math.exp(-Math.abs(v))) + Math.max(-v, 0)),
          dtype === 'float32' ? 3e-7 : 1e-15,
        );
        loss.sum().backward();
        close(
          (x.grad as Tensor).toTypedArray(),
          rounded.map((v) => 1 / (1 + Math.exp(-v)) - target),
          dtype === 'float32' ? 3e-7 : 1e-15,
        );
      }
    }
  });

  it('means over many elements keep their digits, whatever the number of threads', () => {
    manualSeed(2);
    const x = rand([100_003]);
    const t = rand([100_003]);
    const a = x.toTypedArray() as Float32Array;
    const b = t.toTypedArray() as Float32Array;
    let total = 0;
    for (let i = 0; i < a.length; i++) total += (a[i] - b[i]) ** 2;
    const scores = randn([3000, 20]);
    const classes = randint(0, 20, [3000]);
    const before = addon.getNumThreads();
    const results = [1, 2, 3].map((threads) => {
      addon.setNumThreads(threads);
      return [F.mseLoss(x, t).item(), F.crossEntropy(scores, classes).item(), F.nllLoss(scores, classes).item()];
    });
    addon.setNumThreads(before);
    expect(Number(results[0][0])).to.be.closeTo(total / a.length, 1e-8);
    expect(results[1]).to.deep.equal(results[0]);
    expect(results[2]).to.deep.equal(results[0]);
  });

  it('sums the exponentials of long rows, whatever stands in them', () => {
    const target = tensor([3], { dtype: 'int64' });
    for (const special of [
      Number.NEGATIVE_INFINITY,
      -3e38,
      -1000,
      -88,
      -87.31,
      -20,
      60,
      3e38,
      Number.POSITIVE_INFINITY,
      Number.NaN,
    ]) {
      const row = Array.from({ length: 101 }, (_, c) => (c === 97 ? special : Math.fround(Math.sin(c))));
      const top = Math.max(...row);
      const expected = top + Math.log(row.reduce((sum, x) => sum + Math.exp(x - top), 0)) - row[3];
      const got = F.crossEntropy(tensor([row]), target).item() as number;
      if (Number.isFinite(expected))
        expect(got, String(special)).to.be.closeTo(expected, 1e-6 * Math.max(1, Math.abs(expected)));
      else expect(got, String(special)).to.be.NaN;
    }
  });

  it('sees infinities and NaN as PyTorch does', () => {
    const inf = Number.POSITIVE_INFINITY;
    const one = tensor([1], { dtype: 'int64' });
    expect(F.crossEntropy(tensor([[0, -inf, 0]]), one).item()).to.equal(inf);
    expect(F.crossEntropy(tensor([[-inf, 2, -inf]]), one).item()).to.equal(0);
    expect(F.crossEntropy(tensor([[0, Number.NaN, 0]]), one).item()).to.be.NaN;
    expect(F.crossEntropy(tensor([[0, 1, 0]]), one, { ignoreIndex: 1 }).item()).to.be.NaN;
    expect(F.crossEntropy(tensor([[0, 1, 0]]), one, { ignoreIndex: 1, reduction: 'sum' }).item()).to.equal(0);
    expect(F.mseLoss(tensor([]), tensor([])).item()).to.be.NaN;
    expect(F.binaryCrossEntropy(tensor([0, 1]), tensor([1, 0]), { reduction: 'none' }).tolist()).to.deep.equal([
      100, 100,
    ]);
    expect(F.klDiv(tensor([-1, -2]), tensor([0, 1]), { reduction: 'none' }).tolist()).to.deep.equal([0, 2]);
  });

  it('computes 16-bit scores in float32, and rounds once', () => {
    manualSeed(3);
    const t = randint(0, 50, [8]);
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const x = randn([8, 50]).to(dtype);
      const wide = x.float().requiresGrad_();
      const narrow = x.detach().requiresGrad_();
      const loss = F.crossEntropy(narrow, t);
      const expected = F.crossEntropy(wide, t);
      expect(loss.dtype).to.equal(dtype);
      expect(loss.item()).to.equal(expected.to(dtype).item());
      loss.backward();
      expected.backward();
      expect(narrow.grad?.dtype).to.equal(dtype);
      expect(narrow.grad?.tolist()).to.deep.equal(wide.grad?.to(dtype).tolist());
    }
  });

  it('modules keep their options, and carry weights as buffers under PyTorch’s names', () => {
    const loss = new nn.BCEWithLogitsLoss({ posWeight: tensor([2, 3]), reduction: 'sum' });
    expect([...loss.namedBuffers()].map(([name]) => name)).to.deep.equal(['pos_weight']);
    const x = tensor([[0.5, -1]]);
    const t = tensor([[1, 0]]);
    expect(loss(x, t).item()).to.equal(
      F.binaryCrossEntropyWithLogits(x, t, { posWeight: tensor([2, 3]), reduction: 'sum' }).item(),
    );
    expect(String(new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }))).to.equal('CrossEntropyLoss()');
    expect(() => new nn.MSELoss({ reductoin: 'sum' } as object)).to.throw(/did you mean "reduction"/);
  });
});
