/** Cases of convolutions and matrix products, with references in plain loops. */
import {
  addmm,
  baddbmm,
  bmm,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type DType,
  dot,
  einsum,
  matmul,
  mm,
  mv,
  narrow,
  nn,
  outer,
  type Tensor,
} from '../../lib/index.js';
import { type Case, type Cotangents, type Infinite, type Reference, stream, taped } from './case.js';

const FLOATS_AND_BFLOAT16: readonly DType[] = ['float32', 'float64', 'bfloat16'];

// ---- convolution

interface Convolution {
  readonly n: number;
  readonly c: number;
  readonly k: number;
  /** One to three sizes. */
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride?: number;
  readonly padding?: number | readonly number[];
  readonly dilation?: number;
  readonly groups?: number;
  readonly transposed?: boolean;
  readonly outputPadding?: number;
  readonly bias?: boolean;
  readonly dtypes?: readonly DType[];
}

const product = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
/** Three sizes, the missing leading ones filled. */
const three = (list: readonly number[], fill: number): [number, number, number] =>
  [...new Array<number>(3 - list.length).fill(fill), ...list] as [number, number, number];

/** Calls visit(wide index, narrow index, weight index): wide is the convolution's input, narrow its output. */
function eachTap(
  g: {
    n: number;
    c: number;
    k: number;
    groups: number;
    wide: number[];
    narrow: number[];
    kernel: number[];
    stride: number;
    pad: number[];
    dilation: number;
  },
  visit: (wide: number, narrow: number, weight: number) => void,
): void {
  const { n, c, k, groups, wide, narrow, kernel, stride, pad, dilation } = g;
  const [cg, kg] = [c / groups, k / groups];
  const [wideSize, narrowSize, taps] = [product(wide), product(narrow), product(kernel)];
  for (let at = 0; at < narrowSize; at++) {
    const x = at % narrow[2];
    const y = Math.floor(at / narrow[2]) % narrow[1];
    const z = Math.floor(at / (narrow[1] * narrow[2]));
    for (let tap = 0; tap < taps; tap++) {
      const xx = x * stride - pad[2] + (tap % kernel[2]) * dilation;
      const yy = y * stride - pad[1] + (Math.floor(tap / kernel[2]) % kernel[1]) * dilation;
      const zz = z * stride - pad[0] + Math.floor(tap / (kernel[1] * kernel[2])) * dilation;
      if (xx < 0 || xx >= wide[2] || yy < 0 || yy >= wide[1] || zz < 0 || zz >= wide[0]) continue;
      const place = (zz * wide[1] + yy) * wide[2] + xx;
      for (let b = 0; b < n; b++)
        for (let o = 0; o < k; o++) {
          const first = Math.floor(o / kg) * cg;
          for (let i = 0; i < cg; i++)
            visit((b * c + first + i) * wideSize + place, (b * k + o) * narrowSize + at, (o * cg + i) * taps + tap);
        }
    }
  }
}

