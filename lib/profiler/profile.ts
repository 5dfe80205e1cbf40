/** `profile`: calls a function while every operator is recorded, and gives what was recorded. */
import path from 'node:path';
import { observe, unobserve, watched } from '../autograd/observer.js';
import { ArgumentError, describe, fail, NodegradError, rejectUnknownOptions } from '../errors.js';
import { type FileName, filePath } from '../file-name.js';
import { writeAtomically } from '../serialization/atomic-file.js';
import { averagesOf, type EventList, type KeyAveragesOptions } from './averages.js';
import { chromeTrace } from './chrome-trace.js';
import { type FunctionEvent, link } from './events.js';
import { Recorder } from './recorder.js';
import { ProfilerAction, type ProfilerActionValue, type Schedule } from './schedule.js';
import type { TableOptions } from './table.js';

export interface ProfileOptions {
  /** Which steps are recorded, where the function calls `step()` after each. Default: everything. */
  schedule?: Schedule | null;
  /** Called with the profile when a cycle of the schedule, or else the whole function, is recorded. */
  onTraceReady?: ((profile: Profile) => void) | null;
  /** Keep the shapes and dtypes of inputs. Default true: it costs next to nothing here. */
  recordShapes?: boolean;
  /** Show the bytes of the tensors that were made. Default true. */
  profileMemory?: boolean;
}
const OPTIONS = ['schedule', 'onTraceReady', 'recordShapes', 'profileMemory'];

/**
 * What is recorded between `start` and `stop`; `profile` calls both around a function. Source: torch.profiler.profile.
 */
export class Profile {
  /** How often `step` was called. */
  stepNum = 0;
  private readonly wanted: Schedule;
  private readonly ready: (profile: Profile) => void;
  private readonly recordShapes: boolean;
  private readonly profileMemory: boolean;
  private recorder: Recorder | null = null;
  private action: ProfilerActionValue = ProfilerAction.NONE;
  private recorded: FunctionEvent[] = [];
  private leaveStep: (() => void) | null = null;
  private running = false;
  /** Whether steps are recorded as pieces of their own. */
  private readonly stepped: boolean;

  constructor(options: ProfileOptions = {}) {
    rejectUnknownOptions('profile', options, OPTIONS);
    const { schedule, onTraceReady, recordShapes = true, profileMemory = true } = options;
    for (const [name, value] of Object.entries({ schedule, onTraceReady }))
      if (value !== undefined && value !== null && typeof value !== 'function')
        fail(ArgumentError, 'profile', `a function as ${name}`, describe(value));
    for (const [name, value] of Object.entries({ recordShapes, profileMemory }))
      if (typeof value !== 'boolean') fail(ArgumentError, 'profile', `${name} as true or false`, describe(value));
    this.wanted = schedule ?? (() => ProfilerAction.RECORD);
    this.ready = onTraceReady ?? (() => undefined);
    this.recordShapes = recordShapes;
    this.profileMemory = profileMemory;
    this.stepped = typeof schedule === 'function';
  }
  /** Begins the first step. */
  start(): void {
    if (this.running) fail(ArgumentError, 'profile.start', 'a profile that is not started', 'one that is');
    this.running = true;
    this.enter(this.wanted(this.stepNum));
  }
  /** Ends the last step; what was recorded until now stays. */
  stop(): void {
    if (!this.running) fail(ArgumentError, 'profile.stop', 'a profile that is started', 'one that is not');
    this.running = false;
    const recording = this.recorder !== null && this.action >= ProfilerAction.RECORD;
    this.endStep();
    this.close();
    this.action = ProfilerAction.NONE;
    if (recording) this.ready(this);
  }
  /** Internal: ends recording and hands nothing over. */
  abandon(): void {
    this.running = false;
    this.close();
  }

  private enter(action: ProfilerActionValue): void {
    const recording = action >= ProfilerAction.RECORD;
    // Warm-up runs observed, so that the first recorded step does not pay for it; a recording begins anew after it.
    if (
      action !== ProfilerAction.NONE &&
      (this.recorder === null || (recording && this.action === ProfilerAction.WARMUP))
    ) {
      this.close();
      this.recorder = new Recorder(this.recordShapes);
      observe(this.recorder);
    }
    this.action = action;
    if (recording && this.stepped) {
      const recorder = this.recorder as Recorder;
      const scope = recorder.enter(`ProfilerStep#${this.stepNum}`);
      this.leaveStep = () => recorder.leave(scope, false);
    }
  }
  private endStep(): void {
    this.leaveStep?.();
    this.leaveStep = null;
  }
  /** Stops recording, and keeps what there is. */
  private close(): void {
    if (this.recorder === null) return;
    unobserve(this.recorder);
    this.recorded = this.action === ProfilerAction.WARMUP ? [] : this.recorder.events;
    link(this.recorded);
    this.recorder = null;
  }

