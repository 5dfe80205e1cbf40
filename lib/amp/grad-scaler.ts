/**
 * Loss scaling: gradients of small values survive a 16-bit type when the loss is multiplied by a large number and the
 * gradients divided by it. The scale grows while gradients stay finite and shrinks when they do not; such a step is
 * left out.
 */

import { type Arguments, checkBoolean, checkInteger, checkNumber, readArguments } from '../arguments.js';
import { ArgumentError, AutogradError, CheckpointError, DTypeError, describe, fail } from '../errors.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { mul } from '../ops/elementwise/arithmetic.js';
import { Optimizer } from '../optim/optimizer.js';
import { isDense } from '../shape/layout.js';
import { checkStateDict } from '../state-dict.js';
import { FLOAT32 } from '../storage/dtype.js';
import { instanceOf } from '../storage/kernel-instance.js';
import { allocate } from '../tensor/allocate.js';
import { castAs } from '../tensor/copy.js';
import { checkDevice } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';

declare module '../native/kernels.js' {
  interface Kernels {
    /** Multiplies the gradient in place; 1 where an element was not finite before, else 0. */
    unscale: KernelTable<[grad: TypedArray, n: number, inverse: number], number>;
  }
}

/** Options of GradScaler. */
export interface GradScalerOptions {
  /** Default 65536. */
  initScale?: number;
  /** What the scale is multiplied by after `growthInterval` finite steps. Default 2. */
  growthFactor?: number;
  /** What the scale is multiplied by after a step that was not finite. Default 0.5. */
  backoffFactor?: number;
  /** Default 2000. */
  growthInterval?: number;
  /** False makes every method do nothing but call the optimizer. Default true. */
  enabled?: boolean;
}
/** What `step` did: whether the optimizer stepped, and what its own `step` returned. */
export interface ScaledStep<L = unknown> {
  readonly stepped: boolean;
  readonly value: L | undefined;
}
/** Tensors, in any nesting of arrays. */
export type Scalable = Tensor | readonly Scalable[];

type Stage = 'ready' | 'unscaled' | 'stepped';
interface OptimizerState {
  stage: Stage;
  /** Null before its gradients were looked at. */
  foundInf: boolean | null;
}

const DEFAULTS = {
  device: 'cpu',
  initScale: 65536,
  growthFactor: 2,
  backoffFactor: 0.5,
  growthInterval: 2000,
  enabled: true,
};

/** Source: torch.amp.GradScaler. `step` says whether it stepped, where PyTorch leaves that in the dark. */
export class GradScaler {
  private readonly enabled: boolean;
  private growthFactor: number;
  private backoffFactor: number;
  private growthInterval: number;
  /** The scale as a float32 number. */
  private current: number;
  private growthTracker = 0;
  /** The scale as the tensor that losses are multiplied by; made anew when it changes, since graphs hold it. */
  private factor: Tensor | null = null;
  private states = new Map<Optimizer, OptimizerState>();

  /** Throws ArgumentError for a factor that would not grow or shrink, DeviceError for a device that is not there. */
  constructor(
    ...args: Arguments<
      [
        device?: string,
        initScale?: number,
        growthFactor?: number,
        backoffFactor?: number,
        growthInterval?: number,
        enabled?: boolean,
      ],
      GradScalerOptions & { device?: string }
    >
  ) {
    const op = 'GradScaler';
    const given = readArguments(op, DEFAULTS, args);
    if (typeof given.device !== 'string') fail(ArgumentError, op, "a device such as 'cpu'", describe(given.device));
    checkDevice(op, given.device);
    checkBoolean(op, 'enabled', given.enabled);
    this.enabled = given.enabled;
    checkNumber(op, 'initScale', given.initScale, 0);
    checkFactor(op, 'growthFactor', given.growthFactor);
    checkFactor(op, 'backoffFactor', given.backoffFactor);
    checkInteger(op, 'growthInterval', given.growthInterval, 1);
    this.current = Math.fround(given.initScale);
    this.growthFactor = given.growthFactor;
    this.backoffFactor = given.backoffFactor;
    this.growthInterval = given.growthInterval;
  }

