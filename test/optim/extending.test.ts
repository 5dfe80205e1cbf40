/**
 * Optimizers and schedulers of a user's own, written as PyTorch's documentation writes them: in TypeScript, and in
 * JavaScript without types.
 */
import { expect } from 'chai';
import {
  ArgumentError,
  enableGrad,
  NodegradError,
  noGrad,
  optim,
  profiler,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const { LRScheduler, SequentialLR, StepLR } = optim.lrScheduler;

/** Plain descent with momentum. */
class Momentum extends optim.Optimizer {
  constructor(params: optim.Params, lr = 0.1, momentum = 0.5) {
    super(params, { lr, momentum });
  }
  override step(closure?: () => Tensor): Tensor | undefined {
    const loss = closure === undefined ? undefined : enableGrad(closure);
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const p of group.params) {
          if (p.grad === null) continue;
          const state = this.state.get(p) ?? { buffer: p.mul(0) };
          this.state.set(p, state);
          const buffer = state.buffer as Tensor;
          buffer.mul_(Number(group.momentum)).add_(p.grad);
          p.add_(buffer, { alpha: -group.lr });
        }
      }
    });
    return loss;
  }
}

/** Rises over `warmup` epochs. Its fields are set after `super`. */
class Warmup extends LRScheduler {
  readonly warmup: number;
  constructor(optimizer: optim.Optimizer, warmup: number, lastEpoch = -1) {
    super(optimizer, lastEpoch);
    this.warmup = warmup;
  }
  override getLr(): number[] {
    return this.baseLrs.map((base) => base * Math.min(1, (this.lastEpoch + 1) / this.warmup));
  }
}

const parameter = (): Tensor => tensor([1, 2], { requiresGrad: true });

/** Warnings given while `run` runs. */
async function warningsOf(run: () => void): Promise<string[]> {
  const seen: string[] = [];
  const listen = (warning: Error): void => {
    seen.push(warning.message);
  };
  process.on('warning', listen);
  run();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', listen);
  return seen;
}

describe("an optimizer of a user's own", () => {
  it('steps, keeps state, saves and loads it', () => {
    const p = parameter();
    const optimizer = new Momentum([p]);
    p.grad = tensor([1, 1]);
    expect(optimizer.step()).to.equal(undefined);
    p.grad = tensor([1, 1]);
    optimizer.step();
    const after = p.tolist() as number[];
    expect(after[0]).to.be.closeTo(1 - 0.1 - 0.15, 1e-6);
    const dict = optimizer.stateDict();
    expect(dict.param_groups).to.deep.equal([{ lr: 0.1, momentum: 0.5, params: [0] }]);
    const q = tensor(after, { requiresGrad: true });
    const other = new Momentum([q]);
    other.loadStateDict(dict);
    for (const [x, o] of [
      [p, optimizer],
      [q, other],
    ] as const) {
      x.grad = tensor([1, 1]);
      o.step();
    }
    expect(q.tolist()).to.deep.equal(p.tolist());
  });

  it('hands a closure on, calls hooks once and is counted, also where it calls super.step()', () => {
    class Clipped extends optim.SGD {
      override step(): undefined;
      override step<L>(closure: () => L): L;
      override step<L>(closure?: () => L): L | undefined {
        return closure === undefined ? super.step() : super.step(closure);
      }
    }
    const p = parameter();
    for (const optimizer of [new Momentum([p]), new Clipped([p], { lr: 0.1 })]) {
      let hooks = 0;
      optimizer.registerStepPreHook(() => hooks++);
      optimizer.registerStepPostHook(() => hooks++);
      const loss = optimizer.step(() => p.mul(p).sum()) as Tensor;
      expect(loss.item()).to.be.closeTo(5, 1e-6);
      expect([hooks, optimizer.stepCount]).to.deep.equal([2, 1]);
    }
  });

  it('counts a step after an async closure, and goes on after an error', async () => {
    const p = parameter();
    const optimizer = new optim.SGD([p]);
    const promise = optimizer.step(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return 1;
    });
    expect(optimizer.stepCount).to.equal(0);
    expect(await promise).to.equal(1);
    expect(optimizer.stepCount).to.equal(1);
    const broken = (): never => {
      throw new RangeError('mine');
    };
    expect(() => optimizer.step(broken)).to.throw(RangeError, 'mine');
    const hooked: number[] = [];
    optimizer.registerStepPostHook(() => hooked.push(1));
    optimizer.step();
    expect(hooked).to.deep.equal([1]);
  });

  it('may assign step as a field, in JavaScript', async () => {
    const Plain = class extends optim.Optimizer {
      override step = (): undefined => {
        for (const group of this.paramGroups) for (const p of group.params) noGrad(() => p.sub_(group.lr));
        return undefined;
      };
    };
    const p = parameter();
    const optimizer = new Plain([p], { lr: 1 });
    const scheduler = new StepLR(optimizer, 1);
    const warnings = await warningsOf(() => {
      for (let i = 0; i < 3; i++) {
        optimizer.step();
        scheduler.step();
      }
    });
    expect(warnings).to.deep.equal([]);
    expect((p.tolist() as number[])[0]).to.be.closeTo(1 - 1.11, 1e-6);
  });

  it('is seen by the profiler under its name', () => {
    const p = parameter();
    const optimizer = new Momentum([p]);
    const profile = profiler.profile(() => optimizer.step());
    expect(profile.events().filter(({ name }) => name === 'Optimizer.step#Momentum.step')).to.have.length(1);
  });

  it('keeps options of its own in groups, and says what is misspelt or missing', () => {
    const p = parameter();
    const optimizer = new optim.SGD([{ params: [p], lrScale: 0.5 } as { params: Tensor[] }], { lr: 1 });
    expect((optimizer.paramGroups[0] as unknown as { lrScale: number }).lrScale).to.equal(0.5);
    expect(optimizer.stateDict().param_groups[0].lr_scale).to.equal(0.5);
    expect(() => new optim.SGD([{ params: [p], weight_decay: 0.5 } as { params: Tensor[] }], { lr: 1 })).to.throw(
      ArgumentError,
      /did you mean "weightDecay"/,
    );
    expect(() => new optim.Optimizer([p], { lr: 1 }).step()).to.throw(
      NodegradError,
      'Optimizer: expected a step() of its own, got none',
    );
  });
});

