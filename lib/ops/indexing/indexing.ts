/**
 * Reading and writing by an index list, as Python's x[...]: what is basic (numbers, slices, null, the ellipsis) is a
 * view; tensors, masks and nested arrays take or put rows. Every index is checked before memory is touched.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import { defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { broadcastShapes, broadcastStrides, broadcastsTo } from '../../shape/broadcast.js';
import { elementCount, isContiguous, type Shape } from '../../shape/layout.js';
import { planOf, type Strided } from '../../shape/plan.js';
import { resultStrides } from '../../shape/result-strides.js';
import { INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { filledTensor } from '../../tensor/copy.js';
import { ellipsis, type Index, Slice } from '../../tensor/indexing.js';
import { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { asOperand, isScalar, type Scalar } from '../core/promotion.js';
import { expandOp, unsqueezeOp, viewOp } from '../core/view.js';
import { nestedShape, type TensorData, tensor } from '../creation/creation.js';
import { permuteOp } from '../views/permute.js';
import { selectOp, sliceOf } from '../views/slice.js';
import {
  addRowsInto,
  addRowsOp,
  checkedIndex,
  putRowsInto,
  putRowsOp,
  type Rows,
  requireSameType,
  takeRowsOp,
} from './index-rows.js';
import { inplaceRows } from './index-select.js';
import { nonzeroPositions, nonzeroTuple } from './masked.js';

/**
 * A tensor after the basic part of an index list, and the index tensors of its dimensions (null where there is none).
 */
interface Basic {
  readonly view: Tensor;
  readonly tensors: readonly (Tensor | null)[];
}

function indexTensor(op: string, item: Index): Tensor | null {
  if (item instanceof Tensor) {
    if (item.info.floating) fail(DTypeError, op, 'indices of an integer type or masks', item.dtype);
    return item;
  }
  if (!Array.isArray(item)) return null;
  const nested = item as readonly unknown[];
  const made = tensor(nested as TensorData, nested.length === 0 ? { dtype: 'int64' } : {});
  return made.info.floating ? made.long() : made;
}

/** How many dimensions of the tensor an item uses up. */
function uses(item: Index): number {
  if (item === null || item === ellipsis || typeof item === 'boolean') return 0;
  if (item instanceof Tensor && (item.info.name === 'bool' || item.info.name === 'uint8')) return item.shape.length;
  if (Array.isArray(item)) {
    const depth = nestedShape('index', item).length;
    let level: unknown = item;
    for (let d = 0; d < depth; d++) level = (level as readonly unknown[])[0];
    return typeof level === 'boolean' ? depth : 1;
  }
  return 1;
}

/** Applies numbers, slices, null and the ellipsis as views, and finds which dimensions are left to index tensors. */
function applyBasic(op: string, x: Tensor, indices: readonly Index[]): Basic {
  const used = indices.reduce<number>((sum, item) => sum + uses(item), 0);
  if (used > x.shape.length) fail(IndexError, op, `at most ${x.shape.length} indices`, `${used}`, { input: x });
  if (indices.filter((item) => item === ellipsis).length > 1) fail(IndexError, op, 'one ellipsis at most', 'several');
  let view = x;
  let dim = 0;
  const tensors: (Tensor | null)[] = [];
  const keep = (count: number): void => {
    for (let k = 0; k < count; k++) tensors.push(null);
    dim += count;
  };
  for (const item of indices) {
    if (typeof item === 'number' || typeof item === 'bigint') {
      const i = Number(item);
      if (!Number.isInteger(i)) fail(IndexError, op, 'whole numbers as indices', String(item));
      const n = view.shape[dim];
      if (i < -n || i >= n)
        fail(IndexError, op, `an index in [${-n}, ${n - 1}] for dim ${dim}`, String(item), { input: x });
      view = selectOp([view], [dim, i]);
    } else if (item instanceof Slice) {
      if (item.start !== null || item.stop !== null || item.step !== null)
        view = sliceOf(op, view, dim, item.start, item.stop, item.step ?? 1);
      keep(1);
    } else if (item === null) {
      view = unsqueezeOp([view], dim);
      keep(1);
    } else if (item === ellipsis) keep(x.shape.length - used);
    else if (typeof item === 'boolean') {
      view = unsqueezeOp([view], dim);
      tensors.push(tensor(item ? [0] : [], { dtype: 'int64' }));
      dim++;
    } else {
      const t = indexTensor(op, item);
      if (t === null)
        fail(ArgumentError, op, 'numbers, slices, null, ellipsis, tensors or arrays as indices', describe(item));
      if (t.info.name === 'bool' || t.info.name === 'uint8') {
        if (t.shape.length === 0) {
          view = unsqueezeOp([view], dim);
          tensors.push(nonzeroPositions(t));
          dim++;
          continue;
        }
        t.shape.forEach((n, k) => {
          if (n !== view.shape[dim + k])
            fail(
              IndexError,
              op,
              `a mask of the tensor's sizes [${view.shape.slice(dim, dim + t.shape.length)}] from dim ${dim} on`,
              `[${t.shape}]`,
              { input: x },
            );
        });
        if (
          t.shape.length > 1 &&
          indices.every((other) => other === item || uses(other) === 0 || other instanceof Slice)
        ) {
          // One mask alone: its dimensions are indexed as one.
          view = view.flatten(dim, dim + t.shape.length - 1);
          tensors.push(nonzeroPositions(t));
          dim++;
        } else {
          for (const coordinates of nonzeroTuple(t)) tensors.push(coordinates);
          dim += t.shape.length;
        }
      } else if (t.shape.length === 0) {
        const i = t.item() as number;
        const n = view.shape[dim];
        if (i < -n || i >= n)
          fail(IndexError, op, `an index in [${-n}, ${n - 1}] for dim ${dim}`, String(i), { input: x });
        view = selectOp([view], [dim, i]);
      } else {
        tensors.push(t);
        dim++;
      }
    }
  }
  while (tensors.length < view.shape.length) tensors.push(null);
  return { view, tensors };
}

