/** Cyclic learning rates between two bounds. */

import { type Arguments, checkNumber } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { hasMomentum, setMomentum } from './momentum.js';
import { LRScheduler, type OptimizerOrAll, perGroup, schedulerArguments } from './scheduler.js';

/** Options of CyclicLR. */
export interface CyclicLROptions {
  /** The lower bound, one for all groups or one a group. */
  baseLr?: number | readonly number[];
  /** The upper bound. */
  maxLr?: number | readonly number[];
  /** Steps of the rising half. Default 2000. */
  stepSizeUp?: number;
  /** Steps of the falling half. Default: as many. */
  stepSizeDown?: number | null;
  /** Constant height, halved every cycle, or shrunk by gamma every step. Default 'triangular'. */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  gamma?: number;
  /** A scale of one's own, of the cycle or of the step (`scaleMode`), in the place of `mode`. */
  scaleFn?: ((x: number) => number) | null;
  scaleMode?: 'cycle' | 'iterations';
  /** Move momentum (or beta1) against the rate. Default true. */
  cycleMomentum?: boolean;
  baseMomentum?: number | readonly number[];
  maxMomentum?: number | readonly number[];
  lastEpoch?: number;
}

const DEFAULTS = {
  baseLr: undefined as unknown as number | readonly number[],
  maxLr: undefined as unknown as number | readonly number[],
  stepSizeUp: 2000,
  stepSizeDown: null as number | null,
  mode: 'triangular' as string,
  gamma: 1,
  scaleFn: null as ((x: number) => number) | null,
  scaleMode: 'cycle' as string,
  cycleMomentum: true,
  baseMomentum: 0.8 as number | readonly number[],
  maxMomentum: 0.9 as number | readonly number[],
  lastEpoch: -1,
};

/** `lr = baseLr + (maxLr - baseLr) height(step) scale`. Source: torch.optim.lr_scheduler.CyclicLR (Smith, 2017). */
export class CyclicLR extends LRScheduler {
  maxLrs: number[];
  totalSize: number;
  stepRatio: number;
  mode: string;
  gamma: number;
  scaleMode: string;
  cycleMomentum: boolean;
  useBeta1: boolean | undefined = undefined;
  baseMomentums: number[] | undefined = undefined;
  maxMomentums: number[] | undefined = undefined;
  private readonly custom: ((x: number) => number) | null;

  constructor(
    first: OptimizerOrAll<CyclicLROptions>,
    ...args: Arguments<[baseLr?: number | readonly number[], maxLr?: number | readonly number[]], CyclicLROptions>
  ) {
    const op = 'CyclicLR';
    const given = schedulerArguments(op, DEFAULTS, first, args);
    const { optimizer } = given;
    super(optimizer, given.lastEpoch, [
      'max_lrs',
      'total_size',
      'step_ratio',
      'mode',
      'gamma',
      'scale_mode',
      'cycle_momentum',
      'use_beta1',
      'base_momentums',
      'max_momentums',
    ]);
    for (const name of ['baseLr', 'maxLr'] as const)
      if (given[name] === undefined) fail(ArgumentError, op, 'baseLr and maxLr', `no ${name}`);
    const baseLrs = perGroup(op, 'baseLr', optimizer, given.baseLr);
    if (given.lastEpoch === -1)
      optimizer.paramGroups.forEach((group, i) => {
        group.lr = baseLrs[i];
      });
    this.maxLrs = perGroup(op, 'maxLr', optimizer, given.maxLr);
    checkNumber(op, 'stepSizeUp', given.stepSizeUp);
    const down = given.stepSizeDown ?? given.stepSizeUp;
    checkNumber(op, 'stepSizeDown', down);
    this.totalSize = given.stepSizeUp + down;
    this.stepRatio = given.stepSizeUp / this.totalSize;
    if (this.totalSize === 0 || this.stepRatio === 0)
      fail(ArgumentError, op, 'a cycle that rises for at least one step', `${given.stepSizeUp} up and ${down} down`);
    if (!['triangular', 'triangular2', 'exp_range'].includes(given.mode) && given.scaleFn === null)
      fail(ArgumentError, op, "mode 'triangular', 'triangular2' or 'exp_range', or a scaleFn", describe(given.mode));
    checkNumber(op, 'gamma', given.gamma);
    this.mode = given.mode;
    this.gamma = given.gamma;
    this.custom = given.scaleFn;
    this.scaleMode = given.scaleFn !== null ? given.scaleMode : given.mode === 'exp_range' ? 'iterations' : 'cycle';
    this.cycleMomentum = given.cycleMomentum;
    if (given.cycleMomentum) {
      this.useBeta1 = hasMomentum(op, optimizer);
      const low = perGroup(op, 'baseMomentum', optimizer, given.baseMomentum);
      const high = perGroup(op, 'maxMomentum', optimizer, given.maxMomentum);
      this.baseMomentums = low;
      this.maxMomentums = high;
      if (given.lastEpoch === -1)
        optimizer.paramGroups.forEach((group, i) => {
          setMomentum(group, high[i]);
          group.maxMomentum = high[i];
          group.baseMomentum = low[i];
        });
    }
    this.begin();
    this.baseLrs = baseLrs;
  }

  private scale(x: number): number {
    if (this.custom !== null) return this.custom(x);
    if (this.mode === 'triangular2') return 1 / 2 ** (x - 1);
    return this.mode === 'exp_range' ? this.gamma ** x : 1;
  }

  override getLr(): number[] {
    const cycle = Math.floor(1 + this.lastEpoch / this.totalSize);
    const x = 1 + this.lastEpoch / this.totalSize - cycle;
    const height = x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1);
    const scale = this.scale(this.scaleMode === 'cycle' ? cycle : this.lastEpoch);
    const { baseMomentums: low, maxMomentums: high } = this;
    if (this.cycleMomentum && low !== undefined && high !== undefined)
      this.groups.forEach((group, i) => {
        setMomentum(group, high[i] - (high[i] - low[i]) * height * scale);
      });
    return this.baseLrs.map((base, i) => base + (this.maxLrs[i] - base) * height * scale);
  }

  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _scale_fn_custom: null };
  }
}
