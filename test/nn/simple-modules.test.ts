/**
 * Activations, softmax, shape and dropout modules, and nn.utils, against PyTorch's print and numbers
 * (scripts/fixtures/simple_modules.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  arange,
  type DType,
  full,
  nn,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

interface Fixture {
  input: number[];
  modules: Record<string, { repr: string; shape: number[]; values: number[]; grad: number[] }>;
  types: { types: DType[]; total: number; dtype: DType; grads: number[] }[];
  clip: { order: string; limit: number; total: number; grads: number[][] }[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/simple-modules.json', import.meta.url), 'utf8'),
) as Fixture;

const modules: Record<string, () => nn.Layer> = {
  'ReLU()': () => new nn.ReLU(),
  'ReLU(inplace)': () => new nn.ReLU({ inplace: true }),
  'ReLU6()': () => new nn.ReLU6(),
  'LeakyReLU()': () => new nn.LeakyReLU(),
  'LeakyReLU(0.2, inplace)': () => new nn.LeakyReLU(0.2, true),
  'PReLU()': () => new nn.PReLU(),
  'PReLU(4)': () => new nn.PReLU(4, { init: 0.5 }),
  'ELU()': () => new nn.ELU(),
  'ELU(2, inplace)': () => new nn.ELU(2, true),
  'SELU(inplace)': () => new nn.SELU(true),
  'CELU(1.5)': () => new nn.CELU({ alpha: 1.5 }),
  'GELU()': () => new nn.GELU(),
  'GELU(tanh)': () => new nn.GELU({ approximate: 'tanh' }),
  'SiLU()': () => new nn.SiLU(),
  'Mish()': () => new nn.Mish(),
  'Softplus()': () => new nn.Softplus(),
  'Softplus(2, 1.5)': () => new nn.Softplus(2, 1.5),
  'Sigmoid()': () => new nn.Sigmoid(),
  'Tanh()': () => new nn.Tanh(),
  'Hardtanh()': () => new nn.Hardtanh(),
  'Hardtanh(-0.5, 2, inplace)': () => new nn.Hardtanh(-0.5, 2, true),
  'Hardsigmoid()': () => new nn.Hardsigmoid(),
  'Hardswish(inplace)': () => new nn.Hardswish(true),
  'LogSigmoid()': () => new nn.LogSigmoid(),
  'Softsign()': () => new nn.Softsign(),
  'Tanhshrink()': () => new nn.Tanhshrink(),
  'Softshrink()': () => new nn.Softshrink(),
  'Hardshrink(1)': () => new nn.Hardshrink(1),
  'Threshold(0.1, 20.5)': () => new nn.Threshold(0.1, 20.5),
  'Softmax(1)': () => new nn.Softmax(1),
  'LogSoftmax(-1)': () => new nn.LogSoftmax({ dim: -1 }),
  'Softmin()': () => new nn.Softmin(),
  'GLU()': () => new nn.GLU(),
  'GLU(1)': () => new nn.GLU(1),
  'Softmax2d()': () => new nn.Softmax2d(),
  'Flatten()': () => new nn.Flatten(),
  'Flatten(0, 1)': () => new nn.Flatten({ startDim: 0, endDim: 1 }),
  'Unflatten(1, [2, -1])': () => new nn.Unflatten(1, [2, -1]),
  'Identity()': () => new nn.Identity(),
  'Dropout(0.3)': () => new nn.Dropout(0.3).eval(),
  'Dropout2d(inplace)': () => new nn.Dropout2d({ inplace: true }).eval(),
  'AlphaDropout()': () => new nn.AlphaDropout().eval(),
};

function close(actual: Tensor | null, expected: readonly number[], what: string, tolerance = 1e-12): void {
  const values = [...(actual as Tensor).flatten().toTypedArray()].map(Number);
  expect(values, what).to.have.length(expected.length);
  values.forEach((value, i) => {
    expect(Math.abs(value - expected[i]), `${what} ${i}: ${value}, PyTorch ${expected[i]}`).to.be.at.most(
      tolerance * Math.max(1, Math.abs(expected[i])),
    );
  });
}

describe('simple modules', () => {
  for (const [name, expected] of Object.entries(fixture.modules)) {
    it(name, () => {
      const module = modules[name]().to('float64');
      expect(String(module)).to.equal(expected.repr);
      const x = tensor(Float64Array.from(fixture.input), { shape: [1, 4, 3, 2], requiresGrad: true });
      const y = module(x.clone());
      expect(y.shape).to.deep.equal(expected.shape);
      close(y.detach(), expected.values, 'value');
      y.mul(
        arange(1, y.numel() + 1)
          .double()
          .view(y.shape),
      )
        .sum()
        .backward();
      // PyTorch's derivative of hardsigmoid has 1/6 in float32 whatever the type.
      close(x.grad, expected.grad, 'gradient', name === 'Hardsigmoid()' ? 1e-7 : 1e-12);
    });
  }

  it('refuse what PyTorch refuses', () => {
    expect(() => new nn.Hardtanh(1, 1)).to.throw(ArgumentError, /maxVal above minVal/);
    expect(() => new nn.Threshold({ threshold: 1 })).to.throw(ArgumentError, /got no value/);
    expect(() => new nn.LeakyReLU({ slope: 1 } as never)).to.throw(ArgumentError, /unknown option "slope"/);
    expect(() => new nn.Softmax2d()(zeros([2, 3]))).to.throw(ShapeError, /3 or 4 dimensions/);
  });
});

describe('nn.utils', () => {
  for (const { order, limit, total, grads } of fixture.clip) {
    it(`clipGradNorm_ of order ${order} to ${limit}`, () => {
      const parameters = [new nn.Parameter(zeros([2, 3])), new nn.Parameter(zeros([4])), new nn.Parameter(zeros([1]))];
      parameters[0].grad = tensor([
        [-1, -0.4, 0.2],
        [0.8, 1.4, 2],
      ]);
      parameters[1].grad = tensor([0.5, -3, 0, 1.25]);
      const norm = nn.utils.clipGradNorm_(
        parameters,
        limit,
        order === 'inf' ? Number.POSITIVE_INFINITY : Number(order),
      );
      expect(norm.shape).to.deep.equal([]);
      expect(norm.item()).to.be.closeTo(total, 1e-6 * total);
      grads.forEach((expected, i) => {
        const actual = [...(parameters[i].grad as Tensor).flatten().toTypedArray()].map(Number);
        actual.forEach((value, j) => {
          expect(value).to.be.closeTo(expected[j], 1e-6);
        });
      });
      expect(parameters[2].grad).to.equal(null);
    });
  }

  for (const { types, total, dtype, grads } of fixture.types) {
    it(`the total norm of gradients of ${types.join(', ')}`, () => {
      const parameters = types.map((type, i) => {
        const p = new nn.Parameter(zeros([3], { dtype: type }));
        p.grad = full([3], 2 + i, { dtype: type });
        return p;
      });
      const norm = nn.utils.clipGradNorm_(parameters, 1);
      expect(norm.dtype).to.equal(dtype);
      expect(norm.item()).to.be.closeTo(total, 1e-6 * total);
      expect(parameters.map((p) => (p.grad as Tensor).select(0, 0).item())).to.deep.equal(grads);
    });
  }

  it("takes 'inf' for the order, as PyTorch does, and no other word", () => {
    const p = new nn.Parameter(zeros([2]));
    p.grad = tensor([3, -4]);
    expect(nn.utils.clipGradNorm_([p], 100, 'inf').item()).to.equal(4);
    expect(nn.utils.getTotalNorm([p.grad], '-inf' as never).item()).to.equal(3);
    expect(nn.utils.getTotalNorm(p.grad, '-inf' as never).item()).to.equal(3);
    for (const word of ['fro', '', 'infant'])
      expect(() => nn.utils.getTotalNorm([], word as never)).to.throw(ArgumentError, /a number or 'inf' for normType/);
  });

  it('says that a norm is not finite', () => {
    const p = new nn.Parameter(zeros([2]));
    p.grad = tensor([1, Number.POSITIVE_INFINITY]);
    expect(() => nn.utils.clipGradNorm_(p, 1, { errorIfNonfinite: true })).to.throw(
      AutogradError,
      /expected a finite norm of order 2/,
    );
    nn.utils.clipGradNorm_(p, 1);
    expect(p.grad?.tolist()).to.deep.equal([0, Number.NaN]);
    expect(nn.utils.clipGradNorm_([], 1).item()).to.equal(0);
    expect(() => nn.utils.clipGradNorm_('parameters' as never, 1)).to.throw(ArgumentError, /a tensor or tensors/);
  });

  it('clipGradValue_ moves elements into bounds', () => {
    const p = new nn.Parameter(zeros([3]));
    p.grad = tensor([-2, 0.25, 7]);
    nn.utils.clipGradValue_([p], 0.5);
    expect(p.grad?.tolist()).to.deep.equal([-0.5, 0.25, 0.5]);
  });

  it('parametersToVector and vectorToParameters', () => {
    const a = new nn.Parameter(tensor([[1, 2]]));
    const b = new nn.Parameter(tensor([3, 4, 5]));
    const vector = nn.utils.parametersToVector([a, b]);
    expect(vector.tolist()).to.deep.equal([1, 2, 3, 4, 5]);
    vector.sum().backward();
    expect(b.grad?.tolist()).to.deep.equal([1, 1, 1]);
    nn.utils.vectorToParameters(vector.detach().mul(2), [a, b]);
    expect([a.tolist(), b.tolist()]).to.deep.equal([[[2, 4]], [6, 8, 10]]);
    expect(b.requiresGrad && b.grad !== null).to.equal(true);
    expect(() => nn.utils.vectorToParameters(zeros([4]), [a, b])).to.throw(ShapeError, /at least 5 elements/);
  });
});
