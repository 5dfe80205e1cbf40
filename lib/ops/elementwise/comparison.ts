/** Comparisons and predicates: bool results, no derivative. */

import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, fail } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { elementCount, sameShape } from '../../shape/layout.js';
import { BOOL, FLOAT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocateAs } from '../../tensor/allocate.js';
import { fillWith } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { tensorArgument } from '../core/promotion.js';
import { aliasOf, type BinaryFunction, binary } from './elementwise-function.js';
import { elementwiseOp } from './elementwise-op.js';

const STEP = 'a comparison is constant almost everywhere';
const comparison = (name: string): BinaryFunction => binary({ name, output: BOOL, notDifferentiable: STEP });

/** `input == other`, elementwise. */
export const eq = comparison('eq');
/** `input != other`, elementwise. */
export const ne = comparison('ne');
/** `input < other`, elementwise. */
export const lt = comparison('lt');
/** `input <= other`, elementwise. */
export const le = comparison('le');
/** `input > other`, elementwise. */
export const gt = comparison('gt');
/** `input >= other`, elementwise. */
export const ge = comparison('ge');
export const notEqual = aliasOf('notEqual', ne);
export const less = aliasOf('less', lt);
export const lessEqual = aliasOf('lessEqual', le);
export const greater = aliasOf('greater', gt);
export const greaterEqual = aliasOf('greaterEqual', ge);

/** A test of one tensor; `ofIntegers` is its answer for every integer and bool. */
function predicate(name: string, ofIntegers: boolean): (input: Tensor) => Tensor {
  const op = elementwiseOp({ name, output: BOOL, notDifferentiable: STEP });
  return defineFunction({ name, parameters: ['input'] }, (input: Tensor): Tensor => {
    const x = tensorArgument(name, 'input', input);
    if (x.info.floating) return op([x]);
    const out = allocateAs(x, BOOL);
    fillWith(out, ofIntegers);
    return out;
  });
}
/** Whether each element is not a number. */
export const isnan = predicate('isnan', false);
/** Whether each element is infinite. */
export const isinf = predicate('isinf', false);
/** Whether each element is neither infinite nor NaN. */
export const isfinite = predicate('isfinite', true);
/** Whether each element is +infinity. */
export const isposinf = predicate('isposinf', false);
/** Whether each element is -infinity. */
export const isneginf = predicate('isneginf', false);

/** Whether the sign bit of each element is set: of negative numbers and of -0. */
export const signbit: (input: Tensor) => Tensor = (() => {
  const op = elementwiseOp({ name: 'signbit', output: BOOL, notDifferentiable: STEP });
  return defineFunction({ name: 'signbit', parameters: ['input'] }, (input: Tensor): Tensor => {
    const x = tensorArgument('signbit', 'input', input);
    return x.info.floating ? op([x]) : lt(x, 0);
  });
})();

const iscloseOp = elementwiseOp({ name: 'isclose', output: BOOL, notDifferentiable: STEP });

function close(op: string, input: Tensor, other: Tensor, rtol = 1e-5, atol = 1e-8, equalNan = false): Tensor {
  const [a, b] = [tensorArgument(op, 'input', input), tensorArgument(op, 'other', other)];
  if (a.info !== b.info) fail(DTypeError, op, 'two tensors of one dtype', `${a.dtype} and ${b.dtype}`);
  if (!(rtol >= 0) || !(atol >= 0)) fail(ArgumentError, op, 'rtol and atol of at least 0', `${rtol} and ${atol}`);
  if (!a.info.floating && rtol === 0 && atol === 0) return eq.op([a, b]);
  const wide = (x: Tensor): Tensor => (x.info.floating ? x : castRecorded(x, FLOAT64));
  return iscloseOp([wide(a), wide(b)], [rtol, atol, equalNan ? 1 : 0]);
}
/** Whether `|input - other| <= atol + rtol * |other|`, elementwise; equal infinities are close. */
export const isclose = defineFunction(
  { name: 'isclose', parameters: ['input', 'other', 'rtol', 'atol', 'equalNan'], required: 2 },
  (a: Tensor, b: Tensor, rtol?: number, atol?: number, equalNan?: boolean) =>
    close('isclose', a, b, rtol, atol, equalNan),
);
/** Whether all elements are close, as `isclose` says. */
export const allclose = defineFunction(
  { name: 'allclose', parameters: ['input', 'other', 'rtol', 'atol', 'equalNan'], required: 2 },
  (a: Tensor, b: Tensor, rtol?: number, atol?: number, equalNan?: boolean): boolean =>
    allTrue(close('allclose', a, b, rtol, atol, equalNan)),
);
/** Whether two tensors have the same shape and elements; NaN equals nothing. */
export const equal = defineFunction(
  { name: 'equal', parameters: ['input', 'other'], required: 2 },
  (input: Tensor, other: Tensor): boolean => {
    const [a, b] = [tensorArgument('equal', 'input', input), tensorArgument('equal', 'other', other)];
    return sameShape(a.shape, b.shape) && allTrue(eq(a, b));
  },
);

function allTrue(mask: Tensor): boolean {
  return instanceOf('allclose', kernels.containsZero, BOOL)(mask.array, elementCount(mask.shape)) === 0;
}

type ComparisonName =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'notEqual'
  | 'less'
  | 'lessEqual'
  | 'greater'
  | 'greaterEqual';
type ComparisonMethods = { [N in ComparisonName | `${ComparisonName}_`]: Method<BinaryFunction> };
type PredicateMethods = { [N in 'isnan' | 'isinf' | 'isfinite' | 'isposinf' | 'isneginf' | 'signbit']: () => Tensor };
declare module '../../tensor/tensor.js' {
  interface Tensor extends ComparisonMethods, PredicateMethods {
    isclose: Method<typeof isclose>;
    allclose: Method<typeof allclose>;
    equal: Method<typeof equal>;
  }
}
