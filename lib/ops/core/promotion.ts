/** Numbers as operands, and the common type of several operands: PyTorch's rules (torch.result_type). */
import { ArgumentError, describe, fail } from '../../errors.js';
import { BOOL, type DTypeInfo, defaultFloatInfo, INT64, promote } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { writeElement } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { castOperandRecorded } from './convert.js';

/**
 * What an elementwise operator takes beside a tensor: a number counts as PyTorch's int where it is integral, else as
 * its float.
 */
export type Scalar = number | bigint | boolean;
export type Operand = Tensor | Scalar;

export function isScalar(value: unknown): value is Scalar {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

/** The type that a number takes part in promotion with. */
export function scalarInfo(value: Scalar): DTypeInfo {
  if (typeof value === 'boolean') return BOOL;
  return typeof value === 'bigint' || Number.isInteger(value) ? INT64 : defaultFloatInfo();
}

const CACHE_LIMIT = 1024;
const cache: Map<Scalar, Tensor>[] = [];

/** A number as a 0-dimensional tensor of the given type. Shared between calls: never changed, never shown to users. */
export function scalarTensor(value: Scalar, info: DTypeInfo): Tensor {
  cache[info.code] ??= new Map();
  const byValue = cache[info.code];
  const key = Object.is(value, -0) ? ('-0' as unknown as Scalar) : value;
  let tensor = byValue.get(key);
  if (tensor === undefined) {
    if (byValue.size >= CACHE_LIMIT) byValue.clear();
    tensor = allocate([], info);
    writeElement(tensor, value);
    tensor.isWrappedNumber = true;
    tensor.storage.shared = true;
    byValue.set(key, tensor);
  }
  return tensor;
}

/** higher beats lower unless lower is of a higher category (bool < integer < floating). */
function combine(higher: DTypeInfo | null, lower: DTypeInfo | null): DTypeInfo | null {
  if (higher === null || lower === null) return higher ?? lower;
  if (higher.floating) return higher;
  return higher === BOOL || lower.floating ? promote(higher, lower) : higher;
}

/** The type of an operation on these operands: tensors with dimensions first, then 0-dimensional ones, then numbers. */
export function resultType(op: string, operands: readonly Operand[]): DTypeInfo {
  let dimensioned: DTypeInfo | null = null;
  let zeroDimensional: DTypeInfo | null = null;
  let wrapped: DTypeInfo | null = null;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (operand instanceof Tensor) {
      if (operand.isWrappedNumber) wrapped = wrapped === null ? operand.info : promote(wrapped, operand.info);
      else if (operand.shape.length === 0)
        zeroDimensional = zeroDimensional === null ? operand.info : promote(zeroDimensional, operand.info);
      else dimensioned = dimensioned === null ? operand.info : promote(dimensioned, operand.info);
    } else if (isScalar(operand)) {
      const info = scalarInfo(operand);
      wrapped = wrapped === null ? info : promote(wrapped, info);
    } else fail(ArgumentError, op, 'a tensor or a number', describe(operand));
  }
  const result = combine(dimensioned, combine(zeroDimensional, wrapped));
  return result ?? fail(ArgumentError, op, 'at least one operand', 'none');
}

/** The operand as a tensor of the given type; a cast of a tensor is recorded. */
export function asOperand(op: string, operand: Operand, info: DTypeInfo): Tensor {
  if (operand instanceof Tensor) return operand.info === info ? operand : castOperandRecorded(operand, info);
  if (!isScalar(operand)) fail(ArgumentError, op, 'a tensor or a number', describe(operand));
  return scalarTensor(operand, info);
}

/** The first argument of an operator as a tensor, or an ArgumentError. */
export function tensorArgument(op: string, name: string, value: unknown): Tensor {
  if (value instanceof Tensor) return value;
  return fail(ArgumentError, op, `a tensor for ${name}`, describe(value));
}

/**
 * A list of arguments as tensors, or an ArgumentError, also for a hole in the list. `name` is that of one argument, to
 * which its number is added.
 */
export function tensorArguments(op: string, name: string, values: readonly unknown[]): Tensor[] {
  return Array.from(values, (value, i) => tensorArgument(op, `${name} ${i}`, value));
}
