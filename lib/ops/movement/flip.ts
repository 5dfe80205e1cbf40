/** Reversed and shifted copies: flip, fliplr, flipud, rot90, roll. */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { attachSizesMethod, type SizesMethod, sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim, wrapDims } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { suggestedFormat } from '../../shape/memory-format.js';
import { likeStrides } from '../../shape/result-strides.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocateInFormat, allocateLike } from '../../tensor/allocate.js';
import { castAs, contiguousOf, copyPart } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { withStrides } from '../core/relayout.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out[o, n - 1 - k, i] = input[o, k, i] */
    flip: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
  }
}

/** y = x with dimensions reversed; dx = g with them reversed. */
const flipOp: Operator<readonly number[], Tensor> = defineOp<readonly number[], readonly number[]>({
  name: 'flip',
  nativeHalf: true,
  infer: ([x], dims) => (dims.length === 0 ? [] : wrapDims('flip', dims, x.shape.length)),
  forward: (dims, [x]) => {
    let current = contiguousOf(x);
    const sorted = [...dims].sort((a, b) => a - b);
    const kernel = instanceOf('flip', kernels.flip, x.info);
    // Neighbouring dimensions are reversed as one.
    for (let k = 0; k < sorted.length; ) {
      const first = sorted[k];
      let last = first;
      while (k + 1 < sorted.length && sorted[k + 1] === last + 1) last = sorted[++k];
      k++;
      const out = allocateLike(current);
      kernel(
        current.array,
        out.array,
        elementCount(x.shape.slice(0, first)),
        elementCount(x.shape.slice(first, last + 1)),
        elementCount(x.shape.slice(last + 1)),
      );
      current = out;
    }
    return current.storage === x.storage ? castAs(x, x.info) : withStrides(current, likeStrides(x));
  },
  backward: ({ spec }, g) => [flipOp([g], spec)],
});

/** A copy with the given dimensions reversed. torch.flip */
export const flip = defineFunction(
  { name: 'flip', parameters: ['input', 'dims'], required: 2, method: false },
  (input: Tensor, dims: number | Shape): Tensor =>
    flipOp([tensorArgument('flip', 'input', input)], sizeArguments('flip', 'dims', [dims])),
);
attachSizesMethod('flip', 'dims', (x, dims) => flipOp([x], dims));

/** A copy with the columns (dimension 1) reversed. torch.fliplr */
export const fliplr = defineFunction({ name: 'fliplr', parameters: ['input'] }, (input: Tensor): Tensor => {
  const x = tensorArgument('fliplr', 'input', input);
  if (x.shape.length < 2) fail(ShapeError, 'fliplr', 'at least two dimensions', String(x.shape.length), { input: x });
  return flipOp([x], [1]);
});

/** A copy with the rows (dimension 0) reversed. torch.flipud */
export const flipud = defineFunction({ name: 'flipud', parameters: ['input'] }, (input: Tensor): Tensor => {
  const x = tensorArgument('flipud', 'input', input);
  if (x.shape.length < 1) fail(ShapeError, 'flipud', 'at least one dimension', '0', { input: x });
  return flipOp([x], [0]);
});

/**
 * The tensor turned by 90 degrees k times in the plane of two dimensions, from the first towards the second.
 * torch.rot90
 */
export const rot90 = defineFunction(
  { name: 'rot90', parameters: ['input', 'k', 'dims'], kinds: { k: 'whole' } },
  (input: Tensor, k: number = 1, dims: Shape = [0, 1]): Tensor => {
    const x = tensorArgument('rot90', 'input', input);
    if (!Array.isArray(dims) || dims.length !== 2) fail(ArgumentError, 'rot90', 'two dims', describe(dims));
    if (x.shape.length < 2) fail(ShapeError, 'rot90', 'at least two dimensions', String(x.shape.length), { input: x });
    const [a, b] = dims.map((d) => wrapDim('rot90', d, x.shape.length));
    if (a === b) fail(ArgumentError, 'rot90', 'two different dims', describe(dims));
    switch (((k % 4) + 4) % 4) {
      case 1:
        return flipOp([x], [b]).transpose(a, b);
      case 2:
        return flipOp([x], [a, b]);
      case 3:
        return flipOp([x], [a]).transpose(a, b);
      default:
        return x.clone({ memoryFormat: 'contiguous_format' });
    }
  },
);

interface Roll {
  readonly shifts: readonly number[];
  readonly dims: readonly number[];
}

/** y = x with dimensions shifted round; dx = g shifted back. */
const rollOp: Operator<Roll, Tensor> = defineOp<Roll, Roll>({
  name: 'roll',
  nativeHalf: true,
  infer: ([x], { shifts, dims }) => ({ shifts, dims: dims.map((d) => wrapDim('roll', d, x.shape.length)) }),
  forward: ({ shifts, dims }, [x]) => {
    const out = allocateInFormat('roll', x, suggestedFormat(x.shape, x.strides));
    if (elementCount(x.shape) === 0) return out;
    const total = x.shape.map((n, d) => {
      const sum = dims.reduce((s, dim, i) => (dim === d ? s + shifts[i] : s), 0);
      return ((sum % n) + n) % n;
    });
    // Every shifted dimension falls into two runs; their combinations are copied block by block.
    const place = (dim: number, shape: number[], from: number, to: number): void => {
      if (dim === x.shape.length) {
        copyPart(
          shape,
          { tensor: out, start: to, strides: out.strides },
          { tensor: x, start: from, strides: x.strides },
        );
        return;
      }
      const n = x.shape[dim];
      const shift = total[dim];
      shape[dim] = n - shift;
      place(dim + 1, shape, from, to + shift * out.strides[dim]);
      if (shift === 0) return;
      shape[dim] = shift;
      place(dim + 1, shape, from + (n - shift) * x.strides[dim], to);
    };
    place(0, [...x.shape], 0, 0);
    return out;
  },
  backward: ({ spec }, g) => [rollOp([g], { dims: spec.dims, shifts: spec.shifts.map((s) => -s) })],
});

/** A copy with dimensions shifted round by `shifts` places; without `dims` the flattened tensor is. torch.roll */
export const roll = defineFunction(
  { name: 'roll', parameters: ['input', 'shifts', 'dims'], required: 2 },
  (input: Tensor, shifts: number | Shape, dims?: number | Shape | null): Tensor => {
    const x = tensorArgument('roll', 'input', input);
    const by = sizeArguments('roll', 'shifts', [shifts]);
    const over = dims === undefined || dims === null ? [] : sizeArguments('roll', 'dims', [dims]);
    if (by.length === 0) fail(ArgumentError, 'roll', 'at least one shift', 'none');
    if (over.length === 0) {
      if (by.length !== 1) fail(ArgumentError, 'roll', 'one shift where there are no dims', describe(by));
      return rollOp([x.reshape([-1])], { shifts: by, dims: [0] }).reshape(x.shape);
    }
    if (by.length !== over.length)
      fail(ArgumentError, 'roll', 'as many dims as shifts', `${over.length} and ${by.length}`);
    if (x.shape.length === 0) fail(IndexError, 'roll', 'no dims for a scalar', describe(over), { input: x });
    return rollOp([x], { shifts: by, dims: over });
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    flip: SizesMethod;
    fliplr: Method<typeof fliplr>;
    flipud: Method<typeof flipud>;
    rot90: Method<typeof rot90>;
    roll: Method<typeof roll>;
  }
}
