/** Schedules that shrink the rate: by steps, at milestones, exponentially, as a polynomial. */
import { ArgumentError, describe, fail } from '../../errors.js';
import { type Arguments, checkInteger, checkNumber, readArguments } from '../arguments.js';
import type { Optimizer } from '../optimizer.js';
import { LRScheduler } from './scheduler.js';

/** `lr = lr gamma` every `stepSize` epochs. Source: torch.optim.lr_scheduler.StepLR. */
export class StepLR extends LRScheduler {
  stepSize: number;
  gamma: number;

  constructor(optimizer: Optimizer, ...args: Arguments<[stepSize?: number, gamma?: number, lastEpoch?: number], { stepSize?: number; gamma?: number; lastEpoch?: number }>) {
    const { stepSize, gamma, lastEpoch } = readArguments('StepLR', { stepSize: undefined as unknown as number, gamma: 0.1, lastEpoch: -1 }, args);
    super(optimizer, lastEpoch, ['step_size', 'gamma']);
    checkInteger('StepLR', 'stepSize', stepSize, 1);
    checkNumber('StepLR', 'gamma', gamma);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.begin();
  }
  getLr(): number[] {
    if (this.lastEpoch === 0 || this.lastEpoch % this.stepSize !== 0) return this.rates();
    return this.rates().map((lr) => lr * this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** Math.floor(this.lastEpoch / this.stepSize));
  }
}

/** `lr = lr gamma` at each milestone, which counts as often as it is listed. Source: torch.optim.lr_scheduler.MultiStepLR. */
export class MultiStepLR extends LRScheduler {
  /** How often each epoch is listed. */
  milestones: Map<number, number>;
  gamma: number;

  constructor(
    optimizer: Optimizer,
    ...args: Arguments<[milestones?: readonly number[], gamma?: number, lastEpoch?: number], { milestones?: readonly number[]; gamma?: number; lastEpoch?: number }>
  ) {
    const given = readArguments('MultiStepLR', { milestones: undefined as unknown as readonly number[], gamma: 0.1, lastEpoch: -1 }, args);
    super(optimizer, given.lastEpoch, ['milestones', 'gamma']);
    if (!Array.isArray(given.milestones)) fail(ArgumentError, 'MultiStepLR', 'a list of milestones', describe(given.milestones));
    checkNumber('MultiStepLR', 'gamma', given.gamma);
    this.milestones = new Map();
    for (const milestone of given.milestones) {
      checkInteger('MultiStepLR', 'a milestone', milestone, 0);
      this.milestones.set(milestone, (this.milestones.get(milestone) ?? 0) + 1);
    }
    this.gamma = given.gamma;
    this.begin();
  }
  getLr(): number[] {
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
    const pairs = milestones instanceof Map ? [...(milestones as Map<number, number>)] : Object.entries(milestones as Record<string, number>);
    this.milestones = new Map(pairs.map(([milestone, times]) => [Number(milestone), Number(times)]));
  }
}

/** `lr = lr gamma` every epoch. Source: torch.optim.lr_scheduler.ExponentialLR. */
export class ExponentialLR extends LRScheduler {
  gamma: number;

  constructor(optimizer: Optimizer, ...args: Arguments<[gamma?: number, lastEpoch?: number], { gamma?: number; lastEpoch?: number }>) {
    const { gamma, lastEpoch } = readArguments('ExponentialLR', { gamma: undefined as unknown as number, lastEpoch: -1 }, args);
    super(optimizer, lastEpoch, ['gamma']);
    checkNumber('ExponentialLR', 'gamma', gamma);
    this.gamma = gamma;
    this.begin();
  }
  getLr(): number[] {
    return this.isInitial ? this.rates() : this.rates().map((lr) => lr * this.gamma);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * this.gamma ** this.lastEpoch);
  }
}

/** `lr = baseLr (1 - epoch / totalIters)^power` until `totalIters`. Source: torch.optim.lr_scheduler.PolynomialLR. */
export class PolynomialLR extends LRScheduler {
  totalIters: number;
  power: number;

  constructor(optimizer: Optimizer, ...args: Arguments<[totalIters?: number, power?: number, lastEpoch?: number], { totalIters?: number; power?: number; lastEpoch?: number }>) {
    const { totalIters, power, lastEpoch } = readArguments('PolynomialLR', { totalIters: 5, power: 1, lastEpoch: -1 }, args);
    super(optimizer, lastEpoch, ['total_iters', 'power']);
    checkInteger('PolynomialLR', 'totalIters', totalIters, 1);
    checkNumber('PolynomialLR', 'power', power);
    this.totalIters = totalIters;
    this.power = power;
    this.begin();
  }
  getLr(): number[] {
    if (this.isInitial || this.lastEpoch > this.totalIters) return this.rates();
    const decay = ((1 - this.lastEpoch / this.totalIters) / (1 - (this.lastEpoch - 1) / this.totalIters)) ** this.power;
    return this.rates().map((lr) => lr * decay);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map((lr) => lr * (1 - Math.min(this.totalIters, this.lastEpoch) / this.totalIters) ** this.power);
  }
}
