/**
 * Optimizers against PyTorch's numbers and state dicts (scripts/fixtures/optim.py), and their own rules: groups,
 * closures, hooks, errors.
 */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  CheckpointError,
  isGradEnabled,
  noGrad,
  optim,
  ShapeError,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { build, camelOptions, fixture, type Saved, type SavedDict } from './fixture.js';

const make = (saved: Saved, requiresGrad = false): Tensor =>
  tensor(saved.data, { shape: saved.shape, dtype: saved.dtype, requiresGrad });

function close(actual: Tensor, expected: Saved, what: string): void {
  expect(actual.shape, what).to.deep.equal(expected.shape);
  expect(actual.dtype, what).to.equal(expected.dtype);
  const got = actual.toTypedArray();
  expected.data.forEach((value, i) => {
    expect(Math.abs(Number(got[i]) - value), `${what}[${i}]: ${got[i]}, expected ${value}`).to.be.at.most(
      1e-12 * Math.abs(value),
    );
  });
}

/** PyTorch's state dict as loadStateDict takes it. */
function loadable(dict: SavedDict): {
  state: Map<number, Record<string, unknown>>;
  param_groups: Record<string, unknown>[];
} {
  return {
    state: new Map(
      Object.entries(dict.state).map(([k, values]) => [
        Number(k),
        Object.fromEntries(Object.entries(values).map(([name, v]) => [name, make(v)])),
      ]),
    ),
    param_groups: dict.param_groups,
  };
}

function compareDicts(actual: optim.OptimizerStateDict, expected: SavedDict): void {
  expect(actual.param_groups).to.deep.equal(expected.param_groups);
  expect([...actual.state.keys()]).to.deep.equal(Object.keys(expected.state).map(Number));
  for (const [number, values] of actual.state) {
    const wanted = expected.state[number];
    expect(Object.keys(values).sort()).to.deep.equal(Object.keys(wanted).sort());
    for (const [name, value] of Object.entries(values)) close(value as Tensor, wanted[name], `state ${number}.${name}`);
  }
}

