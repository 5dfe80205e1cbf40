/** Samples of copies side by side, reversed, shifted, padded and cut to triangles. */
import {
  ArgumentError,
  cat,
  columnStack,
  concat,
  concatenate,
  constantPadNd,
  diag,
  diagEmbed,
  diagflat,
  dstack,
  flip,
  fliplr,
  flipud,
  hstack,
  IndexError,
  nn,
  repeatInterleave,
  roll,
  rot90,
  rowStack,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  tile,
  trace,
  tril,
  trilIndices,
  triu,
  triuIndices,
  vstack,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const { pad } = nn.functional;

for (const [fn, call] of Object.entries({ cat, concat, concatenate })) {
  samples({
    fn,
    cases: [
      { name: 'rows', inputs: [make([2, 3]), make([1, 3])], call: (a, b) => call([a, b]) },
      { name: 'columns', inputs: [make([2, 1]), make([2, 3])], call: (a, b) => call([a, b], -1) },
      { name: 'one tensor twice', inputs: [make([2])], call: (a) => call([a, a]) },
      { name: 'an empty vector beside a matrix', inputs: [make([0]), make([2, 2])], call: (a, b) => call([a, b], 1) },
      { name: 'no elements', inputs: [make([0, 2]), make([1, 2])], call: (a, b) => call([a, b]) },
    ],
    expandable: false,
    errors: [
      {
        name: 'other sizes',
        call: () => call([make([2, 3]), make([2, 2])]),
        error: ShapeError,
        message: /cat: expected tensors of equal sizes except in dim 0, got \[2,3\] and \[2,2\]/,
      },
      {
        name: 'nothing',
        call: () => call([]),
        error: ArgumentError,
        message: /expected at least one tensor, got an empty array/,
      },
      {
        name: 'scalars',
        call: () => call([make([]), make([])]),
        error: ShapeError,
        message: /cat: expected tensors with dimensions/,
      },
      {
        name: 'no tensor',
        call: () => call([make([1]), 2 as unknown as Tensor]),
        error: ArgumentError,
        message: /expected a tensor for element 1, got 2/,
      },
    ],
  });
}
samples({
  fn: 'stack',
  cases: [
    { name: 'first', inputs: [make([2, 3]), make([2, 3])], call: (a, b) => stack([a, b]) },
    { name: 'last', inputs: [make([2]), make([2])], call: (a, b) => stack([a, b], -1) },
    { name: 'scalars', inputs: [make([]), make([])], call: (a, b) => stack([a, b]) },
    { name: 'no elements', inputs: [make([0]), make([0])], call: (a, b) => stack([a, b], 1) },
  ],
  errors: [
    {
      name: 'other shapes',
      call: () => stack([make([2]), make([3])]),
      error: ShapeError,
      message: /stack: expected tensors of one shape, got \[2\] and \[3\] \(tensor 1\)/,
    },
  ],
});
for (const [fn, call] of Object.entries({ hstack, vstack, rowStack, dstack, columnStack })) {
  samples({
    fn,
    cases: [
      { name: 'vectors', inputs: [make([2]), make([2])], call: (a, b) => call([a, b]) },
      { name: 'matrices', inputs: [make([2, 2]), make([2, 2])], call: (a, b) => call([a, b]) },
      { name: 'scalars', inputs: [make([]), make([])], call: (a, b) => call([a, b]) },
    ],
    errors: [{ name: 'nothing', call: () => call([]), error: ArgumentError, message: /expected at least one tensor/ }],
  });
}
samples({
  fn: 'tile',
  cases: [
    { name: 'fewer dims', inputs: [make([2, 2])], call: (x) => tile(x, [2]) },
    { name: 'more dims', inputs: [make([2])], call: (x) => x.repeat(2, 3) },
    { name: 'no times', inputs: [make([2])], call: (x) => x.repeat(0) },
  ],
  errors: [
    {
      name: 'repeat with too few',
      call: () => make([2, 2]).repeat(2),
      error: ShapeError,
      message: /repeat: expected at least 2 repeats/,
    },
    {
      name: 'negative',
      call: () => tile(make([2]), [-1]),
      error: ShapeError,
      message: /tile: expected repeats of at least 0/,
    },
  ],
});
samples({
  fn: 'repeatInterleave',
  cases: [
    { name: 'flat', inputs: [make([2, 2])], call: (x) => repeatInterleave(x, 2) },
    { name: 'rows', inputs: [make([2, 2])], call: (x) => repeatInterleave(x, 3, 0) },
    { name: 'each its own', inputs: [make([3, 2])], call: (x) => repeatInterleave(x, tensor([2n, 0n, 1n]), 0) },
  ],
  errors: [
    {
      name: 'too many repeats',
      call: () => repeatInterleave(make([2]), tensor([1n, 1n, 1n]), 0),
      error: ShapeError,
      message: /repeatInterleave: expected one repeat, or 2 of them/,
    },
    {
      name: 'negative',
      call: () => repeatInterleave(make([2]), -1),
      error: ArgumentError,
      message: /repeatInterleave: expected repeats of at least 0/,
    },
  ],
});
samples({
  fn: 'flip',
  cases: [
    { name: 'neighbours', inputs: [make([2, 3, 2])], call: (x) => flip(x, [0, 1]) },
    { name: 'apart', inputs: [make([2, 3, 2])], call: (x) => x.flip(0, -1) },
    { name: 'none', inputs: [make([2])], call: (x) => flip(x, []) },
    { name: 'no elements', inputs: [make([0, 2])], call: (x) => flip(x, [1]) },
  ],
  errors: [
    {
      name: 'one twice',
      call: () => flip(make([2]), [0, 0]),
      error: ArgumentError,
      message: /flip: expected each dim once/,
    },
  ],
});
samples({
  fn: 'fliplr',
  cases: [{ name: 'a matrix', inputs: [make([2, 3])], call: (x) => fliplr(x) }],
  errors: [
    {
      name: 'a vector',
      call: () => fliplr(make([2])),
      error: ShapeError,
      message: /fliplr: expected at least two dimensions/,
    },
  ],
});
samples({
  fn: 'flipud',
  cases: [{ name: 'a matrix', inputs: [make([2, 3])], call: (x) => flipud(x) }],
  errors: [
    {
      name: 'a scalar',
      call: () => flipud(make([])),
      error: ShapeError,
      message: /flipud: expected at least one dimension/,
    },
  ],
});
samples({
  fn: 'rot90',
  cases: [-1, 0, 1, 2].map((k) => ({ name: `${k} times`, inputs: [make([2, 3])], call: (x: Tensor) => rot90(x, k) })),
  errors: [
    {
      name: 'one dimension',
      call: () => rot90(make([2, 2]), 1, [0, 0]),
      error: ArgumentError,
      message: /rot90: expected two different dims/,
    },
    {
      name: 'half a turn',
      call: () => rot90(make([2, 2]), 0.5),
      error: ArgumentError,
      message: /rot90: expected a whole number for k, got 0.5/,
    },
  ],
});
samples({
  fn: 'roll',
  cases: [
    { name: 'flat', inputs: [make([2, 3])], call: (x) => roll(x, 2) },
    { name: 'two dimensions', inputs: [make([3, 4])], call: (x) => roll(x, [1, -2], [0, 1]) },
    { name: 'one dimension twice', inputs: [make([3])], call: (x) => roll(x, [1, 1], [0, 0]) },
    { name: 'no elements', inputs: [make([0, 2])], call: (x) => roll(x, 1, 1) },
  ],
  errors: [
    {
      name: 'more shifts',
      call: () => roll(make([2]), [1, 2], [0]),
      error: ArgumentError,
      message: /roll: expected as many dims as shifts/,
    },
    {
      name: 'a dimension of a scalar',
      call: () => roll(make([]), 1, 0),
      error: IndexError,
      message: /roll: expected no dims for a scalar, got \[0\]/,
    },
  ],
});
for (const [fn, call] of Object.entries({ tril, triu })) {
  samples({
    fn,
    cases: [
      { name: 'a batch', inputs: [make([2, 3, 3])], call: (x) => call(x) },
      { name: 'above', inputs: [make([3, 4])], call: (x) => call(x, 1) },
      { name: 'below', inputs: [make([4, 2])], call: (x) => call(x, -2) },
      { name: 'no elements', inputs: [make([0, 2])], call: (x) => call(x) },
    ],
    errors: [
      { name: 'a vector', call: () => call(make([2])), error: ShapeError, message: /expected at least two dimensions/ },
    ],
  });
}
for (const [fn, call] of Object.entries({ trilIndices, triuIndices })) {
  samples({
    fn,
    notDifferentiable: 'integers',
    cases: [{ name: 'above', inputs: [], call: () => call(3, 4, 1) }],
    errors: [
      { name: 'negative', call: () => call(-1, 2), error: ShapeError, message: /expected row and col of at least 0/ },
    ],
  });
}
samples({
  fn: 'diag',
  cases: [
    { name: 'of a vector', inputs: [make([3])], call: (x) => diag(x, -1) },
    { name: 'of a matrix', inputs: [make([3, 4])], call: (x) => diag(x, 1) },
  ],
  errors: [
    {
      name: 'three dimensions',
      call: () => diag(make([1, 1, 1])),
      error: ShapeError,
      message: /diag: expected a vector or a matrix/,
    },
  ],
});
samples({
  fn: 'diagEmbed',
  cases: [
    { name: 'a batch', inputs: [make([2, 3])], call: (x) => diagEmbed(x) },
    { name: 'other dimensions', inputs: [make([2, 3])], call: (x) => diagEmbed(x, 1, 0, 2) },
  ],
  errors: [
    {
      name: 'one dimension',
      call: () => diagEmbed(make([2]), 0, 1, 1),
      error: ArgumentError,
      message: /diagEmbed: expected two different dimensions/,
    },
  ],
});
samples({
  fn: 'diagflat',
  cases: [{ name: 'a matrix', inputs: [make([2, 2])], call: (x) => diagflat(x, 1) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => diagflat(make([2, 2]), 1, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'trace',
  cases: [{ name: 'a matrix', inputs: [make([2, 3])], call: (x) => trace(x) }],
  errors: [{ name: 'a vector', call: () => trace(make([2])), error: ShapeError, message: /trace: expected a matrix/ }],
});
samples({
  fn: 'nn.functional.pad',
  cases: [
    { name: 'constant', inputs: [make([2, 3])], call: (x) => pad(x, [1, 2, 0, 1], 'constant', 2) },
    { name: 'constant, negative', inputs: [make([3, 4])], call: (x) => pad(x, [-1, 2, 1, -2]) },
    { name: 'reflect', inputs: [make([1, 3, 4])], call: (x) => pad(x, [2, 1, 1, 2], 'reflect') },
    { name: 'replicate', inputs: [make([1, 2, 3])], call: (x) => pad(x, [2, 4], 'replicate') },
    { name: 'replicate, negative', inputs: [make([1, 2, 4])], call: (x) => pad(x, [-2, 1], 'replicate') },
    { name: 'circular', inputs: [make([1, 3, 3])], call: (x) => pad(x, [1, 2, -1, 1], 'circular') },
    { name: 'no elements', inputs: [make([0, 2])], call: (x) => pad(x, [1, 1]) },
  ],
  errors: [
    {
      name: 'an odd number',
      call: () => pad(make([2]), [1]),
      error: ShapeError,
      message: /pad: expected an even number of pads, at most 2, got \[1\]/,
    },
    {
      name: 'less than nothing',
      call: () => pad(make([2]), [-2, -1]),
      error: ShapeError,
      message: /pad: expected pads that leave sizes of at least 0/,
    },
    {
      name: 'reflect too far',
      call: () => pad(make([1, 2]), [2, 0], 'reflect'),
      error: ShapeError,
      message: /pad: expected pads of at most 1 for dim 1 \(mode reflect\)/,
    },
    {
      name: 'an unknown mode',
      call: () => pad(make([2]), [1, 1], 'mirror' as 'reflect'),
      error: ArgumentError,
      message: /mode 'constant', 'reflect', 'replicate' or 'circular', got "mirror"/,
    },
    {
      name: 'reflect of a vector',
      call: () => pad(make([3]), [1, 1], 'reflect'),
      error: ShapeError,
      message: /pad: expected pads of all but the first one or two dimensions/,
    },
  ],
});
samples({
  fn: 'constantPadNd',
  cases: [{ name: 'a value', inputs: [make([2])], call: (x) => constantPadNd(x, [1, 1], 3) }],
  errors: [
    {
      name: 'too many',
      call: () => constantPadNd(make([2]), [1, 1, 1, 1]),
      error: ShapeError,
      message: /pad: expected an even number of pads/,
    },
  ],
});
