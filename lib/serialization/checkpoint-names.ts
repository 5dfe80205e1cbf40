/**
 * The fixed table of names that a checkpoint may use, and what each does: rebuild a tensor, a parameter, a container, a
 * byte string. A name that is not here is refused by name. It knows the checkpoint's storages only as the loader hands
 * them over.
 */
import { CheckpointError } from '../errors.js';
import { Parameter } from '../nn/parameter.js';
import { elementCount, isContiguous } from '../shape/layout.js';
import { DTYPES, type DTypeInfo } from '../storage/dtype.js';
import type { Storage } from '../storage/storage.js';
import { Tensor } from '../tensor/tensor.js';
import {
  kindOf,
  type PickleValue,
  PyDict,
  PyFunction,
  PyList,
  PyName,
  PyOpaque,
  PySet,
  PyTuple,
} from './pickle-values.js';
import { STORAGE_TYPES, UNSUPPORTED_STORAGES } from './storage-types.js';

const MAX_DIMENSIONS = 64;

/** A record of the archive as memory: shared by every tensor that names it. */
export class LoadedStorage extends PyOpaque {
  constructor(
    readonly key: string,
    readonly storage: Storage,
    /** The storage's own type, or null for untyped bytes. */
    readonly info: DTypeInfo | null,
  ) {
    super(`storage ${key}`);
  }
}

function refuse(what: string, got: string): CheckpointError {
  return new CheckpointError(`load: expected ${what}, got ${got}`);
}

function argument(args: readonly PickleValue[], index: number, name: string): PickleValue {
  if (index >= args.length) throw refuse(`${index + 1} arguments for ${name}`, String(args.length));
  return args[index];
}

function naturals(value: PickleValue, what: string): number[] {
  const items = value instanceof PyTuple || value instanceof PyList ? value.items : null;
  if (items === null) throw refuse(`a tuple as a tensor's ${what}`, kindOf(value));
  if (items.length > MAX_DIMENSIONS)
    throw refuse(`at most ${MAX_DIMENSIONS} dimensions in a tensor's ${what}`, String(items.length));
  return items.map((item) => natural(item, what));
}

function natural(item: PickleValue, what: string): number {
  if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0)
    throw refuse(
      `whole numbers of at least 0 in a tensor's ${what}`,
      typeof item === 'number' ? String(item) : kindOf(item),
    );
  return item;
}

/** The window on a storage, checked against its bounds. */
function windowOf(
  storage: PickleValue,
  offset: PickleValue,
  size: PickleValue,
  stride: PickleValue,
  given?: DTypeInfo,
): Tensor {
  if (!(storage instanceof LoadedStorage)) throw refuse("a storage as a tensor's memory", kindOf(storage));
  const info = given ?? storage.info;
  if (info === null) throw refuse('a dtype for untyped bytes', 'none');
  const shape = naturals(size, 'size');
  const strides = naturals(stride, 'stride');
  const start = natural(offset, 'offset');
  if (shape.length !== strides.length)
    throw refuse('one stride a dimension', `${strides.length} strides for [${shape}]`);
  const count = elementCount(shape);
  if (!Number.isSafeInteger(count)) throw refuse('a tensor whose elements can be counted', `[${shape}]`);
  const available = Math.floor(storage.storage.byteLength / info.bytes);
  const last = count === 0 ? start - 1 : shape.reduce((sum, n, d) => sum + (n - 1) * strides[d], start);
  if (last >= available || start > available)
    throw refuse(
      `a tensor inside storage ${storage.key} of ${available} elements`,
      `[${shape}] with strides [${strides}] from ${start} on`,
    );
  return new Tensor(storage.storage, null, info, Object.freeze(shape), strides, start, isContiguous(shape, strides));
}

function withGrad<T extends Tensor>(tensor: T, requiresGrad: PickleValue): T {
  if (typeof requiresGrad !== 'boolean') throw refuse('a boolean as requires_grad', kindOf(requiresGrad));
  if (requiresGrad && !tensor.info.differentiable)
    throw refuse('requires_grad on floating tensors alone', tensor.dtype);
  return requiresGrad ? tensor.requiresGrad_() : tensor;
}

