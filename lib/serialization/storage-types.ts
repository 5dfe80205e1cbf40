/** PyTorch's storage classes and the dtypes that they hold. */
import {
  BFLOAT16,
  BOOL,
  type DTypeInfo,
  FLOAT16,
  FLOAT32,
  FLOAT64,
  INT8,
  INT16,
  INT32,
  INT64,
  UINT8,
} from '../storage/dtype.js';

const TYPED: readonly [string, DTypeInfo][] = [
  ['FloatStorage', FLOAT32],
  ['DoubleStorage', FLOAT64],
  ['LongStorage', INT64],
  ['IntStorage', INT32],
  ['ShortStorage', INT16],
  ['CharStorage', INT8],
  ['ByteStorage', UINT8],
  ['BoolStorage', BOOL],
  ['BFloat16Storage', BFLOAT16],
  ['HalfStorage', FLOAT16],
];

/** dtype of `torch.<name>`. */
export const STORAGE_TYPES: ReadonlyMap<string, DTypeInfo> = new Map(TYPED);
const NAMES: ReadonlyMap<DTypeInfo, string> = new Map(TYPED.map(([name, info]) => [info, name]));

/** The storage class, without its module, that PyTorch writes for a dtype. */
export function storageTypeOf(info: DTypeInfo): string {
  return NAMES.get(info) as string;
}

/** Storage classes of PyTorch whose dtype does not exist here. */
export const UNSUPPORTED_STORAGES: readonly string[] = [
  'ComplexFloatStorage',
  'ComplexDoubleStorage',
  'QUInt8Storage',
  'QInt8Storage',
  'QInt32Storage',
  'QUInt4x2Storage',
  'QUInt2x4Storage',
];
