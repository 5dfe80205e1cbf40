/** The arguments of `grad`, `backward`, grad modes and checks: by position, by name, and such as are wrong. */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  autograd,
  enableGrad,
  inferenceMode,
  isGradEnabled,
  noGrad,
  ShapeError,
  setGradEnabled,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const { detectAnomaly, grad, gradcheck, gradgradcheck, setDetectAnomaly } = autograd;
const leaf = (values: number | number[] = [1, 2, 3]): Tensor =>
  tensor(values, { dtype: 'float64', requiresGrad: true });
const lists = (gradients: readonly (Tensor | null)[]): unknown[] => gradients.map((g) => g?.tolist() ?? null);

describe('autograd.grad', () => {
  it("takes PyTorch's positions, options after any of them, or all by name", () => {
    const x = leaf();
    const v = tensor([1, 10, 100], { dtype: 'float64' });
    const expected = [[2, 40, 600]];
    const y = (): Tensor => x.mul(x);
    const [g] = grad(y(), x, v);
    // The type has no null where nothing may be missing.
    expect(g.tolist()).to.deep.equal(expected[0]);
    expect(lists(grad(y(), [x], [v]))).to.deep.equal(expected);
    expect(lists(grad([y()], [x], { gradOutputs: v }))).to.deep.equal(expected);
    expect(lists(grad(y(), x, v, false, false, true, true))).to.deep.equal(expected);
    expect(lists(grad({ outputs: y(), inputs: [x], gradOutputs: [v] }))).to.deep.equal(expected);
    expect(lists(grad(y(), x, v, { retainGraph: true, onlyInputs: true }))).to.deep.equal(expected);
    expect(lists(grad(y(), new Set([x]), v))).to.deep.equal(expected);
    const [first] = grad(x.pow(3).sum(), x, null, null, true);
    expect(lists(grad(first.sum(), x))).to.deep.equal([[6, 12, 18]]);
  });

  it('takes gradients of other types as those of their outputs', () => {
    for (const dtype of ['int16', 'bool', 'float16', 'float64'] as const) {
      const x = tensor([-1, 2, 3], { dtype: 'float32', requiresGrad: true });
      const ones = tensor([1, 1, 1], { dtype });
      for (const [output, expected] of [
        [x, [1, 1, 1]],
        [x.mul(2), [2, 2, 2]],
        [x.relu(), [0, 1, 1]],
      ] as const) {
        const [g] = grad(output, x, ones);
        expect(g.dtype, dtype).to.equal('float32');
        expect(g.tolist(), dtype).to.deep.equal(expected);
      }
      autograd.backward([x.relu()], [ones]);
      expect(x.grad?.tolist(), dtype).to.deep.equal([0, 1, 1]);
    }
  });

  it('keeps the graph where it is asked to', () => {
    const x = leaf();
    const y = x.mul(x).sum();
    grad(y, x, null, true);
    grad(y, x);
    expect(() => grad(y, x)).to.throw(AutogradError);
  });

  it('gives null, zeros or an error for an input that is not used', () => {
    const x = leaf();
    const unused = leaf([1]);
    const y = (): Tensor => x.sum();
    expect(() => grad(y(), [x, unused])).to.throw(AutogradError, /allowUnused/);
    expect(lists(grad(y(), [x, unused], { allowUnused: true }))).to.deep.equal([[1, 1, 1], null]);
    expect(lists(grad(y(), [x, unused], { materializeGrads: true }))).to.deep.equal([[1, 1, 1], [0]]);
    expect(() => grad(y(), [x], { materializeGrads: true, allowUnused: false })).to.throw(
      ArgumentError,
      /allowUnused true or not given/,
    );
  });

  it('takes a batch of gradients, as PyTorch does', () => {
    const x = leaf();
    const unused = leaf([1, 2]);
    const rows = tensor(
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
      { dtype: 'float64' },
    );
    const options = { gradOutputs: rows, isGradsBatched: true };
    expect(lists(grad(x.pow(2), x, options))).to.deep.equal([
      [
        [2, 0, 0],
        [0, 4, 0],
        [0, 0, 6],
      ],
    ]);
    const [jacobian] = grad(x.pow(3), x, { ...options, createGraph: true });
    expect(grad(jacobian.sum(), x)[0].tolist()).to.deep.equal([6, 12, 18]);
    expect(lists(grad(x.pow(2), unused, { ...options, allowUnused: true }))).to.deep.equal([null]);
    expect(grad(x.pow(2), unused, { ...options, materializeGrads: true })[0].shape).to.deep.equal([3, 2]);
    expect(() => grad(x.pow(2), x, { gradOutputs: tensor(1), isGradsBatched: true })).to.throw(
      ShapeError,
      /first dimension/,
    );
    expect(() => grad(x.pow(2), x, { gradOutputs: rows.narrow(1, 0, 2), isGradsBatched: true })).to.throw(
      ShapeError,
      /gradient of shape \[3\]/,
    );
  });

  it('refuses what is no tensor, and what PyTorch refuses', () => {
    const x = leaf();
    const call = grad as (...args: unknown[]) => unknown;
    for (const [args, message] of [
      [[], /for outputs, got undefined/],
      [[x.sum()], /for inputs, got undefined/],
      [[5, x], /for outputs, got 5/],
      [[x.sum(), [5]], /tensors for inputs, got 5/],
      [[x.sum(), x, 5], /for gradOutputs, got 5/],
      [[x.sum(), x, [null, null]], /1 gradients in gradOutputs/],
      [[x.sum(), x, null, 'yes'], /a boolean for retainGraph/],
      [[x.sum(), x, { onlyInputs: false }], /onlyInputs: true/],
      [[x.sum(), x, { gradOutput: null }], /did you mean "gradOutputs"/],
      [[{ outputs: x.sum(), input: x }], /did you mean "inputs"/],
    ] as const)
      expect(() => call(...args)).to.throw(ArgumentError, message);
  });
});

