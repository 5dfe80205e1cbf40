/** Modules: calling, members and their names, state dicts, hooks, printing. */
import { inspect } from 'node:util';
import { expect } from 'chai';
import { modulePath } from '../../lib/autograd/module-path.js';
import { ArgumentError, CheckpointError, full, nn, randn, type Tensor, tensor } from '../../lib/index.js';

class Scale extends nn.Module {
  static override readonly stateNames = { runningSum: 'running_sum' };
  override name = 'a field of its own';
  weight: nn.Parameter;
  declare runningSum: Tensor;
  constructor(n: number) {
    super();
    this.weight = new nn.Parameter(full([n], 2));
    this.registerBuffer('runningSum', full([n], 0));
    this.registerBuffer('scratch', full([1], 7), { persistent: false });
  }
  override forward(x: Tensor): Tensor {
    return x.mul(this.weight);
  }
  override extraRepr(): string {
    return `n=${this.weight.shape[0]}, bias=False`;
  }
}

class Net extends nn.Module {
  first = new Scale(2);
  gain = new nn.Parameter(tensor([3]));
  second = new Scale(2);
  path: string | null = null;
  override forward(x: Tensor, twice = false): Tensor {
    this.path = modulePath();
    const y = this.second(this.first(x)).mul(this.gain);
    return twice ? y.add(y) : y;
  }
}

