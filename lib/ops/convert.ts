/** Conversions of element type and layout, recorded by autograd: `to`, `float`, `contiguous`, `clone`, `detach`. */
import { gradientOperators } from '../autograd/gradient-operators.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { BFLOAT16, BOOL, type DType, type DTypeInfo, dtypeInfo, FLOAT16, FLOAT32, FLOAT64, INT8, INT16, INT32, INT64, isDType, UINT8 } from '../storage/dtype.js';
import { checkDevice, type DeviceName, isDeviceName } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';
import { castTo } from './cast.js';
import { defineFunction, type Method } from './define-function.js';
import { defineOp } from './define-op.js';
import { setRecordedCast } from './promotion.js';

/** y = x in another type; dx = g in x's type (the engine casts it). */
const castOp = defineOp<DTypeInfo, { info: DTypeInfo }>({
  name: 'cast',
  nativeHalf: true,
  infer: (_, info) => ({ info }),
  forward: ({ info }, [x]) => castTo(x, info),
  backward: (_, g) => [g],
});

/** y = x in fresh memory; dx = g. */
const cloneOp = defineOp<void, null>({
  name: 'clone',
  nativeHalf: true,
  infer: () => null,
  forward: (_, [x]) => castTo(x, x.info),
  backward: (_, g) => [g],
});

export function castRecorded(x: Tensor, info: DTypeInfo): Tensor {
  return x.info === info ? x : castOp([x], info);
}
setRecordedCast(castRecorded);
gradientOperators.cast = castRecorded;
gradientOperators.copy = (x) => castTo(x, x.info);

/** A copy in fresh contiguous memory. */
export const clone = defineFunction({ name: 'clone', parameters: ['input'] }, (input: Tensor): Tensor => cloneOp([input], undefined));

/** The tensor itself where its elements lie in row-major order, else a copy in which they do. */
export const contiguous = defineFunction({ name: 'contiguous', parameters: ['input'] }, (input: Tensor): Tensor => (input.contiguousLayout ? input : cloneOp([input], undefined)));

/** The same memory outside of the graph: no gradient flows through it. */
export const detach = defineFunction(
  { name: 'detach', parameters: ['input'] },
  (input: Tensor): Tensor => new Tensor(input.storage, null, input.info, input.shape, input.strides, input.offset, input.contiguousLayout),
);

export interface ToOptions {
  dtype?: DType;
  device?: string;
  copy?: boolean;
}

/**
 * The tensor in another type (or on another device, of which there is only 'cpu'); itself where nothing changes, unless `copy`.
 * Called as to(dtype, nonBlocking, copy), to(device, dtype, nonBlocking, copy) or to(other, nonBlocking, copy). Tensor.to
 */
export const to = defineFunction(
  { name: 'to', parameters: ['input', 'target', 'dtype', 'nonBlocking', 'copy', 'device', 'other'], keywords: 2, kinds: { target: 'any' } },
  (input: Tensor, target?: DType | DeviceName | Tensor, dtype?: DType | boolean, nonBlocking?: boolean, copy?: boolean, device?: string, other?: Tensor): Tensor => {
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
    if (info === input.info) return fresh ? cloneOp([input], undefined) : input;
    return castOp([input], info);
  },
);

function conversion(name: string, info: DTypeInfo) {
  return defineFunction({ name, parameters: ['input'] }, (input: Tensor): Tensor => castRecorded(input, info));
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

declare module '../tensor/tensor.js' {
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
