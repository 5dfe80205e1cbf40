/**
 * One event file: length-prefixed records with masked checksums (TFRecord), written synchronously, so that what was
 * added before the process ends is in the file. It knows records as bytes.
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, NodegradError } from '../errors.js';
import { addon } from '../native/addon.js';

/** TFRecord's mask, so that a checksum of data that hold checksums is not degenerate. */
function masked(bytes: Uint8Array): number {
  const crc = addon.crc32c(bytes, 0);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** length, its checksum, the data, their checksum. */
export function frame(data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length + 4);
  out.writeBigUInt64LE(BigInt(data.length), 0);
  out.writeUInt32LE(masked(out.subarray(0, 8)), 8);
  out.set(data, 12);
  out.writeUInt32LE(masked(data), 12 + data.length);
  return out;
}

/** Files with records that are not written yet; flushed when the process ends by itself. */
const openFiles = new Set<EventFile>();
let hooked = false;
let serial = 0;

export interface EventFileOptions {
  /** How many records may wait. */
  readonly maxQueue: number;
  /** How long a record may wait, in seconds. */
  readonly flushSecs: number;
  readonly suffix: string;
}

/** The descriptor of a new file in a folder, which is made first. */
function opened(folder: string, file: string): number {
  try {
    mkdirSync(folder, { recursive: true });
    return openSync(file, 'a');
  } catch (cause) {
    throw new NodegradError(`SummaryWriter: expected to write ${describe(file)}, got ${(cause as Error).message}`, {
      cause,
    });
  }
}

export class EventFile {
  readonly file: string;
  private readonly descriptor: number;
  private pending: Buffer[] = [];
  private lastFlush = Date.now();
  private timer: NodeJS.Timeout | null = null;
  private closed = false;

  constructor(
    readonly logDir: string,
    private readonly options: EventFileOptions,
  ) {
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
    this.file = path.join(
      logDir,
      `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${serial++}${options.suffix}`,
    );
    this.descriptor = opened(logDir, this.file);
    openFiles.add(this);
    if (!hooked) {
      hooked = true;
      process.on('exit', () => {
        for (const file of openFiles) file.flush();
      });
    }
  }

  add(record: Uint8Array): void {
    this.pending.push(frame(record));
    if (this.pending.length >= this.options.maxQueue || Date.now() - this.lastFlush >= this.options.flushSecs * 1000)
      this.flush();
    else if (this.timer === null) {
      this.timer = setTimeout(() => this.flush(), this.options.flushSecs * 1000);
      this.timer.unref();
    }
  }

  flush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.lastFlush = Date.now();
    if (this.closed || this.pending.length === 0) return;
    const bytes = Buffer.concat(this.pending);
    this.pending = [];
    let at = 0;
    while (at < bytes.length) at += writeSync(this.descriptor, bytes, at);
  }

  close(): void {
    if (this.closed) return;
    this.flush();
    this.closed = true;
    openFiles.delete(this);
    closeSync(this.descriptor);
  }
}
