/** Cases of data that is moved by index or by place: taken, put, added, reversed, padded by itself, found, sorted. */
import { flip, gather, indexSelect, nn, scatterAdd, sort, type Tensor, topk } from '../../lib/index.js';
import type { Ids } from '../reference/tape.js';
import { type Case, type Input, rowsOf, taped, WITH_HALVES } from './case.js';

const F = nn.functional;

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The indices in each dimension of a flat place. */
function placesIn(shape: readonly number[], at: number): number[] {
  const places: number[] = [];
  for (let d = shape.length - 1; d >= 0; d--) {
    places[d] = at % shape[d];
    at = Math.floor(at / shape[d]);
  }
  return places;
}
const flat = (shape: readonly number[], places: readonly number[]): number =>
  places.reduce((at, i, d) => at * shape[d] + i, 0);

/** A case whose output at some place is the input at another. */
function moved(
  name: string,
  input: readonly number[],
  output: readonly number[],
  call: (x: Tensor) => Tensor,
  from: (places: number[]) => readonly number[],
  exact = false,
): Case {
  return {
    name: `${name} of ${input.join('x')}`,
    inputs: [{ shape: input }],
    call,
    reference: taped((_, x) =>
      Array.from({ length: count(output) }, (__, at) => x[flat(input, from(placesIn(output, at)))]),
    ),
    terms: 4,
    exact,
    dtypes: WITH_HALVES,
  };
}

function gathered(shape: readonly number[], dim: number, length: number): Case {
  const taken = shape.map((n, d) => (d === dim ? length : n));
  return {
    name: `gather of ${taken.join('x')} from ${shape.join('x')} along ${dim}`,
    inputs: [{ shape }, { shape: taken, below: shape[dim] }],
    call: (x, index) => gather(x, dim, index),
    reference: taped((t, x, index) =>
      Array.from({ length: count(taken) }, (_, at) => {
        const places = placesIn(taken, at);
        places[dim] = t.value(index[at]);
        return x[flat(shape, places)];
      }),
    ),
    terms: length,
  };
}

function scattered(shape: readonly number[], dim: number, length: number): Case {
  const given = shape.map((n, d) => (d === dim ? length : n));
  return {
    name: `scatterAdd of ${given.join('x')} into ${shape.join('x')} along ${dim}`,
    inputs: [{ shape }, { shape: given, below: shape[dim] }, { shape: given }],
    call: (x, index, source) => scatterAdd(x, dim, index, source),
    reference: taped((t, x, index, source) => {
      const out = Array.from(x);
      for (let at = 0; at < count(given); at++) {
        const places = placesIn(given, at);
        places[dim] = t.value(index[at]);
        const to = flat(shape, places);
        out[to] = t.add(out[to], source[at]);
      }
      return out;
    }),
    terms: length,
  };
}

function selected(shape: readonly number[], dim: number, length: number): Case {
  const taken = shape.map((n, d) => (d === dim ? length : n));
  return {
    name: `indexSelect of ${length} from ${shape.join('x')} along ${dim}`,
    inputs: [{ shape }, { shape: [length], below: shape[dim] }],
    call: (x, index) => indexSelect(x, dim, index),
    reference: taped((t, x, index) =>
      Array.from({ length: count(taken) }, (_, at) => {
        const places = placesIn(taken, at);
        places[dim] = t.value(index[places[dim]]);
        return x[flat(shape, places)];
      }),
    ),
    terms: length,
  };
}

/** The index that a place beyond the border stands for. */
const OUTSIDE = {
  reflect: (i: number, n: number) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i: number, n: number) => Math.min(Math.max(i, 0), n - 1),
  circular: (i: number, n: number) => (i + n) % n,
} as const;
const padded = (['reflect', 'replicate', 'circular'] as const).map((mode) =>
  moved(
    `${mode} padding`,
    [2, 3, 9, 70],
    [2, 3, 9 + 3, 70 + 5],
    (x) => F.pad(x, [3, 2, 1, 2], { mode }),
    ([n, c, i, j]) => [n, c, OUTSIDE[mode](i - 1, 9), OUTSIDE[mode](j - 3, 70)],
  ),
);

