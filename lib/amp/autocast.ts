/**
 * Automatic mixed precision: within a region, operators take their inputs in the type that their policy names
 * (lib/dispatch/define-op.ts). Nested and disabled regions, sync and async, each with its own setting; casts of
 * parameters are reused within the outermost region.
 */

import { checkBoolean, readArguments } from '../arguments.js';
import { isGradEnabled } from '../autograd/grad-mode.js';
import { type AutocastPolicy, setAutocast } from '../dispatch/autocast-policy.js';
import { ArgumentError, DTypeError, describe, fail } from '../errors.js';
import { castRecorded } from '../ops/core/convert.js';
import { ScopedValue } from '../scoped-value.js';
import { BFLOAT16, type DType, type DTypeInfo, dtypeInfo, FLOAT32, FLOAT64 } from '../storage/dtype.js';
import { checkDevice } from '../tensor/device.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of `autocast`. */
export interface AutocastOptions {
  /** What operators of the lower list compute in: 'bfloat16' (the default) or 'float16'. */
  dtype?: DType | null;
  /** False makes a region without autocast inside one that has it. Default true. */
  enabled?: boolean;
  /** Reuse the casts of parameters. Default: as the surrounding region, true outside of all. */
  cacheEnabled?: boolean | null;
}

/** A cast, and the parameter's version that it was made of. */
interface CachedCast {
  readonly cast: Tensor;
  readonly version: number;
}
interface Region {
  readonly enabled: boolean;
  readonly info: DTypeInfo;
  readonly cacheEnabled: boolean;
  /** Shared by the regions within an outermost one; casts that are recorded, and casts made without grad. */
  readonly recorded: Map<Tensor, CachedCast>;
  readonly plain: Map<Tensor, CachedCast>;
}

const region = new ScopedValue<Region | null>(null);

/** The tensor in another type; the cast of a leaf that requires grad is kept for the region. */
function cast(x: Tensor, info: DTypeInfo, { cacheEnabled, info: lower, recorded, plain }: Region): Tensor {
  if (x.info === info || !x.info.floating || x.info === FLOAT64) return x;
  const kept =
    cacheEnabled && info === lower && x.info === FLOAT32 && x.leafRequiresGrad && x.isLeaf && x.base === null;
  if (!kept) return castRecorded(x, info);
  const cache = isGradEnabled() ? recorded : plain;
  const found = cache.get(x);
  if (found !== undefined && found.version === x.storage.version && found.cast.info === info) return found.cast;
  const made = castRecorded(x, info);
  // Where a derivative rule made it, it outlives the rule.
  made.storage.shared = true;
  cache.set(x, { cast: made, version: x.storage.version });
  return made;
}

function apply(policy: AutocastPolicy, inputs: readonly Tensor[]): readonly Tensor[] {
  const current = region.get();
  if (current === null || !current.enabled) return inputs;
  let info = policy === 'lower' ? current.info : FLOAT32;
  // To the widest of the inputs, float64 left alone: float32 as soon as one is, or where 16-bit types differ.
  if (policy === 'promote') {
    const floating = inputs.filter((x) => x.info.floating && x.info !== FLOAT64);
    info = floating.every((x) => x.info === current.info) ? current.info : FLOAT32;
  }
  let out: Tensor[] | null = null;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i];
    const y = cast(x, info, current);
    if (y === x) continue;
    out ??= [...inputs];
    out[i] = y;
  }
  return out ?? inputs;
}
setAutocast(apply);

/**
 * Calls `fn`, the last argument, with autocast on and returns its value: matrix products, convolutions and attention
 * compute in `dtype`, losses and what needs the range in float32, the rest in the type of its inputs (PyTorch's lists
 * for the CPU). Gradients reach parameters in their own type. Throws DeviceError for a device that is not there,
 * DTypeError for a dtype other than bfloat16 and float16. Source: torch.amp.autocast.
 */
export function autocast<R>(deviceType: string, fn: () => R): R;
export function autocast<R>(deviceType: string, options: AutocastOptions, fn: () => R): R;
export function autocast<R>(all: AutocastOptions & { deviceType: string }, fn: () => R): R;
export function autocast<R>(deviceType: string, dtype: DType | null, fn: () => R): R;
export function autocast<R>(
  deviceType: string,
  dtype: DType | null,
  enabled: boolean | AutocastOptions,
  fn: () => R,
): R;
export function autocast<R>(
  deviceType: string,
  dtype: DType | null,
  enabled: boolean,
  cacheEnabled: boolean | null | AutocastOptions,
  fn: () => R,
): R;
export function autocast<R>(...args: unknown[]): R {
  const op = 'autocast';
  const fn: unknown = args[args.length - 1];
  if (typeof fn !== 'function') fail(ArgumentError, op, 'a function to call as the last argument', describe(fn));
  const defaults = {
    deviceType: undefined as unknown,
    dtype: null as DType | null,
    enabled: true as unknown,
    cacheEnabled: null as unknown,
  };
  const { deviceType, dtype, enabled, cacheEnabled } = readArguments(op, defaults, args.slice(0, -1));
  if (typeof deviceType !== 'string') fail(ArgumentError, op, "a device such as 'cpu'", describe(deviceType));
  checkDevice(op, deviceType);
  checkBoolean(op, 'enabled', enabled);
  if (cacheEnabled !== null) checkBoolean(op, 'cacheEnabled', cacheEnabled);
  const outer = region.get();
  const info = dtype === null ? (outer?.info ?? BFLOAT16) : dtypeInfo(op, dtype);
  if (!info.half) fail(DTypeError, op, "dtype 'bfloat16' or 'float16'", describe(info.name));
  const inner: Region = {
    enabled: enabled as boolean,
    info,
    cacheEnabled: (cacheEnabled as boolean | null) ?? outer?.cacheEnabled ?? true,
    recorded: outer?.recorded ?? new Map(),
    plain: outer?.plain ?? new Map(),
  };
  return region.run(inner, fn as () => R);
}

/** Whether the device has autocast: 'cpu' does. */
export function isAutocastAvailable(deviceType: string): boolean {
  if (typeof deviceType !== 'string')
    fail(ArgumentError, 'isAutocastAvailable', "a device such as 'cpu'", describe(deviceType));
  return deviceType === 'cpu';
}

/** Whether autocast is on here. */
export function isAutocastEnabled(deviceType = 'cpu'): boolean {
  checkDevice('isAutocastEnabled', deviceType);
  return region.get()?.enabled ?? false;
}

/** What operators of the lower list compute in here, or would. */
export function getAutocastDtype(deviceType = 'cpu'): DType {
  checkDevice('getAutocastDtype', deviceType);
  return (region.get()?.info ?? BFLOAT16).name;
}
