/** Handles of hooks take off their own registration: on tensors, leaves, modules and optimizers. As in PyTorch. */
import { expect } from 'chai';
import { nn, optim, tensor } from '../../lib/index.js';

interface Handle {
  remove(): void;
}
/** Registers the function first, second, first again, and takes the last off, twice. What is left runs in order. */
function orderAfterRemoval(register: (hook: () => void) => Handle, run: () => void): string[] {
  const order: string[] = [];
  const first = (): void => void order.push('first');
  const second = (): void => void order.push('second');
  register(first);
  register(second);
  const again = register(first);
  again.remove();
  again.remove();
  run();
  return order;
}

describe('handles of hooks', () => {
  const left = ['first', 'second'];

  it('on tensors and leaves', () => {
    const x = tensor([1], { requiresGrad: true });
    const backward = (): void => x.mul(2).sum().backward();
    expect(orderAfterRemoval((hook) => x.registerHook(hook), backward)).to.deep.equal(left);
    const y = tensor([1], { requiresGrad: true });
    const run = (): void => y.mul(2).sum().backward();
    expect(orderAfterRemoval((hook) => y.registerPostAccumulateGradHook(hook), run)).to.deep.equal(left);
  });

  it('on modules and optimizers', () => {
    const model = new nn.Linear(1, 1);
    const call = (): void => void model(tensor([1]));
    expect(orderAfterRemoval((hook) => model.registerForwardHook(hook), call)).to.deep.equal(left);
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const step = (): void => void optimizer.step();
    expect(orderAfterRemoval((hook) => optimizer.registerStepPreHook(hook), step)).to.deep.equal(left);
  });
});