describe('nn.Module', () => {
  it('is called as a function, with the types of its forward', () => {
    const net = new Net();
    const y: Tensor = net(tensor([1, 2]), true);
    expect(y.tolist()).to.deep.equal([24, 48]);
    expect(net).to.be.instanceOf(nn.Module);
    expect(net.first.name).to.equal('a field of its own');
    expect('bind' in net).to.equal(false);
    expect(() => (new nn.Module() as nn.Layer)(tensor([1]))).to.throw(
      ArgumentError,
      /Module: expected a module with a forward method/,
    );
  });

  it('finds parameters, buffers and modules in the order of assignment', () => {
    const net = new Net();
    expect(net.namedParameters().map(([name]) => name)).to.deep.equal(['gain', 'first.weight', 'second.weight']);
    expect(net.namedBuffers({ prefix: 'm' }).map(([name]) => name)).to.deep.equal([
      'm.first.running_sum',
      'm.first.scratch',
      'm.second.running_sum',
      'm.second.scratch',
    ]);
    expect(net.namedModules().map(([name]) => name)).to.deep.equal(['', 'first', 'second']);
    expect(net.parameters(false)).to.deep.equal([net.gain]);
    expect(net.parameters({ recurse: false })).to.deep.equal([net.gain]);
    expect(net.namedParameters('m', false)).to.deep.equal([['m.gain', net.gain]]);
    expect(net.getParameter('second.weight')).to.equal(net.second.weight);
    expect(net.getBuffer('first.running_sum')).to.equal(net.first.runningSum);
    expect(() => net.getSubmodule('first.conv')).to.throw(ArgumentError, /Scale has no module conv/);
  });

  it('counts what is shared once, and names it under each name in the state dict', () => {
    const net = new Net();
    net.second.weight = net.first.weight;
    expect(net.parameters()).to.have.length(2);
    expect(net.namedParameters({ removeDuplicate: false })).to.have.length(3);
    expect(Object.keys(net.stateDict())).to.deep.equal([
      'gain',
      'first.weight',
      'first.running_sum',
      'second.weight',
      'second.running_sum',
    ]);
  });

  it('gives and takes state dicts', () => {
    const net = new Net();
    const state = net.stateDict({ prefix: 'net.' });
    expect(Object.keys(state)[0]).to.equal('net.gain');
    expect(state['net.gain'].requiresGrad).to.equal(false);
    const other = new Net();
    other.gain.toTypedArray();
    const result = other.loadStateDict({ ...new Net().stateDict(), gain: tensor([5], { dtype: 'float64' }) });
    expect(result).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
    expect(other.gain.tolist()).to.deep.equal([5]);
    expect(other.gain.dtype).to.equal('float32');
    other.loadStateDict(new Map(Object.entries(new Net().stateDict())));
    expect(other.gain.tolist()).to.deep.equal([3]);
    expect(() => other.loadStateDict(null as never)).to.throw(CheckpointError, /expected a state dict, got null/);
    expect(() => other.loadStateDict({ gain: 3 } as never, { strict: false })).to.throw(
      CheckpointError,
      /gain: expected a tensor, got 3/,
    );
  });

  it(
    'keeps the version of each layout in its state dict, as PyTorch does, and forgives old ones the count ' +
      'of batches',
    () => {
      const net = (): nn.Sequential => new nn.Sequential(new nn.Linear(2, 3), new nn.Sequential(new nn.BatchNorm1d(3)));
      const source = net();
      source(randn([4, 2]));
      const metadata = (state: object): object => (state as { _metadata: object })._metadata;
      const versions = { '': { version: 1 }, '0': { version: 1 }, '1': { version: 1 }, '1.0': { version: 2 } };
      const state = source.stateDict();
      expect(metadata(state)).to.deep.equal(versions);
      expect(metadata(source.get(1).stateDict({ prefix: 'a.' }))).to.deep.equal({
        a: { version: 1 },
        'a.0': { version: 2 },
      });
      expect(Object.keys(state)).not.to.include('_metadata');

      const target = net();
      target(randn([4, 2]));
      target(randn([4, 2]));
      delete state['1.0.num_batches_tracked'];
      expect(() => target.loadStateDict(state)).to.throw(
        CheckpointError,
        /Missing key\(s\) in state_dict: "1\.0\.num_batches_tracked"/,
      );
      // Without metadata (a plain object or a Map), or of version 1, it may be missing; the module keeps its own.
      for (const old of [
        { ...state },
        new Map(Object.entries(state)),
        Object.defineProperty({ ...state }, '_metadata', { value: { '1.0': { version: 1 } } }),
      ]) {
        expect(target.loadStateDict(old)).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
        expect(target.stateDict()['1.0.num_batches_tracked'].item()).to.equal(2);
      }
      const damaged = Object.defineProperty({ ...state }, '_metadata', { value: { '1.0': null } });
      expect(target.loadStateDict(damaged).missingKeys).to.deep.equal([]);
    },
  );

  it('lists every problem of a state dict, and loads nothing of it', () => {
    const net = new Net();
    const state: Record<string, Tensor> = {
      gain: tensor([9]),
      'first.weight': tensor([1, 2, 3]),
      'first.running_sum': full([2], 0),
      extra: tensor([1]),
    };
    expect(() => net.loadStateDict(state)).to.throw(
      CheckpointError,
      'loadStateDict: expected a state dict that fits Net, got one with errors:\n\tMissing key(s) in ' +
        'state_dict: "second.weight", "second.running_sum".\n\tUnexpected key(s) in state_dict: ' +
        '"extra".\n\tsize mismatch for first.weight: copying a param with shape torch.Size([3]) from ' +
        'checkpoint, the shape in current model is torch.Size([2]).',
    );
    expect(net.gain.tolist()).to.deep.equal([3]);
    delete state['first.weight'];
    expect(net.loadStateDict(state, { strict: false })).to.deep.equal({
      missingKeys: ['first.weight', 'second.weight', 'second.running_sum'],
      unexpectedKeys: ['extra'],
    });
    expect(net.gain.tolist()).to.deep.equal([9]);
    const given = tensor([4], { dtype: 'float64' });
    net.loadStateDict({ gain: given }, { strict: false, assign: true });
    expect(net.gain).to.be.instanceOf(nn.Parameter);
    expect(net.gain.requiresGrad).to.equal(true);
    expect(net.gain.storage).to.equal(given.storage);
  });

  it('changes dtype with the same parameter objects', () => {
    const net = new Net();
    const { gain } = net;
    net(tensor([1, 2]))
      .sum()
      .backward();
    net.double();
    expect(net.gain).to.equal(gain);
    expect([gain.dtype, gain.grad?.dtype, net.first.runningSum.dtype]).to.deep.equal(['float64', 'float64', 'float64']);
    net(tensor([1, 2], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(gain.grad?.tolist()).to.deep.equal([24]);
    expect(() => net.to('int64')).to.throw(ArgumentError, /floating dtype/);
    net.zeroGrad(false);
    expect(gain.grad?.tolist()).to.deep.equal([0]);
    net.zeroGrad();
    expect(gain.grad).to.equal(null);
  });

  it('switches the whole tree between training and evaluation', () => {
    const net = new Net().eval();
    expect(net.modules().map((m) => m.training)).to.deep.equal([false, false, false]);
    expect(net.train().second.training).to.equal(true);
    const order: string[] = [];
    net.apply((m) => order.push(m.constructor.name));
    expect(order).to.deep.equal(['Scale', 'Scale', 'Net']);
  });

  it('runs forward hooks, which may change what passes', () => {
    const net = new Net();
    const seen: string[] = [];
    const pre = net.first.registerForwardPreHook((_, [x]) => [(x as Tensor).mul(10)]);
    net.first.registerForwardHook((module, [x], y) => {
      seen.push(`${module.constructor.name} ${(x as Tensor).tolist()} ${(y as Tensor).tolist()} ${modulePath()}`);
    });
    expect(net(tensor([1, 2])).tolist()).to.deep.equal([120, 240]);
    pre.remove();
    expect(net(tensor([1, 2])).tolist()).to.deep.equal([12, 24]);
    expect(seen).to.deep.equal(['Scale 10,20 20,40 Net.first', 'Scale 1,2 2,4 Net.first']);
    expect(net.path).to.equal('Net');
    expect(modulePath()).to.equal(null);
  });

  it('runs backward hooks with the gradients of inputs and outputs', () => {
    const net = new Net();
    const seen: unknown[] = [];
    net.second.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen.push([gradInput.map((g) => g?.tolist()), gradOutput.map((g) => g?.tolist())]);
      return [gradInput[0]?.mul(100) ?? null];
    });
    net.first.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen.push([gradInput, gradOutput.map((g) => g?.tolist())]);
    });
    net.second.registerFullBackwardPreHook((_, [g]) => g?.mul(2));
    net(tensor([1, 2]))
      .sum()
      .backward();
    expect(seen).to.deep.equal([
      [[[12, 12]], [[6, 6]]],
      [[null], [[1200, 1200]]],
    ]);
    expect(net.first.weight.grad?.tolist()).to.deep.equal([1200, 2400]);
  });

  it('prints as PyTorch prints', () => {
    const seq = new nn.Sequential(
      new Scale(1),
      new nn.Sequential({ a: new nn.Identity(), b: new nn.Flatten() }),
      new nn.ModuleList([new Scale(2), new Scale(2), new Scale(3)]),
    );
    expect(inspect(seq)).to.equal(
      [
        'Sequential(',
        '  (0): Scale(n=1, bias=False)',
        '  (1): Sequential(',
        '    (a): Identity()',
        '    (b): Flatten(start_dim=1, end_dim=-1)',
        '  )',
        '  (2): ModuleList(',
        '    (0-1): 2 x Scale(n=2, bias=False)',
        '    (2): Scale(n=3, bias=False)',
        '  )',
        ')',
      ].join('\n'),
    );
  });

  it('is copied with what it shares', () => {
    const net = new Net();
    net.second = net.first;
    const twin = nn.deepcopy(net);
    expect(twin).to.be.instanceOf(Net);
    expect(twin.first).to.equal(twin.second);
    expect(twin.first.weight.storage).to.not.equal(net.first.weight.storage);
    expect(Object.keys(twin.stateDict())).to.deep.equal(Object.keys(net.stateDict()));
    expect(twin(tensor([1, 2])).tolist()).to.deep.equal(net(tensor([1, 2])).tolist());
  });

  it('refuses names that state dicts could not hold', () => {
    const net = new Net();
    expect(() => net.registerBuffer('a.b', null)).to.throw(ArgumentError, /no dot/);
    expect(() => net.registerBuffer('forward', tensor([1]))).to.throw(ArgumentError, /expected a name that is free/);
    expect(() => net.registerBuffer('w', net.first as never)).to.throw(ArgumentError, /a tensor or null, got Scale/);
    expect(() => net.registerParameter('w', tensor([1]) as nn.Parameter)).to.throw(ArgumentError, /Parameter or null/);
  });
});

