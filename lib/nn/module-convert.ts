/** Modules in another type: `to`, `type`, `toEmpty`. Parameters stay the same objects, so that optimizers keep them. */
import { ArgumentError, describe, fail } from '../errors.js';
import { castTo } from '../ops/cast.js';
import { type DType, type DTypeInfo, dtypeInfo, isDType } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { checkDevice, isDeviceName } from '../tensor/device.js';
import { rebind, Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';

/** The arguments of `Module.to`, by name. */
export interface ModuleToOptions {
  dtype?: DType | null;
  device?: string | null;
  /** Accepted and without effect: there is one device. */
  nonBlocking?: boolean;
  /** A tensor whose dtype is taken. */
  tensor?: Tensor;
}

/** The dtype that `to(target, ...)` asks for, or undefined for none. */
export function targetType(target: unknown, options: ModuleToOptions): DType | undefined {
  const { dtype, device, tensor } = options;
  if (device !== undefined && device !== null) checkDevice('to', device);
  if (tensor !== undefined && !(tensor instanceof Tensor)) fail(ArgumentError, 'to', 'a tensor', describe(tensor));
  const named = dtype ?? tensor?.dtype;
  if (target === undefined || target === null) return named;
  if (target instanceof Tensor) return named ?? target.dtype;
  if (isDType(target)) return named ?? target;
  if (typeof target !== 'string') fail(ArgumentError, 'to', 'a dtype, a device or a tensor', describe(target));
  if (isDeviceName(target)) checkDevice('to', target);
  else dtypeInfo('to', target as DType);
  return named;
}

/** Floating parameters and buffers in another floating type. Throws ArgumentError for any other type. */
export function convertFloating<M extends Module>(op: string, root: M, dtype: DType): M {
  const info = dtypeInfo(op, dtype);
  if (!info.floating) fail(ArgumentError, op, 'a floating dtype for a module', dtype);
  replace(root, true, (t) => (t.info.floating ? castTo(t, info) : t), info);
  return root;
}
/** All parameters and buffers in another type. Throws ArgumentError where a parameter that requires grad would lose its gradient. */
export function convertAll<M extends Module>(op: string, root: M, dtype: DType): M {
  const info = dtypeInfo(op, dtype);
  if (!info.floating && root.parameters().some((p) => p.requiresGrad)) fail(ArgumentError, op, 'a floating dtype for a module whose parameters require grad', dtype);
  replace(root, true, (t) => castTo(t, info), info);
  return root;
}
/** Uninitialised memory in the place of all parameters and buffers. */
export function emptied(root: Module, recurse: boolean): void {
  replace(root, recurse, (t) => allocate(t.shape, t.info), null);
}

/** Puts what `change` gives in the place of every tensor, and gradients in `info` where one is given. */
function replace(root: Module, recurse: boolean, change: (tensor: Tensor) => Tensor, info: DTypeInfo | null): void {
  for (const module of recurse ? root.modules() : [root]) {
    for (const { property, tensor, buffer } of module.ownTensors()) {
      if (info !== null && tensor.info === info) continue;
      const changed = change(tensor);
      if (changed === tensor) continue;
      if (buffer) {
        module.setMember(property, changed);
        continue;
      }
      const { gradient } = tensor;
      rebind(tensor, changed);
      if (gradient !== null) tensor.grad = castTo(gradient, changed.info);
    }
  }
}
