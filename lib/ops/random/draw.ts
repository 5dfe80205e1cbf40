/**
 * Random values into the memory of a tensor, in the order in which PyTorch draws them: that of the memory, whatever the
 * strides.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import { checkInplace } from '../../autograd/graph.js';
import type { TypedArray } from '../../native/typed-array.js';
import { isDense } from '../../shape/layout.js';
import { memoryOrder } from '../../shape/result-strides.js';
import { allocate } from '../../tensor/allocate.js';
import { copyInto } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { adoptInplace } from '../core/as-strided.js';
import { detach } from '../core/convert.js';

/** Fills `count` contiguous elements. */
export type Draw = (memory: TypedArray, count: number) => void;

/** Draws every element of `target`; unrecorded. */
export function drawInto(target: Tensor, draw: Draw): Tensor {
  const count = target.numel();
  if (count === 0) return target;
  if (target.contiguousLayout || isDense(target.shape, target.strides)) draw(target.array, count);
  else {
    const order = memoryOrder(target.shape, target.strides).reverse();
    const shape = order.map((d) => target.shape[d]);
    const drawn = allocate(shape, target.info);
    draw(drawn.array, count);
    copyInto(
      windowOn(
        target,
        [...shape],
        order.map((d) => target.strides[d]),
        target.offset,
      ),
      drawn,
    );
  }
  return target;
}

/** The in-place form: checked, counted as a change, and cut off from what the values were computed from. */
export function drawInplace(op: string, target: Tensor, draw: Draw): Tensor {
  checkInplace(op, target);
  drawInto(target, draw);
  target.storage.version++;
  if (isGradEnabled() && target.requiresGrad) adoptInplace(target, detach(target));
  return target;
}
