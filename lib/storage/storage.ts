/**
 * A storage owns bytes: a V8-owned buffer, where in it the bytes begin, and the version counter that in-place operators
 * raise. It knows nothing of shapes. Memory that the pool lent is looked at only through windows that hold the storage
 * (lent-array.ts), since the pool takes it back when the storage is gone.
 */

import type { TypedArray } from '../native/typed-array.js';
import type { DTypeInfo } from './dtype.js';
import { LENT_ARRAYS } from './lent-array.js';
import { type Block, giveBack, lend } from './pool.js';

const NOTHING = new ArrayBuffer(0);
/** Where each buffer that was asked for is taken to begin. */
const addresses = new WeakMap<ArrayBufferLike, number>();
let buffers = 0;

export class Storage {
  /** Raised by every in-place operator; autograd compares it with the version at which a tensor was saved. */
  version = 0;
  /**
   * True once more than one owner may hold these bytes as a gradient. The engine adds into, hands over or reuses only
   * gradients that it owns alone.
   */
  shared = false;
  /**
   * True for lent memory that a derivative rule took for a gradient: once that is used up and not shared, the memory
   * goes back at once.
   */
  transient = false;
  /** Set by whoever goes through many storages and must know one that it has met. */
  mark = 0;
  /** The storage that owns the bytes: this one, or the one that this is an alias of. */
  origin: Storage = this;

  constructor(
    private memory: ArrayBufferLike,
    public byteOffset: number,
    public byteLength: number,
    private block: Block | null = null,
  ) {
    if (block !== null) lend(block, this);
  }

  /**
   * The same bytes with a version counter of their own: in-place changes through the one do not raise the other's
   * version.
   */
  alias(version = 0): Storage {
    const { origin } = this;
    const twin = new Storage(origin.memory, origin.byteOffset, origin.byteLength);
    twin.origin = origin;
    twin.version = version;
    twin.shared = true;
    // The engine and the pool see one owner more.
    origin.shared = true;
    return twin;
  }

  /** Whether the two have bytes in common: one storage, an alias, or windows on one buffer of the user's. */
  overlaps(other: Storage): boolean {
    if (this === other) return true;
    return (
      this.memory === other.memory &&
      this.byteOffset < other.byteOffset + other.byteLength &&
      other.byteOffset < this.byteOffset + this.byteLength
    );
  }

  /**
   * A number for the place of the first byte: equal for equal places, and apart as many bytes as they are within a
   * buffer.
   */
  get address(): number {
    let start = addresses.get(this.memory);
    if (start === undefined) {
      start = ++buffers * 2 ** 40;
      addresses.set(this.memory, start);
    }
    return start + this.byteOffset;
  }

  /** The buffer itself. Whoever asks may keep it, so its memory is never used again. */
  get buffer(): ArrayBufferLike {
    this.expose();
    return this.memory;
  }

  /** Notes that somebody may hold the memory without this storage. */
  expose(): void {
    const { block } = this.origin;
    if (block !== null) block.exposed = true;
  }

  /**
   * Elements of the given type from `offset` elements on, to the end of the storage; none where a view without elements
   * begins past it.
   */
  view(info: DTypeInfo, offset: number): TypedArray {
    const inside = offset * info.bytes <= this.byteLength;
    const start = inside ? this.byteOffset + offset * info.bytes : this.byteOffset;
    const length = inside ? Math.floor(this.byteLength / info.bytes) - offset : 0;
    const { origin } = this;
    if (origin.block === null) return new info.Array(this.memory, start, length);
    const array = new LENT_ARRAYS[info.code](this.memory, start, length);
    array.owner = origin;
    return array;
  }

  /**
   * Hands memory back that nobody will look at again: the caller knows of every tensor on this storage. From now on it
   * has no bytes, so that a new window on it is an error. Does nothing where the memory is not the pool's.
   */
  release(): void {
    if (this.block === null || !giveBack(this.block)) return;
    this.block = null;
    this.memory = NOTHING;
    this.byteOffset = 0;
    this.byteLength = 0;
  }
}

/** Whether one of the holders (tensors, or nothing) is on the storage. */
export function isAmong(
  storage: Storage,
  holders: readonly ({ readonly storage: Storage } | null | undefined)[],
): boolean {
  for (let i = 0; i < holders.length; i++) if (holders[i]?.storage === storage) return true;
  return false;
}
