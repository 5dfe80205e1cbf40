/** Samples of softmax and its relatives. */
import { IndexError, logSoftmax, logsumexp, nn, softmax, type Tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const alongDim: readonly (readonly [name: string, fn: (x: Tensor, dim: number) => Tensor])[] = [
  ['softmax', softmax],
  ['logSoftmax', logSoftmax],
  ['nn.functional.softmax', nn.functional.softmax],
  ['nn.functional.logSoftmax', nn.functional.logSoftmax],
  ['nn.functional.softmin', nn.functional.softmin],
];
for (const [name, fn] of alongDim) {
  samples({
    fn: name,
    cases: [
      { name: 'last dim', inputs: [make([3, 5])], call: (x) => fn(x, -1) },
      { name: 'middle dim', inputs: [make([2, 4, 3])], call: (x) => fn(x, 1) },
      { name: 'scalar', inputs: [make([])], call: (x) => fn(x, 0) },
      { name: 'no elements', inputs: [make([0, 3])], call: (x) => fn(x, 1) },
    ],
    errors: [
      {
        name: 'a dim out of range',
        call: () => fn(make([2, 3]), 2),
        error: IndexError,
        message: /dim in \[-2, 1\], got 2/,
      },
    ],
  });
}

samples({
  fn: 'logsumexp',
  cases: [
    { name: 'last dim', inputs: [make([3, 5])], call: (x) => logsumexp(x, -1) },
    { name: 'dims apart, kept', inputs: [make([2, 4, 3])], call: (x) => logsumexp(x, [0, 2], true) },
    { name: 'scalar', inputs: [make([])], call: (x) => logsumexp(x, 0) },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => logsumexp(x, 0) },
  ],
  errors: [
    {
      name: 'a dim out of range',
      call: () => logsumexp(make([2, 3]), 2),
      error: IndexError,
      message: /dim in \[-2, 1\], got 2/,
    },
  ],
});
