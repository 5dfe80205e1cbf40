/** Schedules that hold or raise the rate for the first epochs. */

import { type Arguments, checkNumber } from '../../arguments.js';
import { ArgumentError, fail } from '../../errors.js';
import { LRScheduler, type OptimizerOrAll, schedulerArguments } from './scheduler.js';

function checkFactor(op: string, name: string, value: number, zeroAllowed: boolean): void {
  checkNumber(op, name, value);
  if (value > 1 || value < 0 || (value === 0 && !zeroAllowed))
    fail(ArgumentError, op, `${name} in ${zeroAllowed ? '[' : '('}0, 1]`, String(value));
}

interface ConstantLROptions {
  factor?: number;
  totalIters?: number;
  lastEpoch?: number;
}

/** `lr = baseLr factor` for `totalIters` epochs, then `baseLr`. Source: torch.optim.lr_scheduler.ConstantLR. */
export class ConstantLR extends LRScheduler {
  factor: number;
  totalIters: number;

  constructor(
    optimizer: OptimizerOrAll<ConstantLROptions>,
    ...args: Arguments<[factor?: number, totalIters?: number, lastEpoch?: number], ConstantLROptions>
  ) {
    const {
      optimizer: own,
      factor,
      totalIters,
      lastEpoch,
    } = schedulerArguments('ConstantLR', { factor: 1 / 3, totalIters: 5, lastEpoch: -1 }, optimizer, args);
    super(own, lastEpoch, ['factor', 'total_iters']);
    checkFactor('ConstantLR', 'factor', factor, true);
    checkNumber('ConstantLR', 'totalIters', totalIters);
    this.factor = factor;
    this.totalIters = totalIters;
    this.begin();
  }
  override getLr(): number[] {
    if (this.lastEpoch === 0) return this.rates().map((lr) => lr * this.factor);
    if (this.lastEpoch !== this.totalIters) return this.rates();
    if (this.factor === 0)
      fail(
        ArgumentError,
        'ConstantLR.step',
        'a factor other than 0, by which the rate is divided after totalIters epochs',
        '0',
      );
    return this.rates().map((lr) => lr * (1 / this.factor));
  }
  protected override closedForm(): number[] {
    const factor = this.factor + (this.lastEpoch >= this.totalIters ? 1 - this.factor : 0);
    return this.baseLrs.map((lr) => lr * factor);
  }
}

interface LinearLROptions {
  startFactor?: number;
  endFactor?: number;
  totalIters?: number;
  lastEpoch?: number;
}

/**
 * `lr` from `baseLr startFactor` to `baseLr endFactor` in equal steps over `totalIters` epochs. Source:
 * torch.optim.lr_scheduler.LinearLR.
 */
export class LinearLR extends LRScheduler {
  startFactor: number;
  endFactor: number;
  totalIters: number;

  constructor(
    optimizer: OptimizerOrAll<LinearLROptions>,
    ...args: Arguments<
      [startFactor?: number, endFactor?: number, totalIters?: number, lastEpoch?: number],
      LinearLROptions
    >
  ) {
    const given = schedulerArguments(
      'LinearLR',
      { startFactor: 1 / 3, endFactor: 1, totalIters: 5, lastEpoch: -1 },
      optimizer,
      args,
    );
    super(given.optimizer, given.lastEpoch, ['start_factor', 'end_factor', 'total_iters']);
    checkFactor('LinearLR', 'startFactor', given.startFactor, false);
    checkFactor('LinearLR', 'endFactor', given.endFactor, true);
    checkNumber('LinearLR', 'totalIters', given.totalIters);
    this.startFactor = given.startFactor;
    this.endFactor = given.endFactor;
    this.totalIters = given.totalIters;
    this.begin();
  }
  override getLr(): number[] {
    if (this.lastEpoch === 0) return this.rates().map((lr) => lr * this.startFactor);
    if (this.isInitial || this.lastEpoch > this.totalIters) return this.rates();
    const rise = this.endFactor - this.startFactor;
    const factor = 1 + rise / (this.totalIters * this.startFactor + (this.lastEpoch - 1) * rise);
    return this.rates().map((lr) => lr * factor);
  }
  protected override closedForm(): number[] {
    const factor =
      this.startFactor +
      ((this.endFactor - this.startFactor) * Math.min(this.totalIters, this.lastEpoch)) / this.totalIters;
    return this.baseLrs.map((lr) => lr * factor);
  }
}