describe('autograd.backward and Tensor.backward', () => {
  it("take PyTorch's positions, options after any of them, or all by name", () => {
    const v = tensor([1, 10, 100], { dtype: 'float64' });
    for (const run of [
      (x: Tensor) => autograd.backward(x.mul(x), v),
      (x: Tensor) => autograd.backward([x.mul(x)], [v], false, false),
      (x: Tensor) => autograd.backward({ tensors: [x.mul(x)], gradTensors: [v] }),
      (x: Tensor) => autograd.backward(x.mul(x), { gradTensors: v, inputs: [x] }),
      (x: Tensor) => x.mul(x).backward(v),
      (x: Tensor) => x.mul(x).backward({ gradient: v, inputs: x }),
      (x: Tensor) => x.mul(x).backward(v, true, false, [x]),
      (x: Tensor) => x.mul(x).backward(v, { retainGraph: true }),
    ]) {
      const x = leaf();
      run(x);
      expect(x.grad?.tolist()).to.deep.equal([2, 40, 600]);
    }
  });

  it('refuse what is no tensor', () => {
    const x = leaf();
    const backward = autograd.backward as (...args: unknown[]) => unknown;
    expect(() => backward()).to.throw(ArgumentError, /for tensors, got undefined/);
    expect(() => backward('x')).to.throw(ArgumentError, /for tensors, got "x"/);
    expect(() => backward(x.sum(), 5)).to.throw(ArgumentError, /for gradTensors, got 5/);
    expect(() => backward(x.sum(), { inputs: 5 })).to.throw(ArgumentError, /for inputs, got 5/);
    const loss = x.sum() as unknown as { backward(...args: unknown[]): void };
    expect(() => loss.backward(5)).to.throw(ArgumentError, /a tensor for gradient, got 5/);
    expect(() => loss.backward(null, 5)).to.throw(ArgumentError, /a boolean for retainGraph, got 5/);
    expect(() => loss.backward({ retaingraph: true })).to.throw(ArgumentError, /did you mean "retainGraph"/);
  });
});

