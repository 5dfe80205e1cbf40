/** Image files as tensors and back, through sharp, which is loaded when it is first needed. */
import { ArgumentError, describe, fail, NodegradError, rejectUnknownOptions, ShapeError } from '../errors.js';
import { type FileName, filePath } from '../file-name.js';
import { importModule } from '../native/dynamic-import.js';
import { FLOAT32, UINT8 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { castTo } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';

/** What the file's channels become: as they are, or converted. Named as torchvision's ImageReadMode. */
export type ImageMode = 'unchanged' | 'gray' | 'rgb' | 'rgba';

type Sharp = typeof import('sharp')['default'];

async function loadSharp(op: string): Promise<Sharp> {
  try {
    const module = (await importModule('sharp')) as { default?: Sharp };
    return module.default ?? (module as unknown as Sharp);
  } catch (cause) {
    throw new NodegradError(
      `${op}: expected the package sharp, which reads image files and is installed apart: npm install ` +
        `sharp (${(cause as Error).message})`,
      { cause },
    );
  }
}

/**
 * An image file (PNG, JPEG, WebP, TIFF, ...) as uint8[C, H, W]. `mode`: 'unchanged' (default), 'gray', 'rgb' or 'rgba'.
 * Needs sharp (`npm install sharp`). Throws NodegradError for a file that cannot be read. Source:
 * torchvision.io.read_image.
 */
export async function readImage(
  file: FileName | Uint8Array,
  mode: ImageMode | { mode?: ImageMode } = 'unchanged',
): Promise<Tensor> {
  if (typeof mode === 'object') rejectUnknownOptions('readImage', mode, ['mode']);
  const wanted = (typeof mode === 'object' ? mode.mode : mode) ?? 'unchanged';
  if (!['unchanged', 'gray', 'rgb', 'rgba'].includes(wanted))
    fail(ArgumentError, 'readImage', "mode 'unchanged', 'gray', 'rgb' or 'rgba'", describe(wanted));
  const source = file instanceof Uint8Array ? file : filePath('readImage', file);
  const sharp = await loadSharp('readImage');
  try {
    let image = sharp(source);
    if (wanted === 'gray') image = image.removeAlpha().grayscale().toColourspace('b-w');
    else if (wanted === 'rgb') image = image.removeAlpha().toColourspace('srgb');
    else if (wanted === 'rgba') image = image.toColourspace('srgb').ensureAlpha();
    else if ((await image.metadata()).channels === 1) image = image.toColourspace('b-w');
    const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return toPlanes(data, info.width, info.height, info.channels);
  } catch (cause) {
    throw new NodegradError(
      'readImage: expected a readable image ' +
        `${typeof source === 'string' ? `at ${JSON.stringify(source)}` : 'in the bytes'}, got ` +
        `${(cause as Error).message}`,
      { cause },
    );
  }
}

/** [H, W, C] to [C, H, W]. */
function toPlanes(pixels: Uint8Array, width: number, height: number, channels: number): Tensor {
  const out = allocate([channels, height, width], UINT8);
  const planes = out.array;
  const size = width * height;
  for (let c = 0; c < channels; c++) for (let i = 0; i < size; i++) planes[c * size + i] = pixels[i * channels + c];
  return out;
}

/**
 * Writes an image, uint8 or floating from 0 to 1 (clipped), of [C, H, W] with 1 to 4 channels or [H, W]; the file's
 * name says the format. Needs sharp. Source: torchvision.utils.save_image, of one image.
 */
export async function writeImage(image: Tensor, file: FileName): Promise<void> {
  if (!(image instanceof Tensor)) fail(ArgumentError, 'writeImage', 'a tensor', describe(image));
  const [channels, height, width] = image.shape.length === 2 ? [1, ...image.shape] : image.shape;
  if (image.shape.length < 2 || image.shape.length > 3 || !(channels >= 1 && channels <= 4) || image.numel() === 0)
    fail(ShapeError, 'writeImage', 'an image [C,H,W] of 1 to 4 channels, or [H,W]', describe(image));
  if (image.info !== UINT8 && !image.info.floating)
    fail(ArgumentError, 'writeImage', 'uint8 or a floating dtype', image.dtype);
  const scale = image.info === UINT8 ? 1 : 255;
  const values = castTo(image, image.info === UINT8 ? UINT8 : FLOAT32).array;
  const size = width * height;
  const pixels = new Uint8ClampedArray(size * channels);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < size; i++) pixels[i * channels + c] = Number(values[c * size + i]) * scale;
  const target = filePath('writeImage', file);
  const sharp = await loadSharp('writeImage');
  try {
    const raw = sharp(pixels, { raw: { width, height, channels: channels as 1 | 2 | 3 | 4 } });
    await (channels < 3 ? raw.toColourspace('b-w') : raw).toFile(target);
  } catch (cause) {
    throw new NodegradError(
      `writeImage: expected to write ${JSON.stringify(target)}, got ${(cause as Error).message}`,
      { cause },
    );
  }
}
