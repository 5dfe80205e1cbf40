/** The schedule of stochastic weight averaging. */
import { ArgumentError, describe, fail } from '../../errors.js';
import { type Arguments, checkInteger, readArguments } from '../arguments.js';
import type { Optimizer } from '../optimizer.js';
import { LRScheduler, perGroup } from './scheduler.js';

/** Leads each group's rate to `swaLr` within `annealEpochs`, and holds it. Source: torch.optim.swa_utils.SWALR. */
export class SWALR extends LRScheduler {
  annealEpochs: number;
  annealStrategy: string;

  constructor(
    optimizer: Optimizer,
    ...args: Arguments<
      [swaLr?: number | readonly number[], annealEpochs?: number, annealStrategy?: 'cos' | 'linear', lastEpoch?: number],
      { swaLr?: number | readonly number[]; annealEpochs?: number; annealStrategy?: 'cos' | 'linear'; lastEpoch?: number }
    >
  ) {
    const given = readArguments('SWALR', { swaLr: undefined as unknown as number | readonly number[], annealEpochs: 10, annealStrategy: 'cos' as string, lastEpoch: -1 }, args);
    super(optimizer, given.lastEpoch, ['anneal_epochs', '_anneal_strategy']);
    if (given.swaLr === undefined) fail(ArgumentError, 'SWALR', 'swaLr', 'none');
    if (given.annealStrategy !== 'cos' && given.annealStrategy !== 'linear') fail(ArgumentError, 'SWALR', "annealStrategy 'cos' or 'linear'", describe(given.annealStrategy));
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

  getLr(): number[] {
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
