/** Reductions to truth and counts: all, any, countNonzero. */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDims } from '../../shape/dims.js';
import { BOOL, INT64, UINT8 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { castTo } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { sumOp } from './reduce.js';
import { type Dims, finishDims, type ReduceSpec, reduceGroups, reduceSpec } from './reduction.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    all: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
    any: KernelTable<[input: TypedArray, out: TypedArray, outer: number, n: number, inner: number]>;
  }
}

/** y = conjunction or disjunction of (x is not 0) over dims; uint8 in, uint8 out, as in PyTorch. */
function logicalOp(name: 'all' | 'any'): Operator<Dims, Tensor> {
  return defineOp<Dims, ReduceSpec>({
    name,
    nativeHalf: true,
    infer: ([x], dims) => reduceSpec(name, x, dims),
    forward: (spec, [x]) => {
      const truth = x.info === BOOL ? x : castTo(x, BOOL);
      const out = reduceGroups(truth, spec, BOOL, (input, to, outer, n, inner) =>
        instanceOf(name, kernels[name], input.info)(input.array, to.array, outer, n, inner),
      );
      return x.info === UINT8 ? castTo(out, UINT8) : out;
    },
    notDifferentiable: 'a truth value',
  });
}

function logical(name: 'all' | 'any') {
  const op = logicalOp(name);
  return (input: Tensor, dim?: number | readonly number[] | null, keepdim?: boolean): Tensor => {
    const x = tensorArgument(name, 'input', input);
    // An empty list reduces nothing here, as in PyTorch: the truth of each element.
    if (Array.isArray(dim) && dim.length === 0)
      return x.info === UINT8 ? castTo(castTo(x, BOOL), UINT8) : castTo(x, BOOL);
    const dims = wrapDims(name, dim, x.shape.length);
    return finishDims(op([x], dims), dims, keepdim);
  };
}

/** Whether all elements over `dim` (all dimensions by default) are true, that is not 0; true where there is none. */
export const all = defineFunction({ name: 'all', parameters: ['input', 'dim', 'keepdim'] }, logical('all'));
/** Whether any element over `dim` (all dimensions by default) is true, that is not 0; false where there is none. */
export const any = defineFunction({ name: 'any', parameters: ['input', 'dim', 'keepdim'] }, logical('any'));

/** The int64 number of elements over `dim` (all dimensions by default) that are not 0. */
export const countNonzero = defineFunction(
  { name: 'countNonzero', parameters: ['input', 'dim'] },
  (input: Tensor, dim?: number | readonly number[] | null): Tensor => {
    const x = tensorArgument('countNonzero', 'input', input);
    const dims = wrapDims('countNonzero', dim, x.shape.length);
    return finishDims(sumOp([castTo(castTo(x, BOOL), INT64)], dims), dims, false);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    all: Method<typeof all>;
    any: Method<typeof any>;
    countNonzero: Method<typeof countNonzero>;
  }
}
