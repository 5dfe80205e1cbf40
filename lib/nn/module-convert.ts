/**
 * Modules in another type or memory format: `to`, `type`, `toEmpty`. Parameters stay the same objects, so that
 * optimizers keep them.
 */
import { ArgumentError, describe, fail } from '../errors.js';
import { formatStrides, type MemoryFormat, suggestedFormat } from '../shape/memory-format.js';
import { type DType, dtypeInfo, isDType } from '../storage/dtype.js';
import { allocateAs } from '../tensor/allocate.js';
import { castAs, castInFormat, copyInto } from '../tensor/copy.js';
import { checkDevice, isDeviceName } from '../tensor/device.js';
import { rebind, Tensor } from '../tensor/tensor.js';
import type { ModuleTree } from './module-tree.js';

/** What a conversion needs of a module. */
interface ConvertibleModule extends ModuleTree<ConvertibleModule> {
  modules(): readonly ConvertibleModule[];
  parameters(): readonly Tensor[];
  setMember(property: string, value: Tensor): void;
}

/** The arguments of `Module.to`, by name. */
export interface ModuleToOptions {
  dtype?: DType | null;
  device?: string | null;
  /** Accepted and without effect: there is one device. */
  nonBlocking?: boolean;
  /** A tensor whose dtype is taken. */
  tensor?: Tensor;
  /** For parameters and buffers of 4 or 5 dimensions; others stay as they lie. Default 'preserve_format'. */
  memoryFormat?: MemoryFormat;
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

/**
 * Floating parameters and buffers in another floating type (undefined: in their own), and those of 4 or 5 dimensions in
 * a memory format. Throws ArgumentError for any other type, and ShapeError for a format of another number of
 * dimensions.
 */
export function convertFloating<M extends ConvertibleModule>(
  op: string,
  root: M,
  dtype: DType | undefined,
  format: MemoryFormat = 'preserve_format',
): M {
  const info = dtype === undefined ? null : dtypeInfo(op, dtype);
  if (info !== null && !info.floating) fail(ArgumentError, op, 'a floating dtype for a module', info.name);
  const moves = (t: Tensor): boolean => format !== 'preserve_format' && (t.shape.length === 4 || t.shape.length === 5);
  for (const module of root.modules())
    for (const { tensor } of module.ownTensors()) if (moves(tensor)) formatStrides(op, tensor.shape, format);
  replace(root, true, (t) => {
    const to = info !== null && t.info.floating ? info : t.info;
    if (!moves(t)) return to === t.info ? t : castAs(t, to);
    return to === t.info && suggestedFormat(t.shape, t.strides) === format ? t : castInFormat(op, t, to, format);
  });
  return root;
}
/**
 * All parameters and buffers in another type. Throws ArgumentError where a parameter that requires grad would lose its
 * gradient.
 */
export function convertAll<M extends ConvertibleModule>(op: string, root: M, dtype: DType): M {
  const info = dtypeInfo(op, dtype);
  if (!info.differentiable && root.parameters().some((p) => p.requiresGrad))
    fail(ArgumentError, op, 'a floating dtype for a module whose parameters require grad', dtype);
  replace(root, true, (t) => (t.info === info ? t : castAs(t, info)));
  return root;
}
/** Uninitialised memory in the place of all parameters and buffers. */
export function emptied(root: ConvertibleModule, recurse: boolean): void {
  replace(root, recurse, (t) => allocateAs(t));
}

/** Puts what `change` gives in the place of every tensor, and gradients in its type and layout. */
function replace(root: ConvertibleModule, recurse: boolean, change: (tensor: Tensor) => Tensor): void {
  for (const module of recurse ? root.modules() : [root]) {
    for (const { property, tensor, buffer } of module.ownTensors()) {
      const changed = change(tensor);
      if (changed === tensor) continue;
      if (buffer) {
        module.setMember(property, changed);
        continue;
      }
      const { gradient } = tensor;
      rebind(tensor, changed);
      if (gradient === null) continue;
      const moved = allocateAs(changed);
      copyInto(moved, gradient);
      tensor.grad = moved;
    }
  }
}
