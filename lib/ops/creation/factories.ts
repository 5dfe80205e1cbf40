/** Tensors from a shape and a rule: zeros, ones, full, eye, arange, linspace and their like. */

import { isOptions } from '../../arguments.js';
import { attachMethod, defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions, ShapeError } from '../../errors.js';
import { checkSizes } from '../../shape/dims.js';
import { contiguousStrides, elementCount, type Shape } from '../../shape/layout.js';
import { formatStrides, type MemoryFormat, memoryFormatArgument } from '../../shape/memory-format.js';
import { type DType, type DTypeInfo, defaultFloatInfo, dtypeInfo, FLOAT64, INT64 } from '../../storage/dtype.js';
import { requireInRange } from '../../storage/range.js';
import { allocate, allocateChecked, allocateInFormat, allocateStrided } from '../../tensor/allocate.js';
import { copyInto, fillWith } from '../../tensor/copy.js';
import { checkDevice } from '../../tensor/device.js';
import { integersOf } from '../../tensor/integer.js';
import { Tensor, windowOn } from '../../tensor/tensor.js';
import { isScalar, type Scalar, tensorArgument } from '../core/promotion.js';
import {
  type CreationOptions,
  inferredInfo,
  type NamedData,
  type TensorData,
  type TensorOptions,
  tensor,
} from './creation.js';

const OPTIONS = ['dtype', 'device', 'requiresGrad'] as const;

/** Sizes as numbers, or as integer tensors of one element. */
export type Sizes = readonly (number | Tensor)[];
export interface Sized extends CreationOptions {
  size?: Sizes;
}
interface InFormat extends Sized {
  memoryFormat?: MemoryFormat;
}
/** Arguments of a function of a shape: an array or numbers, then options. */
export type SizeArguments<O extends Sized = Sized> = [size: Sizes | O, options?: O] | (number | Tensor | O)[];

/** Sizes given as an array, as numbers, or as the option `size`, and the options that follow. */
export function sizesAndOptions<O extends Sized = Sized>(
  op: string,
  args: readonly unknown[],
  known: readonly string[] = OPTIONS,
): { size: Shape; options: O } {
  const last = args[args.length - 1];
  const options = (isOptions(last) ? last : {}) as O;
  rejectUnknownOptions(op, options, ['size', ...known]);
  const given = isOptions(last) ? args.slice(0, -1) : args;
  const named = given.length === 0 && options.size !== undefined;
  const list = integersOf(
    named ? asArray(op, options.size) : given.length === 1 && Array.isArray(given[0]) ? (given[0] as unknown[]) : given,
  );
  for (const n of list)
    if (typeof n !== 'number') fail(ArgumentError, op, 'sizes as numbers or one array of numbers', describe(list));
  return { size: list as Shape, options };
}

function asArray(op: string, size: unknown): readonly unknown[] {
  return Array.isArray(size)
    ? size
    : typeof size === 'number'
      ? [size]
      : fail(ArgumentError, op, 'an array of sizes', describe(size));
}

export function infoOf(op: string, dtype: DType | undefined | null, byDefault: DTypeInfo): DTypeInfo {
  return dtype === undefined || dtype === null ? byDefault : dtypeInfo(op, dtype);
}

/** Checks the device and turns gradients on where they are asked for. */
export function finish(op: string, out: Tensor, device: string | undefined, requiresGrad: boolean | undefined): Tensor {
  if (device !== undefined) checkDevice(op, device);
  return requiresGrad ? out.requiresGrad_() : out;
}

function filled(op: string, shape: Shape, value: Scalar | null, info: DTypeInfo): Tensor {
  if (value !== null) requireInRange(op, value, info);
  const out = allocateChecked(op, shape, info);
  if (value !== null) fillWith(out, value);
  return out;
}

/** A fresh tensor like another, with one value everywhere (null leaves it uninitialised). */
function filledLike(
  op: string,
  x: Tensor,
  value: Scalar | null,
  info: DTypeInfo,
  memoryFormat: MemoryFormat | undefined,
): Tensor {
  if (value !== null) requireInRange(op, value, info);
  const out = allocateInFormat(op, x, memoryFormatArgument(op, memoryFormat, 'preserve_format'), info);
  if (value !== null) fillWith(out, value);
  return out;
}

function bySize(op: string, value: Scalar | null) {
  return (...args: SizeArguments): Tensor => {
    const { size, options } = sizesAndOptions(op, args);
    return finish(
      op,
      filled(op, size, value, infoOf(op, options.dtype, defaultFloatInfo())),
      options.device,
      options.requiresGrad,
    );
  };
}
/** A tensor of zeros; the shape as an array or as numbers. torch.zeros */
export const zeros = bySize('zeros', 0);
/** A tensor of ones; the shape as an array or as numbers. torch.ones */
export const ones = bySize('ones', 1);
/**
 * A tensor of uninitialised memory, row-major unless `memoryFormat` says otherwise; the shape as an array or as
 * numbers. torch.empty
 */
