/** Where a checkpoint's bytes come from: a file or memory, read at any place. It knows nothing of zip. */
import { type FileHandle, open } from 'node:fs/promises';
import { CheckpointError } from '../errors.js';
import { type FileName, filePath } from '../file-name.js';

/** Reads of a large record are cut, so that the event loop breathes. */
const CHUNK = 8 * 1024 * 1024;

export interface ByteSource {
  /** How messages call it. */
  readonly name: string;
  readonly size: number;
  /**
   * Fills `target` from `position` on; `seen` is given each part as it comes. Throws CheckpointError at the end of the
   * bytes.
   */
  read(target: Uint8Array, position: number, seen?: (part: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
}

function truncated(name: string, position: number): CheckpointError {
  return new CheckpointError(`load: expected more bytes in ${name}, got its end at ${position}: the file is truncated`);
}

class FileSource implements ByteSource {
  constructor(
    readonly name: string,
    private readonly handle: FileHandle,
    readonly size: number,
  ) {}

  async read(target: Uint8Array, position: number, seen?: (part: Uint8Array) => void): Promise<void> {
    let at = 0;
    while (at < target.length) {
      const { bytesRead } = await this.handle.read(target, at, Math.min(CHUNK, target.length - at), position + at);
      if (bytesRead === 0) throw truncated(this.name, position + at);
      seen?.(target.subarray(at, at + bytesRead));
      at += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }
}

class MemorySource implements ByteSource {
  readonly name = 'the given bytes';
  constructor(private readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  async read(target: Uint8Array, position: number, seen?: (part: Uint8Array) => void): Promise<void> {
    if (position + target.length > this.bytes.length) throw truncated(this.name, this.bytes.length);
    target.set(this.bytes.subarray(position, position + target.length));
    seen?.(target);
  }

  async close(): Promise<void> {}
}

/** Opens a file, or takes bytes as they are. */
export async function openSource(from: FileName | Uint8Array | ArrayBuffer): Promise<ByteSource> {
  if (from instanceof Uint8Array) return new MemorySource(from);
  if (from instanceof ArrayBuffer) return new MemorySource(new Uint8Array(from));
  const path = filePath('load', from);
  const name = JSON.stringify(path);
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const stat = await handle.stat();
    if (!stat.isFile()) throw new CheckpointError(`load: expected a file, got something else at ${name}`);
    return new FileSource(name, handle, stat.size);
  } catch (error) {
    await handle?.close();
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(`load: expected a readable file at ${name}, got ${(error as Error).message}`, {
      cause: error,
    });
  }
}