  isEnabled(): boolean {
    return this.enabled;
  }
  /** The scale; 1 where scaling is off. */
  getScale(): number {
    return this.enabled ? this.current : 1;
  }
  getGrowthFactor(): number {
    return this.growthFactor;
  }
  setGrowthFactor(value: number): void {
    checkFactor('GradScaler.setGrowthFactor', 'growthFactor', value);
    this.growthFactor = value;
  }
  getBackoffFactor(): number {
    return this.backoffFactor;
  }
  setBackoffFactor(value: number): void {
    checkFactor('GradScaler.setBackoffFactor', 'backoffFactor', value);
    this.backoffFactor = value;
  }
  getGrowthInterval(): number {
    return this.growthInterval;
  }
  setGrowthInterval(value: number): void {
    checkInteger('GradScaler.setGrowthInterval', 'growthInterval', value, 1);
    this.growthInterval = value;
  }

  /** The loss, or a list of them, times the scale. */
  scale<T extends Scalable>(outputs: T): T {
    if (!this.enabled) return outputs;
    if (outputs instanceof Tensor) {
      if (this.factor === null) {
        this.factor = allocate([], FLOAT32);
        this.factor.array[0] = this.current;
      }
      return mul(outputs, this.factor) as Scalable as T;
    }
    if (Array.isArray(outputs)) return outputs.map((output: Scalable) => this.scale(output)) as Scalable as T;
    return fail(ArgumentError, 'GradScaler.scale', 'a tensor or a list of tensors', describe(outputs));
  }

  private stateOf(op: string, optimizer: Optimizer): OptimizerState {
    if (!(optimizer instanceof Optimizer)) fail(ArgumentError, op, 'an optimizer', describe(optimizer));
    let state = this.states.get(optimizer);
    if (state === undefined) {
      state = { stage: 'ready', foundInf: null };
      this.states.set(optimizer, state);
    }
    return state;
  }

  /**
   * Divides the optimizer's gradients by the scale in place, so that they can be clipped before `step`. Once between
   * updates.
   */
  unscale_(optimizer: Optimizer): void {
    if (!this.enabled) return;
    const op = 'GradScaler.unscale_';
    const state = this.stateOf(op, optimizer);
    if (state.stage === 'unscaled')
      fail(AutogradError, op, 'one call for an optimizer between updates', 'a second one');
    if (state.stage === 'stepped') fail(AutogradError, op, 'a call before step()', 'one after it');
    state.foundInf = this.unscaleAll(op, optimizer);
    state.stage = 'unscaled';
  }

  /** One pass over every gradient; null where there is none. */
  private unscaleAll(op: string, optimizer: Optimizer): boolean | null {
    const inverse = Math.fround(1 / this.current);
    const gradients: Tensor[] = [];
    for (const group of optimizer.paramGroups) {
      for (const param of group.params) {
        const grad = param.gradient;
        if (grad === null) continue;
        if (grad.info.name === 'float16')
          fail(
            DTypeError,
            op,
            'gradients of float32 or float64 (keep parameters in float32 under autocast)',
            'float16',
            { grad },
          );
        // A gradient whose elements share memory is laid out anew: each must be divided once.
        if (!isDense(grad.shape, grad.strides)) param.gradient = castAs(grad, grad.info);
        gradients.push(param.gradient as Tensor);
      }
    }
    let found = false;
    for (const grad of new Set(gradients)) {
      if (instanceOf('unscale_', kernels.unscale, grad.info)(grad.array, grad.numel(), inverse) === 1) found = true;
      grad.storage.version++;
    }
    return gradients.length === 0 ? null : found;
  }

