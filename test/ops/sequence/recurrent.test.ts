/** Recurrent layers: first and second derivatives in float64, thread counts, checks, 16-bit types. */
import { expect } from 'chai';
import {
  ArgumentError,
  autograd,
  DTypeError,
  manualSeed,
  nn,
  randn,
  ShapeError,
  type Tensor,
} from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

type Stack = nn.RNN | nn.GRU | nn.LSTM;
const stacks: readonly (readonly [string, () => Stack])[] = [
  ['RNN tanh', () => new nn.RNN(2, 3)],
  ['RNN relu, two layers', () => new nn.RNN(2, 3, { numLayers: 2, nonlinearity: 'relu', bias: false })],
  ['GRU, both directions', () => new nn.GRU(2, 3, { bidirectional: true })],
  ['LSTM, both directions', () => new nn.LSTM(2, 2, { bidirectional: true })],
  ['LSTM with a projection', () => new nn.LSTM(2, 3, { projSize: 1 })],
];
const flat = (value: unknown): Tensor[] => (Array.isArray(value) ? value.flatMap(flat) : [value as Tensor]);

describe('recurrent layers', () => {
  for (const [name, make] of stacks) {
    it(`${name}: first and second derivatives, of inputs, states and weights`, () => {
      manualSeed(3);
      const layer = make().double();
      const x = randn([3, 2, 2], { dtype: 'float64', requiresGrad: true });
      const rows = layer.numLayers * layer.directions;
      const h = randn([rows, 2, layer.features], { dtype: 'float64', requiresGrad: true });
      const c = randn([rows, 2, layer.hiddenSize], { dtype: 'float64', requiresGrad: true });
      const lstm = layer instanceof nn.LSTM;
      const call = (input: Tensor, h0: Tensor, ...rest: Tensor[]): Tensor[] =>
        flat(layer instanceof nn.LSTM ? layer(input, [h0, rest[0]]) : layer(input, h0));
      const inputs = [x, h, ...(lstm ? [c] : []), ...layer.parameters()];
      autograd.gradcheck(call, inputs);
      autograd.gradgradcheck(call, inputs);
    });
  }

  it('gives the same to the bit for each thread count', () => {
    const before = addon.getNumThreads();
    const results: Tensor[][] = [];
    try {
      for (const threads of [1, 2, 3]) {
        addon.setNumThreads(threads);
        manualSeed(5);
        const layer = new nn.LSTM(40, 96, { numLayers: 2 });
        const [out, [h, c]] = layer(randn([12, 40, 40]));
        out.sum().backward();
        results.push([out, h, c, ...layer.parameters().map((p) => p.grad as Tensor)]);
      }
    } finally {
      addon.setNumThreads(before);
    }
    for (const result of results) {
      result.forEach((t, i) => {
        expect(t.toTypedArray()).to.deep.equal(results[0][i].toTypedArray());
      });
    }
  });

  it('takes only the gradients that arrive: of the last state alone, and for one weight alone', () => {
    manualSeed(6);
    const layer = new nn.GRU(2, 3).double();
    const x = randn([4, 2, 2], { dtype: 'float64' });
    const [fused] = autograd.grad(layer(x)[1].sum(), layer.getParameter('weight_hh_l0'));
    const [composed] = autograd.grad(layer(x)[1].sum(), layer.getParameter('weight_hh_l0'), { createGraph: true });
    const [a, b] = [fused, composed].map((t) => (t as Tensor).toTypedArray() as Float64Array);
    for (let i = 0; i < a.length; i++) expect(a[i]).to.be.closeTo(b[i], 1e-12);
    expect(Math.max(...a.map(Math.abs))).to.be.greaterThan(0.01);
  });

  it('computes 16-bit types in float32', () => {
    manualSeed(7);
    const layer = new nn.LSTM(4, 5).bfloat16();
    const [out] = layer(randn([3, 2, 4]).bfloat16());
    expect(out.dtype).to.equal('bfloat16');
    out.sum().backward();
    expect(layer.getParameter('weight_ih_l0').grad?.dtype).to.equal('bfloat16');
  });

  it('says what is wrong', () => {
    const layer = new nn.LSTM(2, 3);
    expect(() => layer(randn([4, 1, 3]))).to.throw(ShapeError, /LSTM: expected an input of 2 features, got 3/);
    expect(() => layer(randn([4, 1, 2]), [randn([1, 2, 3]), randn([1, 1, 3])])).to.throw(
      ShapeError,
      /LSTM: expected h0 of shape \[1,1,3\]/,
    );
    expect(() => layer(randn([4, 1, 2]).double())).to.throw(
      DTypeError,
      /LSTM: expected input, state and weights of one dtype/,
    );
    expect(() => layer(randn([0, 1, 2]))).to.throw(ShapeError, /a sequence of at least one step/);
    expect(() => new nn.LSTM(2, 3, { projSize: 3 })).to.throw(ArgumentError, /a projSize below hiddenSize/);
    expect(() => new nn.GRU(2, 3, { numLayer: 2 } as never)).to.throw(
      ArgumentError,
      /unknown option "numLayer", did you mean "numLayers"/,
    );
    expect(() => new nn.RNN(2, 3, { nonlinearity: 'gelu' as 'tanh' })).to.throw(
      ArgumentError,
      /nonlinearity 'tanh' or 'relu'/,
    );
  });
});
