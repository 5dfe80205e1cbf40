/** Searches in sorted sequences, distinct elements, and counts by value or bin. None of them has a derivative. */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { BOOL, type DTypeInfo, FLOAT32, FLOAT64, INT32, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import { Tensor, windowOn } from '../../tensor/tensor.js';
import { asOperand, isScalar, resultType, type Scalar, tensorArgument } from '../core/promotion.js';
import { putRowsInto, rowsAlong } from '../indexing/index-rows.js';
import { amaxOp, aminOp } from './extrema.js';

type SearchKernel = KernelTable<
  [
    sequence: TypedArray,
    order: TypedArray,
    values: TypedArray,
    out: TypedArray,
    rows: number,
    n: number,
    m: number,
    right: number,
    ordered: number,
    shared: number,
  ]
>;

declare module '../../native/kernels.js' {
  interface Kernels {
    /** How many elements of each sorted row are below each value (or equal, where right). */
    searchsorted: SearchKernel;
    /** Where each run of equal neighbouring rows begins, and the run of each row; returns how many runs there are. */
    runs: KernelTable<[rows: TypedArray, first: TypedArray, run: TypedArray, n: number, width: number], number>;
    /** The order that sorts rows lexicographically. */
    sortRows: KernelTable<[rows: TypedArray, order: TypedArray, n: number, width: number]>;
    bincount: KernelTable<
      [input: TypedArray, weights: TypedArray, out: TypedArray, n: number, bins: number, weighted: number]
    >;
    histc: KernelTable<[input: TypedArray, out: TypedArray, n: number, bins: number, low: number, high: number]>;
  }
}

// ---- searchsorted, bucketize

interface SearchSpec {
  readonly rows: number;
  readonly n: number;
  readonly m: number;
  readonly shape: Shape;
  readonly right: boolean;
  readonly shared: boolean;
  readonly out: DTypeInfo;
}
interface SearchAttributes {
  readonly right: boolean;
  readonly out: DTypeInfo;
}

/** indices = how many elements of the sequence stand before where each value would be inserted. */
const searchsortedOp = defineOp<SearchAttributes, SearchSpec>({
  name: 'searchsorted',
  infer: ([sequence, values, sorter], { right, out }) => {
    const shared = sequence.shape.length === 1;
    if (sequence.shape.length === 0)
      fail(ShapeError, 'searchsorted', 'a sorted sequence of at least 1 dimension', 'a scalar', {
        sortedSequence: sequence,
      });
    const lead = sequence.shape.slice(0, -1);
    if (!shared && (values.shape.length !== sequence.shape.length || lead.some((n, d) => values.shape[d] !== n)))
      fail(
        ShapeError,
        'searchsorted',
        'a sequence of one dimension, or of the leading sizes of the values',
        `[${sequence.shape}] for values [${values.shape}]`,
      );
    if (sorter !== undefined && (sorter.info !== INT64 || sorter.shape.join() !== sequence.shape.join()))
      fail(ShapeError, 'searchsorted', `an int64 sorter of the shape [${sequence.shape}]`, describe(sorter));
    const n = sequence.shape[sequence.shape.length - 1];
    const rows = shared ? 1 : elementCount(lead);
    const m = shared ? elementCount(values.shape) : values.shape[values.shape.length - 1];
    return { rows, n, m, shape: values.shape, right, shared, out };
  },
  forward: ({ rows, n, m, shape, right, shared, out }, [sequence, values, sorter]) => {
    const result = allocate([...shape], INT64);
    const ordered = sorter !== undefined;
    const order = ordered ? contiguousOf(sorter).array : result.array;
    instanceOf('searchsorted', kernels.searchsorted, sequence.info)(
      contiguousOf(sequence).array,
      order,
      contiguousOf(values).array,
      result.array,
      rows,
      n,
      m,
      right ? 1 : 0,
      ordered ? 1 : 0,
      shared ? 1 : 0,
    );
    return out === INT64 ? result : castTo(result, out);
  },
  notDifferentiable: 'indices',
});

function search(
  op: string,
  sequence: Tensor,
  input: Tensor | Scalar,
  outInt32: boolean | undefined,
  right: boolean,
  sorter?: Tensor | null,
): Tensor {
  if (!(input instanceof Tensor) && !isScalar(input))
    fail(ArgumentError, op, 'a tensor or a number to look for', describe(input));
  if (sequence.info === BOOL) fail(DTypeError, op, 'a number type', 'bool', { sortedSequence: sequence });
  // Both in a type that holds either: a comparison of the exact values.
  const info = resultType(op, [sequence, input]);
  const operands = [asOperand(op, sequence, info), asOperand(op, input, info)];
  if (sorter !== undefined && sorter !== null) operands.push(sorter);
  return searchsortedOp(operands, { right, out: outInt32 ? INT32 : INT64 });
}

/**
 * For each value, where in the sorted (last dimension of the) sequence it would be inserted: before equal elements, or
 * behind them where `right`. int64, shape of the values.
 */
export const searchsorted = defineFunction(
  {
    name: 'searchsorted',
    parameters: ['sortedSequence', 'input', 'outInt32', 'right', 'side', 'sorter'],
    keywords: 4,
    required: 2,
    method: false,
  },
  (
    sortedSequence: Tensor,
    input: Tensor | Scalar,
    outInt32?: boolean,
    right?: boolean,
    side?: 'left' | 'right' | null,
    sorter?: Tensor | null,
  ): Tensor => {
    const sequence = tensorArgument('searchsorted', 'sortedSequence', sortedSequence);
    if (side !== undefined && side !== null && side !== 'left' && side !== 'right')
      fail(ArgumentError, 'searchsorted', "side 'left' or 'right'", describe(side));
    if (side === 'left' && right)
      fail(ArgumentError, 'searchsorted', 'side and right that agree', "side 'left' with right true");
    return search('searchsorted', sequence, input, outInt32, right === true || side === 'right', sorter);
  },
);

/**
 * The index of the bucket of each value, between sorted `boundaries`: as `searchsorted` with the operands exchanged.
 */
export const bucketize = defineFunction(
  {
    name: 'bucketize',
    parameters: ['input', 'boundaries', 'outInt32', 'right'],
    keywords: 2,
    required: 2,
    method: false,
    scalarInput: true,
  },
  (input: Tensor | Scalar, boundaries: Tensor, outInt32?: boolean, right?: boolean): Tensor => {
    const sequence = tensorArgument('bucketize', 'boundaries', boundaries);
    if (sequence.shape.length !== 1) fail(ShapeError, 'bucketize', 'boundaries of 1 dimension', `[${sequence.shape}]`);
    return search('bucketize', sequence, input, outInt32, right === true);
  },
);

// ---- distinct elements

interface UniqueSpec {
  /** The dimension whose slices are compared; null for the flattened elements. */
  readonly dim: number | null;
  readonly sorted: boolean;
}

/** Rows of the input, compared as wholes, with the shape that they take back. */
function rowsOf(x: Tensor, dim: number | null): { rows: Tensor; n: number; width: number; shape: number[] } {
  if (dim === null) return { rows: contiguousOf(x), n: elementCount(x.shape), width: 1, shape: [] };
  const order = [dim, ...x.shape.map((_, d) => d).filter((d) => d !== dim)];
  const shape = order.map((d) => x.shape[d]);
  const permuted = windowOn(
    x,
    shape,
    order.map((d) => x.strides[d]),
    x.offset,
  );
  return { rows: contiguousOf(permuted), n: shape[0], width: elementCount(shape.slice(1)), shape: shape.slice(1) };
}

function rowsAt(rows: Tensor, indices: BigInt64Array, count: number, width: number): Tensor {
  const out = allocate([count, width], rows.info);
  // Any typed array: elements are moved, not looked at.
  const from = rows.array as Float64Array;
  const to = out.array as Float64Array;
  for (let k = 0; k < count; k++) {
    const start = Number(indices[k]) * width;
    if (width === 1) to[k] = from[start];
    else to.set(from.subarray(start, start + width), k * width);
  }
  return out;
}

/** [values, inverse, counts] of the distinct elements, or of the distinct slices along dim. */
const uniqueOp = defineOp<UniqueSpec, UniqueSpec, Tensor[]>({
  name: 'unique',
  infer: (_, spec) => spec,
  forward: ({ dim, sorted }, [x]) => {
    const { rows, n, width, shape } = rowsOf(x, dim);
    // Where each of the ordered rows stood; null where they are in their own order.
    const order = sorted ? allocate([n], INT64) : null;
    let ordered = rows;
    if (order !== null) {
      const positions = order.array as BigInt64Array;
      if (width === 1) {
        ordered = allocate([n, 1], x.info);
        instanceOf('unique', kernels.sort, x.info)(rows.array, ordered.array, positions, 1, n, 1, 0, n);
      } else {
        instanceOf('unique', kernels.sortRows, x.info)(rows.array, positions, n, width);
        ordered = rowsAt(rows, positions, n, width);
      }
    }

    const first = new BigInt64Array(n);
    const run = allocate(dim === null ? [...x.shape] : [n], INT64);
    const count = instanceOf('unique', kernels.runs, x.info)(ordered.array, first, run.array, n, width);
    const flat = rowsAt(ordered, first, count, width);
    let inverse = run;
    if (order !== null) {
      inverse = allocate(run.shape, INT64);
      putRowsInto(inverse, run, order, rowsAlong([n], 0, [n]));
    }
    const counts = allocate([count], INT64);
    for (let j = 0; j < count; j++) counts.array[j] = ((j + 1 < count ? first[j + 1] : BigInt(n)) - first[j]) as never;
    return [dim === null ? windowOn(flat, [count], [1], 0) : backToDim(flat, count, shape, dim), inverse, counts];
  },
  notDifferentiable: 'the number of distinct elements is piecewise constant',
});

/** Rows as slices along `dim` again, in contiguous memory. */
function backToDim(flat: Tensor, count: number, shape: readonly number[], dim: number): Tensor {
  const sizes = [count, ...shape];
  let step = elementCount(sizes);
  const strides = sizes.map((size) => {
    step = size === 0 ? 0 : step / size;
    return step;
  });
  const order = [...shape.map((_, d) => d + 1)];
  order.splice(dim, 0, 0);
  return contiguousOf(
    windowOn(
      flat,
      order.map((d) => sizes[d]),
      order.map((d) => strides[d]),
      0,
    ),
  );
}

function distinct(
  op: string,
  input: unknown,
  sorted: boolean,
  inverse: boolean | undefined,
  counts: boolean | undefined,
  dim: number | null | undefined,
): Tensor | Tensor[] {
  const x = tensorArgument(op, 'input', input);
  const wrapped = dim === undefined || dim === null ? null : wrapDim(op, dim, x.shape.length);
  if (wrapped !== null && x.shape.length === 0)
    fail(ShapeError, op, 'at least 1 dimension where dim is given', 'a scalar', { input: x });
  if (wrapped !== null && x.shape.some((n, d) => n === 0 && d !== wrapped))
    fail(ShapeError, op, `elements in every dimension but ${wrapped}`, `[${x.shape}]`, { input: x });
  const [values, back, count] = uniqueOp([x], { dim: wrapped, sorted });
  if (!inverse && !counts) return values;
  return [values, ...(inverse ? [back] : []), ...(counts ? [count] : [])];
}

/**
 * The distinct elements in ascending order (or distinct slices along `dim`), then, where asked for, the index of each
 * input element in them and how often each occurs.
 */
export const unique = defineFunction(
  { name: 'unique', parameters: ['input', 'sorted', 'returnInverse', 'returnCounts', 'dim'], composed: true },
  (
    input: Tensor,
    _sorted?: boolean,
    returnInverse?: boolean,
    returnCounts?: boolean,
    dim?: number | null,
  ): Tensor | Tensor[] => distinct('unique', input, true, returnInverse, returnCounts, dim),
);

/** As `unique`, but only neighbours are compared: runs of equal elements become one. */
export const uniqueConsecutive = defineFunction(
  { name: 'uniqueConsecutive', parameters: ['input', 'returnInverse', 'returnCounts', 'dim'], composed: true },
  (input: Tensor, returnInverse?: boolean, returnCounts?: boolean, dim?: number | null): Tensor | Tensor[] =>
    distinct('uniqueConsecutive', input, false, returnInverse, returnCounts, dim),
);

// ---- counts

/** out[v] = how often v occurs, or the sum of the weights where it does. */
const bincountOp = defineOp<{ minlength: number }, { bins: number; weights: DTypeInfo | null }>({
  name: 'bincount',
  infer: ([x, weights], { minlength }) => {
    const n = elementCount(x.shape);
    const values =
      n === 0
        ? []
        : [
            Number(aminOp([x], { dims: [0], nan: false }).item()),
            Number(amaxOp([x], { dims: [0], nan: false }).item()),
          ];
    if (n > 0 && values[0] < 0)
      fail(ArgumentError, 'bincount', 'values of at least 0', String(values[0]), { input: x });
    if (weights !== undefined && weights.shape.join() !== x.shape.join())
      fail(ShapeError, 'bincount', `weights of the shape [${x.shape}]`, `[${weights.shape}]`);
    return {
      bins: Math.max(minlength, n === 0 ? 0 : values[1] + 1),
      weights: weights === undefined ? null : weights.info === FLOAT32 ? FLOAT32 : FLOAT64,
    };
  },
  forward: ({ bins, weights }, [x, given]) => {
    const out = allocate([bins], weights ?? INT64);
    const wide = contiguousOf(x.info === INT64 ? x : castTo(x, INT64));
    const w = weights === null ? out : given.info === weights ? contiguousOf(given) : castTo(given, weights);
    instanceOf('bincount', kernels.bincount, out.info)(
      wide.array,
      w.array,
      out.array,
      elementCount(x.shape),
      bins,
      weights === null ? 0 : 1,
    );
    return out;
  },
  notDifferentiable: 'counts',
});

/**
 * How often each value 0, 1, ... occurs in a one-dimensional integer tensor (or the sum of its `weights`), at least
 * `minlength` of them.
 */
export const bincount = defineFunction(
  { name: 'bincount', parameters: ['input', 'weights', 'minlength'] },
  (input: Tensor, weights?: Tensor | null, minlength?: number): Tensor => {
    const x = tensorArgument('bincount', 'input', input);
    if (x.info.category !== 1) fail(DTypeError, 'bincount', 'integers', x.dtype, { input: x });
    if (x.shape.length !== 1) fail(ShapeError, 'bincount', 'a tensor of 1 dimension', `[${x.shape}]`);
    const least = minlength ?? 0;
    if (!Number.isInteger(least) || least < 0)
      fail(ArgumentError, 'bincount', 'a minlength of at least 0', describe(minlength));
    return bincountOp(
      weights === undefined || weights === null ? [x] : [x, tensorArgument('bincount', 'weights', weights)],
      { minlength: least },
    );
  },
);

/** out[b] = how many elements lie in bin b of `bins` equal ones. */
const histcOp = defineOp<{ bins: number; low: number; high: number }, { bins: number; low: number; high: number }>({
  name: 'histc',
  infer: (_, spec) => spec,
  forward: ({ bins, low, high }, [x]) => {
    const out = allocate([bins], x.info);
    instanceOf('histc', kernels.histc, x.info)(
      contiguousOf(x).array,
      out.array,
      elementCount(x.shape),
      bins,
      low,
      high,
    );
    return out;
  },
  notDifferentiable: 'counts',
});

/**
 * A histogram of all elements in `bins` equal bins from `min` to `max`; both 0 means from the smallest to the largest.
 */
export const histc = defineFunction(
  { name: 'histc', parameters: ['input', 'bins', 'min', 'max'] },
  (input: Tensor, bins?: number, min?: number, max?: number): Tensor => {
    const x = tensorArgument('histc', 'input', input);
    if (!x.info.floating) fail(DTypeError, 'histc', 'a floating dtype', x.dtype, { input: x });
    const count = bins ?? 100;
    if (!Number.isInteger(count) || count < 1) fail(ArgumentError, 'histc', 'at least 1 bin', describe(bins));
    let low = min ?? 0;
    let high = max ?? 0;
    if (low === high && elementCount(x.shape) > 0) {
      const dims = x.shape.map((_, d) => d);
      low = Number(aminOp([x], { dims, nan: false }).item());
      high = Number(amaxOp([x], { dims, nan: false }).item());
    }
    if (low === high) {
      low -= 1;
      high += 1;
    }
    if (!Number.isFinite(low) || !Number.isFinite(high))
      fail(ArgumentError, 'histc', 'a finite range', `[${low}, ${high}]`);
    if (low > high) fail(ArgumentError, 'histc', 'a max above min', `[${low}, ${high}]`);
    return histcOp([x], { bins: count, low, high });
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    unique: Method<typeof unique>;
    uniqueConsecutive: Method<typeof uniqueConsecutive>;
    bincount: Method<typeof bincount>;
    histc: Method<typeof histc>;
  }
}
