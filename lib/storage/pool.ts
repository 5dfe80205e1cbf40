/**
 * Blocks of memory that are used again. A block is lent to a storage and comes back when its owner hands it back
 * (`giveBack`), or when the storage is no more: every window on a block holds its storage, so that the storage's end is
 * the end of all of them. V8 owns the blocks as buffers, but their coming and going costs it neither accounting nor
 * marking. See docs/performance-log.md.
 */
import { addon } from '../native/addon.js';
import { collector, forEachCollected, unwatch, watch } from './collector.js';
import { poison } from './guard.js';

/** Below this, memory is cut from slabs (allocator.ts). */
const UNIT = 1024;
/** A larger request is none of the pool's business: malloc asks the system for it, and gives it back to the system. */
export const POOL_LIMIT = 2 ** 30;
const MIB = 2 ** 20;
/** A cache line. */
const LINE = 64;
/** Collect at the end of a backward pass that stands after this many lent bytes. */
const WORTH_COLLECTING = 32 * MIB;
/** What fits the processor's cache, and is worth a minor collection. */
const CACHED = 8 * MIB;
/** Collect after so many lent bytes at the latest, so that what is kept follows what is needed. */
const OFTEN_ENOUGH = 2048 * MIB;
/**
 * After so many times in a row a loop drops what it makes, and has no graph that collecting would make older: patience
 * then holds for free blocks too, so that it uses the same few again, which the cache holds, and not all in turn.
 */
const IN_A_ROW = 4;
/** Collect rather than take new memory from here on, at first. */
const FIRST_LEVEL = 128 * MIB;
/** A free block that was idle for so many collections is let go. */
const IDLE = 32;
/** Not worth a major collection, unless it stays for so many minor ones. */
const LITTLE = 64 * MIB;
const LONG = 64;
/** Worth giving its pages back to the system. */
const MUCH = 256 * MIB;
/** A request takes a free block of up to so many size classes above its own (four: half as large again). */
const REACH = 4;

/** A buffer of V8's, lent to one storage at a time. */
export class Block {
  /** Where the storage's watch stands; -1 while the block is free. */
  place = -1;
  /**
   * Set once the buffer itself was given out: somebody may hold it without its storage, so the block is never lent
   * again.
   */
  exposed = false;
  idleSince = 0;
  /** Where its first cache line begins: V8's buffers begin in the middle of one. */
  readonly offset: number;
  constructor(
    readonly buffer: ArrayBufferLike,
    readonly sizeClass: number,
    readonly bytes: number,
  ) {
    this.offset = addon.lifetime.firstLine(new Uint8Array(buffer));
  }
}

const freeBlocks: Block[][] = [];
const lent: (Block | null)[] = [];
/**
 * Blocks that are lent, and how many were since V8 was last asked which storages are gone: asking costs something for
 * each that lives.
 */
let living = 0;
let lendings = 0;
let inUse = 0;
let cached = 0;
let peakInUse = 0;
let peakReserved = 0;
/** Lent since the last collection. */
let lentSince = 0;
let collections = 0;
/** The last collection that was a major one, and what was in use after it. */
let majorAt = 0;
let afterMajor = 0;
/** Bytes of blocks that the pool no longer holds, but V8 may. */
let letGo = 0;
let trimDue = false;
/** What is expected to be in use after a backward pass: what was after the last major collection there. */
let floor = 0;
/** How often room was made since the last backward pass: what lived through two collections is old. */
let roomMade = 0;
/** The most that was in use since the last collection, and what the backward passes of late needed. */
let highest = 0;
let need = 0;
/**
 * Lent bytes after which a collection is tried before new memory is taken: few while what is dropped comes back soon,
 * and so is still in the cache.
 */
let patience = CACHED;
/** How many times in a row, with no backward pass between, making room found most of what was lent dropped. */
let foundMost = 0;
/** Where room is made rather than new memory taken. */
let level = FIRST_LEVEL;

/** The class of a size, eight classes a doubling, and its size in bytes. */
function sizeClassOf(bytes: number): number {
  const units = Math.ceil(bytes / UNIT);
  const exponent = 31 - Math.clz32(units);
  if (exponent <= 3) return units;
  const step = 2 ** (exponent - 3);
  return 8 * (exponent - 2) + Math.ceil(units / step) - 8;
}
function bytesOf(sizeClass: number): number {
  if (sizeClass <= 16) return sizeClass * UNIT;
  const doubling = Math.floor(sizeClass / 8) - 1;
  return (8 + (sizeClass % 8)) * 2 ** doubling * UNIT;
}

/** A block of at least so many bytes for a storage, which `lend` ties to it. `make` takes new memory. */
export function takeBlock(bytes: number, make: (bytes: number) => ArrayBufferLike): Block {
  if (lentSince > (foundMost > IN_A_ROW ? CACHED : OFTEN_ENOUGH)) makeRoom(bytes);
  const sizeClass = sizeClassOf(bytes);
  let block = freeBlock(sizeClass);
  if (block === undefined) {
    if (inUse + bytes > level || lentSince > patience) makeRoom(bytes);
    else if (lendings > 64 + living / 2) sweep();
    block = freeBlock(sizeClass);
  }
  if (block !== undefined) {
    cached -= block.bytes;
    return block;
  }
  const size = bytesOf(sizeClass);
  addon.lifetime.expect(size + LINE);
  return new Block(make(size + LINE), sizeClass, size);
}

function freeBlock(sizeClass: number): Block | undefined {
  for (let c = sizeClass; c <= sizeClass + REACH; c++) {
    const list = freeBlocks[c];
    if (list !== undefined && list.length > 0) return list.pop();
  }
  return undefined;
}

