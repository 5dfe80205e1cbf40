/**
 * `load`: a checkpoint as PyTorch writes it, into JavaScript values. It reads the directory, then the pickle, then
 * every storage that the pickle names, and only then returns anything. It never executes what a file says.
 */
import { ArgumentError, CheckpointError, describe, fail, rejectUnknownOptions } from '../errors.js';
import type { FileName } from '../file-name.js';
import { allocateStorage } from '../storage/allocator.js';
import { type DTypeInfo, UINT8 } from '../storage/dtype.js';
import { checkDevice } from '../tensor/device.js';
import { type ByteSource, openSource } from './byte-source.js';
import { LoadedStorage, resolveName, storageInfoOf } from './checkpoint-names.js';
import { PickleMachine } from './pickle-machine.js';
import { kindOf, type PickleValue, PyTuple, toJavaScript } from './pickle-values.js';
import { checkStored, readDirectory, readRecord, type ZipRecord } from './zip-reader.js';

const MAX_PICKLE_BYTES = 128 * 1024 * 1024;
const MAX_VERSION = 10;

export interface LoadCheckpointOptions {
  /** Where tensors go; 'cpu' is all there is, also for files written on a GPU. */
  mapLocation?: string;
  /** Always true: a file never runs code. `false` is an ArgumentError. */
  weightsOnly?: boolean;
}

/** The records of one checkpoint below its root folder, by their names without it. */
class Archive {
  private constructor(
    readonly source: ByteSource,
    private readonly records: ReadonlyMap<string, ZipRecord>,
    private readonly root: string,
  ) {}

  static async open(source: ByteSource): Promise<Archive> {
    await rejectOtherFormats(source);
    const records = await readDirectory(source);
    const pickles = [...records.keys()].filter((name) => name.split('/').length === 2 && name.endsWith('/data.pkl'));
    if (pickles.length !== 1)
      throw new CheckpointError(
        `load: expected a checkpoint with one data.pkl, got a zip archive with ${pickles.length} (${source.name})`,
      );
    const root = pickles[0].slice(0, -'data.pkl'.length);
    if (records.has(`${root}constants.pkl`))
      throw new CheckpointError(
        `load: expected a checkpoint of torch.save, got a TorchScript program (${source.name})`,
      );
    return new Archive(source, records, root);
  }

  find(name: string): ZipRecord | undefined {
    const record = this.records.get(this.root + name);
    if (record !== undefined) checkStored(this.source, record);
    return record;
  }

  async bytes(name: string, limit: number): Promise<Uint8Array | undefined> {
    const record = this.find(name);
    if (record === undefined) return undefined;
    if (record.size > limit)
      throw new CheckpointError(`load: expected at most ${limit} bytes of ${name}, got ${record.size}`);
    const bytes = new Uint8Array(record.size);
    await readRecord(this.source, record, bytes);
    return bytes;
  }

  async text(name: string): Promise<string | undefined> {
    const bytes = await this.bytes(name, 64);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1').trim();
  }
}

async function rejectOtherFormats(source: ByteSource): Promise<void> {
  const head = new Uint8Array(Math.min(4, source.size));
  await source.read(head, 0);
  const isZip = head[0] === 0x50 && head[1] === 0x4b;
  if (isZip) return;
  if (head[0] === 0x80) {
    throw new CheckpointError(
      `load: expected PyTorch's zip format, got a bare pickle in ${source.name}, as PyTorch wrote before ` +
        '1.6 or with _use_new_zipfile_serialization=False; load it in PyTorch and save it again',
    );
  }
  throw new CheckpointError(
    `load: expected PyTorch's zip format, got ${source.size === 0 ? 'an empty file' : 'something else'} ` +
      `in ${source.name}`,
  );
}

/** The storages that a pickle asks for, made as it asks and filled afterwards. */
class Storages {
  private readonly byKey = new Map<string, { loaded: LoadedStorage; record: ZipRecord; bytes: Uint8Array }>();
  constructor(private readonly archive: Archive) {}

  /** ('storage', class, key, location, number of elements) */
  request(id: PickleValue): PickleValue {
    const items = id instanceof PyTuple ? id.items : [];
    const [kind, type, key, location, count] = items;
    if (
      items.length !== 5 ||
      kind !== 'storage' ||
      typeof key !== 'string' ||
      typeof location !== 'string' ||
      typeof count !== 'number'
    )
      throw new CheckpointError(`load: expected a storage as persistent id, got ${kindOf(id)}`);
    const info = storageInfoOf(type);
    if (!Number.isSafeInteger(count) || count < 0)
      throw new CheckpointError(`load: expected a number of elements for storage ${key}, got ${count}`);
    const bytes = count * (info?.bytes ?? 1);
    const known = this.byKey.get(key);
    if (known !== undefined) {
      if (known.loaded.info !== info || known.record.size !== bytes)
        throw new CheckpointError(`load: expected one type and size for storage ${key}, got two`);
      return known.loaded;
    }
    return this.make(key, info, bytes);
  }

