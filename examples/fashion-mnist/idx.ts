/** The IDX format of the MNIST family: gzip, big-endian sizes, unsigned bytes. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Tensor, tensor } from 'nodegrad';

/** The bytes of an idx.gz file as a uint8 tensor of its own shape. */
export function readIdx(file: string): Tensor {
  const bytes = gunzipSync(readFileSync(file));
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8)
    throw new Error(`${file}: not an IDX file of unsigned bytes`);
  const shape = Array.from({ length: bytes[3] }, (_, d) => bytes.readUInt32BE(4 + 4 * d));
  const start = 4 + 4 * shape.length;
  const count = shape.reduce((a, b) => a * b, 1);
  if (bytes.length !== start + count) throw new Error(`${file}: expected ${start + count} bytes, got ${bytes.length}`);
  return tensor(new Uint8Array(bytes.buffer, bytes.byteOffset + start, count), { shape });
}
