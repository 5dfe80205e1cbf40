/**
 * Spectral and weight normalisation against PyTorch's, by hook and as parametrizations: random streams, keys, training,
 * removal (test/fixtures/reparametrization.json, made by scripts/fixtures/reparametrization.py); and
 * nn.utils.parametrize.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  ArgumentError,
  DTypeError,
  manualSeed,
  nn,
  ones,
  optim,
  randn,
  ShapeError,
  type Tensor,
  tensor,
} from '../../lib/index.js';

interface Stored {
  readonly shape: number[];
  readonly data: number[];
}
interface Entry {
  readonly form: string;
  readonly cls: 'Linear' | 'Conv2d' | 'ConvTranspose2d';
  readonly args: number[];
  readonly options: { dim?: number | null; n_power_iterations?: number };
  readonly repr: string;
  readonly names: string[];
  readonly start: Record<string, Stored>;
  readonly shape: number[];
  readonly losses: number[];
  readonly end: Record<string, Stored>;
  readonly output: Stored;
  readonly removed: Record<string, Stored>;
  readonly removedRepr: string;
}
const entries = JSON.parse(
  readFileSync(new URL('../fixtures/reparametrization.json', import.meta.url), 'utf8'),
) as Entry[];

function expectNear(got: Tensor, expected: Stored, what: string): void {
  expect(got.shape, what).to.deep.equal(expected.shape);
  const numbers = Array.from(got.detach().toTypedArray() as ArrayLike<number>);
  numbers.forEach((x, i) => {
    if (!(Math.abs(x - expected.data[i]) <= 2e-5 * Math.max(1, Math.abs(expected.data[i]))))
      expect.fail(`${what}: element ${i} is ${x}, expected ${expected.data[i]}`);
  });
}
function expectState(module: nn.Module, expected: Record<string, Stored>): void {
  const state = module.stateDict();
  expect(Object.keys(state)).to.deep.equal(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) expectNear(state[key], value, key);
}

const { parametrizations, parametrize } = nn.utils;
const FORMS: Record<string, (module: nn.Module, options: object) => nn.Module> = {
  spectral_norm: (module, options) => nn.utils.spectralNorm(module, options),
  weight_norm: (module, options) => nn.utils.weightNorm(module, options),
  'parametrizations.spectral_norm': (module, options) => parametrizations.spectralNorm(module, options),
  'parametrizations.weight_norm': (module, options) => parametrizations.weightNorm(module, options),
};
const REMOVALS: Record<string, (module: nn.Module) => nn.Module> = {
  spectral_norm: (module) => nn.utils.removeSpectralNorm(module),
  weight_norm: (module) => nn.utils.removeWeightNorm(module),
  'parametrizations.spectral_norm': (module) => parametrize.removeParametrizations(module, 'weight'),
  'parametrizations.weight_norm': (module) => parametrize.removeParametrizations(module, 'weight'),
};
function build({ form, cls, args, options }: Entry): nn.Module {
  const Class = nn[cls] as unknown as new (...given: number[]) => nn.Module;
  const named = Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key === 'dim' ? key : 'nPowerIterations', value]),
  );
  return FORMS[form](new Class(...args), named);
}

describe('spectral and weight normalisation', () => {
  for (const entry of entries) {
    it(`${entry.form} of ${entry.cls}(${entry.args}) ${JSON.stringify(entry.options)}`, () => {
      manualSeed(1);
      const layer = build(entry);
      expect(String(layer)).to.equal(entry.repr);
      expectState(layer, entry.start);
      expect(layer.namedParameters().map(([name]) => name)).to.deep.equal(entry.names);
      manualSeed(2);
      const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1, momentum: 0.9 });
      const inputs = entry.losses.map(() => randn(entry.shape));
      inputs.forEach((x, i) => {
        const loss: Tensor = layer(x)
          .square()
          .mean()
          .sub(layer(x.mul(0.5)).mean());
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        expect(loss.item()).to.be.closeTo(entry.losses[i], 2e-5);
      });
      layer.eval();
      expectState(layer, entry.end);
      expectNear(layer(inputs[0]), entry.output, 'output');

      // A copy is independent, and a fresh module takes the state. By hook, a module has to be copied before its first
      // call, as in PyTorch.
      const fresh = build(entry).eval();
      const twin = nn.deepcopy(entry.form.includes('.') ? layer : fresh);
      twin.loadStateDict(layer.stateDict());
      const other = build(entry).eval();
      expect(other.loadStateDict(layer.stateDict())).to.deep.equal({ missingKeys: [], unexpectedKeys: [] });
      for (const module of [twin, other]) expectNear(module(inputs[0]), entry.output, 'output of a copy');
      for (const parameter of twin.parameters()) parameter.detach().fill_(0.5);
      expect(twin(inputs[0]).tolist()).to.not.deep.equal(layer(inputs[0]).tolist());
      expectNear(layer(inputs[0]), entry.output, 'output beside a changed copy');

      expect(REMOVALS[entry.form](layer)).to.equal(layer);
      expect(String(layer)).to.equal(entry.removedRepr);
      expectState(layer, entry.removed);
      expectNear(layer(inputs[0]), entry.output, 'output after removal');
    });
  }

  it('of a vector is its length, and of a recurrent weight goes by property and by key', () => {
    const norm = new nn.LayerNorm(4);
    parametrizations.spectralNorm(norm);
    expect(norm.weight?.tolist()).to.deep.equal([0.5, 0.5, 0.5, 0.5]);
    for (const name of ['weightHhL0', 'weight_hh_l0']) {
      const lstm = nn.utils.weightNorm(new nn.LSTM(3, 4), name);
      expect(Object.keys(lstm.stateDict())).to.include.members(['weight_hh_l0_g', 'weight_hh_l0_v']);
      lstm(ones([2, 1, 3]));
      const other = parametrizations.weightNorm(new nn.LSTM(3, 4), name);
      expect(Object.keys(other.stateDict())).to.include('parametrizations.weight_hh_l0.original1');
      other.loadStateDict(lstm.stateDict());
      expect(other(ones([2, 1, 3]))[0].tolist()).to.deep.equal(lstm(ones([2, 1, 3]))[0].tolist());
      expect(parametrize.isParametrized(other, name)).to.equal(true);
    }
  });

  it('refuses what it cannot normalise', () => {
    const linear = nn.utils.spectralNorm(new nn.Linear(2, 2));
    expect(() => nn.utils.spectralNorm(linear)).to.throw(
      ArgumentError,
      /spectralNorm: expected the name of a parameter of Linear, got "weight"/,
    );
    expect(() => nn.utils.spectralNorm(new nn.BatchNorm1d(2), 'runningMean')).to.throw(
      ArgumentError,
      /the name of a parameter/,
    );
    expect(() => nn.utils.spectralNorm(new nn.Linear(2, 2), 'weight', 0)).to.throw(ArgumentError, /nPowerIterations/);
    expect(() => nn.utils.spectralNorm(new nn.Linear(2, 2), { dim: 2 })).to.throw(/dim in \[-2, 1\]/);
    expect(() => nn.utils.removeSpectralNorm(new nn.Linear(2, 2))).to.throw(
      ArgumentError,
      /a module with spectral norm of "weight"/,
    );
    expect(() => nn.utils.removeWeightNorm(linear)).to.throw(ArgumentError, /a module with weight norm/);
    expect(() => nn.utils.weightNorm(3 as never)).to.throw(ArgumentError, /a module, got 3/);
  });
});

class Symmetric extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.triu().add(x.triu(1).t());
  }
  rightInverse(x: Tensor): Tensor {
    return x.triu();
  }
}
class Double extends nn.Module {
  override forward(x: Tensor): Tensor {
    return x.mul(2);
  }
}

describe('nn.utils.parametrize', () => {
  it('computes a parameter whenever it is read, and sets it through rightInverse', () => {
    const linear = new nn.Linear(3, 3);
    const original = linear.weight;
    parametrize.registerParametrization(linear, 'weight', new Symmetric());
    expect(linear).to.be.instanceOf(nn.Linear);
    expect(linear.constructor.name).to.equal('ParametrizedLinear');
    expect(parametrize.typeBeforeParametrizations(linear)).to.equal(nn.Linear);
    expect(parametrize.typeBeforeParametrizations(new nn.ReLU())).to.equal(nn.ReLU);
    expect(linear.weight.tolist()).to.deep.equal(linear.weight.t().tolist());
    expect(linear.namedParameters().map(([name]) => name)).to.deep.equal(['bias', 'parametrizations.weight.original']);
    // The parameter that an optimizer holds.
    expect(linear.parameters()).to.include(original);
    const wanted = tensor([
      [1, 2, 3],
      [2, 4, 5],
      [3, 5, 6],
    ]);
    (linear as { weight: Tensor }).weight = wanted;
    expect(linear.weight.tolist()).to.deep.equal(wanted.tolist());
    linear(ones([1, 3]))
      .sum()
      .backward();
    expect(original.grad?.shape).to.deep.equal([3, 3]);
    linear.double();
    expect(linear.weight.dtype).to.equal('float64');
  });

  it('chains, and is removed with the value or without', () => {
    for (const leave of [true, false]) {
      const linear = new nn.Linear(2, 2);
      const before = linear.weight.tolist();
      parametrize.registerParametrization(linear, 'weight', new Double());
      parametrize.registerParametrization(linear, { tensorName: 'weight', parametrization: new Double() });
      const value = linear.weight.tolist();
      expect(value).to.deep.equal(
        tensor(before as number[][])
          .mul(4)
          .tolist(),
      );
      expect(() => ((linear as { weight: Tensor }).weight = ones([2, 2]))).to.throw(
        ArgumentError,
        /a rightInverse of Double/,
      );
      parametrize.removeParametrizations(linear, 'weight', { leaveParametrized: leave });
      expect(linear.weight).to.be.instanceOf(nn.Parameter);
      expect(linear.weight.tolist()).to.deep.equal(leave ? value : before);
      expect(Object.keys(linear.stateDict())).to.deep.equal(['bias', 'weight']);
      expect(linear.constructor).to.equal(nn.Linear);
      expect(parametrize.isParametrized(linear)).to.equal(false);
      expect(() => ((linear as unknown as Record<string, unknown>).weight = 3)).to.throw(ArgumentError, /"weight"/);
    }
  });

  it('computes once within cached', () => {
    let calls = 0;
    class Counting extends nn.Module {
      override forward(x: Tensor): Tensor {
        calls++;
        return x;
      }
    }
    const linear = parametrize.registerParametrization(new nn.Linear(2, 2), 'weight', new Counting(), true);
    calls = 0;
    parametrize.cached(() => {
      linear(linear(ones([1, 2])));
    });
    expect(calls).to.equal(1);
    linear(linear(ones([1, 2])));
    expect(calls).to.equal(3);
  });

  it('refuses another shape or dtype, unless unsafe', () => {
    class First extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.select(0, 0);
      }
    }
    class Wide extends nn.Module {
      override forward(x: Tensor): Tensor {
        return x.double();
      }
    }
    const linear = new nn.Linear(2, 2);
    expect(() => parametrize.registerParametrization(linear, 'weight', new First())).to.throw(
      ShapeError,
      /keeps the shape \[2,2\], or unsafe, got \[2\]/,
    );
    expect(() => parametrize.registerParametrization(linear, 'weight', new Wide())).to.throw(
      DTypeError,
      /keeps float32, or unsafe, got float64/,
    );
    expect(() => parametrize.registerParametrization(linear, 'nothing', new Wide())).to.throw(
      ArgumentError,
      /the name of a parameter of Linear, got "nothing"/,
    );
    expect(() => parametrize.registerParametrization(linear, 'weight', 3 as never)).to.throw(
      ArgumentError,
      /a module as parametrization, got 3/,
    );
    expect(() => parametrize.removeParametrizations(linear, 'weight')).to.throw(
      ArgumentError,
      /the name of a parametrized tensor/,
    );
    expect(linear.weight.shape).to.deep.equal([2, 2]);
    expect(linear.constructor).to.equal(nn.Linear);
    expect(
      parametrize.registerParametrization(linear, 'weight', new First(), { unsafe: true }).weight.shape,
    ).to.deep.equal([2]);
  });
});
