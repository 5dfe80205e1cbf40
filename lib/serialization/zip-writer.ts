/**
 * Writes a zip archive as PyTorch does: entries stored, each record's bytes at a multiple of 64 (so that it can be
 * mapped into memory), sizes after the data, a directory of 64 bits at the end. It hands bytes to a sink part by part
 * and keeps none of them.
 */
import { crc32 } from '../checksum.js';
import {
  CENTRAL_HEADER,
  CENTRAL_HEADER_BYTES,
  DATA_DESCRIPTOR,
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

export const ALIGNMENT = 64;
/** The extra field that fills up to the alignment: "FB", as PyTorch names it. */
const PADDING_ID = 0x4246;
/** The sizes follow the data; names are UTF-8. */
const FLAGS = 0x0808;
/** The first of January 1980, so that equal values make equal files. */
const DOS_DATE = 0x21;
/** A part that is handed to the sink at a time. */
const CHUNK = 8 * 1024 * 1024;

/** Takes bytes in order; they are only valid until it resolves. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

interface Written {
  readonly name: Buffer;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

export class ZipWriter {
  private position = 0;
  private readonly records: Written[] = [];
  /** `wideFrom`: sizes and offsets from here on take 64 bits; tests lower it, since a file of 4 GiB is no test. */
  constructor(
    private readonly sink: Sink,
    private readonly wideFrom: number = MAX32,
  ) {}

  private async put(bytes: Uint8Array): Promise<void> {
    this.position += bytes.length;
    await this.sink(bytes);
  }

  /** Writes one record from memory, in parts. */
  async add(name: string, bytes: Uint8Array): Promise<void> {
    const encoded = Buffer.from(name, 'utf8');
    const offset = this.position;
    const wide = bytes.length >= this.wideFrom;
    await this.put(localHeader(encoded, offset, wide));
    let crc = 0;
    for (let at = 0; at < bytes.length; at += CHUNK) {
      const part = bytes.subarray(at, at + CHUNK);
      crc = crc32(part, crc);
      await this.put(part);
    }
    await this.put(descriptor(crc, bytes.length, wide));
    this.records.push({ name: encoded, size: bytes.length, crc, offset });
  }

  /** Writes the directory, after which nothing follows. */
  async finish(): Promise<void> {
    const start = this.position;
    for (const record of this.records) await this.put(centralHeader(record, this.wideFrom));
    await this.put(endRecords(this.records.length, start, this.position - start));
  }

  /** CRC-32 of the records' own CRCs: a name for the contents as a whole. */
  fingerprint(): number {
    return crc32(Buffer.from(Uint32Array.from(this.records, (record) => record.crc).buffer));
  }
}

function localHeader(name: Buffer, offset: number, wide: boolean): Buffer {
  const wideBytes = wide ? 20 : 0;
  const fixed = LOCAL_HEADER_BYTES + name.length + wideBytes + 4;
  const padding = (ALIGNMENT - ((offset + fixed) % ALIGNMENT)) % ALIGNMENT;
  const header = Buffer.alloc(fixed + padding, 'Z');
  header.fill(0, 0, LOCAL_HEADER_BYTES);
  header.writeUInt32LE(LOCAL_HEADER, 0);
  header.writeUInt16LE(wide ? 45 : 20, 4);
  header.writeUInt16LE(FLAGS, 6);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt16LE(name.length, 26);
  header.writeUInt16LE(wideBytes + 4 + padding, 28);
  name.copy(header, LOCAL_HEADER_BYTES);
  let at = LOCAL_HEADER_BYTES + name.length;
  if (wide) {
    // Zero in the 64-bit fields: the true sizes follow the data.
    header.writeUInt32LE(MAX32, 18);
    header.writeUInt32LE(MAX32, 22);
    header.writeUInt16LE(ZIP64_EXTRA, at);
    header.writeUInt16LE(16, at + 2);
    header.fill(0, at + 4, at + 20);
    at += wideBytes;
  }
  header.writeUInt16LE(PADDING_ID, at);
  header.writeUInt16LE(padding, at + 2);
  return header;
}

