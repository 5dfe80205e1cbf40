/** Reductions over dimensions. */
import { gradientOperators } from '../autograd/gradient-operators.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import { broadcastDims } from '../shape/broadcast.js';
import { wrapDims } from '../shape/dims.js';
import { elementCount, type Shape } from '../shape/layout.js';
import { type DType, dtypeInfo, INT64, type TypedArray } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';
import { contiguousOf } from './cast.js';
import { castRecorded } from './convert.js';
import { defineFunction, type Method } from './define-function.js';
import { defineOp, instanceOf } from './define-op.js';
import { tensorArgument } from './promotion.js';
import { expandOp, viewOp } from './view.js';

declare module '../native/kernels.js' {
  interface Kernels {
    /** out[o, i] = sum over n of input[o, n, i] */
    sum: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
  }
}

export interface ReduceSpec {
  readonly shape: Shape;
  readonly dims: readonly number[];
  /** The output's shape with every reduced dimension kept as 1. */
  readonly kept: Shape;
}

export function reduceSpec(op: string, input: Tensor, dims: number | readonly number[] | null | undefined): ReduceSpec {
  const wrapped = wrapDims(op, dims, input.shape.length);
  return { shape: input.shape, dims: wrapped, kept: Object.freeze(input.shape.map((n, d) => (wrapped.includes(d) ? 1 : n))) };
}

/** y = sum of x over dims (kept as 1); dx = g, expanded. */
export const sumOp = defineOp<readonly number[], ReduceSpec>({
  name: 'sum',
  infer: ([x], dims) => reduceSpec('sum', x, dims),
  forward: ({ shape, dims, kept }, [x]) => {
    const kernel = instanceOf('sum', kernels.sum, x);
    let current = contiguousOf(x);
    const sizes = [...shape];
    // One pass a group of neighbouring dimensions, the innermost group first.
    const sorted = [...dims].sort((a, b) => b - a);
    for (let k = 0; k < sorted.length; ) {
      const end = sorted[k];
      let begin = end;
      while (k + 1 < sorted.length && sorted[k + 1] === begin - 1) begin = sorted[++k];
      k++;
      const outer = elementCount(sizes.slice(0, begin));
      const n = elementCount(sizes.slice(begin, end + 1));
      const inner = elementCount(sizes.slice(end + 1));
      for (let d = begin; d <= end; d++) sizes[d] = 1;
      const out = allocate([...sizes], x.info);
      kernel(current.array, out.array, outer, n, inner);
      current = out;
    }
    if (current === x) current = contiguousOf(x);
    const out = allocate(kept, x.info);
    out.array.set(current.array.subarray(0, elementCount(kept)) as never);
    return out;
  },
  backward: (context, g) => [expandOp([g], context.spec.shape)],
});

/** The sum over `dim` (all dimensions by default); bool and integers are summed in int64. */
export const sum = defineFunction(
  { name: 'sum', parameters: ['input', 'dim', 'keepdim', 'dtype'], keywords: 1 },
  (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean, dtype?: DType): Tensor => {
    let x = tensorArgument('sum', 'input', input);
    x = castRecorded(x, dtype !== undefined ? dtypeInfo('sum', dtype) : x.info.floating ? x.info : INT64);
    const dims = wrapDims('sum', dim, x.shape.length);
    const out = sumOp([x], dims);
    return keepdim ? out : viewOp([out], dropDims(x.shape, dims));
  },
);

/** A shape without the given dimensions. */
export function dropDims(shape: Shape, dims: readonly number[]): number[] {
  return shape.filter((_, d) => !dims.includes(d));
}

gradientOperators.sumToShape = (gradient, shape) => {
  const dims = broadcastDims(shape, gradient.shape);
  const reduced = dims.length === 0 ? gradient : sumOp([gradient], dims);
  return viewOp([reduced], shape);
};

declare module '../tensor/tensor.js' {
  interface Tensor {
    sum: Method<typeof sum>;
  }
}
