/** Shrinks the rate when a metric stops improving. */

import { type Arguments, checkNumber } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { Tensor } from '../../tensor/tensor.js';
import { LRScheduler, type OptimizerOrAll, perGroup, schedulerArguments } from './scheduler.js';

/** Options of ReduceLROnPlateau. */
export interface ReduceLROnPlateauOptions {
  /** Whether smaller or greater is better. Default 'min'. */
  mode?: 'min' | 'max';
  /** `lr = lr factor`. Default 0.1. */
  factor?: number;
  /** Epochs without improvement that are borne. Default 10. */
  patience?: number;
  /** What counts as an improvement, relative or absolute. Default 1e-4, 'rel'. */
  threshold?: number;
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which nothing is counted. Default 0. */
  cooldown?: number;
  /** The lowest rate, one for all groups or one a group. Default 0. */
  minLr?: number | readonly number[];
  /** A smaller change is left undone. Default 1e-8. */
  eps?: number;
}

const DEFAULTS = {
  mode: 'min' as string,
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: 'rel' as string,
  cooldown: 0,
  minLr: 0 as number | readonly number[],
  eps: 1e-8,
};
const KEYS = [
  'factor',
  'default_min_lr',
  'min_lrs',
  'patience',
  'cooldown',
  'eps',
  'mode',
  'threshold',
  'threshold_mode',
  'mode_worse',
  'best',
  'cooldown_counter',
  'num_bad_epochs',
];

/**
 * `lr = lr factor` after `patience` epochs without improvement of the metric given to `step`. Source:
 * torch.optim.lr_scheduler.ReduceLROnPlateau.
 */
export class ReduceLROnPlateau extends LRScheduler {
  factor: number;
  defaultMinLr: number | null;
  minLrs: number[];
  patience: number;
  cooldown: number;
  eps: number;
  mode: string;
  threshold: number;
  thresholdMode: string;
  modeWorse: number;
  /** The best metric so far. */
  best: number;
  cooldownCounter = 0;
  numBadEpochs = 0;

  constructor(
    first: OptimizerOrAll<ReduceLROnPlateauOptions>,
    ...args: Arguments<
      [mode?: 'min' | 'max', factor?: number, patience?: number, threshold?: number, thresholdMode?: 'rel' | 'abs'],
      ReduceLROnPlateauOptions
    >
  ) {
    const op = 'ReduceLROnPlateau';
    const given = schedulerArguments(op, DEFAULTS, first, args);
    const { optimizer } = given;
    super(optimizer, 0, KEYS);
    checkNumber(op, 'factor', given.factor);
    if (given.factor >= 1) fail(ArgumentError, op, 'factor below 1', String(given.factor));
    for (const key of ['patience', 'cooldown', 'threshold', 'eps'] as const) checkNumber(op, key, given[key]);
    if (given.mode !== 'min' && given.mode !== 'max')
      fail(ArgumentError, op, "mode 'min' or 'max'", describe(given.mode));
    if (given.thresholdMode !== 'rel' && given.thresholdMode !== 'abs')
      fail(ArgumentError, op, "thresholdMode 'rel' or 'abs'", describe(given.thresholdMode));
    this.factor = given.factor;
    this.minLrs = perGroup(op, 'minLr', optimizer, given.minLr);
    this.defaultMinLr = typeof given.minLr === 'number' ? given.minLr : null;
    this.patience = given.patience;
    this.cooldown = given.cooldown;
    this.eps = given.eps;
    this.mode = given.mode;
    this.threshold = given.threshold;
    this.thresholdMode = given.thresholdMode;
    this.modeWorse = given.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
    this.best = this.modeWorse;
    this.lastLr = this.rates();
    this.stateKeys = [...KEYS, 'last_epoch', '_last_lr'];
  }

  override getLr(): number[] {
    return this.rates();
  }

  private isBetter(metric: number): boolean {
    const { best, threshold } = this;
    if (this.thresholdMode === 'rel')
      return this.mode === 'min' ? metric < best * (1 - threshold) : metric > best * (threshold + 1);
    return this.mode === 'min' ? metric < best - threshold : metric > best + threshold;
  }

  /** Sees the epoch's metric. */
  override step(metrics?: number | Tensor, epoch?: number): void {
    const metric = metrics instanceof Tensor ? Number(metrics.item()) : metrics;
    if (typeof metric !== 'number')
      fail(
        ArgumentError,
        'ReduceLROnPlateau.step',
        'the metric, a number or a tensor of one element',
        describe(metrics),
      );
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    if (this.isBetter(metric)) {
      this.best = metric;
      this.numBadEpochs = 0;
    } else this.numBadEpochs++;
    if (this.cooldownCounter > 0) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.lastLr = this.rates();
  }

  private reduce(): void {
    if (this.minLrs.length !== this.groups.length) {
      if (this.defaultMinLr === null)
        fail(
          ArgumentError,
          'ReduceLROnPlateau.step',
          `${this.groups.length} minLrs, one a parameter group`,
          String(this.minLrs.length),
        );
      this.minLrs = new Array<number>(this.groups.length).fill(this.defaultMinLr);
    }
    this.groups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.factor, this.minLrs[i]);
      if (group.lr - lr > this.eps) group.lr = lr;
    });
  }

  override loadStateDict(state: Record<string, unknown>): void {
    super.loadStateDict(state);
    this.modeWorse = this.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }
}
