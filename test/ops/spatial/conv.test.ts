/** Convolutions at odd sizes against plain loops in float64, and the same bits for any number of threads. */
import { expect } from 'chai';
import { arange, autograd, nn, onesLike, stack, type Tensor, tensor, zeros } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';
import { eachProduct, type NaiveGeometry, outputSize } from '../../reference/naive-conv.js';

type Row = [
  name: string,
  n: number,
  c: number,
  k: number,
  groups: number,
  size: number[],
  kernel: number[],
  stride: number[],
  pad: number[],
  dilation: number[],
];

// Sizes around the tile of 256 pixels, the block of 64 channels and of 16 elements, and beyond the column buffer.
const rows: Row[] = [
  ['small images share a tile', 7, 5, 6, 1, [3, 5], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['an image just under half a tile, and one just over', 3, 3, 4, 1, [9, 15], [2, 3], [1, 1], [0, 1], [1, 1]],
  ['several tiles an image', 2, 4, 5, 1, [33, 31], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['rows longer than a tile', 1, 2, 3, 1, [3, 301], [2, 5], [1, 1], [1, 2], [1, 1]],
  ['more channels than the column buffer holds', 1, 90, 7, 1, [17, 19], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['output channels cut into blocks', 1, 9, 133, 1, [5, 7], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['one by one', 3, 17, 9, 1, [19, 23], [1, 1], [1, 1], [0, 0], [1, 1]],
  ['one by one with a stride', 3, 6, 5, 1, [19, 23], [1, 1], [2, 3], [0, 0], [1, 1]],
  ['stride two', 2, 5, 7, 1, [20, 33], [3, 3], [2, 2], [1, 1], [1, 1]],
  ['stride beyond the kernel', 2, 3, 4, 1, [19, 18], [2, 2], [3, 5], [0, 0], [1, 1]],
  ['stride beyond the input', 2, 3, 4, 1, [4, 5], [3, 3], [9, 11], [1, 1], [1, 1]],
  ['dilation that shares factors with the stride', 2, 3, 4, 1, [21, 22], [3, 2], [2, 3], [2, 3], [2, 3]],
  ['padding beyond the kernel', 1, 3, 2, 1, [5, 4], [2, 3], [2, 1], [5, 6], [1, 1]],
  ['four groups', 2, 20, 24, 4, [13, 14], [3, 3], [1, 2], [1, 0], [1, 1]],
  ['depthwise', 2, 13, 13, 13, [17, 35], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['depthwise, stride, multiplier', 2, 5, 15, 5, [17, 34], [5, 3], [2, 2], [2, 1], [1, 2]],
  ['depthwise, stride three', 2, 6, 6, 6, [17, 36], [3, 4], [3, 3], [1, 1], [1, 1]],
  ['depthwise, rows longer than a block', 1, 2, 2, 2, [5, 2100], [3, 3], [1, 1], [1, 1], [1, 1]],
  ['depthwise, blocks of rows', 2, 3, 3, 3, [101, 130], [5, 7], [1, 1], [2, 3], [1, 1]],
  ['depthwise, stride two, blocks of rows', 1, 3, 3, 3, [171, 140], [3, 3], [2, 2], [1, 1], [1, 1]],
  ['depthwise, taps that share nothing', 2, 3, 3, 3, [90, 110], [3, 3], [1, 1], [10, 3], [40, 50]],
  ['depthwise, a stride and taps that share nothing', 1, 2, 4, 2, [91, 111], [3, 2], [2, 3], [10, 4], [40, 100]],
  ['depthwise, padding beyond the kernel', 1, 3, 3, 3, [5, 4], [2, 3], [2, 1], [5, 6], [1, 1]],
  ['depthwise, stride beyond the input', 2, 3, 6, 3, [4, 5], [3, 3], [9, 11], [1, 1], [1, 1]],
  ['depthwise, stride far beyond the input', 2, 3, 3, 3, [4, 5], [3, 3], [5000, 7000], [1, 1], [1, 1]],
  ['depthwise, one tap and a stride', 2, 3, 3, 3, [14, 35], [1, 1], [2, 3], [0, 0], [1, 1]],
  ['thin groups of several channels', 2, 12, 20, 4, [19, 37], [3, 3], [2, 1], [1, 2], [1, 2]],
];

function geometryOf([, n, c, k, groups, size, kernel, stride, pad, dilation]: Row): NaiveGeometry {
  const g = { n, c, k, groups, in: size, kernel, stride, pad, dilation };
  return { ...g, out: [outputSize(g, 0), outputSize(g, 1)] };
}

function fill(count: number, seed: number): Float64Array {
  let state = seed;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2147483648 - 1);
  });
}

function expectNear(got: Tensor, expected: Float64Array, tolerance: number, what: string): void {
  const values = got.toTypedArray() as Float64Array;
  expect(values.length, what).to.equal(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(values[i] - expected[i]) <= tolerance * (1 + Math.abs(expected[i]))))
      expect.fail(`${what}: element ${i} is ${values[i]}, expected ${expected[i]}`);
  }
}

