/** Tensors from values: numbers, nested arrays, typed arrays. */

import { isOptions } from '../../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions, ShapeError } from '../../errors.js';
import type { TypedArray } from '../../native/typed-array.js';
import { checkSizes } from '../../shape/dims.js';
import { contiguousStrides, elementCount } from '../../shape/layout.js';
import { MAX_DIMS } from '../../shape/plan.js';
import {
  BOOL,
  DTYPES,
  type DType,
  type DTypeInfo,
  defaultFloatInfo,
  dtypeInfo,
  FLOAT64,
  INT64,
  promote,
  UINT8,
} from '../../storage/dtype.js';
import { requireWholeInRange } from '../../storage/range.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, fillWith } from '../../tensor/copy.js';
import { checkDevice } from '../../tensor/device.js';
import { Tensor, tensorOver } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';

/** Numbers, booleans or bigints, nested as the shape; rows of one length. */
export type TensorData = number | bigint | boolean | Tensor | TypedArray | Uint8ClampedArray | readonly TensorData[];

export interface CreationOptions {
  dtype?: DType | null;
  device?: string;
  requiresGrad?: boolean;
}
export interface TensorOptions extends CreationOptions {
  /** The shape of the elements of a typed array. */
  shape?: readonly number[];
}
/** Data and options in one object. */
export interface NamedData extends TensorOptions {
  data: TensorData;
}

/**
 * Sizes of nested arrays by their first elements; a typed array is the innermost row. An array that holds itself would
 * have no end.
 */
export function nestedShape(op: string, data: unknown): number[] {
  const shape: number[] = [];
  let level = data;
  while (Array.isArray(level)) {
    if (shape.length === MAX_DIMS) fail(ShapeError, op, `arrays nested at most ${MAX_DIMS} deep`, describe(data));
    shape.push(level.length);
    level = level[0];
  }
  if (isTypedArray(level)) shape.push(level.length);
  return shape;
}

/** The elements of nested data in order, and their common type (null where there is none). */
class Elements {
  readonly values: (number | bigint | boolean)[] = [];
  info: DTypeInfo | null = null;

  constructor(private readonly shape: readonly number[]) {}

  add(data: unknown, dim = 0): this {
    if (dim === this.shape.length) {
      if (data instanceof Tensor) {
        if (elementCount(data.shape) !== 1)
          fail(ArgumentError, 'tensor', 'tensors of one element in an array (stack takes larger ones)', describe(data));
        this.join(data.info);
        this.values.push(elementOf(data));
      } else if (typeof data === 'number' || typeof data === 'bigint' || typeof data === 'boolean') {
        this.join(typeof data === 'boolean' ? BOOL : typeof data === 'bigint' ? INT64 : defaultFloatInfo());
        this.values.push(data);
      } else fail(ArgumentError, 'tensor', 'numbers, bigints or booleans', describe(data));
      return this;
    }
    const row = Array.isArray(data) || isTypedArray(data);
    if (!row || data.length !== this.shape[dim])
      fail(
        ShapeError,
        'tensor',
        `rows of one length (${this.shape[dim]} at dim ${dim})`,
        row ? `one of ${data.length}` : describe(data),
      );
    if (isTypedArray(data)) {
      if (dim !== this.shape.length - 1)
        fail(ShapeError, 'tensor', `${this.shape.length} dimensions everywhere`, `numbers at dim ${dim + 1}`);
      this.join(infoOfArray('tensor', data));
      for (const value of data) this.values.push(value);
    } else for (const item of data as unknown[]) this.add(item, dim + 1);
    return this;
  }

  private join(info: DTypeInfo): void {
    this.info = this.info === null ? info : promote(this.info, info);
  }
}

/** The one element of a tensor; a bigint of int64, whatever its size. */
function elementOf(x: Tensor): number | bigint | boolean {
  return x.info === INT64 ? (x.array[0] as bigint) : x.item<number | boolean>();
}

/** The type that a number, bigint or boolean becomes where no dtype is asked for. */
export function inferredInfo(value: number | bigint | boolean): DTypeInfo {
  return typeof value === 'boolean' ? BOOL : typeof value === 'bigint' ? INT64 : defaultFloatInfo();
}

function isTypedArray(data: unknown): data is TypedArray | Uint8ClampedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

/** The type whose elements a typed array has; bool and 16-bit floats have no typed array of their own. */
function infoOfArray(op: string, data: TypedArray | Uint8ClampedArray): DTypeInfo {
  if (data instanceof Uint8ClampedArray) return UINT8;
  const own = DTYPES.find((info) => data instanceof info.Array && info.name !== 'bool' && !info.half);
  return own ?? fail(ArgumentError, op, 'a typed array of a type that dtypes have', data.constructor.name);
}