/** Conjugate and negative bits change what the memory means; there is neither here. */
function checkMetadata(metadata: PickleValue | undefined): void {
  if (metadata instanceof PyDict && metadata.entries.some(([, value]) => value !== false))
    throw refuse('a tensor without conjugate or negative bit', 'one with such metadata');
}

function parameterOf(data: PickleValue, requiresGrad: PickleValue): Parameter {
  if (!(data instanceof Tensor)) throw refuse("a tensor as a parameter's data", kindOf(data));
  if (typeof requiresGrad !== 'boolean') throw refuse('a boolean as requires_grad', kindOf(requiresGrad));
  if (requiresGrad && !data.info.differentiable) throw refuse('requires_grad on floating parameters alone', data.dtype);
  return new Parameter(data, requiresGrad);
}

/** A dtype of PyTorch, by its short name. */
class PyDType extends PyOpaque {
  constructor(readonly info: DTypeInfo) {
    super(`torch.${info.name}`, info.name);
  }
}

function bytesOf(args: readonly PickleValue[], name: string): Uint8Array {
  if (args.length === 0) return new Uint8Array(0);
  const [data, encoding] = args;
  if (data instanceof Uint8Array) return data.slice();
  if (typeof data === 'string' && (encoding === undefined || encoding === 'latin1' || encoding === 'latin-1'))
    return new Uint8Array(Buffer.from(data, 'latin1'));
  throw refuse(`text in latin1 for ${name}`, kindOf(data));
}

/** (key, value) pairs, as OrderedDict is called with by old files. */
function dictOf(args: readonly PickleValue[]): PyDict {
  const dict = new PyDict(true);
  if (args.length === 0) return dict;
  const source = args[0];
  if (source instanceof PyDict) dict.entries.push(...source.entries);
  else if (source instanceof PyList)
    for (const pair of source.items) {
      const items = pair instanceof PyList || pair instanceof PyTuple ? pair.items : [];
      if (items.length !== 2) throw refuse('pairs for an OrderedDict', kindOf(pair));
      dict.entries.push([items[0], items[1]]);
    }
  else throw refuse('pairs for an OrderedDict', kindOf(source));
  return dict;
}

function setOf(args: readonly PickleValue[]): PySet {
  const set = new PySet();
  const source = args[0];
  if (source instanceof PyList || source instanceof PyTuple) set.items.push(...source.items);
  else if (source !== undefined) throw refuse('a list for a set', kindOf(source));
  return set;
}

function deviceOf(args: readonly PickleValue[]): string {
  const [type, index] = args;
  if (typeof type !== 'string') throw refuse('a name for torch.device', kindOf(type));
  return typeof index === 'number' ? `${type}:${index}` : type;
}

const FUNCTIONS: Readonly<Record<string, (args: readonly PickleValue[], name: string) => PickleValue>> = {
  'collections.OrderedDict': dictOf,
  'torch.Size': ([items]) => new PyTuple(items instanceof PyTuple || items instanceof PyList ? [...items.items] : []),
  'torch.device': deviceOf,
  'builtins.set': setOf,
  'builtins.bytearray': bytesOf,
  '_codecs.encode': bytesOf,
  'torch._utils._rebuild_tensor': (args, name) =>
    windowOf(args[0], argument(args, 1, name), argument(args, 2, name), argument(args, 3, name)),
  'torch._utils._rebuild_tensor_v2': (args, name) => {
    checkMetadata(args[6]);
    return withGrad(
      windowOf(args[0], argument(args, 1, name), argument(args, 2, name), argument(args, 3, name)),
      argument(args, 4, name),
    );
  },
  'torch._utils._rebuild_tensor_v3': (args, name) => {
    checkMetadata(args[7]);
    const dtype = argument(args, 6, name);
    if (!(dtype instanceof PyDType)) throw refuse(`a dtype for ${name}`, kindOf(dtype));
    return withGrad(windowOf(args[0], args[1], args[2], args[3], dtype.info), args[4]);
  },
  'torch._utils._rebuild_parameter': (args, name) => parameterOf(args[0], argument(args, 1, name)),
  // The state is a Python object's attributes, for which there is no place here.
  'torch._utils._rebuild_parameter_with_state': (args, name) => parameterOf(args[0], argument(args, 1, name)),
  'torch._tensor._rebuild_from_type_v2': (args, name) => {
    const [rebuild, type, inner] = [args[0], argument(args, 1, name), argument(args, 2, name)];
    if (!(rebuild instanceof PyFunction) || !/^torch\._utils\._rebuild_(tensor|parameter)/.test(rebuild.name))
      throw refuse('a rebuilding function of torch._utils', kindOf(rebuild));
    if (!(type instanceof PyName) || !TENSOR_CLASSES.includes(type.name))
      throw refuse('torch.Tensor or torch.nn.parameter.Parameter', kindOf(type));
    if (!(inner instanceof PyTuple)) throw refuse(`a tuple as arguments of ${rebuild.name}`, kindOf(inner));
    const tensor = rebuild.call(inner.items);
    return type.name === 'torch.Tensor' || tensor instanceof Parameter
      ? tensor
      : parameterOf(tensor, (tensor as Tensor).requiresGrad);
  },
};

