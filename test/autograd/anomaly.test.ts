/** Anomaly detection names the operator, the module and the shapes of the first NaN or Inf, forward and backward. */
import { expect } from 'chai';
import { observer } from '../../lib/autograd/observer.js';
import { autograd, nn, type Tensor, tensor } from '../../lib/index.js';

class Poison extends autograd.Function {
  static forward(_: autograd.FunctionContext, x: Tensor): Tensor {
    return x.mul(1);
  }
  static backward(_: autograd.FunctionContext, g: Tensor): Tensor {
    return g.mul(Number.NaN);
  }
}

class Explode extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(1000).exp();
  }
}
class Net extends nn.Module {
  readonly inner = new Explode();
  override forward(x: Tensor): Tensor {
    return this.inner(x);
  }
}

describe('anomaly detection', () => {
  it('names operator, module path and shapes in the forward pass', () => {
    const net = new Net();
    const x = tensor([[0, 1]]);
    expect(net(x).tolist()).to.deep.equal([[1, Number.POSITIVE_INFINITY]]);
    expect(() => autograd.detectAnomaly(() => net(x))).to.throw(
      autograd.AnomalyError,
      /^exp: expected finite values, got Inf at element 1 of output 0 in module Net\.inner \(float32\[1,2\]\)$/,
    );
  });

  it('names the operator of a bad gradient, and where it was called', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const run = (): void => {
      const y = Poison.apply(x.mul(3));
      y.sum().backward();
    };
    run();
    expect(() => autograd.detectAnomaly(run)).to.throw(
      autograd.AnomalyError,
      /^Poison backward: expected finite gradients, got NaN at element 0 of the gradient of input 0 .*the operator was called.*anomaly\.test/s,
    );
  });

  it('does not blame an operator for what it was given', () => {
    const x = tensor([Number.NEGATIVE_INFINITY, Number.NaN]);
    expect(autograd.detectAnomaly(() => x.mul(2)).tolist()).to.deep.equal([Number.NEGATIVE_INFINITY, Number.NaN]);
  });

  it('holds across an await, and ends with the callback', async () => {
    const x = tensor([1000]);
    const failed = autograd.detectAnomaly(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      x.exp();
    });
    expect(x.exp().item()).to.equal(Number.POSITIVE_INFINITY);
    let message = '';
    await failed.catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.match(/^exp: expected finite values, got Inf/);
    expect(observer.active).to.equal(null);
  });
});
