/** Samples of the losses. */
import {
  ArgumentError,
  autograd,
  DTypeError,
  enableGrad,
  IndexError,
  nn,
  ShapeError,
  type Tensor,
  tensor,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;
/** Class indices and signs do not take part in gradient checks. */
const classes = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor(BigInt64Array.from(values, BigInt), { shape });
const signs = (shape: readonly number[]): Tensor => {
  const n = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float64Array.from({ length: n }, (_, i) => (i % 3 === 0 ? -1 : 1)),
    { shape },
  );
};
const REDUCTIONS = ['none', 'mean', 'sum'] as const;
const mismatch = (name: string, call: (x: Tensor, t: Tensor) => unknown) => ({
  name: 'shapes that differ',
  call: () => call(make([2, 3]), make([3])),
  error: ShapeError,
  message: new RegExp(`${name}: .*\\[2,3\\] and \\[3\\]`),
});

for (const [name, fn, options] of [
  ['mseLoss', F.mseLoss, {}],
  ['l1Loss', F.l1Loss, {}],
  ['smoothL1Loss', F.smoothL1Loss, { beta: 0.7 }],
  ['huberLoss', F.huberLoss, { delta: 0.7 }],
] as const) {
  const call = fn as (x: Tensor, t: Tensor, options: object) => Tensor;
  samples({
    fn: `nn.functional.${name}`,
    cases: [
      ...REDUCTIONS.map((reduction) => ({
        name: reduction,
        inputs: [make([3, 4]), make([3, 4])],
        call: (x: Tensor, t: Tensor) => call(x, t, { ...options, reduction }),
      })),
      { name: 'scalars', inputs: [make([]), make([])], call: (x, t) => call(x, t, options) },
      {
        name: 'no elements',
        inputs: [make([0, 3]), make([0, 3])],
        call: (x, t) => call(x, t, { ...options, reduction: 'sum' }),
      },
      // Third derivatives: the rule of the second has a rule of its own, but for l1, where it is 0.
      ...(name === 'l1Loss'
        ? []
        : [
            {
              name: 'of its gradient',
              inputs: [make([3, 4]), make([3, 4])],
              call: (x: Tensor, t: Tensor) =>
                enableGrad(() => autograd.grad(call(x, t, options), [x], { createGraph: true })[0] as Tensor),
            },
          ]),
      ...(name === 'smoothL1Loss'
        ? [
            {
              name: 'beta 0',
              inputs: [make([5]), make([5])],
              call: (x: Tensor, t: Tensor) => F.smoothL1Loss(x, t, { beta: 0 }),
            },
          ]
        : REDUCTIONS.map((reduction) => ({
            name: `weight, ${reduction}`,
            inputs: [make([3, 4]), make([3, 4]), make([3, 4], 0.5, 2)],
            call: (x: Tensor, t: Tensor, weight: Tensor) => call(x, t, { ...options, reduction, weight }),
          }))),
    ],
    errors: [
      mismatch(name, (x, t) => call(x, t, {})),
      {
        name: 'a reduction that is none',
        call: () => call(make([2]), make([2]), { reduction: 'avg' }),
        error: ArgumentError,
        message: /reduction 'none', 'mean' or 'sum', got "avg"/,
      },
      { name: 'integers', call: () => call(classes([1]), classes([2]), {}), error: DTypeError, message: /floating/ },
    ],
  });
}

for (const [name, fn, low, high] of [
  ['binaryCrossEntropy', F.binaryCrossEntropy, 0.1, 0.9],
  ['binaryCrossEntropyWithLogits', F.binaryCrossEntropyWithLogits, -2, 2],
] as const) {
  const call = fn as (x: Tensor, t: Tensor, options?: object) => Tensor;
  samples({
    fn: `nn.functional.${name}`,
    cases: [
      ...REDUCTIONS.map((reduction) => ({
        name: reduction,
        inputs: [make([3, 4], low, high), make([3, 4], 0.1, 0.9)],
        call: (x: Tensor, t: Tensor) => call(x, t, { reduction }),
      })),
      {
        name: 'weight',
        inputs: [make([3, 4], low, high), make([3, 4], 0.1, 0.9), make([4], 0.5, 2)],
        call: (x, t, weight) => call(x, t, { weight }),
      },
      { name: 'scalars', inputs: [make([], low, high), make([], 0.1, 0.9)], call: (x, t) => call(x, t) },
      {
        name: 'no elements',
        inputs: [make([0, 3], low, high), make([0, 3], 0.1, 0.9)],
        call: (x, t) => call(x, t, { reduction: 'sum' }),
      },
      ...(name === 'binaryCrossEntropy'
        ? []
        : [
            {
              name: 'posWeight and weight',
              inputs: [make([3, 4]), make([3, 4], 0, 1), make([4], 0.5, 2), make([4], 0.5, 3)],
              call: (x: Tensor, t: Tensor, weight: Tensor, posWeight: Tensor) =>
                F.binaryCrossEntropyWithLogits(x, t, { weight, posWeight }),
            },
          ]),
    ],
    errors: [
      mismatch(name, (x, t) => call(x, t)),
      {
        name: 'a weight that does not broadcast',
        call: () => call(make([2, 3], 0.1, 0.9), make([2, 3], 0, 1), { weight: make([2]) }),
        error: ShapeError,
        message: /weight that broadcasts to \[2,3\], got \[2\]/,
      },
    ],
  });
}

