/**
 * Integer tensors of one element in the place of whole numbers, and bounds of clamp: taken wherever PyTorch takes them,
 * as the number.
 */
import { expect } from 'chai';
import * as torch from '../../lib/index.js';
import { arange, nn, ones, slice, type Tensor, tensor, zerosLike } from '../../lib/index.js';
import { answer, answersOf, compareWithFixture } from '../tensor/surface-fixture.js';

const F = nn.functional;
const x = arange(24, { dtype: 'float32' }).reshape(2, 3, 4);
const first = x.narrow(0, 0, 1);
const zero = tensor([[[0n]]]);

/** Each function with `v` as a number or as a tensor; the types take both. */
const calls: Readonly<Record<string, (v: Tensor) => unknown>> = {
  'sum dim': (v) => x.sum(v),
  'sum dims': (v) => x.sum([0, v]),
  'softmax dim': (v) => torch.zeros(2, 3, 4).softmax(v),
  'select dim': (v) => x.select(v, 0),
  'select index': (v) => x.select(0, v),
  narrow: (v) => x.narrow(1, v, v),
  'narrow length': (v) => x.narrow(1, 0, v),
  unsqueeze: (v) => x.unsqueeze(v),
  squeeze: (v) => x.squeeze(v),
  view: (v) => x.view(v, 24),
  'view list': (v) => x.view([v, 24]),
  reshape: (v) => x.reshape(v, -1),
  'reshape list': (v) => torch.reshape(x, [v, -1]),
  zeros: (v) => torch.zeros(v, 2),
  'zeros list': (v) => torch.zeros([2, v]),
  'ones of one size': (v) => torch.ones(v),
  full: (v) => torch.full([v, 2], 3),
  newZeros: (v) => x.newZeros(v, 2),
  rand: (v) => zerosLike(torch.rand(v, 2)),
  'randint size': (v) => torch.randint(1, [v, 2] as number[]),
  randperm: (v) => torch.randperm(v),
  repeat: (v) => x.repeat(v, 1, 1),
  expand: (v) => first.expand(v, 3, 4),
  tile: (v) => x.tile(v),
  roll: (v) => x.roll(v),
  'roll dims': (v) => x.roll(v, v),
  'topk k': (v) => x.topk(v).values,
  'topk dim': (v) => x.topk(1, v).values,
  kthvalue: (v) => x.kthvalue(v).values,
  flip: (v) => x.flip(v),
  permute: (v) => x.permute(0, v, 2),
  transpose: (v) => x.transpose(v, 0),
  movedim: (v) => x.movedim(v, 0),
  chunk: (v) => x.chunk(v)[0],
  split: (v) => x.split(v)[0],
  'split list': (v) => x.split([v, 1])[0],
  'cat dim': (v) => torch.cat([x, x], v),
  'stack dim': (v) => torch.stack([x, x], v),
  arange: (v) => arange(v),
  'linspace steps': (v) => torch.linspace(0, 1, v),
  eye: (v) => torch.eye(v),
  tril: (v) => x.tril(v),
  diag: (v) => torch.diag(x.select(0, 0), v),
  cumsum: (v) => x.cumsum(v),
  flatten: (v) => x.flatten(v),
  unflatten: (v) => x.unflatten(v, [3, 1]),
  'unflatten sizes': (v) => x.unflatten(1, [v, 3]),
  unfold: (v) => x.unfold(1, v, v),
  argmax: (v) => x.argmax(v as unknown as number),
  'max dim': (v) => {
    const found: unknown = x.max(v as unknown as number);
    return Array.isArray(found) ? found[0] : found;
  },
  repeatInterleave: (v) => x.repeatInterleave(v),
  oneHot: (v) => F.oneHot(tensor([0n]), v),
  bincount: (v) => torch.bincount(tensor([0n]), { minlength: v }),
  'conv stride': (v) => F.conv1d(x, ones(1, 3, 1), { stride: v }),
  'conv groups': (v) => F.conv1d(x, ones(1, 3, 1), { groups: v }),
  maxPool: (v) => F.maxPool1d(x, v),
  pad: (v) => F.pad(x, [v, v]),
  sort: (v) => x.sort(v).values,
  unbind: (v) => x.unbind(v)[0],
  gather: (v) => x.gather(v, zero),
  asStrided: (v) => x.asStrided([v, 2], [1, v], v),
  broadcastTo: (v) => torch.broadcastTo(first, [v, 3, 4]),
  rot90: (v) => torch.rot90(x, v),
  trilIndices: (v) => torch.trilIndices(v as unknown as number, 2),
  'index slice': (v) => x.index([slice(null, v)]),
  'index number': (v) => x.index([v]),
  layerNorm: (v) => F.layerNorm(ones(2, 1), [v]),
  interpolate: (v) => F.interpolate(x, v),
  size: (v) => x.size(v),
  tensorSplit: (v) => x.tensorSplit(v)[0],
};
const kinds: Readonly<Record<string, unknown>> = {
  number: 1,
  scalar: tensor(1, { dtype: 'int64' }),
  int32: tensor(1, { dtype: 'int32' }),
  element: tensor([1n]),
  float: tensor(1),
};

describe('an integer tensor in the place of a whole number', () => {
  const answers = answersOf('integers') as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  for (const [name, call] of Object.entries(calls)) {
    it(name, () => {
      for (const [kind, value] of Object.entries(kinds)) {
        // More than PyTorch takes is no harm; what it takes must give what it gives.
        const wanted = answers[name][kind];
        const got = answer(() => call(value as Tensor));
        if (kind === 'float' ? wanted === 'error' : wanted !== 'error') expect(got, kind).to.deep.equal(wanted);
      }
    });
  }
  it('covers the fixture', () => {
    expect(Object.keys(calls).sort()).to.deep.equal(Object.keys(answers).sort());
  });
});

describe('clamp with numbers and tensors as bounds', () => {
  const [low, high] = [tensor([1, 2, 3, 4]), tensor(2)];
  compareWithFixture('clamps', {
    'two numbers': () => x.clamp(2, 5),
    'a number and a scalar': () => x.clamp(0, high),
    'a scalar and a number': () => x.clamp(high, 5),
    'two scalars': () => x.clamp(tensor(1), high),
    'two tensors': () => x.clamp(low, low.add(3)),
    'a tensor alone': () => x.clamp(low),
    'a maximum alone': () => x.clamp({ max: high }),
    'integers and a fraction': () => arange(4).clamp(0, tensor(1.5)),
    'a float64 tensor bound': () => x.clamp(low.double(), low.double().add(1)),
  });

  it('gives the gradient to each side', () => {
    const y = tensor([-1, 1, 3], { requiresGrad: true });
    const bound = tensor([2, 2, 2], { requiresGrad: true });
    y.clamp(0, bound).sum().backward();
    expect(y.grad?.tolist()).to.deep.equal([0, 1, 0]);
    expect(bound.grad?.tolist()).to.deep.equal([0, 0, 1]);
  });
});
