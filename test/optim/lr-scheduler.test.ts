/**
 * Schedulers against PyTorch's learning rates and state dicts (scripts/fixtures/optim.py), resumed in the middle; and
 * their errors.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ArgumentError, CheckpointError, optim, tensor } from '../../lib/index.js';
import { camelCase } from '../../lib/optim/arguments.js';

type Rates = [lrs: number[], momenta: number[]][];
interface Fixture {
  schedulers: {
    name: string;
    options: Record<string, unknown>;
    first: Rates;
    state: Record<string, unknown>;
    groups: Record<string, unknown>[];
    rest: Rates;
  }[];
  plateau: { options: Record<string, unknown>; metrics: number[]; rates: Rates; state: Record<string, unknown> }[];
  sequential: { rates: Rates; state: Record<string, unknown> };
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/optim.json', import.meta.url), 'utf8')) as Fixture;
const { lrScheduler } = optim;
type SchedulerClass = new (optimizer: optim.Optimizer, options: object) => optim.lrScheduler.LRScheduler;

const camel = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([k, v]) => [camelCase(k), v]));

function newOptimizer(): optim.SGD {
  const [a, b] = [0, 1].map(() => tensor([0], { requiresGrad: true }));
  return new optim.SGD([{ params: [a] }, { params: [b], lr: 0.05 }], { lr: 0.1, momentum: 0.9 });
}

function follow(optimizer: optim.Optimizer, step: (k: number) => void, rates: Rates): void {
  rates.forEach(([lrs, momenta], k) => {
    optimizer.paramGroups.forEach((group, i) => {
      expect(group.lr, `lr of group ${i} at step ${k}`).to.be.closeTo(lrs[i], 1e-12);
      expect(group.momentum, `momentum of group ${i} at step ${k}`).to.be.closeTo(momenta[i], 1e-12);
    });
    optimizer.step();
    step(k);
  });
}

/** Values equal but for rounding; Maps as objects. */
function compare(actual: unknown, expected: unknown, what: string): void {
  if (actual instanceof Map) compare(Object.fromEntries(actual as Map<number, number>), expected, what);
  else if (typeof expected === 'number') expect(actual, what).to.be.closeTo(expected, 1e-12);
  else if (typeof expected === 'object' && expected !== null) {
    expect(actual, what).to.be.an(Array.isArray(expected) ? 'array' : 'object');
    for (const [key, value] of Object.entries(expected))
      compare((actual as Record<string, unknown>)[key], value, `${what}.${key}`);
  } else expect(actual, what).to.equal(expected);
}

