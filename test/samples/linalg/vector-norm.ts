/** Samples of norms, distances, standard deviations and sums without NaN. */
import {
  ArgumentError,
  cosineSimilarity,
  DTypeError,
  IndexError,
  linalg,
  nanmean,
  nansum,
  nn,
  norm,
  pairwiseDistance,
  ShapeError,
  std,
  stdMean,
  tensor,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const integers = () => tensor([1n, 2n, 3n]);
const outOfRange = (call: () => unknown) => ({
  name: 'a dim out of range',
  call,
  error: IndexError,
  message: /dim in \[-2, 1\], got 2/,
});
const noIntegers = (call: () => unknown) => ({
  name: 'integers',
  call,
  error: DTypeError,
  message: /a floating dtype/,
});

const orders = [2, 1, 3, 0.5, 1.5, 0, -1, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
samples({
  fn: 'linalg.vectorNorm',
  cases: [
    ...orders.map((p) => ({
      name: `order ${p}`,
      inputs: [make([3, 4, 2])],
      call: (x: ReturnType<typeof make>) => linalg.vectorNorm(x, p, [0, 2]),
    })),
    { name: 'all, kept', inputs: [make([3, 4])], call: (x) => linalg.vectorNorm(x, { keepdim: true }) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => linalg.vectorNorm(x, 2, 0) },
  ],
  errors: [
    outOfRange(() => linalg.vectorNorm(make([2, 3]), 2, 2)),
    noIntegers(() => linalg.vectorNorm(integers())),
    {
      name: 'a narrower dtype',
      call: () => linalg.vectorNorm(make([2]), { dtype: 'float32' }),
      error: DTypeError,
      message: /that holds float64/,
    },
    {
      name: 'nothing to compare',
      call: () => linalg.vectorNorm(make([0]), Number.POSITIVE_INFINITY),
      error: IndexError,
      message: /no elements/,
    },
    {
      name: 'an order that is no number',
      call: () => linalg.vectorNorm(make([2]), 'fro' as never),
      error: ArgumentError,
      message: /a number for the order/,
    },
  ],
  expandable: false,
});
samples({
  fn: 'norm',
  cases: [
    { name: 'all', inputs: [make([3, 4])], call: (x) => norm(x) },
    { name: 'fro of rows, kept', inputs: [make([3, 4])], call: (x) => norm(x, 'fro', 1, true) },
    { name: 'order 3', inputs: [make([3, 4])], call: (x) => norm(x, 3, { dim: 0 }) },
    { name: 'nuclear', inputs: [make([3, 4])], call: (x) => norm(x, 'nuc') },
    { name: 'nuclear of a batch, kept', inputs: [make([4, 2, 3])], call: (x) => norm(x, 'nuc', [0, 2], true) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => norm(x, 1) },
  ],
  errors: [
    outOfRange(() => norm(make([2, 3]), 2, 2)),
    noIntegers(() => norm(integers())),
    {
      name: 'nuclear of a vector',
      call: () => norm(make([3]), 'nuc'),
      error: ShapeError,
      message: /two dims of matrices/,
    },
    {
      name: 'an unknown name',
      call: () => norm(make([2, 2]), 'max' as never),
      error: ArgumentError,
      message: /a number, 'fro' or 'nuc' for p/,
    },
  ],
});
for (const [name, fn] of [
  ['std', std],
  ['stdMean', stdMean],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'biased', inputs: [make([3, 4])], call: (x) => fn(x, 1, false, true) },
      { name: 'dims apart', inputs: [make([3, 4, 2])], call: (x) => fn(x, [0, 2], { correction: 2 }) },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [outOfRange(() => fn(make([2, 3]), 2)), noIntegers(() => fn(integers()))],
  });
}
for (const [name, fn] of [
  ['nansum', nansum],
  ['nanmean', nanmean],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'dims apart, kept', inputs: [make([3, 4, 2])], call: (x) => fn(x, [0, 2], true) },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [outOfRange(() => fn(make([2, 3]), 2))],
  });
}
samples({
  fn: 'nn.functional.normalize',
  cases: [
    { name: 'rows', inputs: [make([3, 4])], call: (x) => nn.functional.normalize(x) },
    { name: 'order 1 of columns', inputs: [make([3, 4])], call: (x) => nn.functional.normalize(x, 1, 0) },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => nn.functional.normalize(x) },
  ],
  errors: [
    outOfRange(() => nn.functional.normalize(make([2, 3]), 2, 2)),
    {
      name: 'eps that is no number',
      call: () => nn.functional.normalize(make([2, 3]), { eps: '0' as never }),
      error: ArgumentError,
      message: /a number for eps/,
    },
  ],
});
samples({
  fn: 'cosineSimilarity',
  cases: [
    { name: 'rows', inputs: [make([3, 4]), make([3, 4])], call: (a, b) => cosineSimilarity(a, b) },
    { name: 'broadcast', inputs: [make([2, 1, 3]), make([4, 3])], call: (a, b) => cosineSimilarity(a, b, -1) },
    { name: 'no rows', inputs: [make([0, 3]), make([0, 3])], call: (a, b) => cosineSimilarity(a, b) },
  ],
  errors: [
    outOfRange(() => cosineSimilarity(make([2, 3]), make([2, 3]), 2)),
    {
      name: 'sizes that do not broadcast',
      call: () => cosineSimilarity(make([2, 3]), make([2, 4])),
      error: ShapeError,
      message: /broadcast/,
    },
  ],
});
samples({
  fn: 'pairwiseDistance',
  cases: [
    { name: 'rows', inputs: [make([3, 4]), make([3, 4])], call: (a, b) => pairwiseDistance(a, b) },
    {
      name: 'order 1, kept',
      inputs: [make([3, 4]), make([4])],
      call: (a, b) => pairwiseDistance(a, b, 1, { keepdim: true }),
    },
    { name: 'no rows', inputs: [make([0, 3]), make([0, 3])], call: (a, b) => pairwiseDistance(a, b) },
  ],
  errors: [
    {
      name: 'sizes that do not broadcast',
      call: () => pairwiseDistance(make([2, 3]), make([2, 4])),
      error: ShapeError,
      message: /broadcast/,
    },
  ],
});
samples({
  fn: 'linalg.svdvals',
  cases: [
    { name: 'tall', inputs: [make([4, 2])], call: (x) => linalg.svdvals(x) },
    { name: 'wide batch', inputs: [make([2, 2, 3])], call: (x) => linalg.svdvals(x) },
    { name: 'no columns', inputs: [make([3, 0])], call: (x) => linalg.svdvals(x) },
  ],
  errors: [
    { name: 'a vector', call: () => linalg.svdvals(make([3])), error: ShapeError, message: /a matrix/ },
    {
      name: 'NaN',
      call: () => linalg.svdvals(tensor([[Number.NaN]])),
      error: ArgumentError,
      message: /finite numbers/,
    },
    { name: 'integers', call: () => linalg.svdvals(tensor([[1n]])), error: DTypeError, message: /a floating dtype/ },
  ],
  expandable: false,
});
