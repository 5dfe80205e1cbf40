/**
 * The scaler's bookkeeping: PyTorch's rules for growth and backoff, one pass over gradients, and the order of calls.
 */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  amp,
  CheckpointError,
  DTypeError,
  optim,
  type Tensor,
  tensor,
} from '../../lib/index.js';

function setup(): { p: Tensor; optimizer: optim.SGD; scaler: amp.GradScaler } {
  const p = tensor([1, 2], { requiresGrad: true });
  return {
    p,
    optimizer: new optim.SGD([p], { lr: 1 }),
    scaler: new amp.GradScaler({ initScale: 4, growthInterval: 2 }),
  };
}

describe('amp.GradScaler', () => {
  it('scales losses, unscales gradients and steps', () => {
    const { p, optimizer, scaler } = setup();
    const loss = scaler.scale(p.mul(p).sum());
    expect(loss.item()).to.equal(20);
    loss.backward();
    expect(p.grad?.tolist()).to.deep.equal([8, 16]);
    expect(scaler.step(optimizer)).to.deep.equal({ stepped: true, value: undefined });
    expect(p.grad?.tolist()).to.deep.equal([2, 4]);
    expect(p.tolist()).to.deep.equal([-1, -2]);
    scaler.update();
    expect(scaler.getScale()).to.equal(4);
    expect((scaler.scale([p, [p]]) as [Tensor, [Tensor]])[1][0].tolist()).to.deep.equal([-4, -8]);
  });

  it('grows after growthInterval finite steps, backs off and skips where a gradient is not finite', () => {
    const { p, optimizer, scaler } = setup();
    const scales: number[] = [];
    const stepped: boolean[] = [];
    for (const g of [1, 1, Number.NaN, Number.POSITIVE_INFINITY, 1, 1, 1]) {
      p.grad = tensor([1, g]);
      stepped.push(scaler.step(optimizer).stepped);
      scaler.update();
      scales.push(scaler.getScale());
    }
    expect(stepped).to.deep.equal([true, true, false, false, true, true, true]);
    expect(scales).to.deep.equal([4, 8, 4, 2, 2, 4, 4]);
    expect(scaler.stateDict()).to.deep.equal({
      scale: 4,
      growth_factor: 2,
      backoff_factor: 0.5,
      growth_interval: 2,
      _growth_tracker: 1,
    });
  });

  it('finds one infinity among many elements, whatever the type', () => {
    for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
      const p = tensor(new Float32Array(100_003), { dtype, requiresGrad: true });
      const optimizer = new optim.SGD([p]);
      const values = new Float32Array(100_003).fill(8);
      const scaler = new amp.GradScaler('cpu', { initScale: 8 });
      p.grad = tensor(values, { dtype });
      expect(scaler.step(optimizer).stepped).to.equal(true);
      expect(p.grad.toTypedArray()[99_999]).to.equal(1);
      scaler.update();
      values[70_000] = Number.NEGATIVE_INFINITY;
      p.grad = tensor(values, { dtype });
      expect(scaler.step(optimizer).stepped).to.equal(false);
    }
  });

  it('unscales before clipping, once', () => {
    const { p, optimizer, scaler } = setup();
    p.grad = tensor([4]).expand(2);
    scaler.unscale_(optimizer);
    expect(p.grad.tolist()).to.deep.equal([1, 1]);
    expect(() => scaler.unscale_(optimizer)).to.throw(AutogradError, /second/);
    expect(scaler.step(optimizer).stepped).to.equal(true);
    expect(() => scaler.step(optimizer)).to.throw(AutogradError, /update/);
    expect(() => scaler.unscale_(optimizer)).to.throw(AutogradError, /after/);
    expect(p.tolist()).to.deep.equal([0, 1]);
    scaler.update(32);
    expect(scaler.getScale()).to.equal(32);
  });

  it('carries its state', () => {
    const { scaler } = setup();
    const other = new amp.GradScaler();
    other.loadStateDict({ scale: 16, growth_factor: 3, backoff_factor: 0.25, growth_interval: 7, _growth_tracker: 5 });
    expect(other.getScale()).to.equal(16);
    expect(other.getGrowthFactor()).to.equal(3);
    expect(other.getBackoffFactor()).to.equal(0.25);
    expect(other.getGrowthInterval()).to.equal(7);
    scaler.loadStateDict(other.stateDict());
    expect(scaler.stateDict()).to.deep.equal(other.stateDict());
    expect(() => scaler.loadStateDict({})).to.throw(CheckpointError, /disabled/);
  });

  it('does nothing where it is disabled', () => {
    const { p, optimizer } = setup();
    const scaler = new amp.GradScaler({ enabled: false });
    expect(scaler.scale(p)).to.equal(p);
    expect(scaler.getScale()).to.equal(1);
    expect(scaler.stateDict()).to.deep.equal({});
    expect(scaler.step(optimizer, () => 7)).to.deep.equal({ stepped: true, value: 7 });
    scaler.update();
  });

  it('refuses what cannot be', () => {
    const { p, optimizer, scaler } = setup();
    expect(() => new amp.GradScaler({ growthFactor: 1 })).to.throw(ArgumentError, /above 1/);
    expect(() => new amp.GradScaler({ backoffFactor: 1 })).to.throw(ArgumentError, /below 1/);
    expect(() => new amp.GradScaler({ initscale: 1 } as object)).to.throw(ArgumentError, /did you mean "initScale"/);
    expect(() => scaler.update()).to.throw(AutogradError, /none since/);
    expect(() => scaler.step(optimizer)).to.throw(AutogradError, /have none/);
    expect(() => scaler.step(optimizer, () => 1)).to.throw(ArgumentError, /closure/);
    const half = tensor([1], { dtype: 'float16', requiresGrad: true });
    half.grad = tensor([1], { dtype: 'float16' });
    expect(() => scaler.unscale_(new optim.SGD([half]))).to.throw(DTypeError, /float16/);
    expect(p.tolist()).to.deep.equal([1, 2]);
  });
});