describe('optim.lrScheduler', () => {
  for (const run of fixture.schedulers) {
    const Class = (lrScheduler as unknown as Record<string, SchedulerClass>)[run.name];
    const wanted = Object.fromEntries(
      Object.entries(run.state).filter(([key]) => key !== '_get_lr_called_within_step'),
    );

    it(`${run.name} ${JSON.stringify(run.options)}: rates and state are PyTorch's`, () => {
      const optimizer = newOptimizer();
      const scheduler = new Class(optimizer, camel(run.options));
      follow(optimizer, () => scheduler.step(), run.first);
      compare(scheduler.stateDict(), wanted, 'state');
      expect(scheduler.lastEpoch).to.equal(run.first.length);
      expect(scheduler.getLastLr()).to.deep.equal(optimizer.paramGroups.map((group) => group.lr));
      follow(optimizer, () => scheduler.step(), run.rest);
    });

    it(`${run.name} ${JSON.stringify(run.options)}: goes on from PyTorch's state`, () => {
      const optimizer = newOptimizer();
      const scheduler = new Class(optimizer, camel(run.options));
      const dict = optimizer.stateDict();
      dict.param_groups = run.groups.map((group, i) => ({ ...group, params: dict.param_groups[i].params }));
      optimizer.loadStateDict(dict);
      scheduler.loadStateDict(run.state);
      follow(optimizer, () => scheduler.step(), run.rest);
    });
  }

  fixture.plateau.forEach((run) => {
    it(`ReduceLROnPlateau ${JSON.stringify(run.options)}`, () => {
      const optimizer = newOptimizer();
      const scheduler = new lrScheduler.ReduceLROnPlateau(optimizer, camel(run.options));
      follow(optimizer, (k) => scheduler.step(run.metrics[k]), run.rates);
      compare(scheduler.stateDict(), run.state, 'state');
    });
  });

  it('SequentialLR runs its parts in turn, and again from its state', () => {
    const { rates, state } = fixture.sequential;
    const build = (optimizer: optim.Optimizer): optim.lrScheduler.SequentialLR =>
      new lrScheduler.SequentialLR(
        optimizer,
        [
          new lrScheduler.LinearLR(optimizer, { startFactor: 0.1, totalIters: 4 }),
          new lrScheduler.ExponentialLR(optimizer, 0.9),
          new lrScheduler.StepLR(optimizer, { stepSize: 2 }),
        ],
        [4, 9],
      );
    const optimizer = newOptimizer();
    const scheduler = build(optimizer);
    follow(optimizer, () => scheduler.step(), rates.slice(0, 6));
    const again = newOptimizer();
    const resumed = build(again);
    again.loadStateDict(optimizer.stateDict());
    resumed.loadStateDict(scheduler.stateDict());
    follow(again, () => resumed.step(), rates.slice(6));
    const { _schedulers: parts, ...own } = state;
    compare(resumed.stateDict(), own, 'state');
    (parts as Record<string, unknown>[]).forEach((part, i) => {
      const { _get_lr_called_within_step: _, ...rest } = part;
      compare((resumed.stateDict()._schedulers as unknown[])[i], rest, `part ${i}`);
    });
  });

  it('LambdaLR, MultiplicativeLR and ChainedScheduler', () => {
    const optimizer = newOptimizer();
    const lambda = new lrScheduler.LambdaLR(optimizer, [(epoch) => 0.5 ** epoch, () => 1]);
    lambda.step();
    lambda.step();
    expect(lambda.getLastLr()).to.deep.equal([0.025, 0.05]);
    const chained = newOptimizer();
    const both = new lrScheduler.ChainedScheduler([
      new lrScheduler.MultiplicativeLR(chained, () => 0.5),
      new lrScheduler.ExponentialLR(chained, 0.5),
    ]);
    both.step();
    expect(both.getLastLr()).to.deep.equal([0.025, 0.0125]);
  });

  it('resumes by lastEpoch from groups that remember their initial rates', () => {
    const optimizer = newOptimizer();
    expect(() => new lrScheduler.StepLR(optimizer, { stepSize: 2, lastEpoch: 3 })).to.throw(ArgumentError, /initialLr/);
    for (const group of optimizer.paramGroups) group.initialLr = 0.2;
    const scheduler = new lrScheduler.StepLR(optimizer, { stepSize: 2, gamma: 0.5, lastEpoch: 3 });
    expect(scheduler.lastEpoch).to.equal(4);
    expect(scheduler.baseLrs).to.deep.equal([0.2, 0.2]);
    expect(scheduler.getLastLr()).to.deep.equal([0.05, 0.025]);
  });

  it('refuses what cannot be', () => {
    const optimizer = newOptimizer();
    expect(() => new lrScheduler.StepLR({} as optim.Optimizer, 1)).to.throw(ArgumentError, /optimizer/);
    expect(() => new lrScheduler.StepLR(optimizer)).to.throw(ArgumentError, /stepSize/);
    expect(() => new lrScheduler.StepLR(optimizer, { stepsize: 1 } as object)).to.throw(
      ArgumentError,
      /did you mean "stepSize"/,
    );
    expect(() => new lrScheduler.LinearLR(optimizer, { startFactor: 0 })).to.throw(
      ArgumentError,
      /startFactor in \(0, 1\]/,
    );
    expect(() => new lrScheduler.ReduceLROnPlateau(optimizer, { factor: 1 })).to.throw(ArgumentError, /below 1/);
    expect(() => new lrScheduler.ReduceLROnPlateau(optimizer).step()).to.throw(ArgumentError, /metric/);
    expect(() => new lrScheduler.LambdaLR(optimizer, [() => 1])).to.throw(ArgumentError, /2 functions/);
    expect(() => new lrScheduler.OneCycleLR(optimizer, { maxLr: 1 })).to.throw(ArgumentError, /totalSteps/);
    const cycle = new lrScheduler.OneCycleLR(newOptimizer(), 1, 2);
    cycle.step();
    cycle.step();
    expect(() => cycle.step()).to.throw(ArgumentError, /2 steps/);
    expect(
      () => new lrScheduler.SequentialLR(optimizer, [new lrScheduler.ExponentialLR(optimizer, 0.9)], [1]),
    ).to.throw(ArgumentError, /0 milestones/);
    expect(() => new lrScheduler.ExponentialLR(optimizer, 0.9).loadStateDict({ gamma: 'x' })).to.throw(
      CheckpointError,
      /a number for gamma/,
    );
  });
});