function convolution(spec: Convolution): Case {
  const {
    n,
    c,
    k,
    stride = 1,
    dilation = 1,
    groups = 1,
    transposed = false,
    outputPadding = 0,
    bias = true,
    dtypes,
  } = spec;
  const nd = spec.size.length;
  const pads = Array.isArray(spec.padding)
    ? (spec.padding as number[])
    : new Array<number>(nd).fill((spec.padding as number | undefined) ?? 0);
  const out = spec.size.map((size, d) =>
    transposed
      ? (size - 1) * stride - 2 * pads[d] + dilation * (spec.kernel[d] - 1) + outputPadding + 1
      : Math.floor((size + 2 * pads[d] - dilation * (spec.kernel[d] - 1) - 1) / stride) + 1,
  );
  const geometry = {
    n,
    c: transposed ? k : c,
    k: transposed ? c : k,
    groups,
    wide: three(transposed ? out : spec.size, 1),
    narrow: three(transposed ? spec.size : out, 1),
    kernel: three(spec.kernel, 1),
    stride,
    pad: three(pads, 0),
    dilation,
  };
  const pixels = product(out);
  const reference = ([x, w, b]: readonly Float64Array[], weights: Cotangents): Reference => {
    const y = Float64Array.from({ length: n * k * pixels }, (_, i) => (bias ? b[Math.floor(i / pixels) % k] : 0));
    const g = weights(0, y.length);
    const [dx, dw, db] = [new Float64Array(x.length), new Float64Array(w.length), new Float64Array(k)];
    eachTap(geometry, (wide, narrow, weight) => {
      const [from, to] = transposed ? [narrow, wide] : [wide, narrow];
      y[to] += x[from] * w[weight];
      dx[from] += g[to] * w[weight];
      dw[weight] += g[to] * x[from];
    });
    for (let i = 0; i < g.length; i++) db[Math.floor(i / pixels) % k] += g[i];
    return { outputs: [y], gradients: bias ? [dx, dw, db] : [dx, dw] };
  };
  const weightShape = transposed ? [c, k / groups, ...spec.kernel] : [k, c / groups, ...spec.kernel];
  const call = (x: Tensor, w: Tensor, b?: Tensor): Tensor => {
    if (transposed)
      return [convTranspose1d, convTranspose2d, convTranspose3d][nd - 1](x, w, b, {
        stride,
        padding: pads as never,
        outputPadding,
        groups,
        dilation,
      });
    return [conv1d, conv2d, conv3d][nd - 1](x, w, b, { stride, padding: pads as never, dilation, groups });
  };
  const extras = [
    stride > 1 ? `stride ${stride}` : '',
    product(pads) > 0 || pads.some((p) => p > 0) ? `padding ${pads}` : '',
    dilation > 1 ? `dilation ${dilation}` : '',
    groups > 1 ? `groups ${groups}` : '',
    outputPadding > 0 ? `output padding ${outputPadding}` : '',
  ];
  return {
    name: (
      `${transposed ? 'convTranspose' : 'conv'}${nd}d ${[n, c, ...spec.size].join('x')} to ${k}, kernel ` +
      `${spec.kernel.join('x')} ${extras.filter((s) => s !== '').join(' ')}`
    ).trim(),
    inputs: [{ shape: [n, c, ...spec.size] }, { shape: weightShape }, ...(bias ? [{ shape: [k] }] : [])],
    call: call as Case['call'],
    reference,
    dtypes,
    terms: Math.max((c / groups) * product(spec.kernel), n * pixels),
  };
}

/** Convolutions of any kind, drawn from a seed. */
function drawn(count: number): Convolution[] {
  const next = stream(77);
  const below = (n: number): number => Math.floor(next() * n);
  const list: Convolution[] = [];
  while (list.length < count) {
    const nd = [1, 2, 2, 2, 2, 3][below(6)];
    const groups = [1, 1, 1, 2, 3, 0][below(6)];
    const width = 1 + below(nd === 3 ? 5 : 24);
    const times = 1 + below(groups === 0 ? 2 : 24);
    // Depthwise where groups is 0.
    const [c, k, g] = groups === 0 ? [width, width * times, width] : [width * groups, times * groups, groups];
    const kernel = Array.from({ length: nd }, () => 1 + below(nd === 3 ? 3 : 5));
    const [stride, dilation] = [1 + below(3), 1 + below(2)];
    const padding = kernel.map((size) => below(1 + Math.min(3, Math.floor((dilation * (size - 1)) / 2) + 1)));
    const size = kernel.map((taps) => dilation * (taps - 1) + 1 + below(nd === 1 ? 70 : nd === 2 ? 19 : 6));
    const transposed = below(4) === 0;
    if (transposed && size.some((s, d) => (s - 1) * stride - 2 * padding[d] + dilation * (kernel[d] - 1) + 1 < 1))
      continue;
    list.push({
      n: 1 + below(4),
      c,
      k,
      size,
      kernel,
      stride,
      dilation,
      padding,
      groups: g,
      transposed: transposed && groups !== 0,
      bias: below(2) === 0,
      dtypes: below(3) === 0 ? FLOATS_AND_BFLOAT16 : ['float32'],
    });
  }
  return list;
}

