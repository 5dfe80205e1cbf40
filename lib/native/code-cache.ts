/**
 * The library as V8 compiled it once, kept beside the addon: loading takes half the time without the parsing of a million
 * characters. Whatever does not fit (another Node, other flags, another library, a damaged file) means that Node's loader
 * compiles the source, as it would without a cache.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import { crc32 } from '../checksum.js';

type Factory = (exports: unknown, require: NodeJS.Require, module: { exports: unknown }, file: string, folder: string) => void;

const OPENING = '(function (exports, require, module, __filename, __dirname) { ';
const CLOSING = '\n})';
const CHECKSUM_BYTES = 4;

/** One file for each Node; V8 refuses what was compiled under other flags. */
function codeCacheFile(library: string): string {
  return path.join(path.dirname(path.dirname(library)), 'build', 'code-cache', `${process.version}-${process.arch}.bin`);
}

/** The library's source in the parentheses of a function, without a second copy of it. The bundle is ASCII. */
function wrappedSource(library: string): Buffer {
  const file = openSync(library, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.allocUnsafe(OPENING.length + size + CLOSING.length);
    let end = bytes.write(OPENING, 'latin1');
    const last = end + size;
    while (end < last) {
      const count = readSync(file, bytes, end, last - end, null);
      if (count === 0) throw new Error(`${library} became shorter while it was read`);
      end += count;
    }
    bytes.write(CLOSING, end, 'latin1');
    return bytes;
  } finally {
    closeSync(file);
  }
}

function compile(library: string, source: Buffer, cachedData?: Buffer): vm.Script {
  return new vm.Script(source.toString('latin1'), { filename: library, columnOffset: -OPENING.length, cachedData });
}

function run(script: vm.Script, library: string): unknown {
  const module = { exports: {} as unknown };
  (script.runInThisContext() as Factory)(module.exports, createRequire(library), module, library, path.dirname(library));
  return module.exports;
}

/** Of source and compiled code: V8 compares no more of the source than its length, and believes the code. */
const checksumOf = (source: Buffer, code: Buffer): number => crc32(code, crc32(source));

/** Code from a cache belongs to the main realm (Jest gives each file of tests one of its own), and has no source map. */
const suits = (): boolean => process.sourceMapsEnabled === false && vm.runInThisContext('Object') === Object;

/** The exports of the library at this absolute path, run from its code cache; undefined where there is none that fits. */
export function runFromCodeCache(library: string): unknown {
  let kept: Buffer;
  try {
    kept = readFileSync(codeCacheFile(library));
  } catch {
    return undefined;
  }
  if (!suits()) return undefined;
  const source = wrappedSource(library);
  const code = kept.subarray(CHECKSUM_BYTES);
  if (kept.length < CHECKSUM_BYTES || kept.readUInt32LE() !== checksumOf(source, code)) return undefined;
  const script = compile(library, source, code);
  return script.cachedDataRejected === true ? undefined : run(script, library);
}

/** Runs the library at this absolute path and keeps what was compiled for that. Throws where it cannot be run or written. */
export function writeCodeCache(library: string): void {
  const source = wrappedSource(library);
  const script = compile(library, source);
  run(script, library);
  const code = script.createCachedData();
  const file = codeCacheFile(library);
  const temporary = `${file}.${process.pid}.${crypto.randomUUID()}.tmp`;
  mkdirSync(path.dirname(file), { recursive: true });
  try {
    const kept = Buffer.concat([Buffer.alloc(CHECKSUM_BYTES), code]);
    kept.writeUInt32LE(checksumOf(source, code));
    writeFileSync(temporary, kept, { flag: 'wx' });
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}