  /**
   * Unscales unless that was done, and steps the optimizer unless a gradient is infinite or NaN. Returns `{ stepped,
   * value }`, value being what `optimizer.step(...args)` returned. A closure is an error while scaling is on, as in
   * PyTorch.
   */
  step(optimizer: Optimizer, ...args: unknown[]): ScaledStep {
    const op = 'GradScaler.step';
    if (!(optimizer instanceof Optimizer)) fail(ArgumentError, op, 'an optimizer', describe(optimizer));
    const call = (): unknown => (optimizer.step as (...args: unknown[]) => unknown).apply(optimizer, args);
    if (!this.enabled) return { stepped: true, value: call() };
    if (args.some((arg) => typeof arg === 'function'))
      fail(ArgumentError, op, 'no closure while scaling is enabled', 'one');
    const state = this.stateOf(op, optimizer);
    if (state.stage === 'stepped')
      fail(AutogradError, op, 'one call for an optimizer between updates', 'a second one (call update())');
    if (state.stage === 'ready') state.foundInf = this.unscaleAll(op, optimizer);
    if (state.foundInf === null)
      fail(AutogradError, op, 'gradients to look at', 'an optimizer whose parameters have none');
    state.stage = 'stepped';
    return state.foundInf ? { stepped: false, value: undefined } : { stepped: true, value: call() };
  }

  /**
   * Ends the iteration: the scale backs off where a gradient was not finite, or grows in time; or is set to `newScale`.
   */
  update(newScale?: number | Tensor | null): void {
    if (!this.enabled) return;
    const op = 'GradScaler.update';
    if (newScale !== undefined && newScale !== null) {
      const value = newScale instanceof Tensor && newScale.numel() === 1 ? Number(newScale.item()) : newScale;
      checkNumber(op, 'newScale', value, 0);
      this.setScale(value as number);
    } else {
      const found = [...this.states.values()].map((state) => state.foundInf).filter((inf) => inf !== null);
      if (found.length === 0) fail(AutogradError, op, 'a step() or unscale_() before it', 'none since the last update');
      if (found.includes(true)) {
        this.setScale(this.current * this.backoffFactor);
        this.growthTracker = 0;
      } else if (++this.growthTracker === this.growthInterval) {
        const grown = Math.fround(this.current * Math.fround(this.growthFactor));
        if (Number.isFinite(grown)) this.setScale(grown);
        this.growthTracker = 0;
      }
    }
    this.states = new Map();
  }

  private setScale(value: number): void {
    this.current = Math.fround(value);
    this.factor = null;
  }

  /** The scaler's state under PyTorch's keys; empty where scaling is off. */
  stateDict(): Record<string, number> {
    if (!this.enabled) return {};
    return {
      scale: this.current,
      growth_factor: this.growthFactor,
      backoff_factor: this.backoffFactor,
      growth_interval: this.growthInterval,
      _growth_tracker: this.growthTracker,
    };
  }

  /**
   * Takes over a state dict, PyTorch's own included. Throws CheckpointError where it is empty or not made of numbers.
   */
  loadStateDict(state: Record<string, unknown>): void {
    if (!this.enabled) return;
    const op = 'GradScaler.loadStateDict';
    checkStateDict(op, state);
    if (Object.keys(state).length === 0)
      fail(
        CheckpointError,
        op,
        'a state dict of an enabled GradScaler',
        'an empty one, perhaps of a disabled GradScaler',
      );
    const number = (key: string): number => {
      const value = state[key];
      return typeof value === 'number' ? value : fail(CheckpointError, op, `a number for ${key}`, describe(value));
    };
    const [scale, growth, backoff, interval, tracker] = [
      'scale',
      'growth_factor',
      'backoff_factor',
      'growth_interval',
      '_growth_tracker',
    ].map(number);
    this.setScale(scale);
    this.growthFactor = growth;
    this.backoffFactor = backoff;
    this.growthInterval = interval;
    this.growthTracker = tracker;
  }
}

function checkFactor(op: string, name: 'growthFactor' | 'backoffFactor', value: number): void {
  checkNumber(op, name, value);
  const grows = name === 'growthFactor';
  if (grows ? value <= 1 : value >= 1) fail(ArgumentError, op, `${name} ${grows ? 'above' : 'below'} 1`, String(value));
}
