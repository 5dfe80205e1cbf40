/** `save`: values as a checkpoint that PyTorch reads, to a file in one atomic step, or to bytes. */
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { type FileName, filePath } from '../file-name.js';
import { writeAtomically } from './atomic-file.js';
import { PickleWriter, type SavedStorage } from './pickle-writer.js';
import { ALIGNMENT, type Sink, ZipWriter } from './zip-writer.js';

/** The archive's folder, as PyTorch names it after the file. */
function rootName(file: string): string {
  const stem = path.basename(file).replace(/\.[^.]*$/, '');
  return /^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/.test(stem) ? stem : 'archive';
}

/** What will be written: every check of the value is behind us. */
interface Checkpoint {
  readonly pickle: Buffer;
  readonly storages: readonly SavedStorage[];
  /** Of each storage when `save` was called. */
  readonly versions: readonly number[];
}

function checkpointOf(value: unknown): Checkpoint {
  const writer = new PickleWriter();
  const pickle = writer.write(value);
  return { pickle, storages: writer.storages, versions: writer.storages.map(({ storage }) => storage.version) };
}

/** Sends the whole archive to the sink. The records, their order and their contents are PyTorch's. */
async function writeArchive({ pickle, storages, versions }: Checkpoint, root: string, sink: Sink): Promise<void> {
  const zip = new ZipWriter(sink);
  const text = (name: string, content: string): Promise<void> =>
    zip.add(`${root}/${name}`, Buffer.from(content, 'latin1'));
  await zip.add(`${root}/data.pkl`, pickle);
  await text('.format_version', '1');
  await text('.storage_alignment', String(ALIGNMENT));
  await text('byteorder', 'little');
  for (let key = 0; key < storages.length; key++) {
    const { storage, info, count } = storages[key];
    await zip.add(`${root}/data/${key}`, new Uint8Array(storage.buffer, storage.byteOffset, count * info.bytes));
  }
  await text('version', '3\n');
  await text('.data/serialization_id', String(zip.fingerprint()).padStart(40, '0'));
  await zip.finish();
  if (storages.some(({ storage }, key) => storage.version !== versions[key]))
    throw new CheckpointError(
      'save: expected tensors to stay as they are until the promise resolves, got some that were changed ' +
        'meanwhile; await save()',
    );
}

/**
 * Writes `value` to a file that `torch.load` (weights_only=True) and `load` read. Source: torch.save.
 *
 * Objects and Maps become dicts, arrays lists, frozen arrays tuples, Sets sets, Uint8Arrays bytes, integral numbers and
 * bigints ints, other numbers floats, null and undefined None. Tensors that share memory share it in the file; a view
 * brings the whole memory that it shows, as in PyTorch (`clone()` it to save less). Do not change the tensors before
 * the promise resolves.
 *
 * The file appears complete or not at all: it is written beside its place under another name, synced, and renamed.
 * Throws ArgumentError for a value that a checkpoint cannot hold (before anything is written), CheckpointError where
 * writing fails.
 */
export async function save(value: unknown, file: FileName): Promise<void> {
  const wanted = path.resolve(filePath('save', file));
  const checkpoint = checkpointOf(value);
  try {
    await writeAtomically(wanted, (sink) => writeArchive(checkpoint, rootName(wanted), sink));
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(`save: expected to write ${JSON.stringify(wanted)}, got ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** As `save`, into memory. */
export async function saveToBuffer(value: unknown): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  await writeArchive(checkpointOf(value), 'archive', async (bytes) => {
    parts.push(bytes.slice());
  });
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
