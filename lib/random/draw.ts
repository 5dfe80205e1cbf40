/** Random values into the memory of a tensor, in the order in which PyTorch draws them: that of the memory, whatever the strides. */
import { isGradEnabled } from '../autograd/grad-mode.js';
import { checkInplace } from '../autograd/graph.js';
import { adoptInplace } from '../ops/as-strided.js';
import { copyInto } from '../ops/cast.js';
import { detach } from '../ops/convert.js';
import { defineOp } from '../ops/define-op.js';
import type { DTypeInfo, TypedArray } from '../storage/dtype.js';
import { allocate, allocateLike } from '../tensor/allocate.js';
import { type Tensor, windowOn } from '../tensor/tensor.js';

/** Fills `count` contiguous elements. */
export type Draw = (memory: TypedArray, count: number) => void;

/** The dimensions from the slowest to the fastest in memory, ties as PyTorch's TensorIterator breaks them. */
function memoryOrder(x: Tensor): number[] {
  const { shape, strides } = x;
  const fastestFirst = shape.map((_, d) => shape.length - 1 - d);
  const before = (a: number, b: number): number => {
    if (strides[a] === 0 || strides[b] === 0) return 0;
    if (strides[a] !== strides[b]) return strides[a] < strides[b] ? -1 : 1;
    return shape[a] > shape[b] ? 1 : 0;
  };
  for (let i = 1; i < shape.length; i++) {
    let at = i;
    for (let j = i - 1; j >= 0; j--) {
      const order = before(fastestFirst[j], fastestFirst[at]);
      if (order < 0) break;
      if (order === 0) continue;
      [fastestFirst[j], fastestFirst[at]] = [fastestFirst[at], fastestFirst[j]];
      at = j;
    }
  }
  return fastestFirst.reverse();
}

/** Uninitialised memory without gaps, its dimensions in memory in the order of those of `input` (torch.empty_like). */
export function allocateAs(input: Tensor, info: DTypeInfo): Tensor {
  if (input.contiguousLayout) return allocateLike(input, info);
  const strides = new Array<number>(input.shape.length).fill(0);
  let step = 1;
  for (const d of memoryOrder(input).reverse()) {
    strides[d] = step;
    step *= Math.max(input.shape[d], 1);
  }
  return windowOn(allocate([...input.shape], info), [...input.shape], strides, 0);
}

/** Draws every element of `target`; unrecorded. */
export function drawInto(target: Tensor, draw: Draw): Tensor {
  const count = target.numel();
  if (count === 0) return target;
  if (target.contiguousLayout) draw(target.array, count);
  else {
    const order = memoryOrder(target);
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

/** What a drawn value depends on is in the graph, as in PyTorch: y = a draw by x; dx = 0. */
export const sampledOp = defineOp<() => Tensor, () => Tensor>({
  name: 'sampled',
  nativeHalf: true,
  infer: (_, draw) => draw,
  forward: (draw) => draw(),
  backward: (context) => context.next.map(() => null),
});
