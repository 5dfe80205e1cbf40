/**
 * What attributes of modules hold: PyTorch's rule of Module.__setattr__, whatever the compiler makes of class fields
 * (fields that are defined, fields that are assigned, no fields).
 */
import { expect } from 'chai';
import { transformSync } from 'esbuild';
import {
  ArgumentError,
  AutogradError,
  IndexError,
  manualSeed,
  nn,
  ones,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

const SOURCE = `
class Scale extends nn.Module {
  weight = new nn.Parameter(ones([2]));
  total: Tensor;
  late: nn.Parameter;
  act: nn.Module | null = null;
  inner = new nn.Linear(2, 2);
  mask = new nn.Buffer(ones([2]), { persistent: false });
  plain = ones([3]);
  size = 2;
  constructor() {
    super();
    this.registerBuffer('total', ones([1]));
    this.late = new nn.Parameter(ones([3]));
  }
  forward(x) { return x.mul(this.weight); }
}
return Scale;`;

type Open = Record<string, unknown>;
interface Built extends nn.Module, Record<string, unknown> {
  forward(x: Tensor): Tensor;
}
function compiled(target: string, useDefineForClassFields: boolean): new () => Built {
  const { code } = transformSync(`const make = (nn, ones) => {${SOURCE}};`, {
    loader: 'ts',
    target,
    tsconfigRaw: { compilerOptions: { useDefineForClassFields } },
  });
  return new Function('nn', 'ones', `${code}; return make(nn, ones);`)(nn, ones) as new () => Built;
}

for (const [target, define] of [
  ['es2022', true],
  ['es2022', false],
  ['es2020', true],
  ['es2020', false],
] as const) {
  describe(`class fields, target ${target}, ${define ? 'defined' : 'assigned'}`, () => {
    const Scale = compiled(target, define);

    it('are members, in their order', () => {
      const m = new Scale();
      expect(m.namedParameters({ recurse: false }).map(([name]) => name)).to.deep.equal(['weight', 'late']);
      expect(m.namedBuffers().map(([name]) => name)).to.have.members(['total', 'mask']);
      expect(m.namedChildren().map(([name]) => name)).to.deep.equal(['inner']);
      expect(Object.keys(m.stateDict())).to.deep.equal(['weight', 'late', 'total', 'inner.weight', 'inner.bias']);
    });

    for (const [when, prepare] of [
      ['a call', (m: Built) => m(ones([2]))],
      ['parameters()', (m: Built) => m.parameters()],
      ['to()', (m: Built) => m.to('float32')],
      ['eval()', (m: Built) => m.eval()],
    ] as const)
      it(`keep what they are after ${when}`, () => {
        const m = new Scale();
        prepare(m);
        const weight = m.weight as nn.Parameter;
        expect(() => (m.weight = weight.mul(2))).to.throw(
          ArgumentError,
          'Scale: expected a Parameter or null for the parameter "weight", got float32[2]',
        );
        expect(() => (m.inner = ones([1]))).to.throw(
          ArgumentError,
          'Scale: expected a Module or null for the submodule "inner", got float32[1]',
        );
        expect(() => (m.total = 3)).to.throw(
          ArgumentError,
          'Scale: expected a tensor or null for the buffer "total", got 3',
        );
        expect(m.weight).to.equal(weight);
      });

    it('may become members later', () => {
      const m = new Scale();
      m.parameters();
      m.act = new nn.Linear(2, 3);
      m.plain = new nn.Parameter(ones([4]));
      m.fresh = new nn.Parameter(ones([5]));
      expect(Object.keys(m.stateDict())).to.include.members(['act.weight', 'plain', 'fresh']);
      expect(() => (m.act = ones([1]))).to.throw(
        ArgumentError,
        'Scale: expected a Module or null for the submodule "act", got float32[1]',
      );
      m.size = 'anything';
      expect(m.size).to.equal('anything');
    });

    it('are copied with their guards', () => {
      const m = new Scale();
      const twin = nn.deepcopy(m);
      expect(Object.keys(twin.stateDict())).to.deep.equal(Object.keys(m.stateDict()));
      expect((twin.weight as Tensor).storage).to.not.equal((m.weight as Tensor).storage);
      expect(() => (twin.weight = ones([2]))).to.throw(ArgumentError, /"weight"/);
      twin.weight = null;
      expect(m.weight).to.be.instanceOf(nn.Parameter);
    });
  });
}

describe('the rule of assignment', () => {
  class Bare extends nn.Module {}
  const bare = (): Bare & Open => new Bare() as Bare & Open;

  it('replaces as PyTorch does', () => {
    const m = bare();
    m.x = new nn.Parameter(ones([1]));
    m.x = null;
    expect(() => (m.x = ones([1]))).to.throw(ArgumentError, /a Parameter or null for the parameter "x"/);
    m.x = new nn.Parameter(ones([2]));
    // A parameter takes the place of a module or a buffer, a module that of a buffer.
    m.y = new nn.ReLU();
    m.y = new nn.Parameter(ones([1]));
    expect(() => (m.y = new nn.ReLU())).to.throw(ArgumentError, /for the parameter "y", got ReLU/);
    m.registerBuffer('z', ones([1]));
    m.z = new nn.ReLU();
    expect(() => (m.z = new nn.Buffer(ones([1])))).to.throw(ArgumentError, /for the submodule "z"/);
    m.registerBuffer('b', null, { persistent: false });
    m.b = ones([1]);
    m.c = new nn.Buffer(ones([1]));
    expect(Object.keys(m.stateDict())).to.deep.equal(['x', 'y', 'c']);
    m.c = new nn.Buffer(ones([1]), false);
    m.b = new nn.Parameter(ones([1]));
    expect(Object.keys(m.stateDict())).to.deep.equal(['x', 'y', 'b']);
  });

  it('forgets what is deleted', () => {
    const m = bare();
    m.x = new nn.Parameter(ones([1]));
    delete m.x;
    expect('x' in m).to.equal(false);
    m.x = ones([1]);
    expect(m.parameters()).to.deep.equal([]);
    m.x = 'anything';
  });

  it('is not fooled by a field of a subclass', () => {
    class Base extends nn.Module {
      declare weight: nn.Parameter;
      constructor() {
        super();
        this.weight = new nn.Parameter(ones([1]));
      }
    }
    class Derived extends Base {
      override weight = new nn.Parameter(ones([2]));
    }
    const m = new Derived();
    expect(m.parameters()).to.deep.equal([m.weight]);
    expect(m.weight.shape).to.deep.equal([2]);
    expect(() => ((m as unknown as Open).weight = ones([2]))).to.throw(ArgumentError);
  });

  it('keeps names of another kind from being registered', () => {
    const m = new nn.Linear(2, 2);
    expect(() => m.registerBuffer('weight', ones([1]))).to.throw(
      ArgumentError,
      /registerBuffer: expected a name that is free, got "weight"/,
    );
    expect(() => m.registerModule('weight', new nn.ReLU())).to.throw(ArgumentError, /a name that is free/);
    m.registerParameter('weight', new nn.Parameter(ones([2, 2])));
    expect(m.parameters()).to.have.length(2);
  });

  it('survives loading and conversions', () => {
    const m = new nn.BatchNorm1d(2);
    m.loadStateDict(new nn.BatchNorm1d(2).double().stateDict(), { assign: true });
    expect(m.runningMean?.dtype).to.equal('float64');
    m.float();
    expect(m.runningMean?.dtype).to.equal('float32');
    expect(() => ((m as unknown as Open).runningMean = 5)).to.throw(
      ArgumentError,
      /for the buffer "runningMean", got 5/,
    );
  });

  it('leaves names to users that modules could have', () => {
    class Free extends nn.Module {
      hooks: unknown[] = [];
      members = 1;
      items = 2;
      held = 4;
      value = 3;
      override forward(x: Tensor): Tensor {
        return x;
      }
    }
    const m = new Free();
    m.registerForwardHook((_, __, y) => (y as Tensor).add(1));
    m.hooks.push('own');
    expect(m(ones([1])).item()).to.equal(2);
    expect(nn.deepcopy(m).hooks).to.deep.equal(['own']);
    expect(m.stateDict()).to.deep.equal({});
    const assigned = new nn.Module() as nn.Module & Open;
    for (const name of ['hooks', 'held', 'members', 'items', 'name', 'length', 'keys', 'values', 'call', 'apply_'])
      assigned[name] = name;
    expect([assigned.hooks, assigned.name, assigned.length]).to.deep.equal(['hooks', 'name', 'length']);
  });

  it('leaves methods and prototypes alone', () => {
    class Extended extends nn.Module {}
    (Extended.prototype as unknown as Open).extra = () => 3;
    const m = new Extended() as unknown as { extra: unknown; missing?: unknown; toString: unknown };
    expect((m.extra as () => number)()).to.equal(3);
    expect(m.missing).to.equal(undefined);
    expect(m).to.be.instanceOf(Object);
    expect(Object.hasOwn(m, 'training')).to.equal(true);
    expect(() => `${m}`).to.not.throw();
  });
});

describe('nn.Parameter and nn.Buffer', () => {
  it('take their flag by position, in options and by name', () => {
    const t = ones([2]);
    expect(new nn.Parameter(t).requiresGrad).to.equal(true);
    expect(new nn.Parameter(t, false).requiresGrad).to.equal(false);
    expect(new nn.Parameter(t, { requiresGrad: false }).requiresGrad).to.equal(false);
    expect(new nn.Parameter({ data: t, requiresGrad: false }).requiresGrad).to.equal(false);
    expect(new nn.Buffer(t, { persistent: false }).persistent).to.equal(false);
    expect(nn.deepcopy([new nn.Buffer(t, false)])[0].persistent).to.equal(false);
    expect(() => new nn.Parameter(t, { requireGrad: false } as never)).to.throw(
      ArgumentError,
      /Parameter: unknown option "requireGrad", did you mean "requiresGrad"/,
    );
    expect(() => new nn.Parameter(t, 1 as never)).to.throw(ArgumentError, /requiresGrad as true or false, got 1/);
    expect(() => new nn.Parameter([1] as never)).to.throw(ArgumentError, /Parameter: expected a tensor, got \[1\]/);
    expect(() => new nn.Parameter(tensor([1n]))).to.throw(AutogradError);
  });
});

describe('members of containers as properties', () => {
  const layers = (): nn.Linear[] => [new nn.Linear(2, 2), new nn.Linear(2, 2), new nn.Linear(2, 2)];

  it('ModuleList and Sequential: list[i], from either end', () => {
    const all = layers();
    const other = new nn.Linear(2, 2);
    for (const list of [new nn.ModuleList(all), new nn.Sequential(...all)]) {
      expect(list[0]).to.equal(all[0]);
      expect(list[-1]).to.equal(all[2]);
      list[1] = other;
      list[-1] = other;
      expect([...list]).to.deep.equal([all[0], other, other]);
      expect(Object.keys(list.stateDict())).to.deep.equal([
        '0.weight',
        '0.bias',
        '1.weight',
        '1.bias',
        '2.weight',
        '2.bias',
      ]);
      expect(() => list[3]).to.throw(IndexError, /expected an index in \[-3, 2\], got 3/);
      expect(() => (list[3] = other)).to.throw(IndexError);
      expect(() => (list[0] = 3 as never)).to.throw(ArgumentError, /expected modules, got 3/);
    }
    const named = new nn.Sequential({ fc: all[0], act: new nn.ReLU() });
    expect(named[0]).to.equal(all[0]);
    expect((named as unknown as Open).fc).to.equal(all[0]);
    named[0] = other;
    expect(named.get('fc')).to.equal(other);
  });

  it('a module that is assigned to a Sequential is called', () => {
    manualSeed(0);
    const net = new nn.Sequential(new nn.Linear(2, 2)) as nn.Sequential & { act?: nn.Module };
    net.act = new nn.ReLU();
    const x = randn([3, 2]);
    expect(net(x).tolist()).to.deep.equal(net[0](x).relu().tolist());
    expect(net.namedChildren().map(([name]) => name)).to.deep.equal(['0', 'act']);
    net.addModule('last', new nn.Tanh());
    expect(net.length).to.equal(3);
  });

  it('class fields of a subclass are members too, and are called', () => {
    class Block extends nn.Sequential {
      act: nn.Module = new nn.ReLU();
      late: nn.Module;
      constructor() {
        super(new nn.Linear(2, 2));
        this.late = new nn.Tanh();
      }
    }
    class Named extends nn.ModuleDict<nn.Linear> {
      fc = new nn.Linear(1, 1);
    }
    expect(new Block().namedChildren().map(([name]) => name)).to.deep.equal(['0', 'act', 'late']);
    expect(nn.deepcopy(new Block()).length).to.equal(3);
    const block = new Block();
    expect(block.length).to.equal(3);
    const x = randn([3, 2]);
    expect(block(x).tolist()).to.deep.equal(block[0](x).relu().tanh().tolist());
    expect(block.namedChildren().map(([name]) => name)).to.deep.equal(['0', 'act', 'late']);
    expect(block.late).to.be.instanceOf(nn.Tanh);
    expect(nn.deepcopy(block)(x).tolist()).to.deep.equal(block(x).tolist());
    const named = new Named();
    expect(named.keys()).to.deep.equal(['fc']);
    expect(named.fc).to.equal(named.get('fc'));
  });

  it('ModuleDict and ParameterDict: dict.name, unless it is the name of a method', () => {
    const [fc, keys] = layers();
    const dict = new nn.ModuleDict({ fc, keys });
    expect(dict.fc).to.equal(fc);
    expect(dict.get('keys')).to.equal(keys);
    expect(dict.keys()).to.deep.equal(['fc', 'keys']);
    (dict as unknown as Open).act = new nn.ReLU();
    dict.registerModule('more', new nn.ReLU());
    expect(dict.keys()).to.deep.equal(['fc', 'keys', 'act', 'more']);
    expect((dict as unknown as Open).nothing).to.equal(undefined);
    const parameters = new nn.ParameterDict({ a: ones([1]) });
    expect(parameters.a).to.be.instanceOf(nn.Parameter);
    const list = new nn.ParameterList([ones([1]), ones([2])]);
    expect(list[-1].shape).to.deep.equal([2]);
    list[0] = new nn.Parameter(zeros([3]));
    expect(list.at(0).shape).to.deep.equal([3]);
    expect(() => list[2]).to.throw(IndexError);
  });
});
