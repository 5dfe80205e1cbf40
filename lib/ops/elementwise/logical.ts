/** Logic of truth values and of bits; no derivative. */

import type { Method } from '../../dispatch/public-arguments.js';
import { DTypeError, fail } from '../../errors.js';
import { BOOL } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { asOperand, type Operand, resultType, tensorArgument } from '../core/promotion.js';
import { type BinaryFunction, binary, defineElementwise, Planned, pair } from './elementwise-function.js';
import { elementwiseOp } from './elementwise-op.js';

const STEP = 'its values are whole numbers or truth values';

/** Both operands as truth values: whether they are not zero. */
function truths(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const [x, y] = pair(op, a, b);
  return [asOperand(op, x, BOOL), asOperand(op, y, BOOL)];
}
function logical(name: string, kernel: string): BinaryFunction {
  return binary({ name, kernel, notDifferentiable: STEP }, { operands: truths });
}
/** Whether both operands are not zero. */
export const logicalAnd = logical('logicalAnd', 'bitwiseAnd');
/** Whether an operand is not zero. */
export const logicalOr = logical('logicalOr', 'bitwiseOr');
/** Whether one operand alone is not zero. */
export const logicalXor = logical('logicalXor', 'bitwiseXor');
const logicalNotOp = elementwiseOp({ name: 'logicalNot', kernel: 'bitwiseNot', notDifferentiable: STEP });
/** Whether the input is zero. */
export const logicalNot = defineElementwise(
  { name: 'logicalNot', parameters: ['input'] },
  (input: Tensor) => new Planned(logicalNotOp, [castRecorded(tensorArgument('logicalNot', 'input', input), BOOL)]),
);

/** Both operands in their common type, which must be an integer or bool. */
function bits(op: string, a: Operand, b: Operand): [Tensor, Tensor] {
  const info = resultType(op, [a, b]);
  if (info.floating) fail(DTypeError, op, 'integers or bools', info.name, { input: a, other: b });
  return [asOperand(op, a, info), asOperand(op, b, info)];
}
const bitwise = (name: string): BinaryFunction => binary({ name, notDifferentiable: STEP }, { operands: bits });
/** The bits set in both operands. */
export const bitwiseAnd = bitwise('bitwiseAnd');
/** The bits set in an operand. */
export const bitwiseOr = bitwise('bitwiseOr');
/** The bits set in one operand alone. */
export const bitwiseXor = bitwise('bitwiseXor');
/** `input * 2^other` of integers; bits beyond the width are lost. */
export const bitwiseLeftShift = bitwise('bitwiseLeftShift');
/** `floor(input / 2^other)` of integers. */
export const bitwiseRightShift = bitwise('bitwiseRightShift');
const bitwiseNotOp = elementwiseOp({ name: 'bitwiseNot', notDifferentiable: STEP });
/** The bits not set in the input; for bool, logical not. */
export const bitwiseNot = defineElementwise(
  { name: 'bitwiseNot', parameters: ['input'] },
  (input: Tensor) => new Planned(bitwiseNotOp, [tensorArgument('bitwiseNot', 'input', input)]),
);

type Name =
  | 'logicalAnd'
  | 'logicalOr'
  | 'logicalXor'
  | 'bitwiseAnd'
  | 'bitwiseOr'
  | 'bitwiseXor'
  | 'bitwiseLeftShift'
  | 'bitwiseRightShift';
type Methods = { [N in Name | `${Name}_`]: Method<BinaryFunction> };
type NotMethods = { [N in 'logicalNot' | 'logicalNot_' | 'bitwiseNot' | 'bitwiseNot_']: () => Tensor };
declare module '../../tensor/tensor.js' {
  interface Tensor extends Methods, NotMethods {}
}
