/**
 * What stands on the pickle machine's stack, and how it becomes JavaScript: Python containers keep their identity until
 * the whole pickle is read, then lists become arrays, tuples frozen arrays, dicts objects or Maps.
 */
import { CheckpointError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

export class PyList {
  readonly items: PickleValue[] = [];
}
export class PyTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}
export class PySet {
  readonly items: PickleValue[] = [];
}
export class PyDict {
  readonly entries: [PickleValue, PickleValue][] = [];
  /** Attributes of an OrderedDict, such as a state dict's `_metadata`; null for a plain dict without any. */
  attributes: PyDict | null = null;
  constructor(readonly ordered: boolean) {}
}
/** An allowed name that a pickle may call. It has only the effect written here; nothing is looked up or executed. */
export class PyFunction {
  constructor(
    readonly name: string,
    readonly call: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}
/** An allowed name that only stands for itself: a storage class, a tensor class. */
export class PyName {
  constructor(readonly name: string) {}
}
/**
 * Something of the checkpoint's own making: a storage, which is only valid as an argument, or a dtype, which `plain`
 * stands for as a value.
 */
export class PyOpaque {
  constructor(
    readonly what: string,
    readonly plain: string | null = null,
  ) {}
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Tensor
  | PyList
  | PyTuple
  | PySet
  | PyDict
  | PyFunction
  | PyName
  | PyOpaque;

/** How deep containers may nest. */
export const MAX_DEPTH = 500;

/** A value's kind, for messages. */
export function kindOf(value: PickleValue | undefined): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'None';
  if (value instanceof PyFunction || value instanceof PyName) return value.name;
  if (value instanceof PyOpaque) return value.what;
  if (value instanceof PyList) return 'a list';
  if (value instanceof PyTuple) return 'a tuple';
  if (value instanceof PySet) return 'a set';
  if (value instanceof PyDict) return 'a dict';
  if (value instanceof Tensor) return 'a tensor';
  if (value instanceof Uint8Array) return 'bytes';
  return `a ${typeof value}`;
}

/** Sets an own property, also where its name is `__proto__`. */
function setOwn(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable, configurable: true });
}

/** The JavaScript value of what a pickle describes. Containers that were one stay one, cycles included. */
export function toJavaScript(root: PickleValue): unknown {
  const made = new Map<PickleValue, unknown>();
  const convert = (value: PickleValue, depth: number): unknown => {
    if (depth > MAX_DEPTH)
      throw new CheckpointError(`load: expected containers nested at most ${MAX_DEPTH} deep, got more`);
    if (value instanceof PyOpaque && value.plain !== null) return value.plain;
    if (value instanceof PyFunction || value instanceof PyName || value instanceof PyOpaque)
      throw new CheckpointError(`load: expected a value, got ${kindOf(value)}, which stands for no value here`);
    if (!(value instanceof PyList || value instanceof PyTuple || value instanceof PySet || value instanceof PyDict))
      return value;
    const known = made.get(value);
    if (known !== undefined) return known;
    if (value instanceof PySet) {
      const set = new Set<unknown>();
      made.set(value, set);
      for (const item of value.items) set.add(convert(hashable(item), depth + 1));
      return set;
    }
    if (value instanceof PyDict) return convertDict(value, depth);
    const array: unknown[] = [];
    made.set(value, array);
    for (const item of value.items) array.push(convert(item, depth + 1));
    return value instanceof PyTuple ? Object.freeze(array) : array;
  };
  const convertDict = (dict: PyDict, depth: number): unknown => {
    if (dict.entries.some(([key]) => typeof key !== 'string')) {
      const map = new Map<unknown, unknown>();
      made.set(dict, map);
      for (const [key, value] of dict.entries) map.set(convert(hashable(key), depth + 1), convert(value, depth + 1));
      return map;
    }
    const object: Record<string, unknown> = {};
    made.set(dict, object);
    for (const [key, value] of dict.entries) setOwn(object, key as string, convert(value, depth + 1));
    // Hidden, so that a state dict has only its tensors as keys; `save` writes it back.
    if (dict.ordered)
      setOwn(object, '_metadata', dict.attributes === null ? undefined : metadataOf(dict.attributes, depth), false);
    return object;
  };
  const metadataOf = (attributes: PyDict, depth: number): unknown => {
    const entry = attributes.entries.find(([key]) => key === '_metadata');
    return entry === undefined ? undefined : convert(entry[1], depth + 1);
  };
  return convert(root, 0);
}

/** Python's dict keys and set members are hashable; a list there means a forged file. */
function hashable(key: PickleValue): PickleValue {
  if (key instanceof PyList || key instanceof PyDict || key instanceof PySet)
    throw new CheckpointError(`load: expected a hashable dict key, got ${kindOf(key)}`);
  return key;
}
