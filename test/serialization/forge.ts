/**
 * Checkpoints made byte by byte, also such as nobody should: a pickle assembler and a zip packer that obey every wish.
 */
import { crc32 } from 'node:zlib';

const text = (value: string): Buffer => Buffer.from(value, 'utf8');
const bytesOf = (...values: number[]): Buffer => Buffer.from(values);

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Pickle instructions. */
export const op = {
  global: (module: string, name: string): Buffer => Buffer.concat([text('c'), text(`${module}\n${name}\n`)]),
  string: (value: string): Buffer => Buffer.concat([text('X'), uint32(text(value).length), text(value)]),
  int: (value: number): Buffer => Buffer.concat([text('J'), uint32(value >>> 0)]),
  long: (...values: number[]): Buffer => bytesOf(0x8a, values.length, ...values),
  put: (index: number): Buffer => bytesOf(0x71, index),
  get: (index: number): Buffer => bytesOf(0x68, index),
  mark: text('('),
  tuple: text('t'),
  tuple1: bytesOf(0x85),
  tuple2: bytesOf(0x86),
  emptyTuple: text(')'),
  emptyList: text(']'),
  append: text('a'),
  appends: text('e'),
  emptyDict: text('}'),
  setItem: text('s'),
  reduce: text('R'),
  build: text('b'),
  newObject: bytesOf(0x81),
  persistent: text('Q'),
  none: text('N'),
  true: bytesOf(0x88),
  false: bytesOf(0x89),
} as const;

/** A whole pickle of protocol 2. */
export function pickle(...parts: Buffer[]): Buffer {
  return Buffer.concat([bytesOf(0x80, 2), ...parts, text('.')]);
}

/** ('storage', torch.<type>, key, 'cpu', count) as persistent id. */
export function storage(type: string, key: string, count: number): Buffer {
  return Buffer.concat([
    op.mark,
    op.string('storage'),
    op.global('torch', type),
    op.string(key),
    op.string('cpu'),
    op.int(count),
    op.tuple,
    op.persistent,
  ]);
}

function sizes(values: readonly (number | Buffer)[]): Buffer {
  return Buffer.concat([
    op.mark,
    ...values.map((value) => (typeof value === 'number' ? op.int(value) : value)),
    op.tuple,
  ]);
}

interface ForgedTensor {
  storage?: Buffer;
  offset?: number;
  size?: readonly (number | Buffer)[];
  stride?: readonly (number | Buffer)[];
  requiresGrad?: Buffer;
}

/** A call of _rebuild_tensor_v2: by default four float32 in one row. */
export function tensorOf({
  storage: memory = storage('FloatStorage', '0', 4),
  offset = 0,
  size = [4],
  stride = [1],
  requiresGrad = op.false,
}: ForgedTensor = {}): Buffer {
  const hooks = Buffer.concat([op.global('collections', 'OrderedDict'), op.emptyTuple, op.reduce]);
  return Buffer.concat([
    op.global('torch._utils', '_rebuild_tensor_v2'),
    op.mark,
    memory,
    op.int(offset),
    sizes(size),
    sizes(stride),
    requiresGrad,
    hooks,
    op.tuple,
    op.reduce,
  ]);
}

/** One entry of an archive; what is given departs from the truth. */
export interface Entry {
  name: string;
  data: Uint8Array;
  localName?: string;
  crc?: number;
  size?: number;
  stored?: number;
  method?: number;
  flags?: number;
  offset?: number;
  /** Extra fields of the directory. */
  extra?: Uint8Array;
}

interface Archive {
  comment?: string;
  entries?: number;
  directoryOffset?: number;
  directoryBytes?: number;
}

/** A zip archive of stored entries, without any 64-bit records. */
export function zip(entries: readonly Entry[], forged: Archive = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = text(entry.name);
    const localName = text(entry.localName ?? entry.name);
    const crc = entry.crc ?? crc32(entry.data);
    const size = entry.size ?? entry.data.length;
    const stored = entry.stored ?? entry.size ?? entry.data.length;
    const method = entry.method ?? 0;
    const extra = entry.extra ?? new Uint8Array(0);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(method, 8);
    local.writeUInt32LE(crc, 14);
    local.writeUInt32LE(stored, 18);
    local.writeUInt32LE(size, 22);
    local.writeUInt16LE(localName.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(entry.flags ?? 0, 8);
    central.writeUInt16LE(method, 10);
    central.writeUInt32LE(crc, 16);
    central.writeUInt32LE(stored, 20);
    central.writeUInt32LE(size, 24);
    central.writeUInt16LE(name.length, 28);
    central.writeUInt16LE(extra.length, 30);
    central.writeUInt32LE(entry.offset ?? at, 42);
    directory.push(Buffer.concat([central, name, extra]));
    const whole = Buffer.concat([local, localName, entry.data]);
    parts.push(whole);
    at += whole.length;
  }
  const listing = Buffer.concat(directory);
  const comment = text(forged.comment ?? '');
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(forged.entries ?? entries.length, 8);
  end.writeUInt16LE(forged.entries ?? entries.length, 10);
  end.writeUInt32LE(forged.directoryBytes ?? listing.length, 12);
  end.writeUInt32LE(forged.directoryOffset ?? at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listing, end, comment]);
}

export const fourFloats = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);

/** A checkpoint of one pickle and, unless others are given, one storage of four float32. */
export function checkpoint(
  content: Buffer,
  records: readonly Entry[] = [{ name: 'a/data/0', data: fourFloats }],
): Buffer {
  return zip([{ name: 'a/data.pkl', data: content }, ...records, { name: 'a/version', data: text('3\n') }]);
}
