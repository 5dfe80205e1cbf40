/** Images of SummaryWriter: the PNG is read back with a decoder of this test's own. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, inflateSync } from 'node:zlib';
import { expect } from 'chai';
import { full, type Tensor, tensor, utils } from '../../lib/index.js';
import { encodePng } from '../../lib/tensorboard/png.js';
import { events } from './decode.js';

interface Picture {
  width: number;
  height: number;
  channels: number;
  pixels: number[];
}

/** A PNG of 8 bits with filters 0 to 2; throws where a checksum is wrong. */
function decodePng(png: Buffer): Picture {
  expect(png.subarray(0, 8).toString('latin1')).to.equal('\x89PNG\r\n\x1a\n');
  const chunks: Record<string, Buffer> = {};
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    expect(png.readUInt32BE(at + 8 + length)).to.equal(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks[png.toString('latin1', at + 4, at + 8)] = png.subarray(at + 8, at + 8 + length);
    at += 12 + length;
  }
  const [width, height] = [chunks.IHDR.readUInt32BE(0), chunks.IHDR.readUInt32BE(4)];
  const channels = { 0: 1, 2: 3, 4: 2, 6: 4 }[chunks.IHDR[9]] as number;
  const data = inflateSync(chunks.IDAT);
  const stride = width * channels;
  const pixels: number[] = [];
  for (let y = 0; y < height; y++)
    for (let i = 0; i < stride; i++) {
      const filter = data[y * (stride + 1)];
      const predicted =
        filter === 1
          ? i >= channels
            ? pixels[y * stride + i - channels]
            : 0
          : filter === 2 && y > 0
            ? pixels[(y - 1) * stride + i]
            : 0;
      pixels.push((data[y * (stride + 1) + 1 + i] + predicted) & 255);
    }
  return { width, height, channels, pixels };
}

function written(x: Tensor, dataformats?: string, batch = false): Picture {
  const folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-image-'));
  try {
    const writer = new utils.tensorboard.SummaryWriter(folder);
    if (batch) writer.addImages('image', x, 1, 2.5, dataformats);
    else writer.addImage('image', x, 1, 2.5, dataformats);
    writer.close();
    const image = events(readFileSync(path.join(folder, readdirSync(folder)[0])))[1].summary?.value[0].image;
    if (image === undefined) throw new Error('no image');
    const picture = decodePng(image.png);
    expect([image.width, image.height, image.colorspace]).to.deep.equal([
      picture.width,
      picture.height,
      picture.channels,
    ]);
    return picture;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('PNG encoder', () => {
  it('keeps every pixel, for each number of channels and kind of picture', () => {
    for (const channels of [1, 2, 3, 4])
      for (const make of [(i: number) => i % 256, (i: number) => (i * 7919) % 251, () => 200]) {
        const pixels = Uint8Array.from({ length: 13 * 5 * channels }, (_, i) => make(i));
        expect(decodePng(encodePng(pixels, 13, 5, channels))).to.deep.equal({
          width: 13,
          height: 5,
          channels,
          pixels: [...pixels],
        });
      }
  });
});

describe('SummaryWriter images', () => {
  it('scale floats from 0 to 1 and clip, and take uint8 as it is', () => {
    const grey = written(
      tensor([
        [0, 0.5, 1],
        [-1, 2, Number.NaN],
      ]),
      'HW',
    );
    expect(grey).to.deep.equal({
      width: 3,
      height: 2,
      channels: 3,
      pixels: [0, 127, 255, 0, 255, 0].flatMap((v) => [v, v, v]),
    });
    expect(written(tensor([[1, 200]], { dtype: 'uint8' }), 'HW').pixels).to.deep.equal([1, 1, 1, 200, 200, 200]);
  });

  it('take dimensions in any order, strided memory included', () => {
    const chw = tensor([[[1, 2]], [[3, 4]], [[5, 6]]], { dtype: 'uint8' });
    const pixels = [1, 3, 5, 2, 4, 6];
    expect(written(chw).pixels).to.deep.equal(pixels);
    expect(written(chw.permute(1, 2, 0), 'HWC').pixels).to.deep.equal(pixels);
    expect(written(chw.permute(2, 1, 0), 'whc')).to.deep.equal({ width: 2, height: 1, channels: 3, pixels });
    expect(written(full([4, 1, 2], 7, { dtype: 'uint8' })).channels).to.equal(4);
  });

  it('lay a batch out in rows of eight', () => {
    const x = tensor(
      Uint8Array.from({ length: 10 }, (_, i) => i + 1),
      { shape: [10, 1, 1, 1] },
    );
    const grid = written(x, undefined, true);
    expect([grid.width, grid.height]).to.deep.equal([8, 2]);
    expect(grid.pixels.filter((_, i) => i % 3 === 0)).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 0, 0, 0, 0]);
    expect(written(x.permute(0, 2, 3, 1), 'NHWC', true)).to.deep.equal(grid);
  });
});
