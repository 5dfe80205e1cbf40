/**
 * A debugging aid: while guard zones are on, every allocation stands alone between two zones of a known pattern, and
 * `damagedZones` tells which were written to. Off, it costs the allocator one comparison.
 */

const PATTERN = 0xa5;

interface Zone {
  readonly bytes: Uint8Array;
  readonly size: number;
  readonly length: number;
}

let zoneBytes = 0;
let zones: Zone[] = [];

/**
 * Puts zones of `bytes` (a multiple of 64; 0 turns them off) on both sides of every later allocation, and forgets
 * earlier ones.
 */
export function setGuardZones(bytes: number): void {
  zoneBytes = bytes;
  zones = [];
}

/** Whether allocations are guarded now. */
export function guarding(): boolean {
  return zoneBytes > 0;
}

/** Memory of `length` bytes between two zones: the buffer and where in it the memory begins. */
export function guardedBuffer(length: number): { buffer: ArrayBuffer; byteOffset: number } {
  const bytes = new Uint8Array(length + 2 * zoneBytes).fill(PATTERN);
  zones.push({ bytes, size: zoneBytes, length });
  return { buffer: bytes.buffer, byteOffset: zoneBytes };
}

/** A line for every zone that was written to since `setGuardZones`. */
export function damagedZones(): string[] {
  return zones.flatMap(({ bytes, size, length }) => {
    const before = bytes.subarray(0, size).findLastIndex((b) => b !== PATTERN);
    const after = bytes.subarray(size + length).findIndex((b) => b !== PATTERN);
    return [
      ...(before >= 0 ? [`${size - before} bytes before a buffer of ${length}`] : []),
      ...(after >= 0 ? [`${after} bytes after a buffer of ${length}`] : []),
    ];
  });
}

let poisoned = false;

/**
 * While on, all memory comes from the pool, and what is new or handed back is filled with ones: NaN in every floating
 * type, so that a read of it shows.
 */
export function setPoison(on: boolean): void {
  poisoned = on;
}

/** Whether `setPoison` is on. */
export function poisoning(): boolean {
  return poisoned;
}

/** Fills the buffer where `setPoison` asks for it. */
export function poison(buffer: ArrayBufferLike): void {
  if (poisoned) new Uint8Array(buffer).fill(0xff);
}
