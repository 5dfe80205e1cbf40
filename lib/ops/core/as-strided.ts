/**
 * Windows on memory by sizes, strides and offset (asStrided), and what stands on them: how a view made before an
 * in-place change finds its place in the graph again, and how the change of a view becomes one of its base.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import { attachOutput, nodeFor, setViewRebuilder } from '../../autograd/graph.js';
import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { contiguousStrides, elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { type Plan, stridedPlan } from '../../shape/plan.js';
import type { DTypeInfo } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf, copyInto, filledTensor, fillWith } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { tensorArgument } from './promotion.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /**
     * out += input, element by element of a strided walk (plan [out, input]) whose outputs may coincide: in order, on
     * one thread.
     */
    accumulate: KernelTable<[input: TypedArray, out: TypedArray, plan: Plan]>;
  }
}

/** A place in memory: sizes, strides and first element. */
export interface Geometry {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}
/** A window on the memory that an input shows. */
interface Windows {
  readonly input: Geometry;
  readonly window: Geometry;
}
const geometryOf = ({ shape, strides, offset }: Tensor): Geometry => ({ shape, strides, offset });

/** One past the last element that a geometry reaches, from its first on. */
function extentOf({ shape, strides }: Geometry): number {
  if (elementCount(shape) === 0) return 0;
  let last = 0;
  for (let d = 0; d < shape.length; d++) last += (shape[d] - 1) * strides[d];
  return last + 1;
}

/**
 * Whether two elements may lie in one place: sorted by stride, no dimension steps over the extent of the smaller ones.
 */
function overlapsItself({ shape, strides }: Geometry): boolean {
  const dims = shape.map((n, d) => ({ n, stride: strides[d] })).filter(({ n }) => n > 1);
  dims.sort((a, b) => a.stride - b.stride);
  let reach = 0;
  for (const { n, stride } of dims) {
    if (stride <= reach) return true;
    reach += (n - 1) * stride;
  }
  return false;
}

/** Zeros that cover both geometries, and the two as windows on them. */
function sharedMemory({ input, window }: Windows, info: DTypeInfo): { input: Tensor; window: Tensor } {
  const first = Math.min(input.offset, window.offset);
  const end = Math.max(input.offset + extentOf(input), window.offset + extentOf(window));
  const memory = allocate([end - first], info);
  fillWith(memory, 0);
  const show = (g: Geometry): Tensor => windowOn(memory, [...g.shape], g.strides, g.offset - first);
  return { input: show(input), window: show(window) };
}

/** target += source, where elements of the target may coincide. */
function accumulate(target: Tensor, source: Tensor): void {
  const kernel = instanceOf('asStrided', kernels.accumulate, target.info);
  kernel(source.array, target.array, stridedPlan(target.shape, [target.strides, source.strides]));
}

/**
 * y = the window of x's memory with the given sizes, strides and offset; dx = g added into zeros at the window, seen as
 * x.
 */
export const asStridedOp = defineOp<Geometry, Windows>({
  name: 'asStrided',
  view: true,
  infer: ([x], window) => {
    if (window.shape.length !== window.strides.length)
      fail(
        ShapeError,
        'asStrided',
        'one stride for each size',
        `size [${window.shape}] and stride [${window.strides}]`,
      );
    for (const n of [...window.shape, ...window.strides, window.offset])
      if (!Number.isInteger(n) || n < 0)
        fail(
          ShapeError,
          'asStrided',
          'sizes, strides and an offset of at least 0',
          `[${window.shape}], [${window.strides}], ${window.offset}`,
        );
    if ((window.offset + extentOf(window)) * x.info.bytes > x.storage.byteLength)
      fail(
        ShapeError,
        'asStrided',
        `a window inside the storage of ${x.storage.byteLength / x.info.bytes} elements`,
        `[${window.shape}], strides [${window.strides}], offset ${window.offset}`,
      );
    return { input: geometryOf(x), window };
  },
  forward: ({ window }, [x]) => windowOn(x, [...window.shape], [...window.strides], window.offset),
  backward: (context, g): Gradients => [asStridedBackwardOp([g], context.spec)],
});

/** dx of asStrided: g added into zeros at the window. Where elements of x coincide, each takes an equal share. */
const asStridedBackwardOp = defineOp<Windows, Windows>({
  name: 'asStridedBackward',
  infer: (_, windows) => windows,
  forward: (windows, [g]) => {
    const memory = sharedMemory(windows, g.info);
    if (overlapsItself(windows.window)) accumulate(memory.window, g);
    else copyInto(memory.window, g);
    if (!overlapsItself(windows.input)) return contiguousOf(memory.input);
    const counts = sharedMemory(windows, g.info);
    const one = filledTensor([], g.info, 1);
    accumulate(
      counts.input,
      windowOn(one, [...windows.input.shape], new Array<number>(windows.input.shape.length).fill(0), 0),
    );
    const out = castTo(memory.input, g.info);
    const share = castTo(counts.input, g.info);
    for (let i = 0; i < elementCount(out.shape); i++)
      (out.array as Float64Array)[i] /= (share.array as Float64Array)[i];
    return out;
  },
  backward: ({ spec }, g): Gradients => [asStridedGatherOp([g], spec)],
});

