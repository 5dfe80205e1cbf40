/**
 * How much memory this process can still have. The system promises more than it has, and ends the process that takes it
 * at its word; V8 ends the process where its heap is full. So what is large is compared with what is left before any of
 * it is taken.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { OutOfMemoryError } from '../errors.js';
import { v8 } from '../native/builtin.js';

/**
 * Bytes that the machine can give: Linux tells what is available and the free swap; elsewhere all of the memory counts
 * as available.
 */
function machineRoom(): number {
  let text: string;
  try {
    text = readFileSync('/proc/meminfo', 'latin1');
  } catch {
    return totalmem();
  }
  const bytes = (name: string): number => 1024 * Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(text)?.[1]);
  const room = bytes('MemAvailable') + bytes('SwapFree');
  return Number.isNaN(room) ? totalmem() : room;
}

/**
 * Bytes of memory that this process can still have: what the machine can give, at most what the container's limit
 * leaves. Files that the system keeps in memory count as free. Memory that was taken and never written is not in use
 * yet, but is spoken for. Takes some ten microseconds.
 */
export function memoryRoom(): number {
  const { rss, arrayBuffers } = process.memoryUsage();
  // Older Node versions do not tell the limit; without one it is 0, or more than any machine has.
  const limit = (process as { constrainedMemory?: () => number }).constrainedMemory?.() ?? 0;
  const room = limit > 0 && limit < totalmem() ? Math.min(machineRoom(), limit - rss) : machineRoom();
  return Math.max(0, room - Math.max(0, arrayBuffers - rss));
}

/** Fewer objects than this fit V8's heap, or are not worth the question. */
const MANY = 2 ** 16;
/** Bytes of V8's heap that a view takes, and a parameter with what its module knows of it. Measured. */
const VIEW_BYTES = 512;
const PARAMETER_BYTES = 2048;

/** Throws where V8's heap has no room for so many tensors: V8 ends the process instead of throwing. */
function requireHeap(op: string, count: number, bytesEach: number): void {
  if (count < MANY) return;
  const { heap_size_limit, used_heap_size } = v8().getHeapStatistics();
  const most = Math.max(0, Math.floor((heap_size_limit - used_heap_size) / bytesEach));
  if (count > most)
    throw new OutOfMemoryError(`${op}: expected at most the ${most} tensors that V8's heap has room for, got ${count}`);
}

/** Throws where a list of `count` views is more than V8's heap has room for. */
export function requireListRoom(op: string, count: number): void {
  requireHeap(op, count, VIEW_BYTES);
}

/** Throws where a module of `count` parameters is more than V8's heap has room for. */
export function requireParameterRoom(op: string, count: number): void {
  requireHeap(op, count, PARAMETER_BYTES);
}
