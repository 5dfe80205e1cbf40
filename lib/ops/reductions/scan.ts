/**
 * Cumulative sums, products and extrema along one dimension, and the first-order recurrence that their derivatives are
 * made of.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim } from '../../shape/dims.js';
import type { Shape } from '../../shape/layout.js';
import { type DType, INT32, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateLike } from '../../tensor/allocate.js';
import { castTo, contiguousOf, copyPart, fillWith, type Part } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { defineInplace } from '../core/inplace.js';
import { tensorArgument } from '../core/promotion.js';
import { mul, subOp } from '../elementwise/arithmetic.js';
import { exp } from '../elementwise/exponential.js';
import { placeAlongOp } from '../indexing/gather.js';
import { type ValuesAndIndices, valuesAndIndices } from './extrema.js';
import { accumulationInfo, aroundDim, inAccumulationType } from './reduction.js';

type ScanKernel = KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
type ExtremumScanKernel = KernelTable<
  [input: TypedArray, values: TypedArray, indices: TypedArray, outer: number, n: number, inner: number]
>;

declare module '../../native/kernels.js' {
  interface Kernels {
    cumsum: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number, reverse: number]>;
    cumprod: ScanKernel;
    logcumsumexp: ScanKernel;
    cummax: ExtremumScanKernel;
    cummin: ExtremumScanKernel;
    /** h[k] = b[k] + a h[before k], where a is a[k], or a[before k] where lagged. */
    recurrence: KernelTable<
      [
        a: TypedArray,
        b: TypedArray,
        out: TypedArray,
        outer: number,
        n: number,
        inner: number,
        reverse: number,
        lagged: number,
      ]
    >;
  }
}

interface Direction {
  readonly dim: number;
  readonly reverse: boolean;
}

/** y[k] = sum of x up to k (from k on where reverse); dx = the sum of g in the other direction. */
const cumsumOp: Operator<Direction, Tensor> = defineOp<Direction, Direction>({
  name: 'cumsum',
  infer: (_, direction) => direction,
  forward: ({ dim, reverse }, [x]) => {
    const out = allocate(x.shape, x.info);
    instanceOf('cumsum', kernels.cumsum, x.info)(
      contiguousOf(x).array,
      out.array,
      ...aroundDim(x.shape, dim),
      reverse ? 1 : 0,
    );
    return out;
  },
  backward: (context, g): Gradients => [cumsumOp([g], { dim: context.spec.dim, reverse: !context.spec.reverse })],
});

/** y[k] = x[before k], 0 at the first; dx = g shifted back. */
const shiftOp: Operator<Direction, Tensor> = defineOp<Direction, Direction>({
  name: 'shift',
  nativeHalf: true,
  infer: (_, direction) => direction,
  forward: ({ dim, reverse }, [x]) => {
    const out = allocate(x.shape, x.info);
    fillWith(out, 0);
    const n = x.shape[dim] ?? 1;
    if (n < 2) return out;
    const part = (tensor: Tensor, from: number): Part => ({
      tensor,
      start: from * tensor.strides[dim],
      strides: tensor.strides,
    });
    copyPart(
      x.shape.map((size, d) => (d === dim ? n - 1 : size)),
      part(out, reverse ? 0 : 1),
      part(x, reverse ? 1 : 0),
    );
    return out;
  },
  backward: (context, g): Gradients => [shiftOp([g], { dim: context.spec.dim, reverse: !context.spec.reverse })],
});

interface RecurrenceSpec extends Direction {
  readonly lagged: boolean;
}

/**
 * h[k] = b[k] + a[k] h[before k] (lagged: a[before k]). With l[k] = g[k] + a[after k] l[after k], the same recurrence
 * in the other direction: db = l, da[k] = l[k] h[before k] (lagged: l[after k] h[k]).
 */