export function empty(...args: SizeArguments<InFormat>): Tensor {
  const { size, options } = sizesAndOptions<InFormat>('empty', args, [...OPTIONS, 'memoryFormat']);
  checkSizes('empty', size);
  const strides = formatStrides(
    'empty',
    size,
    memoryFormatArgument('empty', options.memoryFormat, 'contiguous_format'),
  );
  return finish(
    'empty',
    allocateStrided([...size], strides, infoOf('empty', options.dtype, defaultFloatInfo())),
    options.device,
    options.requiresGrad,
  );
}

/** The value as a number, from a number or a tensor of one element. */
function scalarValue(op: string, name: string, value: unknown): Scalar {
  if (value instanceof Tensor && elementCount(value.shape) === 1) return value.item();
  if (isScalar(value)) return value;
  return fail(ArgumentError, op, `a number for ${name}`, describe(value));
}

/**
 * A tensor of one value: float32 for a number, bool for a boolean, int64 for a bigint, unless `dtype` says otherwise.
 * torch.full
 */
export const full = defineFunction(
  { name: 'full', parameters: ['size', 'fillValue', ...OPTIONS] as const, keywords: 3, required: 2, method: false },
  (size: Shape, fillValue: Scalar | Tensor, dtype?: DType, device?: string, requiresGrad?: boolean): Tensor => {
    const value = scalarValue('full', 'fillValue', fillValue);
    if (!Array.isArray(size)) fail(ArgumentError, 'full', 'an array of sizes', describe(size));
    return finish(
      'full',
      filled('full', size, value, infoOf('full', dtype, inferredInfo(value))),
      device,
      requiresGrad,
    );
  },
);

function like(name: string, value: Scalar | null) {
  return defineFunction(
    { name, parameters: ['input', ...OPTIONS, 'memoryFormat'] as const, keywords: 4, method: false },
    (input: Tensor, dtype?: DType, device?: string, requiresGrad?: boolean, memoryFormat?: MemoryFormat): Tensor => {
      const x = tensorArgument(name, 'input', input);
      return finish(name, filledLike(name, x, value, infoOf(name, dtype, x.info), memoryFormat), device, requiresGrad);
    },
  );
}
/** Zeros in the shape, type and layout of a tensor. torch.zeros_like */
export const zerosLike = like('zerosLike', 0);
/** Ones in the shape, type and layout of a tensor. torch.ones_like */
export const onesLike = like('onesLike', 1);
/** Uninitialised memory in the shape, type and layout of a tensor. torch.empty_like */
export const emptyLike = like('emptyLike', null);
/** One value in the shape, type and layout of a tensor. torch.full_like */
export const fullLike = defineFunction(
  {
    name: 'fullLike',
    parameters: ['input', 'fillValue', ...OPTIONS, 'memoryFormat'] as const,
    keywords: 4,
    required: 2,
    method: false,
  },
  (
    input: Tensor,
    fillValue: Scalar | Tensor,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
    memoryFormat?: MemoryFormat,
  ): Tensor => {
    const x = tensorArgument('fullLike', 'input', input);
    return finish(
      'fullLike',
      filledLike(
        'fullLike',
        x,
        scalarValue('fullLike', 'fillValue', fillValue),
        infoOf('fullLike', dtype, x.info),
        memoryFormat,
      ),
      device,
      requiresGrad,
    );
  },
);

/** A matrix with ones on the main diagonal and zeros elsewhere, n x m (m is n by default). torch.eye */
export const eye = defineFunction(
  { name: 'eye', parameters: ['n', 'm', ...OPTIONS] as const, keywords: 3, method: false },
  (n: number, m?: number, dtype?: DType, device?: string, requiresGrad?: boolean): Tensor => {
    const columns = m ?? n;
    const out = filled('eye', [n, columns], 0, infoOf('eye', dtype, defaultFloatInfo()));
    fillWith(windowOn(out, [Math.min(n, columns)], [columns + 1], 0), 1);
    return finish('eye', out, device, requiresGrad);
  },
);

/** Elements of a block of `generated`. */
const BLOCK = 2 ** 14;

/** The values of a function of the index, computed in double precision and then stored as `info`, block by block. */
function generated(op: string, count: number, info: DTypeInfo, value: (i: number) => number): Tensor {
  const out = allocateChecked(op, [count], info);
  const wide = allocate([Math.min(count, BLOCK)], FLOAT64);
  const array = wide.array as Float64Array;
  for (let first = 0; first < count; first += BLOCK) {
    const size = [Math.min(BLOCK, count - first)];
    for (let i = 0; i < size[0]; i++) array[i] = value(first + i);
    copyInto(windowOn(out, size, [1], first), windowOn(wide, size, [1], 0));
  }
  return out;
}

