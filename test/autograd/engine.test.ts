/** The walk backward: sums at forks, broadcast reduction, second derivatives, freed graphs, long chains. */
import { expect } from 'chai';
import { AutogradError, autograd, full, noGrad, tensor } from '../../lib/index.js';

describe('autograd engine', () => {
  it('reduces gradients over broadcast dimensions', () => {
    const a = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { requiresGrad: true },
    );
    const b = tensor([10, 20, 30], { requiresGrad: true });
    a.mul(b).sum().backward();
    expect(a.grad?.tolist()).to.deep.equal([
      [10, 20, 30],
      [10, 20, 30],
    ]);
    expect(b.grad?.tolist()).to.deep.equal([5, 7, 9]);
  });

  it('does not let two leaves share the memory of one gradient', () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([3, 4], { requiresGrad: true });
    for (let i = 0; i < 2; i++) a.add(b).sum().backward();
    expect(a.grad?.tolist()).to.deep.equal([2, 2]);
    expect(b.grad?.tolist()).to.deep.equal([2, 2]);
    noGrad(() => a.grad?.mul_(5));
    expect(b.grad?.tolist()).to.deep.equal([2, 2]);
  });

  it('differentiates a derivative', () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const [first] = autograd.grad(x.mul(x).mul(x).sum(), x, { createGraph: true });
    const [second] = autograd.grad(first!.sum(), x);
    expect(first?.tolist()).to.deep.equal([3, 12, 27]);
    expect(second?.tolist()).to.deep.equal([6, 12, 18]);
  });

  it('says that a graph was freed', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(x).sum();
    y.backward();
    expect(() => y.backward()).to.throw(AutogradError, /retainGraph/);
  });

  it('notices a saved tensor that changed', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(1);
    const z = y.mul(y).sum();
    y.add_(1);
    expect(() => z.backward()).to.throw(
      AutogradError,
      /mul: .*changed by an in-place operation: expected version 0, got 1/,
    );
  });

  it('sends the gradient of an in-place changed view to what was written', () => {
    const x = tensor([1, 2, 3, 4], { requiresGrad: true });
    const w = tensor([10, 10], { requiresGrad: true });
    const y = x.mul(2);
    const view = y.view(2, 2);
    view.mul_(full([2, 2], 3));
    y.mul(w.expand(2, 2).reshape(4)).sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([60, 60, 60, 60]);
    expect(w.grad?.tolist()).to.deep.equal([6 + 18, 12 + 24]);
  });

  it('walks a chain of 100,000 nodes', () => {
    const x = tensor([1], { requiresGrad: true });
    let y = x;
    for (let i = 0; i < 100_000; i++) y = y.add(x);
    y.backward(full([1], 1));
    expect(x.grad?.item()).to.equal(100_001);
  });
});
