/** Cases of what works along rows: reductions, softmax, norms, losses, each defined on a tape. */
import {
  cumprod,
  cumsum,
  type DType,
  linalg,
  logcumsumexp,
  logsumexp,
  nn,
  softmax,
  stack,
  type Tensor,
} from '../../lib/index.js';
import type { Ids, Tape } from '../reference/tape.js';
import { type Case, pick, range, rowsOf, taped, WITH_HALVES } from './case.js';

const F = nn.functional;

/** A case that maps each row along `dim` to one number, or to as many. */
function alongRows(
  name: string,
  shape: readonly number[],
  dim: number,
  call: (x: Tensor) => Tensor,
  row: (t: Tape, x: number[]) => Ids | number,
  more: Partial<Case> = {},
): Case {
  return {
    name: `${name} ${shape.join('x')} along ${dim}`,
    inputs: [{ shape, low: -3, high: 3 }],
    call,
    reference: taped((t, x) => {
      const rows = rowsOf(shape, dim);
      const results = rows.map((places) => row(t, pick(x, places)));
      if (typeof results[0] === 'number') return results as number[];
      const out: number[] = [];
      rows.forEach((places, r) => {
        places.forEach((place, k) => {
          out[place] = (results[r] as Ids)[k];
        });
      });
      return out;
    }),
    terms: shape[dim],
    dtypes: WITH_HALVES,
    ...more,
  };
}

const SHAPES: readonly (readonly [readonly number[], number])[] = [
  [[3, 5, 129], 2],
  [[3, 129, 5], 1],
  [[130, 3], 0],
  [[7, 1], 1],
  [[2, 1003], 1],
  [[5, 33], 1],
  [[3, 4500], 1],
];
const perShape = SHAPES.flatMap(([shape, dim]) => [
  alongRows(
    'sum',
    shape,
    dim,
    (x) => x.sum(dim),
    (t, x) => t.sum(x),
  ),
  alongRows(
    'mean',
    shape,
    dim,
    (x) => x.mean(dim),
    (t, x) => t.mean(x),
  ),
  alongRows(
    'softmax',
    shape,
    dim,
    (x) => softmax(x, dim),
    (t, x) => t.softmax(x),
  ),
  alongRows(
    'logSoftmax',
    shape,
    dim,
    (x) => x.logSoftmax(dim),
    (t, x) => {
      const total = t.logSumExp(x);
      return x.map((v) => t.sub(v, total));
    },
  ),
  alongRows(
    'logsumexp',
    shape,
    dim,
    (x) => logsumexp(x, dim),
    (t, x) => t.logSumExp(x),
    // The derivative reads the result as it was rounded, and takes its exponential.
    { roundings: 16 },
  ),
  alongRows(
    'amax',
    shape,
    dim,
    (x) => x.amax(dim),
    (t, x) => t.max(x),
    { dtypes: ['float32', 'float64'] },
  ),
  alongRows(
    'cumsum',
    shape,
    dim,
    (x) => cumsum(x, dim),
    (t, x) => {
      let total = t.constant(0);
      return x.map((v) => {
        total = t.add(total, v);
        return total;
      });
    },
    { dtypes: ['float32', 'float64'] },
  ),
]);
const somewhere = [
  alongRows(
    'var',
    [4, 5, 67],
    2,
    (x) => x.var(2),
    (t, x) => t.variance(x, 1),
  ),
  alongRows(
    'std',
    [67, 9],
    0,
    (x) => x.std(0),
    (t, x) => t.sqrt(t.variance(x, 1)),
  ),
  alongRows(
    'norm 2',
    [9, 131],
    1,
    (x) => x.norm(2, 1),
    (t, x) => t.sqrt(t.dot(x, x)),
  ),
  alongRows(
    'norm 1',
    [131, 9],
    0,
    (x) => x.norm(1, 0),
    (t, x) => t.sum(x.map((v) => t.affine(v, Math.sign(t.value(v))))),
  ),
  ...(
    [
      [9, 13],
      [53, 7],
      [70, 31],
      [21, 200],
    ] as const
  ).map((shape) =>
    alongRows(
      'prod',
      shape,
      1,
      (x) => x.prod(1),
      (t, x) => x.reduce((a, b) => t.mul(a, b)),
      { dtypes: ['float32', 'float64'], inputs: [{ shape, low: 0.9, high: 1.1 }] },
    ),
  ),
  alongRows(
    'cumprod',
    [9, 11],
    1,
    (x) => cumprod(x, 1),
    (t, x) => {
      let total = t.constant(1);
      return x.map((v) => {
        total = t.mul(total, v);
        return total;
      });
    },
    { dtypes: ['float32', 'float64'], terms: 200 },
  ),
  alongRows(
    'logcumsumexp',
    [5, 40],
    1,
    (x) => logcumsumexp(x, 1),
    (t, x) => x.map((_, i) => t.logSumExp(x.slice(0, i + 1))),
    { dtypes: ['float32', 'float64'] },
  ),
];
const whole: Case[] = [
  {
    name: 'sum of 100003',
    inputs: [{ shape: [100003] }],
    call: (x) => x.sum(),
    reference: taped((t, x) => [t.sum(x)]),
    terms: 100003,
    dtypes: WITH_HALVES,
  },
  {
    name: 'mean of 100003',
    inputs: [{ shape: [17, 5881] }],
    call: (x) => x.mean(),
    reference: taped((t, x) => [t.mean(x)]),
    terms: 99977,
  },
  {
    name: 'var of 50001',
    inputs: [{ shape: [50001] }],
    call: (x) => x.var(),
    reference: taped((t, x) => [t.variance(x, 1)]),
    terms: 50001,
  },
  {
    name: 'sum over the first and the last dimension',
    inputs: [{ shape: [5, 7, 33] }],
    call: (x) => x.sum([0, 2]),
    reference: taped((t, x) =>
      Array.from({ length: 7 }, (_, k) =>
        t.sum(Array.from({ length: 5 * 33 }, (_, i) => x[(Math.floor(i / 33) * 7 + k) * 33 + (i % 33)])),
      ),
    ),
    terms: 165,
  },
];

