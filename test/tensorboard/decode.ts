/**
 * A minimal decoder of event files, written apart from the writer: TFRecord with its checksums, and protobuf by a
 * schema.
 */

/** CRC-32C bit by bit. */
function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}
function unmasked(value: number): number {
  const rotated = (value - 0xa282ead8) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

/** The records of a file; throws where a length or a checksum is wrong. */
export function records(file: Buffer): Buffer[] {
  const result: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    if (unmasked(file.readUInt32LE(at + 8)) !== crc32c(file.subarray(at, at + 8)))
      throw new Error(`length checksum at ${at}`);
    const data = file.subarray(at + 12, at + 12 + length);
    if (data.length !== length || unmasked(file.readUInt32LE(at + 12 + length)) !== crc32c(data))
      throw new Error(`data checksum at ${at}`);
    result.push(data);
    at += 16 + length;
  }
  return result;
}

interface Field {
  readonly name: string;
  readonly kind: 'int' | 'double' | 'float' | 'string' | 'bytes' | 'doubles' | Schema;
  readonly repeated?: boolean;
}
interface Schema {
  readonly [number: number]: Field;
}
const repeated = (name: string, kind: Field['kind']): Field => ({ name, kind, repeated: true });
const one = (name: string, kind: Field['kind']): Field => ({ name, kind });

const HPARAM_VALUE: Schema = { 2: one('number', 'double'), 3: one('string', 'string'), 4: one('bool', 'int') };
export const HPARAMS: Schema = {
  1: one('version', 'int'),
  2: one('experiment', {
    4: repeated('hparams', { 1: one('name', 'string'), 4: one('type', 'int') }),
    5: repeated('metrics', { 1: one('name', { 2: one('tag', 'string') }) }),
  }),
  3: one('start', { 1: repeated('hparams', { 1: one('key', 'string'), 2: one('value', HPARAM_VALUE) }) }),
  4: one('end', { 1: one('status', 'int') }),
};
const IMAGE: Schema = {
  1: one('height', 'int'),
  2: one('width', 'int'),
  3: one('colorspace', 'int'),
  4: one('png', 'bytes'),
};
const HISTOGRAM: Schema = {
  1: one('min', 'double'),
  2: one('max', 'double'),
  3: one('num', 'double'),
  4: one('sum', 'double'),
  5: one('sumSquares', 'double'),
  6: one('limits', 'doubles'),
  7: one('counts', 'doubles'),
};
const TENSOR: Schema = {
  1: one('dtype', 'int'),
  2: one('shape', { 2: repeated('dim', { 1: one('size', 'int') }) }),
  8: repeated('strings', 'string'),
};
const VALUE: Schema = {
  1: one('tag', 'string'),
  2: one('simpleValue', 'float'),
  4: one('image', IMAGE),
  5: one('histo', HISTOGRAM),
  8: one('tensor', TENSOR),
  9: one('metadata', { 1: one('plugin', { 1: one('name', 'string'), 2: one('content', 'bytes') }) }),
};
const EVENT: Schema = {
  1: one('wallTime', 'double'),
  2: one('step', 'int'),
  3: one('fileVersion', 'string'),
  5: one('summary', { 1: repeated('value', VALUE) }),
  7: one('sessionLog', { 1: one('status', 'int') }),
  10: one('sourceMetadata', { 1: one('writer', 'string') }),
};

export interface HistogramMessage {
  min: number;
  max: number;
  num: number;
  sum: number;
  sumSquares: number;
  limits: number[];
  counts: number[];
}
export interface ValueMessage {
  tag: string;
  simpleValue?: number;
  image?: { height: number; width: number; colorspace: number; png: Buffer };
  histo?: HistogramMessage;
  tensor?: unknown;
  metadata?: { plugin: { name: string; content?: Buffer } };
}
export interface EventMessage {
  wallTime: number;
  step?: number;
  fileVersion?: string;
  summary?: { value: ValueMessage[] };
  sessionLog?: { status: number };
}

function varint(bytes: Buffer, at: number): [bigint, number] {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const byte = bytes[at++];
    value |= BigInt(byte & 127) << shift;
    if (byte < 128) return [value, at];
  }
}

/**
 * A message as an object. A field whose value is its type's default may be written or left out: numbers 0 and empty
 * bytes are left out here.
 */
export function decode(schema: Schema, bytes: Buffer): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (let at = 0; at < bytes.length; ) {
    let key: bigint;
    [key, at] = varint(bytes, at);
    const wire = Number(key & 7n);
    const field = schema[Number(key >> 3n)];
    if (field === undefined) throw new Error(`field ${key >> 3n} is not known`);
    let value: unknown;
    if (wire === 0) {
      let raw: bigint;
      [raw, at] = varint(bytes, at);
      value = Number(BigInt.asIntN(64, raw));
    } else if (wire === 1) {
      value = bytes.readDoubleLE(at);
      at += 8;
    } else if (wire === 5) {
      value = bytes.readFloatLE(at);
      at += 4;
    } else {
      let length: bigint;
      [length, at] = varint(bytes, at);
      const data = bytes.subarray(at, at + Number(length));
      if (data.length !== Number(length)) throw new Error('a field ends too soon');
      at += Number(length);
      if (field.kind === 'string') value = data.toString('utf8');
      else if (field.kind === 'bytes') value = data;
      else if (field.kind === 'doubles')
        value = Array.from({ length: data.length / 8 }, (_, i) => data.readDoubleLE(8 * i));
      else value = decode(field.kind as Schema, data);
    }
    if (value === 0 || (Buffer.isBuffer(value) && value.length === 0)) continue;
    if (field.repeated) result[field.name] = [...((result[field.name] as unknown[]) ?? []), value];
    else result[field.name] = value;
  }
  return result;
}

export const events = (file: Buffer): EventMessage[] =>
  records(file).map((record) => decode(EVENT, record) as unknown as EventMessage);