const TARGETS = [2, 0, 1, 2];
const IMAGE = [0, 2, 1, 1, 2, 0, 0, 1, 2, 1, 0, 2];
for (const [name, fn] of [
  ['crossEntropy', F.crossEntropy],
  ['nllLoss', F.nllLoss],
] as const) {
  const call = fn as (x: Tensor, t: Tensor, options?: object) => Tensor;
  samples({
    fn: `nn.functional.${name}`,
    cases: [
      ...REDUCTIONS.map((reduction) => ({
        name: reduction,
        inputs: [make([4, 3])],
        call: (x: Tensor) => call(x, classes(TARGETS), { reduction }),
      })),
      ...REDUCTIONS.map((reduction) => ({
        name: `images, weight and ignoreIndex, ${reduction}`,
        inputs: [make([2, 3, 2, 3])],
        call: (x: Tensor) =>
          call(x, classes(IMAGE, [2, 2, 3]), {
            reduction,
            ignoreIndex: 1,
            weight: tensor([0.5, 2, 1.5], { dtype: x.dtype }),
          }),
      })),
      { name: 'one position', inputs: [make([3])], call: (x) => call(x, classes([1], [])) },
      { name: 'no positions', inputs: [make([0, 3])], call: (x) => call(x, classes([]), { reduction: 'sum' }) },
      ...(name === 'nllLoss'
        ? []
        : [
            ...REDUCTIONS.map((reduction) => ({
              name: `label smoothing, ${reduction}`,
              inputs: [make([4, 3])],
              call: (x: Tensor) =>
                F.crossEntropy(x, classes(TARGETS), {
                  reduction,
                  labelSmoothing: 0.2,
                  ignoreIndex: 0,
                  weight: tensor([0.5, 2, 1.5], { dtype: x.dtype }),
                }),
            })),
            {
              name: 'label smoothing of images',
              inputs: [make([2, 3, 2, 3])],
              call: (x: Tensor) => F.crossEntropy(x, classes(IMAGE, [2, 2, 3]), { labelSmoothing: 0.1 }),
            },
            ...REDUCTIONS.map((reduction) => ({
              name: `probabilities, ${reduction}`,
              inputs: [make([2, 3, 2]), make([2, 3, 2], 0, 1)],
              call: (x: Tensor, t: Tensor) =>
                F.crossEntropy(x, t, {
                  reduction,
                  labelSmoothing: 0.1,
                  weight: tensor([0.5, 2, 1.5], { dtype: x.dtype }),
                }),
            })),
          ]),
    ],
    errors: [
      {
        name: 'an index that is no class',
        call: () => call(make([2, 3]), classes([0, 3])),
        error: IndexError,
        message: /class indices in \[0, 2\] or ignoreIndex -100, got 3 at element 1/,
      },
      {
        name: 'a negative index',
        call: () => call(make([2, 3]), classes([-1, 0])),
        error: IndexError,
        message: /got -1 at element 0/,
      },
      {
        name: 'a target of another shape',
        call: () => call(make([2, 3]), classes([0])),
        error: ShapeError,
        message: /target of shape \[2\], got \[1\]/,
      },
      {
        name: 'indices of a floating type',
        call: () => call(make([2, 3]), make([2])),
        error: DTypeError,
        message: /int64/,
      },
      {
        name: 'a weight of another length',
        call: () => call(make([2, 3]), classes([0, 1]), { weight: make([2]) }),
        error: ShapeError,
        message: /weight of shape \[3\]/,
      },
    ],
  });
}

