/** Samples of cumulative sums, products and extrema. */
import { cummax, cummin, cumprod, cumsum, IndexError, logcumsumexp, type Tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const values = (fn: (x: Tensor, dim: number) => { values: Tensor }) => (x: Tensor, dim: number) => fn(x, dim).values;
const scans: readonly (readonly [string, (x: Tensor, dim: number) => Tensor])[] = [
  ['cumsum', cumsum],
  ['cumprod', cumprod],
  ['logcumsumexp', logcumsumexp],
  ['cummax', values(cummax)],
  ['cummin', values(cummin)],
];

for (const [name, fn] of scans) {
  samples({
    fn: name,
    cases: [
      { name: 'last dim', inputs: [make([3, 4])], call: (x) => fn(x, -1) },
      { name: 'middle dim', inputs: [make([2, 4, 3])], call: (x) => fn(x, 1) },
      { name: 'one element', inputs: [make([2, 1])], call: (x) => fn(x, 1) },
      { name: 'scalar', inputs: [make([])], call: (x) => fn(x, 0) },
      { name: 'no elements', inputs: [make([0, 3])], call: (x) => fn(x, 0) },
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
