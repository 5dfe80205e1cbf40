/** CRC-32, the checksum of zip and PNG files. Bytes in, numbers out; no knowledge of either format. */
import { zlib } from './native/builtin.js';

/** Eight tables, so that eight bytes are taken in a step. */
function makeTables(): Int32Array[] {
  const tables = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    tables[0][n] = c;
  }
  for (let t = 1; t < 8; t++)
    for (let n = 0; n < 256; n++) tables[t][n] = (tables[t - 1][n] >>> 8) ^ tables[0][tables[t - 1][n] & 255];
  return tables;
}

let tables: Int32Array[] | null = null;

/** CRC-32 by table: what `crc32` is where Node has none of its own. */
export function crc32ByTable(bytes: Uint8Array, previous = 0): number {
  tables ??= makeTables();
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let c = ~previous;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    c =
      t7[c & 255] ^
      t6[(c >>> 8) & 255] ^
      t5[(c >>> 16) & 255] ^
      t4[c >>> 24] ^
      t3[bytes[i + 4]] ^
      t2[bytes[i + 5]] ^
      t1[bytes[i + 6]] ^
      t0[bytes[i + 7]];
  }
  for (; i < bytes.length; i++) c = (c >>> 8) ^ t0[(c ^ bytes[i]) & 255];
  return ~c >>> 0;
}

/** CRC-32 of `bytes`, continued from `previous`. Node's own from 20.15 on. */
export function crc32(bytes: Uint8Array, previous = 0): number {
  const { crc32: own } = zlib();
  return typeof own === 'function' ? own(bytes, previous) : crc32ByTable(bytes, previous);
}