export const recurrenceOp: Operator<RecurrenceSpec, Tensor> = defineOp<RecurrenceSpec, RecurrenceSpec>({
  name: 'recurrence',
  infer: (_, spec) => spec,
  forward: ({ dim, reverse, lagged }, [a, b]) => {
    const out = allocate(b.shape, b.info);
    instanceOf('recurrence', kernels.recurrence, b.info)(
      contiguousOf(a).array,
      contiguousOf(b).array,
      out.array,
      ...aroundDim(b.shape, dim),
      reverse ? 1 : 0,
      lagged ? 1 : 0,
    );
    return out;
  },
  save: (context, [a], [h]) => context.save(a, context.needs(0) ? h : null),
  backward: (context, g): Gradients => {
    const { dim, reverse, lagged } = context.spec;
    const l = recurrenceOp([context.saved(0), g], { dim, reverse: !reverse, lagged: !lagged });
    if (!context.needs(0)) return [null, l];
    const h = context.saved(1);
    const da = lagged
      ? mul.op([shiftOp([l], { dim, reverse: !reverse }), h])
      : mul.op([l, shiftOp([h], { dim, reverse })]);
    return [da, l];
  },
});

/** 1 at the first place along dim (the last where reverse), else 0. */
function beginning(like: Tensor, { dim, reverse }: Direction): Tensor {
  const out = allocate(like.shape, like.info);
  fillWith(out, 0);
  const n = like.shape[dim] ?? 1;
  const offset = reverse && like.shape.length > 0 ? (n - 1) * out.strides[dim] : 0;
  if (n > 0) {
    fillWith(
      windowOn(
        out,
        out.shape.map((size, d) => (d === dim ? 1 : size)),
        out.strides,
        offset,
      ),
      1,
    );
  }
  return out;
}

/** The product of all elements before each (after each where reverse): no division, so zeros are no exception. */
export function exclusiveProduct(x: Tensor, direction: Direction): Tensor {
  return recurrenceOp([x, beginning(x, direction)], { ...direction, lagged: true });
}

/** y[k] = product of x up to k; dx = (product before k) r[k], r[k] = g[k] + x[k + 1] r[k + 1]. */
const cumprodOp = defineOp<number, { dim: number }>({
  name: 'cumprod',
  infer: (_, dim) => ({ dim }),
  forward: ({ dim }, [x]) => {
    const out = allocate(x.shape, x.info);
    instanceOf('cumprod', kernels.cumprod, x.info)(contiguousOf(x).array, out.array, ...aroundDim(x.shape, dim));
    return out;
  },
  save: (context, [x]) => context.save(x),
  backward: (context, g): Gradients => {
    const x = context.saved(0);
    const { dim } = context.spec;
    return [
      mul.op([
        exclusiveProduct(x, { dim, reverse: false }),
        recurrenceOp([x, g], { dim, reverse: true, lagged: true }),
      ]),
    ];
  },
});

/**
 * y[k] = log sum of e^x up to k; dx = e^(x - y) r, r[k] = g[k] + e^(y[k] - y[k + 1]) r[k + 1], whose factors are at
 * most 1.
 */
const logcumsumexpOp = defineOp<number, { dim: number }>({
  name: 'logcumsumexp',
  infer: (_, dim) => ({ dim }),
  forward: ({ dim }, [x]) => {
    const out = allocate(x.shape, x.info);
    instanceOf('logcumsumexp', kernels.logcumsumexp, x.info)(
      contiguousOf(x).array,
      out.array,
      ...aroundDim(x.shape, dim),
    );
    return out;
  },
  save: (context, [x], [y]) => context.save(x, y),
  backward: (context, g): Gradients => {
    const x = context.saved(0);
    const y = context.saved(1);
    const { dim } = context.spec;
    const toNext = subOp([y, shiftOp([y], { dim, reverse: true })]);
    const factors = exp.op([shiftOp([toNext], { dim, reverse: false })]);
    return [mul.op([exp.op([subOp([x, y])]), recurrenceOp([factors, g], { dim, reverse: true, lagged: true })])];
  },
});

