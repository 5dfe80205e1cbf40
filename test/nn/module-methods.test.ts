/**
 * Methods of modules beside calling and members: arguments by name, hooks, hooks and extra state of state dicts,
 * conversions. What is expected was seen in PyTorch.
 */
import { expect } from 'chai';
import { ArgumentError, CheckpointError, DeviceError, nn, ones, type Tensor, tensor, zeros } from '../../lib/index.js';

class Counter extends nn.Module {
  fc = new nn.Linear(1, 1);
  step = 3;
  override forward(x: Tensor): Tensor {
    return this.fc(x);
  }
  override getExtraState(): unknown {
    return { step: this.step };
  }
  override setExtraState(state: { step: number }): void {
    this.step = state.step;
  }
}
const tree = (): nn.Sequential => new nn.Sequential(new Counter(), new nn.Linear(1, 1));

describe('module methods take arguments by name', () => {
  it('registerBuffer, registerParameter, registerModule', () => {
    const m = new nn.Module();
    m.registerBuffer({ name: 'a', tensor: ones([1]), persistent: false });
    m.registerBuffer('b', ones([1]), { persistent: false });
    m.registerBuffer('c', { tensor: ones([1]) });
    m.registerParameter({ name: 'p', param: new nn.Parameter(ones([1])) });
    m.registerModule({ name: 'm', module: new nn.Linear(1, 1) });
    m.addModule({ name: 'n', module: null });
    expect(Object.keys(m.stateDict())).to.deep.equal(['p', 'c', 'm.weight', 'm.bias']);
    expect(m.namedBuffers().map(([name]) => name)).to.deep.equal(['a', 'b', 'c']);
    expect(() => m.registerBuffer('d' as never)).to.throw(
      ArgumentError,
      'registerBuffer: expected name, tensor, got no tensor',
    );
    expect(() => m.registerBuffer('d', ones([1]), { persistant: false } as never)).to.throw(
      ArgumentError,
      /unknown option "persistant", did you mean "persistent"/,
    );
    expect(() => m.registerBuffer('d', ones([1]), true, 3 as never)).to.throw(
      ArgumentError,
      /at most 3 positional arguments, got 4/,
    );
  });

  it('listings, paths and flags', () => {
    const net = tree();
    expect(net.namedParameters({ prefix: 'net', recurse: true }).map(([name]) => name)).to.deep.equal([
      'net.0.fc.weight',
      'net.0.fc.bias',
      'net.1.weight',
      'net.1.bias',
    ]);
    expect(net.parameters({ recurse: false })).to.deep.equal([]);
    expect(net.namedModules({ prefix: 'net' }).map(([name]) => name)).to.deep.equal([
      'net',
      'net.0',
      'net.0.fc',
      'net.1',
    ]);
    expect(net.namedModules(new Set([net[0]])).map(([name]) => name)).to.deep.equal(['', '1']);
    expect(net.getSubmodule({ target: '0.fc' })).to.equal((net[0] as Counter).fc);
    expect(net.getParameter({ target: '1.weight' })).to.equal((net[1] as nn.Linear).weight);
    expect(net.train({ mode: false }).training).to.equal(false);
    net.requiresGrad_({ requiresGrad: false });
    expect(net.parameters().some((p) => p.requiresGrad)).to.equal(false);
    expect(() => net.train({ training: true } as never)).to.throw(ArgumentError, /train: unknown option "training"/);
    expect(() => net.train(1 as never)).to.throw(ArgumentError, /train: expected a boolean for mode, got 1/);
  });

  it('stateDict and loadStateDict', () => {
    const net = new nn.Linear(1, 1);
    const state = net.stateDict({ prefix: 'a.', keepVars: true });
    expect(state['a.weight']).to.equal(net.weight);
    const destination = {};
    expect(net.stateDict({ destination })).to.equal(destination);
    expect(() => net.stateDict({ destination: Object.freeze({}) })).to.throw(
      ArgumentError,
      /an object to which keys can be added/,
    );
    expect(net.stateDict(null, 'b.')).to.have.property('b.weight');
    const partial = { weight: zeros([1, 1]) };
    for (const load of [
      () => net.loadStateDict({ stateDict: partial, strict: false }),
      () => net.loadStateDict(partial, { strict: false }),
      () => net.loadStateDict(partial, false),
      () => net.loadStateDict({ stateDict: new Map(Object.entries(partial)), strict: false, assign: true }),
    ])
      expect(load()).to.deep.equal({ missingKeys: ['bias'], unexpectedKeys: [] });
    expect(() => net.loadStateDict(partial, { strikt: false } as never)).to.throw(
      ArgumentError,
      /loadStateDict: unknown option "strikt"/,
    );
    expect(() => net.loadStateDict(3 as never)).to.throw(CheckpointError, /a state dict, got 3/);
    // A module may have a parameter of that name.
    const odd = new nn.ParameterDict({ stateDict: ones([1]) });
    expect(odd.loadStateDict({ stateDict: tensor([5]) }).missingKeys).to.deep.equal([]);
    expect(odd.get('stateDict').item()).to.equal(5);
  });
});

