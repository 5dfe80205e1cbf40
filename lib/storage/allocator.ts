/**
 * Hands out uninitialised memory for tensors. V8 owns every byte, so that a loop without an await is collected as well
 * (finalizers of native memory would not run in it). Small blocks are cut from a shared slab: a view of an existing buffer costs
 * a fortieth of a buffer of its own.
 */
import { OutOfMemoryError } from '../errors.js';
import type { DTypeInfo, TypedArray } from './dtype.js';
import { guardedBuffer, guarding } from './guard.js';

const SLAB_BYTES = 64 * 1024;
const SLAB_LIMIT = 2048;
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
  return new info.Array(newBuffer(bytes), 0, length);
}

function newBuffer(bytes: number): ArrayBufferLike {
  try {
    // The only way to uninitialised memory that V8 owns and accounts for.
    return Buffer.allocUnsafeSlow(bytes).buffer;
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected ${bytes} bytes of memory to be had, got none (${(error as Error).message})`, { cause: error });
  }
}