interface Picked {
  /** The tensor with its indexed dimensions side by side. */
  readonly source: Tensor;
  /** Where dimensions moved to the front, the order that did it; null where none moved. */
  readonly order: readonly number[] | null;
  readonly index: Tensor;
  readonly rows: Rows;
  /** The first indexed dimension of the source. */
  readonly first: number;
  /** The common shape of the index tensors. */
  readonly shape: Shape;
}

/**
 * One linear index over the indexed dimensions, which stay where they are if they are neighbours and else come first.
 */
function pick(op: string, { view, tensors }: Basic): Picked {
  const dims: number[] = [];
  tensors.forEach((t, d) => {
    if (t !== null) dims.push(d);
  });
  const adjacent = dims[dims.length - 1] - dims[0] === dims.length - 1;
  const order = adjacent ? null : [...dims, ...view.shape.map((_, d) => d).filter((d) => !dims.includes(d))];
  const source = order === null ? view : permuteOp([view], order);
  const first = adjacent ? dims[0] : 0;
  let shape: Shape = [];
  for (const d of dims) shape = indexShapes(op, shape, (tensors[d] as Tensor).shape);
  const sizes = source.shape.slice(first, first + dims.length);
  const lists = dims.map((d, k) => checkedIndex(op, tensors[d], sizes[k], true));
  const index = lists.length === 1 ? lists[0] : linearIndex(shape, lists, sizes);
  const before = source.shape.slice(0, first);
  const after = source.shape.slice(first + dims.length);
  const rows: Rows = {
    shape: source.shape,
    outer: elementCount(before),
    n: elementCount(sizes),
    inner: elementCount(after),
    rowsShape: Object.freeze([...before, ...shape, ...after]),
    skip: -1,
  };
  return { source, order, index, rows, first, shape };
}

/**
 * The strides of taken rows, as an elementwise operator of the source and the index tensors gives them; null for
 * row-major ones.
 */
function takenStrides(
  source: Tensor,
  tensors: readonly (Tensor | null)[],
  first: number,
  shape: Shape,
  rowsShape: Shape,
): readonly number[] | null {
  const given = tensors.filter((t) => t !== null);
  if (source.contiguousLayout && given.every((t) => t.contiguousLayout)) return null;
  const strided = (own: Shape, strides: readonly number[]): Strided => ({
    shape: own,
    strides,
    contiguousLayout: isContiguous(own, strides),
  });
  const repeated = new Array<number>(shape.length).fill(0);
  const after = source.shape.length - first - given.length;
  const taken = strided(rowsShape, [
    ...source.strides.slice(0, first),
    ...repeated,
    ...source.strides.slice(first + given.length),
  ]);
  const lists = given.map((t) =>
    strided(
      [...shape, ...new Array<number>(after).fill(1)],
      [...broadcastStrides(t.shape, t.strides, shape), ...new Array<number>(after).fill(0)],
    ),
  );
  return resultStrides(rowsShape, [taken, ...lists]);
}

function indexShapes(op: string, a: Shape, b: Shape): Shape {
  try {
    return broadcastShapes(op, a, b);
  } catch (error) {
    if (error instanceof ShapeError) fail(IndexError, op, 'index tensors that broadcast', `[${a}] and [${b}]`);
    throw error;
  }
}

function linearIndex(shape: Shape, lists: readonly Tensor[], sizes: readonly number[]): Tensor {
  const out = filledTensor(shape, INT64, 0);
  lists.forEach((list, k) => {
    instanceOf('index', kernels.addToLinearIndex, INT64)(
      list.array,
      out.array,
      sizes[k],
      elementCount(sizes.slice(k + 1)),
      planOf(out.shape, [out, list]),
    );
  });
  return out;
}

