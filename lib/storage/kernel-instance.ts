/**
 * Finds the instance of a kernel for a dtype. A kernel is a table by dtype code (lib/native/kernels.ts); a hole in it
 * is a missing instance.
 */
import { DTypeError } from '../errors.js';
import type { DTypeInfo } from './dtype.js';

/** The instance of a kernel for a dtype. DTypeError: there is none; the message names the operator. */
export function instanceOf<T>(op: string, table: ReadonlyArray<T | undefined>, info: DTypeInfo): T {
  const instance = table[info.code];
  if (instance === undefined)
    throw new DTypeError(`${op}: expected a dtype that it is implemented for, got ${info.name}`);
  return instance;
}
