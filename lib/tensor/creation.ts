/** Tensors from values: numbers, nested arrays, typed arrays. */
import { ArgumentError, describe, fail, rejectUnknownOptions, ShapeError } from '../errors.js';
import { castTo, fillWith } from '../ops/cast.js';
import { castRecorded, checkDevice } from '../ops/convert.js';
import { contiguousStrides, elementCount } from '../shape/layout.js';
import { BOOL, defaultFloatInfo, type DType, type DTypeInfo, DTYPES, dtypeInfo, FLOAT64, INT64, type TypedArray } from '../storage/dtype.js';
import { requireWholeInRange } from '../storage/range.js';
import { allocate } from './allocate.js';
import { Tensor, tensorOver } from './tensor.js';

/** Numbers, booleans or bigints, nested as the shape; rows of one length. */
export type TensorData = number | bigint | boolean | Tensor | TypedArray | readonly TensorData[];

export interface CreationOptions {
  dtype?: DType;
  device?: string;
  requiresGrad?: boolean;
}
export interface TensorOptions extends CreationOptions {
  /** The shape of the elements of a typed array. */
  shape?: readonly number[];
}

function nestedShape(data: unknown): number[] {
  const shape: number[] = [];
  let level = data;
  while (Array.isArray(level)) {
    shape.push(level.length);
    level = level[0];
  }
  return shape;
}

function flatten(data: unknown, shape: readonly number[], dim: number, out: unknown[]): void {
  if (dim === shape.length) {
    if (data instanceof Tensor) out.push(data.item());
    else if (typeof data === 'number' || typeof data === 'bigint' || typeof data === 'boolean') out.push(data);
    else fail(ArgumentError, 'tensor', 'numbers, bigints or booleans', describe(data));
    return;
  }
  if (!Array.isArray(data) || data.length !== shape[dim])
    fail(ShapeError, 'tensor', `rows of one length (${shape[dim]} at dim ${dim})`, Array.isArray(data) ? `one of ${data.length}` : describe(data));
  for (const item of data as unknown[]) flatten(item, shape, dim + 1, out);
}

/** Numbers become the default floating type, bigints int64, booleans bool; mixed values the highest of these. */
export function inferredInfo(values: readonly unknown[]): DTypeInfo {
  let category = values.length === 0 ? 2 : 0;
  for (const value of values) category = Math.max(category, typeof value === 'boolean' ? 0 : typeof value === 'bigint' ? 1 : 2);
  return category === 2 ? defaultFloatInfo() : category === 1 ? INT64 : BOOL;
}

function isTypedArray(data: unknown): data is TypedArray {
  return ArrayBuffer.isView(data) && !(data instanceof DataView);
}

/** A tensor with a copy of `data`: a number, nested arrays, or a typed array with its `shape` in the options. */
export function tensor(data: TensorData, options: TensorOptions = {}): Tensor {
  rejectUnknownOptions('tensor', options, ['dtype', 'device', 'requiresGrad', 'shape']);
  if (options.device !== undefined) checkDevice('tensor', options.device);
  const wanted = options.dtype === undefined ? undefined : dtypeInfo('tensor', options.dtype);
  let out: Tensor;
  if (data instanceof Tensor) out = castTo(data, wanted ?? data.info);
  else if (isTypedArray(data)) out = fromTypedArray(data, options.shape ?? [data.length], wanted);
  else {
    const shape = nestedShape(data);
    const values: unknown[] = [];
    flatten(data, shape, 0, values);
    const info = wanted ?? inferredInfo(values);
    const target = options.shape ?? shape;
    if (elementCount(target) !== values.length) fail(ShapeError, 'tensor', `a shape of ${values.length} elements`, `[${target}]`);
    if (info.category === 1) for (const value of values) requireWholeInRange('tensor', value as number, info);
    // Bigints keep all their digits; everything else passes through a double.
    const wide =
      info === INT64
        ? tensorOver(
            BigInt64Array.from(values, (v) => (typeof v === 'bigint' ? v : BigInt(Math.trunc(Number(v))))),
            INT64,
            [],
            [],
          )
        : tensorOver(Float64Array.from(values, Number), FLOAT64, [], []);
    const flat = tensorOver(wide.array, wide.info, Object.freeze([...target]), contiguousStrides(target));
    out = castTo(flat, info);
  }
  return options.requiresGrad ? out.requiresGrad_() : out;
}

function fromTypedArray(data: TypedArray, shape: readonly number[], wanted: DTypeInfo | undefined): Tensor {
  if (elementCount(shape) !== data.length) fail(ShapeError, 'tensor', `a shape of ${data.length} elements`, `[${shape}]`);
  const own = DTYPES.find((info) => data instanceof info.Array && info.name !== 'bool' && !info.half);
  if (own === undefined) fail(ArgumentError, 'tensor', 'a typed array of a type that dtypes have', data.constructor.name);
  const view = tensorOver(data, own, Object.freeze([...shape]), contiguousStrides(shape));
  return castTo(view, wanted ?? own);
}

/** The tensor itself (converted where `dtype` differs), or a tensor with a copy of the data. torch.as_tensor */
export function asTensor(data: TensorData, options: Omit<TensorOptions, 'requiresGrad'> = {}): Tensor {
  rejectUnknownOptions('asTensor', options, ['dtype', 'device', 'shape']);
  if (!(data instanceof Tensor)) return tensor(data, options);
  if (options.device !== undefined) checkDevice('asTensor', options.device);
  return options.dtype === undefined ? data : castRecorded(data, dtypeInfo('asTensor', options.dtype));
}

/** A 0-dimensional tensor of the given type. */
export function scalarOf(value: number | bigint | boolean, info: DTypeInfo): Tensor {
  const out = allocate([], info);
  fillWith(out, value);
  return out;
}
