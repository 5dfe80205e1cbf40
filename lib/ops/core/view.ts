/** Views by shape: other sizes on the same memory. No kernel is called; gradients go back through the inverse view. */

import { attachMethod, defineFunction, defineMethod } from '../../dispatch/define-function.js';
import { defineView } from '../../dispatch/define-view.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { attachSizesMethod, type SizesMethod, sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { broadcastShapes, broadcastStrides, broadcastsTo } from '../../shape/broadcast.js';
import { inferSize, wrapDim, wrapDims } from '../../shape/dims.js';
import { elementCount, isContiguous, reshapeStrides, type Shape } from '../../shape/layout.js';
import { type DType, type DTypeInfo, dtypeInfo } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from './promotion.js';

/** y = x under another shape of as many elements, without a copy; dx = g under x's shape. */
export const viewOp = defineView<Shape>({
  name: 'view',
  geometry: (x, shape) => {
    const target = inferSize('view', shape, elementCount(x.shape));
    const strides = reshapeStrides(x.shape, x.strides, target);
    if (strides === null)
      fail(
        ShapeError,
        'view',
        `a shape that the memory's layout allows (reshape copies where it must)`,
        `[${target}]`,
        { x },
      );
    return { from: x.shape, shape: target, strides, offset: x.offset };
  },
  backward: (context, g) => [reshape(g, context.spec.from)],
});

/** y = x with dimensions of size 1 repeated, without a copy; dx = the sum of g over them (the engine's reduction). */
export const expandOp = defineView<Shape>({
  name: 'expand',
  geometry: (x, shape) => {
    const lead = shape.length - x.shape.length;
    const target = shape.map((n, d) => (n === -1 && d >= lead ? x.shape[d - lead] : n));
    if (!broadcastsTo(x.shape, target) || target.some((n) => n < 0))
      fail(ShapeError, 'expand', `a shape that [${x.shape}] broadcasts to`, `[${shape}]`);
    return { from: x.shape, shape: target, strides: broadcastStrides(x.shape, x.strides, target), offset: x.offset };
  },
  backward: (_, g) => [g],
});

/** y = x without some of its dimensions of size 1; dx = g under x's shape. */
const squeezeOp = defineView<readonly number[]>({
  name: 'squeeze',
  geometry: (x, dims) => {
    const kept: number[] = [];
    for (let d = 0; d < x.shape.length; d++) if (x.shape[d] !== 1 || !dims.includes(d)) kept.push(d);
    return {
      from: x.shape,
      shape: kept.map((d) => x.shape[d]),
      strides: kept.map((d) => x.strides[d]),
      offset: x.offset,
    };
  },
  backward: (context, g) => [viewOp([g], context.spec.from)],
});

/** y = x with a dimension of size 1 at `dim`; dx = g without it. */
export const unsqueezeOp = defineView<number>({
  name: 'unsqueeze',
  geometry: (x, dim) => {
    const ndim = x.shape.length;
    const at = wrapDim('unsqueeze', dim, ndim + 1);
    const step = at < ndim ? x.shape[at] * x.strides[at] : 1;
    return {
      from: x.shape,
      shape: [...x.shape.slice(0, at), 1, ...x.shape.slice(at)],
      strides: [...x.strides.slice(0, at), step, ...x.strides.slice(at)],
      offset: x.offset,
    };
  },
  backward: (context, g) => [viewOp([g], context.spec.from)],
});

/**
 * The elements under another shape (one size may be -1): a view where the memory's layout allows it, else a copy.
 * torch.reshape
 */
export const reshape = defineFunction(
  { name: 'reshape', parameters: ['input', 'shape'], required: 2, method: false },
  (input: Tensor, shape: Shape): Tensor => {
    const x = tensorArgument('reshape', 'input', input);
    const target = inferSize('reshape', sizeArguments('reshape', 'shape', [shape]), elementCount(x.shape));
    return viewOp([reshapeStrides(x.shape, x.strides, target) === null ? x.contiguous() : x], target);
  },
);
attachSizesMethod('reshape', 'shape', (x, shape) => reshape(x, shape));

