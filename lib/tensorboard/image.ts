/**
 * Tensors as pictures: any order of dimensions, one image or a batch laid out as a grid. Source:
 * torch.utils.tensorboard._utils.
 */
import { ArgumentError, fail, ShapeError } from '../errors.js';
import { FLOAT32 } from '../storage/dtype.js';
import { castTo } from '../tensor/copy.js';
import type { Tensor } from '../tensor/tensor.js';
import { encodePng } from './png.js';

/** Images in a row of the grid. */
const COLUMNS = 8;

export interface EncodedImage {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly png: Buffer;
}

/** Strides of the dimensions N, C, H, W in the tensor's own data; 0 where there is none. */
interface Axes {
  readonly size: Readonly<Record<string, number>>;
  readonly step: Readonly<Record<string, number>>;
}

function axesOf(op: string, x: Tensor, dataformats: string): Axes {
  const format = dataformats.toUpperCase();
  const letters = [...format].sort().join('');
  if (!['HW', 'CHW', 'CHNW'].includes(letters))
    fail(
      ArgumentError,
      op,
      "dataformats of the letters HW, CHW or NCHW, each once, such as 'HWC'",
      JSON.stringify(dataformats),
    );
  if (x.shape.length !== format.length)
    fail(ShapeError, op, `${format.length} dimensions for dataformats ${format}`, `${x.shape.length}`, { img: x });
  const size: Record<string, number> = { N: 1, C: 1 };
  const step: Record<string, number> = { N: 0, C: 0 };
  let stride = 1;
  for (let d = format.length - 1; d >= 0; d--) {
    size[format[d]] = x.shape[d];
    step[format[d]] = stride;
    stride *= x.shape[d];
  }
  return { size, step };
}

/**
 * PNG of an image: uint8 as it is, other types from 0..1 to 0..255, clipped. One channel is shown as grey in three; a
 * batch as rows of eight.
 */
export function encodeImage(op: string, x: Tensor, dataformats: string): EncodedImage {
  const { size, step } = axesOf(op, x, dataformats);
  const { N, C, H, W } = size;
  const allowed = dataformats.length === 4 ? [1, 3] : [1, 3, 4];
  if (!allowed.includes(C)) fail(ShapeError, op, `${allowed.join(', ')} channels`, String(C), { img: x });
  if (N * H * W === 0) fail(ShapeError, op, 'an image of at least one pixel', `[${x.shape}]`);
  const data = x.info.name === 'uint8' ? castTo(x, x.info).array : castTo(x, FLOAT32).array;
  const scale = x.info.name === 'uint8' ? 1 : 255;
  const channels = Math.max(C, 3);
  const columns = Math.min(N, COLUMNS);
  const width = W * columns;
  const height = H * Math.ceil(N / columns);
  const pixels = new Uint8Array(width * height * channels);
  for (let n = 0; n < N; n++) {
    const corner = Math.floor(n / columns) * H * width + (n % columns) * W;
    for (let h = 0; h < H; h++)
      for (let w = 0; w < W; w++)
        for (let c = 0; c < channels; c++) {
          const value = Math.fround(
            Number(data[n * step.N + h * step.H + w * step.W + (C === 1 ? 0 : c * step.C)]) * scale,
          );
          pixels[(corner + h * width + w) * channels + c] = value < 0 ? 0 : value > 255 ? 255 : Math.floor(value);
        }
  }
  return { width, height, channels, png: encodePng(pixels, width, height, channels) };
}