const asList = (indices: Index | readonly Index[]): readonly Index[] =>
  Array.isArray(indices) ? (indices as readonly Index[]) : [indices as Index];

/**
 * The tensor at an index list, Python's x[...]: `x.index([0, slice(1, 3), null, ellipsis, mask])`. Items are numbers,
 * slices, null (a new dimension), the ellipsis, integer tensors, masks and nested arrays. Basic items alone give a
 * view. Tensors broadcast together; their dimensions stand where they stood if they were neighbours, else first.
 * torch.Tensor.__getitem__
 */
export function index(input: Tensor, indices: Index | readonly Index[]): Tensor {
  const basic = applyBasic('index', input, asList(indices));
  if (basic.tensors.every((t) => t === null)) return basic.view === input ? viewOp([input], input.shape) : basic.view;
  const { source, index: list, rows, first, shape } = pick('index', basic);
  return takeRowsOp([source, list], {
    ...rows,
    strides: takenStrides(source, basic.tensors, first, shape, rows.rowsShape),
  });
}

/**
 * The values in the tensor's type, expanded to the shape that the index list names; leading dimensions of size 1 fall
 * away.
 */
function valuesFor(op: string, values: Tensor | Scalar, x: Tensor, shape: Shape): Tensor {
  if (!(values instanceof Tensor)) {
    if (!isScalar(values)) fail(ArgumentError, op, 'a tensor or a number for values', describe(values));
    return expandOp([asOperand(op, values, x.info)], shape);
  }
  let v = castRecorded(values, x.info);
  let lead = 0;
  while (v.shape.length - lead > shape.length && v.shape[lead] === 1) lead++;
  if (lead > 0) v = viewOp([v], v.shape.slice(lead));
  if (!broadcastsTo(v.shape, shape))
    fail(ShapeError, op, `values that broadcast to [${shape}]`, `[${values.shape}]`, { input: x });
  return expandOp([v], shape);
}

function putInto(
  op: string,
  x: Tensor,
  indices: Index | readonly Index[],
  values: Tensor | Scalar,
  accumulate: boolean,
): Tensor {
  const basic = applyBasic(op, x, asList(indices));
  if (basic.tensors.every((t) => t === null)) {
    const v = valuesFor(op, values, basic.view, basic.view.shape);
    if (accumulate) basic.view.add_(v);
    else basic.view.copy_(v);
    return x;
  }
  const picked = pick(op, basic);
  const { source, index: list, rows } = picked;
  const v = valuesFor(op, values, source, rows.rowsShape);
  const [operator, into] = accumulate ? [addRowsOp, addRowsInto] : [putRowsOp, putRowsInto];
  inplaceRows(
    op,
    source,
    [v],
    () => into(source, v, list, rows),
    () => operator([source, v, list], rows),
  );
  return x;
}

/**
 * Sets the elements at an index list to the values (or adds them, with `accumulate`), in place. torch.Tensor.index_put_
 */
const indexPutInplace = defineFunction(
  {
    name: 'Tensor.indexPut_',
    parameters: ['input', 'indices', 'values', 'accumulate'],
    required: 3,
    method: 'indexPut_',
  },
  (input: Tensor, indices: Index | readonly Index[], values: Tensor | Scalar, accumulate?: boolean): Tensor =>
    putInto('indexPut_', input, indices, values, accumulate ?? false),
);

/**
 * A copy of input with the elements at an index list set to the values, or added to with `accumulate`. torch.index_put
 */
export const indexPut = defineFunction(
  { name: 'indexPut', parameters: ['input', 'indices', 'values', 'accumulate'], required: 3 },
  (input: Tensor, indices: Index | readonly Index[], values: Tensor | Scalar, accumulate?: boolean): Tensor => {
    const basic = applyBasic('indexPut', input, asList(indices));
    const advanced = basic.tensors.some((t) => t !== null);
    if (values instanceof Tensor && advanced) requireSameType('indexPut', 'values', input, values);
    if (advanced && basic.view === input) {
      const { source, order, index: list, rows } = pick('indexPut', basic);
      const v = valuesFor('indexPut', values, source, rows.rowsShape);
      const out = (accumulate ? addRowsOp : putRowsOp)([source, v, list], { ...rows, preserves: true });
      if (order === null) return out;
      const inverse: number[] = [];
      order.forEach((d, i) => {
        inverse[d] = i;
      });
      return permuteOp([out], inverse);
    }
    const out = input.clone();
    return putInto('indexPut', isGradEnabled() ? out : out.detach(), indices, values, accumulate ?? false);
  },
);

const indexMethod = defineMethod('index', ['indices'], index, { required: 2 });

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /** Python's x[...]. */
    index: Method<typeof indexMethod>;
    indexPut: Method<typeof indexPut>;
    indexPut_: Method<typeof indexPutInplace>;
  }
}
