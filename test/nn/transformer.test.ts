/** Stacks of transformer layers: copies that share nothing, masks and the causal hint, padding, checks. */
import { expect } from 'chai';
import { ArgumentError, manualSeed, nn, noGrad, randn, ShapeError, type Tensor, tensor } from '../../lib/index.js';

const numbers = (x: Tensor): Float64Array => x.double().toTypedArray() as Float64Array;
function expectNear(a: Tensor, b: Tensor, tolerance = 1e-12): void {
  expect(a.shape).to.deep.equal(b.shape);
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < x.length; i++) expect(x[i]).to.be.closeTo(y[i], tolerance);
}
function encoder(): nn.TransformerEncoder {
  manualSeed(4);
  const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, batchFirst: true });
  return new nn.TransformerEncoder(layer, 2, { norm: new nn.LayerNorm(4) }).double();
}

describe('transformer stacks', () => {
  it('hold copies of the layer that share no memory', () => {
    const stack = encoder();
    const keys = Object.keys(stack.stateDict());
    expect(keys.filter((key) => key.endsWith('self_attn.in_proj_weight'))).to.deep.equal([
      'layers.0.self_attn.in_proj_weight',
      'layers.1.self_attn.in_proj_weight',
    ]);
    const [a, b] = [0, 1].map((i) => stack.layers.at(i).linear1.weight);
    expect(a.tolist()).to.deep.equal(b.tolist());
    noGrad(() => a.mul_(2));
    expect(a.tolist()).not.to.deep.equal(b.tolist());
  });

  it('see through a causal mask what they see with the hint alone', () => {
    const stack = encoder();
    const x = randn([2, 5, 4], { dtype: 'float64' });
    const mask = nn.Transformer.generateSquareSubsequentMask(5, { dtype: 'float64' });
    expect(mask.tolist()).to.deep.equal(
      Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (__, j) => (j > i ? Number.NEGATIVE_INFINITY : 0))),
    );
    const out = stack(x, { mask });
    expectNear(stack(x, { mask, isCausal: false }), out);
    // A position's output does not depend on what comes after it.
    const changed = x.clone();
    changed.narrow(1, 3, 2).fill_(9);
    expectNear(stack(changed, { mask }).narrow(1, 0, 3), out.narrow(1, 0, 3));
    expect(numbers(stack(changed).narrow(1, 0, 1))[0]).not.to.equal(numbers(stack(x).narrow(1, 0, 1))[0]);
  });

  it('ignore what a padding mask hides', () => {
    const stack = encoder();
    const x = randn([2, 3, 4], { dtype: 'float64' });
    const srcKeyPaddingMask = tensor([
      [false, false, true],
      [false, false, false],
    ]);
    const out = stack(x, { srcKeyPaddingMask });
    expectNear(out.select(0, 0).narrow(0, 0, 2), stack(x.select(0, 0).narrow(0, 0, 2)));
    expectNear(out.select(0, 1), stack(x.select(0, 1)));
  });

  it('take any function as activation, and say what is wrong', () => {
    manualSeed(1);
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, dropout: 0, activation: (x) => x.mul(0) });
    expect(layer(randn([3, 1, 4])).shape).to.deep.equal([3, 1, 4]);
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: 'tanh' as 'relu' })).to.throw(
      ArgumentError,
      /activation 'relu', 'gelu' or a function/,
    );
    expect(() => new nn.TransformerEncoderLayer(5, 2)).to.throw(ArgumentError, /an embedDim that numHeads divides/);
    expect(() => new nn.TransformerDecoder(layer as never, -1)).to.throw(
      ArgumentError,
      /a whole number of at least 0 for numLayers/,
    );
    const whole = new nn.Transformer(4, 2, 1, 1, 6);
    expect(() => whole(randn([3, 1, 4]), randn([3, 2, 4]))).to.throw(ShapeError, /src and tgt of one batch size/);
    expect(() => whole(randn([3, 1, 5]), randn([3, 1, 5]))).to.throw(ShapeError, /src and tgt of 4 features/);
  });
});
