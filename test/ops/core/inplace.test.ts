/** In-place elementwise functions: whose memory changes, what the graph sees of it, and what is refused. */
import { expect } from 'chai';
import {
  AutogradError,
  autograd,
  DTypeError,
  nn,
  noGrad,
  ShapeError,
  type Tensor,
  tensor,
} from '../../../lib/index.js';

const leaf = (values: number[]): Tensor => tensor(values, { dtype: 'float64', requiresGrad: true });
const gradient = (y: Tensor, x: Tensor): unknown => (autograd.grad(y.sum(), x)[0] as Tensor).tolist();

describe('in-place elementwise functions', () => {
  it('write into the memory of their target and return it', () => {
    const x = tensor([-1, 2]);
    const view = x.view(2, 1);
    expect(nn.functional.relu(x, { inplace: true })).to.equal(x);
    expect(view.tolist()).to.deep.equal([[0], [2]]);
    expect(
      x
        .add_(1, { alpha: 2 })
        .mul_(3)
        .sub_(tensor([1, 0]))
        .tolist(),
    ).to.deep.equal([5, 12]);
    expect(x.version).to.equal(4);
  });

  it('write through strides', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    x.t().mul_(tensor([10, 100]));
    expect(x.tolist()).to.deep.equal([
      [10, 20],
      [300, 400],
    ]);
  });

  it('give the operand the target’s old values where its gradient needs them', () => {
    const x = leaf([2, 3]);
    const w = leaf([5, 7]);
    const y = x.mul(1).mul_(w);
    expect(gradient(y, w)).to.deep.equal([2, 3]);
    const z = x.mul(1).pow_(3);
    expect(gradient(z, x)).to.deep.equal([12, 27]);
    const square = x.mul(1);
    square.mul_(square);
    expect(gradient(square, x)).to.deep.equal([4, 6]);
  });

  it('save their result as it then is', () => {
    const x = leaf([0, 1]);
    const y = x.mul(1).exp_();
    const other = y.mul(2);
    expect(gradient(other, x)).to.deep.equal(x.exp().mul(2).tolist());
    const z = x.mul(1).exp_();
    z.add_(1);
    expect(() => z.sum().backward()).to.throw(
      AutogradError,
      /exp: .*changed by an in-place operation: expected version \d, got \d/,
    );
  });

  it('can be differentiated twice', () => {
    const x = leaf([0.3, -0.4]);
    const run = (f: (t: Tensor) => Tensor): unknown => {
      const [g] = autograd.grad(f(x.mul(1)).sum(), x, { createGraph: true });
      return (autograd.grad((g as Tensor).sum(), x)[0] as Tensor).tolist();
    };
    expect(run((t) => t.sin_().mul_(t))).to.deep.equal(run((t) => t.sin().mul(t.sin())));
    expect(run((t) => t.pow_(3).tanh_())).to.deep.equal(run((t) => t.pow(3).tanh()));
  });

  it('of a view reach the tensor behind it', () => {
    const x = leaf([1, 2, 3, 4]);
    const y = x.mul(1);
    y.view(2, 2).t().exp_();
    expect(gradient(y, x)).to.deep.equal(x.exp().tolist());
  });

  it('read an operand whole before they overwrite it', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(x.add_(x.t()).tolist()).to.deep.equal([
      [2, 5],
      [5, 8],
    ]);
  });

  it('keep the target’s dtype', () => {
    expect(tensor([1, 2]).add_(tensor([0.5, 1.5], { dtype: 'float64' })).dtype).to.equal('float32');
    expect(tensor([1, 2], { dtype: 'bfloat16' }).mul_(3).exp_().dtype).to.equal('bfloat16');
    expect(tensor([1, 2]).eq_(2).tolist()).to.deep.equal([0, 1]);
    expect(tensor([1n, 2n]).mul_(2).tolist()).to.deep.equal([2, 4]);
    expect(() => tensor([1n, 2n]).mul_(2.5)).to.throw(
      DTypeError,
      /mul_: expected a result that can be stored as int64, got float32/,
    );
    expect(() => tensor([1n, 2n]).exp_()).to.throw(DTypeError, /exp_/);
  });

  it('refuse what would break the target', () => {
    const x = leaf([1, 2]);
    expect(() => x.relu_()).to.throw(AutogradError, /relu_: .*leaf that requires grad/);
    expect(noGrad(() => x.relu_()).requiresGrad).to.equal(true);
    expect(() => tensor([1, 2]).add_(tensor([[1], [2]]))).to.throw(
      ShapeError,
      /add_: expected operands that broadcast to the target's shape \[2\], got a result of shape \[2,2\]/,
    );
    expect(() => tensor([1]).expand(3).mul_(2)).to.throw(AutogradError, /mul_: .*expanded/);
  });
});
