/**
 * Elements by condition: their positions (nonzero), their values (maskedSelect), and new values for them
 * (maskedScatter).
 */

import { defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastShapes, broadcastsTo } from '../../shape/broadcast.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf, copyPart, fillWith } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { inplace } from '../core/inplace.js';
import { tensorArgument } from '../core/promotion.js';
import { expandOp } from '../core/view.js';
import { putRowsOp, requireSameType, takeRowsOp } from './index-rows.js';
import { flatRows } from './index-select.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** How many of n elements are not zero. */
    countNonzeroElements: KernelTable<[input: TypedArray, n: number], number>;
    /** The positions of the elements that are not zero. */
    nonzero: KernelTable<[input: TypedArray, out: TypedArray, n: number]>;
    /** out[k * stride] = index[k] / step % size. */
    coordinate: KernelTable<
      [index: TypedArray, out: TypedArray, count: number, step: number, size: number, stride: number]
    >;
  }
}

/** The positions in the flattened tensor of the elements that are not zero, as int64; no autograd. */
export function nonzeroPositions(x: Tensor): Tensor {
  const flat = contiguousOf(x);
  const n = elementCount(x.shape);
  const count = instanceOf('nonzero', kernels.countNonzeroElements, flat.info)(flat.array, n);
  const out = allocate([count], INT64);
  instanceOf('nonzero', kernels.nonzero, flat.info)(flat.array, out.array, n);
  return out;
}

/** Coordinate `dim` of positions in a shape, written into `out` (strided); no autograd. */
function coordinate(positions: Tensor, shape: Shape, dim: number, out: Tensor): void {
  const count = positions.shape[0];
  if (count > 0)
    instanceOf('nonzero', kernels.coordinate, INT64)(
      positions.array,
      out.array,
      count,
      elementCount(shape.slice(dim + 1)),
      shape[dim],
      out.strides[0] ?? 1,
    );
}

/** The coordinates of the elements that are not zero, one int64 vector a dimension (one of zeros for a scalar). */
export function nonzeroTuple(x: Tensor): Tensor[] {
  const shape = x.shape.length === 0 ? [1] : x.shape;
  const positions = nonzeroPositions(x);
  return shape.map((_, d) => {
    const out = allocate([positions.shape[0]], INT64);
    coordinate(positions, shape, d, out);
    return out;
  });
}

/** The coordinates of the elements that are not zero, [count, dimensions], int64. */
export function nonzeroMatrix(x: Tensor): Tensor {
  const positions = nonzeroPositions(x);
  const out = allocate([positions.shape[0], x.shape.length], INT64);
  x.shape.forEach((_, d) => {
    coordinate(positions, x.shape, d, windowOn(out, [positions.shape[0]], [x.shape.length], d));
  });
  return out;
}

/**
 * The coordinates of the elements that are not zero: [count, dimensions], or with `asTuple` one vector a dimension.
 * torch.nonzero
 */
export const nonzero = defineFunction({ name: 'nonzero', parameters: ['input', 'asTuple'], keywords: 1 }, ((
  input: Tensor,
  asTuple?: boolean,
): Tensor | Tensor[] => {
  const x = tensorArgument('nonzero', 'input', input);
  return asTuple ? nonzeroTuple(x) : nonzeroMatrix(x);
}) as (input: Tensor, asTuple?: boolean) => Tensor & Tensor[]);

/** The coordinates of the elements that are not zero, [count, dimensions]. torch.argwhere */
export const argwhere = defineFunction(
  { name: 'argwhere', parameters: ['input'] },
  (input: Tensor): Tensor => nonzeroMatrix(tensorArgument('argwhere', 'input', input)),
);

function maskArgument(op: string, mask: unknown): Tensor {
  const m = tensorArgument(op, 'mask', mask);
  if (m.info.name !== 'bool' && m.info.name !== 'uint8') fail(DTypeError, op, 'a bool mask', m.dtype);
  return m;
}

/** The elements where the mask (broadcast with input) is true, as a vector. torch.masked_select */
export const maskedSelect = defineFunction(
  { name: 'maskedSelect', parameters: ['input', 'mask'], required: 2 },
  (input: Tensor, mask: Tensor): Tensor => {
    const x = tensorArgument('maskedSelect', 'input', input);
    const m = maskArgument('maskedSelect', mask);
    const shape = broadcastShapes('maskedSelect', x.shape, m.shape);
    const positions = nonzeroPositions(expandOp([m], shape));
    const wide = expandOp([x], shape);
    return takeRowsOp([wide, positions], flatRows(wide, positions));
  },
);

/** input with the elements where the mask is true replaced by the elements of source in order. torch.masked_scatter */
export const maskedScatter = defineFunction(
  { name: 'maskedScatter', parameters: ['input', 'mask', 'source'], required: 3 },
  (input: Tensor, mask: Tensor, source: Tensor): Tensor => {
    const x = tensorArgument('maskedScatter', 'input', input);
    const m = maskArgument('maskedScatter', mask);
    const s = tensorArgument('maskedScatter', 'source', source);
    requireSameType('maskedScatter', 'a source', x, s);
    const shape = broadcastShapes('maskedScatter', x.shape, m.shape);
    const wide = expandOp([x], shape);
    const positions = nonzeroPositions(expandOp([m], shape));
    const count = positions.shape[0];
    if (elementCount(s.shape) < count)
      fail(ShapeError, 'maskedScatter', `a source of at least ${count} elements`, `[${s.shape}]`);
    return putRowsOp([wide, s.reshape([-1]).narrow(0, 0, count), positions], flatRows(wide, positions));
  },
);
const maskedScatterInplace = defineMethod(
  'maskedScatter_',
  ['mask', 'source'],
  (x: Tensor, mask: Tensor, source: Tensor): Tensor => {
    maskArgument('maskedScatter_', mask);
    if (!broadcastsTo(mask.shape, x.shape))
      fail(IndexError, 'maskedScatter_', `a mask that broadcasts to [${x.shape}]`, `[${mask.shape}]`);
    return inplace('maskedScatter_', x, () => maskedScatter(x, mask, source));
  },
  { required: 3 },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    nonzero: Method<typeof nonzero>;
    argwhere: Method<typeof argwhere>;
    maskedSelect: Method<typeof maskedSelect>;
    maskedScatter: Method<typeof maskedScatter>;
    maskedScatter_: Method<typeof maskedScatterInplace>;
    nonzeroStatic: Method<typeof nonzeroStatic>;
  }
}

/**
 * The first `size` coordinates of elements that are not zero, [size, dimensions]; rows that are missing hold fillValue.
 * torch.nonzero_static
 */
export const nonzeroStatic = defineFunction(
  { name: 'nonzeroStatic', parameters: ['input', 'size', 'fillValue'], kinds: { fillValue: 'whole' }, keywords: 2 },
  (input: Tensor, size?: number, fillValue: number = -1): Tensor => {
    const x = tensorArgument('nonzeroStatic', 'input', input);
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0)
      fail(ArgumentError, 'nonzeroStatic', 'a size of at least 0', describe(size));
    const found = nonzeroMatrix(x);
    const count = Math.min(size, found.shape[0]);
    const out = allocate([size, x.shape.length], INT64);
    fillWith(out, fillValue);
    copyPart(
      [count, x.shape.length],
      { tensor: out, start: 0, strides: out.strides },
      { tensor: found, start: 0, strides: found.strides },
    );
    return out;
  },
);
