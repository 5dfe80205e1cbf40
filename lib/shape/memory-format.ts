/**
 * PyTorch's memory formats: the strides that each gives a shape, and which of them given strides follow. Pure, with no
 * knowledge of tensors.
 */
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { contiguousStrides, isContiguous, type Shape } from './layout.js';

/**
 * The order of dimensions in memory: `contiguous_format` is row-major, `channels_last` has the channels of [N, C, H, W]
 * innermost,
 * `channels_last_3d` those of [N, C, D, H, W], and `preserve_format` keeps the order of the source.
 */
export type MemoryFormat = 'contiguous_format' | 'channels_last' | 'channels_last_3d' | 'preserve_format';

const FORMATS: readonly unknown[] = ['contiguous_format', 'channels_last', 'channels_last_3d', 'preserve_format'];

/**
 * The dimensions from the innermost to the outermost in memory, for the formats that ask for a number of dimensions.
 */
const CHANNELS_LAST = [1, 3, 2, 0];
const CHANNELS_LAST_3D = [1, 4, 3, 2, 0];

/** The format, checked; `fallback` where none was given. */
export function memoryFormatArgument(op: string, format: unknown, fallback: MemoryFormat): MemoryFormat {
  if (format === undefined || format === null) return fallback;
  if (!FORMATS.includes(format)) fail(ArgumentError, op, `a memoryFormat (${FORMATS.join(', ')})`, describe(format));
  return format as MemoryFormat;
}

/**
 * The strides of a shape in a format other than `preserve_format`. Throws ShapeError where the format needs another
 * number of dimensions.
 */
export function formatStrides(op: string, shape: Shape, format: MemoryFormat): number[] {
  if (format === 'preserve_format') fail(ArgumentError, op, 'a memoryFormat that does not depend on a source', format);
  if (format === 'contiguous_format') return contiguousStrides(shape);
  const order = format === 'channels_last' ? CHANNELS_LAST : CHANNELS_LAST_3D;
  if (shape.length !== order.length)
    fail(ShapeError, op, `${order.length} dimensions for memoryFormat ${format}`, `[${shape.join(', ')}]`);
  return stridesInOrder(shape, order);
}

/** The strides of a shape without gaps whose dimensions lie in memory in the given order, the innermost first. */
export function stridesInOrder(shape: Shape, innermostFirst: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  let step = 1;
  for (let i = 0; i < innermostFirst.length; i++) {
    const d = innermostFirst[i];
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

/** Whether elements lie without gaps in the order of the format. */
export function followsFormat(shape: Shape, strides: readonly number[], format: MemoryFormat): boolean {
  if (format === 'channels_last') return followsOrder(shape, strides, CHANNELS_LAST);
  if (format === 'channels_last_3d') return followsOrder(shape, strides, CHANNELS_LAST_3D);
  return isContiguous(shape, strides);
}

function followsOrder(shape: Shape, strides: readonly number[], order: readonly number[]): boolean {
  if (shape.length !== order.length) return false;
  let expected = 1;
  for (const d of order) {
    if (shape[d] === 1) continue;
    if (strides[d] !== expected) return false;
    expected *= shape[d];
  }
  return true;
}

/**
 * The format in which operators of images leave their result (Tensor.suggest_memory_format): channels last where
 * strides fall in that order.
 */
export function suggestedFormat(shape: Shape, strides: readonly number[]): MemoryFormat {
  if (shape.length === 4 && fallsInOrder(shape, strides, CHANNELS_LAST)) return 'channels_last';
  if (shape.length === 5 && fallsInOrder(shape, strides, CHANNELS_LAST_3D)) return 'channels_last_3d';
  return 'contiguous_format';
}

/** Whether strides rise in the given order; gaps are allowed. Where a size of 1 makes both orders true, it is not. */
function fallsInOrder(shape: Shape, strides: readonly number[], order: readonly number[]): boolean {
  if (strides[1] === 0) return false;
  let least = 0;
  for (const d of order) {
    if (shape[d] === 0 || strides[d] < least) return false;
    // [N, 1, 1, 1], and a slice of it, whose strides are all the same.
    if (d === 0 && least === strides[1]) return false;
    least = strides[d];
    if (shape[d] > 1) least *= shape[d];
  }
  return true;
}
