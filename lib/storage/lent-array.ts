/**
 * Typed arrays on memory that the pool lent to a storage. They hold the storage, so that the memory is not lent again
 * while one of them is in use, and note when the buffer leaves their hands.
 */

import type { TypedArray } from '../native/typed-array.js';
import { DTYPES } from './dtype.js';

/** What a window on lent memory holds: the storage. */
interface Owner {
  expose(): void;
}

export type LentArray = TypedArray & { owner: Owner | null };
type LentArrayClass = new (buffer: ArrayBufferLike, byteOffset: number, length: number) => LentArray;

// biome-ignore lint/suspicious/noExplicitAny: a mixin's constructor
type AnyTypedArrayClass = new (...args: any[]) => Float32Array;

function lentArrayClass(base: AnyTypedArrayClass): LentArrayClass {
  class Lent extends base {
    owner: Owner | null = null;
    // What slice, map and filter make is on memory of its own.
    static get [Symbol.species](): AnyTypedArrayClass {
      return base;
    }
    override get buffer(): ArrayBuffer {
      this.owner?.expose();
      return super.buffer as ArrayBuffer;
    }
    override subarray(begin?: number, end?: number): Float32Array<ArrayBuffer> {
      this.owner?.expose();
      return super.subarray(begin, end) as Float32Array<ArrayBuffer>;
    }
  }
  Object.defineProperty(Lent, 'name', { value: base.name });
  return Lent as unknown as LentArrayClass;
}

const classes = new Map<unknown, LentArrayClass>();

/** The classes by dtype code; types that share an array share the class. */
export const LENT_ARRAYS: readonly LentArrayClass[] = DTYPES.map((info) => {
  const known = classes.get(info.Array) ?? lentArrayClass(info.Array as unknown as AnyTypedArrayClass);
  classes.set(info.Array, known);
  return known;
});