/** Output and the three gradients by definition. */
function reference(g: NaiveGeometry, x: Float64Array, w: Float64Array, b: Float64Array, grad: Float64Array) {
  const pixels = g.out[0] * g.out[1];
  const y = new Float64Array(g.n * g.k * pixels);
  const gradBias = new Float64Array(g.k);
  for (let i = 0; i < y.length; i++) {
    const channel = Math.floor(i / pixels) % g.k;
    y[i] = b[channel];
    gradBias[channel] += grad[i];
  }
  const gradX = new Float64Array(x.length);
  const gradW = new Float64Array(w.length);
  eachProduct(g, (at, from, weight) => {
    y[at] += x[from] * w[weight];
    gradX[from] += grad[at] * w[weight];
    gradW[weight] += grad[at] * x[from];
  });
  return { y, gradX, gradW, gradBias };
}

function data(g: NaiveGeometry) {
  const x = fill(g.n * g.c * g.in[0] * g.in[1], 1);
  const w = fill((g.k * g.c * g.kernel[0] * g.kernel[1]) / g.groups, 2);
  return { x, w, b: fill(g.k, 3), grad: fill(g.n * g.k * g.out[0] * g.out[1], 4) };
}

describe('convolution against its definition', () => {
  for (const row of rows) {
    const g = geometryOf(row);
    const options = { stride: g.stride, padding: g.pad, dilation: g.dilation, groups: g.groups };
    for (const [dtype, tolerance] of [
      ['float64', 1e-12],
      ['float32', 2e-5],
    ] as const) {
      it(`${row[0]}, ${dtype}`, () => {
        const values = data(g);
        const expected = reference(g, values.x, values.w, values.b, values.grad);
        const x = tensor(values.x, { shape: [g.n, g.c, ...g.in], dtype, requiresGrad: true });
        const w = tensor(values.w, { shape: [g.k, g.c / g.groups, ...g.kernel], dtype, requiresGrad: true });
        const b = tensor(values.b, { dtype, requiresGrad: true });
        const y = nn.functional.conv2d(x, w, b, options);
        expect(y.shape).to.deep.equal([g.n, g.k, ...g.out]);
        expectNear(y, expected.y, tolerance, 'output');
        y.backward(tensor(values.grad, { shape: y.shape, dtype }));
        const scale = Math.sqrt(g.n * g.out[0] * g.out[1]);
        expectNear(x.grad as Tensor, expected.gradX, tolerance, 'gradient of the input');
        expectNear(w.grad as Tensor, expected.gradW, tolerance * scale, 'gradient of the weight');
        expectNear(b.grad as Tensor, expected.gradBias, tolerance * scale, 'gradient of the bias');
      });
    }
    it(`${row[0]}, transposed`, () => {
      const values = data(g);
      const expected = reference(g, values.x, values.w, values.b, values.grad);
      // outputPadding restores what the rounding of the forward size dropped; beyond its range there is no such call.
      const outputPadding = g.in.map(
        (n, d) => n - ((g.out[d] - 1) * g.stride[d] - 2 * g.pad[d] + g.dilation[d] * (g.kernel[d] - 1) + 1),
      );
      if (outputPadding.some((p, d) => p >= Math.max(g.stride[d], g.dilation[d])))
        expect.fail('the row cannot be transposed');
      const grad = tensor(values.grad, { shape: [g.n, g.k, ...g.out] });
      const w = tensor(values.w, { shape: [g.k, g.c / g.groups, ...g.kernel] });
      const bias = fill(g.c, 5);
      const y = nn.functional.convTranspose2d(grad, w, tensor(bias), { ...options, outputPadding });
      const pixels = g.in[0] * g.in[1];
      expectNear(
        y,
        expected.gradX.map((v, i) => v + bias[Math.floor(i / pixels) % g.c]),
        1e-12,
        'output',
      );
    });
  }
});