  private make(key: string, info: DTypeInfo | null, size: number): LoadedStorage {
    const record = this.archive.find(`data/${key}`);
    if (record === undefined)
      throw new CheckpointError(
        `load: expected a record for storage ${JSON.stringify(key)}, got none: the file is incomplete`,
      );
    if (record.size !== size)
      throw new CheckpointError(
        `load: expected ${size} bytes in storage ${key}, as the pickle declares, got ${record.size}`,
      );
    const storage = allocateStorage(size);
    const bytes = storage.view(UINT8, 0) as Uint8Array;
    const loaded = new LoadedStorage(key, storage, info);
    this.byKey.set(key, { loaded, record, bytes });
    return loaded;
  }

  async fill(swap: boolean): Promise<void> {
    for (const { loaded, record, bytes } of this.byKey.values()) {
      await readRecord(this.archive.source, record, bytes);
      if (loaded.info?.name === 'bool') for (let i = 0; i < bytes.length; i++) if (bytes[i] > 1) bytes[i] = 1;
      if (!swap || loaded.info === null) continue;
      const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (loaded.info.bytes === 2) buffer.swap16();
      else if (loaded.info.bytes === 4) buffer.swap32();
      else if (loaded.info.bytes === 8) buffer.swap64();
    }
  }
}

async function loadFrom(source: ByteSource): Promise<unknown> {
  const archive = await Archive.open(source);
  const version = await archive.text('version');
  if (version !== undefined && !(Number(version) >= 1 && Number(version) <= MAX_VERSION))
    throw new CheckpointError(`load: expected format version 1 to ${MAX_VERSION}, got ${describe(version)}`);
  const order = (await archive.text('byteorder')) ?? 'little';
  if (order !== 'little' && order !== 'big')
    throw new CheckpointError(`load: expected byte order little or big, got ${describe(order)}`);
  const pickle = (await archive.bytes('data.pkl', MAX_PICKLE_BYTES)) as Uint8Array;
  const storages = new Storages(archive);
  const root = new PickleMachine(pickle, { resolve: resolveName, persistent: (id) => storages.request(id) }).run();
  const result = toJavaScript(root);
  await storages.fill(order === 'big');
  return result;
}

/**
 * Reads a checkpoint that PyTorch (`torch.save`, since 1.6) or `save` wrote: from a path, a file URL, or its bytes.
 *
 * Dicts become objects where every key is a string, else Maps; lists arrays; tuples (and `torch.Size`) frozen arrays;
 * sets Sets; bytes Uint8Arrays; integers numbers, or bigints where a double does not hold them; None null; dtypes and
 * devices their names. Tensors that shared memory share it again. Attributes that Python code hung on tensors are
 * dropped. Files written on a GPU load into memory.
 *
 * Nothing in the file is executed: it may only use a fixed table of names. Throws CheckpointError for a file that is
 * damaged, truncated, hostile or not a checkpoint, and then nothing is loaded. Source: torch.load with
 * weights_only=True.
 */
export async function load<T = LoadedCheckpoint>(
  from: FileName | Uint8Array | ArrayBuffer,
  options: LoadCheckpointOptions = {},
): Promise<T> {
  rejectUnknownOptions('load', options, ['mapLocation', 'weightsOnly']);
  if (options.mapLocation !== undefined && options.mapLocation !== null) checkDevice('load', options.mapLocation);
  if (options.weightsOnly === false)
    fail(ArgumentError, 'load', 'weightsOnly: true, since a file never runs code here', 'false');
  const source = await openSource(from);
  try {
    return (await loadFrom(source)) as T;
  } catch (error) {
    if (error instanceof CheckpointError) throw error;
    throw new CheckpointError(
      `load: expected a checkpoint that can be read, got ${(error as Error).message} (${source.name})`,
      { cause: error },
    );
  } finally {
    await source.close();
  }
}

/** What a checkpoint most often is: a dict with names as keys. Give `load` another type where you know better. */
// biome-ignore lint/suspicious/noExplicitAny: what a file holds is known to its reader alone
export type LoadedCheckpoint = any;
