/**
 * Which numbers an element type can hold: what stands between a number that is given and an element that silently
 * wraps.
 */
import { ArgumentError, fail } from '../errors.js';
import type { DType, DTypeInfo } from './dtype.js';

/** Smallest and largest whole number; uint8 takes negative ones by two's complement, as in PyTorch. */
const WHOLE: Partial<Readonly<Record<DType, readonly [low: number, high: number]>>> = {
  int64: [-(2 ** 63), 2 ** 63],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  int8: [-128, 127],
  uint8: [-255, 255],
};
const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Throws where a number cannot be converted to an integer type without overflow (NaN and infinities cannot). */
export function requireWholeInRange(op: string, value: number | bigint | boolean, info: DTypeInfo): void {
  const range = WHOLE[info.name];
  if (range === undefined) return;
  // 2^63 is the first double past int64; a bigint is compared exactly.
  const inside =
    info.name !== 'int64'
      ? Math.trunc(Number(value)) >= range[0] && Math.trunc(Number(value)) <= range[1]
      : typeof value === 'bigint'
        ? BigInt.asIntN(64, value) === value
        : Number(value) >= range[0] && Number(value) < range[1];
  if (!inside) fail(ArgumentError, op, `a value that ${info.name} can hold`, String(value));
}

/** As requireWholeInRange, and for float32 throws where a finite number would become infinite. */
export function requireInRange(op: string, value: number | bigint | boolean, info: DTypeInfo): void {
  requireWholeInRange(op, value, info);
  if (info.name === 'float32' && Number.isFinite(Number(value)) && Math.abs(Number(value)) > LARGEST_FLOAT32)
    fail(ArgumentError, op, 'a value that float32 can hold', String(value));
}