samples({
  fn: 'nn.functional.klDiv',
  cases: [
    ...([...REDUCTIONS, 'batchmean'] as const).map((reduction) => ({
      name: reduction,
      inputs: [make([2, 3], -2, 0), make([2, 3], 0.1, 1)],
      call: (x: Tensor, t: Tensor) => F.klDiv(x, t, { reduction }),
    })),
    {
      name: 'log target',
      inputs: [make([2, 3], -2, 0), make([2, 3], -2, 0)],
      call: (x, t) => F.klDiv(x, t, { logTarget: true }),
    },
    {
      name: 'no elements',
      inputs: [make([0, 3]), make([0, 3], 0.1, 1)],
      call: (x, t) => F.klDiv(x, t, { reduction: 'sum' }),
    },
  ],
  errors: [mismatch('klDiv', (x, t) => F.klDiv(x, t))],
});
samples({
  fn: 'nn.functional.poissonNllLoss',
  cases: [
    { name: 'log input', inputs: [make([2, 3]), make([2, 3], 0.1, 3)], call: (x, t) => F.poissonNllLoss(x, t) },
    {
      name: 'full, not log',
      inputs: [make([2, 3], 0.2, 2), make([2, 3], 0.1, 3)],
      call: (x, t) => F.poissonNllLoss(x, t, { logInput: false, full: true, reduction: 'none' }),
    },
    {
      name: 'no elements',
      inputs: [make([0]), make([0])],
      call: (x, t) => F.poissonNllLoss(x, t, { reduction: 'sum' }),
    },
  ],
  errors: [mismatch('poissonNllLoss', (x, t) => F.poissonNllLoss(x, t))],
});
samples({
  fn: 'nn.functional.gaussianNllLoss',
  cases: [
    {
      name: 'var of the same shape',
      inputs: [make([2, 3]), make([2, 3]), make([2, 3], 0.2, 2)],
      call: (x, t, v) => F.gaussianNllLoss(x, t, v),
    },
    {
      name: 'one variance a row',
      inputs: [make([2, 3]), make([2, 3]), make([2], 0.2, 2)],
      call: (x, t, v) => F.gaussianNllLoss(x, t, v, { full: true, reduction: 'none' }),
    },
    {
      name: 'a number',
      inputs: [make([2, 3]), make([2, 3])],
      call: (x, t) => F.gaussianNllLoss(x, t, 0.5, { reduction: 'sum' }),
    },
    {
      name: 'a target for all columns',
      inputs: [make([2, 3]), make([2, 1]), make([2, 3], 0.2, 2)],
      call: (x, t, v) => F.gaussianNllLoss(x, t, v),
    },
    {
      name: 'an input for all rows',
      inputs: [make([1, 3]), make([2, 3])],
      call: (x, t) => F.gaussianNllLoss(x, t, 0.5, { reduction: 'none' }),
    },
    {
      name: 'no elements',
      inputs: [make([0]), make([0]), make([0], 0.2, 2)],
      call: (x, t, v) => F.gaussianNllLoss(x, t, v, { reduction: 'sum' }),
    },
  ],
  errors: [
    mismatch('gaussianNllLoss', (x, t) => F.gaussianNllLoss(x, t, make([2, 3], 0.2, 2))),
    {
      name: 'a negative variance',
      call: () => F.gaussianNllLoss(make([2]), make([2]), tensor([1, -1])),
      error: ArgumentError,
      message: /variance of at least 0/,
    },
    {
      name: 'a variance of another shape',
      call: () => F.gaussianNllLoss(make([2, 3]), make([2, 3]), make([3], 0.2, 2)),
      error: ShapeError,
      message: /var/,
    },
  ],
});
samples({
  fn: 'nn.functional.cosineEmbeddingLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([4, 3]), make([4, 3])],
      call: (a: Tensor, b: Tensor) => F.cosineEmbeddingLoss(a, b, signs([4]), { margin: -0.5, reduction }),
    })),
    { name: 'vectors', inputs: [make([3]), make([3])], call: (a, b) => F.cosineEmbeddingLoss(a, b, signs([]).neg()) },
    {
      name: 'no elements',
      inputs: [make([0, 3]), make([0, 3])],
      call: (a, b) => F.cosineEmbeddingLoss(a, b, signs([0]), { reduction: 'sum' }),
    },
  ],
  errors: [
    {
      name: 'a target of another length',
      call: () => F.cosineEmbeddingLoss(make([4, 3]), make([4, 3]), signs([3])),
      error: ShapeError,
      message: /inputs of shape \(N, D\)/,
    },
  ],
});
samples({
  fn: 'nn.functional.hingeEmbeddingLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([3, 4])],
      call: (x: Tensor) => F.hingeEmbeddingLoss(x, signs([3, 4]), { margin: 0.55, reduction }),
    })),
    {
      name: 'no elements',
      inputs: [make([0])],
      call: (x) => F.hingeEmbeddingLoss(x, signs([0]), { reduction: 'sum' }),
    },
  ],
  errors: [mismatch('hingeEmbeddingLoss', (x, t) => F.hingeEmbeddingLoss(x, t))],
});
samples({
  fn: 'nn.functional.marginRankingLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([6]), make([6])],
      call: (a: Tensor, b: Tensor) => F.marginRankingLoss(a, b, signs([6]), { margin: 0.3, reduction }),
    })),
    {
      name: 'no elements',
      inputs: [make([0]), make([0])],
      call: (a, b) => F.marginRankingLoss(a, b, signs([0]), { reduction: 'sum' }),
    },
  ],
  errors: [mismatch('marginRankingLoss', (a, b) => F.marginRankingLoss(a, b, signs([2, 3])))],
});
samples({
  fn: 'nn.functional.softMarginLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([3, 4])],
      call: (x: Tensor) => F.softMarginLoss(x, signs([3, 4]), { reduction }),
    })),
    { name: 'no elements', inputs: [make([0])], call: (x) => F.softMarginLoss(x, signs([0]), { reduction: 'sum' }) },
  ],
  errors: [mismatch('softMarginLoss', (x, t) => F.softMarginLoss(x, t))],
});
samples({
  fn: 'nn.functional.tripletMarginLoss',
  cases: [
    {
      name: 'euclidean',
      inputs: [make([3, 4]), make([3, 4]), make([3, 4])],
      call: (a, p, n) => F.tripletMarginLoss(a, p, n, { margin: 3 }),
    },
    {
      name: 'swap, p 3',
      inputs: [make([3, 4]), make([3, 4]), make([3, 4])],
      call: (a, p, n) => F.tripletMarginLoss(a, p, n, { margin: 3, p: 3, swap: true, reduction: 'none' }),
    },
    {
      name: 'p 1',
      inputs: [make([3, 4]), make([3, 4]), make([3, 4])],
      call: (a, p, n) => F.tripletMarginLoss(a, p, n, { margin: 9, p: 1, reduction: 'sum' }),
    },
    {
      name: 'no rows',
      inputs: [make([0, 4]), make([0, 4]), make([0, 4])],
      call: (a, p, n) => F.tripletMarginLoss(a, p, n, { reduction: 'sum' }),
    },
  ],
  errors: [
    mismatch('tripletMarginLoss', (a, p) => F.tripletMarginLoss(a, p, make([2, 3]))),
    {
      name: 'a margin of 0',
      call: () => F.tripletMarginLoss(make([2]), make([2]), make([2]), { margin: 0 }),
      error: ArgumentError,
      message: /margin above 0/,
    },
  ],
});
samples({
  fn: 'nn.functional.multiMarginLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([4, 3])],
      call: (x: Tensor) => F.multiMarginLoss(x, classes(TARGETS), { margin: 0.8, reduction }),
    })),
    {
      name: 'p 2, weight',
      inputs: [make([4, 3])],
      call: (x) => F.multiMarginLoss(x, classes(TARGETS), { p: 2, weight: tensor([0.5, 2, 1.5], { dtype: x.dtype }) }),
    },
    { name: 'one row', inputs: [make([3])], call: (x) => F.multiMarginLoss(x, classes([1], [])) },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => F.multiMarginLoss(x, classes([]), { reduction: 'sum' }) },
  ],
  errors: [
    {
      name: 'an index that is no class',
      call: () => F.multiMarginLoss(make([1, 3]), classes([3])),
      error: IndexError,
      message: /\[0, 2\], got 3/,
    },
    {
      name: 'p 3',
      call: () => F.multiMarginLoss(make([1, 3]), classes([0]), { p: 3 }),
      error: ArgumentError,
      message: /p of 1 or 2/,
    },
  ],
});
samples({
  fn: 'nn.functional.multilabelMarginLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([2, 4])],
      call: (x: Tensor) => F.multilabelMarginLoss(x, classes([3, 0, -1, 1, 1, -1, 0, 2], [2, 4]), { reduction }),
    })),
    { name: 'one row', inputs: [make([3])], call: (x) => F.multilabelMarginLoss(x, classes([1, -1, 2])) },
  ],
  errors: [
    {
      name: 'an index that is no class',
      call: () => F.multilabelMarginLoss(make([3]), classes([1, 3, -1])),
      error: IndexError,
      message: /\[-1, 2\], got 3/,
    },
  ],
});
samples({
  fn: 'nn.functional.multilabelSoftMarginLoss',
  cases: [
    ...REDUCTIONS.map((reduction) => ({
      name: reduction,
      inputs: [make([3, 4])],
      call: (x: Tensor) => F.multilabelSoftMarginLoss(x, signs([3, 4]).clampMin(0), { reduction }),
    })),
    {
      name: 'weight',
      inputs: [make([4]), make([4], 0.5, 2)],
      call: (x, weight) => F.multilabelSoftMarginLoss(x, signs([4]).clampMin(0), { weight }),
    },
  ],
  errors: [mismatch('binaryCrossEntropyWithLogits', (x, t) => F.multilabelSoftMarginLoss(x, t))],
});
