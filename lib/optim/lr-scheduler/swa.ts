/** The schedule of stochastic weight averaging. */

import { type Arguments, checkInteger } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { LRScheduler, type OptimizerOrAll, perGroup, schedulerArguments } from './scheduler.js';

/** Options of SWALR. */
export interface SWALROptions {
  /** The rate to reach, one for all groups or one a group. */
  swaLr?: number | readonly number[];
  /** Epochs on the way there. Default 10. */
  annealEpochs?: number;
  /** Default 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  lastEpoch?: number;
}

/** Leads each group's rate to `swaLr` within `annealEpochs`, and holds it. Source: torch.optim.swa_utils.SWALR. */
export class SWALR extends LRScheduler {
  annealEpochs: number;
  annealStrategy: string;

  constructor(
    first: OptimizerOrAll<SWALROptions>,
    ...args: Arguments<
      [
        swaLr?: number | readonly number[],
        annealEpochs?: number,
        annealStrategy?: 'cos' | 'linear',
        lastEpoch?: number,
      ],
      SWALROptions
    >
  ) {
    const defaults = {
      swaLr: undefined as unknown as number | readonly number[],
      annealEpochs: 10,
      annealStrategy: 'cos' as string,
      lastEpoch: -1,
    };
    const given = schedulerArguments('SWALR', defaults, first, args);
    const { optimizer } = given;
    super(optimizer, given.lastEpoch, ['anneal_epochs', '_anneal_strategy']);
    if (given.swaLr === undefined) fail(ArgumentError, 'SWALR', 'swaLr', 'none');
    if (given.annealStrategy !== 'cos' && given.annealStrategy !== 'linear')
      fail(ArgumentError, 'SWALR', "annealStrategy 'cos' or 'linear'", describe(given.annealStrategy));
    checkInteger('SWALR', 'annealEpochs', given.annealEpochs, 0);
    const rates = perGroup('SWALR', 'swaLr', optimizer, given.swaLr);
    optimizer.paramGroups.forEach((group, i) => {
      group.swaLr = rates[i];
    });
    this.annealEpochs = given.annealEpochs;
    this.annealStrategy = given.annealStrategy;
    this.begin();
  }

  /** How much of the way is done after `step` steps. */
  private share(step: number): number {
    const t = Math.max(0, Math.min(1, step / Math.max(1, this.annealEpochs)));
    return this.annealStrategy === 'cos' ? (1 - Math.cos(Math.PI * t)) / 2 : t;
  }

  override getLr(): number[] {
    const step = this.annealEpochs === 0 ? Math.max(1, this.stepCount - 1) : this.stepCount - 1;
    const before = this.share(step - 1);
    const now = this.share(step);
    return this.groups.map((group) => {
      const target = group.swaLr as number;
      const start = before === 1 ? target : (group.lr - before * target) / (1 - before);
      return target * now + start * (1 - now);
    });
  }
}
