/**
 * Max pooling at odd sizes against plain loops: values, positions and gradients to the bit, with ties, NaN and minus
 * infinity.
 */
import { expect } from 'chai';
import { autograd, type DType, nn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

const F = nn.functional;

type Row = [
  name: string,
  shape: number[],
  kernel: number[],
  stride: number[],
  pad: number[],
  dilation: number[],
  ceil: boolean,
];
const rows: Row[] = [
  ['pairs, a whole number of vectors', [2, 3, 8, 64], [2, 2], [2, 2], [0, 0], [1, 1], false],
  ['pairs with a tail and odd sizes', [3, 2, 7, 63], [2, 2], [2, 2], [0, 0], [1, 1], false],
  ['pairs, less than a vector', [5, 4, 8, 11], [2, 2], [2, 2], [0, 0], [1, 1], false],
  ['pairs, a few windows', [5, 4, 6, 6], [2, 2], [2, 2], [0, 0], [1, 1], false],
  ['pairs beyond the edge', [2, 3, 7, 35], [2, 2], [2, 2], [0, 0], [1, 1], true],
  ['padded pairs', [2, 3, 6, 38], [2, 2], [2, 2], [1, 1], [1, 1], false],
  ['apart, with gaps', [2, 3, 11, 67], [2, 3], [3, 4], [0, 0], [1, 1], false],
  ['three by three, stride two', [2, 3, 9, 45], [3, 3], [2, 2], [1, 1], [1, 1], false],
  ['three by three, stride one', [2, 3, 9, 45], [3, 3], [1, 1], [1, 1], [1, 1], false],
  ['five by four, stride one', [1, 3, 12, 37], [5, 4], [1, 1], [2, 2], [1, 1], false],
  ['five by five, stride two', [1, 3, 12, 71], [5, 5], [2, 2], [2, 2], [1, 1], true],
  ['dilated', [1, 2, 15, 41], [3, 3], [1, 2], [1, 2], [2, 3], false],
  ['stride three along', [1, 2, 9, 64], [3, 3], [2, 3], [0, 1], [1, 1], false],
  ['more taps than a byte numbers', [1, 1, 33, 40], [17, 16], [2, 1], [0, 0], [1, 1], false],
];

/** Values on a coarse grid, so that windows have ties; here and there NaN, and a run of minus infinity. */
function values(count: number): Float32Array {
  let state = 7;
  return Float32Array.from({ length: count }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (state % 61 === 0) return Number.NaN;
    if (i > count * 0.7 && i < count * 0.8) return Number.NEGATIVE_INFINITY;
    return ((state >>> 16) % 7) - 3;
  });
}

/** The definition: the first greatest tap inside, the last NaN. */
function reference([, [n, c, h, w], kernel, stride, pad, dilation]: Row, x: Float32Array, out: readonly number[]) {
  const y: number[] = [];
  const at: number[] = [];
  for (let plane = 0; plane < n * c; plane++) {
    for (let p = 0; p < out[2]; p++) {
      for (let q = 0; q < out[3]; q++) {
        let best = Number.NEGATIVE_INFINITY;
        let position = -1;
        for (let r = 0; r < kernel[0]; r++) {
          for (let s = 0; s < kernel[1]; s++) {
            const i = p * stride[0] - pad[0] + r * dilation[0];
            const j = q * stride[1] - pad[1] + s * dilation[1];
            if (i < 0 || j < 0 || i >= h || j >= w) continue;
            const v = x[(plane * h + i) * w + j];
            if (position >= 0 && !(v > best) && !Number.isNaN(v)) continue;
            best = v;
            position = i * w + j;
          }
        }
        y.push(best);
        at.push(position);
      }
    }
  }
  return { y, at };
}

function run(row: Row, x: Float32Array, dtype: DType) {
  const [, shape, kernel, stride, pad, dilation, ceilMode] = row;
  const leaf = tensor(x, { shape }).to(dtype).requiresGrad_();
  const y = F.maxPool2d(leaf, kernel, stride, pad, dilation, ceilMode);
  const [same, at] = F.maxPool2dWithIndices(leaf, kernel, stride, pad, dilation, ceilMode);
  const plain = F.maxPool2d(leaf.detach(), kernel, stride, pad, dilation, ceilMode);
  const g = tensor(
    Float32Array.from({ length: y.numel() }, (_, i) => (i % 11) - 4),
    { shape: [...y.shape] },
  ).to(dtype);
  const gradient = (out: Tensor): number[] => [
    ...((autograd.grad(out, leaf, { gradOutputs: g })[0] as Tensor).to('float64').toTypedArray() as Float64Array),
  ];
  const numbers = (t: Tensor): number[] => [...(t.detach().to('float64').toTypedArray() as Float64Array)];
  return {
    shape: y.shape,
    y: numbers(y),
    same: numbers(same),
    plain: numbers(plain),
    at: numbers(at),
    dx: gradient(y),
    dxAt: gradient(same),
    g: numbers(g),
  };
}

describe('max pooling by definition', () => {
  for (const row of rows) {
    for (const dtype of ['float32', 'float64', 'bfloat16', 'float16'] as const) {
      it(`${row[0]}, ${dtype}`, () => {
        const x = values(row[1].reduce((a, b) => a * b));
        const got = run(row, x, dtype);
        const { y, at } = reference(row, x, got.shape);
        expect(got.y).to.deep.equal(y);
        expect(got.same).to.deep.equal(y);
        expect(got.plain).to.deep.equal(y);
        expect(got.at).to.deep.equal(at);
        const dx = new Array<number>(x.length).fill(0);
        const pixels = row[1][2] * row[1][3];
        const windows = got.shape[2] * got.shape[3];
        for (const [i, position] of at.entries()) dx[Math.floor(i / windows) * pixels + position] += got.g[i];
        expect(got.dx).to.deep.equal(dx);
        expect(got.dxAt).to.deep.equal(dx);
      });
    }
  }

  it('the same bits for any number of threads', () => {
    const row: Row = ['', [8, 16, 33, 65], [3, 3], [2, 2], [1, 1], [1, 1], false];
    const x = values(8 * 16 * 33 * 65);
    const before = addon.getNumThreads();
    try {
      addon.setNumThreads(1);
      const one = run(row, x, 'float32');
      addon.setNumThreads(3);
      expect(run(row, x, 'float32')).to.deep.equal(one);
    } finally {
      addon.setNumThreads(before);
    }
  });
});