/**
 * start, start + step, ... below end (above it for a negative step). int64 where all three are whole numbers, else the
 * default floating type. torch.arange
 */
export const arange = defineFunction(
  {
    name: 'arange',
    parameters: ['start', 'end', 'step', ...OPTIONS] as const,
    keywords: 3,
    required: 0,
    method: false,
  },
  (
    start?: Scalar | Tensor,
    end?: Scalar | Tensor,
    step?: Scalar | Tensor,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
  ): Tensor => {
    const values = [end === undefined ? 0 : (start ?? 0), end ?? start, step ?? 1].map((v, i) =>
      scalarValue('arange', ['start', 'end', 'step'][i], v),
    );
    const whole =
      values.every((v) => typeof v !== 'number' || Number.isInteger(v)) &&
      ![start, end, step].some((v) => v instanceof Tensor && v.info.floating);
    const info = infoOf('arange', dtype, whole ? INT64 : defaultFloatInfo());
    let [from, to, by] = values.map(Number);
    if (!Number.isFinite(from) || !Number.isFinite(to))
      fail(ArgumentError, 'arange', 'finite bounds', `${from} and ${to}`);
    if (!info.floating) [from, to, by] = [from, to, by].map(Math.trunc);
    if (by === 0 || Number.isNaN(by)) fail(ArgumentError, 'arange', 'a step other than 0', String(by));
    if ((to - from) * by < 0)
      fail(
        ArgumentError,
        'arange',
        'bounds that the step leads from one to the other',
        `${from}, ${to} and step ${by}`,
      );
    return finish(
      'arange',
      generated('arange', Math.ceil((to - from) / by), info, (i) => from + by * i),
      device,
      requiresGrad,
    );
  },
);

/** start to end (included) in `steps` values, computed from the nearer end, in the precision of the type. */
function spaced(
  op: string,
  start: Scalar | Tensor,
  end: Scalar | Tensor,
  steps: number,
  info: DTypeInfo,
  shape: (x: number) => number,
): Tensor {
  const round = info.floating && info !== FLOAT64 ? Math.fround : (x: number): number => x;
  const entry = info.floating ? round : Math.trunc;
  const a = entry(Number(scalarValue(op, 'start', start)));
  const b = entry(Number(scalarValue(op, 'end', end)));
  if (!Number.isInteger(steps) || steps < 0)
    fail(ArgumentError, op, 'a number of steps of at least 0', describe(steps));
  const step = steps > 1 ? round((b - a) / (steps - 1)) : 0;
  const half = Math.floor(steps / 2);
  return generated(op, steps, info, (i) =>
    shape(steps === 1 || i < half ? round(a + round(step * i)) : round(b - round(step * (steps - i - 1)))),
  );
}

/** `steps` values from start to end, both included, at equal distances. torch.linspace */
export const linspace = defineFunction(
  {
    name: 'linspace',
    parameters: ['start', 'end', 'steps', ...OPTIONS] as const,
    keywords: 3,
    required: 3,
    method: false,
  },
  (
    start: Scalar | Tensor,
    end: Scalar | Tensor,
    steps: number,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
  ): Tensor =>
    finish(
      'linspace',
      spaced('linspace', start, end, steps, infoOf('linspace', dtype, defaultFloatInfo()), (x) => x),
      device,
      requiresGrad,
    ),
);

/** base (default 10) to the power of `steps` values from start to end. torch.logspace */
export const logspace = defineFunction(
  {
    name: 'logspace',
    parameters: ['start', 'end', 'steps', 'base', ...OPTIONS] as const,
    keywords: 3,
    required: 3,
    method: false,
  },
  (
    start: Scalar | Tensor,
    end: Scalar | Tensor,
    steps: number,
    base: number = 10,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
  ): Tensor =>
    finish(
      'logspace',
      spaced('logspace', start, end, steps, infoOf('logspace', dtype, defaultFloatInfo()), (x) => base ** x),
      device,
      requiresGrad,
    ),
);

/** A 0-dimensional tensor of the default floating type, unless `dtype` says otherwise. torch.scalar_tensor */
export const scalarTensor = defineFunction(
  { name: 'scalarTensor', parameters: ['s', ...OPTIONS] as const, keywords: 3, method: false },
  (s: Scalar, dtype?: DType, device?: string, requiresGrad?: boolean): Tensor =>
    finish(
      'scalarTensor',
      filled(
        'scalarTensor',
        [],
        scalarValue('scalarTensor', 's', s),
        infoOf('scalarTensor', dtype, defaultFloatInfo()),
      ),
      device,
      requiresGrad,
    ),
);