describe('hooks of modules', () => {
  const registrations = [
    'registerForwardPreHook',
    'registerForwardHook',
    'registerFullBackwardPreHook',
    'registerFullBackwardHook',
    'registerStateDictPreHook',
    'registerStateDictPostHook',
    'registerLoadStateDictPreHook',
    'registerLoadStateDictPostHook',
  ] as const;
  for (const name of registrations)
    it(`${name} wants a function`, () => {
      const module = new nn.ReLU();
      for (const hook of [undefined, null, 3, 'x', [], ones([1])])
        expect(() => (module[name] as (hook: unknown) => unknown).call(module, hook), String(hook)).to.throw(
          ArgumentError,
          new RegExp(`^${name}: expected a function as hook, got`),
        );
      module[name](() => undefined).remove();
    });

  it('are given by name, and run before others with prepend', () => {
    const seen: string[] = [];
    const m = new nn.Identity();
    m.registerForwardHook(() => seen.push('second') && undefined);
    m.registerForwardHook({ hook: () => seen.push('first') && undefined, prepend: true });
    m.registerForwardPreHook(() => seen.push('pre') && undefined, { prepend: true });
    m(ones([1]));
    expect(seen).to.deep.equal(['pre', 'first', 'second']);
    expect(() => m.registerForwardHook(() => undefined, { first: true } as never)).to.throw(
      ArgumentError,
      /unknown option "first"/,
    );
  });

  it('run again after they were off', () => {
    const m = new nn.Identity();
    let calls = 0;
    const count = (): void => void calls++;
    m(ones([1]));
    const handle = m.registerForwardHook(count);
    m(ones([1]));
    handle.remove();
    m(ones([1]));
    m.registerForwardHook(count);
    m(ones([1]));
    expect(calls).to.equal(2);
  });

  it('of state dicts run in the order of PyTorch', () => {
    const net = tree();
    const seen: string[] = [];
    const counter = net[0] as Counter;
    [net, counter, counter.fc, net[1]].forEach((m, i) => {
      m.registerStateDictPreHook((_, prefix, keepVars) => seen.push(`pre ${i} ${prefix} ${keepVars}`) && undefined);
      m.registerStateDictPostHook(
        (_, state, prefix, metadata) =>
          seen.push(`post ${i} ${prefix} ${Object.keys(state).length} ${metadata.version}`) && undefined,
      );
      m.registerLoadStateDictPreHook(
        (_, __, prefix, metadata, strict) =>
          seen.push(`load ${i} ${prefix} ${metadata.version} ${strict}`) && undefined,
      );
      m.registerLoadStateDictPostHook(
        (_, { missingKeys, unexpectedKeys }) => seen.push(`loaded ${i} ${missingKeys} ${unexpectedKeys}`) && undefined,
      );
    });
    const state = net.stateDict();
    expect(seen).to.deep.equal([
      'pre 0  false',
      'pre 1 0. false',
      'pre 2 0.fc. false',
      'post 2 0.fc. 3 1',
      'post 1 0. 3 1',
      'pre 3 1. false',
      'post 3 1. 5 1',
      'post 0  5 1',
    ]);
    seen.length = 0;
    net.loadStateDict(state);
    expect(seen.filter((line) => line.startsWith('load '))).to.deep.equal([
      'load 0  1 true',
      'load 1 0. 1 true',
      'load 2 0.fc. 1 true',
      'load 3 1. 1 true',
    ]);
    expect(seen.filter((line) => line.startsWith('loaded'))).to.deep.equal([
      'loaded 2  ',
      'loaded 1  ',
      'loaded 3  ',
      'loaded 0  ',
    ]);
  });

  it('of state dicts rename keys and forgive', () => {
    const linear = new nn.Linear(1, 1);
    linear.registerLoadStateDictPreHook((_, state, prefix) => {
      state[`${prefix}weight`] = state[`${prefix}kernel`];
      delete state[`${prefix}kernel`];
    });
    const given = { kernel: tensor([[7]]), bias: zeros([1]) };
    linear.loadStateDict(given);
    expect(linear.weight.item()).to.equal(7);
    expect(Object.keys(given)).to.deep.equal(['kernel', 'bias']);
    linear.registerLoadStateDictPreHook(
      (_, __, ___, ____, _____, ______, _______, errors) => errors.push('nothing fits') && undefined,
    );
    expect(() => linear.loadStateDict(given)).to.throw(CheckpointError, /nothing fits/);

    const net = tree();
    const state = net.stateDict();
    delete state['1.bias'];
    state.z = ones([1]);
    expect(() => net.loadStateDict(state)).to.throw(
      CheckpointError,
      /"1.bias".\n\tUnexpected key\(s\) in state_dict: "z"/,
    );
    net.registerLoadStateDictPostHook((_, keys) => {
      keys.missingKeys.length = 0;
      keys.unexpectedKeys.length = 0;
    });
    expect(net.loadStateDict(state)).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
  });
});

