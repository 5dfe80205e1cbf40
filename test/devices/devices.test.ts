/** Device plumbing of programs that were written for other devices: what PyTorch without CUDA and MPS answers. */
import { expect } from 'chai';
import * as torch from '../../lib/index.js';
import {
  ArgumentError,
  backends,
  cuda,
  DeviceError,
  device,
  getDefaultDevice,
  ones,
  setDefaultDevice,
  Tensor,
  zeros,
} from '../../lib/index.js';
import { camelCase } from '../../scripts/compatibility.js';
import { answer, answersOf } from '../tensor/surface-fixture.js';

type Calls = readonly (readonly [name: string, ...rest: unknown[]])[];
const { device: names, ...spaces } = answersOf('devices') as Readonly<Record<string, Calls>>;

describe('devices', () => {
  for (const [space, calls] of Object.entries(spaces)) {
    for (const [name, ...rest] of calls) {
      const wanted = rest.pop();
      it(`${space}.${name}`, () => {
        const owner = (torch as unknown as Record<string, Record<string, (...args: unknown[]) => unknown>>)[space];
        const own = owner[camelCase(name)];
        expect(own, camelCase(name)).to.be.a('function');
        expect(answer(() => own(...rest))).to.deep.equal(wanted);
      });
    }
  }

  it('names', () => {
    for (const [name, wanted] of names)
      expect(
        answer(() => device(name)),
        name,
      ).to.equal(wanted);
    expect(device('cuda', 1)).to.equal('cuda:1');
    expect(device({ type: 'cpu', index: 0 })).to.equal('cpu:0');
    expect(device({ type: 'cpu' })).to.equal('cpu');
    for (const bad of [undefined, null, 0, {}, ones(1)])
      expect(() => device(bad as never)).to.throw(ArgumentError, /device: expected/);
    expect(() => device('cuda:1', 1)).to.throw(ArgumentError, /a whole index of at least 0 after a type without one/);
    expect(() => device('cuda', -1)).to.throw(ArgumentError);
  });

  it('a program that chooses its device runs on the CPU', () => {
    const chosen = device(cuda.isAvailable() ? 'cuda' : backends.mps.isAvailable() ? 'mps' : 'cpu');
    backends.cudnn.benchmark = true;
    backends.cuda.matmul.allowTf32 = true;
    cuda.manualSeedAll(1);
    const x = zeros(2, { device: chosen }).to(chosen, { nonBlocking: true }).pinMemory().cpu();
    expect(x.device).to.equal('cpu');
    expect(String(chosen)).to.equal('cpu');
    expect(backends.cudnn.benchmark && backends.cuda.matmul.allowTf32).to.equal(true);
    expect(() => {
      (backends.cudnn as unknown as Record<string, boolean>).benchmrk = true;
    }).to.throw(TypeError);
  });

  it('another device is one error, whichever way it is asked for', () => {
    const x = ones(1);
    for (const call of [
      () => x.cuda(),
      () => x.to('cuda'),
      () => x.cuda(0),
      () => x.cuda('cuda:1'),
      () => zeros(1, { device: 'cuda' }),
      () => x.to({ device: 'cuda' }),
      () => Tensor(1, { device: 'mps' }),
    ])
      expect(call).to.throw(DeviceError, /expected device 'cpu', the only one there is, got "(cuda|mps)/);
    expect(() => x.to('flaot32' as never)).to.throw(ArgumentError, /did you mean "float32"/);
  });

  it('the default device', () => {
    setDefaultDevice('cpu');
    setDefaultDevice(null);
    expect(getDefaultDevice()).to.equal('cpu');
    expect(() => setDefaultDevice('cuda')).to.throw(DeviceError, /setDefaultDevice/);
  });

  it('cuda.amp computes as without it', () => {
    const scaler = new cuda.amp.GradScaler();
    expect(scaler.isEnabled()).to.equal(false);
    const loss = ones(1);
    expect(scaler.scale(loss)).to.equal(loss);
    expect(cuda.amp.autocast(() => ones(2, 2).matmul(ones(2, 2)).dtype)).to.equal('float32');
    expect(cuda.amp.autocast({ enabled: true }, () => 5)).to.equal(5);
    expect(() => cuda.amp.autocast(true as never)).to.throw(
      ArgumentError,
      /cuda\.amp\.autocast: expected options and a function/,
    );
    expect(() => cuda.amp.autocast({ enable: true } as never, () => 5)).to.throw(
      ArgumentError,
      /did you mean "enabled"/,
    );
  });

  it('determinism and precision are kept as set', () => {
    torch.useDeterministicAlgorithms(true);
    expect([
      torch.areDeterministicAlgorithmsEnabled(),
      torch.isDeterministicAlgorithmsWarnOnlyEnabled(),
      torch.getDeterministicDebugMode(),
    ]).to.deep.equal([true, false, 2]);
    torch.setDeterministicDebugMode('warn');
    expect([
      torch.areDeterministicAlgorithmsEnabled(),
      torch.isDeterministicAlgorithmsWarnOnlyEnabled(),
      torch.getDeterministicDebugMode(),
    ]).to.deep.equal([true, true, 1]);
    torch.setDeterministicDebugMode(0);
    expect(torch.areDeterministicAlgorithmsEnabled()).to.equal(false);
    expect(torch.getFloat32MatmulPrecision()).to.equal('highest');
    torch.setFloat32MatmulPrecision('high');
    expect(torch.getFloat32MatmulPrecision()).to.equal('high');
    torch.setFloat32MatmulPrecision('highest');
    for (const bad of [
      () => torch.useDeterministicAlgorithms(5 as never),
      () => torch.useDeterministicAlgorithms(true, { warn: true } as never),
      () => torch.setDeterministicDebugMode('x' as never),
      () => torch.setFloat32MatmulPrecision('x' as never),
    ])
      expect(bad).to.throw(ArgumentError);
  });
});
