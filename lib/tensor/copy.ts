/** Raw copies between layouts and element types, without autograd: what the differentiable operators are built on. */
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { elementCount, type Shape } from '../shape/layout.js';
import type { MemoryFormat } from '../shape/memory-format.js';
import { type Plan, planOf, stridedPlan } from '../shape/plan.js';
import { type DType, type DTypeInfo, FLOAT32, FLOAT64 } from '../storage/dtype.js';
import { instanceOf } from '../storage/kernel-instance.js';
import { allocate, allocateAs, allocateInFormat, allocateLike } from './allocate.js';
import { type Tensor, windowOn } from './tensor.js';

type CastKernel = KernelTable<[input: TypedArray, out: TypedArray, plan: Plan]>;

declare module '../native/kernels.js' {
  interface Kernels {
    castToFloat32: CastKernel;
    castToFloat64: CastKernel;
    castToInt64: CastKernel;
    castToInt32: CastKernel;
    castToInt16: CastKernel;
    castToInt8: CastKernel;
    castToUint8: CastKernel;
    castToBool: CastKernel;
    castToBfloat16: CastKernel;
    castToFloat16: CastKernel;
    /** out = input, both from places of their own on; plan [out, input]. */
    copyPart: KernelTable<[input: TypedArray, out: TypedArray, from: number, to: number, plan: Plan]>;
  }
}

/** The kernel that converts to each type; indexed then by the source's code. */
const CAST_TO: Readonly<Record<DType, CastKernel>> = {
  float32: kernels.castToFloat32,
  float64: kernels.castToFloat64,
  int64: kernels.castToInt64,
  int32: kernels.castToInt32,
  int16: kernels.castToInt16,
  int8: kernels.castToInt8,
  uint8: kernels.castToUint8,
  bool: kernels.castToBool,
  bfloat16: kernels.castToBfloat16,
  float16: kernels.castToFloat16,
};

/** Copies `source`, broadcast and converted, into the memory of `target`. Raises no version and records nothing. */
export function copyInto(target: Tensor, source: Tensor): void {
  const kernel = CAST_TO[target.info.name][source.info.code];
  if (kernel === undefined) {
    copyInto(target, castTo(source, FLOAT64));
    return;
  }
  kernel(source.array, target.array, planOf(target.shape, [target, source]));
}

/** Where a part of a tensor begins, in elements from the tensor's first, and how it is strided. */
export interface Part {
  readonly tensor: Tensor;
  readonly start: number;
  readonly strides: readonly number[];
}

/** Copies a part of `shape` to a part of another tensor of the same type. Raises no version and records nothing. */
export function copyPart(shape: Shape, to: Part, from: Part): void {
  if (elementCount(shape) === 0) return;
  const kernel = instanceOf('copy', kernels.copyPart, from.tensor.info);
  kernel(from.tensor.array, to.tensor.array, from.start, to.start, stridedPlan(shape, [to.strides, from.strides]));
}

/** A contiguous copy in the given type; no autograd. */
export function castTo(source: Tensor, info: DTypeInfo): Tensor {
  const out = allocateLike(source, info);
  copyInto(out, source);
  return out;
}

/** A copy in the given type, laid out as the source (torch.empty_like); no autograd. */
export function castAs(source: Tensor, info: DTypeInfo): Tensor {
  const out = allocateAs(source, info);
  copyInto(out, source);
  return out;
}

/** The same for an operand, whose repeated dimensions stay repeated: they have no say in the layout of a result. */
export function castOperand(source: Tensor, info: DTypeInfo): Tensor {
  const { shape, strides } = source;
  if (!strides.some((step, d) => step === 0 && shape[d] > 1)) return castAs(source, info);
  const once = shape.map((n, d) => (strides[d] === 0 ? 1 : n));
  const out = castAs(windowOn(source, once, strides, source.offset), info);
  return windowOn(
    out,
    shape,
    out.strides.map((step, d) => (strides[d] === 0 ? 0 : step)),
    0,
  );
}

/** A copy in the given type and memory format; no autograd. */
export function castInFormat(op: string, source: Tensor, info: DTypeInfo, format: MemoryFormat): Tensor {
  const out = allocateInFormat(op, source, format, info);
  copyInto(out, source);
  return out;
}

/** The tensor itself where it is contiguous, else a contiguous copy; no autograd. */
export function contiguousOf(source: Tensor): Tensor {
  return source.contiguousLayout ? source : castTo(source, source.info);
}

const FILL_HERE = 1024;

/** Sets every element of the memory that `target` shows. Raises no version and records nothing. */
export function fillWith(target: Tensor, value: number | bigint | boolean): void {
  const count = elementCount(target.shape);
  if (count <= FILL_HERE && target.contiguousLayout && !target.info.half && count > 0) {
    // Too few elements to be worth a native call.
    writeElement(target, value);
    const array = target.array as Float32Array;
    array.fill(array[0], 0, count);
    return;
  }
  const one = allocate([1], target.info);
  writeElement(one, value);
  const kernel = instanceOf('fill', kernels.fill, target.info);
  kernel(target.array, one.array, planOf(target.shape, [target]));
}

/** A fresh contiguous tensor with one value everywhere; no autograd. */
export function filledTensor(shape: Shape, info: DTypeInfo, value: number | bigint | boolean): Tensor {
  const out = allocate([...shape], info);
  fillWith(out, value);
  return out;
}

/** Writes element 0 of a fresh tensor. */
export function writeElement(target: Tensor, value: number | bigint | boolean): void {
  const array = target.array;
  if (array instanceof BigInt64Array) array[0] = typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));
  else if (target.info.name === 'bool') array[0] = Number(value) === 0 ? 0 : 1;
  else if (target.info.half) {
    const wide = new Float32Array([Number(value)]);
    instanceOf('fill', CAST_TO[target.info.name], FLOAT32)(wide, array, 1);
  } else array[0] = Number(value);
}
