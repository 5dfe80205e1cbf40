/**
 * Writes values as a pickle of protocol 2, in the words that `torch.load(weights_only=True)` allows. Tensors name their
 * storages, whose bytes go elsewhere. It knows nothing of zip or files.
 */

import { isOptions } from '../arguments.js';
import { ArgumentError, CheckpointError, describe } from '../errors.js';
import { Parameter } from '../nn/parameter.js';
import type { DTypeInfo } from '../storage/dtype.js';
import type { Storage } from '../storage/storage.js';
import { Tensor } from '../tensor/tensor.js';
import { GrowingBytes } from './growing-bytes.js';
import { MAX_DEPTH } from './pickle-values.js';
import { storageTypeOf } from './storage-types.js';

/** A storage that the pickle names, to be written as record `data/<its index>`. */
export interface SavedStorage {
  readonly storage: Storage;
  readonly info: DTypeInfo;
  /** The storage's whole elements. */
  readonly count: number;
}

const MARK = 0x28;
const EMPTY_TUPLE = 0x29;
const TUPLE = 0x74;
const REDUCE = 0x52;

export class PickleWriter {
  /** In the order of their keys. */
  readonly storages: SavedStorage[] = [];
  private readonly out = new GrowingBytes();
  private readonly keys = new Map<Storage, number>();
  /**
   * Strings and containers that were written, by their place in the memo; names apart, since a string may look like
   * one.
   */
  private readonly memo = new Map<unknown, number>();
  private readonly names = new Map<string, number>();
  private readonly open = new Set<object>();
  private memoSize = 0;
  /** Where in the value we are, for messages. */
  private readonly path: string[] = [];

  /** The pickle of a value. Throws ArgumentError for a value that a checkpoint cannot hold, naming its place. */
  write(value: unknown): Buffer {
    this.out.byte(0x80);
    this.out.byte(2);
    this.value(value);
    this.out.byte(0x2e);
    return this.out.done();
  }

  private place(): string {
    return this.path.length === 0 ? 'the value itself' : this.path.join('');
  }
  private refuse(expected: string, got: string): ArgumentError {
    return new ArgumentError(`save: expected ${expected}, got ${got} (at ${this.place()})`);
  }

  private memoize(key: unknown): void {
    this.memo.set(key, this.memoSize);
    this.put();
  }
  private put(): void {
    const index = this.memoSize++;
    if (index < 256) {
      this.out.byte(0x71);
      this.out.byte(index);
    } else {
      this.out.byte(0x72);
      this.out.uint32(index);
    }
  }
  /** Writes a reference to what was written before; false where it was not. */
  private recall(index: number | undefined): boolean {
    if (index === undefined) return false;
    if (index < 256) {
      this.out.byte(0x68);
      this.out.byte(index);
    } else {
      this.out.byte(0x6a);
      this.out.uint32(index);
    }
    return true;
  }

  private global(module: string, name: string): void {
    const line = `${module}\n${name}\n`;
    if (this.recall(this.names.get(line))) return;
    this.out.byte(0x63);
    this.out.raw(Buffer.from(line, 'latin1'));
    this.names.set(line, this.memoSize);
    this.put();
  }

  private string(text: string): void {
    if (this.recall(this.memo.get(text))) return;
    if (/\p{Surrogate}/u.test(text)) throw this.refuse('well-formed text', 'half of a surrogate pair');
    const bytes = Buffer.from(text, 'utf8');
    this.out.byte(0x58);
    this.out.uint32(bytes.length);
    this.out.raw(bytes);
    this.memoize(text);
  }

