/** Schedulers made of schedulers: one after another, or all at once. */
import { ArgumentError, CheckpointError, describe, fail } from '../../errors.js';
import { type Arguments, checkInteger, readArguments } from '../arguments.js';
import type { Optimizer } from '../optimizer.js';
import { ReduceLROnPlateau } from './plateau.js';
import { LRScheduler } from './scheduler.js';

function checkSchedulers(op: string, schedulers: unknown, optimizer: Optimizer | undefined): asserts schedulers is readonly LRScheduler[] {
  if (!Array.isArray(schedulers) || schedulers.length === 0) fail(ArgumentError, op, 'at least one scheduler', describe(schedulers));
  (schedulers as unknown[]).forEach((scheduler, i) => {
    if (!(scheduler instanceof LRScheduler)) fail(ArgumentError, op, `a scheduler at index ${i}`, describe(scheduler));
    if (scheduler instanceof ReduceLROnPlateau) fail(ArgumentError, op, 'schedulers that step without a metric', `ReduceLROnPlateau at index ${i}`);
    if (scheduler.optimizer !== (optimizer ?? (schedulers[0] as LRScheduler).optimizer))
      fail(ArgumentError, op, 'schedulers of one optimizer', `one of another optimizer at index ${i}`);
  });
}

/** What both share: state dicts that hold those of the parts. */
abstract class ComposedLR extends LRScheduler {
  readonly schedulers: readonly LRScheduler[];

  constructor(optimizer: Optimizer, lastEpoch: number, schedulers: readonly LRScheduler[], keys: readonly string[]) {
    super(optimizer, lastEpoch, []);
    this.schedulers = [...schedulers];
    this.stateKeys.splice(0, this.stateKeys.length, ...keys);
  }
  getLr(): number[] {
    return this.rates();
  }
  override undo(): void {
    for (const scheduler of this.schedulers) scheduler.undo();
  }
  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()) };
  }
  override loadStateDict(state: Record<string, unknown>): void {
    const saved = state?._schedulers;
    if (!Array.isArray(saved) || saved.length !== this.schedulers.length)
      fail(CheckpointError, `${this.constructor.name}.loadStateDict`, `the states of ${this.schedulers.length} schedulers`, describe(saved));
    super.loadStateDict(state);
    this.schedulers.forEach((scheduler, i) => {
      scheduler.loadStateDict((saved as Record<string, unknown>[])[i]);
    });
  }
}

/** The first scheduler until the first milestone, then the second, and so on. Source: torch.optim.lr_scheduler.SequentialLR. */
export class SequentialLR extends ComposedLR {
  milestones: number[];

  constructor(
    optimizer: Optimizer,
    ...args: Arguments<
      [schedulers?: readonly LRScheduler[], milestones?: readonly number[], lastEpoch?: number],
      { schedulers?: readonly LRScheduler[]; milestones?: readonly number[]; lastEpoch?: number }
    >
  ) {
    const op = 'SequentialLR';
    const given = readArguments(op, { schedulers: undefined as unknown, milestones: undefined as unknown as readonly number[], lastEpoch: -1 }, args);
    const { schedulers } = given;
    checkSchedulers(op, schedulers, optimizer);
    super(optimizer, given.lastEpoch, schedulers, ['_milestones', 'last_epoch', '_last_lr']);
    if (!Array.isArray(given.milestones) || given.milestones.length !== schedulers.length - 1)
      fail(ArgumentError, op, `${schedulers.length - 1} milestones, one fewer than schedulers`, describe(given.milestones));
    for (const milestone of given.milestones) checkInteger(op, 'a milestone', milestone, 0);
    this.milestones = [...given.milestones];
    this.lastEpoch = given.lastEpoch + 1;
    for (const group of this.groups) group.lr = group.initialLr ?? group.lr;
    this.undo();
    const first = this.schedulers[this.current(0)];
    first.startOver();
    this.lastLr = first.getLastLr();
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
  constructor(schedulers: readonly LRScheduler[], optimizer?: Optimizer | { optimizer?: Optimizer }) {
    const { optimizer: given } = readArguments('ChainedScheduler', { optimizer: undefined as unknown as Optimizer | undefined }, [optimizer]);
    checkSchedulers('ChainedScheduler', schedulers, given);
    super(given ?? schedulers[0].optimizer, -1, schedulers, ['_last_lr']);
    this.lastLr = this.rates();
  }
  override step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
    this.lastLr = this.rates();
  }
}