function strided(op: string, size: Shape, stride: readonly number[], info: DTypeInfo): Tensor {
  checkSizes(op, size);
  if (!Array.isArray(stride) || stride.length !== size.length || stride.some((n) => !Number.isInteger(n) || n < 0))
    fail(ShapeError, op, 'a stride of at least 0 for each size', describe(stride), { size });
  const extent = elementCount(size) === 0 ? 0 : size.reduce((last, n, d) => last + (n - 1) * stride[d], 1);
  return windowOn(allocateChecked(op, [extent], info), [...size], [...stride], 0);
}

/** Uninitialised memory with the given strides (in elements). torch.empty_strided */
export const emptyStrided = defineFunction(
  {
    name: 'emptyStrided',
    parameters: ['size', 'stride', ...OPTIONS] as const,
    keywords: 3,
    required: 2,
    method: false,
  },
  (size: Shape, stride: readonly number[], dtype?: DType, device?: string, requiresGrad?: boolean): Tensor =>
    finish(
      'emptyStrided',
      strided('emptyStrided', size, stride, infoOf('emptyStrided', dtype, defaultFloatInfo())),
      device,
      requiresGrad,
    ),
);

/**
 * Uninitialised memory without gaps whose dimensions lie in memory in the order `physicalLayout`. torch.empty_permuted
 */
export const emptyPermuted = defineFunction(
  {
    name: 'emptyPermuted',
    parameters: ['size', 'physicalLayout', ...OPTIONS] as const,
    keywords: 3,
    required: 2,
    method: false,
  },
  (size: Shape, physicalLayout: readonly number[], dtype?: DType, device?: string, requiresGrad?: boolean): Tensor => {
    if (
      !Array.isArray(physicalLayout) ||
      [...physicalLayout].sort((a, b) => a - b).some((d, i) => d !== i) ||
      physicalLayout.length !== size.length
    )
      fail(ShapeError, 'emptyPermuted', `each dimension of the ${size.length} once`, describe(physicalLayout));
    const lying = contiguousStrides(physicalLayout.map((d) => size[d]));
    const stride = new Array<number>(size.length).fill(0);
    physicalLayout.forEach((d, i) => {
      stride[d] = lying[i];
    });
    return finish(
      'emptyPermuted',
      strided('emptyPermuted', size, stride, infoOf('emptyPermuted', dtype, defaultFloatInfo())),
      device,
      requiresGrad,
    );
  },
);

function newBySize(name: string, value: Scalar | null): void {
  attachMethod(name, (x: Tensor, ...args: unknown[]) => {
    const { size, options } = sizesAndOptions(name, args);
    return finish(
      name,
      filled(name, size, value, infoOf(name, options.dtype, x.info)),
      options.device,
      options.requiresGrad,
    );
  });
}
newBySize('newZeros', 0);
newBySize('newOnes', 1);
newBySize('newEmpty', null);

const newFull = defineFunction(
  {
    name: 'Tensor.newFull',
    parameters: ['input', 'size', 'fillValue', ...OPTIONS] as const,
    keywords: 3,
    required: 3,
    method: 'newFull',
  },
  (
    input: Tensor,
    size: Shape,
    fillValue: Scalar | Tensor,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
  ): Tensor =>
    finish(
      'newFull',
      filled('newFull', size, scalarValue('newFull', 'fillValue', fillValue), infoOf('newFull', dtype, input.info)),
      device,
      requiresGrad,
    ),
);
const newEmptyStrided = defineFunction(
  {
    name: 'Tensor.newEmptyStrided',
    parameters: ['input', 'size', 'stride', ...OPTIONS] as const,
    keywords: 3,
    required: 3,
    method: 'newEmptyStrided',
  },
  (
    input: Tensor,
    size: Shape,
    stride: readonly number[],
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
  ): Tensor =>
    finish(
      'newEmptyStrided',
      strided('newEmptyStrided', size, stride, infoOf('newEmptyStrided', dtype, input.info)),
      device,
      requiresGrad,
    ),
);
attachMethod('newTensor', (x: Tensor, data: TensorData | NamedData, options: TensorOptions = {}) =>
  isOptions(data) ? tensor({ dtype: x.dtype, ...(data as NamedData) }) : tensor(data, { dtype: x.dtype, ...options }),
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /** Zeros of the given shape, in this tensor's type. */
    newZeros(...args: SizeArguments): Tensor;
    newOnes(...args: SizeArguments): Tensor;
    newEmpty(...args: SizeArguments): Tensor;
    newFull: Method<typeof newFull>;
    newEmptyStrided: Method<typeof newEmptyStrided>;
    /** The data as a tensor of this tensor's type. */
    newTensor(data: TensorData | NamedData, options?: TensorOptions): Tensor;
  }
}
