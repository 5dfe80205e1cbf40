/** Hooks on leaves that run once `grad` has changed: what they see, when they run, what they may do. As in PyTorch. */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  autograd,
  manualSeed,
  nn,
  optim,
  randn,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const leaf = (...values: number[]): Tensor => tensor(values, { requiresGrad: true });

describe('registerPostAccumulateGradHook', () => {
  it('sees the accumulated gradient of the leaf, once per backward, in the order of registration', () => {
    const w = leaf(1, 2);
    const v = leaf(3, 4);
    const seen: unknown[] = [];
    const first = w.registerPostAccumulateGradHook((p) => {
      seen.push([p === w, p.grad?.tolist(), autograd.isGradEnabled()]);
    });
    w.registerPostAccumulateGradHook(() => {
      seen.push('second');
    });
    w.mul(v).sum().add(w.mul(w).sum()).backward();
    w.mul(v).sum().backward();
    expect(seen).to.deep.equal([[true, [5, 8], false], 'second', [true, [8, 12], false], 'second']);
    first.remove();
    w.mul(v).sum().backward();
    expect(seen).to.have.length(5);
    expect(w.grad?.tolist()).to.deep.equal([11, 16]);
  });

  it('runs after the hooks of the gradient, and only where the leaf accumulates', () => {
    const w = leaf(1);
    const v = leaf(2);
    const order: string[] = [];
    w.registerPostAccumulateGradHook(() => void order.push('leaf'));
    w.registerHook(() => void order.push('gradient'));
    autograd.grad(w.mul(v).sum(), [w, v]);
    expect(order).to.deep.equal(['gradient']);
    order.length = 0;
    w.mul(v)
      .sum()
      .backward({ inputs: [v] });
    expect(order).to.deep.equal([]);
    w.mul(v).sum().backward();
    expect(order).to.deep.equal(['gradient', 'leaf']);
  });

  it('may step the parameter and drop its gradient while backward goes on', () => {
    const w = leaf(1, 2);
    const v = leaf(3, 4);
    w.registerPostAccumulateGradHook((p) => {
      p.sub_((p.grad as Tensor).mul(0.1));
      p.grad = null;
    });
    w.mul(v).sum().backward();
    expect(w.allclose(tensor([0.7, 1.6]))).to.equal(true);
    expect(w.grad).to.equal(null);
    expect(v.grad?.tolist()).to.deep.equal([1, 2]);
  });

  it('trains as an optimizer that steps after backward does', () => {
    const train = (inBackward: boolean): number[] => {
      manualSeed(1);
      const model = new nn.Sequential(new nn.Linear(4, 8), new nn.Tanh(), new nn.Linear(8, 1));
      const x = randn(16, 4);
      const target = x.sum(1, true);
      const all = new optim.Adam(model.parameters(), { lr: 0.01 });
      if (inBackward) {
        for (const parameter of model.parameters()) {
          const own = new optim.Adam([parameter], { lr: 0.01 });
          parameter.registerPostAccumulateGradHook(() => {
            own.step();
            own.zeroGrad();
          });
        }
      }
      const losses: number[] = [];
      for (let i = 0; i < 5; i++) {
        const loss = nn.functional.mseLoss(model(x), target);
        losses.push(loss.item());
        loss.backward();
        if (!inBackward) {
          all.step();
          all.zeroGrad();
        }
      }
      return losses;
    };
    const expected = train(false);
    expect(expected[4]).to.be.lessThan(expected[0]);
    expect(train(true)).to.deep.equal(expected);
  });

  it('is recorded where the derivative is', () => {
    const w = leaf(2);
    let recorded = false;
    w.registerPostAccumulateGradHook(() => {
      recorded = autograd.isGradEnabled();
    });
    w.pow(3).sum().backward({ createGraph: true });
    expect(recorded).to.equal(true);
    expect(w.grad?.requiresGrad).to.equal(true);
  });

  it('refuses what is no leaf, needs no gradient, is no function or returns a tensor', () => {
    const w = leaf(1);
    const nothing = (): void => {};
    expect(() => w.mul(2).registerPostAccumulateGradHook(nothing)).to.throw(
      AutogradError,
      'registerPostAccumulateGradHook: expected a leaf of the graph',
    );
    expect(() => tensor([1]).registerPostAccumulateGradHook(nothing)).to.throw(
      AutogradError,
      'registerPostAccumulateGradHook: expected a tensor that requires grad',
    );
    expect(() => w.registerPostAccumulateGradHook(3 as never)).to.throw(
      ArgumentError,
      'expected a function of the leaf',
    );
    w.registerPostAccumulateGradHook((p) => p.grad as never);
    expect(() => w.mul(2).sum().backward()).to.throw(AutogradError, 'a hook that returns nothing');
  });
});