/**
 * The same bytes as elements of another type; the last dimension grows or shrinks where the sizes of the types differ.
 */
function viewAsType(x: Tensor, info: DTypeInfo): Tensor {
  const shape = [...x.shape];
  const strides = [...x.strides];
  let offset = x.offset;
  const last = shape.length - 1;
  if (info.bytes !== x.info.bytes) {
    const given = `${x.dtype}[${x.shape}], strides [${x.strides}], offset ${x.offset}`;
    if (last < 0 || strides[last] !== 1)
      fail(ShapeError, 'view', `a last dimension without gaps to view ${x.dtype} as ${info.name}`, given);
    const from = x.info.bytes;
    const scaled = (n: number): number => {
      const bytes = n * from;
      if (bytes % info.bytes !== 0)
        fail(ShapeError, 'view', `a last size, strides and an offset that hold whole ${info.name} elements`, given);
      return bytes / info.bytes;
    };
    shape[last] = scaled(shape[last]);
    for (let d = 0; d < last; d++) strides[d] = shape[d] === 1 ? strides[d] : scaled(strides[d]);
    offset = scaled(offset);
    if (x.storage.byteOffset % info.bytes !== 0)
      fail(ShapeError, 'view', `memory aligned to ${info.bytes} bytes`, `an offset of ${x.storage.byteOffset} bytes`);
  }
  return new Tensor(x.storage, null, info, Object.freeze(shape), strides, offset, isContiguous(shape, strides));
}

attachMethod('view', (x: Tensor, ...args: unknown[]) => {
  const first = args[0];
  if (typeof first === 'string') return viewAsType(x, dtypeInfo('view', first as DType));
  if (typeof first === 'object' && first !== null && 'dtype' in first && !(first instanceof Tensor))
    return viewAsType(x, dtypeInfo('view', first.dtype as DType));
  return viewOp([x], sizeArguments('view', 'size', args));
});
attachSizesMethod('expand', 'size', (x, sizes) => expandOp([x], sizes));
const viewAs = defineMethod('viewAs', ['other'], (x: Tensor, other: Tensor): Tensor => viewOp([x], other.shape), {
  required: 2,
  kinds: { other: 'tensor' },
});
const reshapeAs = defineMethod('reshapeAs', ['other'], (x: Tensor, other: Tensor): Tensor => reshape(x, other.shape), {
  required: 2,
  kinds: { other: 'tensor' },
});
const expandAs = defineMethod('expandAs', ['other'], (x: Tensor, other: Tensor): Tensor => expandOp([x], other.shape), {
  required: 2,
  kinds: { other: 'tensor' },
});

/** The tensor expanded to a shape that it broadcasts to: a view. torch.broadcast_to */
export const broadcastTo = defineFunction(
  { name: 'broadcastTo', parameters: ['input', 'size'], required: 2, method: false },
  (input: Tensor, size: Shape): Tensor =>
    expandOp([tensorArgument('broadcastTo', 'input', input)], sizeArguments('broadcastTo', 'size', [size])),
);
attachSizesMethod('broadcastTo', 'size', (x, size) => broadcastTo(x, size));

/** The shape that shapes broadcast to. torch.broadcast_shapes */
export function broadcastShapesOf(...shapes: (Shape | number)[]): Shape {
  const lists = shapes.map((shape) => sizeArguments('broadcastShapes', 'shapes', [shape]));
  return Object.freeze([...lists.reduce<Shape>((a, b) => broadcastShapes('broadcastShapes', a, b), [])]);
}

/**
 * Every tensor expanded to the common shape: views. Tensors come as arguments or as one array. torch.broadcast_tensors
 */
export function broadcastTensors(...tensors: Tensor[] | [readonly Tensor[]]): Tensor[] {
  const list = (tensors.length === 1 && Array.isArray(tensors[0]) ? tensors[0] : tensors) as readonly Tensor[];
  let shape: Shape = [];
  for (const x of list)
    shape = broadcastShapes('broadcastTensors', shape, tensorArgument('broadcastTensors', 'tensors', x).shape);
  return list.map((x) => expandOp([x], shape));
}

