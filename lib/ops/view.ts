/** Views: other shapes and strides on the same memory. No kernel is called; gradients go back through the inverse view. */
import { isGradEnabled } from '../autograd/grad-mode.js';
import { attachOutput, nodeFor, setViewRebuilder } from '../autograd/graph.js';
import { fail, ShapeError } from '../errors.js';
import { broadcastStrides, broadcastsTo } from '../shape/broadcast.js';
import { inferSize, sizesOf } from '../shape/dims.js';
import { elementCount, reshapeStrides, type Shape } from '../shape/layout.js';
import { allocate } from '../tensor/allocate.js';
import { type Tensor, windowOn } from '../tensor/tensor.js';
import { copyInto, fillWith } from './cast.js';
import { attachMethod } from './define-function.js';
import { defineOp } from './define-op.js';

interface Window {
  readonly from: Shape;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** y = x under another shape of as many elements, without a copy; dx = g under x's shape. */
export const viewOp = defineOp<Shape, Window>({
  name: 'view',
  view: true,
  infer: ([x], shape) => {
    const target = inferSize('view', shape, elementCount(x.shape));
    const strides = reshapeStrides(x.shape, x.strides, target);
    if (strides === null) fail(ShapeError, 'view', `a shape that the memory's layout allows (reshape copies where it must)`, `[${target}]`, { x });
    return { from: x.shape, shape: target, strides, offset: x.offset };
  },
  forward: ({ shape, strides, offset }, [x]) => windowOn(x, shape, strides, offset),
  backward: (context, g) => [reshape(g, context.spec.from)],
});

/** y = x with dimensions of size 1 repeated, without a copy; dx = the sum of g over them (the engine's reduction). */
export const expandOp = defineOp<Shape, Window>({
  name: 'expand',
  view: true,
  infer: ([x], shape) => {
    const lead = shape.length - x.shape.length;
    const target = shape.map((n, d) => (n === -1 && d >= lead ? x.shape[d - lead] : n));
    if (!broadcastsTo(x.shape, target) || target.some((n) => n < 0)) fail(ShapeError, 'expand', `a shape that [${x.shape}] broadcasts to`, `[${shape}]`);
    return { from: x.shape, shape: target, strides: broadcastStrides(x.shape, x.strides, target), offset: x.offset };
  },
  forward: ({ shape, strides, offset }, [x]) => windowOn(x, shape, strides, offset),
  backward: (_, g) => [g],
});

/** y = x under another shape: a view where the layout allows it, else a copy. */
export function reshape(input: Tensor, shape: Shape): Tensor {
  const target = inferSize('reshape', shape, elementCount(input.shape));
  return viewOp([reshapeStrides(input.shape, input.strides, target) === null ? input.contiguous() : input], target);
}

attachMethod('reshape', (input: Tensor, ...shape: (number | Shape)[]) => reshape(input, sizesOf(shape)));
attachMethod('view', (input: Tensor, ...shape: (number | Shape)[]) => viewOp([input], sizesOf(shape)));
attachMethod('expand', (input: Tensor, ...shape: (number | Shape)[]) => expandOp([input], sizesOf(shape)));

declare module '../tensor/tensor.js' {
  interface Tensor {
    reshape(...shape: [Shape] | number[]): Tensor;
    view(...shape: [Shape] | number[]): Tensor;
    expand(...shape: [Shape] | number[]): Tensor;
  }
}

export interface StridedWindow {
  readonly size: Shape;
  readonly stride: readonly number[];
  readonly offset: number;
}
interface StridedSpec extends StridedWindow {
  /** The tensor whose memory is shown. */
  readonly input: Tensor;
}
type Gradients = readonly (Tensor | null)[];

/** Uninitialised memory laid out as that of `like`; its first element is element 0 of the new storage. */
function allocateWithLayout(like: Tensor): Tensor {
  const extent = elementCount(like.shape) === 0 ? 0 : like.shape.reduce((last, n, d) => last + (n - 1) * like.strides[d], 0) + 1;
  return windowOn(allocate([extent], like.info), [...like.shape], like.strides, 0);
}

/** y = x, laid out in memory as another tensor of its shape; dx = g. */
const layoutOp = defineOp<Tensor, Tensor>({
  name: 'layoutAs',
  nativeHalf: true,
  infer: (_, like) => like,
  forward: (like, [x]) => {
    const out = allocateWithLayout(like);
    copyInto(out, x);
    return out;
  },
  backward: (_, g) => [g],
});

/** y = the window of x's memory with the given size, stride and offset; dx = g laid back into zeros of x's layout. */
export const asStridedOp = defineOp<StridedWindow, StridedSpec>({
  name: 'asStrided',
  view: true,
  infer: ([x], window) => {
    const reach = window.size.reduce((last, n, d) => last + (n - 1) * window.stride[d], window.offset);
    if (elementCount(window.size) > 0 && (reach + 1) * x.info.bytes > x.storage.byteLength)
      fail(ShapeError, 'asStrided', 'a window inside the storage', `[${window.size}] at ${window.offset}`);
    return { ...window, input: x };
  },
  forward: ({ size, stride, offset }, [x]) => windowOn(x, [...size], stride, offset),
  backward: (context, g): Gradients => [asStridedBackwardOp([g], context.spec)],
});

/** dx of asStrided for windows that do not overlap themselves: g laid into zeros of the input's memory layout. */
const asStridedBackwardOp = defineOp<StridedSpec, StridedSpec>({
  name: 'asStridedBackward',
  nativeHalf: true,
  infer: (_, spec) => spec,
  forward: ({ size, stride, offset, input }, [g]) => {
    const whole = allocateWithLayout(input);
    fillWith(whole, 0);
    copyInto(windowOn(whole, [...size], stride, offset - input.offset), g);
    return whole;
  },
  backward: ({ spec }, g): Gradients => [asStridedOp([layoutOp([g], spec.input)], { size: spec.size, stride: spec.stride, offset: spec.offset - spec.input.offset })],
});

/** y = x with the window of its memory replaced by another tensor: what an in-place change of a view does to its base. */
const asStridedScatterOp = defineOp<StridedSpec, StridedSpec>({
  name: 'asStridedScatter',
  nativeHalf: true,
  infer: (_, spec) => spec,
  forward: ({ size, stride, offset, input }, [x, source]) => {
    const out = allocateWithLayout(input);
    copyInto(out, x);
    copyInto(windowOn(out, [...size], stride, offset - input.offset), source);
    return out;
  },
  backward: ({ spec }, g): Gradients => {
    const zeros = allocate(spec.size, g.info);
    fillWith(zeros, 0);
    return [asStridedScatterOp([g, zeros], spec), asStridedOp([layoutOp([g], spec.input)], { size: spec.size, stride: spec.stride, offset: spec.offset - spec.input.offset })];
  },
});

setViewRebuilder((view) => {
  const base = view.base as Tensor;
  const node = nodeFor(asStridedOp.definition as never, { size: view.shape, stride: view.strides, offset: view.offset, input: base }, [base]);
  attachOutput(node, view);
  view.viewVersion = view.storage.version;
});

/** Enters an in-place change of `target`, whose new values were computed as `result`, into the graph. */
export function adoptInplace(target: Tensor, result: Tensor): void {
  if (!isGradEnabled() || !(result.requiresGrad || target.requiresGrad)) return;
  if (target.base === null) {
    target.node = result.node;
    target.outputIndex = result.outputIndex;
    return;
  }
  const base = target.base;
  const node = nodeFor(asStridedScatterOp.definition as never, { size: target.shape, stride: target.strides, offset: target.offset, input: base }, [base, result]);
  attachOutput(node, base);
}