/** Rows and columns with infinities and NaN in several places. */
const infinite: Case[] = [0, 1].map((dim) => ({
  name: `logsumexp, softmax and amax of infinite values along ${dim}`,
  inputs: [
    {
      shape: [70, 67],
      values: [
        1,
        2,
        -Infinity,
        0.5,
        3,
        1,
        Infinity,
        ...new Array<number>(211).fill(0.25),
        Number.NaN,
        ...new Array<number>(307).fill(-Infinity),
      ],
    },
  ],
  call: (x) => [logsumexp(x, dim), softmax(x, dim), x.amax(dim)],
  reference: ([x]) => {
    const [total, shares, largest] = [[] as number[], [] as number[], [] as number[]];
    for (const places of rowsOf([70, 67], dim)) {
      const row = pick(x, places);
      const top = row.some(Number.isNaN) ? Number.NaN : Math.max(...row);
      const sum = row.reduce((a, v) => a + Math.exp(v - top), 0);
      total.push(Number.isFinite(top) ? top + Math.log(sum) : top);
      places.forEach((place) => {
        shares[place] = Math.exp(x[place] - top) / sum;
      });
      largest.push(top);
    }
    return { outputs: [total, shares, largest].map((list) => Float64Array.from(list)), gradients: [null] };
  },
  backward: false,
  terms: 70,
}));

/**
 * Matrices with a diagonal unlike the rest, which goes on from the left edge: the element that decides stands at every
 * place of a row (or column) in turn.
 */
