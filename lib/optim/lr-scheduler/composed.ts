/** Schedulers made of schedulers: one after another, or all at once. */

import { type Arguments, checkNumber, readArguments } from '../../arguments.js';
import { ArgumentError, CheckpointError, describe, fail } from '../../errors.js';
import { checkStateDict } from '../../state-dict.js';
import type { Optimizer } from '../optimizer.js';
import { ReduceLROnPlateau } from './plateau.js';
import { LRScheduler, type OptimizerOrAll, schedulerArguments } from './scheduler.js';

function checkSchedulers(
  op: string,
  schedulers: unknown,
  optimizer: Optimizer | undefined,
): asserts schedulers is readonly LRScheduler[] {
  if (!Array.isArray(schedulers) || schedulers.length === 0)
    fail(ArgumentError, op, 'at least one scheduler', describe(schedulers));
  Array.from(schedulers as unknown[]).forEach((scheduler, i) => {
    if (!(scheduler instanceof LRScheduler)) fail(ArgumentError, op, `a scheduler at index ${i}`, describe(scheduler));
    if (scheduler instanceof ReduceLROnPlateau)
      fail(ArgumentError, op, 'schedulers that step without a metric', `ReduceLROnPlateau at index ${i}`);
    if (scheduler.optimizer !== (optimizer ?? (schedulers[0] as LRScheduler).optimizer))
      fail(ArgumentError, op, 'schedulers of one optimizer', `one of another optimizer at index ${i}`);
  });
}

/** What both share: state dicts that hold those of the parts. */
abstract class ComposedLR extends LRScheduler {
  readonly schedulers: readonly LRScheduler[];

  constructor(optimizer: Optimizer, lastEpoch: number, schedulers: readonly LRScheduler[], keys: readonly string[]) {
    super(optimizer, lastEpoch, []);
    optimizer.settle(true);
    this.schedulers = [...schedulers];
    this.stateKeys = keys;
  }
  override getLr(): number[] {
    return this.rates();
  }
  override undo(): void {
    for (const scheduler of this.schedulers) scheduler.undo();
  }
  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }
  override loadStateDict(state: Record<string, unknown>): void {
    const op = `${this.constructor.name}.loadStateDict`;
    checkStateDict(op, state);
    const saved = state._schedulers;
    if (!Array.isArray(saved) || saved.length !== this.schedulers.length)
      fail(CheckpointError, op, `the states of ${this.schedulers.length} schedulers`, describe(saved));
    super.loadStateDict(state);
    this.schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict((saved as Record<string, unknown>[])[i]);
    });
  }
}

interface SequentialLROptions {
  schedulers?: readonly LRScheduler[];
  milestones?: readonly number[];
  lastEpoch?: number;
}

/**
 * The first scheduler until the first milestone, then the second, and so on. Source:
 * torch.optim.lr_scheduler.SequentialLR.
 */
export class SequentialLR extends ComposedLR {
  milestones: number[];

  constructor(
    first: OptimizerOrAll<SequentialLROptions>,
    ...args: Arguments<
      [schedulers?: readonly LRScheduler[], milestones?: readonly number[], lastEpoch?: number],
      SequentialLROptions
    >
  ) {
    const op = 'SequentialLR';
    const given = schedulerArguments(
      op,
      { schedulers: undefined as unknown, milestones: undefined as unknown as readonly number[], lastEpoch: -1 },
      first,
      args,
    );
    const { optimizer, schedulers } = given;
    checkSchedulers(op, schedulers, optimizer);
    super(optimizer, given.lastEpoch, schedulers, ['_milestones', 'last_epoch', '_last_lr']);
    if (!Array.isArray(given.milestones) || given.milestones.length !== schedulers.length - 1)
      fail(
        ArgumentError,
        op,
        `${schedulers.length - 1} milestones, one fewer than schedulers`,
        describe(given.milestones),
      );
    for (const milestone of given.milestones) checkNumber(op, 'a milestone', milestone);
    this.milestones = [...given.milestones];
    this.lastEpoch = given.lastEpoch + 1;
    for (const group of this.groups) group.lr = group.initialLr ?? group.lr;
    this.undo();
    const begun = this.schedulers[this.current(0)];
    begun.startOver();
    this.lastLr = begun.getLastLr();
  }

  /** Which scheduler is in charge at an epoch. */
  private current(epoch: number): number {
    return this.milestones.filter((milestone) => milestone <= epoch).length;
  }

  override step(): void {
    this.lastEpoch++;
    const k = this.current(this.lastEpoch);
    const scheduler = this.schedulers[k];
    if (k > 0 && this.milestones[k - 1] === this.lastEpoch) scheduler.moveTo(0);
    else scheduler.step();
    this.lastLr = scheduler.getLastLr();
  }
}

/** All schedulers in turn, every epoch. Source: torch.optim.lr_scheduler.ChainedScheduler. */
export class ChainedScheduler extends ComposedLR {
  constructor(
    first: readonly LRScheduler[] | { schedulers: readonly LRScheduler[]; optimizer?: Optimizer },
    ...args: Arguments<[optimizer?: Optimizer], { optimizer?: Optimizer }>
  ) {
    const defaults = { schedulers: undefined as unknown, optimizer: undefined as Optimizer | undefined };
    const { schedulers, optimizer: given } = readArguments('ChainedScheduler', defaults, [first, ...args]);
    checkSchedulers('ChainedScheduler', schedulers, given);
    super(given ?? schedulers[0].optimizer, -1, schedulers, ['_last_lr']);
    this.lastLr = this.rates();
  }
  override step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
    this.lastLr = this.rates();
  }
}
