/**
 * State dicts that PyTorch's optimizers and schedulers wrote after runs to their extremes
 * (scripts/fixtures/optim_states.py) load, and the next steps are PyTorch's; a run's own state loads at any time.
 */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { CheckpointError, load, optim, type Tensor, tensor, zeros } from '../../lib/index.js';
import { camelOptions } from './fixture.js';

interface OptimizerRun {
  name: string;
  named: boolean;
  shapes: number[][];
  empty: optim.OptimizerStateDict;
  state: optim.OptimizerStateDict;
  begin: Tensor[];
  after: Tensor[] | null;
}
interface SchedulerRun {
  name: string;
  kind: 'SGD' | 'Adam';
  options: Record<string, unknown>;
  tensor_lr: boolean;
  optimizer: optim.OptimizerStateDict;
  scheduler: Record<string, unknown>;
  rates: number[][];
}
const file = fileURLToPath(new URL('../fixtures/optim-states.pt', import.meta.url));
interface Fixture {
  optimizers: OptimizerRun[];
  schedulers: SchedulerRun[];
}

function buildOptimizer(run: OptimizerRun): { params: Tensor[]; optimizer: optim.Optimizer } {
  const params = run.shapes.map((shape) => zeros(shape, { dtype: 'float64' }).requiresGrad_());
  const Class = (optim as unknown as Record<string, new (params: unknown) => optim.Optimizer>)[run.name];
  return { params, optimizer: new Class(run.named ? params.map((p, i) => [`layer${i}.weight`, p]) : params) };
}

function takeStep(optimizer: optim.Optimizer, params: Tensor[], step: number): void {
  params.forEach((p) => {
    p.grad = tensor(
      Float64Array.from({ length: p.numel() }, (_, i) => Math.sin(i + step)),
      { shape: p.shape },
    );
  });
  if (!(optimizer instanceof optim.LBFGS)) optimizer.step();
  else
    optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = params.map((p) => p.sub(1).pow(2).sum()).reduce((a, b) => a.add(b));
      loss.backward();
      return loss;
    });
}

function near(actual: number, expected: number, tolerance: number, what: string): void {
  if (Object.is(actual + 0, expected + 0)) return;
  expect(Math.abs(actual - expected), `${what}: ${actual}, expected ${expected}`).to.be.at.most(
    tolerance * Math.max(Math.abs(expected), 1e-2),
  );
}

function makeScheduler({ name, options }: SchedulerRun, optimizer: optim.Optimizer): optim.lrScheduler.LRScheduler {
  const { ChainedScheduler, ConstantLR, CosineAnnealingLR, LambdaLR, LinearLR, MultiplicativeLR, SequentialLR } =
    optim.lrScheduler;
  if (name === 'LambdaLR') return new LambdaLR(optimizer, (epoch) => 1 - epoch / 5);
  if (name === 'MultiplicativeLR') return new MultiplicativeLR(optimizer, () => 0.5);
  if (name === 'SequentialLR')
    return new SequentialLR(
      optimizer,
      [new LinearLR(optimizer, 0.1, { totalIters: 4 }), new CosineAnnealingLR(optimizer, 8)],
      [4],
    );
  if (name === 'ChainedScheduler')
    return new ChainedScheduler([new CosineAnnealingLR(optimizer, 8), new ConstantLR(optimizer, 0.5, 4)]);
  const all = { ...optim.lrScheduler, SWALR: optim.swaUtils.SWALR } as unknown as Record<
    string,
    new (
      optimizer: optim.Optimizer,
      options: object,
    ) => optim.lrScheduler.LRScheduler
  >;
  return new all[name](optimizer, camelOptions(options));
}

function schedulerRun(run: SchedulerRun): {
  optimizer: optim.Optimizer;
  step: () => void;
  scheduler: optim.lrScheduler.LRScheduler;
  rates: () => number[];
} {
  const [a, b] = [0, 1].map(() => tensor([0], { requiresGrad: true }));
  const groups = [{ params: [a] }, { params: [b], lr: 0.05 }];
  const optimizer =
    run.kind === 'SGD' ? new optim.SGD(groups, { lr: 0.1, momentum: 0.9 }) : new optim.Adam(groups, { lr: 0.1 });
  const scheduler = makeScheduler(run, optimizer);
  const step = (): void => {
    for (const p of [a, b]) p.grad = tensor([1]);
    optimizer.step();
    (scheduler as { step(metric?: number): void }).step(run.name === 'ReduceLROnPlateau' ? 1 : undefined);
  };
  const rates = (): number[] => [
    ...optimizer.paramGroups.map((group) => group.lr),
    ...optimizer.paramGroups.map((group) => (group.betas === undefined ? Number(group.momentum) : group.betas[0])),
  ];
  return { optimizer, scheduler, step, rates };
}

