/** gradcheck finds wrong derivatives and says where; the user-written operator is what it is tried on. */
import { expect } from 'chai';
import { autograd, type Tensor, tensor } from '../../lib/index.js';

class Cube extends autograd.Function {
  static forward(context: autograd.FunctionContext, x: Tensor, factor: number): Tensor {
    context.saveForBackward(x);
    context.factor = factor;
    return x.mul(x).mul(x).mul(factor);
  }
  static backward(context: autograd.FunctionContext, g: Tensor): (Tensor | null)[] {
    const [x] = context.savedTensors;
    return [
      g
        .mul(x!.mul(x!))
        .mul(3)
        .mul(context.factor as number),
      null,
    ];
  }
}

class WrongSign extends autograd.Function {
  static forward(context: autograd.FunctionContext, x: Tensor): Tensor {
    context.saveForBackward(x);
    return x.exp();
  }
  static backward(context: autograd.FunctionContext, g: Tensor): Tensor {
    return g.mul(context.savedTensors[0]!.exp()).mul(-1);
  }
}

class HalfRight extends autograd.Function {
  static forward(context: autograd.FunctionContext, x: Tensor): Tensor {
    context.saveForBackward(x.mul(x).detach());
    return x.mul(x);
  }
  static backward(context: autograd.FunctionContext, g: Tensor): Tensor {
    // The value is right (2x = 2 x^2 / x would do), but it is cut from the graph.
    return g.mul(context.savedTensors[0]!.mul(0)).add(g.mul(2));
  }
}

const point = () => tensor([1, 2, -1.5], { dtype: 'float64', requiresGrad: true });

describe('gradcheck', () => {
  it('passes a right derivative, first and second', () => {
    expect(autograd.gradcheck((x) => Cube.apply(x, 2), point())).to.equal(true);
    expect(autograd.gradgradcheck((x) => Cube.apply(x, 2), point())).to.equal(true);
  });

  it('names input, output and the worst element of a wrong one', () => {
    expect(() => autograd.gradcheck((x) => WrongSign.apply(x), point())).to.throw(
      autograd.GradcheckError,
      /output 0 with respect to input 0 is wrong: at input element 1, output element 1 expected 7\.389\d* \(numerical\), got -7\.389/,
    );
    expect(autograd.gradcheck((x) => WrongSign.apply(x), point(), { raiseException: false })).to.equal(false);
  });

  it('finds a derivative that is right only at one point', () => {
    expect(() => autograd.gradcheck((x) => HalfRight.apply(x), point())).to.throw(
      autograd.GradcheckError,
      /input element 2/,
    );
  });

  it('refuses float32', () => {
    expect(() => autograd.gradcheck((x) => x.exp(), tensor([1], { requiresGrad: true }))).to.throw(
      /expected float64 inputs/,
    );
  });

  it('finds an output that depends on an input outside of the graph', () => {
    expect(() => autograd.gradcheck((x) => x.detach().mul(2), point())).to.throw(/does not require grad/);
  });
});

describe('hooks', () => {
  it('see and replace gradients of intermediate tensors and leaves', () => {
    const x = point();
    const y = x.mul(2);
    y.registerHook((g) => g.mul(10));
    const handle = x.registerHook((g) => g.add(1));
    y.sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([21, 21, 21]);
    handle.remove();
    x.grad = null;
    x.mul(3).sum().backward();
    expect(x.grad).to.not.equal(null);
    expect((x.grad as unknown as Tensor).tolist()).to.deep.equal([3, 3, 3]);
  });

  it('keeps the gradient of an intermediate tensor where asked', () => {
    const x = point();
    const y = x.mul(2);
    y.retainGrad();
    y.mul(y).sum().backward();
    expect(y.grad?.tolist()).to.deep.equal([4, 8, -6]);
  });
});
