/** Pixels as a PNG file, on Node's own zlib. It knows no tensors. */
import { crc32 } from '../checksum.js';
import { zlib } from '../native/builtin.js';

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** The colour type of 1, 3 and 4 channels; 2 are grey with alpha. */
const COLOUR_TYPE: Readonly<Record<number, number>> = { 1: 0, 2: 4, 3: 2, 4: 6 };

function chunk(type: string, data: Uint8Array): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  out.set(data, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/**
 * A row as its differences from the pixel to the left (1) or above (2), or as it is (0): whichever is smallest by its
 * sum.
 */
function filterRow(row: Uint8Array, above: Uint8Array | null, channels: number, out: Uint8Array): void {
  let best = Infinity;
  const trial = new Uint8Array(row.length);
  for (let filter = 0; filter <= 2; filter++) {
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const predicted =
        filter === 0 ? 0 : filter === 1 ? (i >= channels ? row[i - channels] : 0) : above === null ? 0 : above[i];
      const value = (row[i] - predicted) & 255;
      trial[i] = value;
      sum += value < 128 ? value : 256 - value;
    }
    if (sum >= best) continue;
    best = sum;
    out[0] = filter;
    out.set(trial, 1);
  }
}

/** 8-bit pixels, row by row, channels together. */
export function encodePng(pixels: Uint8Array, width: number, height: number, channels: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = COLOUR_TYPE[channels];
  const stride = width * channels;
  const filtered = new Uint8Array(height * (stride + 1));
  for (let y = 0; y < height; y++) {
    const row = pixels.subarray(y * stride, (y + 1) * stride);
    filterRow(
      row,
      y === 0 ? null : pixels.subarray((y - 1) * stride, y * stride),
      channels,
      filtered.subarray(y * (stride + 1), (y + 1) * (stride + 1)),
    );
  }
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', zlib().deflateSync(filtered)),
    chunk('IEND', new Uint8Array(0)),
  ]);
}
