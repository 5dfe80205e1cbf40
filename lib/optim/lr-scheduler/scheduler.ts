/**
 * The base of every learning-rate scheduler, a user's own included: counts epochs, writes each group's `lr`, and keeps
 * its state under PyTorch's keys. It knows no schedule.
 */

import { checkNumber, readArguments } from '../../arguments.js';
import { ArgumentError, CheckpointError, describe, fail, NodegradError } from '../../errors.js';
import { checkStateDict } from '../../state-dict.js';
import { Tensor } from '../../tensor/tensor.js';
import { camelCase, snakeCase } from '../arguments.js';
import { Optimizer, type ParamGroup } from '../optimizer.js';

let warned = false;

/** The first argument of a scheduler: its optimizer, or all arguments by name in one object. */
export type OptimizerOrAll<O> = Optimizer | ({ optimizer: Optimizer } & O);

/** The arguments of a scheduler over the defaults. The constructor of `LRScheduler` checks the optimizer. */
export function schedulerArguments<T extends object>(
  op: string,
  defaults: T,
  first: unknown,
  args: readonly unknown[],
): T & { optimizer: Optimizer } {
  return readArguments(op, { optimizer: undefined as unknown as Optimizer, ...defaults }, [first, ...args]);
}

/** A number, also where it comes as a tensor of one element, as PyTorch keeps a rate that was given as one. */
function plain(value: unknown): unknown {
  return value instanceof Tensor && value.numel() === 1 ? Number(value.item()) : value;
}

/** One value a group, from one value for all of them or a list. */
export function perGroup(op: string, name: string, optimizer: Optimizer, value: number | readonly number[]): number[] {
  const groups = optimizer.paramGroups.length;
  const values: unknown[] = Array.isArray(value) ? value.map(plain) : new Array(groups).fill(plain(value));
  if (values.length !== groups)
    fail(ArgumentError, op, `${groups} values for ${name}, one a parameter group`, String(values.length));
  for (const each of values) checkNumber(op, name, each);
  return values as number[];
}

/** Fields that PyTorch's keys give an underscore. */
const COUNTERS: readonly string[] = ['stepCount', 'isInitial', 'lastLr'];
/** Fields that a state dict does not carry. */
const NOT_STATE: readonly string[] = ['optimizer', 'stateKeys', 'begun'];

/**
 * Base class. A subclass calls `super(optimizer, lastEpoch)`, sets its fields, and gives the rate of every group at
 * `lastEpoch` by `getLr`, or replaces `step`. As in PyTorch the initial step is part of the construction: it is tried
 * at once, and since a subclass sets its fields after `super`, it is taken again before the scheduler or its optimizer
 * is first used. Source: torch.optim.lr_scheduler.LRScheduler.
 */
export class LRScheduler {
  readonly optimizer: Optimizer;
  /** The number of steps taken, from 0. */
  lastEpoch: number;
  /** The rates that the schedule starts from, one a group. */
  baseLrs: number[] = [];
  protected stepCount = 0;
  protected isInitial = false;
  protected lastLr: number[] = [];
  /**
   * Keys of the state dict, in PyTorch's order; the field of `_step_count` is `stepCount`. Null: all fields, as in
   * PyTorch.
   */
  protected stateKeys: readonly string[] | null = null;
  /**
   * Takes the initial step again; null once that is done. An error counts only where the fields must be there
   * (`final`).
   */
  private begun: ((final: boolean) => void) | null = null;

  /**
   * `lastEpoch` -1 begins anew; another value resumes groups that carry `initialLr`, as a loaded optimizer's do. A
   * class of this library lists its `stateKeys` and ends its own constructor with `begin`.
   */
  constructor(optimizer: Optimizer, lastEpoch = -1, stateKeys?: readonly string[]) {
    const op = this.constructor.name;
    if (!(optimizer instanceof Optimizer)) fail(ArgumentError, op, 'an optimizer', describe(optimizer));
    if (!Number.isInteger(lastEpoch) || lastEpoch < -1)
      fail(ArgumentError, op, 'a whole lastEpoch of at least -1', describe(lastEpoch));
    this.optimizer = optimizer;
    this.lastEpoch = lastEpoch;
    optimizer.observeStep();
    optimizer.settle(false);
    if (!Array.isArray(stateKeys)) this.beginEarly();
    else this.stateKeys = [...stateKeys, 'base_lrs', 'last_epoch', '_step_count', '_is_initial', '_last_lr'];
  }

  /** The rate of every group at `lastEpoch`, given their present ones. */
  getLr(): number[] {
    return fail(NodegradError, this.constructor.name, 'a getLr() or a step() of its own', 'neither');
  }
  /** The same from the base rates alone, where there is a formula. */
  protected closedForm?(): number[];

  /** Remembers the base rates and takes the initial step. */
  protected begin(): void {
    this.rememberBase();
    this.startOver();
  }
  private rememberBase(): void {
    const { optimizer } = this;
    optimizer.paramGroups.forEach((group, i) => {
      if (this.lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined)
        fail(
          ArgumentError,
          this.constructor.name,
          `initialLr in group ${i} to resume from lastEpoch ${this.lastEpoch} (load the optimizer's state first)`,
          'none',
        );
    });
    this.baseLrs = optimizer.paramGroups.map((group) => group.initialLr as number);
  }

