/** Samples of normalisations. */
import { ArgumentError, type DType, DTypeError, nn, ShapeError, type Tensor, tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;
const notATensor = 3 as unknown as Tensor;

/** Fresh running statistics in the input's type, so that a call leaves the sample as it was. */
const running = (c: number, dtype: DType): [mean: Tensor, variance: Tensor] => [
  tensor(
    Array.from({ length: c }, (_, i) => 0.25 * i - 0.5),
    { dtype },
  ),
  tensor(
    Array.from({ length: c }, (_, i) => 0.5 + 0.25 * i),
    { dtype },
  ),
];

samples({
  fn: 'nn.functional.batchNorm',
  cases: [
    {
      name: 'training, planes',
      inputs: [make([3, 2, 2, 3]), make([2]), make([2])],
      call: (x, w, b) => F.batchNorm(x, ...running(2, x.dtype), w, b, true, 0.1, 1e-2),
    },
    {
      name: 'training, columns, no weight',
      inputs: [make([5, 3]), make([3])],
      call: (x, b) => F.batchNorm(x, null, null, null, b, { training: true }),
    },
    {
      name: 'training, no bias',
      inputs: [make([2, 2, 3]), make([2])],
      call: (x, w) => F.batchNorm(x, null, null, w, { training: true }),
    },
    {
      name: 'evaluation',
      inputs: [make([2, 3, 4]), make([3]), make([3])],
      call: (x, w, b) => F.batchNorm(x, ...running(3, x.dtype), w, b),
    },
    { name: 'evaluation, columns', inputs: [make([2, 3])], call: (x) => F.batchNorm(x, ...running(3, x.dtype)) },
    {
      name: 'no images',
      inputs: [make([0, 2, 3])],
      call: (x) => F.batchNorm(x, ...running(2, x.dtype), { training: true }),
    },
  ],
  errors: [
    {
      name: 'not a tensor',
      call: () => F.batchNorm(notATensor),
      error: ArgumentError,
      message: /batchNorm: expected a tensor/,
    },
    {
      name: 'one dimension',
      call: () => F.batchNorm(make([3])),
      error: ShapeError,
      message: /batchNorm: expected an input of at least 2 dimensions/,
    },
    {
      name: 'one value',
      call: () => F.batchNorm(make([1, 3]), null, null, { training: true }),
      error: ShapeError,
      message: /more than 1 value per channel when training/,
    },
    {
      name: 'no statistics',
      call: () => F.batchNorm(make([2, 3])),
      error: ArgumentError,
      message: /runningMean and runningVar in evaluation/,
    },
    {
      name: 'weight',
      call: () => F.batchNorm(make([2, 3]), null, null, make([2]), { training: true }),
      error: ShapeError,
      message: /weight of shape \[3\], got \[2\]/,
    },
    {
      name: 'mean',
      call: () => F.batchNorm(make([2, 3]), make([2]), make([3])),
      error: ShapeError,
      message: /runningMean of shape \[3\], got \[2\]/,
    },
    {
      name: 'types',
      call: () => F.batchNorm(make([2, 3]), make([3]).float(), make([3])),
      error: DTypeError,
      message: /runningMean of the input's dtype, got float32/,
    },
    {
      name: 'integers',
      call: () => F.batchNorm(make([2, 3]).long(), null, null, { training: true }),
      error: DTypeError,
      message: /batchNorm: expected a dtype/,
    },
  ],
  // A channel of equal values divides rounding by sqrt(eps).
  expandable: false,
});
samples({
  fn: 'nn.functional.layerNorm',
  cases: [
    {
      name: 'last dimension',
      inputs: [make([2, 3, 5]), make([5]), make([5])],
      call: (x, w, b) => F.layerNorm(x, [5], w, b),
    },
    {
      name: 'two dimensions, no weight',
      inputs: [make([3, 2, 4]), make([2, 4])],
      call: (x, b) => F.layerNorm(x, [2, 4], null, b, 0.1),
    },
    { name: 'everything, no bias', inputs: [make([2, 3]), make([2, 3])], call: (x, w) => F.layerNorm(x, [2, 3], w) },
    { name: 'no rows', inputs: [make([0, 4]), make([4])], call: (x, w) => F.layerNorm(x, 4, w) },
  ],
  errors: [
    {
      name: 'another shape',
      call: () => F.layerNorm(make([2, 4]), [5]),
      error: ShapeError,
      message: /layerNorm: expected an input whose shape ends in normalizedShape \[5\], got \[2,4\]/,
    },
    {
      name: 'no shape',
      call: () => F.layerNorm(make([2, 4]), []),
      error: ArgumentError,
      message: /layerNorm: expected a normalizedShape/,
    },
    {
      name: 'weight',
      call: () => F.layerNorm(make([2, 4]), [4], make([3])),
      error: ShapeError,
      message: /weight of shape \[4\]/,
    },
    {
      name: 'types',
      call: () => F.layerNorm(make([2, 4]), [4], make([4]).float()),
      error: DTypeError,
      message: /weight of the input's dtype/,
    },
  ],
});
samples({
  fn: 'nn.functional.rmsNorm',
  cases: [
    { name: 'last dimension', inputs: [make([2, 3, 5]), make([5])], call: (x, w) => F.rmsNorm(x, [5], w, 1e-3) },
    { name: 'no weight', inputs: [make([3, 2, 4])], call: (x) => F.rmsNorm(x, [2, 4]) },
  ],
  errors: [
    {
      name: 'another shape',
      call: () => F.rmsNorm(make([2, 4]), [5]),
      error: ShapeError,
      message: /rmsNorm: expected an input whose shape ends in/,
    },
  ],
});
samples({
  fn: 'nn.functional.groupNorm',
  cases: [
    { name: 'two groups', inputs: [make([2, 4, 3]), make([4]), make([4])], call: (x, w, b) => F.groupNorm(x, 2, w, b) },
    { name: 'without space', inputs: [make([3, 6]), make([6])], call: (x, w) => F.groupNorm(x, 2, w) },
    { name: 'no weight', inputs: [make([2, 2, 2, 2])], call: (x) => F.groupNorm(x, 1, { eps: 0.1 }) },
    { name: 'no images', inputs: [make([0, 4, 3]), make([4])], call: (x, w) => F.groupNorm(x, 2, w) },
  ],
  errors: [
    {
      name: 'groups',
      call: () => F.groupNorm(make([2, 3, 4]), 2),
      error: ShapeError,
      message: /groupNorm: expected channels divisible by numGroups, got 3/,
    },
    {
      name: 'no groups',
      call: () => F.groupNorm(make([2, 3, 4]), 0),
      error: ArgumentError,
      message: /groupNorm: expected numGroups/,
    },
    {
      name: 'one value',
      call: () => F.groupNorm(make([1, 3]), 3),
      error: ShapeError,
      message: /more than 1 value per channel/,
    },
    {
      name: 'one dimension',
      call: () => F.groupNorm(make([3]), 3),
      error: ShapeError,
      message: /at least 2 dimensions/,
    },
  ],
});
samples({
  fn: 'nn.functional.instanceNorm',
  cases: [
    {
      name: 'plain',
      inputs: [make([2, 3, 4]), make([3]), make([3])],
      call: (x, w, b) => F.instanceNorm(x, null, null, w, b),
    },
    {
      name: 'running statistics',
      inputs: [make([2, 3, 2, 2])],
      call: (x) => F.instanceNorm(x, ...running(3, x.dtype)),
    },
    {
      name: 'given statistics',
      inputs: [make([2, 3, 4]), make([3])],
      call: (x, w) => F.instanceNorm(x, ...running(3, x.dtype), w, { useInputStats: false }),
    },
  ],
  errors: [
    {
      name: 'one element',
      call: () => F.instanceNorm(make([2, 3, 1])),
      error: ShapeError,
      message: /more than 1 spatial element/,
    },
    {
      name: 'no statistics',
      call: () => F.instanceNorm(make([2, 3, 4]), { useInputStats: false }),
      error: ArgumentError,
      message: /runningMean and runningVar where/,
    },
  ],
});
