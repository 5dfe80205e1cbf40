/** What numbers a type holds: torch.finfo and torch.iinfo. */
import { ArgumentError, fail } from '../errors.js';
import {
  BFLOAT16,
  type DType,
  type DTypeInfo,
  defaultFloatInfo,
  dtypeInfo,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT64,
  UINT8,
} from './dtype.js';

/** Limits of a floating type. */
export interface FloatLimits {
  readonly dtype: DType;
  readonly bits: number;
  /** The distance from 1 to the next number. */
  readonly eps: number;
  readonly max: number;
  readonly min: number;
  /** The smallest positive number of full precision; `tiny` is its other name. */
  readonly smallestNormal: number;
  readonly tiny: number;
  /** A decimal precision that the type has: 1e-6 for float32. */
  readonly resolution: number;
}

/** Bits of the fraction, the smallest exponent of a normal number, and decimal digits. */
const FORMATS = new Map<DTypeInfo, readonly [fraction: number, exponent: number, resolution: number]>([
  [FLOAT32, [23, -126, 1e-6]],
  [FLOAT64, [52, -1022, 1e-15]],
  [FLOAT16, [10, -14, 1e-3]],
  [BFLOAT16, [7, -126, 1e-2]],
]);

/** The limits of a floating type, the default one without an argument. Throws ArgumentError for another. torch.finfo */
export function finfo(type?: DType): FloatLimits {
  const info = type === undefined ? defaultFloatInfo() : dtypeInfo('finfo', type);
  const [fraction, exponent, resolution] =
    FORMATS.get(info) ?? fail(ArgumentError, 'finfo', 'a floating dtype (iinfo is for integers)', info.name);
  const max = (2 - 2 ** -fraction) * 2 ** (1 - exponent);
  const smallestNormal = 2 ** exponent;
  return Object.freeze({
    dtype: info.name,
    bits: 8 * info.bytes,
    eps: 2 ** -fraction,
    max,
    min: -max,
    smallestNormal,
    tiny: smallestNormal,
    resolution,
  });
}

/** Limits of an integer type; of int64 as bigints, which hold them exactly. */
export interface IntegerLimits<T extends DType = DType> {
  readonly dtype: T;
  readonly bits: number;
  readonly max: T extends 'int64' ? bigint : number;
  readonly min: T extends 'int64' ? bigint : number;
}

/** The limits of an integer type. Throws ArgumentError for another. torch.iinfo */
export function iinfo<T extends DType>(type: T): IntegerLimits<T> {
  const info = dtypeInfo('iinfo', type);
  if (info.category !== 1) fail(ArgumentError, 'iinfo', 'an integer dtype (finfo is for floating ones)', info.name);
  const bits = 8 * info.bytes;
  const [min, max] =
    info === INT64
      ? [-(2n ** 63n), 2n ** 63n - 1n]
      : info === UINT8
        ? [0, 255]
        : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return Object.freeze({ dtype: type, bits, max, min }) as unknown as IntegerLimits<T>;
}
