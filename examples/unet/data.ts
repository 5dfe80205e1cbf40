/** Pairs of image and mask files as tensors, and the loaders that feed them. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { cat, nn, type Tensor, utils } from 'nodegrad';

/** Folders of images and masks whose file names agree. */
export interface Paths {
  readonly images: string;
  readonly masks: string;
}

/** Image files with their masks: [3, H, W] in 0..1, and [2, H, W] of 0 and 1. Sizes are padded to multiples of 16. */
export class SliceDataset extends utils.data.Dataset<[Tensor, Tensor]> {
  readonly names: readonly string[];

  constructor(private readonly paths: Paths) {
    super();
    const masks = new Set(readdirSync(paths.masks));
    this.names = readdirSync(paths.images)
      .filter((name) => /\.(png|jpe?g|webp|tiff?)$/i.test(name))
      .sort();
    const lonely = this.names.find((name) => !masks.has(name));
    if (lonely !== undefined)
      throw new Error(`${path.join(paths.images, lonely)} has no mask of the same name in ${paths.masks}`);
    if (this.names.length === 0) throw new Error(`${paths.images} holds no images`);
  }

  override get length(): number {
    return this.names.length;
  }

  override async getItem(index: number): Promise<[Tensor, Tensor]> {
    const name = this.names[index];
    const image = await utils.data.readImage(path.join(this.paths.images, name));
    const mask = await utils.data.readImage(path.join(this.paths.masks, name));
    return [pad(asChannels(image, 3).float().div(255)), pad(asChannels(mask, 2).gt(127).float())];
  }
}

/** The first channels of an image; a grey one is repeated. */
function asChannels(image: Tensor, channels: number): Tensor {
  const [have] = image.shape;
  if (have >= channels) return image.narrow(0, 0, channels);
  return cat(Array.from({ length: channels }, (_, c) => image.narrow(0, Math.min(c, have - 1), 1)));
}

function pad(x: Tensor): Tensor {
  const [, height, width] = x.shape;
  return nn.functional.pad(x, [0, (16 - (width % 16)) % 16, 0, (16 - (height % 16)) % 16]);
}

/** The loader of the training set, shuffled, and that of the validation set. */
export function getLoaders(
  train: Paths,
  val: Paths,
  options: { batchSize: number },
): [utils.data.DataLoader<[Tensor, Tensor]>, utils.data.DataLoader<[Tensor, Tensor]>] {
  return [
    new utils.data.DataLoader(new SliceDataset(train), { ...options, shuffle: true }),
    new utils.data.DataLoader(new SliceDataset(val), options),
  ];
}