describe('convolution in one and three dimensions', () => {
  it('is the two-dimensional one with the missing dimension of size 1', () => {
    const x = tensor(fill(2 * 3 * 40, 1), { shape: [2, 3, 40] });
    const w = tensor(fill(4 * 3 * 5, 2), { shape: [4, 3, 5] });
    const line = nn.functional.conv1d(x, w, null, { stride: 3, padding: 2, dilation: 2 });
    const plane = nn.functional.conv2d(x.reshape(2, 3, 1, 40), w.reshape(4, 3, 1, 5), null, {
      stride: [1, 3],
      padding: [0, 2],
      dilation: [1, 2],
    });
    expect(line.tolist()).to.deep.equal(plane.reshape(line.shape).tolist());
  });

  it('sums over depth as convolutions of slices', () => {
    const x = tensor(fill(2 * 3 * 4 * 6 * 7, 1), { shape: [2, 3, 4, 6, 7] });
    const w = tensor(fill(5 * 3 * 2 * 3 * 3, 2), { shape: [5, 3, 2, 3, 3] });
    const y = nn.functional.conv3d(x, w, null, { padding: [0, 1, 1] });
    expect(y.shape).to.deep.equal([2, 5, 3, 6, 7]);
    for (let e = 0; e < 3; e++) {
      const slices = [0, 1].map((t) =>
        nn.functional.conv2d(x.select(2, e + t).contiguous(), w.select(2, t).contiguous(), null, { padding: 1 }),
      );
      expectNear(
        y.select(2, e).contiguous(),
        slices[0].add(slices[1]).toTypedArray() as Float64Array,
        1e-12,
        `depth ${e}`,
      );
    }
  });
});

describe('depthwise convolution', () => {
  it('sums over depth as convolutions of slices', () => {
    const x = tensor(fill(2 * 4 * 5 * 6 * 7, 1), { shape: [2, 4, 5, 6, 7], requiresGrad: true });
    const w = tensor(fill(4 * 3 * 3 * 3, 2), { shape: [4, 1, 3, 3, 3], requiresGrad: true });
    const y = nn.functional.conv3d(x, w, null, { padding: 1, groups: 4 });
    const slice = (e: number, t: number): Tensor =>
      nn.functional.conv2d(x.select(2, e + t - 1), w.select(2, t), null, { padding: 1, groups: 4 });
    const planes = Array.from({ length: 5 }, (_, e) =>
      [0, 1, 2].filter((t) => e + t >= 1 && e + t <= 5).map((t) => slice(e, t)),
    );
    const expected = stack(
      planes.map((taps) => taps.reduce((a, b) => a.add(b))),
      2,
    );
    expectNear(y, expected.toTypedArray() as Float64Array, 1e-12, 'output');
    const grad = tensor(fill(y.numel(), 3), { shape: y.shape });
    const [gx, gw] = autograd.grad(y, [x, w], { gradOutputs: grad }) as Tensor[];
    const [ex, ew] = autograd.grad(expected, [x, w], { gradOutputs: grad }) as Tensor[];
    expectNear(gx, ex.toTypedArray() as Float64Array, 1e-12, 'gradient of the input');
    expectNear(gw, ew.toTypedArray() as Float64Array, 1e-11, 'gradient of the weight');
  });

  it('keeps what is not finite to its channel', () => {
    for (const size of [9, 70]) {
      const values = fill(2 * 3 * size * size, 1).map((v, i) =>
        Math.floor(i / size / size) % 3 === 1 ? Number.POSITIVE_INFINITY : v,
      );
      const x = tensor(values, { shape: [2, 3, size, size], requiresGrad: true });
      const w = tensor(fill(27, 2), { shape: [3, 1, 3, 3], requiresGrad: true });
      const y = nn.functional.conv2d(x, w, null, { padding: 1, groups: 3 });
      y.backward(onesLike(y));
      const finite = (t: Tensor, channel: number, dim: number): boolean =>
        (t.select(dim, channel).contiguous().toTypedArray() as Float64Array).every(Number.isFinite);
      for (const [channel, expected] of [true, false, true].entries()) {
        expect(finite(y, channel, 1), `output ${channel}`).to.equal(expected);
        expect(finite(w.grad as Tensor, channel, 0), `weight ${channel}`).to.equal(expected);
      }
    }
  });
});

