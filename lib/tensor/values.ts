/** Values out of a tensor: `toTypedArray` (also named `numpy`), `item`, `tolist`. */
import { ArgumentError, fail, ShapeError } from '../errors.js';
import type { TypedArray } from '../native/typed-array.js';
import { elementCount } from '../shape/layout.js';
import { FLOAT32 } from '../storage/dtype.js';
import { castTo } from './copy.js';
import { Tensor } from './tensor.js';

/**
 * Tensors of more dimensions have no nested form: recursion over them could overflow the stack. Python's limit is the
 * same.
 */
export const MAX_NESTED_DIMENSIONS = 1000;

/** A number, a boolean, or arrays of them, nested as the shape. */
export type NestedNumbers = number | boolean | NestedNumbers[];

declare module './tensor.js' {
  interface Tensor {
    /**
     * The elements in logical order, as a copy: BigInt64Array for int64, Float32Array for 16-bit floats, Uint8Array for
     * bool.
     */
    toTypedArray(): TypedArray;
    /** Another name of `toTypedArray`. */
    numpy(): TypedArray;
    /** The one element: a number, or a boolean of a bool tensor (`item<boolean>()`). */
    item<T = number>(): T;
    /** The elements as nested arrays of numbers or booleans. ShapeError: more than 1000 dimensions. */
    tolist(): NestedNumbers;
  }
}

function elements(x: Tensor): TypedArray {
  const flat = x.info.half ? castTo(x, FLOAT32) : x.contiguousLayout ? x : castTo(x, x.info);
  return flat.array.slice(0, elementCount(x.shape)) as TypedArray;
}

function exact(op: string, value: number | bigint): number {
  if (typeof value === 'number') return value;
  const number = Number(value);
  if (BigInt(number) !== value || !Number.isSafeInteger(number))
    fail(ArgumentError, op, 'an int64 that a double holds exactly (use toTypedArray())', `${value}n`);
  return number;
}

Tensor.prototype.toTypedArray = function (this: Tensor) {
  return elements(this);
};
Tensor.prototype.numpy = Tensor.prototype.toTypedArray;

Tensor.prototype.item = function <T>(this: Tensor): T {
  if (elementCount(this.shape) !== 1)
    fail(ArgumentError, 'item', 'a tensor of one element', `${this.dtype}[${this.shape}]`);
  const first = this.info.half ? elements(this)[0] : this.array[0];
  return (this.info.name === 'bool' ? first !== 0 : exact('item', first)) as T;
};

Tensor.prototype.tolist = function (this: Tensor) {
  if (this.shape.length > MAX_NESTED_DIMENSIONS)
    fail(ShapeError, 'tolist', `at most ${MAX_NESTED_DIMENSIONS} dimensions`, `${this.shape.length}`);
  const flat = elements(this);
  const bool = this.info.name === 'bool';
  let at = 0;
  const build = (dim: number): NestedNumbers => {
    if (dim === this.shape.length) {
      const value = flat[at++];
      return bool ? value !== 0 : exact('tolist', value);
    }
    return Array.from({ length: this.shape[dim] }, () => build(dim + 1));
  };
  return build(0);
};