  /** The initial step of a class that sets its fields after this constructor. */
  private beginEarly(): void {
    this.rememberBase();
    const { lastEpoch, optimizer } = this;
    const before = this.rates();
    this.tryInitialStep(before);
    let tried = this.rates();
    const again = (final: boolean): void => {
      const done = (): void => {
        this.begun = null;
        optimizer.unsettled.delete(again);
      };
      // A program that has set rates or epochs of its own meanwhile keeps them.
      if (this.lastEpoch !== lastEpoch + 1 || this.rates().some((rate, i) => !Object.is(rate, tried[i]))) {
        done();
        return;
      }
      this.putRates(before);
      this.lastEpoch = lastEpoch;
      if (final) {
        done();
        this.startOver();
      } else if (this.tryInitialStep(before)) done();
      else tried = this.rates();
    };
    this.begun = again;
    optimizer.unsettled.add(again);
  }
  /** Whether the initial step gave rates. Where it did not, they are as before. */
  private tryInitialStep(before: readonly number[]): boolean {
    const { lastEpoch } = this;
    let works = false;
    try {
      this.startOver();
      works = this.rates().every(Number.isFinite);
    } catch {
      // A field is not there yet.
    }
    if (!works) {
      this.putRates(before);
      this.lastLr = [...before];
      this.lastEpoch = lastEpoch + 1;
    }
    return works;
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

  /**
   * Goes on by one epoch and sets the rates; `epoch` jumps to one, which PyTorch deprecates. Call it after
   * `optimizer.step()`.
   */
  step(epoch?: number | Tensor): void {
    if (!this.isInitial) this.begun?.(true);
    if (this.stepCount === 1 && this.optimizer.stepCount === 0 && !warned) {
      warned = true;
      process.emitWarning(
        'lrScheduler.step() was called before optimizer.step(): the first value of the schedule is skipped',
        { type: 'NodegradWarning' },
      );
    }
    if (epoch !== undefined && (typeof epoch !== 'number' || !(epoch >= 0)))
      fail(ArgumentError, `${this.constructor.name}.step`, 'an epoch of at least 0, or none', describe(epoch));
    this.stepCount++;
    this.moveTo(epoch as number | undefined);
  }

  /** Sets the rates of the next epoch, or of the given one. Internal: step and composed schedulers call it. */
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
    if (!Array.isArray(rates) || rates.length !== this.groups.length)
      fail(
        ArgumentError,
        `${this.constructor.name}.getLr`,
        `${this.groups.length} rates, one a parameter group`,
        describe(rates),
      );
    this.putRates(rates);
    this.lastLr = this.rates();
  }
  private putRates(rates: readonly number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = rates[i];
    });
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
    this.begun?.(true);
    return [...this.lastLr];
  }

  /** The scheduler's state under PyTorch's keys. */
  stateDict(): Record<string, unknown> {
    this.begun?.(true);
    const fields = this as unknown as Record<string, unknown>;
    const out: Record<string, unknown> = {};
    for (const key of this.keys()) {
      const value = fields[fieldOf(key)];
      if (value !== undefined) out[key] = Array.isArray(value) ? [...(value as unknown[])] : value;
    }
    return out;
  }

  private keys(): readonly string[] {
    if (this.stateKeys !== null) return this.stateKeys;
    const isState = ([key, value]: [string, unknown]): boolean =>
      !NOT_STATE.includes(key) &&
      typeof value !== 'function' &&
      !(value instanceof Optimizer) &&
      !(value instanceof LRScheduler);
    return Object.entries(this)
      .filter(isState)
      .map(([key]) => (COUNTERS.includes(key) ? `_${snakeCase(key)}` : snakeCase(key)));
  }

  /**
   * Takes over a state dict, PyTorch's own included; keys that this scheduler does not have are left alone. The
   * optimizer has one of its own.
   */
  loadStateDict(state: Record<string, unknown>): void {
    const op = `${this.constructor.name}.loadStateDict`;
    checkStateDict(op, state);
    this.begun?.(true);
    const fields = this as unknown as Record<string, unknown>;
    const loaded = new Map<string, unknown>();
    for (const key of this.keys()) {
      if (!(key in state)) continue;
      const current = fields[fieldOf(key)];
      const value = Array.isArray(state[key]) ? state[key].map(plain) : plain(state[key]);
      if (typeof current === 'number' && typeof value !== 'number')
        fail(CheckpointError, op, `a number for ${key}`, describe(value));
      if (Array.isArray(current) && !Array.isArray(value))
        fail(CheckpointError, op, `a list for ${key}`, describe(value));
      loaded.set(fieldOf(key), value);
    }
    const rates = state.base_lrs;
    if (Array.isArray(rates) && rates.length !== this.groups.length)
      fail(CheckpointError, op, `${this.groups.length} base_lrs, one a parameter group`, String(rates.length));
    for (const [field, value] of loaded) fields[field] = value;
  }
}

function fieldOf(key: string): string {
  return camelCase(key.replace(/^_/, ''));
}