/** Whether the memory of a buffer was transferred to another one. */
function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** A tensor on the memory of a typed array. */
function windowOnArray(op: string, data: TypedArray | Uint8ClampedArray, shape: unknown): Tensor {
  const info = infoOfArray(op, data);
  if (isDetached(data.buffer))
    fail(ArgumentError, op, 'a typed array that has its memory', 'one whose memory was transferred');
  const sizes = shape === undefined ? [data.length] : [...sizesOfOption(op, shape)];
  if (elementCount(sizes) !== data.length) fail(ShapeError, op, `a shape of ${data.length} elements`, `[${sizes}]`);
  const memory = data instanceof Uint8ClampedArray ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data;
  return tensorOver(memory, info, Object.freeze(sizes), contiguousStrides(sizes));
}

function sizesOfOption(op: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) fail(ArgumentError, op, 'an array of sizes for shape', describe(shape));
  checkSizes(op, shape as number[]);
  return shape as number[];
}

/**
 * A tensor with a copy of `data`: a number, nested arrays whose innermost rows may be typed arrays and whose elements
 * may be tensors of one element, or a typed array with its `shape` in the options. torch.tensor
 */
export function tensor(data: TensorData | NamedData, options: TensorOptions = {}): Tensor {
  if (isOptions(data)) return fromNamed('tensor', data, tensor);
  rejectUnknownOptions('tensor', options, ['dtype', 'device', 'requiresGrad', 'shape']);
  if (options.device !== undefined) checkDevice('tensor', options.device);
  const wanted = options.dtype === undefined || options.dtype === null ? undefined : dtypeInfo('tensor', options.dtype);
  const out =
    data instanceof Tensor
      ? castTo(data, wanted ?? data.info)
      : isTypedArray(data)
        ? copied(windowOnArray('tensor', data, options.shape), wanted)
        : fromNested(data as TensorData, options.shape, wanted);
  return options.requiresGrad ? out.requiresGrad_() : out;
}

function copied(view: Tensor, wanted: DTypeInfo | undefined): Tensor {
  return castTo(view, wanted ?? view.info);
}

/** Calls a function of data and options with both in one object. */
function fromNamed<R>(
  op: string,
  named: Record<string, unknown>,
  fn: (data: TensorData, options: Record<string, unknown>) => R,
): R {
  const { data, ...options } = named;
  if (data === undefined || isOptions(data)) fail(ArgumentError, op, 'data', describe(data));
  return fn(data as TensorData, options);
}

function fromNested(data: TensorData, shape: readonly number[] | undefined, wanted: DTypeInfo | undefined): Tensor {
  const found = nestedShape('tensor', data);
  const elements = new Elements(found).add(data);
  const { values } = elements;
  const info = wanted ?? elements.info ?? defaultFloatInfo();
  const target = shape === undefined ? found : sizesOfOption('tensor', shape);
  if (elementCount(target) !== values.length)
    fail(ShapeError, 'tensor', `a shape of ${values.length} elements`, `[${target}]`);
  if (info.category === 1) for (const value of values) requireWholeInRange('tensor', value, info);
  // Bigints keep all their digits; everything else passes through a double.
  const wide =
    info === INT64
      ? BigInt64Array.from(values, (v) => (typeof v === 'bigint' ? v : BigInt(Math.trunc(Number(v)))))
      : Float64Array.from(values, Number);
  const flat = tensorOver(
    wide,
    info === INT64 ? INT64 : FLOAT64,
    Object.freeze([...target]),
    contiguousStrides(target),
  );
  return castTo(flat, info);
}

/**
 * A tensor on the memory of a typed array, without a copy: what is written on either side is seen by the other. The
 * type is the array's (uint8 for Uint8Array and Uint8ClampedArray); `shape` gives the sizes, one dimension by default.
 * torch.from_numpy
 */
export function fromNumpy(array: TypedArray | Uint8ClampedArray, options: { shape?: readonly number[] } = {}): Tensor {
  rejectUnknownOptions('fromNumpy', options, ['shape']);
  if (!isTypedArray(array)) fail(ArgumentError, 'fromNumpy', 'a typed array', describe(array));
  return windowOnArray('fromNumpy', array, options.shape);
}

/**
 * The tensor itself (converted where `dtype` differs), a tensor on the memory of a typed array of that dtype, or a
 * tensor with a copy of the data. torch.as_tensor
 */
export function asTensor(data: TensorData | NamedData, options: Omit<TensorOptions, 'requiresGrad'> = {}): Tensor {
  if (isOptions(data)) return fromNamed('asTensor', data, asTensor);
  rejectUnknownOptions('asTensor', options, ['dtype', 'device', 'shape']);
  if (options.device !== undefined) checkDevice('asTensor', options.device);
  const view = isTypedArray(data) ? windowOnArray('asTensor', data, options.shape) : data;
  if (!(view instanceof Tensor)) return tensor(view as TensorData, options);
  return options.dtype === undefined || options.dtype === null
    ? view
    : castRecorded(view, dtypeInfo('asTensor', options.dtype));
}

/** A 0-dimensional tensor of the given type. */
export function scalarOf(value: number | bigint | boolean, info: DTypeInfo): Tensor {
  const out = allocate([], info);
  fillWith(out, value);
  return out;
}
