/**
 * The one table of element types: name, code (the index into a kernel's dtype table, the same in
 * native/runtime/dtype.h), size, typed array, and PyTorch's promotion rules. It knows nothing of tensors.
 */
import { ArgumentError, describe, nearest } from '../errors.js';
import type { TypedArray } from '../native/typed-array.js';

interface TypedArrayConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, byteOffset?: number, length?: number): TypedArray;
}

/** The element types, named as in PyTorch. */
export type DType =
  | 'float32'
  | 'float64'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool'
  | 'bfloat16'
  | 'float16';

/** bool < integer < floating: a category, as promotion orders them. */
export type Category = 0 | 1 | 2;

export interface DTypeInfo {
  readonly name: DType;
  readonly code: number;
  readonly bytes: number;
  readonly category: Category;
  /** True for real floating types: results of division, of means, of mathematical functions are of such a type. */
  readonly floating: boolean;
  /** True where a tensor of the type can require a gradient. */
  readonly differentiable: boolean;
  /** True for bfloat16 and float16: stored in 16 bits, computed in float32. */
  readonly half: boolean;
  readonly Array: TypedArrayConstructor;
}

function row(
  name: DType,
  code: number,
  category: Category,
  arrayClass: TypedArrayConstructor,
  half = false,
): DTypeInfo {
  return Object.freeze({
    name,
    code,
    bytes: arrayClass.BYTES_PER_ELEMENT,
    category,
    floating: category === 2,
    differentiable: category === 2,
    half,
    Array: arrayClass,
  });
}

export const FLOAT32 = row('float32', 0, 2, Float32Array);
export const FLOAT64 = row('float64', 1, 2, Float64Array);
export const INT64 = row('int64', 2, 1, BigInt64Array);
export const INT32 = row('int32', 3, 1, Int32Array);
export const INT16 = row('int16', 4, 1, Int16Array);
export const INT8 = row('int8', 5, 1, Int8Array);
export const UINT8 = row('uint8', 6, 1, Uint8Array);
export const BOOL = row('bool', 7, 0, Uint8Array);
export const BFLOAT16 = row('bfloat16', 8, 2, Uint16Array, true);
export const FLOAT16 = row('float16', 9, 2, Uint16Array, true);

/** All types by code. */
export const DTYPES: readonly DTypeInfo[] = [
  FLOAT32,
  FLOAT64,
  INT64,
  INT32,
  INT16,
  INT8,
  UINT8,
  BOOL,
  BFLOAT16,
  FLOAT16,
];
const BY_NAME = new Map<string, DTypeInfo>(DTYPES.map((info) => [info.name, info]));

/** The row of a dtype name; an unknown name is an ArgumentError that suggests the right one. */
export function dtypeInfo(op: string, name: DType): DTypeInfo {
  const info = BY_NAME.get(name);
  if (info !== undefined) return info;
  const near = typeof name === 'string' ? nearest(name, [...BY_NAME.keys()]) : undefined;
  throw new ArgumentError(
    `${op}: unknown dtype ` +
      `${describe(name)}${near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`} (dtypes: ` +
      `${[...BY_NAME.keys()].join(', ')})`,
  );
}

/** True where the value is a dtype name. */
export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && BY_NAME.has(value);
}

const SIGNED_BY_BYTES: Readonly<Record<number, DTypeInfo>> = { 1: INT8, 2: INT16, 4: INT32, 8: INT64 };

/** PyTorch's promotion of two types of equal standing (torch.promote_types). */
export function promote(a: DTypeInfo, b: DTypeInfo): DTypeInfo {
  if (a === b) return a;
  if (a.category !== b.category) return a.category > b.category ? a : b;
  if (a.category === 2) {
    if (a.half && b.half) return FLOAT32;
    return a.bytes > b.bytes ? a : b;
  }
  // Integers: the wider one; uint8 beside a signed byte needs the next signed width.
  if (a === UINT8 || b === UINT8) {
    const signed = a === UINT8 ? b : a;
    return signed === INT8 ? INT16 : signed;
  }
  return SIGNED_BY_BYTES[Math.max(a.bytes, b.bytes)];
}

let defaultFloat: DTypeInfo = FLOAT32;

/** The floating type that numbers and integer inputs turn into. */
export function defaultFloatInfo(): DTypeInfo {
  return defaultFloat;
}

/** The floating type of new tensors, 'float32' at first. */
export function getDefaultDtype(): DType {
  return defaultFloat.name;
}

/** Sets the floating type of new tensors. */
export function setDefaultDtype(dtype: DType): void {
  const info = dtypeInfo('setDefaultDtype', dtype);
  if (!info.floating) throw new ArgumentError(`setDefaultDtype: expected a floating dtype, got ${describe(dtype)}`);
  defaultFloat = info;
}
