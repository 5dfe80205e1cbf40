/**
 * The directory of a checkpoint's zip archive, and its records. Written here rather than taken from a library because
 * it wants less (PyTorch only stores, so there is nothing to inflate and no bomb to fear) and checks more: every record
 * lies inside the file, none overlaps another or the directory, names are plain and unique, CRCs hold. It knows nothing
 * of pickles.
 */
import { crc32 } from '../checksum.js';
import { CheckpointError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import {
  CENTRAL_HEADER,
  CENTRAL_HEADER_BYTES,
  END_BYTES,
  END_OF_DIRECTORY,
  LOCAL_HEADER,
  LOCAL_HEADER_BYTES,
  MAX16,
  MAX32,
  ZIP64_END,
  ZIP64_END_BYTES,
  ZIP64_EXTRA,
  ZIP64_LOCATOR,
  ZIP64_LOCATOR_BYTES,
} from './zip-format.js';

const MAX_DIRECTORY_BYTES = 256 * 1024 * 1024;
const ENCRYPTED = 1;

export interface ZipRecord {
  readonly name: string;
  readonly size: number;
  /** Bytes in the file, and how they are packed; 0 for as they are. */
  readonly stored: number;
  readonly method: number;
  /** null in an archive that was written without checksums. */
  crc: number | null;
  readonly headerOffset: number;
  /** Bytes of the name as the file has it. */
  readonly nameBytes: number;
  /** Where the next record or the directory begins. */
  limit: number;
}

function damaged(source: ByteSource, what: string): CheckpointError {
  return new CheckpointError(`load: expected an undamaged checkpoint, got ${source.name} where ${what}`);
}

async function readAt(source: ByteSource, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await source.read(bytes, position);
  return bytes;
}

function safeNumber(source: ByteSource, value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(source, `${what} is ${value}`);
  return Number(value);
}

interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly bytes: number;
  /** Where the records that end the archive begin. */
  readonly limit: number;
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailBytes = Math.min(source.size, END_BYTES + MAX16);
  const tailStart = source.size - tailBytes;
  const tail = await readAt(source, tailStart, tailBytes);
  let at = tailBytes - END_BYTES;
  // The last place whose signature and comment length fit the end of the file.
  while (
    at >= 0 &&
    !(tail.readUInt32LE(at) === END_OF_DIRECTORY && at + END_BYTES + tail.readUInt16LE(at + 20) === tailBytes)
  )
    at--;
  if (at < 0)
    throw damaged(source, 'the zip directory at the end is missing: the file is truncated, or not a checkpoint');
  const endOffset = tailStart + at;
  if (tail.readUInt16LE(at + 4) !== 0 && tail.readUInt16LE(at + 4) !== MAX16)
    throw damaged(source, 'the archive has several parts');
  const plain = {
    entries: tail.readUInt16LE(at + 10),
    bytes: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
    limit: endOffset,
  };
  const locator = endOffset - ZIP64_LOCATOR_BYTES;
  const locatorBytes = locator >= 0 ? await readAt(source, locator, ZIP64_LOCATOR_BYTES) : null;
  if (locatorBytes === null || locatorBytes.readUInt32LE(0) !== ZIP64_LOCATOR) {
    if (plain.entries === MAX16 || plain.bytes === MAX32 || plain.offset === MAX32)
      throw damaged(source, 'the 64-bit directory is missing');
    return plain;
  }
  const wideOffset = safeNumber(source, locatorBytes.readBigUInt64LE(8), 'the place of the 64-bit directory');
  if (wideOffset + ZIP64_END_BYTES > locator) throw damaged(source, 'the 64-bit directory lies outside of the file');
  const wide = await readAt(source, wideOffset, ZIP64_END_BYTES);
  if (wide.readUInt32LE(0) !== ZIP64_END) throw damaged(source, 'the 64-bit directory has a wrong signature');
  const result = {
    entries: safeNumber(source, wide.readBigUInt64LE(32), 'the number of records'),
    bytes: safeNumber(source, wide.readBigUInt64LE(40), 'the size of the directory'),
    offset: safeNumber(source, wide.readBigUInt64LE(48), 'the place of the directory'),
    limit: wideOffset,
  };
  for (const [key, none] of [
    ['entries', MAX16],
    ['bytes', MAX32],
    ['offset', MAX32],
  ] as const)
    if (plain[key] !== none && plain[key] !== result[key]) throw damaged(source, 'the two directories disagree');
  return result;
}

/** Sizes and offset of 32 bits, or of 64 where the zip64 field has them. */
function sizesOfEntry(
  source: ByteSource,
  entry: Buffer,
  extra: Buffer,
  name: string,
): [size: number, stored: number, offset: number] {
  const values = [entry.readUInt32LE(24), entry.readUInt32LE(20), entry.readUInt32LE(42)] as [number, number, number];
  if (!values.includes(MAX32)) return values;
  let at = 0;
  while (at + 4 <= extra.length) {
    const id = extra.readUInt16LE(at);
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) break;
    if (id === ZIP64_EXTRA) {
      let field = at + 4;
      for (let i = 0; i < 3; i++) {
        if (values[i] !== MAX32) continue;
        if (field + 8 > end) throw damaged(source, `the 64-bit sizes of ${JSON.stringify(name)} are incomplete`);
        values[i] = safeNumber(source, extra.readBigUInt64LE(field), `a size of ${JSON.stringify(name)}`);
        field += 8;
      }
      return values;
    }
    at = end;
  }
  throw damaged(source, `the 64-bit sizes of ${JSON.stringify(name)} are missing`);
}

