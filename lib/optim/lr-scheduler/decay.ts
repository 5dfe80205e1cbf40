/** Schedules that shrink the rate: by steps, at milestones, exponentially, as a polynomial. */

import { type Arguments, checkNumber } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { LRScheduler, type OptimizerOrAll, schedulerArguments } from './scheduler.js';

interface StepLROptions {
  stepSize?: number;
  gamma?: number;
  lastEpoch?: number;
}

/** `lr = lr gamma` every `stepSize` epochs. Source: torch.optim.lr_scheduler.StepLR. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(
    optimizer: OptimizerOrAll<StepLROptions>,
    ...args: Arguments<[stepSize?: number, gamma?: number, lastEpoch?: number], StepLROptions>
  ) {
    const {
      optimizer: own,
      stepSize,
      gamma,
      lastEpoch,
    } = schedulerArguments(
      'StepLR',
      { stepSize: undefined as unknown as number, gamma: 0.1, lastEpoch: -1 },
      optimizer,
      args,
    );
    super(own, lastEpoch, ['step_size', 'gamma']);
    checkNumber('StepLR', 'stepSize', stepSize);
    if (stepSize === 0) fail(ArgumentError, 'StepLR', 'a stepSize other than 0', '0');
    checkNumber('StepLR', 'gamma', gamma);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.begin();
  }
  override getLr(): number[] {
    if (this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0) return this.rates();
    return this.rates().map((lr) => lr * this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

interface MultiStepLROptions {
  milestones?: readonly number[];
  gamma?: number;
  lastEpoch?: number;
}

/**
 * `lr = lr gamma` at each milestone, which counts as often as it is listed. Source:
 * torch.optim.lr_scheduler.MultiStepLR.
 */
export class MultiStepLR extends LRScheduler {
  /** How often each epoch is listed. */
  milestones: Map<number, number>;
  gamma: number;

  constructor(
    optimizer: OptimizerOrAll<MultiStepLROptions>,
    ...args: Arguments<[milestones?: readonly number[], gamma?: number, lastEpoch?: number], MultiStepLROptions>
  ) {
    const given = schedulerArguments(
      'MultiStepLR',
      { milestones: undefined as unknown as readonly number[], gamma: 0.1, lastEpoch: -1 },
      optimizer,
      args,
    );
    super(given.optimizer, given.lastEpoch, ['milestones', 'gamma']);
    if (!Array.isArray(given.milestones))
      fail(ArgumentError, 'MultiStepLR', 'a list of milestones', describe(given.milestones));
    checkNumber('MultiStepLR', 'gamma', given.gamma);
    this.milestones = new Map();
    for (const milestone of given.milestones) {
      checkNumber('MultiStepLR', 'a milestone', milestone);
      this.milestones.set(milestone, (this.milestones.get(milestone) ?? 0) + 1);
    }
    this.gamma = given.gamma;
    this.begin();
  }
  override getLr(): number[] {
    const times = this.milestones.get(this.lastEpoch);
    return times === undefined ? this.rates() : this.rates().map((lr) => lr * this.gamma ** times);
  }
  protected override closedForm(): number[] {
    let passed = 0;
    for (const [milestone, times] of this.milestones) if (milestone <= this.lastEpoch) passed += times;
    return this.baseLrs.map((lr) => lr * this.gamma ** passed);
  }
  override loadStateDict(state: Record<string, unknown>): void {
    super.loadStateDict(state);
    const { milestones } = state;
    if (milestones === undefined) return;
    const pairs =
      milestones instanceof Map
        ? [...(milestones as Map<number, number>)]
        : Object.entries(milestones as Record<string, number>);
    this.milestones = new Map(pairs.map(([milestone, times]) => [Number(milestone), Number(times)]));
  }
}

/** `lr = lr gamma` every epoch. Source: torch.optim.lr_scheduler.ExponentialLR. */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(
    optimizer: OptimizerOrAll<{ gamma?: number; lastEpoch?: number }>,
    ...args: Arguments<[gamma?: number, lastEpoch?: number], { gamma?: number; lastEpoch?: number }>
  ) {
    const {
      optimizer: own,
      gamma,
      lastEpoch,
    } = schedulerArguments('ExponentialLR', { gamma: undefined as unknown as number, lastEpoch: -1 }, optimizer, args);
    super(own, lastEpoch, ['gamma']);
    checkNumber('ExponentialLR', 'gamma', gamma);
    this.gamma = gamma;
    this.begin();
  }
  override getLr(): number[] {
    return this.isInitial ? this.rates() : this.rates().map((lr) => lr * this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}

interface PolynomialLROptions {
  totalIters?: number;
  power?: number;
  lastEpoch?: number;
}

/** `lr = baseLr (1 - epoch / totalIters)^power` until `totalIters`. Source: torch.optim.lr_scheduler.PolynomialLR. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(
    optimizer: OptimizerOrAll<PolynomialLROptions>,
    ...args: Arguments<[totalIters?: number, power?: number, lastEpoch?: number], PolynomialLROptions>
  ) {
    const {
      optimizer: own,
      totalIters,
      power,
      lastEpoch,
    } = schedulerArguments('PolynomialLR', { totalIters: 5, power: 1, lastEpoch: -1 }, optimizer, args);
    super(own, lastEpoch, ['total_iters', 'power']);
    checkNumber('PolynomialLR', 'totalIters', totalIters);
    checkNumber('PolynomialLR', 'power', power);
    this.totalIters = totalIters;
    this.power = power;
    this.begin();
  }
  override getLr(): number[] {
    if (this.isInitial || this.lastEpoch > this.totalIters) return this.rates();
    if (this.power < 0 && Number.isFinite(this.power) && this.lastEpoch === this.totalIters)
      fail(ArgumentError, 'PolynomialLR.step', 'a power of at least 0 for the last epoch', String(this.power));
    const decay = ((1 - this.lastEpoch / this.totalIters) / (1 - (this.lastEpoch - 1) / this.totalIters)) ** this.power;
    return this.rates().map((lr) => lr * decay);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map(
      (lr) => lr * (1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters) ** this.power,
    );
  }
}