const decisive: Case[] = [
  [39, 39],
  [67, 67],
  [131, 131],
  [519, 519],
  [19, 4],
  [67, 5],
  [35, 8],
  [150, 17],
  [300, 31],
  [33, 32],
].flatMap(([count, n]) =>
  [0, 1].flatMap((dim) =>
    [9, -9, Number.NaN].map((special) => ({
      name: `amax, amin, sum and vectorNorm of ${count}x${n} along ${dim} with a diagonal of ${special}`,
      inputs: [{ shape: [count, n], values: [special, ...Array.from({ length: n }, (_, i) => (i % 5) - 2)] }],
      call: (x: Tensor) => [
        x.amax(dim),
        x.amin(dim),
        x.sum(dim),
        ...[1, 2, Infinity, -Infinity].map((ord) => linalg.vectorNorm(x, ord, dim)),
      ],
      reference: ([x]: readonly Float64Array[]) => {
        const lines = rowsOf([count, n], dim).map((places) => pick(x, places));
        const of = (fold: (line: number[]) => number): Float64Array => Float64Array.from(lines, fold);
        const total = (of: (v: number) => number) => (line: number[]) => line.reduce((a, v) => a + of(v), 0);
        return {
          outputs: [
            of((line) => Math.max(...line)),
            of((line) => Math.min(...line)),
            of(total((v) => v)),
            of(total(Math.abs)),
            of((line) => Math.sqrt(total((v) => v * v)(line))),
            of((line) => Math.max(...line.map(Math.abs))),
            of((line) => Math.min(...line.map(Math.abs))),
          ],
          gradients: [null],
        };
      },
      backward: false,
      terms: Math.max(count, n),
    })),
  ),
);

// ---- norms

/** (x - mean) / sqrt(var + eps) of some elements, times a weight and a bias each. */
function normalised(
  t: Tape,
  x: Ids,
  places: readonly number[],
  out: number[],
  scale: (place: number) => readonly [number, number] | null,
): void {
  const row = pick(x, places);
  const mean = t.mean(row);
  const width = t.sqrt(t.affine(t.variance(row), 1, 1e-5));
  places.forEach((place, i) => {
    const y = t.div(t.sub(row[i], mean), width);
    const factors = scale(place);
    out[place] = factors === null ? y : t.add(t.mul(y, factors[0]), factors[1]);
  });
}

