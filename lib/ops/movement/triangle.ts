/** Triangles and diagonals of matrices: tril, triu, their indices, diag, diagEmbed, diagflat, trace. */

import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount } from '../../shape/layout.js';
import { type DType, dtypeInfo, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocateChecked, allocateLike } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import { checkDevice } from '../../tensor/device.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defineInplace } from '../core/inplace.js';
import { tensorArgument } from '../core/promotion.js';
import { atLeast, catOp, tensorList } from '../views/cat.js';
import { diagonalEmbedOp, diagonalOp } from '../views/slice.js';
import { pad } from './pad.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** Keeps input[b, i, j] where j - i <= diagonal (lower) or >= diagonal (upper); zeros elsewhere. */
    triangle: KernelTable<
      [
        input: TypedArray,
        out: TypedArray,
        batch: number,
        rows: number,
        columns: number,
        diagonal: number,
        upper: number,
      ]
    >;
  }
}

interface Triangle {
  readonly op: string;
  readonly diagonal: number;
  readonly upper: boolean;
}

function triangleOp(name: 'tril' | 'triu', upper: boolean): Operator<number, Tensor> {
  /** y = x on and below (above) a diagonal, 0 elsewhere; dx = the same of g. */
  const operator: Operator<number, Tensor> = defineOp<number, Triangle>({
    name,
    nativeHalf: true,
    infer: ([x], diagonal) => {
      if (x.shape.length < 2) fail(ShapeError, name, 'at least two dimensions', String(x.shape.length), { input: x });
      if (!Number.isInteger(diagonal)) fail(ArgumentError, name, 'a whole number for diagonal', describe(diagonal));
      return { op: name, diagonal, upper };
    },
    forward: ({ diagonal }, [x]) => {
      const out = allocateLike(x);
      const [rows, columns] = x.shape.slice(-2);
      const kernel = instanceOf(name, kernels.triangle, x.info);
      kernel(
        contiguousOf(x).array,
        out.array,
        elementCount(x.shape.slice(0, -2)),
        rows,
        columns,
        diagonal,
        upper ? 1 : 0,
      );
      return out;
    },
    backward: ({ spec }, g) => [operator([g], spec.diagonal)],
  });
  return operator;
}
const trilOp = triangleOp('tril', false);
const triuOp = triangleOp('triu', true);

/** The lower triangle of matrices: 0 above the diagonal (0 is the main one, 1 that above it). torch.tril */
export const tril = defineFunction(
  { name: 'tril', parameters: ['input', 'diagonal'] },
  (input: Tensor, diagonal: number = 0): Tensor => trilOp([tensorArgument('tril', 'input', input)], diagonal),
);
/** The upper triangle of matrices: 0 below the diagonal. torch.triu */
export const triu = defineFunction(
  { name: 'triu', parameters: ['input', 'diagonal'] },
  (input: Tensor, diagonal: number = 0): Tensor => triuOp([tensorArgument('triu', 'input', input)], diagonal),
);
defineInplace('tril_', tril);
defineInplace('triu_', triu);

/** The sum of (i + shift, but at least 0 and at most `most`) over i < rows. */
function rampSum(rows: number, shift: number, most: number): number {
  const within = (i: number): number => Math.min(Math.max(i, 0), rows);
  const first = within(1 - shift);
  const last = within(most - shift);
  const ramp = last > first ? ((last - first) * (first + last - 1 + 2 * shift)) / 2 : 0;
  return ramp + (rows - Math.max(first, last)) * most;
}

/**
 * The indices in row-major order, of rows that have some: the work follows from the result, however large the matrix
 * is.
 */
function triangleIndices(name: string, upper: boolean) {
  return defineFunction(
    { name, parameters: ['row', 'col', 'offset', 'dtype', 'device'], keywords: 2, required: 2, method: false },
    (row: number, col: number, offset: number = 0, dtype?: DType, device?: string): Tensor => {
      if (device !== undefined) checkDevice(name, device);
      if (!(Number.isInteger(row) && Number.isInteger(col) && row >= 0 && col >= 0))
        fail(ShapeError, name, 'row and col of at least 0', `${row} and ${col}`);
      if (!Number.isInteger(offset)) fail(ArgumentError, name, 'a whole number for offset', describe(offset));
      const count = upper ? rampSum(row, col - offset - row + 1, col) : rampSum(row, offset + 1, col);
      const out = allocateChecked(name, [2, count], INT64);
      const array = out.array as BigInt64Array;
      const bound = (i: number): number => Math.min(Math.max(i, 0), col);
      for (let i = upper ? 0 : Math.max(0, -offset), k = 0; k < count; i++) {
        const end = upper ? col : bound(i + offset + 1);
        for (let j = upper ? bound(i + offset) : 0; j < end; j++, k++) {
          array[k] = BigInt(i);
          array[count + k] = BigInt(j);
        }
      }
      return dtype === undefined ? out : castTo(out, dtypeInfo(name, dtype));
    },
  );
}
/** Rows and columns of the lower triangle of a row x col matrix, [2, count], row by row. torch.tril_indices */
export const trilIndices = triangleIndices('trilIndices', false);
/** Rows and columns of the upper triangle of a row x col matrix, [2, count], row by row. torch.triu_indices */
export const triuIndices = triangleIndices('triuIndices', true);

