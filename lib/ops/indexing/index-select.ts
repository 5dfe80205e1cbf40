/**
 * Whole slices of one dimension by a vector of indices: indexSelect, indexAdd, indexCopy, indexFill; and take and put
 * on flat tensors.
 */
import { isGradEnabled } from '../../autograd/grad-mode.js';
import { checkInplace } from '../../autograd/graph.js';
import { defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, sameShape } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { inplace } from '../core/inplace.js';
import { asOperand, isScalar, type Scalar, tensorArgument } from '../core/promotion.js';
import { expandOp, viewOp } from '../core/view.js';
import {
  addRowsInto,
  addRowsOp,
  checkedIndex,
  putRowsInto,
  putRowsOp,
  type Rows,
  requireSameType,
  rowsAlong,
  takeRowsOp,
} from './index-rows.js';

/** A checked vector of indices of a dimension, and the rows that it takes. */
function along(op: string, x: Tensor, dim: number, index: unknown, fromEnd = false): { rows: Rows; index: Tensor } {
  const given = tensorArgument(op, 'index', index);
  if (given.shape.length > 1) fail(ShapeError, op, 'an index of at most one dimension', `[${given.shape}]`);
  const d = wrapDim(op, dim, x.shape.length);
  const list = checkedIndex(op, given, x.shape[d] ?? 1, fromEnd);
  const rows = rowsAlong(x.shape, d, [elementCount(list.shape)]);
  if (x.shape.length > 0) return { rows, index: list };
  // A scalar is one row of itself: taken once, as a scalar, or not at all.
  const count = elementCount(list.shape);
  if (count > 1) fail(ShapeError, op, 'at most one index into a scalar', String(count), { input: x, index: given });
  return { rows: count === 1 ? { ...rows, rowsShape: [] } : rows, index: list };
}

/** The slices of dimension `dim` at the indices, in their order. torch.index_select */
export const indexSelect = defineFunction(
  { name: 'indexSelect', parameters: ['input', 'dim', 'index'], required: 3 },
  (input: Tensor, dim: number, index: Tensor): Tensor => {
    const x = tensorArgument('indexSelect', 'input', input);
    const { rows, index: list } = along('indexSelect', x, dim, index);
    if (x.shape.length === 0 && rows.rowsShape.length > 0)
      fail(ShapeError, 'indexSelect', 'one index into a scalar', 'none', { input: x });
    return takeRowsOp([x, list], rows);
  },
);

function checkSource(op: string, x: Tensor, rows: Rows, source: Tensor): void {
  requireSameType(op, 'a source', x, source);
  if (!sameShape(source.shape, rows.rowsShape))
    fail(ShapeError, op, `a source of shape [${rows.rowsShape}]`, `[${source.shape}]`, { input: x });
}

/**
 * In place straight in memory where nothing is recorded and the memory is contiguous, else by way of the recorded
 * operator.
 */
export function inplaceRows(
  op: string,
  x: Tensor,
  sources: readonly Tensor[],
  direct: () => void,
  compute: () => Tensor,
): Tensor {
  const recorded = isGradEnabled() && [x, ...sources].some((t) => t.requiresGrad);
  if (recorded || !x.contiguousLayout || x.info.half || sources.some((s) => s.storage.overlaps(x.storage)))
    return inplace(op, x, compute);
  checkInplace(op, x);
  direct();
  x.storage.version++;
  return x;
}

function scaled(op: string, source: Tensor, alpha: Scalar | undefined): Tensor {
  return alpha === undefined || alpha === 1 ? source : source.mul(asOperand(op, alpha, source.info));
}

function indexAddInto(op: string, put: (op: string, x: Tensor, source: Tensor, index: Tensor, rows: Rows) => Tensor) {
  return (input: Tensor, dim: number, index: Tensor, source: Tensor, alpha?: Scalar): Tensor => {
    const x = tensorArgument(op, 'input', input);
    const s = tensorArgument(op, 'source', source);
    const { rows, index: list } = along(op, x, dim, index);
    if (x.shape.length === 0 && rows.rowsShape.length > 0)
      fail(ShapeError, op, 'one index into a scalar', 'none', { input: x });
    checkSource(op, x, rows, s);
    return put(op, x, scaled(op, s, alpha), list, rows);
  };
}
const ADD = ['input', 'dim', 'index', 'source', 'alpha'] as const;
/**
 * input with alpha * source added to the slices of dimension `dim` at the indices; repeated indices add up.
 * torch.index_add
 */
export const indexAdd = defineFunction(
  { name: 'indexAdd', parameters: ADD, keywords: 1, required: 4 },
  indexAddInto('indexAdd', (_, x, source, index, rows) => addRowsOp([x, source, index], rows)),
);
const indexAddInplace = defineFunction(
  { name: 'Tensor.indexAdd_', parameters: ADD, keywords: 1, required: 4, method: 'indexAdd_' },
  indexAddInto('indexAdd_', (op, x, source, index, rows) =>
    inplaceRows(
      op,
      x,
      [source],
      () => addRowsInto(x, source, index, rows),
      () => addRowsOp([x, source, index], rows),
    ),
  ),
);