describe('optim', () => {
  for (const run of fixture.optimizers) {
    const title = `${run.name} ${JSON.stringify(run.options)}`;
    it(`${title}: parameters and state dict are PyTorch's`, () => {
      const params = run.begin.map((saved) => make(saved, true));
      const optimizer = build(run, params);
      run.grads.forEach((grads, step) => {
        grads.forEach((saved, i) => {
          params[i].grad = make(saved);
        });
        expect(optimizer.step()).to.equal(undefined);
        run.after[step].forEach((saved, i) => {
          close(params[i], saved, `step ${step + 1}, parameter ${i}`);
        });
      });
      compareDicts(optimizer.stateDict(), run.end);
    });

    it(`${title}: goes on from PyTorch's state dict`, () => {
      const params = run.after[2].map((saved) => make(saved, true));
      const optimizer = build({ ...run, options: {} }, params);
      optimizer.loadStateDict(loadable(run.paused));
      for (let step = 3; step < run.grads.length; step++) {
        run.grads[step].forEach((saved, i) => {
          params[i].grad = make(saved);
        });
        optimizer.step();
        run.after[step].forEach((saved, i) => {
          close(params[i], saved, `step ${step + 1}, parameter ${i}`);
        });
      }
      compareDicts(optimizer.stateDict(), run.end);
    });
  }

  for (const run of fixture.optimizers) {
    it(`${run.name} ${JSON.stringify(run.options)}: float32 follows float64`, () => {
      const params = run.begin.map((saved) => make({ ...saved, dtype: 'float32' }, true));
      const optimizer = build(run, params);
      run.grads.forEach((grads, step) => {
        grads.forEach((saved, i) => {
          params[i].grad = make({ ...saved, dtype: 'float32' });
        });
        optimizer.step();
        params.forEach((param, i) => {
          const got = param.toTypedArray();
          run.after[step][i].data.forEach((value, k) => {
            expect(got[k], `step ${step + 1}, parameter ${i}[${k}]`).to.be.closeTo(value, 1e-5);
          });
        });
      });
    });
  }

  for (const run of fixture.lbfgs) {
    const start = (): { p: Tensor; optimizer: optim.LBFGS; closure: () => Tensor } => {
      const p = tensor([-1.5, 2], { dtype: 'float64', requiresGrad: true });
      const optimizer = new optim.LBFGS([p], camelOptions(run.options) as object);
      const closure = (): Tensor => {
        optimizer.zeroGrad();
        const [x, y] = p.unbind(0);
        const loss = x
          .sub(1)
          .pow(2)
          .add(y.sub(x.pow(2)).pow(2).mul(100));
        loss.backward();
        return loss;
      };
      return { p, optimizer, closure };
    };
    const check = (losses: number[], p: Tensor, optimizer: optim.LBFGS): void => {
      losses.forEach((loss, i) => {
        expect(loss, `loss ${i}`).to.be.closeTo(run.losses[i], 1e-9 * Math.abs(run.losses[i]) + 1e-12);
      });
      (p.tolist() as number[]).forEach((value, i) => {
        expect(value).to.be.closeTo(run.end[i], 1e-8);
      });
      const state = optimizer.stateDict().state.get(0) ?? {};
      expect(state.func_evals).to.equal(run.func_evals);
      expect(state.n_iter).to.equal(run.n_iter);
      expect(Object.keys(state).sort()).to.deep.equal(run.keys.filter((key) => key !== 'al'));
    };
    it(`LBFGS ${JSON.stringify(run.options)}: losses and state are PyTorch's, also of an async closure`, async () => {
      const sync = start();
      check(
        run.losses.map(() => Number(sync.optimizer.step(sync.closure).item())),
        sync.p,
        sync.optimizer,
      );
      const later = start();
      const losses: number[] = [];
      for (let i = 0; i < run.losses.length; i++) {
        const loss = await later.optimizer.step(async () => {
          await new Promise((resolve) => setImmediate(resolve));
          return later.closure();
        });
        losses.push(Number(loss.item()));
      }
      check(losses, later.p, later.optimizer);
      const half = start();
      const begun = [0, 1].map(() => Number(half.optimizer.step(half.closure).item()));
      const again = start();
      noGrad(() => again.p.copy_(half.p));
      again.optimizer.loadStateDict(half.optimizer.stateDict());
      check(
        [...begun, ...[2, 3].map(() => Number(again.optimizer.step(again.closure).item()))],
        again.p,
        again.optimizer,
      );
      expect(() => (again.optimizer as optim.Optimizer).step()).to.throw(ArgumentError, /closure/);
    });
  }

  it('Muon follows PyTorch within what bfloat16 allows', () => {
    const { begin, grads, after } = fixture.muon;
    const p = tensor(begin, { dtype: 'float64', requiresGrad: true });
    const optimizer = new optim.Muon([p], { lr: 0.1 });
    grads.forEach((grad, step) => {
      p.grad = tensor(grad, { dtype: 'float64' });
      optimizer.step();
      const got = p.toTypedArray();
      after[step].flat().forEach((value, i) => {
        expect(got[i], `step ${step + 1}, element ${i}`).to.be.closeTo(value, 2e-3);
      });
    });
    expect(() => new optim.Muon([tensor([1], { requiresGrad: true })])).to.throw(ShapeError, /matrices/);
  });

  it('updates bfloat16 and float16 parameters, rounding once a step', () => {
    for (const dtype of ['bfloat16', 'float16'] as const) {
      const param = tensor([1, -2, 3], { dtype, requiresGrad: true });
      param.grad = tensor([0.5, 0.25, -1], { dtype });
      new optim.SGD([param], { lr: 0.1 }).step();
      expect(param.tolist()).to.deep.equal(
        tensor([1 - Math.fround(0.1) * 0.5, -2 - Math.fround(0.1) * 0.25, 3 + Math.fround(0.1)], { dtype }).tolist(),
      );
    }
  });

  it('updates a parameter and a gradient that are not contiguous', () => {
    const base = tensor([
      [1, 2],
      [3, 4],
    ]);
    const param = base.t().detach().requiresGrad_();
    param.grad = tensor([1]).expand(2, 2);
    new optim.SGD([param], { lr: 0.5 }).step();
    expect(base.tolist()).to.deep.equal([
      [0.5, 1.5],
      [2.5, 3.5],
    ]);
  });

  it('raises the version of what it changes, and leaves parameters without gradient alone', () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([3], { requiresGrad: true });
    const optimizer = new optim.Adam([a, b]);
    const saved = a.mul(a);
    a.grad = tensor([1, 1]);
    const before = a.version;
    optimizer.step();
    expect(a.version).to.be.greaterThan(before);
    expect(b.tolist()).to.deep.equal([3]);
    expect(optimizer.state.has(b)).to.equal(false);
    expect(() => saved.sum().backward()).to.throw(AutogradError, /changed by an in-place operation/);
  });

  it('has groups with hyperparameters of their own, live and by name', () => {
    const a = tensor([1], { requiresGrad: true });
    const b = tensor([1], { requiresGrad: true });
    const optimizer = new optim.SGD([{ params: [a] }, { params: b, lr: 0.5 }], { lr: 0.1 });
    a.grad = tensor([1]);
    b.grad = tensor([1]);
    optimizer.step();
    expect([a.item(), b.item()]).to.deep.equal([Math.fround(0.9), 0.5]);
    optimizer.paramGroups[0].lr = 0;
    optimizer.step();
    expect([a.item(), b.item()]).to.deep.equal([Math.fround(0.9), 0]);
    const named = new optim.SGD([['layer.weight', a]] as const, 0.1, 0.9);
    expect(named.paramGroups[0].paramNames).to.deep.equal(['layer.weight']);
    expect(named.paramGroups[0].momentum).to.equal(0.9);
    expect(named.stateDict().param_groups[0].param_names).to.deep.equal(['layer.weight']);
  });

  it('runs a closure with gradients enabled and returns its loss, or a promise of it', async () => {
    const p = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 0.25 });
    const closure = (): Tensor => {
      expect(isGradEnabled()).to.equal(true);
      optimizer.zeroGrad();
      const loss = p.mul(p).sum();
      loss.backward();
      return loss;
    };
    expect(noGrad(() => optimizer.step(closure)).item()).to.equal(4);
    expect(p.item()).to.equal(1);
    const promised = optimizer.step(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return closure();
    });
    expect(p.item()).to.equal(1);
    expect((await promised).item()).to.equal(1);
    expect(p.item()).to.equal(0.5);
  });

  it('calls hooks before and after a step until they are removed', () => {
    const p = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.grad = tensor([1]);
    const seen: unknown[] = [];
    const pre = optimizer.registerStepPreHook(() => seen.push(['before', p.item()]));
    const post = optimizer.registerStepPostHook(() => seen.push(['after', p.item()]));
    optimizer.step();
    pre.remove();
    post.remove();
    optimizer.step();
    expect(seen).to.deep.equal([
      ['before', 2],
      ['after', 1],
    ]);
  });

  it('calls hooks around state dicts, which may replace them', () => {
    const p = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 1 });
    const seen: string[] = [];
    const handles = [
      optimizer.registerStateDictPreHook(() => seen.push('saving')),
      optimizer.registerStateDictPostHook((_, state) => ({
        ...state,
        param_groups: state.param_groups.map((group) => ({ ...group, lr: 7 })),
      })),
      optimizer.registerLoadStateDictPreHook((_, state) => {
        seen.push(`loading ${String(state.param_groups[0].lr)}`);
        return { ...state, param_groups: state.param_groups.map((group) => ({ ...group, lr: 8 })) };
      }),
      optimizer.registerLoadStateDictPostHook(() => seen.push('loaded')),
    ];
    optimizer.loadStateDict(optimizer.stateDict());
    expect(seen).to.deep.equal(['saving', 'loading 7', 'loaded']);
    expect(optimizer.paramGroups[0].lr).to.equal(8);
    for (const handle of handles) handle.remove();
    optimizer.loadStateDict(optimizer.stateDict());
    expect(seen.length).to.equal(3);
  });

  it('forgets gradients, or sets them to zero', () => {
    const p = tensor([2], { requiresGrad: true });
    const optimizer = new optim.SGD([p]);
    const grad = tensor([1]);
    p.grad = grad;
    optimizer.zeroGrad({ setToNone: false });
    expect(grad.item()).to.equal(0);
    expect(p.grad).to.equal(grad);
    optimizer.zeroGrad();
    expect(p.grad).to.equal(null);
    expect(() => optimizer.zeroGrad({ setToNon: true } as object)).to.throw(ArgumentError, /setToNone/);
  });

  it('copies what it loads', () => {
    const p = tensor([2], { requiresGrad: true });
    const first = new optim.Adam([p]);
    p.grad = tensor([1]);
    first.step();
    const q = tensor([2], { requiresGrad: true });
    const second = new optim.Adam([q]);
    second.loadStateDict(first.stateDict());
    first.step();
    const loaded = second.state.get(q) as Record<string, Tensor>;
    expect(loaded.step.item()).to.equal(1);
    expect(loaded.expAvg.item()).to.equal(Math.fround(0.1));
  });

  it('refuses what cannot be', () => {
    const p = tensor([1, 1], { requiresGrad: true });
    const q = tensor([1, 1], { requiresGrad: true });
    expect(() => new optim.SGD([])).to.throw(ArgumentError, 'SGD: expected at least one parameter, got an empty list');
    expect(() => new optim.SGD(p as unknown as Tensor[])).to.throw(ArgumentError, /iterable/);
    expect(() => new optim.SGD([p], { lr: -1 })).to.throw(ArgumentError, 'SGD: expected lr of at least 0, got -1');
    expect(() => new optim.SGD([p], { momentun: 0.9 } as object)).to.throw(ArgumentError, /did you mean "momentum"/);
    expect(() => new optim.SGD([p], 0.1, { lr: 0.1 })).to.throw(ArgumentError, /twice/);
    expect(() => new optim.SGD([p], { nesterov: true })).to.throw(ArgumentError, /nesterov/);
    expect(() => new optim.Adam([p], { betas: [0.9, 1] })).to.throw(
      ArgumentError,
      'Adam: expected betas[1] in [0, 1), got 1',
    );
    expect(() => new optim.AdamW([p], { weightDecay: Number.NaN })).to.throw(ArgumentError, /weightDecay/);
    expect(() => new optim.Adam([p], { capturable: true })).to.throw(ArgumentError, /capturable/);
    expect(() => new optim.SGD([p, p])).to.throw(ArgumentError, /once/);
    expect(() => new optim.SGD([{ params: [p] }, { params: [p] }])).to.throw(ArgumentError, /one group/);
    expect(() => new optim.SGD([{ params: [p], rl: 1 } as { params: Tensor[] }])).to.throw(
      ArgumentError,
      /did you mean "lr"/,
    );
    expect(() => new optim.SGD([p.mul(2)])).to.throw(AutogradError, /leaves/);
    const optimizer = new optim.Adam([p, q]);
    expect(() => optimizer.loadStateDict({ state: {} })).to.throw(CheckpointError, /param_groups/);
    expect(() => optimizer.loadStateDict(new optim.Adam([p]).stateDict())).to.throw(
      CheckpointError,
      /2 parameters in group 0, got 1/,
    );
    const other = tensor([1, 1, 1], { requiresGrad: true });
    const wrong = new optim.Adam([other, q]);
    other.grad = tensor([1, 1, 1]);
    wrong.step();
    expect(() => optimizer.loadStateDict(wrong.stateDict())).to.throw(
      CheckpointError,
      /exp_avg of shape \[2\] for parameter 0, got \[3\]/,
    );
  });
});