describe('containers', () => {
  it('Sequential calls its members in order', () => {
    const seq = new nn.Sequential(new Scale(2), new Scale(2));
    expect(seq(tensor([1, 2])).tolist()).to.deep.equal([4, 8]);
    seq.append(new Scale(2)).insert(0, new nn.Identity());
    expect(seq(tensor([1, 2])).tolist()).to.deep.equal([8, 16]);
    expect([...seq].map((m) => m.constructor.name)).to.deep.equal(['Identity', 'Scale', 'Scale', 'Scale']);
    expect(seq.get(-1)).to.equal(seq.at(3));
    expect(seq.length).to.equal(4);
    expect(Object.keys(seq.stateDict())[0]).to.equal('1.weight');
    expect(
      seq
        .slice(2)
        .namedChildren()
        .map(([name]) => name),
    ).to.deep.equal(['2', '3']);
  });

  it('ModuleList and ModuleDict hold modules by index and by name', () => {
    const list = new nn.ModuleList([new Scale(1), new Scale(2)]);
    let x = tensor([1]);
    for (const layer of list.slice(0, 1)) x = layer(x);
    expect(x.tolist()).to.deep.equal([2]);
    expect(list.pop(0).weight.shape).to.deep.equal([1]);
    expect(list.namedParameters().map(([name]) => name)).to.deep.equal(['0.weight']);
    const dict = new nn.ModuleDict({ relu: new nn.Identity(), '2': new Scale(1) });
    dict.set('1', new Scale(1));
    expect(dict.has('relu')).to.equal(true);
    expect(dict.get('1')).to.be.instanceOf(Scale);
    expect(Object.keys(dict.stateDict()).sort()).to.deep.equal([
      '1.running_sum',
      '1.weight',
      '2.running_sum',
      '2.weight',
    ]);
    expect(() => list.at(5)).to.throw(/expected an index in \[-1, 0\], got 5/);
  });

  it('ParameterList and ParameterDict make parameters of tensors', () => {
    const list = new nn.ParameterList([tensor([1, 2]), new nn.Parameter(tensor([3]))]);
    list.append(tensor([[4]]));
    expect(list.parameters()).to.have.length(3);
    expect(String(list)).to.equal(
      'ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2]\n    (1): Parameter ' +
        'containing: [torch.float32 of size 1]\n    (2): Parameter containing: [torch.float32 of size ' +
        '1x1]\n)',
    );
    const dict = new nn.ParameterDict({ a: tensor([1]) });
    expect(dict.namedParameters().map(([name]) => name)).to.deep.equal(['a']);
    dict.double();
    expect(dict.get('a').dtype).to.equal('float64');
  });

  it('Flatten and Unflatten', () => {
    const x = full([2, 3, 4], 1);
    expect(new nn.Flatten()(x).shape).to.deep.equal([2, 12]);
    expect(new nn.Flatten(0, 1)(x).shape).to.deep.equal([6, 4]);
    expect(new nn.Unflatten(1, [3, -1])(full([2, 12], 1)).shape).to.deep.equal([2, 3, 4]);
    expect(String(new nn.Unflatten(1, [3, -1]))).to.equal('Unflatten(dim=1, unflattened_size=(3, -1))');
  });
});
