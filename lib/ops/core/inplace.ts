/**
 * In-place operators. An elementwise one writes straight into the target's memory (elementwise-op.ts). Any other is
 * computed out of place and recorded, its values are copied into the target, and the target takes its place in the
 * graph. The version counter rises, so that a derivative that saved the old values notices.
 */
import { isGradEnabled } from '../../autograd/grad-mode.js';
import { checkInplace, gradientNode } from '../../autograd/graph.js';
import { attachMethod } from '../../dispatch/define-function.js';
import { DTypeError, fail, ShapeError } from '../../errors.js';
import { sameShape } from '../../shape/layout.js';
import type { DTypeInfo } from '../../storage/dtype.js';
import { castAs, copyInto } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { adoptInplace } from './as-strided.js';
import { castRecorded } from './convert.js';

/**
 * Whether values of one type may be stored in another in place: not a floating value in an integer, not a number in a
 * bool.
 */
export function canStore(from: DTypeInfo, to: DTypeInfo): boolean {
  return from.category <= to.category;
}

/** Puts the result of `compute` in the place of `target`'s values, and returns `target`. */
export function inplace(op: string, target: Tensor, compute: () => Tensor): Tensor {
  checkInplace(op, target);
  return storeResult(op, target, compute());
}

/** Copies a recorded result into `target`, which takes the result's place in the graph. */
export function storeResult(op: string, target: Tensor, result: Tensor): Tensor {
  if (!sameShape(result.shape, target.shape))
    fail(ShapeError, op, `a result of the target's shape [${target.shape}]`, `[${result.shape}]`);
  if (!canStore(result.info, target.info))
    fail(DTypeError, op, `a result that can be stored as ${target.dtype}`, result.dtype);
  const stored = castRecorded(result, target.info);
  copyInto(target, stored);
  target.storage.version++;
  adoptInplace(target, stored);
  return target;
}

/** The target as an operand of its own change: a copy where a derivative may want the old values. */
export function operandOf(target: Tensor, args: readonly unknown[]): Tensor {
  const recorded = isGradEnabled() && (target.requiresGrad || args.some((a) => a instanceof Tensor && a.requiresGrad));
  return recorded ? snapshot(target) : target;
}

/** Attaches `x.name(...)` as the in-place form of `fn(x, ...)`. */
// biome-ignore lint/suspicious/noExplicitAny: any public function, whatever its parameters
export function defineInplace(name: string, fn: (...args: any[]) => Tensor): void {
  attachMethod(name, (target: Tensor, ...args: unknown[]) =>
    inplace(name, target, () => fn(operandOf(target, args), ...args)),
  );
}
/**
 * A copy of the tensor's values with the tensor's place in the graph: the old values of what is about to change in
 * place.
 */
export function snapshot(t: Tensor): Tensor {
  const copy = castAs(t, t.info);
  if (t.info.differentiable && t.requiresGrad) {
    const node = gradientNode(t);
    copy.node = node;
    copy.outputIndex = node !== null && node.leaf === null ? t.outputIndex : 0;
  }
  return copy;
}
