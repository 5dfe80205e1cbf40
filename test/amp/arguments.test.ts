/** The arguments of autocast and GradScaler: by position, by name, and such as are wrong. */
import { expect } from 'chai';
import {
  ArgumentError,
  amp,
  DeviceError,
  getAutocastDtype,
  isAutocastEnabled,
  optim,
  tensor,
} from '../../lib/index.js';

const { autocast, GradScaler } = amp;
const state = (): unknown[] => [isAutocastEnabled(), getAutocastDtype()];

describe('arguments of amp.autocast', () => {
  it("are PyTorch's by position, options after any of them, or all by name", () => {
    expect(autocast('cpu', state)).to.deep.equal([true, 'bfloat16']);
    expect(autocast('cpu', 'float16', state)).to.deep.equal([true, 'float16']);
    expect(autocast('cpu', null, false, state)).to.deep.equal([false, 'bfloat16']);
    expect(autocast('cpu', 'float16', true, false, state)).to.deep.equal([true, 'float16']);
    expect(autocast('cpu', { enabled: false }, state)).to.deep.equal([false, 'bfloat16']);
    expect(autocast('cpu', 'float16', { enabled: false, cacheEnabled: null }, state)).to.deep.equal([false, 'float16']);
    expect(autocast({ deviceType: 'cpu', dtype: 'float16', enabled: true }, state)).to.deep.equal([true, 'float16']);
  });

  it('name what is wrong', () => {
    const call = autocast as (...args: unknown[]) => unknown;
    for (const args of [[], ['cpu'], ['cpu', { enabled: true }], [{ deviceType: 'cpu' }]])
      expect(() => call(...args)).to.throw(ArgumentError, /autocast: expected a function to call as the last argument/);
    expect(() => call(state)).to.throw(ArgumentError, /a device such as 'cpu', got undefined/);
    expect(() => call({ device: 'cpu' }, state)).to.throw(ArgumentError, /unknown option "device"/);
    expect(() => call('cuda', state)).to.throw(DeviceError);
    expect(() => call('cpu', null, 1, state)).to.throw(ArgumentError, /a boolean for enabled, got 1/);
    expect(() => call('cpu', { cacheEnabled: 'x' }, state)).to.throw(ArgumentError, /a boolean for cacheEnabled/);
  });
});

describe('arguments of amp.GradScaler', () => {
  it("are PyTorch's by position, options after any of them, or all by name", () => {
    expect(new GradScaler('cpu', 16).getScale()).to.equal(16);
    expect(new GradScaler('cpu', 16, 3, 0.25, 7, true).stateDict()).to.deep.equal({
      scale: 16,
      growth_factor: 3,
      backoff_factor: 0.25,
      growth_interval: 7,
      _growth_tracker: 0,
    });
    expect(new GradScaler({ device: 'cpu', initScale: 8 }).getScale()).to.equal(8);
    expect(new GradScaler('cpu', { enabled: false }).isEnabled()).to.equal(false);
    expect(() => new GradScaler('cuda')).to.throw(DeviceError);
    expect(() => new GradScaler(5 as never)).to.throw(ArgumentError, /device/);
    expect(() => new GradScaler({ enabled: 1 as never })).to.throw(ArgumentError, /a boolean for enabled/);
  });

  it('takes optimizers alone', () => {
    const scaler = new GradScaler();
    for (const wrong of [undefined, null, 5, {}, tensor([1])]) {
      expect(() => scaler.step(wrong as never)).to.throw(ArgumentError, /GradScaler.step: expected an optimizer/);
      expect(() => scaler.unscale_(wrong as never)).to.throw(
        ArgumentError,
        /GradScaler.unscale_: expected an optimizer/,
      );
      expect(() => new GradScaler({ enabled: false }).step(wrong as never)).to.throw(ArgumentError, /optimizer/);
    }
    const p = tensor([1], { requiresGrad: true });
    class Own extends optim.Optimizer {
      override step(): number {
        return 7;
      }
    }
    p.grad = tensor([1]);
    expect(scaler.step(new Own([p], {})).value).to.equal(7);
  });
});
