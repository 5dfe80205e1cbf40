/**
 * The library as V8 compiled it once, kept beside the addon: loading takes half the time without the parsing of a
 * million characters. Whatever does not fit (another Node, other flags, another library or folder, a damaged file)
 * means that Node's loader compiles the source, as it would without a cache.
 */
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import { addon } from './addon.js';

type Factory = (
  exports: unknown,
  require: NodeJS.Require,
  module: { exports: unknown },
  file: string,
  folder: string,
) => void;

const OPENING = '(function (exports, require, module, __filename, __dirname) { ';
const CLOSING = '\n})';
/**
 * The checksum of the library's path, its source and the code. V8 compares no more of the source than its length,
 * believes the code, and names the path that the code was compiled under in every stack trace, so that a copy of the
 * package elsewhere would name the folder it came from. The checksum fills eight bytes, since V8 copies code first that
 * does not begin at a multiple of eight.
 */
const HEADER_BYTES = 8;
const checksum = (library: string, source: Buffer): number =>
  addon.crc32c(source, addon.crc32c(Buffer.from(library), 0));

/** One file for each Node; V8 refuses what was compiled under other flags. */
function codeCacheFile(library: string): string {
  return path.join(
    path.dirname(path.dirname(library)),
    'build',
    'code-cache',
    `${process.version}-${process.arch}.bin`,
  );
}

/**
 * The bytes of a file between two texts, in `memory` where that is large enough: fresh pages take longer to come than
 * what is read into them.
 */
function read(name: string, opening: string, closing: string, memory?: Buffer): Buffer {
  const file = openSync(name, 'r');
  try {
    const last = opening.length + fstatSync(file).size;
    const size = last + closing.length;
    const bytes = memory !== undefined && memory.length >= size ? memory.subarray(0, size) : Buffer.allocUnsafe(size);
    let end = bytes.write(opening, 'latin1');
    while (end < last) {
      const count = readSync(file, bytes, end, last - end, null);
      if (count === 0) throw new Error(`${name} became shorter while it was read`);
      end += count;
    }
    bytes.write(closing, end, 'latin1');
    return bytes;
  } finally {
    closeSync(file);
  }
}

/** The library's source in the parentheses of a function. The bundle is ASCII. */
const wrappedSource = (library: string): Buffer => read(library, OPENING, CLOSING);

function compile(library: string, source: string, cachedData?: Buffer): vm.Script {
  return new vm.Script(source, { filename: library, columnOffset: -OPENING.length, cachedData });
}

function run(script: vm.Script, library: string): unknown {
  const module = { exports: {} as unknown };
  (script.runInThisContext() as Factory)(
    module.exports,
    createRequire(library),
    module,
    library,
    path.dirname(library),
  );
  return module.exports;
}

/**
 * Code from a cache belongs to the main realm (Jest gives each file of tests one of its own), and has no source map.
 */
const suits = (): boolean => process.sourceMapsEnabled === false && vm.runInThisContext('Object') === Object;

/**
 * The exports of the library at this absolute path, run from its code cache; undefined where there is none that fits.
 */
export function runFromCodeCache(library: string): unknown {
  const file = codeCacheFile(library);
  if (!existsSync(file) || !suits()) return undefined;
  const bytes = wrappedSource(library);
  const source = bytes.toString('latin1');
  const sum = checksum(library, bytes);
  let kept: Buffer;
  try {
    kept = read(file, '', '', bytes);
  } catch {
    return undefined;
  }
  const code = kept.subarray(HEADER_BYTES);
  if (kept.length < HEADER_BYTES || kept.readUInt32LE() !== addon.crc32c(code, sum)) return undefined;
  const script = compile(library, source, code);
  return script.cachedDataRejected === true ? undefined : run(script, library);
}

/**
 * Runs the library at this absolute path and keeps what was compiled for that. Throws where it cannot be run or
 * written.
 */
export function writeCodeCache(library: string): void {
  const source = wrappedSource(library);
  const script = compile(library, source.toString('latin1'));
  run(script, library);
  const code = script.createCachedData();
  const file = codeCacheFile(library);
  const temporary = `${file}.${process.pid}.${crypto.randomUUID()}.tmp`;
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    const kept = Buffer.concat([Buffer.alloc(HEADER_BYTES), code]);
    kept.writeUInt32LE(addon.crc32c(code, checksum(library, source)));
    writeFileSync(temporary, kept, { flag: 'wx' });
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
