/** Samples of the small compositions beside the copying forms of views. */
import {
  ArgumentError,
  conj,
  conjPhysical,
  DTypeError,
  IndexError,
  indexReduce,
  nonzeroStatic,
  positive,
  real,
  resolveConj,
  resolveNeg,
  ShapeError,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

for (const [fn, call] of Object.entries({ real, conj, conjPhysical, resolveConj, resolveNeg, positive })) {
  samples({
    fn,
    cases: [
      { name: 'a matrix', inputs: [make([2, 2])], call: (x) => call(x.mul(1)) },
      { name: 'no elements', inputs: [make([0])], call: (x) => call(x.mul(1)) },
    ],
    errors: [
      {
        name: 'no tensor',
        call: () => call(2 as never),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}
samples({
  fn: 'nonzeroStatic',
  notDifferentiable: 'positions',
  cases: [
    { name: 'fewer', inputs: [], call: () => nonzeroStatic(tensor([0, 1, 2]), { size: 1 }) },
    { name: 'more', inputs: [], call: () => nonzeroStatic(tensor([0, 1, 2]), { size: 4 }) },
  ],
  errors: [
    {
      name: 'a negative size',
      call: () => nonzeroStatic(tensor([1]), { size: -1 }),
      error: ArgumentError,
      message: /nonzeroStatic: expected a size of at least 0/,
    },
    {
      name: 'bool',
      call: () => positive(tensor([true])),
      error: DTypeError,
      message: /positive: expected a tensor of numbers, got bool/,
    },
  ],
});
const at = tensor([0n, 0n, 2n]);
samples({
  fn: 'indexReduce',
  cases: (['prod', 'mean', 'amax', 'amin'] as const).map((reduce) => ({
    name: reduce,
    inputs: [make([3, 2]), make([3, 2])],
    call: (x, s) => indexReduce(x, 0, at, s, reduce),
  })),
  expandable: false,
  errors: [
    {
      name: 'out of range',
      call: () => indexReduce(make([2]), 0, at, make([3]), 'prod'),
      error: IndexError,
      message: /indexReduce: expected indices in \[0, 1\], got 2/,
    },
    ...(
      [
        ['a source with more rows than indices', [3], [0n], [3], '[1]'],
        ['a source without rows', [3], [0n], [0], '[1]'],
        ['a source with shorter rows', [2, 3], [0n], [1, 2], '[1,3]'],
        ['a source of a vector for a scalar', [], [0n], [1], '[]'],
      ] as const
    ).map(([name, shape, index, source, expected]) => ({
      name,
      call: () => indexReduce(make(shape), 0, tensor(index), make(source), 'prod'),
      error: ShapeError,
      message: new RegExp(`indexReduce: expected a source of shape ${expected.replace(/[[\]]/g, '\\$&')}, got `),
    })),
    {
      name: 'no index into a scalar',
      call: () => indexReduce(make([]), 0, zeros(0, { dtype: 'int64' }), make([0]), 'prod'),
      error: ShapeError,
      message: /expected one index into a scalar, got 0/,
    },
    {
      name: 'sum',
      call: () => indexReduce(make([3]), 0, at, make([3]), 'sum' as 'prod'),
      error: ArgumentError,
      message: /indexAdd adds/,
    },
  ],
});