const TENSOR_CLASSES: readonly string[] = ['torch.Tensor', 'torch.nn.parameter.Parameter'];

/** Of PyTorch, but for something that does not exist here: refused with the reason. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  'torch._utils._rebuild_sparse_tensor': 'sparse tensors',
  'torch._utils._rebuild_qtensor': 'quantized tensors',
  'torch._utils._rebuild_nested_tensor': 'nested tensors',
  'torch._utils._rebuild_meta_tensor_no_storage': 'meta tensors',
  'torch._utils._rebuild_wrapper_subclass': 'tensor subclasses',
  'torch._utils._rebuild_device_tensor_from_numpy': 'tensors of other devices',
  'torch._utils._rebuild_device_tensor_from_cpu_tensor': 'tensors of other devices',
  'builtins.complex': 'complex numbers',
  ...Object.fromEntries(UNSUPPORTED_STORAGES.map((name) => [`torch.${name}`, 'complex and quantized dtypes'])),
  ...Object.fromEntries(
    [
      'complex32',
      'complex64',
      'complex128',
      'uint16',
      'uint32',
      'uint64',
      'float8_e4m3fn',
      'float8_e5m2',
      'float8_e4m3fnuz',
      'float8_e5m2fnuz',
      'float8_e8m0fnu',
    ].map((name) => [`torch.${name}`, 'this dtype']),
  ),
};

const PYTHON2_MODULES: ReadonlyMap<string, string> = new Map([['__builtin__', 'builtins']]);

/** The storage class of a persistent id: its dtype, or null for untyped bytes. */
export function storageInfoOf(type: PickleValue): DTypeInfo | null {
  if (type instanceof PyName) {
    if (type.name === 'torch.storage.UntypedStorage') return null;
    const info = STORAGE_TYPES.get(type.name.replace(/^torch\./, ''));
    if (info !== undefined) return info;
  }
  throw refuse('a storage class in a persistent id', kindOf(type));
}

const table = new Map<string, PickleValue>();
for (const [name, call] of Object.entries(FUNCTIONS)) table.set(name, new PyFunction(name, (args) => call(args, name)));
for (const name of [
  ...TENSOR_CLASSES,
  'torch.storage.UntypedStorage',
  ...[...STORAGE_TYPES.keys()].map((type) => `torch.${type}`),
])
  table.set(name, new PyName(name));
for (const info of DTYPES) table.set(`torch.${info.name}`, new PyDType(info));

/** The value of a name in the table; CheckpointError for any other. */
export function resolveName(module: string, name: string): PickleValue {
  const full = `${PYTHON2_MODULES.get(module) ?? module}.${name}`;
  const value = table.get(full);
  if (value !== undefined) return value;
  if (Object.hasOwn(UNSUPPORTED, full))
    throw new CheckpointError(
      `load: expected a checkpoint of what exists here, got ${full}: ${UNSUPPORTED[full]} are not supported`,
    );
  throw new CheckpointError(
    `load: expected names that checkpoints are made of, got ${full}, which is not in the fixed table of ` +
      'allowed names; nothing was executed',
  );
}
