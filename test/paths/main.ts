/**
 * Runs every case in a process of its own, whose environment says which level, threads and BLAS kernel it takes. Writes
 * an index of the results with their digests to the standard output, and all results as float64 to the file, where one
 * is named.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { getNumThreads, type Tensor } from '../../lib/index.js';
import { addon } from '../../lib/native/addon.js';
import { runCase } from './case.js';
import { runs } from './cases.js';
import type { Index, Result } from './results.js';

const file: string | undefined = process.argv[2];
const digests: Record<string, string> = {};
const results: Record<string, Result> = {};
const parts: Float64Array[] = [];
let offset = 0;

function bytesOf(t: Tensor): Uint8Array {
  const array = t.contiguous().array.subarray(0, t.numel());
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** A level that is not there is not run in another's name. */
const wanted = process.env.NODEGRAD_SIMD;
for (const { key, entry, dtype, layout } of wanted === undefined || wanted === addon.simdLevel ? runs : []) {
  try {
    const tensors = runCase(entry, dtype, layout);
    const hash = createHash('sha1');
    results[key] = tensors.map((t) => {
      hash.update(bytesOf(t));
      const at = offset;
      offset += t.numel();
      if (file !== undefined) parts.push(t.to('float64').toTypedArray() as Float64Array);
      return { shape: [...t.shape], offset: at, length: t.numel() };
    });
    digests[key] = hash.digest('hex');
  } catch (error) {
    results[key] = (error as Error).stack ?? String(error);
  }
}
if (file !== undefined) {
  const all = new Float64Array(offset);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  writeFileSync(file, new Uint8Array(all.buffer));
}
const index: Index = { level: addon.simdLevel, threads: getNumThreads(), digests, results };
process.stdout.write(JSON.stringify(index));
