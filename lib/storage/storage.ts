/**
 * A storage owns bytes: a V8-owned buffer, where in it the bytes begin, and the version counter that in-place operators raise.
 * It knows nothing of shapes.
 */
import type { DTypeInfo, TypedArray } from './dtype.js';

export class Storage {
  /** Raised by every in-place operator; autograd compares it with the version at which a tensor was saved. */
  version = 0;
  /**
   * True once more than one owner may hold these bytes as a gradient. The engine adds into, hands over or reuses only gradients
   * that it owns alone.
   */
  shared = false;

  constructor(
    readonly buffer: ArrayBufferLike,
    readonly byteOffset: number,
    readonly byteLength: number,
  ) {}

  /** Elements of the given type from `offset` elements on, to the end of the storage; none where a view without elements begins past it. */
  view(info: DTypeInfo, offset: number): TypedArray {
    if (offset * info.bytes > this.byteLength) return new info.Array(this.buffer, this.byteOffset, 0);
    return new info.Array(this.buffer, this.byteOffset + offset * info.bytes, Math.floor(this.byteLength / info.bytes) - offset);
  }
}
