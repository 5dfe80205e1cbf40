/**
 * Hands out uninitialised memory for tensors. V8 owns every byte, so that a loop without an await is collected as well
 * (finalizers of native memory would not run in it). Small blocks are cut from a shared slab: a view of an existing buffer costs
 * a fortieth of a buffer of its own.
 */
import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { OutOfMemoryError } from '../errors.js';
import type { DTypeInfo, TypedArray } from './dtype.js';
import { guardedBuffer, guarding } from './guard.js';

const SLAB_BYTES = 64 * 1024;
const SLAB_LIMIT = 2048;
/** From here on a request is compared with the machine's memory. */
const LARGE = 2 ** 30;
/** Blocks begin at multiples of a cache line, so that no two tensors share one. */
const ALIGNMENT = 64;

let slab: ArrayBufferLike = new ArrayBuffer(0);
let slabUsed = 0;

/** An uninitialised typed array of `length` elements. */
export function allocateArray(info: DTypeInfo, length: number): TypedArray {
  const bytes = length * info.bytes;
  if (guarding()) {
    const { buffer, byteOffset } = guardedBuffer(bytes);
    return new info.Array(buffer, byteOffset, length);
  }
  if (bytes <= SLAB_LIMIT) {
    if (slabUsed + bytes > slab.byteLength) {
      slab = newBuffer(SLAB_BYTES);
      slabUsed = 0;
    }
    const array = new info.Array(slab, slabUsed, length);
    slabUsed += (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    return array;
  }
  const buffer = newBuffer(bytes);
  try {
    return new info.Array(buffer, 0, length);
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected a number of elements that a typed array holds, got ${length}`, { cause: error });
  }
}

function newBuffer(bytes: number): ArrayBufferLike {
  // The system promises more than it has, and ends the process that takes it at its word.
  if (bytes > LARGE && bytes > totalmem())
    throw new OutOfMemoryError(`allocate: expected at most the ${totalmem()} bytes of memory that the machine has, got a request for ${bytes}`);
  try {
    // The only way to uninitialised memory that V8 owns and accounts for; beyond its limit, memory comes zeroed.
    return bytes <= constants.MAX_LENGTH ? Buffer.allocUnsafeSlow(bytes).buffer : new ArrayBuffer(bytes);
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected ${bytes} bytes of memory to be had, got none (${(error as Error).message})`, { cause: error });
  }
}
