/** The one-cycle policy: up to the highest rate, then far below the first, with momentum moving against it. */

import { type Arguments, checkInteger, checkNumber } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { camelCase } from '../arguments.js';
import type { ParamGroup } from '../optimizer.js';
import { hasMomentum, setMomentum } from './momentum.js';
import { LRScheduler, type OptimizerOrAll, perGroup, schedulerArguments } from './scheduler.js';

/** Options of OneCycleLR. */
export interface OneCycleLROptions {
  /** The highest rate, one for all groups or one a group. */
  maxLr?: number | readonly number[];
  /** Steps of the cycle; or give `epochs` and `stepsPerEpoch`. */
  totalSteps?: number | null;
  epochs?: number | null;
  stepsPerEpoch?: number | null;
  /** Share of the cycle in which the rate rises. Default 0.3. */
  pctStart?: number;
  /** Default 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  /** Move momentum (or beta1) against the rate. Default true. */
  cycleMomentum?: boolean;
  baseMomentum?: number | readonly number[];
  maxMomentum?: number | readonly number[];
  /** The first rate is maxLr / divFactor. Default 25. */
  divFactor?: number;
  /** The last rate is the first / finalDivFactor. Default 1e4. */
  finalDivFactor?: number;
  /** Fall symmetrically to the first rate before the last phase. Default false. */
  threePhase?: boolean;
  lastEpoch?: number;
}

const DEFAULTS = {
  maxLr: undefined as unknown as number | readonly number[],
  totalSteps: null as number | null,
  epochs: null as number | null,
  stepsPerEpoch: null as number | null,
  pctStart: 0.3,
  annealStrategy: 'cos' as string,
  cycleMomentum: true,
  baseMomentum: 0.85 as number | readonly number[],
  maxMomentum: 0.95 as number | readonly number[],
  divFactor: 25,
  finalDivFactor: 1e4,
  threePhase: false,
  lastEpoch: -1,
};

/** As PyTorch's state dict has it: where a phase ends, and which of a group's values it leads from and to. */
interface Phase {
  end_step: number;
  start_lr: string;
  end_lr: string;
  start_momentum: string;
  end_momentum: string;
}

function phase(end: number, startLr: string, endLr: string, startMomentum: string, endMomentum: string): Phase {
  return { end_step: end, start_lr: startLr, end_lr: endLr, start_momentum: startMomentum, end_momentum: endMomentum };
}

/**
 * Source: torch.optim.lr_scheduler.OneCycleLR (Smith and Topin, 2019). Stepping past `totalSteps` throws ArgumentError.
 */
export class OneCycleLR extends LRScheduler {
  totalSteps: number;
  schedulePhases: Phase[];
  annealFuncType: string;
  cycleMomentum: boolean;
  useBeta1: boolean | undefined = undefined;

  constructor(
    first: OptimizerOrAll<OneCycleLROptions>,
    ...args: Arguments<[maxLr?: number | readonly number[], totalSteps?: number | null], OneCycleLROptions>
  ) {
    const op = 'OneCycleLR';
    const given = schedulerArguments(op, DEFAULTS, first, args);
    const { optimizer } = given;
    super(optimizer, given.lastEpoch, [
      'total_steps',
      '_schedule_phases',
      '_anneal_func_type',
      'cycle_momentum',
      'use_beta1',
    ]);
    if (given.maxLr === undefined) fail(ArgumentError, op, 'maxLr', 'none');
    if (given.totalSteps !== null) checkInteger(op, 'totalSteps', given.totalSteps, 1);
    else if (given.epochs !== null && given.stepsPerEpoch !== null) {
      checkInteger(op, 'epochs', given.epochs, 1);
      checkInteger(op, 'stepsPerEpoch', given.stepsPerEpoch, 1);
    } else fail(ArgumentError, op, 'totalSteps, or epochs and stepsPerEpoch', 'neither');
    checkNumber(op, 'pctStart', given.pctStart, 0);
    if (given.pctStart > 1) fail(ArgumentError, op, 'pctStart in [0, 1]', String(given.pctStart));
    if (given.annealStrategy !== 'cos' && given.annealStrategy !== 'linear')
      fail(ArgumentError, op, "annealStrategy 'cos' or 'linear'", describe(given.annealStrategy));
    for (const name of ['divFactor', 'finalDivFactor'] as const) {
      checkNumber(op, name, given[name]);
      if (given[name] === 0) fail(ArgumentError, op, `a ${name} other than 0`, '0');
    }
    const total = given.totalSteps ?? Number(given.epochs) * Number(given.stepsPerEpoch);
    this.totalSteps = total;
    const rise = phase(given.pctStart * total - 1, 'initial_lr', 'max_lr', 'max_momentum', 'base_momentum');
    this.schedulePhases = given.threePhase
      ? [
          rise,
          phase(2 * given.pctStart * total - 2, 'max_lr', 'initial_lr', 'base_momentum', 'max_momentum'),
          phase(total - 1, 'initial_lr', 'min_lr', 'max_momentum', 'max_momentum'),
        ]
      : [rise, phase(total - 1, 'max_lr', 'min_lr', 'base_momentum', 'max_momentum')];
    this.annealFuncType = given.annealStrategy;
    const maxLrs = perGroup(op, 'maxLr', optimizer, given.maxLr);
    const begins = given.lastEpoch === -1;
    if (begins)
      optimizer.paramGroups.forEach((group, i) => {
        group.initialLr = maxLrs[i] / given.divFactor;
        group.maxLr = maxLrs[i];
        group.minLr = group.initialLr / given.finalDivFactor;
      });
    this.cycleMomentum = given.cycleMomentum;
    if (given.cycleMomentum) {
      this.useBeta1 = hasMomentum(op, optimizer);
      const low = perGroup(op, 'baseMomentum', optimizer, given.baseMomentum);
      const high = perGroup(op, 'maxMomentum', optimizer, given.maxMomentum);
      if (begins)
        optimizer.paramGroups.forEach((group, i) => {
          setMomentum(group, high[i]);
          group.maxMomentum = high[i];
          group.baseMomentum = low[i];
        });
    }
    this.begin();
  }

  private anneal(group: ParamGroup, from: string, to: string, share: number): number {
    const values = group as unknown as Record<string, number>;
    const start = values[camelCase(from)];
    const end = values[camelCase(to)];
    return this.annealFuncType === 'cos'
      ? end + ((start - end) / 2) * (Math.cos(Math.PI * share) + 1)
      : (end - start) * share + start;
  }

  override getLr(): number[] {
    const step = this.lastEpoch;
    if (step > this.totalSteps)
      fail(ArgumentError, 'OneCycleLR.step', `at most the ${this.totalSteps} steps of the cycle`, String(step));
    let start = 0;
    let k = 0;
    while (k < this.schedulePhases.length - 1 && step > this.schedulePhases[k].end_step)
      start = this.schedulePhases[k++].end_step;
    const current = this.schedulePhases[k];
    if (current.end_step === start)
      fail(
        ArgumentError,
        'OneCycleLR',
        'phases of at least one step',
        `one that begins and ends at step ${start} (pctStart of ${this.totalSteps} steps)`,
      );
    const share = (step - start) / (current.end_step - start);
    return this.groups.map((group) => {
      if (this.cycleMomentum)
        setMomentum(group, this.anneal(group, current.start_momentum, current.end_momentum, share));
      return this.anneal(group, current.start_lr, current.end_lr, share);
    });
  }
}
