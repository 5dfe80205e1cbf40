/**
 * The base of every learning-rate scheduler: counts epochs, writes each group's `lr`, and keeps its state under PyTorch's keys.
 * It knows no schedule.
 */
import { ArgumentError, CheckpointError, describe, fail } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { camelCase } from '../arguments.js';
import { Optimizer, type ParamGroup } from '../optimizer.js';

let warned = false;

/** One value a group, from one value for all of them or a list. */
export function perGroup(op: string, name: string, optimizer: Optimizer, value: number | readonly number[]): number[] {
  const groups = optimizer.paramGroups.length;
  if (!Array.isArray(value)) return new Array<number>(groups).fill(value as number);
  if (value.length !== groups) fail(ArgumentError, op, `${groups} values for ${name}, one a parameter group`, String(value.length));
  return [...(value as number[])];
}

/**
 * Base class. A subclass sets its fields after `super(...)` and ends its constructor with `this.begin()`; `getLr` gives the rate of
 * every group at `lastEpoch`. Source: torch.optim.lr_scheduler.LRScheduler.
 */
export abstract class LRScheduler {
  readonly optimizer: Optimizer;
  /** The number of steps taken, from 0. */
  lastEpoch: number;
  /** The rates that the schedule starts from, one a group. */
  baseLrs: number[] = [];
  protected stepCount = 0;
  protected isInitial = false;
  protected lastLr: number[] = [];
  /** Keys of the state dict, in PyTorch's order; the field of `_step_count` is `stepCount`. */
  protected readonly stateKeys: string[];

  /** `lastEpoch` -1 begins anew; another value resumes groups that carry `initialLr`, as a loaded optimizer's do. */
  constructor(optimizer: Optimizer, lastEpoch: number, stateKeys: readonly string[]) {
    const op = this.constructor.name;
    if (!(optimizer instanceof Optimizer)) fail(ArgumentError, op, 'an optimizer', describe(optimizer));
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1) fail(ArgumentError, op, 'a whole lastEpoch of at least -1', describe(lastEpoch));
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    this.stateKeys = [...stateKeys, 'base_lrs', 'last_epoch', '_step_count', '_is_initial', '_last_lr'];
  }

  /** The rate of every group at `lastEpoch`, given their present ones. */
  abstract getLr(): number[];
  /** The same from the base rates alone, where there is a formula. */
  protected closedForm?(): number[];

  /** Remembers the base rates and takes the initial step. */
  protected begin(): void {
    const { optimizer } = this;
    optimizer.paramGroups.forEach((group, i) => {
      if (this.lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined)
        fail(ArgumentError, this.constructor.name, `initialLr in group ${i} to resume from lastEpoch ${this.lastEpoch} (load the optimizer's state first)`, 'none');
    });
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr as number);
    this.startOver();
  }

  /** Takes the initial step; SequentialLR calls it again. */
  startOver(): void {
    this.stepCount = 0;
    this.isInitial = true;
    try {
      this.step();
    } finally {
      this.isInitial = false;
    }
  }

  /** Takes back the initial step's count; SequentialLR starts its schedulers anew. */
  undo(): void {
    this.lastEpoch--;
  }

  /** Goes on by one epoch and sets the rates; `epoch` jumps to one, which PyTorch deprecates. Call it after `optimizer.step()`. */
  step(epoch?: number | Tensor): void {
    if (this.stepCount === 1 && this.optimizer.stepCount === 0 && !warned) {
      warned = true;
      process.emitWarning('lrScheduler.step() was called before optimizer.step(): the first value of the schedule is skipped', { type: 'NodegradWarning' });
    }
    if (epoch !== undefined && (typeof epoch !== 'number' || !(epoch >= 0)))
      fail(ArgumentError, `${this.constructor.name}.step`, 'an epoch of at least 0, or none', describe(epoch));
    this.stepCount++;
    this.moveTo(epoch as number | undefined);
  }

  /** Sets the rates of the next epoch, or of the given one. */
  moveTo(epoch: number | undefined): void {
    let rates: number[];
    if (epoch === undefined) {
      this.lastEpoch++;
      rates = this.getLr();
    } else {
      this.lastEpoch = epoch;
      rates = this.closedForm === undefined ? this.getLr() : this.closedForm();
    }
    this.setRates(rates);
  }

  protected setRates(rates: readonly number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = rates[i];
    });
    this.lastLr = this.rates();
  }

  protected get groups(): ParamGroup[] {
    return this.optimizer.paramGroups;
  }
  /** The present rate of every group. */
  protected rates(): number[] {
    return this.groups.map((group) => group.lr);
  }

  /** The rates that the last step set, one a group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** The scheduler's state under PyTorch's keys. */
  stateDict(): Record<string, unknown> {
    const fields = this as unknown as Record<string, unknown>;
    const out: Record<string, unknown> = {};
    for (const key of this.stateKeys) {
      const value = fields[fieldOf(key)];
      if (value !== undefined) out[key] = Array.isArray(value) ? [...(value as unknown[])] : value;
    }
    return out;
  }

  /** Takes over a state dict, PyTorch's own included; keys that this scheduler does not have are left alone. The optimizer has one of its own. */
  loadStateDict(state: Record<string, unknown>): void {
    const op = `${this.constructor.name}.loadStateDict`;
    if (typeof state !== 'object' || state === null || Array.isArray(state)) fail(CheckpointError, op, 'an object', describe(state));
    const fields = this as unknown as Record<string, unknown>;
    for (const key of this.stateKeys) {
      if (!(key in state)) continue;
      const current = fields[fieldOf(key)];
      const value = state[key];
      if (typeof current === 'number' && typeof value !== 'number') fail(CheckpointError, op, `a number for ${key}`, describe(value));
      if (Array.isArray(current) && !Array.isArray(value)) fail(CheckpointError, op, `a list for ${key}`, describe(value));
    }
    const rates = state.base_lrs;
    if (Array.isArray(rates) && rates.length !== this.groups.length) fail(CheckpointError, op, `${this.groups.length} base_lrs, one a parameter group`, String(rates.length));
    for (const key of this.stateKeys) if (key in state) fields[fieldOf(key)] = Array.isArray(state[key]) ? [...(state[key] as unknown[])] : state[key];
  }
}

function fieldOf(key: string): string {
  return camelCase(key.replace(/^_/, ''));
}