describe('extra state', () => {
  it('is an entry of the state dict, and is wanted on loading', () => {
    const net = tree();
    const state = net.stateDict() as Record<string, unknown>;
    expect(Object.keys(state)).to.have.members(['0._extra_state', '0.fc.weight', '0.fc.bias', '1.weight', '1.bias']);
    expect(state['0._extra_state']).to.deep.equal({ step: 3 });
    state['0._extra_state'] = { step: 9 };
    net.loadStateDict(state as never);
    expect((net[0] as Counter).step).to.equal(9);
    delete state['0._extra_state'];
    expect(() => net.loadStateDict(state as never)).to.throw(
      CheckpointError,
      /Missing key\(s\) in state_dict: "0._extra_state"/,
    );
    expect(() => new nn.Linear(1, 1).getExtraState()).to.throw(
      ArgumentError,
      /getExtraState: expected Linear to define it/,
    );
    expect(() => new nn.Linear(1, 1).setExtraState(1)).to.throw(ArgumentError, /setExtraState/);
  });
});

describe('conversions of modules', () => {
  it('cpu, cuda, to, type, toEmpty, compile', () => {
    const norm = new nn.BatchNorm1d(2);
    expect(norm.cpu()).to.equal(norm);
    expect(norm.compile()).to.equal(norm);
    for (const call of [
      () => norm.cuda(),
      () => norm.cuda(0),
      () => norm.to('cuda' as never),
      () => norm.to({ device: 'cuda:0' }),
      () => norm.toEmpty({ device: 'cuda' }),
    ])
      expect(call).to.throw(DeviceError, /device 'cpu', the only one there is, got "cuda/);
    norm.to({ device: 'cpu', dtype: 'float64', nonBlocking: true });
    expect([norm.weight?.dtype, norm.numBatchesTracked?.dtype]).to.deep.equal(['float64', 'int64']);
    norm.to('cpu', 'float32', true);
    expect(norm.weight?.dtype).to.equal('float32');
    norm.to({ tensor: ones([1], { dtype: 'float64' }) });
    expect(norm.weight?.dtype).to.equal('float64');
    norm.requiresGrad_(false).type('int64');
    expect([norm.weight?.dtype, norm.runningMean?.dtype]).to.deep.equal(['int64', 'int64']);
    expect(() => new nn.Linear(1, 1).type('int64')).to.throw(
      ArgumentError,
      /type: expected a floating dtype for a module whose parameters require grad/,
    );
    expect(() => new nn.Linear(1, 1).to(3 as never)).to.throw(
      ArgumentError,
      /to: expected a dtype, a device or a tensor, got 3/,
    );
    expect(() => new nn.Linear(1, 1).to({ dtypes: 'float64' } as never)).to.throw(
      ArgumentError,
      /unknown option "dtypes"/,
    );
    const linear = new nn.Linear(2, 2);
    const { weight } = linear;
    const { storage } = weight;
    linear.toEmpty({ device: 'cpu' });
    expect(linear.weight).to.equal(weight);
    expect(weight.storage).to.not.equal(storage);
  });

  it('setSubmodule puts a module at a path', () => {
    const net = tree();
    net.setSubmodule('0.fc', new nn.ReLU());
    expect((net[0] as Counter).fc as nn.Module).to.be.instanceOf(nn.ReLU);
    net.setSubmodule('1', new nn.Tanh());
    net.setSubmodule({ target: '2', module: new nn.Sigmoid() });
    expect([...net].map((m) => m.constructor.name)).to.deep.equal(['Counter', 'Tanh', 'Sigmoid']);
    expect(() => net.setSubmodule('7', new nn.ReLU(), true)).to.throw(
      ArgumentError,
      /setSubmodule: expected a path into Sequential, got "7"/,
    );
    expect(() => net.setSubmodule('a.b', new nn.ReLU())).to.throw(ArgumentError, /Sequential has no module a/);
    expect(() => net.setSubmodule('', new nn.ReLU())).to.throw(ArgumentError, /a name that is not empty/);
    expect(() => net.setSubmodule('0', 3 as never)).to.throw(ArgumentError, /a module, got 3/);
  });
});
