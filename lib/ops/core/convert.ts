/** Conversions of element type and layout, recorded by autograd: `to`, `float`, `contiguous`, `clone`, `detach`. */

import { gradientOperators } from '../../autograd/gradient-operators.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { isDense } from '../../shape/layout.js';
import { followsFormat, type MemoryFormat, memoryFormatArgument, suggestedFormat } from '../../shape/memory-format.js';
import {
  BFLOAT16,
  BOOL,
  type DType,
  type DTypeInfo,
  dtypeInfo,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  isDType,
  UINT8,
} from '../../storage/dtype.js';
import { allocateLike, allocateStrided } from '../../tensor/allocate.js';
import { castInFormat, castOperand, copyInto } from '../../tensor/copy.js';
import { checkDevice, type DeviceName, isDeviceName } from '../../tensor/device.js';
import { Tensor } from '../../tensor/tensor.js';

interface Conversion {
  readonly info: DTypeInfo;
  /** Null for an operand: as the source, its repeated dimensions included. */
  readonly format: MemoryFormat | null;
}

/** y = x in another type; dx = g in x's type (the engine casts it). */
const castOp = defineOp<Conversion, Conversion>({
  name: 'cast',
  nativeHalf: true,
  infer: (_, conversion) => conversion,
  forward: ({ info, format }, [x]) => (format === null ? castOperand(x, info) : castInFormat('to', x, info, format)),
  backward: (_, g) => [g],
});

/** y = x in fresh memory; dx = g. */
const cloneOp = defineOp<MemoryFormat, MemoryFormat>({
  name: 'clone',
  nativeHalf: true,
  infer: (_, format) => format,
  forward: (format, [x]) => castInFormat('clone', x, x.info, format),
  backward: (_, g) => [g],
});

export function castRecorded(x: Tensor, info: DTypeInfo): Tensor {
  return x.info === info ? x : castOp([x], { info, format: 'preserve_format' });
}
/** An operand in the type of its operator, recorded. The layout of the copy is whichever is fastest. */
export function castOperandRecorded(x: Tensor, info: DTypeInfo): Tensor {
  return castOp([x], { info, format: null });
}
/** A 16-bit tensor in float32, in which rules of several steps are computed; any other as it is. */
export function wide(x: Tensor): Tensor {
  return x.info.half ? castRecorded(x, FLOAT32) : x;
}
gradientOperators.copyFor = (leaf, gradient) => {
  const out = isDense(leaf.shape, leaf.strides)
    ? allocateStrided(leaf.shape, leaf.strides, gradient.info)
    : allocateLike(gradient);
  copyInto(out, gradient);
  return out;
};
gradientOperators.cast = castRecorded;

/**
 * A copy in fresh memory, without gaps. `memoryFormat` is 'preserve_format' by default: the order of the dimensions in
 * memory stays. torch.clone
 */
export const clone = defineFunction(
  { name: 'clone', parameters: ['input', 'memoryFormat'], keywords: 1 },
  (input: Tensor, memoryFormat?: MemoryFormat): Tensor =>
    cloneOp([input], memoryFormatArgument('clone', memoryFormat, 'preserve_format')),
);

/**
 * The tensor itself where its elements lie in the order of `memoryFormat` (row-major by default), else a copy in which
 * they do. Tensor.contiguous
 */
export const contiguous = defineFunction(
  { name: 'contiguous', parameters: ['input', 'memoryFormat'], keywords: 1 },
  (input: Tensor, memoryFormat?: MemoryFormat): Tensor => {
    const format = memoryFormatArgument('contiguous', memoryFormat, 'contiguous_format');
    if (followsFormat(input.shape, input.strides, format)) return input;
    if (format === 'preserve_format') fail(ArgumentError, 'contiguous', 'a memoryFormat that names an order', format);
    return cloneOp([input], format);
  },
);

/** The same memory outside of the graph: no gradient flows through it. */
export const detach = defineFunction(
  { name: 'detach', parameters: ['input'] },
  (input: Tensor): Tensor =>
    new Tensor(input.storage, null, input.info, input.shape, input.strides, input.offset, input.contiguousLayout),
);

export interface ToOptions {
  dtype?: DType;
  device?: string;
  copy?: boolean;
  /** Default 'preserve_format'. */
  memoryFormat?: MemoryFormat;
}

/**
 * The tensor in another type (or on another device, of which there is only 'cpu') or memory format; itself where
 * nothing changes, unless `copy`. Called as to(dtype, nonBlocking, copy), to(device, dtype, nonBlocking, copy) or
 * to(other, nonBlocking, copy). Tensor.to
 */
export const to = defineFunction(
  {
    name: 'to',
    parameters: ['input', 'target', 'dtype', 'nonBlocking', 'copy', 'device', 'other', 'memoryFormat'],
    keywords: 3,
    kinds: { target: 'any' },
  },
  (
    input: Tensor,
    target?: DType | DeviceName | Tensor,
    dtype?: DType | boolean,
    nonBlocking?: boolean,
    copy?: boolean,
    device?: string,
    other?: Tensor,
    memoryFormat?: MemoryFormat,
  ): Tensor => {
    if (device !== undefined) checkDevice('to', device);
    const model = target ?? other;
    let fresh = copy;
    let info = input.info;
    if (model instanceof Tensor || isDType(model)) {
      info = model instanceof Tensor ? model.info : dtypeInfo('to', model);
      // Here the flags come one place earlier.
      if (typeof dtype === 'boolean') fresh = nonBlocking ?? copy;
    } else if (typeof dtype === 'string') info = dtypeInfo('to', dtype);
    if (model !== undefined && !(model instanceof Tensor) && !isDType(model)) {
      if (typeof model !== 'string') fail(ArgumentError, 'to', 'a dtype, a device or a tensor', describe(model));
      if (isDeviceName(model)) checkDevice('to', model);
      else dtypeInfo('to', model as DType);
    }
    const format = memoryFormatArgument('to', memoryFormat, 'preserve_format');
    if (info !== input.info) return castOp([input], { info, format });
    const kept = format === 'preserve_format' || format === suggestedFormat(input.shape, input.strides);
    return fresh || !kept ? cloneOp([input], format) : input;
  },
);

function conversion(name: string, info: DTypeInfo) {
  return defineFunction(
    { name, parameters: ['input', 'memoryFormat'], keywords: 1 },
    (input: Tensor, memoryFormat?: MemoryFormat): Tensor =>
      memoryFormat === undefined ? castRecorded(input, info) : to(input, info.name, { memoryFormat }),
  );
}
export const float = conversion('float', FLOAT32);
export const double = conversion('double', FLOAT64);
export const half = conversion('half', FLOAT16);
export const bfloat16 = conversion('bfloat16', BFLOAT16);
export const long = conversion('long', INT64);
export const int = conversion('int', INT32);
export const short = conversion('short', INT16);
export const char = conversion('char', INT8);
export const byte = conversion('byte', UINT8);
export const bool = conversion('bool', BOOL);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    clone: Method<typeof clone>;
    contiguous: Method<typeof contiguous>;
    detach: Method<typeof detach>;
    to: Method<typeof to>;
    float: Method<typeof float>;
    double: Method<typeof double>;
    half: Method<typeof half>;
    bfloat16: Method<typeof bfloat16>;
    long: Method<typeof long>;
    int: Method<typeof int>;
    short: Method<typeof short>;
    char: Method<typeof char>;
    byte: Method<typeof byte>;
    bool: Method<typeof bool>;
  }
}
