/** Cases of pooling and interpolation, defined on a tape. */
import { nn } from '../../lib/index.js';
import { type Case, range, taped, WITH_HALVES } from './case.js';

const F = nn.functional;

interface Pooling {
  readonly shape: readonly [number, number, number, number];
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}
function pooling(kind: 'max' | 'avg', { shape, kernel, stride, padding }: Pooling): Case {
  const [n, c, h, w] = shape;
  const out = [h, w].map((size) => Math.floor((size + 2 * padding - kernel) / stride) + 1);
  return {
    name: `${kind}Pool2d ${shape.join('x')} kernel ${kernel} stride ${stride} padding ${padding}`,
    inputs: [{ shape }],
    call: (x) => (kind === 'max' ? F.maxPool2d(x, kernel, stride, padding) : F.avgPool2d(x, kernel, stride, padding)),
    reference: taped((t, x) =>
      range(n * c * out[0] * out[1]).map((at) => {
        const [i, j] = [Math.floor(at / out[1]) % out[0], at % out[1]];
        const plane = Math.floor(at / (out[0] * out[1])) * h * w;
        const seen: number[] = [];
        for (let a = 0; a < kernel; a++)
          for (let b = 0; b < kernel; b++) {
            const [y, xx] = [i * stride - padding + a, j * stride - padding + b];
            if (y >= 0 && y < h && xx >= 0 && xx < w) seen.push(x[plane + y * w + xx]);
          }
        return kind === 'max' ? t.max(seen) : t.affine(t.sum(seen), 1 / (kernel * kernel));
      }),
    ),
    terms: kernel * kernel,
    dtypes: WITH_HALVES,
  };
}
/** Every output the mean of its share of the input; of whole rows, or of a whole plane, which lie side by side. */
const adaptive = (
  [
    [7, 9, 3, 4],
    [7, 9, 3, 1],
    [12, 13, 1, 1],
    [12, 13, 1, 5],
  ] as const
).map(
  ([h, w, p, q]): Case => ({
    name: `adaptiveAvgPool2d 2x5x${h}x${w} to ${p}x${q}`,
    inputs: [{ shape: [2, 5, h, w] }],
    call: (x) => F.adaptiveAvgPool2d(x, [p, q]),
    reference: taped((t, x) =>
      range(2 * 5 * p * q).map((at) => {
        const [i, j, plane] = [Math.floor(at / q) % p, at % q, Math.floor(at / (p * q)) * h * w];
        const share = (k: number, size: number, parts: number): number[] =>
          range(Math.ceil(((k + 1) * size) / parts) - Math.floor((k * size) / parts), Math.floor((k * size) / parts));
        return t.mean(share(i, h, p).flatMap((y) => share(j, w, q).map((xx) => x[plane + y * w + xx])));
      }),
    ),
    terms: Math.ceil(h / p) * Math.ceil(w / q),
    dtypes: WITH_HALVES,
  }),
);
const doubled: Case = {
  name: 'interpolate 2x3x5x7 to twice its size, nearest',
  inputs: [{ shape: [2, 3, 5, 7] }],
  call: (x) => F.interpolate(x, { scaleFactor: 2, mode: 'nearest' }),
  reference: taped((_, x) =>
    range(2 * 3 * 140).map(
      (at) => x[Math.floor(at / 140) * 35 + Math.floor((Math.floor(at / 14) % 10) / 2) * 7 + Math.floor((at % 14) / 2)],
    ),
  ),
  terms: 4,
};
const bilinear: Case = {
  name: 'interpolate 2x3x5x7 to 8x13, bilinear',
  inputs: [{ shape: [2, 3, 5, 7] }],
  call: (x) => F.interpolate(x, { size: [8, 13], mode: 'bilinear', alignCorners: false }),
  reference: taped((t, x) =>
    range(2 * 3 * 104).map((at) => {
      const source = (k: number, from: number, to: number): [number, number, number] => {
        const place = Math.max(((k + 0.5) * from) / to - 0.5, 0);
        const first = Math.min(Math.floor(place), from - 1);
        return [first, Math.min(first + 1, from - 1), place - first];
      };
      const [y0, y1, v] = source(Math.floor(at / 13) % 8, 5, 8);
      const [x0, x1, u] = source(at % 13, 7, 13);
      const pixel = (y: number, xx: number, weight: number): number =>
        t.affine(x[Math.floor(at / 104) * 35 + y * 7 + xx], weight);
      return t.sum([
        pixel(y0, x0, (1 - v) * (1 - u)),
        pixel(y0, x1, (1 - v) * u),
        pixel(y1, x0, v * (1 - u)),
        pixel(y1, x1, v * u),
      ]);
    }),
  ),
  // The weights of the pixels are rounded too.
  terms: 200,
};

const regular = (
  [
    { shape: [2, 3, 17, 35], kernel: 2, stride: 2, padding: 0 },
    { shape: [2, 3, 16, 64], kernel: 2, stride: 2, padding: 0 },
    { shape: [1, 5, 13, 14], kernel: 3, stride: 2, padding: 1 },
    { shape: [2, 2, 9, 33], kernel: 3, stride: 1, padding: 1 },
    { shape: [1, 2, 11, 10], kernel: 5, stride: 3, padding: 2 },
    { shape: [3, 2, 4, 4], kernel: 4, stride: 4, padding: 0 },
  ] as Pooling[]
).flatMap((spec) => [pooling('max', spec), pooling('avg', spec)]);
export const pools: readonly Case[] = [...regular, ...adaptive, doubled, bilinear];