describe("a scheduler of a user's own", () => {
  const rate = (optimizer: optim.Optimizer): number => optimizer.paramGroups[0].lr;

  it('takes its initial step before the optimizer is used, with the fields that it sets after super', async () => {
    const p = parameter();
    const optimizer = new Momentum([p], 1, 0);
    const rates: number[] = [];
    optimizer.registerStepPostHook(() => rates.push(rate(optimizer)));
    const scheduler = new Warmup(optimizer, 4);
    expect(scheduler.lastEpoch).to.equal(0);
    const warnings = await warningsOf(() => {
      for (let i = 0; i < 5; i++) {
        p.grad = tensor([0, 0]);
        optimizer.step();
        scheduler.step();
      }
    });
    expect(rates).to.deep.equal([0.25, 0.5, 0.75, 1, 1]);
    expect(warnings).to.deep.equal([]);
  });

  it('answers before any step: getLastLr, stateDict, and at once where it needs no field', () => {
    expect(new Warmup(new optim.SGD([parameter()], 1), 4).getLastLr()).to.deep.equal([0.25]);
    const optimizer = new optim.SGD([parameter()], 1);
    expect(new Warmup(optimizer, 4).stateDict()).to.deep.equal({
      warmup: 4,
      base_lrs: [1],
      last_epoch: 0,
      _step_count: 1,
      _is_initial: false,
      _last_lr: [0.25],
    });
    expect(rate(optimizer)).to.equal(0.25);
    class Half extends LRScheduler {
      override getLr(): number[] {
        return this.baseLrs.map((lr) => lr / 2);
      }
    }
    const other = new optim.SGD([parameter()], 1);
    new Half(other);
    expect(rate(other)).to.equal(0.5);
  });

  it('leaves alone what a program or a state dict sets in between', () => {
    const optimizer = new optim.SGD([parameter()], 1);
    const scheduler = new Warmup(optimizer, 4);
    optimizer.paramGroups[0].lr = 7;
    optimizer.step();
    expect(rate(optimizer)).to.equal(7);
    const saved = { optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict() };
    saved.scheduler.last_epoch = 2;
    const again = new optim.SGD([parameter()], 1);
    const resumed = new Warmup(again, 4);
    again.loadStateDict(saved.optimizer);
    resumed.loadStateDict(saved.scheduler);
    again.step();
    expect(rate(again)).to.equal(7);
    resumed.step();
    expect([resumed.lastEpoch, rate(again)]).to.deep.equal([3, 1]);
  });

  it('may replace step, and needs getLr or step', () => {
    class Counting extends LRScheduler {
      calls: number[] = [];
      override step(): void {
        this.lastEpoch++;
        this.calls.push(this.lastEpoch);
        for (const group of this.optimizer.paramGroups) group.lr = 1 / (1 + this.lastEpoch);
      }
    }
    const optimizer = new optim.SGD([parameter()], 1);
    const scheduler = new Counting(optimizer);
    optimizer.step();
    scheduler.step();
    expect([scheduler.calls, rate(optimizer)]).to.deep.equal([[0, 1], 0.5]);
    expect(() => new LRScheduler(new optim.SGD([parameter()])).getLastLr()).to.throw(
      NodegradError,
      /LRScheduler: expected a getLr\(\) or a step\(\) of its own/,
    );
    class Short extends LRScheduler {
      override getLr(): number[] {
        return [];
      }
    }
    expect(() => new Short(new optim.SGD([parameter()])).getLastLr()).to.throw(
      ArgumentError,
      /Short.getLr: expected 1 rates/,
    );
  });

  it('hands on an error of its getLr where it is first used', () => {
    class Broken extends Warmup {
      override getLr(): number[] {
        throw new RangeError('mine');
      }
    }
    const optimizer = new optim.SGD([parameter()], 1);
    new Broken(optimizer, 1);
    expect(() => optimizer.step()).to.throw(RangeError, 'mine');
  });

  it('goes into SequentialLR, and resumes by lastEpoch', () => {
    const optimizer = new optim.SGD([parameter()], 1);
    const scheduler = new SequentialLR(optimizer, [new Warmup(optimizer, 2), new StepLR(optimizer, 1)], [2]);
    const rates: number[] = [];
    for (let i = 0; i < 5; i++) {
      rates.push(rate(optimizer));
      optimizer.step();
      scheduler.step();
    }
    rates.forEach((value, i) => {
      expect(value).to.be.closeTo([0.5, 1, 1, 0.1, 0.01][i], 1e-12);
    });
    const late = new optim.SGD([{ params: [parameter()], lr: 1, initialLr: 1 } as { params: Tensor[] }]);
    expect(new Warmup(late, 10, 3).getLastLr()[0]).to.be.closeTo(0.5, 1e-12);
  });
});

