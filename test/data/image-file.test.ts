/** Image files through sharp: what is written comes back, in every number of channels. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, full, NodegradError, ShapeError, tensor, utils } from '../../lib/index.js';
import { encodePng } from '../../lib/tensorboard/png.js';
import { rejection } from '../serialization/rejection.js';

const { readImage, writeImage } = utils.data;

describe('image files', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-images-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('are read as uint8 [C, H, W]', async () => {
    for (const channels of [1, 3, 4]) {
      const pixels = Uint8Array.from({ length: 6 * channels }, (_, i) => (i * 37 + 5) % 256);
      const file = path.join(folder, `${channels}.png`);
      writeFileSync(file, encodePng(pixels, 3, 2, channels));
      const image = await readImage(file);
      expect([image.dtype, image.shape], `${channels} channels`).to.deep.equal(['uint8', [channels, 2, 3]]);
      expect([...image.permute(1, 2, 0).contiguous().toTypedArray()]).to.deep.equal([...pixels]);
      expect((await readImage(pathToFileURL(file))).tolist()).to.deep.equal(image.tolist());
      expect((await readImage(encodePng(pixels, 3, 2, channels))).tolist()).to.deep.equal(image.tolist());
    }
  });

  it('are converted where that is asked for', async () => {
    const grey = path.join(folder, 'grey.png');
    writeFileSync(grey, encodePng(Uint8Array.of(10, 200), 2, 1, 1));
    expect((await readImage(grey, 'rgb')).tolist()).to.deep.equal([[[10, 200]], [[10, 200]], [[10, 200]]]);
    expect((await readImage(grey, { mode: 'rgba' })).shape).to.deep.equal([4, 1, 2]);
    const rgb = encodePng(Uint8Array.of(50, 50, 50), 1, 1, 3);
    expect((await readImage(rgb, 'gray')).tolist()).to.deep.equal([[[50]]]);
  });

  it('are written from uint8 and from floats of 0 to 1', async () => {
    const file = path.join(folder, 'out.png');
    const image = tensor([[[0, 255]], [[10, 20]], [[30, 40]]], { dtype: 'uint8' });
    await writeImage(image, file);
    expect((await readImage(file)).tolist()).to.deep.equal(image.tolist());
    await writeImage(tensor([[0, 0.5, 1, 2, -1]]), pathToFileURL(file));
    expect((await readImage(file)).tolist()).to.deep.equal([[[0, 128, 255, 255, 0]]]);
  });

  it('are refused by name', async () => {
    expect((await rejection(readImage(path.join(folder, 'missing.png')))).message).to.match(
      /^readImage: expected a readable image at .*missing\.png"/,
    );
    writeFileSync(path.join(folder, 'text.png'), 'no image');
    expect(await rejection(readImage(path.join(folder, 'text.png')))).to.be.instanceOf(NodegradError);
    expect(await rejection(readImage(5 as never))).to.be.instanceOf(ArgumentError);
    expect(await rejection(readImage('x.png', 'grey' as never))).to.be.instanceOf(ArgumentError);
    expect(await rejection(writeImage(full([5, 2, 2], 1), 'x.png'))).to.be.instanceOf(ShapeError);
    expect(await rejection(writeImage(full([2, 2], 1, { dtype: 'int64' }), 'x.png'))).to.be.instanceOf(ArgumentError);
    expect(await rejection(writeImage(full([2, 2], 1), path.join(folder, 'x.unknown')))).to.be.instanceOf(
      NodegradError,
    );
  });
});