  /** Says that a step of the loop has ended: the schedule decides about the next one. */
  step(): void {
    this.endStep();
    this.stepNum++;
    const next = this.wanted(this.stepNum);
    if (
      this.action === ProfilerAction.RECORD_AND_SAVE ||
      (this.action === ProfilerAction.RECORD && next < ProfilerAction.RECORD)
    ) {
      this.close();
      this.ready(this);
    } else if (next === ProfilerAction.NONE) this.close();
    this.enter(next);
  }

  /** Every recorded call, in the order of their beginnings. Throws ArgumentError while recording goes on. */
  events(): readonly FunctionEvent[] {
    if (this.recorder !== null)
      fail(ArgumentError, 'profile.events', 'a profile that has ended', 'one that is recording');
    return this.recorded;
  }
  /** The calls by name: an array with a `table`. torch.profiler.profile.key_averages */
  keyAverages(options: KeyAveragesOptions = {}): EventList {
    return averagesOf(this.events(), this.profileMemory, options);
  }
  /** `keyAverages(...).table(...)` in one call. */
  table(options: TableOptions & KeyAveragesOptions = {}): string {
    const { groupByInputShape = false, ...rest } = options;
    return this.keyAverages({ groupByInputShape }).table(rest);
  }
  /** The total of all events' own time: what is left of the time between them is the program's. Microseconds. */
  get selfCpuTimeTotal(): number {
    return this.events().reduce((sum, event) => sum + event.selfCpuTimeTotal, 0);
  }
  /**
   * Writes a file for chrome://tracing or https://ui.perfetto.dev, complete or not at all. Source: the Trace Event
   * Format, and torch.profiler.profile.export_chrome_trace.
   */
  async exportChromeTrace(file: FileName): Promise<void> {
    const target = path.resolve(filePath('exportChromeTrace', file));
    const events = this.events();
    try {
      await writeAtomically(target, async (sink) => {
        for (const piece of chromeTrace(events, this.profileMemory)) await sink(Buffer.from(piece));
      });
    } catch (error) {
      throw new NodegradError(
        `exportChromeTrace: expected to write ${JSON.stringify(target)}, got ${(error as Error).message}`,
        { cause: error },
      );
    }
  }
}

/**
 * Calls `fn`, records every operator, derivative rule and optimizer step meanwhile, and returns the profile (its
 * promise where `fn` returns one): `profile(() => train()).table({ sortBy: 'selfCpuTimeTotal', rowLimit: 10 })`. `fn`
 * is given the profile, whose
 * `step()` it calls after each step where there is a schedule. What else runs while an asynchronous `fn` waits is
 * recorded as well. Source: torch.profiler.profile.
 */
export function profile(fn: (profile: Profile) => Promise<unknown>, options?: ProfileOptions): Promise<Profile>;
export function profile(fn: (profile: Profile) => unknown, options?: ProfileOptions): Profile;
export function profile(fn: (profile: Profile) => unknown, options: ProfileOptions = {}): Profile | Promise<Profile> {
  if (typeof fn !== 'function') fail(ArgumentError, 'profile', 'a function', describe(fn));
  const recording = new Profile(options);
  recording.start();
  let result: unknown;
  try {
    result = fn(recording);
  } catch (error) {
    recording.abandon();
    throw error;
  }
  const end = (): Profile => {
    recording.stop();
    return recording;
  };
  if (!(result instanceof Promise)) return end();
  return result.then(end, (error: unknown) => {
    recording.abandon();
    throw error;
  });
}

/**
 * Calls `fn` as a piece of the program that profiles show under `name`, and returns its value. Source:
 * torch.profiler.record_function.
 */
export function recordFunction<R>(name: string, fn: () => R): R {
  if (typeof name !== 'string') fail(ArgumentError, 'recordFunction', 'a string as name', describe(name));
  if (typeof fn !== 'function') fail(ArgumentError, 'recordFunction', 'a function', describe(fn));
  return watched(name, fn);
}