const SHAPES: readonly (readonly number[])[] = [
  [3, 129],
  [7, 5, 33],
  [2, 40000],
];
const flipped = SHAPES.flatMap((shape) =>
  shape.map((_, dim) =>
    moved(
      `flip along ${dim}`,
      shape,
      shape,
      (x) => flip(x, [dim]),
      (places) => places.map((i, d) => (d === dim ? shape[d] - 1 - i : i)),
    ),
  ),
);

const TURNED: readonly (readonly [shape: readonly number[], order: readonly number[]])[] = [
  [
    [37, 65],
    [1, 0],
  ],
  [
    [3, 70, 130],
    [0, 2, 1],
  ],
  [
    [2, 20, 9, 15],
    [0, 2, 3, 1],
  ],
  [
    [2, 9, 15, 20],
    [0, 3, 1, 2],
  ],
  [
    [300, 4],
    [1, 0],
  ],
  [
    [5, 14, 33],
    [2, 0, 1],
  ],
];
const turned = TURNED.map(([shape, order]) =>
  moved(
    `permutation to ${order.join(', ')}, made contiguous,`,
    shape,
    order.map((d) => shape[d]),
    (x) => x.permute(order).contiguous(),
    (places) => shape.map((_, d) => places[order.indexOf(d)]),
    true,
  ),
);

/** Values that are all different, in a mixed order. */
function mixed(shape: readonly number[]): Input {
  const n = count(shape);
  return { shape, values: Array.from({ length: n }, (_, i) => (((i * 7919) % n) - n / 2) / n) };
}
function ordered(
  shape: readonly number[],
  dim: number,
  name: string,
  call: (x: Tensor) => Tensor,
  kept: number,
  sign: number,
): Case {
  return {
    name: `${name} of ${shape.join('x')} along ${dim}`,
    inputs: [mixed(shape)],
    call,
    reference: taped((t, x) => {
      const result = shape.map((n, d) => (d === dim ? kept : n));
      const out: number[] = [];
      rowsOf(shape, dim).forEach((places, r) => {
        const ids = places.map((p) => x[p]).sort((a, b) => sign * (t.value(a) - t.value(b)));
        rowsOf(result, dim)[r].forEach((place, k) => {
          out[place] = ids[k];
        });
      });
      return out;
    }),
    exact: true,
    dtypes: ['float32', 'float64'],
  };
}

/** Positions of what is positive, of more elements than one thread takes at a time. */
const found: Case = {
  name: 'nonzero of 3x700x41',
  inputs: [{ shape: [3, 700, 41] }],
  call: (x) => x.gt(0).nonzero(),
  reference: ([x]) => {
    const places: Ids[] = [];
    x.forEach((value, at) => {
      if (value > 0) places.push(placesIn([3, 700, 41], at));
    });
    return { outputs: [Float64Array.from(places.flatMap((list) => Array.from(list)))], gradients: [null] };
  },
  backward: false,
  exact: true,
};

export const moves: readonly Case[] = [
  gathered([37, 300], 1, 211),
  gathered([300, 37], 0, 150),
  gathered([5, 40, 3], 1, 64),
  gathered([2, 50000], 1, 70001),
  scattered([9, 50], 1, 4000),
  scattered([50, 9], 0, 4000),
  scattered([3, 40, 5], 1, 7),
  selected([4, 6, 300], 2, 77),
  selected([300, 37], 0, 501),
  selected([7, 90], 1, 33),
  selected([5000], 0, 4001),
  ...padded,
  ...flipped,
  ...turned,
  ordered([6, 301], 1, 'sort', (x) => sort(x).values, 301, 1),
  ordered([301, 6], 0, 'sort', (x) => sort(x, 0).values, 301, 1),
  ordered([6, 301], 1, 'topk', (x) => topk(x, 5).values, 5, -1),
  found,
];
