/**
 * Autocast: the output type of every listed operator is PyTorch's (scripts/fixtures/autocast.py); regions, caches and
 * gradients.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  ArgumentError,
  addmm,
  amp,
  baddbmm,
  cat,
  DeviceError,
  type DType,
  DTypeError,
  einsum,
  getAutocastDtype,
  isAutocastEnabled,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

const F = nn.functional;
type Make = (...shape: number[]) => Tensor;
const classes = (): Tensor => tensor([0, 1], { dtype: 'int64' });

const CASES: Record<string, (m: Make) => Tensor> = {
  matmul: (m) => m(3, 4).matmul(m(4, 5)),
  mm: (m) => m(3, 4).mm(m(4, 5)),
  mv: (m) => m(3, 4).mv(m(4)),
  bmm: (m) => m(2, 3, 4).bmm(m(2, 4, 5)),
  addmm: (m) => addmm(m(5), m(3, 4), m(4, 5)),
  baddbmm: (m) => baddbmm(m(2, 3, 5), m(2, 3, 4), m(2, 4, 5)),
  einsum: (m) => einsum('ij,jk->ik', m(3, 4), m(4, 5)),
  linear: (m) => F.linear(m(3, 4), m(5, 4), m(5)),
  conv1d: (m) => F.conv1d(m(1, 2, 5), m(3, 2, 3)),
  conv2d: (m) => F.conv2d(m(1, 2, 5, 5), m(3, 2, 3, 3), m(3)),
  convTranspose2d: (m) => F.convTranspose2d(m(1, 2, 5, 5), m(2, 3, 3, 3)),
  scaledDotProductAttention: (m) => F.scaledDotProductAttention(m(1, 2, 3, 4), m(1, 2, 3, 4), m(1, 2, 3, 4)),
  dot: (m) => m(4).dot(m(4)),
  outer: (m) => m(4).outer(m(4)),
  prelu: (m) => F.prelu(m(2, 3), m(3)),
  relu: (m) => F.relu(m(3)),
  gelu: (m) => F.gelu(m(3)),
  exp: (m) => m(3).exp(),
  log: (m) => m(3).abs().log(),
  pow: (m) => m(3).pow(2),
  add: (m) => m(3).add(m(3)),
  sum: (m) => m(3).sum(),
  prod: (m) => m(3).prod(),
  mean: (m) => m(3).mean(),
  cumsum: (m) => m(3).cumsum(0),
  norm: (m) => m(3).norm(),
  softmax: (m) => m(3, 4).softmax(-1),
  logSoftmax: (m) => m(3, 4).logSoftmax(-1),
  layerNorm: (m) => F.layerNorm(m(3, 4), [4]),
  groupNorm: (m) => F.groupNorm(m(2, 4, 3), 2),
  maxPool2d: (m) => F.maxPool2d(m(1, 1, 4, 4), 2),
  avgPool2d: (m) => F.avgPool2d(m(1, 1, 4, 4), 2),
  adaptiveAvgPool2d: (m) => F.adaptiveAvgPool2d(m(1, 1, 4, 4), 2),
  cat: (m) => cat([m(3), m(3)]),
  catMixed: (m) => cat([m(3), ones([3])]),
  stack: (m) => stack([m(3), m(3)]),
  stackMixed: (m) => stack([m(3), ones([3])]),
  indexCopy: (m) => m(3, 2).indexCopy(0, tensor([0], { dtype: 'int64' }), m(1, 2)),
  padReflect1d: (m) => F.pad(m(1, 2, 5), [1, 1], { mode: 'reflect' }),
  padReflect2d: (m) => F.pad(m(1, 2, 5, 5), [1, 1, 1, 1], { mode: 'reflect' }),
  padReplicate2d: (m) => F.pad(m(1, 2, 5, 5), [1, 1, 1, 1], { mode: 'replicate' }),
  padConstant: (m) => F.pad(m(1, 2, 5), [1, 1]),
  trace: (m) => m(3, 3).trace(),
  maxPool3d: (m) => F.maxPool3d(m(1, 1, 4, 4, 4), 2),
  avgPool3d: (m) => F.avgPool3d(m(1, 1, 4, 4, 4), 2),
  adaptiveAvgPool3d: (m) => F.adaptiveAvgPool3d(m(1, 1, 4, 4, 4), 2),
  adaptiveMaxPool3d: (m) => F.adaptiveMaxPool3d(m(1, 1, 4, 4, 4), 2),
  interpolateNearest: (m) => F.interpolate(m(1, 1, 4, 4), { scaleFactor: 2 }),
  batchNorm: (m) => F.batchNorm(m(4, 3), zeros([3]), ones([3])),
  embedding: (m) => F.embedding(tensor([0, 1], { dtype: 'int64' }), m(3, 2)),
  mseLoss: (m) => F.mseLoss(m(3), m(3)),
  l1Loss: (m) => F.l1Loss(m(3), m(3)),
  smoothL1Loss: (m) => F.smoothL1Loss(m(3), m(3)),
  huberLoss: (m) => F.huberLoss(m(3), m(3)),
  binaryCrossEntropyWithLogits: (m) => F.binaryCrossEntropyWithLogits(m(3), m(3)),
  crossEntropy: (m) => F.crossEntropy(m(2, 3), classes()),
  crossEntropyProbabilities: (m) => F.crossEntropy(m(2, 3), m(2, 3)),
  nllLoss: (m) => F.nllLoss(m(2, 3), classes()),
  klDiv: (m) => F.klDiv(m(3), m(3), { reduction: 'sum' }),
  cosineEmbeddingLoss: (m) => F.cosineEmbeddingLoss(m(2, 3), m(2, 3), ones([2])),
  hingeEmbeddingLoss: (m) => F.hingeEmbeddingLoss(m(3), ones([3])),
  softMarginLoss: (m) => F.softMarginLoss(m(3), ones([3])),
  tripletMarginLoss: (m) => F.tripletMarginLoss(m(2, 3), m(2, 3), m(2, 3)),
  cosineSimilarity: (m) => F.cosineSimilarity(m(2, 3), m(2, 3)),
};
const { rows } = JSON.parse(readFileSync(new URL('../fixtures/autocast.json', import.meta.url), 'utf8')) as {
  rows: [name: string, dtype: DType, given: DType, out: DType][];
};

const weight = (): Tensor =>
  tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  ); // prettier-ignore

describe('amp.autocast', () => {
  for (const [name, dtype, given, out] of rows) {
    it(`${name} of ${given} under ${dtype} gives ${out}`, () => {
      const make: Make = (...shape) => rand(shape).to(given);
      expect(amp.autocast('cpu', { dtype }, () => CASES[name](make)).dtype).to.equal(out);
    });
  }

  it('has an entry for every case', () => {
    expect(new Set(rows.map(([name]) => name))).to.deep.equal(new Set(Object.keys(CASES)));
  });

  it('nests, and a disabled region computes in the types of its inputs', () => {
    const a = weight();
    const types = amp.autocast('cpu', { dtype: 'float16' }, () => [
      a.mm(a).dtype,
      amp.autocast('cpu', { enabled: false }, () => [a.mm(a).dtype, isAutocastEnabled()]),
      amp.autocast('cpu', { dtype: 'bfloat16' }, () => [a.mm(a).dtype, getAutocastDtype()]),
      a.mm(a).dtype,
    ]);
    expect(types).to.deep.equal(['float16', ['float32', false], ['bfloat16', 'bfloat16'], 'float16']);
    expect(a.mm(a).dtype).to.equal('float32');
    expect(isAutocastEnabled()).to.equal(false);
    expect(getAutocastDtype()).to.equal('bfloat16');
    expect(amp.autocast('cpu', () => a.mm(a).dtype)).to.equal('bfloat16');
  });

  it('ends where a callback throws', () => {
    expect(() =>
      amp.autocast('cpu', () => {
        throw new Error('stop');
      }),
    ).to.throw('stop');
    expect(isAutocastEnabled()).to.equal(false);
  });

  it('keeps to its own callback when async ones interleave', async () => {
    const a = weight();
    const wait = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    const inside = amp.autocast('cpu', async () => {
      await wait();
      const first = a.mm(a).dtype;
      await wait();
      return [first, a.mm(a).dtype];
    });
    const outside = (async () => {
      const seen: string[] = [a.mm(a).dtype];
      await wait();
      seen.push(a.mm(a).dtype);
      return seen;
    })();
    expect(await inside).to.deep.equal(['bfloat16', 'bfloat16']);
    expect(await outside).to.deep.equal(['float32', 'float32']);
    expect(a.mm(a).dtype).to.equal('float32');
  });

  it('casts a parameter once a region, and sends every gradient to it in its own type', () => {
    const w = weight();
    const x = tensor([[1, 1]]);
    const loss = amp.autocast('cpu', () => {
      const y = x.mm(w).add(x.mm(w));
      return y.float().sum();
    });
    loss.backward();
    expect(w.grad?.dtype).to.equal('float32');
    expect(w.grad?.tolist()).to.deep.equal([
      [2, 2],
      [2, 2],
    ]);
  });

  it('does not use a cast that was made without grad, or before the parameter changed', () => {
    const w = weight();
    const x = tensor([[1, 1]]);
    const optimizer = new optim.SGD([w], { lr: 1 });
    amp.autocast('cpu', () => {
      expect(noGrad(() => x.mm(w)).tolist()).to.deep.equal([[4, 6]]);
      x.mm(w).float().sum().backward();
      expect(w.grad?.tolist()).to.deep.equal([
        [1, 1],
        [1, 1],
      ]);
      optimizer.step();
      expect(x.mm(w).tolist()).to.deep.equal([[2, 4]]);
    });
  });

  it('refuses what cannot be', () => {
    expect(() => amp.autocast('cuda', () => 1)).to.throw(DeviceError, /cpu/);
    expect(() => amp.autocast('cpu', { dtype: 'float64' }, () => 1)).to.throw(DTypeError, /bfloat16/);
    expect(() => amp.autocast('cpu', { enable: true } as object, () => 1)).to.throw(
      ArgumentError,
      /did you mean "enabled"/,
    );
    expect(() => amp.autocast('cpu', {} as () => number)).to.throw(ArgumentError, /function/);
    expect(amp.isAutocastAvailable('cpu')).to.equal(true);
    expect(amp.isAutocastAvailable('cuda')).to.equal(false);
  });
});