/** Dimensions startDim (0) to endDim (-1) as one; a view where the layout allows it. torch.flatten */
export const flatten = defineFunction(
  { name: 'flatten', parameters: ['input', 'startDim', 'endDim'] },
  (input: Tensor, startDim: number = 0, endDim: number = -1): Tensor => {
    const x = tensorArgument('flatten', 'input', input);
    const start = wrapDim('flatten', startDim, x.shape.length);
    const end = wrapDim('flatten', endDim, x.shape.length);
    if (start > end)
      fail(ShapeError, 'flatten', 'startDim not after endDim', `${startDim} and ${endDim}`, { input: x });
    if (x.shape.length === 0) return viewOp([x], [1]);
    if (start === end) return x;
    return reshape(x, [
      ...x.shape.slice(0, start),
      elementCount(x.shape.slice(start, end + 1)),
      ...x.shape.slice(end + 1),
    ]);
  },
);

/** All elements in one dimension; a view where the layout allows it. torch.ravel */
export const ravel = defineFunction(
  { name: 'ravel', parameters: ['input'] },
  (input: Tensor): Tensor => reshape(input, [-1]),
);

/** Dimension `dim` as several of the given sizes, one of which may be -1. torch.unflatten */
export const unflatten = defineFunction(
  { name: 'unflatten', parameters: ['input', 'dim', 'sizes'], required: 3 },
  (input: Tensor, dim: number, sizes: Shape): Tensor => {
    const x = tensorArgument('unflatten', 'input', input);
    const at = wrapDim('unflatten', dim, x.shape.length);
    const list = sizeArguments('unflatten', 'sizes', [sizes]);
    if (list.length === 0) fail(ShapeError, 'unflatten', 'at least one size', 'none', { input: x });
    if (x.shape.length === 0) fail(ShapeError, 'unflatten', 'a tensor with dimensions', 'a scalar');
    const inner = inferSize('unflatten', list, x.shape[at]);
    return viewOp([x], [...x.shape.slice(0, at), ...inner, ...x.shape.slice(at + 1)]);
  },
);

/** The dimensions that squeeze takes away where their size is 1: all of them without `dim`. */
function squeezed(x: Tensor, dim: number | readonly number[] | null | undefined): readonly number[] {
  if (Array.isArray(dim) && dim.length === 0) return [];
  return wrapDims('squeeze', dim, x.shape.length);
}

/** Without the dimensions of size 1, or those of `dim` that have it: a view. torch.squeeze */
export const squeeze = defineFunction(
  { name: 'squeeze', parameters: ['input', 'dim'] },
  (input: Tensor, dim?: number | readonly number[] | null): Tensor => {
    const x = tensorArgument('squeeze', 'input', input);
    return squeezeOp([x], squeezed(x, dim));
  },
);

/** With a dimension of size 1 at `dim`: a view. torch.unsqueeze */
export const unsqueeze = defineFunction(
  { name: 'unsqueeze', parameters: ['input', 'dim'], required: 2 },
  (input: Tensor, dim: number): Tensor => {
    if (typeof dim !== 'number') fail(ArgumentError, 'unsqueeze', 'a number for dim', describe(dim));
    return unsqueezeOp([tensorArgument('unsqueeze', 'input', input)], dim);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    reshape: SizesMethod;
    /** The same memory under another shape, or (with a dtype) as elements of another type. */
    view(...shape: [readonly (number | Tensor)[]] | (number | Tensor)[] | [DType]): Tensor;
    expand: SizesMethod;
    viewAs: Method<typeof viewAs>;
    reshapeAs: Method<typeof reshapeAs>;
    expandAs: Method<typeof expandAs>;
    broadcastTo: SizesMethod;
    flatten: Method<typeof flatten>;
    ravel: Method<typeof ravel>;
    unflatten: Method<typeof unflatten>;
    squeeze: Method<typeof squeeze>;
    unsqueeze: Method<typeof unsqueeze>;
  }
}