function descriptor(crc: number, size: number, wide: boolean): Buffer {
  const bytes = Buffer.alloc(wide ? 24 : 16);
  bytes.writeUInt32LE(DATA_DESCRIPTOR, 0);
  bytes.writeUInt32LE(crc, 4);
  if (wide) {
    bytes.writeBigUInt64LE(BigInt(size), 8);
    bytes.writeBigUInt64LE(BigInt(size), 16);
  } else {
    bytes.writeUInt32LE(size, 8);
    bytes.writeUInt32LE(size, 12);
  }
  return bytes;
}

function centralHeader({ name, size, crc, offset }: Written, wideFrom: number): Buffer {
  const field = (value: number): number => (value >= wideFrom ? MAX32 : value);
  const wide = [size, size, offset].filter((value) => value >= wideFrom);
  const extra = wide.length > 0 ? 4 + 8 * wide.length : 0;
  const bytes = Buffer.alloc(CENTRAL_HEADER_BYTES + name.length + extra);
  bytes.writeUInt32LE(CENTRAL_HEADER, 0);
  bytes.writeUInt16LE(wide.length > 0 ? 45 : 20, 4);
  bytes.writeUInt16LE(wide.length > 0 ? 45 : 20, 6);
  bytes.writeUInt16LE(FLAGS, 8);
  bytes.writeUInt16LE(DOS_DATE, 14);
  bytes.writeUInt32LE(crc, 16);
  bytes.writeUInt32LE(field(size), 20);
  bytes.writeUInt32LE(field(size), 24);
  bytes.writeUInt16LE(name.length, 28);
  bytes.writeUInt16LE(extra, 30);
  bytes.writeUInt32LE(field(offset), 42);
  name.copy(bytes, CENTRAL_HEADER_BYTES);
  if (extra > 0) {
    const at = CENTRAL_HEADER_BYTES + name.length;
    bytes.writeUInt16LE(ZIP64_EXTRA, at);
    bytes.writeUInt16LE(extra - 4, at + 2);
    wide.forEach((value, i) => {
      bytes.writeBigUInt64LE(BigInt(value), at + 4 + 8 * i);
    });
  }
  return bytes;
}

function endRecords(count: number, start: number, length: number): Buffer {
  const bytes = Buffer.alloc(ZIP64_END_BYTES + ZIP64_LOCATOR_BYTES + END_BYTES);
  bytes.writeUInt32LE(ZIP64_END, 0);
  bytes.writeBigUInt64LE(BigInt(ZIP64_END_BYTES - 12), 4);
  bytes.writeUInt16LE(45, 12);
  bytes.writeUInt16LE(45, 14);
  bytes.writeBigUInt64LE(BigInt(count), 24);
  bytes.writeBigUInt64LE(BigInt(count), 32);
  bytes.writeBigUInt64LE(BigInt(length), 40);
  bytes.writeBigUInt64LE(BigInt(start), 48);
  const locator = ZIP64_END_BYTES;
  bytes.writeUInt32LE(ZIP64_LOCATOR, locator);
  bytes.writeBigUInt64LE(BigInt(start + length), locator + 8);
  bytes.writeUInt32LE(1, locator + 16);
  const end = locator + ZIP64_LOCATOR_BYTES;
  bytes.writeUInt32LE(END_OF_DIRECTORY, end);
  bytes.writeUInt16LE(Math.min(count, MAX16), end + 8);
  bytes.writeUInt16LE(Math.min(count, MAX16), end + 10);
  bytes.writeUInt32LE(Math.min(length, MAX32), end + 12);
  bytes.writeUInt32LE(Math.min(start, MAX32), end + 16);
  return bytes;
}
