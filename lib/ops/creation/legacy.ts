/**
 * PyTorch's first constructors: `new Tensor(2, 3)`, `FloatTensor([1, 2])`, `x.new(4)`. They can be called with `new`
 * and without. What the package calls `Tensor` is the one of the default floating type; tensors themselves are made by
 * the class in tensor.ts, which programs never see.
 */

import { isOptions } from '../../arguments.js';
import { attachMethod, defineMethod } from '../../dispatch/define-function.js';
import { ArgumentError, DTypeError, describe, fail, rejectUnknownOptions } from '../../errors.js';
import type { TypedArray } from '../../native/typed-array.js';
import {
  BFLOAT16,
  BOOL,
  type DType,
  type DTypeInfo,
  defaultFloatInfo,
  dtypeInfo,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  setDefaultDtype,
  UINT8,
} from '../../storage/dtype.js';
import { allocateChecked } from '../../tensor/allocate.js';
import { checkDevice } from '../../tensor/device.js';
import { integersOf } from '../../tensor/integer.js';
import { Tensor as TensorClass } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { viewOp } from '../core/view.js';
import { type TensorData, tensor } from './creation.js';

type Options = { device?: string };
type Arguments =
  | []
  | [data: TypedArray | Uint8ClampedArray | TensorClass | readonly TensorData[], options?: Options]
  | (number | TensorClass | Options)[];

/**
 * Makes tensors of one type: of the given sizes (uninitialised), with the given data, or on the memory of a tensor of
 * that type.
 */
export interface LegacyClass {
  new (...args: Arguments): TensorClass;
  (...args: Arguments): TensorClass;
  readonly prototype: TensorClass;
}

/** `typeOfClass` is null for `Tensor`, which takes a tensor of any type and else makes the default one. */
function construct(op: string, typeOfClass: DTypeInfo | null, args: readonly unknown[]): TensorClass {
  const info = typeOfClass ?? defaultFloatInfo();
  const last = args[args.length - 1];
  const options = isOptions(last) ? last : {};
  rejectUnknownOptions(op, options, ['device']);
  if (options.device !== undefined) checkDevice(op, options.device);
  const given = isOptions(last) ? args.slice(0, -1) : args;
  const only = given[0];
  if (given.length === 0) return allocateChecked(op, [0], info);
  if (given.length === 1 && only instanceof TensorClass) {
    if (typeOfClass !== null && only.info !== info)
      fail(DTypeError, op, `a tensor of ${info.name} (x.to('${info.name}') converts)`, only.dtype);
    return viewOp([only], only.shape);
  }
  // A shape is a frozen array, and stands for PyTorch's torch.Size: sizes, where any other array is data.
  if (given.length === 1 && Array.isArray(only) && Object.isFrozen(only))
    return allocateChecked(op, only as readonly number[], info);
  if (given.length === 1 && (Array.isArray(only) || ArrayBuffer.isView(only)))
    return tensor(only as TensorData, { dtype: info.name });
  const sizes = integersOf(given);
  if (sizes.some((n) => typeof n !== 'number'))
    fail(
      ArgumentError,
      op,
      'sizes as numbers, an array of data, or a tensor',
      describe(given.length === 1 ? only : given),
    );
  return allocateChecked(op, sizes as number[], info);
}

/** The types by their classes and by the names of these; the names by type. */
const infos = new Map<unknown, DTypeInfo>();
const typeNames = new Map<unknown, string>();

function legacyClass(name: string, typeOfClass: DTypeInfo | null): LegacyClass {
  const Class = function (this: unknown, ...args: unknown[]): TensorClass {
    const made = construct(name, typeOfClass, args);
    if (new.target === undefined || new.target === Class) return made;
    // Of a class of the program's that extends this one.
    const { storage, info, shape, strides, offset, contiguousLayout } = made;
    return Reflect.construct(
      TensorClass,
      [storage, null, info, shape, strides, offset, contiguousLayout],
      new.target,
    ) as TensorClass;
  };
  Object.defineProperty(Class, 'name', { value: name });
  Object.defineProperty(Class, 'prototype', { value: TensorClass.prototype, writable: false });
  return Class as unknown as LegacyClass;
}

/** The class of one type; `x instanceof FloatTensor` asks for the type. */
function typedClass(name: string, info: DTypeInfo): LegacyClass {
  const Class = legacyClass(name, info);
  Object.defineProperty(Class, Symbol.hasInstance, {
    value: (x: unknown) => x instanceof TensorClass && x.info === info,
  });
  for (const key of [Class, `torch.${name}`]) infos.set(key, info);
  typeNames.set(info, `torch.${name}`);
  return Class;
}

/** A tensor; `new Tensor(...)` makes one of the default floating type. torch.Tensor */
export const Tensor = legacyClass('Tensor', null);
export type Tensor = TensorClass;
// So that `x.constructor` is the one that programs know.
Object.defineProperty(TensorClass.prototype, 'constructor', { value: Tensor, writable: true, configurable: true });

export const FloatTensor = typedClass('FloatTensor', FLOAT32);
export const DoubleTensor = typedClass('DoubleTensor', FLOAT64);
export const HalfTensor = typedClass('HalfTensor', FLOAT16);
export const BFloat16Tensor = typedClass('BFloat16Tensor', BFLOAT16);
export const LongTensor = typedClass('LongTensor', INT64);
export const IntTensor = typedClass('IntTensor', INT32);
export const ShortTensor = typedClass('ShortTensor', INT16);
export const CharTensor = typedClass('CharTensor', INT8);
export const ByteTensor = typedClass('ByteTensor', UINT8);
export const BoolTensor = typedClass('BoolTensor', BOOL);

/**
 * Sets the floating type of new tensors by class or name: `setDefaultTensorType(DoubleTensor)`.
 * torch.set_default_tensor_type
 */
export function setDefaultTensorType(type: LegacyClass | string): void {
  const info =
    infos.get(type) ??
    fail(
      ArgumentError,
      'setDefaultTensorType',
      "a class such as FloatTensor, or its name 'torch.FloatTensor'",
      describe(type),
    );
  setDefaultDtype(info.name);
}

/**
 * PyTorch's name of the tensor's type ('torch.FloatTensor'), or the tensor in a type given by dtype, class or such a
 * name. Tensor.type
 */
defineMethod(
  'type',
  ['dtype', 'nonBlocking'],
  (input: TensorClass, dtype?: DType | LegacyClass | string | null): TensorClass | string => {
    if (dtype === undefined || dtype === null) return typeNames.get(input.info) as string;
    return castRecorded(
      input,
      dtype === Tensor ? defaultFloatInfo() : (infos.get(dtype) ?? dtypeInfo('type', dtype as DType)),
    );
  },
);

attachMethod('new', (x: TensorClass, ...args: unknown[]) => construct('new', x.info, args));

declare module '../../tensor/tensor.js' {
  interface Tensor {
    type(): string;
    type(dtype: DType | LegacyClass | string | { dtype: DType | LegacyClass | string }, nonBlocking?: boolean): Tensor;
    /** A tensor of this one's type, by sizes, data or a tensor, as the constructors take them. Tensor.new */
    'new'(...args: Arguments): Tensor;
  }
}