describe('convolution and what is not finite', () => {
  // Large enough for Winograd's filtering, which adds pixels up before it multiplies.
  for (const [dtype, side, within] of [
    ['float32', 16, 1e-4],
    ['bfloat16', 64, 0.5],
  ] as const) {
    const shape = [1, 48, side, side];
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      it(`gives ${value} of ${dtype} to the pixels that read it, and to no other`, () => {
        const w = tensor(fill(48 * 48 * 9, 2), { shape: [48, 48, 3, 3], dtype });
        const run = (values: number[]): number[] => {
          const y = nn.functional.conv2d(tensor(values, { shape, dtype }), w, null, { padding: 1 });
          return Array.from(y.to('float32').toTypedArray() as Float32Array);
        };
        for (const [row, column] of [
          [0, 0],
          [7, 8],
          [8, 7],
          [side - 1, side - 2],
        ]) {
          const values = Array.from(fill(48 * side * side, 1));
          const plain = run(values);
          values[5 * side * side + row * side + column] = value;
          const y = run(values);
          const wrong = Array.from(y.keys()).filter((i) => {
            const reads =
              Math.abs(Math.floor((i % (side * side)) / side) - row) <= 1 && Math.abs((i % side) - column) <= 1;
            return reads ? Number.isFinite(y[i]) : !(Math.abs(y[i] - plain[i]) < within);
          });
          expect(wrong, `a pixel at ${row}, ${column}`).to.deep.equal([]);
        }
      });
    }
  }
});

/** Output and the gradients of a 3x3 convolution in a type. */
function convolved(
  n: number,
  c: number,
  k: number,
  size: readonly number[],
  dtype: 'float32' | 'float64',
): Float64Array[] {
  const x = tensor(fill(n * c * size[0] * size[1], 1), { shape: [n, c, ...size], dtype, requiresGrad: true });
  const w = tensor(fill(k * c * 9, 2), { shape: [k, c, 3, 3], dtype, requiresGrad: true });
  const y = nn.functional.conv2d(x, w, null, { padding: 1 });
  const gradOutputs = tensor(fill(y.numel(), 3), { shape: [...y.shape], dtype });
  return [y, ...(autograd.grad(y, [x, w], { gradOutputs }) as Tensor[])].map((t) =>
    Float64Array.from(t.toTypedArray() as Float32Array),
  );
}

describe('convolution of no channels', () => {
  for (const dtype of ['float32', 'float64', 'bfloat16'] as const)
    for (const stride of [1, 2])
      it(`is the bias, and has gradients of no elements: ${dtype}, stride ${stride}`, () => {
        const x = zeros([2, 0, 9, 9], { dtype, requiresGrad: true });
        const weight = zeros([16, 0, 3, 3], { dtype, requiresGrad: true });
        const bias = arange(16, { dtype });
        const y = nn.functional.conv2d(x, weight, bias, { stride });
        const side = stride === 1 ? 7 : 4;
        expect(y.tolist()).to.deep.equal(bias.reshape([1, 16, 1, 1]).expand([2, 16, side, side]).tolist());
        expect(nn.functional.conv2d(x, weight, null, { stride }).abs().sum().item()).to.equal(0);
        y.sum().backward();
        expect([x.grad?.shape, weight.grad?.shape]).to.deep.equal([x.shape, weight.shape]);
        expect(
          nn.functional.convTranspose2d(zeros([2, 16, 4, 4], { dtype }), weight.detach(), null, { stride }).shape,
        ).to.deep.equal([2, 0, 3 * stride + 3, 3 * stride + 3]);
      });
});

describe('convolution with many filters', () => {
  // So many that several panels of tiles are worked at together; float64 takes direct sums, which the definition above
  // has checked.
  it('is in float32 what it is in float64', () => {
    const exact = convolved(2, 257, 256, [11, 9], 'float64');
    convolved(2, 257, 256, [11, 9], 'float32').forEach((values, which) => {
      const deviation = Math.sqrt(exact[which].reduce((sum, v) => sum + v * v, 0) / exact[which].length);
      const error = values.reduce((most, v, i) => Math.max(most, Math.abs(v - exact[which][i])), 0);
      expect(error / deviation, `result ${which}`).to.be.below(5e-6);
    });
  });
});

describe('convolution and threads', () => {
  for (const [n, c, k, size] of [
    [4, 24, 20, [30, 30]],
    [2, 257, 256, [11, 9]],
  ] as const) {
    it(`gives the same bits for any number of threads, ${c} to ${k} channels`, () => {
      const before = addon.getNumThreads();
      try {
        addon.setNumThreads(1);
        const one = convolved(n, c, k, size, 'float32');
        for (const count of [2, 3]) {
          addon.setNumThreads(count);
          expect(convolved(n, c, k, size, 'float32')).to.deep.equal(one);
        }
      } finally {
        addon.setNumThreads(before);
      }
    });
  }
});
