/** Files written in one atomic step. It knows nothing of what is in them. */
import { type FileHandle, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Sink } from './zip-writer.js';

/** The file that a path leads to, through links, and its permissions where it exists. */
async function destination(wanted: string): Promise<{ target: string; mode: number | undefined }> {
  try {
    const target = await realpath(wanted);
    const found = await stat(target);
    if (found.isDirectory()) throw new Error(`the folder ${JSON.stringify(wanted)}`);
    return { target, mode: found.mode & 0o777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { target: wanted, mode: undefined };
    throw error;
  }
}

/**
 * Writes a file that appears complete or not at all: beside its place under another name, synced, and renamed. `write`
 * sends it piece by piece; what it or the file system throws comes through, and nothing is left behind.
 */
export async function writeAtomically(wanted: string, write: (sink: Sink) => Promise<void>): Promise<void> {
  const { target, mode } = await destination(wanted);
  const temporary = path.join(
    path.dirname(target),
    `.${path.basename(target)}.${process.pid}.${crypto.randomUUID()}.tmp`,
  );
  let handle: FileHandle | undefined;
  try {
    handle = await open(temporary, 'wx', mode);
    const out = new BatchedFile(handle);
    await write((bytes) => out.write(bytes));
    await out.flush();
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, target);
  } catch (error) {
    await handle?.close();
    await unlink(temporary).catch(ignoreMissing);
    throw error;
  }
  await syncFolder(path.dirname(target));
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Gathers small parts, so that a checkpoint of many small tensors is not a system call for each. */
class BatchedFile {
  private readonly pending = Buffer.allocUnsafeSlow(256 * 1024);
  private used = 0;
  constructor(private readonly file: FileHandle) {}

  async write(bytes: Uint8Array): Promise<void> {
    if (this.used + bytes.length > this.pending.length) await this.flush();
    if (bytes.length > this.pending.length) return this.writeAll(bytes);
    this.pending.set(bytes, this.used);
    this.used += bytes.length;
  }

  async flush(): Promise<void> {
    const bytes = this.pending.subarray(0, this.used);
    this.used = 0;
    await this.writeAll(bytes);
  }

  private async writeAll(bytes: Uint8Array): Promise<void> {
    let at = 0;
    while (at < bytes.length) at += (await this.file.write(bytes, at, bytes.length - at)).bytesWritten;
  }
}

/** Not every file system can open or sync a folder; the file itself is safe by then. */
const FOLDER_CANNOT_SYNC = ['EINVAL', 'EPERM', 'EACCES', 'EISDIR', 'ENOTSUP', 'ENOSYS', 'EBADF'];

/** The rename itself survives a power cut only once the folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!FOLDER_CANNOT_SYNC.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