/** The gradient of an input from that of a window on its memory, whose elements may coincide; recorded. */
export function asStridedBackwardOf(g: Tensor, input: Geometry, { shape, strides, offset }: Geometry): Tensor {
  return asStridedBackwardOp([g], { input, window: { shape, strides, offset } });
}

/**
 * y = the window, where x is laid into zeros in its place: asStrided of a tensor that lies elsewhere; dx as
 * asStrided's.
 */
const asStridedGatherOp = defineOp<Windows, Windows>({
  name: 'asStridedGather',
  infer: (_, windows) => windows,
  forward: (windows, [x]) => {
    const memory = sharedMemory(windows, x.info);
    copyInto(memory.input, x);
    return contiguousOf(memory.window);
  },
  backward: ({ spec }, g): Gradients => [asStridedBackwardOp([g], spec)],
});

/**
 * y = x with the window of its memory replaced by a source; dx = g with zeros at the window, dsource = g seen through
 * the window.
 */
const asStridedScatterOp = defineOp<Windows, Windows>({
  name: 'asStridedScatter',
  nativeHalf: true,
  infer: ([, source], windows) => {
    if (!sameShape(source.shape, windows.window.shape))
      fail(ShapeError, 'asStridedScatter', `a source of shape [${windows.window.shape}]`, `[${source.shape}]`);
    return windows;
  },
  forward: (windows, [x, source]) => {
    const memory = sharedMemory(windows, x.info);
    copyInto(memory.input, x);
    copyInto(memory.window, source);
    return contiguousOf(memory.input);
  },
  backward: (context, g): Gradients => {
    const { spec } = context;
    let dx: Tensor | null = null;
    if (context.needs(0)) {
      dx = asStridedScatterOp([g, filledTensor(spec.window.shape, g.info, 0)], spec);
    }
    return [dx, context.needs(1) ? asStridedGatherOp([g], spec) : null];
  },
});

setViewRebuilder((view) => {
  const base = view.base as Tensor;
  const windows: Windows = { input: geometryOf(base), window: geometryOf(view) };
  const node = nodeFor(asStridedOp.definition as never, windows, [base]);
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
  const windows: Windows = { input: geometryOf(base), window: geometryOf(target) };
  const node = nodeFor(asStridedScatterOp.definition as never, windows, [base, result]);
  attachOutput(node, base);
}

function numbers(op: string, name: string, list: unknown): readonly number[] {
  if (!Array.isArray(list)) fail(ArgumentError, op, `an array of numbers for ${name}`, describe(list));
  return list as readonly number[];
}

/**
 * The window of the tensor's memory with `size`, `stride` and `storageOffset` (default: the tensor's own), all counted
 * in elements. Windows may overlap; their gradients add up. A ShapeError where the window leaves the storage.
 * torch.as_strided
 */
export const asStrided = defineFunction(
  { name: 'asStrided', parameters: ['input', 'size', 'stride', 'storageOffset'], required: 3 },
  (input: Tensor, size: Shape, stride: readonly number[], storageOffset?: number | null): Tensor => {
    const x = tensorArgument('asStrided', 'input', input);
    return asStridedOp([x], {
      shape: numbers('asStrided', 'size', size),
      strides: numbers('asStrided', 'stride', stride),
      offset: storageOffset ?? x.offset,
    });
  },
);

/** A copy of `input` with the window of its memory replaced by `src`. torch.as_strided_scatter */
export const asStridedScatter = defineFunction(
  { name: 'asStridedScatter', parameters: ['input', 'src', 'size', 'stride', 'storageOffset'], required: 4 },
  (input: Tensor, src: Tensor, size: Shape, stride: readonly number[], storageOffset?: number | null): Tensor => {
    const x = tensorArgument('asStridedScatter', 'input', input);
    const window = {
      shape: numbers('asStridedScatter', 'size', size),
      strides: numbers('asStridedScatter', 'stride', stride),
      offset: storageOffset ?? x.offset,
    };
    asStridedOp.definition.infer([x], window);
    // PyTorch works on a contiguous clone that keeps the offset's meaning only for tensors without gaps.
    const own: Geometry = x.contiguousLayout
      ? geometryOf(x)
      : { shape: x.shape, strides: contiguousStrides(x.shape), offset: x.offset };
    return asStridedScatterOp([x, tensorArgument('asStridedScatter', 'src', src)], { input: own, window });
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    asStrided: Method<typeof asStrided>;
    asStridedScatter: Method<typeof asStridedScatter>;
  }
}
