/**
 * Hands out uninitialised memory for tensors. V8 owns every byte, so that a loop without an await is collected as well
 * (finalizers of native memory would not run in it). Small blocks are cut from a shared slab: a view of an existing buffer costs
 * a fortieth of a buffer of its own. Larger ones come from the pool.
 */
import { constants } from 'node:buffer';
import { totalmem } from 'node:os';
import { OutOfMemoryError } from '../errors.js';
import { collector } from './collector.js';
import { guardedBuffer, guarding, poison, poisoning } from './guard.js';
import { dropCache, POOL_LIMIT, takeBlock } from './pool.js';
import { Storage } from './storage.js';

const SLAB_BYTES = 64 * 1024;
const SLAB_LIMIT = 2048;
/** From here on a request is compared with the machine's memory. */
const LARGE = 2 ** 30;
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
    askMachine(bytes);
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
    return new Storage(block.buffer, block.offset, bytes, block);
  }
  return new Storage(newBuffer(bytes), 0, bytes);
}

/** Throws for more than the machine has: the system promises more, and ends the process that takes it at its word. */
function askMachine(bytes: number): void {
  if (bytes > LARGE && bytes > totalmem())
    throw new OutOfMemoryError(`allocate: expected at most the ${totalmem()} bytes of memory that the machine has, got a request for ${bytes}`);
}

function newBuffer(bytes: number): ArrayBufferLike {
  askMachine(bytes);
  try {
    return uninitialised(bytes);
  } catch {
    // Once more with all that can be spared.
    dropCache();
  }
  try {
    return uninitialised(bytes);
  } catch (error) {
    throw new OutOfMemoryError(`allocate: expected ${bytes} bytes of memory to be had, got none (${(error as Error).message})`, { cause: error });
  }
}

/** The only way to uninitialised memory that V8 owns and accounts for; beyond its limit, memory comes zeroed. */
function uninitialised(bytes: number): ArrayBufferLike {
  const buffer = bytes <= constants.MAX_LENGTH ? Buffer.allocUnsafeSlow(bytes).buffer : new ArrayBuffer(bytes);
  poison(buffer);
  return buffer;
}