/** y = running extremum along dim, and where it stands; dx = g added there. */
function extremumScanOp(name: 'cummax' | 'cummin'): Operator<number, Tensor[]> {
  return defineOp<number, { dim: number; shape: Shape }, Tensor[]>({
    name,
    infer: ([x], dim) => ({ dim, shape: x.shape }),
    forward: ({ dim }, [x]) => {
      const narrow = !x.info.floating && x.info.bytes < 4;
      const input = narrow ? castTo(x, INT32) : contiguousOf(x);
      const values = allocateLike(input);
      const indices = allocate(x.shape, INT64);
      instanceOf(name, kernels[name], input.info)(input.array, values.array, indices.array, ...aroundDim(x.shape, dim));
      return [narrow ? castTo(values, x.info) : values, indices];
    },
    save: (context, _, [, indices]) => context.save(indices),
    backward: (context, g): Gradients => [
      placeAlongOp([g], { indices: context.saved(0), shape: context.spec.shape, dim: context.spec.dim }),
    ],
  });
}
const cummaxOp = extremumScanOp('cummax');
const cumminOp = extremumScanOp('cummin');

/** The running sum along `dim`; bool and integers are summed in int64, or as `dtype` says. Same shape. */
export const cumsum = defineFunction(
  { name: 'cumsum', parameters: ['input', 'dim', 'dtype'], keywords: 1, required: 2 },
  (input: Tensor, dim: number, dtype?: DType | null): Tensor => {
    const x = tensorArgument('cumsum', 'input', input);
    const wrapped = wrapDim('cumsum', dim, x.shape.length);
    return inAccumulationType(x, accumulationInfo('cumsum', x, dtype), (wide) =>
      cumsumOp([wide], { dim: wrapped, reverse: false }),
    );
  },
);

/** The running product along `dim`; bool and integers are multiplied in int64, or as `dtype` says. Same shape. */
export const cumprod = defineFunction(
  { name: 'cumprod', parameters: ['input', 'dim', 'dtype'], keywords: 1, required: 2 },
  (input: Tensor, dim: number, dtype?: DType | null): Tensor => {
    const x = tensorArgument('cumprod', 'input', input);
    const wrapped = wrapDim('cumprod', dim, x.shape.length);
    return inAccumulationType(x, accumulationInfo('cumprod', x, dtype), (wide) => cumprodOp([wide], wrapped));
  },
);

/** log(cumsum(exp(input))) along `dim`, without overflow. Same shape. */
export const logcumsumexp = defineFunction(
  { name: 'logcumsumexp', parameters: ['input', 'dim'], required: 2 },
  (input: Tensor, dim: number): Tensor => {
    const x = tensorArgument('logcumsumexp', 'input', input);
    return logcumsumexpOp([x], wrapDim('logcumsumexp', dim, x.shape.length));
  },
);

function extremumScan(name: 'cummax' | 'cummin', op: Operator<number, Tensor[]>) {
  return (input: Tensor, dim: number): ValuesAndIndices => {
    const x = tensorArgument(name, 'input', input);
    const wrapped = wrapDim(name, dim, x.shape.length);
    return valuesAndIndices(op([x], wrapped), wrapped, true);
  };
}

/** The largest element so far along `dim` and its index (the last of equal ones): `{ values, indices }`. */
export const cummax = defineFunction(
  { name: 'cummax', parameters: ['input', 'dim'], required: 2 },
  extremumScan('cummax', cummaxOp),
);
/** The smallest element so far along `dim` and its index (the last of equal ones): `{ values, indices }`. */
export const cummin = defineFunction(
  { name: 'cummin', parameters: ['input', 'dim'], required: 2 },
  extremumScan('cummin', cumminOp),
);

/** In place the scan is computed in the target's own type, unless `dtype` says otherwise. */
function inPlace(
  name: 'cumsum_' | 'cumprod_',
  fn: (x: Tensor, dim: number, options: { dtype?: DType | null }) => Tensor,
): void {
  defineInplace(
    name,
    defineFunction(
      { name, parameters: ['input', 'dim', 'dtype'], keywords: 1, required: 2, method: false, hidden: true },
      (x: Tensor, dim: number, dtype?: DType | null): Tensor =>
        castRecorded(fn(x, dim, { dtype: dtype ?? x.dtype }), x.info),
    ),
  );
}
inPlace('cumsum_', cumsum);
inPlace('cumprod_', cumprod);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    cumsum: Method<typeof cumsum>;
    cumsum_: Method<typeof cumsum>;
    cumprod: Method<typeof cumprod>;
    cumprod_: Method<typeof cumprod>;
    logcumsumexp: Method<typeof logcumsumexp>;
    cummax: Method<typeof cummax>;
    cummin: Method<typeof cummin>;
  }
}
