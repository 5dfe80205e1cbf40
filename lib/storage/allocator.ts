/**
 * Hands out uninitialised memory for tensors. V8 owns every byte, so that a loop without an await is collected as well
 * (finalizers of native memory would not run in it). Small blocks are cut from a shared slab: a view of an existing
 * buffer costs a fortieth of a buffer of its own. Larger ones come from the pool.
 */
import { constants } from 'node:buffer';
import { OutOfMemoryError } from '../errors.js';
import { addon } from '../native/addon.js';
import { collector } from './collector.js';
import { guardedBuffer, guarding, poison, poisoning } from './guard.js';
import { dropCache, POOL_LIMIT, takeBlock } from './pool.js';
import { memoryRoom } from './room.js';
import { noteLent } from './scope.js';
import { Storage } from './storage.js';

const SLAB_BYTES = 64 * 1024;
const SLAB_LIMIT = 2048;
/**
 * From here on a request is compared with the memory that is left, which takes no more time than to fill a hundredth of
 * it.
 */
const LARGE = 2 ** 28;
/** Blocks begin at multiples of a cache line, so that no two tensors share one. */
const ALIGNMENT = 64;

let slab: ArrayBufferLike = new ArrayBuffer(0);
let slabUsed = 0;

/** Bytes handed out since the start, for the profiler. */
export const handedOut = { bytes: 0 };

/** Uninitialised memory of `bytes` bytes. */
export function allocateStorage(bytes: number): Storage {
  handedOut.bytes += bytes;
  if (guarding()) {
    requireRoom(bytes);
    const { buffer, byteOffset } = guardedBuffer(bytes);
    return new Storage(buffer, byteOffset, bytes);
  }
  if (bytes <= SLAB_LIMIT && !poisoning()) {
    if (slabUsed + bytes > slab.byteLength) {
      slab = newBuffer(SLAB_BYTES);
      slabUsed = 0;
    }
    const start = slabUsed;
    slabUsed += (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    return new Storage(slab, start, bytes);
  }
  if (bytes <= POOL_LIMIT && collector() !== null) {
    const block = takeBlock(bytes, newBuffer);
    const storage = new Storage(block.buffer, block.offset, bytes, block);
    noteLent(storage);
    return storage;
  }
  return new Storage(newBuffer(bytes), 0, bytes);
}

/** Throws where so many bytes are more than is left, with all that can be spared. */
function requireRoom(bytes: number): void {
  if (bytes < LARGE || bytes <= memoryRoom()) return;
  dropCache();
  addon.giveBackPages();
  const room = memoryRoom();
  if (bytes > room)
    throw new OutOfMemoryError(
      `allocate: expected at most the ${room} bytes of memory that are left, got a request for ${bytes}`,
    );
}

function newBuffer(bytes: number): ArrayBufferLike {
  requireRoom(bytes);
  try {
    return uninitialised(bytes);
  } catch {
    // Once more with all that can be spared.
    dropCache();
  }
  try {
    return uninitialised(bytes);
  } catch (error) {
    throw new OutOfMemoryError(
      `allocate: expected ${bytes} bytes of memory to be had, got none (${(error as Error).message})`,
      { cause: error },
    );
  }
}

/** The only way to uninitialised memory that V8 owns and accounts for; beyond its limit, memory comes zeroed. */
function uninitialised(bytes: number): ArrayBufferLike {
  const buffer = bytes <= constants.MAX_LENGTH ? Buffer.allocUnsafeSlow(bytes).buffer : new ArrayBuffer(bytes);
  poison(buffer);
  return buffer;
}