describe('arguments of optimizers and schedulers by name', () => {
  it('all in one object', () => {
    const p = parameter();
    const adam = new optim.Adam({ params: [p], lr: 0.5, betas: [0.8, 0.9] });
    expect([adam.paramGroups[0].lr, adam.paramGroups[0].betas, adam.paramGroups[0].params]).to.deep.equal([
      0.5,
      [0.8, 0.9],
      [p],
    ]);
    expect(new optim.AdamW({ params: [p] }).paramGroups[0].weightDecay).to.equal(0.01);
    const groups = new optim.SGD({ params: [{ params: [p], lr: 2 }], lr: 1 });
    expect(groups.paramGroups[0].lr).to.equal(2);
    for (const [name, Class] of Object.entries(optim)) {
      if (typeof Class !== 'function' || Class === optim.Optimizer || name === 'Muon') continue;
      const made = new (Class as unknown as new (options: object) => optim.Optimizer)({
        params: [parameter()],
        lr: 0.25,
      });
      expect(made.paramGroups[0].lr, name).to.equal(0.25);
      expect(() => new (Class as unknown as new (options: object) => optim.Optimizer)({ lr: 0.25 }), name).to.throw(
        ArgumentError,
        /iterable of tensors/,
      );
      expect(
        () => new (Class as unknown as new (...args: object[]) => optim.Optimizer)({ params: [p] }, { lr: 1 }),
        name,
      ).to.throw(ArgumentError, /iterable of tensors/);
      expect(
        () => new (Class as unknown as new (options: object) => optim.Optimizer)({ params: [p], rl: 1 }),
        name,
      ).to.throw(ArgumentError, /did you mean "lr"/);
    }
  });

  it('of every scheduler', () => {
    const needed: Record<string, object> = {
      StepLR: { stepSize: 2 },
      MultiStepLR: { milestones: [1] },
      ExponentialLR: { gamma: 0.5 },
      CosineAnnealingLR: { TMax: 3 },
      CosineAnnealingWarmRestarts: { T0: 2 },
      CyclicLR: { baseLr: 0.1, maxLr: 1 },
      OneCycleLR: { maxLr: 1, totalSteps: 10 },
      LambdaLR: { lrLambda: () => 1 },
      MultiplicativeLR: { lrLambda: () => 1 },
      SWALR: { swaLr: 1 },
    };
    for (const [name, Class] of Object.entries({ ...optim.lrScheduler, SWALR: optim.swaUtils.SWALR })) {
      if (name === 'LRScheduler') continue;
      const optimizer = new optim.SGD([parameter()], { lr: 1, momentum: 0.5 });
      const parts = { schedulers: [new StepLR(optimizer, 1)], ...(name === 'SequentialLR' ? { milestones: [] } : {}) };
      const options = /Sequential|Chained/.test(name) ? parts : needed[name];
      const make = Class as unknown as new (options: object) => optim.lrScheduler.LRScheduler;
      expect(new make({ optimizer, ...options }).optimizer, name).to.equal(optimizer);
      expect(() => new make({ optimizer, ...options, lastEpch: 1 }), name).to.throw(
        ArgumentError,
        /unknown option "lastEpch"/,
      );
      expect(() => new make({ optimizer: 5, ...options }), name).to.throw(ArgumentError, /optimizer/);
    }
  });

  it('takes a learning rate as a tensor', () => {
    const lr = tensor(0.5);
    const optimizer = new optim.SGD(
      [{ params: [parameter()] }, { params: [parameter()], lr: tensor([0.25]) } as { params: Tensor[] }],
      { lr },
    );
    expect(optimizer.paramGroups.map((group) => group.lr)).to.deep.equal([0.5, 0.25]);
    const cyclic = new optim.lrScheduler.CyclicLR(
      optimizer,
      tensor(0.1) as unknown as number,
      [tensor(1), tensor(2)] as unknown as number[],
      { cycleMomentum: false },
    );
    expect(cyclic.maxLrs).to.deep.equal([1, 2]);
    expect(() => new optim.SGD([parameter()], { lr: tensor([1, 2]) })).to.throw(
      ArgumentError,
      /tensor of one element for lr/,
    );
  });
});