function indexCopyInto(op: string, inPlace: boolean) {
  return (input: Tensor, dim: number, index: Tensor, given: Tensor): Tensor => {
    const x = tensorArgument(op, 'input', input);
    const s = tensorArgument(op, 'source', given);
    const { rows, index: list } = along(op, x, dim, index);
    // A scalar may stand for a vector of one element, and the other way round.
    const single =
      x.shape.length + s.shape.length <= 1 && elementCount(rows.rowsShape) === 1 && elementCount(s.shape) === 1;
    const source = single ? s.reshape(rows.rowsShape) : s;
    checkSource(op, x, rows, source);
    const compute = (): Tensor => putRowsOp([x, source, list], rows);
    return inPlace ? inplaceRows(op, x, [source], () => putRowsInto(x, source, list, rows), compute) : compute();
  };
}
/** input with the slices of dimension `dim` at the indices replaced by those of source. torch.index_copy */
export const indexCopy = defineFunction(
  { name: 'indexCopy', parameters: ['input', 'dim', 'index', 'source'], required: 4 },
  indexCopyInto('indexCopy', false),
);
const indexCopyInplace = defineFunction(
  { name: 'Tensor.indexCopy_', parameters: ['input', 'dim', 'index', 'source'], required: 4, method: 'indexCopy_' },
  indexCopyInto('indexCopy_', true),
);

/** The indices without repetition: each filled slice counts once in the value's gradient. */
function distinct(op: string, index: Tensor): Tensor {
  const given = tensorArgument(op, 'index', index);
  if (given.shape.length !== 1 || given.info.category !== 1) return given;
  const values = new Set<bigint | number>(given.toTypedArray());
  return values.size === given.shape[0] ? given : tensorFrom([...values].map(BigInt));
}

function tensorFrom(values: readonly bigint[]): Tensor {
  const out = allocate([values.length], INT64);
  (out.array as BigInt64Array).set(values);
  return out;
}

function indexFillInto(op: string, inPlace: boolean) {
  return (input: Tensor, dim: number, index: Tensor, value: Scalar | Tensor): Tensor => {
    const x = tensorArgument(op, 'input', input);
    const { rows, index: list } = along(op, x, dim, distinct(op, index), true);
    if (value instanceof Tensor ? value.shape.length > 0 : !isScalar(value))
      fail(ArgumentError, op, 'a number or a 0-dimensional tensor for value', describe(value));
    const one = value instanceof Tensor ? castRecorded(value, x.info) : asOperand(op, value, x.info);
    const s = expandOp([one], rows.rowsShape);
    const compute = (): Tensor => putRowsOp([x, s, list], { ...rows, preserves: true });
    return inPlace ? inplaceRows(op, x, [s], () => putRowsInto(x, s, list, rows), compute) : compute();
  };
}
/** input with the slices of dimension `dim` at the indices filled with the value. torch.index_fill */
export const indexFill = defineFunction(
  { name: 'indexFill', parameters: ['input', 'dim', 'index', 'value'], required: 4 },
  indexFillInto('indexFill', false),
);
const indexFillInplace = defineFunction(
  { name: 'Tensor.indexFill_', parameters: ['input', 'dim', 'index', 'value'], required: 4, method: 'indexFill_' },
  indexFillInto('indexFill_', true),
);

/** The rows of one element of a flat tensor, at positions in the shape of the index. */
export function flatRows(x: Tensor, index: Tensor): Rows {
  return { shape: x.shape, outer: 1, n: elementCount(x.shape), inner: 1, rowsShape: index.shape, skip: -1 };
}

/** The elements at positions of the flattened tensor, in the index's shape. torch.take */
export const take = defineFunction(
  { name: 'take', parameters: ['input', 'index'], required: 2 },
  (input: Tensor, index: Tensor): Tensor => {
    const x = tensorArgument('take', 'input', input);
    const list = checkedIndex('take', index, elementCount(x.shape), true);
    return takeRowsOp([x, list], flatRows(x, list));
  },
);

/** input with the elements at positions of the flattened tensor replaced by those of source, or added to. torch.put */
export const put = defineFunction(
  { name: 'put', parameters: ['input', 'index', 'source', 'accumulate'], required: 3 },
  (input: Tensor, index: Tensor, source: Tensor, accumulate?: boolean): Tensor => {
    const x = tensorArgument('put', 'input', input);
    const list = checkedIndex('put', index, elementCount(x.shape), true);
    const s = tensorArgument('put', 'source', source);
    requireSameType('put', 'a source', x, s);
    if (elementCount(s.shape) !== elementCount(list.shape))
      fail(ShapeError, 'put', `a source of ${elementCount(list.shape)} elements`, `[${s.shape}]`);
    const op = accumulate ? addRowsOp : putRowsOp;
    return op([x, s.reshape(list.shape), list], flatRows(x, list));
  },
);
const putInplace = defineMethod(
  'put_',
  ['index', 'source', 'accumulate'],
  (x: Tensor, index: Tensor, source: Tensor, accumulate?: boolean): Tensor =>
    inplace('put_', x, () => put(x, index, source, accumulate)),
  { required: 3 },
);

/** A 1-dimensional view of a scalar, anything else as it is. */
export function atLeastVector(x: Tensor): Tensor {
  return x.shape.length === 0 ? viewOp([x], [1]) : x;
}

declare module '../../tensor/tensor.js' {
  interface Tensor {
    indexSelect: Method<typeof indexSelect>;
    indexAdd: Method<typeof indexAdd>;
    indexAdd_: Method<typeof indexAddInplace>;
    indexCopy: Method<typeof indexCopy>;
    indexCopy_: Method<typeof indexCopyInplace>;
    indexFill: Method<typeof indexFill>;
    indexFill_: Method<typeof indexFillInplace>;
    take: Method<typeof take>;
    put: Method<typeof put>;
    put_: Method<typeof putInplace>;
  }
}