function checkName(source: ByteSource, name: string): void {
  const plain =
    name.length > 0 &&
    !name.startsWith('/') &&
    !name.includes('\\') &&
    !name.includes('\0') &&
    !/^[A-Za-z]:/.test(name);
  if (!plain || name.split('/').some((part) => part === '..' || part === '.'))
    throw damaged(source, `a record has the forbidden name ${JSON.stringify(name)}`);
}

/** The archive's records by name, each checked against the file and the others. */
export async function readDirectory(source: ByteSource): Promise<Map<string, ZipRecord>> {
  if (source.size < END_BYTES) throw damaged(source, `there are only ${source.size} bytes`);
  const directory = await findDirectory(source);
  if (directory.bytes > MAX_DIRECTORY_BYTES)
    throw damaged(source, `the directory has ${directory.bytes} bytes (limit ${MAX_DIRECTORY_BYTES})`);
  if (directory.offset + directory.bytes > directory.limit)
    throw damaged(source, 'the directory lies outside of the file: it is truncated or damaged');
  if (directory.entries * CENTRAL_HEADER_BYTES > directory.bytes)
    throw damaged(source, `the directory is too small for its ${directory.entries} records`);
  const bytes = await readAt(source, directory.offset, directory.bytes);
  const records = new Map<string, ZipRecord>();
  let at = 0;
  for (let i = 0; i < directory.entries; i++) {
    if (at + CENTRAL_HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_HEADER)
      throw damaged(source, `record ${i} of the directory is damaged`);
    const entry = bytes.subarray(at, at + CENTRAL_HEADER_BYTES);
    const nameBytes = entry.readUInt16LE(28);
    const extraBytes = entry.readUInt16LE(30);
    const end = at + CENTRAL_HEADER_BYTES + nameBytes + extraBytes + entry.readUInt16LE(32);
    if (end > bytes.length) throw damaged(source, `record ${i} of the directory is damaged`);
    const nameEnd = at + CENTRAL_HEADER_BYTES + nameBytes;
    const name = bytes.toString('utf8', at + CENTRAL_HEADER_BYTES, nameEnd);
    checkName(source, name);
    if (records.has(name)) throw damaged(source, `two records are named ${JSON.stringify(name)}`);
    const [size, stored, headerOffset] = sizesOfEntry(
      source,
      entry,
      bytes.subarray(nameEnd, nameEnd + extraBytes),
      name,
    );
    if (entry.readUInt16LE(8) & ENCRYPTED) throw damaged(source, `${JSON.stringify(name)} is encrypted`);
    records.set(name, {
      name,
      size,
      stored,
      method: entry.readUInt16LE(10),
      crc: entry.readUInt32LE(16),
      headerOffset,
      nameBytes,
      limit: 0,
    });
    at = end;
  }
  if (at !== bytes.length) throw damaged(source, 'the directory has bytes after its last record');
  checkExtents(source, [...records.values()], directory.offset);
  // torch.serialization.set_crc32_options(False) leaves 0 everywhere.
  if ([...records.values()].every(({ crc }) => crc === 0)) for (const record of records.values()) record.crc = null;
  return records;
}

/** Records in the order of the file: each ends before the next begins, the last before the directory. */
function checkExtents(source: ByteSource, records: ZipRecord[], directoryOffset: number): void {
  records.sort((a, b) => a.headerOffset - b.headerOffset);
  records.forEach((record, i) => {
    const end = record.headerOffset + LOCAL_HEADER_BYTES + record.nameBytes + record.stored;
    record.limit = i + 1 < records.length ? records[i + 1].headerOffset : directoryOffset;
    if (end > record.limit)
      throw damaged(
        source,
        `${JSON.stringify(record.name)} declares ${record.stored} bytes, more than the file has for it`,
      );
  });
}

/**
 * Throws unless a record's bytes lie in the file as they are: then its size is bounded by the file's, and memory may be
 * had for it.
 */
export function checkStored(source: ByteSource, record: ZipRecord): void {
  const name = JSON.stringify(record.name);
  if (record.method !== 0)
    throw damaged(
      source,
      `${name} is compressed, which PyTorch never does (unpack the archive, and pack it with zip -0)`,
    );
  if (record.size !== record.stored)
    throw damaged(source, `${name} declares ${record.size} bytes but stores ${record.stored}`);
}

/** Fills `target`, which has the record's size, and checks the CRC. */
export async function readRecord(source: ByteSource, record: ZipRecord, target: Uint8Array): Promise<void> {
  const name = JSON.stringify(record.name);
  const header = await readAt(source, record.headerOffset, LOCAL_HEADER_BYTES + record.nameBytes);
  const intact =
    header.readUInt32LE(0) === LOCAL_HEADER &&
    header.readUInt16LE(8) === 0 &&
    header.readUInt16LE(26) === record.nameBytes &&
    header.toString('utf8', LOCAL_HEADER_BYTES) === record.name;
  if (!intact) throw damaged(source, `the header of ${name} does not agree with the directory`);
  const start = record.headerOffset + LOCAL_HEADER_BYTES + record.nameBytes + header.readUInt16LE(28);
  if (start + record.size > record.limit)
    throw damaged(source, `${name} declares ${record.size} bytes, more than the file has for it`);
  let crc = 0;
  await source.read(target, start, (part) => {
    crc = crc32(part, crc);
  });
  if (record.crc !== null && crc !== record.crc)
    throw damaged(source, `the checksum of ${name} is wrong: it is damaged`);
}
