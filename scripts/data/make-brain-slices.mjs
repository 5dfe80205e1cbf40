#!/usr/bin/env node
// Makes examples/unet/data from Debian's package mricron-data: axial slices of a real T1 brain MRI as PNG files.
// Input channels are a slice and its two neighbours; target channels are brain (ch2bet > 0) and labelled grey matter
// (aal > 0). Usage: apt-get install mricron-data; node scripts/data/make-brain-slices.mjs [folder of the .nii.gz files]
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';

const source = process.argv[2] ?? '/usr/share/mricron/templates';
const target = path.join(
  path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url)))),
  'examples',
  'unet',
  'data',
);
// Contiguous ranges of slices with a gap between, so that no validation slice has a neighbour in the training range.
const RANGES = { train: [30, 93], val: [98, 117] };
const WIDTH = 96;
const HEIGHT = 112;

/** A NIfTI-1 volume of unsigned bytes: its size and a reader of one element. */
function readVolume(name) {
  const bytes = gunzipSync(readFileSync(path.join(source, name)));
  const [nx, ny, nz] = [42, 44, 46].map((at) => bytes.readInt16LE(at));
  if (bytes.readInt16LE(70) !== 2)
    throw new Error(`${name}: expected unsigned bytes (NIfTI datatype 2), got ${bytes.readInt16LE(70)}`);
  const start = bytes.readFloatLE(108);
  if (bytes.length < start + nx * ny * nz) throw new Error(`${name}: truncated`);
  return {
    nx,
    ny,
    nz,
    at: (x, y, z) => (x >= 0 && y >= 0 && x < nx && y < ny ? bytes[start + x + nx * (y + ny * z)] : 0),
  };
}

const head = readVolume('ch2.nii.gz');
const brain = readVolume('ch2bet.nii.gz');
const labels = readVolume('aal.nii.gz');
// The grid is centred in WIDTH x HEIGHT pixels of 2 x 2 voxels.
const left = Math.floor((2 * WIDTH - head.nx) / 2);
const top = Math.floor((2 * HEIGHT - head.ny) / 2);

/** The sum over the voxels of a pixel; rows run from the front of the head to the back. */
function overPixel(volume, column, row, z, of) {
  let sum = 0;
  for (let dy = 0; dy < 2; dy++)
    for (let dx = 0; dx < 2; dx++)
      sum += of(volume.at(2 * column + dx - left, volume.ny - 1 - (2 * row + dy - top), z));
  return sum;
}

async function writeSlice(file, channels) {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
  for (let row = 0; row < HEIGHT; row++)
    for (let column = 0; column < WIDTH; column++)
      for (let c = 0; c < 3; c++) pixels[(row * WIDTH + column) * 3 + c] = channels[c](column, row);
  await sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
    .png({ compressionLevel: 9, effort: 10 })
    .toFile(file);
}

const intensity = (z) => (column, row) => Math.round(overPixel(head, column, row, z, (v) => v) / 4);
const mask = (volume, z) => (column, row) => (overPixel(volume, column, row, z, (v) => (v > 0 ? 1 : 0)) >= 2 ? 255 : 0);

for (const [name, [first, last]] of Object.entries(RANGES)) {
  for (const kind of ['images', 'masks']) {
    rmSync(path.join(target, name, kind), { recursive: true, force: true });
    mkdirSync(path.join(target, name, kind), { recursive: true });
  }
  for (let z = first; z <= last; z++) {
    const file = `slice-${String(z).padStart(3, '0')}.png`;
    await writeSlice(path.join(target, name, 'images', file), [intensity(z - 1), intensity(z), intensity(z + 1)]);
    await writeSlice(path.join(target, name, 'masks', file), [mask(brain, z), mask(labels, z), () => 0]);
  }
  console.log(`${name}: slices ${first} to ${last}`);
}