/** Runs a check of each, and says of all that fail which they are. */
function each<T>(runs: readonly T[], title: (run: T) => string, check: (run: T) => void): void {
  const failures: string[] = [];
  for (const run of runs) {
    try {
      check(run);
    } catch (error) {
      failures.push(`${title(run)}: ${String(error)}`);
    }
  }
  expect(failures.join('\n')).to.equal('');
}
const titleOf = (run: SchedulerRun): string =>
  `${run.name} ${JSON.stringify(run.options)} of ${run.kind}${run.tensor_lr ? ' with tensors as rates' : ''}`;

describe('states that PyTorch wrote', function () {
  this.timeout(60_000);
  let fixture: Fixture;
  before(async () => {
    fixture = (await load(file)) as unknown as Fixture;
  });

  it('load into every optimizer, which goes on as PyTorch does', () => {
    expect(fixture.optimizers.length).to.be.greaterThan(30);
    each(
      fixture.optimizers,
      (run) => `${run.name} ${JSON.stringify(run.state.param_groups[0])}`,
      (run) => {
        const { params, optimizer } = buildOptimizer(run);
        optimizer.loadStateDict(run.empty);
        optimizer.loadStateDict(run.state);
        if (run.after === null) return;
        const { after } = run;
        params.forEach((p, i) => {
          p.detach().copy_(run.begin[i]);
        });
        for (let step = 5; step < 8; step++) takeStep(optimizer, params, step);
        params.forEach((p, i) => {
          const wanted = after[i].toTypedArray();
          // Muon multiplies in bfloat16 in PyTorch; a learning rate that is a tensor of float32 is rounded to it.
          p.toTypedArray().forEach((value, k) => {
            near(Number(value), Number(wanted[k]), run.name === 'Muon' ? 2e-2 : 1e-7, `parameter ${i}[${k}]`);
          });
        });
        // What was loaded can be saved and loaded again.
        buildOptimizer(run).optimizer.loadStateDict(optimizer.stateDict());
      },
    );
  });

  it('load into every scheduler, whose rates go on as in PyTorch', () => {
    expect(fixture.schedulers.length).to.be.greaterThan(80);
    each(fixture.schedulers, titleOf, (run) => {
      const { optimizer, scheduler, step, rates } = schedulerRun(run);
      optimizer.loadStateDict(run.optimizer);
      scheduler.loadStateDict(run.scheduler);
      run.rates.forEach((wanted, k) => {
        step();
        rates().forEach((value, i) => {
          near(value, wanted[i], 1e-9, `step ${k + 1}, value ${i}`);
        });
      });
    });
  });

  it("are as good as a run's own, which loads after every step", () => {
    each(fixture.schedulers, titleOf, (run) => {
      const { optimizer, scheduler, step, rates } = schedulerRun(run);
      for (let k = 0; k < 25 && !(run.name === 'OneCycleLR' && k === 20); k++) {
        step();
        const other = schedulerRun(run);
        other.optimizer.loadStateDict(optimizer.stateDict());
        other.scheduler.loadStateDict(scheduler.stateDict());
        expect(other.rates()).to.deep.equal(rates());
      }
    });
  });

  it('are held to the kinds of their values', () => {
    const p = tensor([1], { requiresGrad: true });
    const adam = new optim.Adam([p]);
    const dict = (changes: object): object => ({
      state: {},
      param_groups: [{ ...adam.stateDict().param_groups[0], ...changes }],
    });
    for (const [changes, message] of [
      [{ lr: 'x' }, /a number for lr, got "x"/],
      [{ lr: null }, /a number for lr, got null/],
      [{ amsgrad: 'no' }, /a boolean for amsgrad/],
      [{ betas: 0.9 }, /2 numbers for betas, got 0.9/],
      [{ betas: [0.9] }, /2 numbers for betas, got \[0.9\]/],
      [{ betas: [0.9, 'x'] }, /2 numbers for betas/],
    ] as const)
      expect(() => adam.loadStateDict(dict(changes) as optim.OptimizerStateDict), JSON.stringify(changes)).to.throw(
        CheckpointError,
        message,
      );
    adam.loadStateDict(dict({ amsgrad: 1 }) as optim.OptimizerStateDict);
    expect(adam.paramGroups[0].amsgrad).to.equal(true);
    adam.loadStateDict(dict({ differentiable: true }) as optim.OptimizerStateDict);
    p.grad = tensor([1]);
    expect(() => adam.step()).to.throw(/Adam.step: expected groups with differentiable: false/);
  });
});