/** Lends the block to a storage: it comes back when the storage is gone, or earlier by `giveBack`. */
export function lend(block: Block, storage: object): void {
  const place = watch(storage);
  block.place = place;
  lent[place] = block;
  living++;
  lendings++;
  inUse += block.bytes;
  lentSince += block.bytes;
  if (inUse > highest) highest = inUse;
  if (inUse > peakInUse) peakInUse = inUse;
  if (inUse + cached > peakReserved) peakReserved = inUse + cached;
}

/** Takes a block back whose storage nobody will use again; false where somebody may hold the memory itself. */
export function giveBack(block: Block): boolean {
  if (block.exposed || block.place < 0) return false;
  unwatch(block.place);
  comeBack(block.place);
  return true;
}

function comeBack(place: number): void {
  const block = lent[place];
  if (block === null || block === undefined) return;
  lent[place] = null;
  living--;
  block.place = -1;
  inUse -= block.bytes;
  if (block.exposed) return;
  poison(block.buffer);
  block.idleSince = collections;
  cached += block.bytes;
  const list = freeBlocks[block.sizeClass];
  if (list === undefined) freeBlocks[block.sizeClass] = [block];
  else list.push(block);
}

/** Takes back the blocks of storages that V8 has collected by now. */
function sweep(): void {
  lendings = 0;
  forEachCollected(comeBack);
}

/**
 * A minor collection, and a major one where it seems to be worth its milliseconds: what outlived two minor ones is
 * found by a major one only. More than `expected` bytes outlived the minor one, or some did for long, or buffers wait
 * that the pool let go.
 */
function collect(expected: number): void {
  const by = collector();
  if (by === null) return;
  by.minor();
  sweep();
  collections++;
  if (trimDue) addon.giveBackPages();
  trimDue = false;
  if (inUse > expected || letGo > LITTLE || (collections - majorAt > LONG && inUse > afterMajor + LITTLE)) {
    by.major();
    sweep();
    majorAt = collections;
    afterMajor = inUse;
    // V8 frees buffers beside the program; by the next collection they are free.
    trimDue = letGo > MUCH;
    letGo = 0;
  }
  lentSince = 0;
}

/**
 * Collects before so many bytes are taken in the middle of a computation: where that takes more than it was seen to
 * need, or to have memory back while the cache still holds it. A major collection here makes the computation's own
 * objects old, and what they hold with them; so a few requests of this size are no reason for one.
 */
function makeRoom(bytes: number): void {
  const before = inUse;
  const lentBefore = lentSince;
  collect(before > 0.9 * level ? Math.max(0.75 * level, need) : Number.POSITIVE_INFINITY);
  foundMost = before - inUse > lentBefore / 2 ? foundMost + 1 : 0;
  patience = foundMost > 0 ? CACHED : Math.max(2 * patience, 4 * CACHED);
  roomMade++;
  // What was dropped before is no part of what is needed.
  highest = inUse;
  // What backward passes of late needed is not too much for the next one. It is forgotten where none follows.
  need *= 0.9;
  level = Math.max(inUse + Math.max(FIRST_LEVEL, inUse / 2, 3 * bytes), 1.15 * need);
  letIdleGo();
}

/**
 * Tells the pool that a graph has just been left behind: the cheapest moment to collect, and the one that finds most.
 */
export function collectAfterBackward(): void {
  if (lentSince < WORTH_COLLECTING) return;
  need = Math.max(highest, 0.9 * need);
  collect(roomMade > 1 ? 0 : 1.5 * floor + WORTH_COLLECTING);
  // A major collection told the truth; a lower number is nearer to it.
  floor = majorAt === collections ? inUse : Math.min(floor, inUse);
  // A loop is collected at the end of its steps, so the next one shall find what it needs.
  level = Math.max(inUse + FIRST_LEVEL, 1.15 * need);
  highest = inUse;
  roomMade = 0;
  foundMost = 0;
  letIdleGo();
}

/**
 * Lets go of blocks that were idle for long, and of the longest idle ones where more are free than a computation takes.
 */
function letIdleGo(): void {
  if (cached > level) {
    const byAge = freeBlocks.flat().sort((a, b) => a.idleSince - b.idleSince);
    for (let i = 0, bytes = cached; bytes > level && i < byAge.length; i++) {
      byAge[i].idleSince = -IDLE - 1;
      bytes -= byAge[i].bytes;
    }
  }
  for (const list of freeBlocks) {
    // The longest idle ones are at the front.
    if (list === undefined || list.length === 0 || list[0].idleSince + IDLE >= collections) continue;
    const kept = list.findIndex((block) => block.idleSince + IDLE >= collections);
    for (const block of list.splice(0, kept < 0 ? list.length : kept)) {
      cached -= block.bytes;
      letGo += block.bytes;
    }
  }
}

/** Lets go of all free blocks, and V8 of their memory. */
export function dropCache(): void {
  const by = collector();
  if (by === null) return;
  collect(-1);
  for (const list of freeBlocks) if (list !== undefined) list.length = 0;
  cached = 0;
  need = 0;
  level = FIRST_LEVEL;
  // Buffers are freed beside the program; the second collection waits for that.
  by.major();
  by.minor();
}

/** Bytes of blocks: lent (a dropped tensor's until it is noticed), free, and the most there were. */
export function poolBytes(): { inUse: number; cached: number; peakInUse: number; peakReserved: number } {
  sweep();
  return { inUse, cached, peakInUse, peakReserved };
}

export function resetPeaks(): void {
  peakInUse = inUse;
  peakReserved = inUse + cached;
}