const specs: readonly Convolution[] = [
  { n: 2, c: 3, k: 17, size: [33, 35], kernel: [3, 3], padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 16, k: 24, size: [40, 37], kernel: [3, 3], padding: 1, bias: false, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 3, c: 19, k: 13, size: [15, 14], kernel: [3, 3], stride: 2, padding: 1 },
  { n: 1, c: 130, k: 70, size: [9, 11], kernel: [3, 3], padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 64, k: 64, size: [17, 32], kernel: [3, 3], padding: 1, bias: false, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 9, c: 33, k: 31, size: [3, 3], kernel: [3, 3], padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 1, k: 1, size: [29, 31], kernel: [3, 3], padding: 2 },
  { n: 2, c: 1, k: 32, size: [28, 28], kernel: [5, 5] },
  { n: 2, c: 40, k: 3, size: [14, 15], kernel: [4, 4], padding: 1, stride: 2 },
  { n: 1, c: 19, k: 50, size: [1, 1], kernel: [1, 1] },
  { n: 2, c: 65, k: 129, size: [7, 7], kernel: [1, 1], dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 67, k: 65, size: [4, 5], kernel: [3, 3], padding: 1, bias: false },
  { n: 2, c: 8, k: 8, size: [20, 21], kernel: [5, 5], padding: 2 },
  { n: 2, c: 3, k: 16, size: [31, 29], kernel: [7, 7], stride: 2, padding: 3 },
  { n: 3, c: 17, k: 33, size: [11, 13], kernel: [1, 1], dtypes: FLOATS_AND_BFLOAT16 },
  { n: 2, c: 17, k: 9, size: [12, 13], kernel: [1, 1], stride: 2, bias: false },
  { n: 1, c: 5, k: 6, size: [9, 8], kernel: [1, 1], padding: 1 },
  {
    n: 2,
    c: 13,
    k: 13,
    size: [19, 18],
    kernel: [3, 3],
    padding: 1,
    groups: 13,
    bias: false,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  { n: 2, c: 9, k: 18, size: [17, 20], kernel: [3, 3], stride: 2, padding: 1, groups: 9 },
  { n: 1, c: 6, k: 6, size: [21, 40], kernel: [5, 5], padding: 2, groups: 6 },
  { n: 2, c: 12, k: 18, size: [9, 10], kernel: [3, 3], padding: 1, groups: 3 },
  { n: 2, c: 7, k: 9, size: [16, 15], kernel: [3, 3], padding: 2, dilation: 2, bias: false },
  { n: 2, c: 4, k: 5, size: [12, 17], kernel: [1, 3], padding: [0, 1] },
  { n: 2, c: 4, k: 5, size: [12, 17], kernel: [3, 1], padding: [1, 0] },
  { n: 1, c: 2, k: 3, size: [2, 2], kernel: [3, 3], padding: 1 },
  { n: 1, c: 3, k: 2, size: [1, 70], kernel: [1, 5], padding: [0, 2] },
  { n: 2, c: 3, k: 4, size: [11, 10], kernel: [2, 2], stride: 3 },
  { n: 3, c: 5, k: 7, size: [37], kernel: [3], stride: 2, padding: 1 },
  { n: 2, c: 8, k: 12, size: [65], kernel: [5], padding: 4, dilation: 2, groups: 4 },
  { n: 2, c: 11, k: 11, size: [51], kernel: [7], padding: 3, groups: 11, bias: false },
  { n: 2, c: 3, k: 5, size: [7, 8, 9], kernel: [3, 3, 3], padding: 1 },
  { n: 1, c: 4, k: 4, size: [5, 6, 7], kernel: [3, 3, 3], stride: 2, padding: 1, groups: 4 },
  { n: 70, c: 17, k: 21, size: [4, 5], kernel: [3, 3], padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 33, k: 10, size: [2100], kernel: [5], padding: 2, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 2, c: 18, k: 9, size: [9, 10, 11], kernel: [3, 3, 3], padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 16, k: 18, size: [60, 59], kernel: [2, 2], dilation: 25 },
  { n: 1, c: 16, k: 18, size: [40, 41], kernel: [2, 2], padding: 60, dilation: 100 },
  {
    n: 3,
    c: 40,
    k: 36,
    size: [21, 20],
    kernel: [3, 3],
    padding: 2,
    dilation: 2,
    groups: 2,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  { n: 2, c: 9, k: 7, size: [11, 12], kernel: [2, 2], stride: 2, transposed: true, dtypes: FLOATS_AND_BFLOAT16 },
  {
    n: 2,
    c: 6,
    k: 5,
    size: [9, 8],
    kernel: [3, 3],
    stride: 2,
    padding: 1,
    outputPadding: 1,
    transposed: true,
    bias: false,
  },
  { n: 1, c: 8, k: 12, size: [13, 11], kernel: [3, 3], padding: 1, groups: 4, transposed: true },
  { n: 1, c: 3, k: 4, size: [7, 9], kernel: [3, 3], padding: 1, dilation: 2, transposed: true },
  { n: 3, c: 4, k: 3, size: [19], kernel: [4], stride: 2, padding: 1, transposed: true },
  { n: 1, c: 3, k: 2, size: [4, 5, 3], kernel: [2, 2, 2], stride: 2, transposed: true },
  { n: 2, c: 36, k: 26, size: [13, 34], kernel: [3, 3] },
  { n: 4, c: 96, k: 130, size: [11, 9], kernel: [3, 3], padding: 2, groups: 2 },
  { n: 9, c: 33, k: 64, size: [10, 7], kernel: [3, 3], padding: [2, 0], bias: false },
  { n: 9, c: 30, k: 34, size: [10, 7], kernel: [3, 3], padding: 1, transposed: true },
  { n: 1, c: 60, k: 126, size: [41, 50], kernel: [3, 3], padding: 1, bias: false, dtypes: ['float32'] as const },
  { n: 1, c: 32, k: 34, size: [73, 66], kernel: [3, 3], padding: 1, dtypes: ['bfloat16'] as const },
  { n: 6, c: 64, k: 66, size: [23, 21], kernel: [3, 3], padding: [2, 1], bias: false, dtypes: ['bfloat16'] as const },
  { n: 2, c: 40, k: 37, size: [7, 141], kernel: [3, 3], padding: [0, 3], dtypes: ['bfloat16'] as const },
  {
    n: 7,
    c: 66,
    k: 80,
    size: [22, 31],
    kernel: [3, 3],
    padding: 1,
    groups: 2,
    transposed: true,
    dtypes: ['bfloat16'] as const,
  },
  { n: 2, c: 130, k: 128, size: [20, 19], kernel: [1, 1] },
  { n: 9, c: 24, k: 20, size: [7, 6], kernel: [1, 1], groups: 2 },
  { n: 9, c: 40, k: 36, size: [1, 1], kernel: [1, 1], groups: 2 },
  { n: 9, c: 40, k: 36, size: [1, 1], kernel: [1, 1], bias: false },
  { n: 2, c: 6, k: 20, size: [10, 21], kernel: [5, 5] },
  { n: 2, c: 5, k: 18, size: [9, 8], kernel: [4, 3], stride: 2 },
  { n: 5, c: 7, k: 18, size: [4, 4], kernel: [4, 4], bias: false },
  { n: 3, c: 17, k: 5, size: [3, 4], kernel: [4, 4], transposed: true },
  { n: 3, c: 34, k: 6, size: [1, 1], kernel: [4, 4], groups: 2, transposed: true },
  { n: 1, c: 3, k: 16, size: [5, 6, 4], kernel: [3, 3, 2] },
  { n: 2, c: 5, k: 20, size: [29, 27], kernel: [3, 3], stride: 2, padding: 1, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 2, c: 6, k: 10, size: [30, 34], kernel: [5, 4], stride: 2, padding: 2, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 3, c: 6, k: 16, size: [14, 14], kernel: [5, 5], dtypes: FLOATS_AND_BFLOAT16 },
  { n: 20, c: 3, k: 3, size: [7, 7], kernel: [7, 7], padding: 3, groups: 3, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 20, c: 4, k: 8, size: [4, 5], kernel: [3, 3], padding: 1, groups: 4 },
  { n: 2, c: 9, k: 48, size: [13, 22], kernel: [5, 5], padding: 2, dtypes: FLOATS_AND_BFLOAT16 },
  { n: 1, c: 30, k: 32, size: [9, 299], kernel: [3, 5], padding: [2, 1], dilation: 2, dtypes: FLOATS_AND_BFLOAT16 },
  {
    n: 2,
    c: 16,
    k: 64,
    size: [17, 19],
    kernel: [3, 3],
    stride: 2,
    padding: 1,
    bias: false,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  { n: 2, c: 18, k: 78, size: [14, 5], kernel: [2, 3], padding: 1, groups: 2, bias: false },
  { n: 1, c: 4, k: 32, size: [6, 7, 9], kernel: [3, 3, 3], padding: 1 },
  {
    n: 2,
    c: 16,
    k: 20,
    size: [9, 11],
    kernel: [3, 3],
    stride: 2,
    padding: 1,
    transposed: true,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  { n: 3, c: 35, k: 35, size: [9, 11], kernel: [3, 3], stride: 2, padding: 1, groups: 35, dtypes: FLOATS_AND_BFLOAT16 },
  {
    n: 2,
    c: 32,
    k: 32,
    size: [7, 7],
    kernel: [7, 7],
    padding: 3,
    groups: 32,
    bias: false,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  {
    n: 2,
    c: 18,
    k: 18,
    size: [21, 17],
    kernel: [5, 4],
    padding: [3, 0],
    dilation: 2,
    groups: 18,
    dtypes: FLOATS_AND_BFLOAT16,
  },
  { n: 1, c: 17, k: 17, size: [67, 90], kernel: [3, 2], stride: 3, padding: 1, groups: 17 },
  { n: 2, c: 33, k: 33, size: [51], kernel: [9], padding: 4, groups: 33 },
  { n: 2, c: 16, k: 16, size: [8, 7], kernel: [4, 4], stride: 2, padding: 1, groups: 16, transposed: true },
  // Gradients to few channels of more windows than are worked at at a time.
  { n: 1, c: 1, k: 16, size: [61, 60], kernel: [5, 5], padding: 2, dtypes: ['float32'] as const },
  { n: 1, c: 4, k: 17, size: [90, 91], kernel: [6, 6], stride: 2, padding: [2, 1], dtypes: ['float32'] as const },
  { n: 1, c: 2, k: 17, size: [91, 90], kernel: [6, 6], stride: 2, padding: [1, 2], dtypes: ['float32'] as const },
  { n: 1, c: 2, k: 16, size: [5, 24, 25], kernel: [3, 3, 3], padding: 1, dtypes: ['float32'] as const },
];
const drawnSpecs = drawn(60);

const INFINITE: readonly Infinite[] = [0, 1, 'gradient' as const].map((input) => ({
  input,
  values: [Infinity, -Infinity, Number.NaN, Infinity],
}));

/** What is not finite reaches the results that its products are a part of, and no others: padding is not multiplied. */
function infinite(spec: Convolution, places: readonly Infinite[]): Case[] {
  const dtypes = (spec.dtypes ?? ['float32']).filter((dtype) => dtype !== 'float64');
  return places.map((where) => {
    const entry = convolution({ ...spec, dtypes });
    return {
      ...entry,
      name:
        `${entry.name}, infinities in ` +
        `${where.input === 0 ? 'the input' : where.input === 1 ? 'the weight' : 'the gradient'}`,
      infinite: where,
      oneLayout: true,
    };
  });
}

const convolutions: Case[] = [
  ...specs.flatMap((spec) => [convolution(spec), ...infinite(spec, INFINITE)]),
  ...drawnSpecs.flatMap((spec, i) => [convolution(spec), ...infinite(spec, [INFINITE[i % 3]])]),
];

// ---- matrix products

/** B products of [m, k] and [k, n]; `right`: the second operand is stored as [n, k], as Linear's weight is. */
function productReference(
  batch: number,
  m: number,
  k: number,
  n: number,
  right: boolean,
  added: 'row' | null,
): NonNullable<Case['reference']> {
  return ([a, b, c], weights) => {
    const y = new Float64Array(batch * m * n);
    if (added === 'row') for (let i = 0; i < y.length; i++) y[i] = c[i % n];
    const g = weights(0, y.length);
    const [da, db, dc] = [new Float64Array(a.length), new Float64Array(b.length), new Float64Array(n)];
    for (let at = 0; at < batch; at++)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          const yi = (at * m + i) * n + j;
          for (let l = 0; l < k; l++) {
            const ai = (at * m + i) * k + l;
            const bi = right ? (at * n + j) * k + l : (at * k + l) * n + j;
            y[yi] += a[ai] * b[bi];
            da[ai] += g[yi] * b[bi];
            db[bi] += g[yi] * a[ai];
          }
        }
    for (let i = 0; i < g.length; i++) dc[i % n] += g[i];
    return { outputs: [y], gradients: added === 'row' ? [da, db, dc] : [da, db] };
  };
}

/**
 * Products large enough for micro-kernels: a depth of more than one block forward, or in a gradient, and tiles that are
 * cut off.
 */
const LARGE: readonly (readonly [number, number, number])[] = [
  [131, 450, 95],
  [97, 95, 801],
];
/**
 * Thin ones, and one of middling size: forward or in a gradient a call of BLAS takes a part of their rows, columns or
 * depth.
 */
const THIN: readonly (readonly [number, number, number])[] = [
  [7, 1030, 270],
  [285, 517, 8],
  [600, 13, 270],
  [50, 190, 139],
];
const SIZES: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [1, 7, 1],
  [1, 37, 65],
  [33, 1, 17],
  [65, 129, 1],
  [1, 513, 130],
  [2, 3, 4],
  [17, 31, 13],
  [64, 64, 64],
  [127, 65, 129],
  [31, 785, 40],
  [257, 90, 31],
  [5, 1000, 3],
  [300, 24, 515],
  ...THIN,
  ...LARGE,
];
const squares: Case[] = SIZES.map(([m, k, n]) => ({
  name: `mm ${m}x${k}x${n}`,
  inputs: [{ shape: [m, k] }, { shape: [k, n] }],
  call: (a, b) => mm(a, b),
  reference: productReference(1, m, k, n, false, null),
  dtypes: FLOATS_AND_BFLOAT16,
  terms: Math.max(m, k, n),
}));
const linears: Case[] = [...SIZES.filter(([m, k, n]) => m * k * n < 1e6 && m > 1), ...THIN, ...LARGE].map(
  ([m, k, n]) => ({
    name: `linear ${m}x${k}x${n}`,
    inputs: [{ shape: [m, k] }, { shape: [n, k] }, { shape: [n] }],
    call: (x, w, b) => nn.functional.linear(x, w, b),
    reference: productReference(1, m, k, n, true, 'row'),
    dtypes: FLOATS_AND_BFLOAT16,
    terms: Math.max(m, k, n),
  }),
);
/** The same matrices, each column side by side in memory. */
const turned = (x: Tensor): Tensor => x.transpose(1, 2).contiguous().transpose(1, 2);
const batches: Case[] = (
  [
    [3, 17, 9, 11],
    [7, 33, 16, 65],
    [40, 5, 8, 6],
    [2, 1, 65, 33],
    [5, 4, 4, 4],
    [3, 7, 16, 19],
    [2, 3, 9, 20],
  ] as const
).flatMap(([batch, m, k, n]) =>
  ([[], ['left'], ['right'], ['left', 'right']] as const).map((sides): Case => {
    const [left, right] = [sides.some((side) => side === 'left'), sides.some((side) => side === 'right')];
    return {
      name: `bmm ${batch}x${m}x${k}x${n}${sides.length > 0 ? `, ${sides.join(' and ')} stored transposed` : ''}`,
      inputs: [{ shape: [batch, m, k] }, { shape: [batch, k, n] }],
      call: (a, b) => bmm(left ? turned(a) : a, right ? turned(b) : b),
      reference: productReference(batch, m, k, n, false, null),
      dtypes: FLOATS_AND_BFLOAT16,
      terms: Math.max(m, k, n),
    };
  }),
);
const scaled: Case[] = [LARGE[0], THIN[0], [5, 9, 7] as const].flatMap(([m, k, n]) =>
  [
    { beta: 1, alpha: 1 },
    { beta: 0.5, alpha: 2 },
  ].map(
    ({ beta, alpha }): Case => ({
      name: `addmm ${beta} C + ${alpha} A B of ${m}x${k}x${n}`,
      inputs: [{ shape: [m, n] }, { shape: [m, k] }, { shape: [k, n] }],
      call: (c, a, b) => addmm(c, a, b, { beta, alpha }),
      reference: ([c, a, b], weights, dtype) => {
        const plain = productReference(1, m, k, n, false, null)([a, b], weights, dtype);
        const times = (list: Float64Array | null, factor: number): Float64Array =>
          (list ?? new Float64Array()).map((x) => factor * x);
        return {
          outputs: [plain.outputs[0].map((y, i) => alpha * y + beta * c[i])],
          gradients: [
            times(weights(0, m * n), beta),
            times(plain.gradients[0], alpha),
            times(plain.gradients[1], alpha),
          ],
        };
      },
      dtypes: FLOATS_AND_BFLOAT16,
      terms: Math.max(m, k, n),
    }),
  ),
);
const WIDE = 4096;
const columns: Case = {
  name: 'columns of a matrix whose rows are 16 KiB apart, 48x300x320',
  inputs: [{ shape: [48, WIDE] }, { shape: [300, 320] }],
  call: (a, b) => mm(narrow(a, 1, 5, 300), b),
  reference: ([a, b], weights, dtype) => {
    const part = (row: number): Float64Array => a.subarray(row * WIDE + 5, row * WIDE + 305);
    const inner = Float64Array.from({ length: 48 * 300 }, (_, at) => part(Math.floor(at / 300))[at % 300]);
    const { outputs, gradients } = productReference(1, 48, 300, 320, false, null)([inner, b], weights, dtype);
    const whole = new Float64Array(a.length);
    for (let at = 0; at < inner.length; at++)
      whole[Math.floor(at / 300) * WIDE + 5 + (at % 300)] = gradients[0]?.[at] ?? NaN;
    return { outputs, gradients: [whole, gradients[1]] };
  },
  dtypes: ['float32'],
  terms: 320,
};
const others: Case[] = [
  columns,
  ...scaled,
  {
    name: 'einsum bij,bkj->bik',
    inputs: [{ shape: [4, 9, 21] }, { shape: [4, 13, 21] }],
    call: (a, b) => einsum('bij,bkj->bik', a, b),
    reference: productReference(4, 9, 21, 13, true, null),
    terms: 21,
  },
  {
    name: 'matmul 2x1x7x9 by 3x9x5',
    inputs: [{ shape: [2, 1, 7, 9] }, { shape: [3, 9, 5] }],
    call: (a, b) => matmul(a, b),
    reference: taped((t, a, b) => {
      const y: number[] = [];
      for (let p = 0; p < 2; p++)
        for (let q = 0; q < 3; q++)
          for (let i = 0; i < 7; i++)
            for (let j = 0; j < 5; j++) {
              y.push(
                t.dot(
                  Array.from({ length: 9 }, (_, l) => a[(p * 7 + i) * 9 + l]),
                  Array.from({ length: 9 }, (_, l) => b[(q * 9 + l) * 5 + j]),
                ),
              );
            }
      return y;
    }),
    terms: 21,
  },
  {
    name: 'addmm 0.5 C + 2 A B',
    inputs: [{ shape: [19, 23] }, { shape: [19, 33] }, { shape: [33, 23] }],
    call: (c, a, b) => addmm(c, a, b, { beta: 0.5, alpha: 2 }),
    reference: taped((t, c, a, b) =>
      Array.from({ length: 19 * 23 }, (_, at) => {
        const sum = t.dot(
          Array.from({ length: 33 }, (_, l) => a[Math.floor(at / 23) * 33 + l]),
          Array.from({ length: 33 }, (_, l) => b[l * 23 + (at % 23)]),
        );
        return t.add(t.affine(c[at], 0.5), t.affine(sum, 2));
      }),
    ),
    terms: 33,
  },
  {
    name: 'baddbmm with a row added',
    inputs: [{ shape: [7] }, { shape: [3, 5, 6] }, { shape: [3, 6, 7] }],
    call: (c, a, b) => baddbmm(c, a, b),
    reference: taped((t, c, a, b) =>
      Array.from({ length: 3 * 5 * 7 }, (_, at) =>
        t.add(
          c[at % 7],
          t.dot(
            Array.from({ length: 6 }, (_, l) => a[Math.floor(at / 7) * 6 + l]),
            Array.from({ length: 6 }, (_, l) => b[(Math.floor(at / 35) * 6 + l) * 7 + (at % 7)]),
          ),
        ),
      ),
    ),
    terms: 15,
  },
  {
    name: 'mv 65x129',
    inputs: [{ shape: [65, 129] }, { shape: [129] }],
    call: (a, x) => mv(a, x),
    reference: taped((t, a, x) => Array.from({ length: 65 }, (_, i) => t.dot(a.subarray(i * 129, (i + 1) * 129), x))),
    terms: 129,
  },
  {
    name: 'dot 1003',
    inputs: [{ shape: [1003] }, { shape: [1003] }],
    call: (a, b) => dot(a, b),
    reference: taped((t, a, b) => [t.dot(a, b)]),
    terms: 1003,
  },
  {
    name: 'outer 33x65',
    inputs: [{ shape: [33] }, { shape: [65] }],
    call: (a, b) => outer(a, b),
    reference: taped((t, a, b) =>
      Array.from({ length: 33 * 65 }, (_, at) => t.mul(a[Math.floor(at / 65)], b[at % 65])),
    ),
    terms: 65,
  },
];

/** Shapes drawn from a seed, in the layouts that gradients take: A B, A B^T, A^T B. */
function drawnProducts(count: number): Case[] {
  const next = stream(78);
  const size = (): number => 1 + Math.floor(200 * next() ** 2.5);
  return Array.from({ length: count }, (_, i): Case => {
    const [m, k, n] = [size(), size(), size()];
    const kind = i % 3;
    return {
      name: `${['A B', 'A B^T', 'A^T B'][kind]} of ${m}x${k}x${n}, number ${i}`,
      inputs: [{ shape: [m, k] }, { shape: kind === 1 ? [n, k] : [k, n] }],
      call: (a, b) => (kind === 0 ? mm(a, b) : kind === 1 ? mm(a, b.t()) : mm(a.t().contiguous().t(), b)),
      reference: productReference(1, m, k, n, kind === 1, null),
      dtypes: i % 4 === 0 ? FLOATS_AND_BFLOAT16 : ['float32'],
      terms: Math.max(m, k, n),
    };
  });
}

export const products: readonly Case[] = [
  ...convolutions,
  ...squares,
  ...drawnProducts(30),
  ...linears,
  ...batches,
  ...others,
];