function layerNorm(rows: number, n: number): Case {
  return {
    name: `layerNorm ${rows}x${n}`,
    inputs: [{ shape: [rows, n], low: -1, high: 3 }, { shape: [n] }, { shape: [n] }],
    call: (x, w, b) => F.layerNorm(x, [n], w, b),
    reference: taped((t, x, w, b) => {
      const out: number[] = [];
      for (let r = 0; r < rows; r++) normalised(t, x, range(n, r * n), out, (place) => [w[place % n], b[place % n]]);
      return out;
    }),
    terms: Math.max(n, rows),
    roundings: 4,
    dtypes: WITH_HALVES,
  };
}
function groupNorm(n: number, c: number, inner: readonly number[], groups: number): Case {
  const size = inner.reduce((a, b) => a * b, 1);
  const width = (c / groups) * size;
  return {
    name: `groupNorm ${[n, c, ...inner].join('x')} in ${groups}`,
    inputs: [{ shape: [n, c, ...inner], low: -1, high: 3 }, { shape: [c] }, { shape: [c] }],
    call: (x, w, b) => F.groupNorm(x, groups, w, b),
    reference: taped((t, x, w, b) => {
      const out: number[] = [];
      for (let r = 0; r < n * groups; r++)
        normalised(t, x, range(width, r * width), out, (place) => [
          w[Math.floor(place / size) % c],
          b[Math.floor(place / size) % c],
        ]);
      return out;
    }),
    terms: Math.max(width, n * size),
    roundings: 4,
  };
}
function batchNorm(n: number, c: number, inner: readonly number[], training: boolean, dtypes?: readonly DType[]): Case {
  const size = inner.reduce((a, b) => a * b, 1);
  const channel = (k: number): number[] =>
    Array.from({ length: n * size }, (_, i) => (Math.floor(i / size) * c + k) * size + (i % size));
  return {
    name: `batchNorm ${[n, c, ...inner].join('x')} ${training ? 'in training' : 'in evaluation'}`,
    inputs: [
      { shape: [n, c, ...inner], low: -1, high: 3 },
      { shape: [c] },
      { shape: [c] },
      { shape: [c], low: 0.5, high: 1.5, constant: true },
      { shape: [c], low: 0.5, high: 1.5, constant: true },
    ],
    // Running statistics come out as well: they are part of what the kernel writes.
    call: (x, w, b, mean, variance) => {
      const kept = [mean, variance].map((t) => t.clone());
      return [F.batchNorm(x, kept[0], kept[1], w, b, training), ...kept];
    },
    reference: taped((t, x, w, b, mean, variance) => {
      const out: number[] = [];
      const kept: number[][] = [[], []];
      for (let k = 0; k < c; k++) {
        const places = channel(k);
        if (training) {
          normalised(t, x, places, out, () => [w[k], b[k]]);
          const row = pick(x, places);
          kept[0].push(t.constant(0.9 * t.value(mean[k]) + 0.1 * t.value(t.mean(row))));
          kept[1].push(t.constant(0.9 * t.value(variance[k]) + 0.1 * t.value(t.variance(row, 1))));
        } else {
          const width = t.sqrt(t.affine(variance[k], 1, 1e-5));
          for (const place of places) out[place] = t.add(t.mul(t.div(t.sub(x[place], mean[k]), width), w[k]), b[k]);
          kept[0].push(mean[k]);
          kept[1].push(variance[k]);
        }
      }
      return [out, ...kept];
    }),
    terms: n * size,
    roundings: 4,
    dtypes,
  };
}
const norms: Case[] = [
  layerNorm(5, 33),
  layerNorm(67, 7),
  layerNorm(3, 1000),
  layerNorm(130, 64),
  groupNorm(2, 6, [5, 7], 3),
  groupNorm(3, 8, [33], 2),
  groupNorm(1, 4, [16, 17], 4),
  batchNorm(4, 5, [7, 9], true, WITH_HALVES),
  batchNorm(33, 17, [], true),
  batchNorm(2, 8, [33, 31], true, WITH_HALVES),
  batchNorm(70, 2, [7, 9], true, WITH_HALVES),
  batchNorm(3, 5, [65], true),
  batchNorm(4, 5, [7, 9], false, WITH_HALVES),
  batchNorm(17, 33, [], false),
  {
    name: 'rmsNorm 9x65',
    inputs: [{ shape: [9, 65] }, { shape: [65] }],
    call: (x, w) => F.rmsNorm(x, [65], w, { eps: 1e-5 }),
    reference: taped((t, x, w) => {
      const out: number[] = [];
      for (let r = 0; r < 9; r++) {
        const row = pick(x, range(65, r * 65));
        const width = t.sqrt(t.affine(t.dot(row, row), 1 / 65, 1e-5));
        row.forEach((v, i) => {
          out.push(t.mul(t.div(v, width), w[i]));
        });
      }
      return out;
    }),
    terms: 65,
    roundings: 4,
    dtypes: WITH_HALVES,
  },
  {
    name: 'convolution, batch norm and ReLU, in evaluation',
    inputs: [{ shape: [2, 3, 9, 11] }, { shape: [5, 3, 3, 3] }, { shape: [5] }, { shape: [5] }],
    call: (x, w, scale, shift) => {
      const layers = new nn.Sequential(
        new nn.Conv2d(3, 5, 3, { padding: 1, bias: false }),
        new nn.BatchNorm2d(5),
        new nn.ReLU(true),
      )
        .to(x.dtype)
        .eval();
      layers.get(0).setMember('weight', w);
      layers.get(1).setMember('weight', scale);
      layers.get(1).setMember('bias', shift);
      return layers(x) as Tensor;
    },
    reference: taped((t, x, w, scale, shift) => {
      const out: number[] = [];
      for (let n = 0; n < 2; n++)
        for (let k = 0; k < 5; k++)
          for (let i = 0; i < 99; i++) {
            let sum = t.constant(0);
            for (let tap = 0; tap < 27; tap++) {
              const [c, dy, dx] = [Math.floor(tap / 9), (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1];
              const [y, xx] = [Math.floor(i / 11) + dy, (i % 11) + dx];
              if (y >= 0 && y < 9 && xx >= 0 && xx < 11)
                sum = t.fma(sum, x[((n * 3 + c) * 9 + y) * 11 + xx], w[k * 27 + tap]);
            }
            out.push(t.relu(t.add(t.mul(t.affine(sum, 1 / Math.sqrt(1 + 1e-5)), scale[k]), shift[k])));
          }
      return out;
    }),
    terms: 200,
  },
];

// ---- losses

function crossEntropy(n: number, c: number, smoothing: number, weighted: boolean): Case {
  return {
    name: `crossEntropy ${n}x${c}${smoothing > 0 ? ` smoothed by ${smoothing}` : ''}${weighted ? ' weighted' : ''}`,
    inputs: [
      { shape: [n, c], low: -4, high: 4 },
      { shape: [n], below: c },
      ...(weighted ? [{ shape: [c], low: 0.5, high: 1.5, constant: true }] : []),
    ],
    call: (x, target, weight) =>
      F.crossEntropy(x, target, { labelSmoothing: smoothing, ignoreIndex: 1, ...(weighted ? { weight } : {}) }),
    reference: taped((t, x, target, weight) => {
      let [total, count] = [t.constant(0), 0];
      for (let r = 0; r < n; r++) {
        const label = t.value(target[r]);
        if (label === 1) continue;
        const row = pick(x, range(c, r * c));
        const sum = t.logSumExp(row);
        const of = (k: number): number => (weighted ? t.value(weight[k]) : 1);
        total = t.add(total, t.affine(t.sub(sum, row[label]), (1 - smoothing) * of(label)));
        row.forEach((v, k) => {
          total = t.add(total, t.affine(t.sub(sum, v), (smoothing / c) * of(k)));
        });
        count += of(label);
      }
      return [t.affine(total, 1 / count)];
    }),
    terms: Math.max(n, c),
    dtypes: WITH_HALVES,
  };
}
function elementLoss(
  name: string,
  call: (x: Tensor, y: Tensor) => Tensor,
  loss: (t: Tape, x: number, y: number) => number,
): Case {
  return {
    name,
    inputs: [
      { shape: [7, 131], low: -3, high: 3 },
      { shape: [7, 131], low: 0.1, high: 0.9, constant: true },
    ],
    call,
    reference: taped((t, x, y) => [t.mean(Array.from(x, (v, i) => loss(t, v, y[i])))]),
    terms: 917,
  };
}
const softplus = (t: Tape, x: number): number => {
  const v = t.value(x);
  return t.apply(x, Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))), 1 / (1 + Math.exp(-v)));
};
const losses: Case[] = [
  crossEntropy(13, 7, 0, false),
  crossEntropy(33, 10, 0, true),
  crossEntropy(9, 257, 0.1, false),
  crossEntropy(5, 1003, 0, false),
  crossEntropy(130, 33, 0.2, true),
  elementLoss(
    'binaryCrossEntropyWithLogits',
    (x, y) => F.binaryCrossEntropyWithLogits(x, y),
    (t, x, y) => t.sub(softplus(t, x), t.mul(x, y)),
  ),
  elementLoss(
    'mseLoss',
    (x, y) => F.mseLoss(x, y),
    (t, x, y) => {
      const d = t.sub(x, y);
      return t.mul(d, d);
    },
  ),
  elementLoss(
    'smoothL1Loss',
    (x, y) => F.smoothL1Loss(x, y),
    (t, x, y) => {
      const d = t.sub(x, y);
      const v = t.value(d);
      return Math.abs(v) < 1 ? t.affine(t.mul(d, d), 0.5) : t.affine(d, Math.sign(v), -0.5);
    },
  ),
];

export const rows: readonly Case[] = [
  ...perShape,
  ...somewhere,
  ...whole,
  ...infinite,
  ...decisive,
  ...norms,
  ...losses,
];

/** Kept apart: what is stacked of views is copied by another kernel. */
export const stacked: readonly Case[] = [
  {
    name: 'stack of three',
    inputs: [{ shape: [5, 33] }, { shape: [5, 33] }, { shape: [5, 33] }],
    call: (a, b, c) => stack([a, b, c], 1),
    reference: taped((_, ...x) =>
      range(5 * 3 * 33).map((at) => x[Math.floor(at / 33) % 3][Math.floor(at / 99) * 33 + (at % 33)]),
    ),
    exact: true,
    dtypes: WITH_HALVES,
  },
];
