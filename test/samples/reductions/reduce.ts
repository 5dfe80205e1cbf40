/** Samples of sums, means, products and extrema over dimensions. */
import {
  ArgumentError,
  all,
  amax,
  amin,
  aminmax,
  any,
  argmax,
  argmin,
  countNonzero,
  DTypeError,
  IndexError,
  max,
  mean,
  min,
  prod,
  sum,
  tensor,
  var as variance,
  varMean,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const integers = () => tensor([1n, 2n, 3n]);
const outOfRange = (name: string, call: () => unknown) => ({
  name: `${name}: a dim out of range`,
  call,
  error: IndexError,
  message: /dim in \[-2, 1\], got 2/,
});

samples({
  fn: 'sum',
  cases: [
    { name: 'all', inputs: [make([3, 4])], call: (x) => sum(x) },
    { name: 'one dim', inputs: [make([3, 4, 2])], call: (x) => sum(x, 1) },
    { name: 'dims apart, kept', inputs: [make([3, 4, 2])], call: (x) => sum(x, [0, -1], { keepdim: true }) },
    { name: 'scalar', inputs: [make([])], call: (x) => sum(x, -1) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => sum(x, 0) },
  ],
  errors: [
    outOfRange('sum', () => sum(make([2, 3]), 2)),
    { name: 'a dim twice', call: () => sum(make([2, 3]), [0, -2]), error: ArgumentError, message: /each dim once/ },
    {
      name: 'a dim that is no number',
      call: () => sum(make([2]), 'rows' as never),
      error: ArgumentError,
      message: /a dim or an array of dims, got "rows"/,
    },
    {
      name: 'a misspelt option',
      call: () => sum(make([2]), { keepdimension: true } as never),
      error: ArgumentError,
      message: /unknown option "keepdimension".*options: input, dim, keepdim/,
    },
  ],
});

samples({
  fn: 'mean',
  cases: [
    { name: 'all', inputs: [make([3, 4])], call: (x) => mean(x) },
    { name: 'dims apart', inputs: [make([3, 4, 2])], call: (x) => mean(x, [0, 2]) },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => mean(x, 1) },
  ],
  errors: [{ name: 'integers', call: () => mean(integers()), error: DTypeError, message: /a floating dtype/ }],
});

samples({
  fn: 'prod',
  cases: [
    { name: 'all', inputs: [make([3, 2])], call: (x) => prod(x) },
    { name: 'one dim', inputs: [make([3, 4, 2])], call: (x) => prod(x, 1) },
    {
      name: 'with a zero',
      inputs: [
        tensor(
          [
            [1, 0, 3],
            [0, 0, 2],
            [1, 2, 3],
          ],
          { dtype: 'float64', requiresGrad: true },
        ),
      ],
      call: (x) => prod(x, 1, true),
    },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => prod(x, 0) },
  ],
  errors: [outOfRange('prod', () => prod(make([2, 3]), 2))],
});

for (const [name, fn] of [
  ['amax', amax],
  ['amin', amin],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'dims apart', inputs: [make([3, 4, 2])], call: (x) => fn(x, [0, 2]) },
      { name: 'kept', inputs: [make([3, 4])], call: (x) => fn(x, -1, true) },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [
      outOfRange(name, () => fn(make([2, 3]), 2)),
      {
        name: 'nothing to compare',
        call: () => fn(make([0, 3]), 0),
        error: IndexError,
        message: /at least one element/,
      },
    ],
    expandable: false,
  });
}

samples({
  fn: 'aminmax',
  cases: [
    { name: 'all', inputs: [make([3, 4])], call: (x) => aminmax(x) },
    { name: 'one dim', inputs: [make([3, 4])], call: (x) => aminmax(x, { dim: 0, keepdim: true }) },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => aminmax(x, { dim: 1 }) },
  ],
  errors: [{ name: 'nothing to compare', call: () => aminmax(make([0])), error: IndexError, message: /no elements/ }],
  expandable: false,
});

for (const [name, fn] of [
  ['max', max],
  ['min', min],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'one dim', inputs: [make([3, 4, 2])], call: (x) => fn(x, 1).values },
      { name: 'kept', inputs: [make([3, 4])], call: (x) => fn(x, { dim: 0, keepdim: true }).values },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1).values },
    ],
    errors: [
      outOfRange(name, () => fn(make([2, 3]), 2)),
      {
        name: 'nothing to compare',
        call: () => fn(make([0, 3]), 0),
        error: IndexError,
        message: /at least one element/,
      },
      {
        name: 'several dims',
        call: () => fn(make([2, 3]), [0, 1] as never),
        error: ArgumentError,
        message: /a dim or another tensor/,
      },
    ],
    expandable: false,
  });
}

for (const [name, fn] of [
  ['argmax', argmax],
  ['argmin', argmin],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'one dim', inputs: [make([3, 4])], call: (x) => fn(x, 0, true) },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [
      outOfRange(name, () => fn(make([2, 3]), 2)),
      { name: 'bool', call: () => fn(tensor([true, false])), error: DTypeError, message: /a number type/ },
    ],
    notDifferentiable: 'indices',
  });
}

const variances = [
  ['var', variance],
  ['varMean', varMean],
] as const;
for (const [name, fn] of variances) {
  samples({
    fn: name,
    cases: [
      { name: 'all', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'biased', inputs: [make([3, 4])], call: (x) => fn(x, false) },
      { name: 'dims apart', inputs: [make([3, 4, 2])], call: (x) => fn(x, [0, 2], { keepdim: true }) },
      { name: 'correction', inputs: [make([3, 4])], call: (x) => fn(x, 1, { correction: 2 }) },
      { name: 'no rows', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [
      outOfRange(name, () => fn(make([2, 3]), 2)),
      { name: 'integers', call: () => fn(integers()), error: DTypeError, message: /a floating dtype/ },
      {
        name: 'unbiased and correction',
        call: () => fn(make([3]), 0, true, { correction: 1 }),
        error: ArgumentError,
        message: /either unbiased or correction/,
      },
    ],
  });
}

for (const [name, fn] of [
  ['all', all],
  ['any', any],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'all dims', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'dims apart', inputs: [make([3, 4, 2])], call: (x) => fn(x, [0, 2], true) },
      { name: 'no elements', inputs: [make([0, 3])], call: (x) => fn(x, 0) },
    ],
    errors: [outOfRange(name, () => fn(make([2, 3]), 2))],
    notDifferentiable: 'a truth value',
  });
}
samples({
  fn: 'countNonzero',
  cases: [
    { name: 'all dims', inputs: [make([3, 4])], call: (x) => countNonzero(x) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => countNonzero(x, [0]) },
  ],
  errors: [outOfRange('countNonzero', () => countNonzero(make([2, 3]), 2))],
  notDifferentiable: 'a count',
});