describe('grad modes', () => {
  it('take a mode and a function, as the context managers of PyTorch take a mode', async () => {
    expect(setGradEnabled(false, isGradEnabled)).to.equal(false);
    expect(noGrad(() => setGradEnabled(true, isGradEnabled))).to.equal(true);
    expect(isGradEnabled()).to.equal(true);
    expect(inferenceMode(isGradEnabled)).to.equal(false);
    expect(inferenceMode(false, isGradEnabled)).to.equal(true);
    expect(inferenceMode(true, isGradEnabled)).to.equal(false);
    expect(noGrad(() => inferenceMode(false, isGradEnabled))).to.equal(false);
    expect(
      await setGradEnabled(false, async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return isGradEnabled();
      }),
    ).to.equal(false);
    noGrad(() => {
      setGradEnabled(true);
      expect(isGradEnabled()).to.equal(true);
    });
    expect(isGradEnabled()).to.equal(true);
  });

  it('refuse what is no function and no mode', () => {
    for (const [name, mode] of Object.entries({ noGrad, enableGrad, inferenceMode, detectAnomaly }))
      for (const wrong of [undefined, null, 5, 'x', {}, leaf()])
        expect(() => (mode as (fn: unknown) => unknown)(wrong), name).to.throw(
          ArgumentError,
          new RegExp(`^${name}: expected a function`),
        );
    const set = setGradEnabled as (...args: unknown[]) => unknown;
    for (const wrong of [undefined, null, 0, 'x'])
      expect(() => set(wrong)).to.throw(ArgumentError, /setGradEnabled: expected a boolean for mode/);
    expect(() => set(true, 5)).to.throw(ArgumentError, /setGradEnabled: expected a function/);
    expect(() => (inferenceMode as (...args: unknown[]) => unknown)(true)).to.throw(
      ArgumentError,
      /inferenceMode: expected a function/,
    );
    expect(() => setDetectAnomaly(1 as unknown as boolean)).to.throw(ArgumentError, /boolean/);
    expect(() => detectAnomaly(() => 1, { checkNaN: true } as object)).to.throw(
      ArgumentError,
      /did you mean "checkNan"/,
    );
    expect(isGradEnabled()).to.equal(true);
  });
});

describe('autograd.Variable', () => {
  it('is a leaf with the memory of its tensor, with and without new', () => {
    const x = leaf();
    const y = x.mul(2);
    const v = autograd.Variable(y, true);
    expect([v.requiresGrad, v.isLeaf, v.gradFn]).to.deep.equal([true, true, null]);
    noGrad(() => v.zero_());
    expect(y.tolist()).to.deep.equal([0, 0, 0]);
    expect(new autograd.Variable(y).requiresGrad).to.equal(false);
    expect(new autograd.Variable(y, { requiresGrad: true }).requiresGrad).to.equal(true);
    expect(y instanceof autograd.Variable).to.equal(true);
    expect({} instanceof autograd.Variable).to.equal(false);
    expect(() => autograd.Variable([1] as never)).to.throw(
      ArgumentError,
      /autograd.Variable: expected a tensor, got \[1\]/,
    );
    expect(() => autograd.Variable(y, 1 as never)).to.throw(ArgumentError, /boolean/);
  });
});

describe("a user's own autograd.Function", () => {
  it('says what its forward and backward must return', () => {
    class Nothing extends autograd.Function {
      static forward(): undefined {
        return undefined;
      }
    }
    class Wrong extends autograd.Function {
      static forward(_: unknown, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(): number {
        return 5;
      }
    }
    const run = (Class: unknown, x: Tensor): Tensor =>
      (autograd.Function.apply as (...args: unknown[]) => Tensor).call(Class, x);
    expect(() => run(Nothing, leaf())).to.throw(
      AutogradError,
      /Nothing.forward: expected a tensor or a list of tensors as result, got undefined/,
    );
    expect(() => run(Wrong, leaf()).sum().backward()).to.throw(
      AutogradError,
      /Wrong.backward: expected a gradient, a list of gradients or null, got 5/,
    );
  });
});

describe('checks of derivatives', () => {
  it('refuse functions that return no tensor, and inputs that are none', () => {
    const x = leaf();
    for (const check of [gradcheck, gradgradcheck]) {
      const call = check as (...args: unknown[]) => unknown;
      expect(() => call(() => 5, x)).to.throw(
        ArgumentError,
        /expected a function that returns a tensor or a list of tensors, got 5/,
      );
      expect(() => call(() => [x.sum(), 5], x)).to.throw(ArgumentError, /returns a tensor or a list/);
      expect(() => call(5, x)).to.throw(ArgumentError, /a function to check, got 5/);
      expect(() => call((y: Tensor) => y, 5)).to.throw(ArgumentError, /as inputs, got 5/);
      expect(() => call((y: Tensor) => y, [x, 5])).to.throw(ArgumentError, /tensors as inputs, got 5/);
      expect(() => call((y: Tensor) => y, x, { epsilon: 1 })).to.throw(ArgumentError, /unknown option "epsilon"/);
      expect(() => call((y: Tensor) => y, x, { eps: 'x' })).to.throw(ArgumentError, /a number for eps/);
    }
    expect(gradgradcheck((y) => y.pow(3), x, tensor([1, 2, 3], { dtype: 'float64', requiresGrad: true }))).to.equal(
      true,
    );
  });

  it('hooks are functions', () => {
    for (const wrong of [undefined, null, 5, {}])
      expect(() => leaf().registerHook(wrong as never)).to.throw(
        ArgumentError,
        /registerHook: expected a function of the gradient/,
      );
  });
});