/**
 * Matrices with the last dimension on a diagonal, which lies in dimensions dim1 and dim2 of the result.
 * torch.diag_embed
 */
export const diagEmbed = defineFunction(
  { name: 'diagEmbed', parameters: ['input', 'offset', 'dim1', 'dim2'] },
  (input: Tensor, offset: number = 0, dim1: number = -2, dim2: number = -1): Tensor => {
    const x = tensorArgument('diagEmbed', 'input', input);
    const ndim = x.shape.length + 1;
    const a = wrapDim('diagEmbed', dim1, ndim);
    const b = wrapDim('diagEmbed', dim2, ndim);
    if (a === b) fail(ArgumentError, 'diagEmbed', 'two different dimensions', `${dim1} and ${dim2}`);
    if (x.shape.length === 0) fail(ShapeError, 'diagEmbed', 'a tensor with dimensions', 'a scalar');
    const n = x.shape[x.shape.length - 1] + Math.abs(offset);
    const shape = x.shape.slice(0, -1);
    shape.splice(Math.min(a, b), 0, n);
    shape.splice(Math.max(a, b), 0, n);
    return diagonalEmbedOp([x], { from: Object.freeze(shape), attributes: [offset, a, b] });
  },
);

/** A vector as the diagonal of a matrix, or the diagonal of a matrix as a vector (a copy). torch.diag */
export const diag = defineFunction(
  { name: 'diag', parameters: ['input', 'diagonal'] },
  (input: Tensor, diagonal: number = 0): Tensor => {
    const x = tensorArgument('diag', 'input', input);
    if (x.shape.length === 1) return diagEmbed(x, diagonal);
    if (x.shape.length !== 2)
      fail(ShapeError, 'diag', 'a vector or a matrix', `${x.shape.length} dimensions`, { input: x });
    return diagonalOp([x], [diagonal, 0, 1]).clone();
  },
);

/** The flattened tensor as the diagonal of a matrix. torch.diagflat */
export const diagflat = defineFunction(
  { name: 'diagflat', parameters: ['input', 'offset'] },
  (input: Tensor, offset: number = 0): Tensor =>
    diagEmbed(tensorArgument('diagflat', 'input', input).reshape([-1]), offset),
);

/** The sum of the diagonal of a matrix. torch.trace */
export const trace = defineFunction({ name: 'trace', parameters: ['input'] }, (input: Tensor): Tensor => {
  const [x] = applyAutocast('float32', [tensorArgument('trace', 'input', input)]);
  if (x.shape.length !== 2) fail(ShapeError, 'trace', 'a matrix', `${x.shape.length} dimensions`, { input: x });
  return diagonalOp([x], [0, 0, 1]).sum();
});

declare module '../../tensor/tensor.js' {
  interface Tensor {
    tril: Method<typeof tril>;
    tril_: Method<typeof tril>;
    triu: Method<typeof triu>;
    triu_: Method<typeof triu>;
    diagEmbed: Method<typeof diagEmbed>;
    diag: Method<typeof diag>;
    diagflat: Method<typeof diagflat>;
    trace: Method<typeof trace>;
  }
}

/** Matrices (vectors as rows, scalars as 1 x 1) along a diagonal of blocks, with zeros elsewhere. torch.block_diag */
export function blockDiag(...tensors: Tensor[]): Tensor {
  const blocks = tensorList('blockDiag', tensors).map((x) => {
    if (x.shape.length > 2) fail(ShapeError, 'blockDiag', 'tensors of at most two dimensions', `[${x.shape}]`);
    return atLeast(x, 2);
  });
  const width = blocks.reduce((sum, x) => sum + x.shape[1], 0);
  let before = 0;
  const rows = blocks.map((x) => {
    const row = pad(x, [before, width - before - x.shape[1]]);
    before += x.shape[1];
    return row;
  });
  return catOp(rows, 0);
}
