/** Which steps of a training loop a profile records. */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';

/** What a profile does with a step. */
export const ProfilerAction = Object.freeze({ NONE: 0, WARMUP: 1, RECORD: 2, RECORD_AND_SAVE: 3 });
export type ProfilerActionValue = (typeof ProfilerAction)[keyof typeof ProfilerAction];
export type Schedule = (step: number) => ProfilerActionValue;

export interface ScheduleOptions {
  /** Steps of each cycle that nothing is done with. */
  wait: number;
  /** Steps after those that run observed, and are forgotten. */
  warmup: number;
  /** Steps after those that are recorded. */
  active: number;
  /** Cycles; 0 (the default): without end. */
  repeat?: number;
  /** Steps before the first cycle. Default 0. */
  skipFirst?: number;
}

/**
 * A schedule of cycles of `wait`, `warmup` and `active` steps, the last of which hands the trace over. Source:
 * torch.profiler.schedule.
 */
export function schedule(options: ScheduleOptions): Schedule {
  rejectUnknownOptions('schedule', options, ['wait', 'warmup', 'active', 'repeat', 'skipFirst']);
  const { wait, warmup, active, repeat = 0, skipFirst = 0 } = options;
  for (const [name, value, least] of [
    ['wait', wait, 0],
    ['warmup', warmup, 0],
    ['active', active, 1],
    ['repeat', repeat, 0],
    ['skipFirst', skipFirst, 0],
  ] as const)
    if (!Number.isInteger(value) || value < least)
      fail(ArgumentError, 'schedule', `${name} as a whole number of at least ${least}`, describe(value));
  const cycle = wait + warmup + active;
  return (step) => {
    const at = step - skipFirst;
    if (at < 0 || (repeat > 0 && at >= repeat * cycle)) return ProfilerAction.NONE;
    const place = at % cycle;
    if (place < wait) return ProfilerAction.NONE;
    if (place < wait + warmup) return ProfilerAction.WARMUP;
    return place < cycle - 1 ? ProfilerAction.RECORD : ProfilerAction.RECORD_AND_SAVE;
  };
}