  private integer(value: number | bigint): void {
    if (value >= -0x80000000 && value <= 0x7fffffff) {
      const small = Number(value);
      if (small >= 0 && small < 256) {
        this.out.byte(0x4b);
        this.out.byte(small);
      } else if (small >= 0 && small < 65536) {
        this.out.byte(0x4d);
        this.out.uint16(small);
      } else {
        this.out.byte(0x4a);
        this.out.int32(small);
      }
      return;
    }
    const bytes = longBytes(BigInt(value));
    if (bytes.length > 255) throw this.refuse('an integer of at most 255 bytes', `one of ${bytes.length}`);
    this.out.byte(0x8a);
    this.out.byte(bytes.length);
    this.out.raw(bytes);
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value);
    else {
      this.out.byte(0x47);
      this.out.double(value);
    }
  }

  private bytes(bytes: Uint8Array): void {
    this.global('_codecs', 'encode');
    this.string(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'));
    this.string('latin1');
    this.out.byte(0x86);
    this.out.byte(REDUCE);
    this.memoize(bytes);
  }

  private value(value: unknown): void {
    if (value === null || value === undefined) this.out.byte(0x4e);
    else if (value === true) this.out.byte(0x88);
    else if (value === false) this.out.byte(0x89);
    else if (typeof value === 'number') this.number(value);
    else if (typeof value === 'bigint') this.integer(value);
    else if (typeof value === 'string') this.string(value);
    else if (typeof value === 'object') this.object(value);
    else throw this.unknown(value as symbol);
  }

  private object(value: object): void {
    if (this.recall(this.memo.get(value))) return;
    if (this.path.length > MAX_DEPTH)
      throw new ArgumentError(`save: expected containers nested at most ${MAX_DEPTH} deep, got more`);
    if (value instanceof Tensor) this.tensor(value);
    else if (Array.isArray(value)) this.array(value);
    else if (value instanceof Map) this.dict([...value], value, false);
    else if (value instanceof Set) this.set(value);
    else if (value instanceof Uint8Array) this.bytes(value);
    else if (isOptions(value)) this.plainObject(value);
    else throw this.unknown(value);
  }

  private unknown(value: object | symbol): ArgumentError {
    const cure =
      typeof value === 'symbol'
        ? ''
        : 'stateDict' in value
          ? '; save its stateDict()'
          : ArrayBuffer.isView(value)
            ? '; make it a tensor'
            : '';
    return this.refuse(
      'plain objects, arrays, Maps, Sets, tensors, bytes, numbers, strings, booleans or null',
      `${describe(value)}${cure}`,
    );
  }

  private inside(key: string, value: unknown): void {
    this.path.push(key);
    this.value(value);
    this.path.pop();
  }

  private array(items: readonly unknown[]): void {
    if (Object.isFrozen(items)) {
      this.tuple(items);
      return;
    }
    this.out.byte(0x5d);
    this.memoize(items);
    if (items.length === 0) return;
    this.out.byte(MARK);
    for (let i = 0; i < items.length; i++) this.inside(`[${i}]`, items[i]);
    this.out.byte(0x65);
  }

  /** A tuple is written before it is in the memo, so it cannot hold itself. */
  private tuple(items: readonly unknown[]): void {
    if (this.open.has(items)) throw this.refuse('frozen arrays (tuples) that do not hold themselves', 'one that does');
    if (items.length === 0) {
      this.out.byte(EMPTY_TUPLE);
      return;
    }
    this.open.add(items);
    if (items.length > 3) this.out.byte(MARK);
    for (let i = 0; i < items.length; i++) this.inside(`[${i}]`, items[i]);
    this.open.delete(items);
    this.out.byte(items.length > 3 ? TUPLE : 0x84 + items.length);
    this.memoize(items);
  }

  private set(items: ReadonlySet<unknown>): void {
    if (this.open.has(items)) throw this.refuse('Sets that do not hold themselves', 'one that does');
    this.open.add(items);
    this.global('__builtin__', 'set');
    this.out.byte(0x5d);
    this.put();
    this.out.byte(MARK);
    for (const item of items) {
      this.checkKey(item, 'set member');
      this.inside('{}', item);
    }
    this.out.byte(0x65);
    this.out.byte(0x85);
    this.out.byte(REDUCE);
    this.open.delete(items);
    this.memoize(items);
  }

  /** Python's keys must be hashable. */
  private checkKey(key: unknown, what: string): void {
    const plain =
      key === null || ['string', 'number', 'bigint', 'boolean'].includes(typeof key) || key instanceof Uint8Array;
    if (!plain && !(Array.isArray(key) && Object.isFrozen(key)))
      throw this.refuse(`a string, number, boolean, null, bytes or frozen array as ${what}`, describe(key));
  }

  private dict(entries: readonly [unknown, unknown][], identity: object, ordered: boolean): void {
    if (ordered) this.orderedDict();
    else this.out.byte(0x7d);
    this.memoize(identity);
    if (entries.length === 0) return;
    this.out.byte(MARK);
    for (const [key, value] of entries) {
      this.checkKey(key, 'dict key');
      this.value(key);
      this.inside(typeof key === 'string' ? `.${key}` : `[${String(key)}]`, value);
    }
    this.out.byte(0x75);
  }

  private orderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.out.byte(EMPTY_TUPLE);
    this.out.byte(REDUCE);
  }

  /** An object with a hidden `_metadata`, as `load` makes of a module's state dict, is an OrderedDict again. */
  private plainObject(object: Record<string, unknown>): void {
    const hidden = Object.getOwnPropertyDescriptor(object, '_metadata');
    const ordered = hidden !== undefined && !hidden.enumerable;
    this.dict(Object.entries(object), object, ordered);
    if (!ordered || hidden.value === undefined) return;
    this.out.byte(0x7d);
    this.put();
    this.string('_metadata');
    this.inside('._metadata', hidden.value);
    this.out.byte(0x73);
    this.out.byte(0x62);
  }

  private tensor(x: Tensor): void {
    if (x instanceof Parameter) {
      // _rebuild_parameter(data, requires_grad, backward_hooks)
      this.global('torch._utils', '_rebuild_parameter');
      this.out.byte(MARK);
      this.rebuildTensor(x, false);
      this.out.byte(x.requiresGrad ? 0x88 : 0x89);
      this.orderedDict();
      this.put();
      this.out.byte(TUPLE);
      this.out.byte(REDUCE);
    } else this.rebuildTensor(x, x.requiresGrad);
    this.memoize(x);
  }

  /** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks) */
  private rebuildTensor(x: Tensor, requiresGrad: boolean): void {
    const { out } = this;
    this.global('torch._utils', '_rebuild_tensor_v2');
    out.byte(MARK);
    this.persistentId(x);
    this.integer(x.offset);
    this.sizes(x.shape);
    this.sizes(x.strides);
    out.byte(requiresGrad ? 0x88 : 0x89);
    this.orderedDict();
    this.put();
    out.byte(TUPLE);
    out.byte(REDUCE);
  }

  private sizes(values: readonly number[]): void {
    if (values.length === 0) {
      this.out.byte(EMPTY_TUPLE);
      return;
    }
    if (values.length > 3) this.out.byte(MARK);
    for (const value of values) this.integer(value);
    this.out.byte(values.length > 3 ? TUPLE : 0x84 + values.length);
  }

  /** ('storage', class, key, location, number of elements) */
  private persistentId(x: Tensor): void {
    let key = this.keys.get(x.storage.origin);
    if (key === undefined) {
      key = this.storages.length;
      this.keys.set(x.storage.origin, key);
      this.storages.push({ storage: x.storage, info: x.info, count: Math.floor(x.storage.byteLength / x.info.bytes) });
    }
    const saved = this.storages[key];
    if (saved.info !== x.info)
      throw new CheckpointError(
        'save: expected one dtype for each storage, got tensors that view the same memory as ' +
          `${saved.info.name} and as ${x.dtype} (at ${this.place()})`,
      );
    this.out.byte(MARK);
    this.string('storage');
    this.global('torch', storageTypeOf(x.info));
    this.string(String(key));
    this.string('cpu');
    this.integer(saved.count);
    this.out.byte(TUPLE);
    this.out.byte(0x51);
  }
}

/** The shortest little-endian two's complement of an integer. */
function longBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = Number(rest & 0xffn);
    bytes.push(byte);
    rest >>= 8n;
    if ((rest === 0n && byte < 0x80) || (rest === -1n && byte >= 0x80)) return Uint8Array.from(bytes);
  }
}
