/** Samples of sorting, selection, searches and counts. */
import {
  ArgumentError,
  argsort,
  bincount,
  bucketize,
  DTypeError,
  histc,
  IndexError,
  kthvalue,
  median,
  mode,
  msort,
  ShapeError,
  searchsorted,
  sort,
  tensor,
  topk,
  unique,
  uniqueConsecutive,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const outOfRange = (call: () => unknown) => ({
  name: 'a dim out of range',
  call,
  error: IndexError,
  message: /dim in \[-2, 1\], got 2/,
});
const indices = 'indices and counts are piecewise constant';

samples({
  fn: 'sort',
  cases: [
    { name: 'last dim', inputs: [make([3, 4])], call: (x) => sort(x).values },
    { name: 'descending', inputs: [make([3, 4, 2])], call: (x) => sort(x, 1, true).values },
    { name: 'scalar', inputs: [make([])], call: (x) => sort(x).values },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => sort(x, 0, { stable: true }).values },
  ],
  errors: [outOfRange(() => sort(make([2, 3]), 2))],
});
samples({
  fn: 'argsort',
  cases: [{ name: 'last dim', inputs: [make([3, 4])], call: (x) => argsort(x) }],
  errors: [outOfRange(() => argsort(make([2, 3]), 2))],
  notDifferentiable: indices,
});
samples({
  fn: 'msort',
  cases: [{ name: 'matrix', inputs: [make([4, 3])], call: (x) => msort(x) }],
  errors: [
    { name: 'not a tensor', call: () => msort(3 as never), error: ArgumentError, message: /a tensor for input/ },
  ],
  expandable: false,
});
samples({
  fn: 'topk',
  cases: [
    { name: 'largest', inputs: [make([3, 4])], call: (x) => topk(x, 2).values },
    {
      name: 'smallest of the first dim',
      inputs: [make([20, 2])],
      call: (x) => topk(x, 2, 0, { largest: false }).values,
    },
    { name: 'no elements', inputs: [make([0, 3])], call: (x) => topk(x, 0, 0).values },
  ],
  errors: [
    outOfRange(() => topk(make([2, 3]), 1, 2)),
    { name: 'k too large', call: () => topk(make([2, 3]), 4), error: IndexError, message: /k in \[0, 3\], got 4/ },
    { name: 'bool', call: () => topk(tensor([true, false]), 1), error: DTypeError, message: /a number type/ },
  ],
  expandable: false,
});
samples({
  fn: 'kthvalue',
  cases: [
    { name: 'second', inputs: [make([3, 4])], call: (x) => kthvalue(x, 2).values },
    { name: 'first dim, kept', inputs: [make([5, 2])], call: (x) => kthvalue(x, 3, 0, true).values },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => kthvalue(x, 1).values },
  ],
  errors: [
    outOfRange(() => kthvalue(make([2, 3]), 1, 2)),
    { name: 'k of zero', call: () => kthvalue(make([2, 3]), 0), error: IndexError, message: /k in \[1, 3\], got 0/ },
    {
      name: 'nothing to select',
      call: () => kthvalue(make([0, 3]), 1, 0),
      error: IndexError,
      message: /at least one element/,
    },
  ],
  expandable: false,
});
samples({
  fn: 'median',
  cases: [
    { name: 'all', inputs: [make([3, 5])], call: (x) => median(x) },
    { name: 'one dim', inputs: [make([3, 4])], call: (x) => median(x, 1).values },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => median(x, 1, true).values },
  ],
  errors: [
    outOfRange(() => median(make([2, 3]), 2)),
    {
      name: 'nothing to select',
      call: () => median(make([0, 3]), 0),
      error: IndexError,
      message: /at least one element/,
    },
  ],
  expandable: false,
});
samples({
  fn: 'mode',
  cases: [
    { name: 'last dim', inputs: [make([3, 4])], call: (x) => mode(x).values },
    { name: 'no rows', inputs: [make([0, 3])], call: (x) => mode(x).values },
  ],
  errors: [outOfRange(() => mode(make([2, 3]), 2))],
  expandable: false,
});

const sequence = tensor([-1, 0, 0, 1.5], { dtype: 'float64' });
samples({
  fn: 'searchsorted',
  cases: [
    { name: 'left', inputs: [make([2, 3])], call: (x) => searchsorted(sequence, x) },
    {
      name: 'right, int32',
      inputs: [make([2, 3])],
      call: (x) => searchsorted(sequence, x, { right: true, outInt32: true }),
    },
    { name: 'no values', inputs: [make([0])], call: (x) => searchsorted(sequence, x, { side: 'right' }) },
  ],
  errors: [
    {
      name: 'rows differ',
      call: () => searchsorted(make([2, 3]), make([3, 2])),
      error: ShapeError,
      message: /leading sizes/,
    },
    {
      name: 'an unknown side',
      call: () => searchsorted(sequence, 1, { side: 'up' as never }),
      error: ArgumentError,
      message: /'left' or 'right'/,
    },
    {
      name: 'side against right',
      call: () => searchsorted(sequence, 1, { side: 'left', right: true }),
      error: ArgumentError,
      message: /that agree/,
    },
    {
      name: 'a sorter of another shape',
      call: () => searchsorted(sequence, 1, { sorter: tensor([0n]) }),
      error: ShapeError,
      message: /sorter/,
    },
  ],
  notDifferentiable: indices,
});
samples({
  fn: 'bucketize',
  cases: [
    { name: 'matrix', inputs: [make([2, 3])], call: (x) => bucketize(x, sequence) },
    { name: 'no values', inputs: [make([0])], call: (x) => bucketize(x, sequence, { right: true }) },
  ],
  errors: [
    {
      name: 'boundaries of two dims',
      call: () => bucketize(1, make([2, 2])),
      error: ShapeError,
      message: /boundaries of 1 dimension/,
    },
  ],
  notDifferentiable: indices,
});
for (const [name, fn] of [
  ['unique', unique],
  ['uniqueConsecutive', uniqueConsecutive],
] as const) {
  samples({
    fn: name,
    cases: [
      { name: 'flattened', inputs: [make([3, 4])], call: (x) => fn(x) },
      { name: 'rows', inputs: [make([3, 4])], call: (x) => fn(x, { dim: 0, returnInverse: true, returnCounts: true }) },
      { name: 'no elements', inputs: [make([0])], call: (x) => fn(x) },
    ],
    errors: [outOfRange(() => fn(make([2, 3]), { dim: 2 }))],
    notDifferentiable: indices,
  });
}
const counted = tensor([1n, 3n, 1n]);
samples({
  fn: 'bincount',
  cases: [
    { name: 'weights', inputs: [make([3])], call: (w) => bincount(counted, w) },
    { name: 'counts', inputs: [], call: () => bincount(counted, { minlength: 6 }) },
  ],
  errors: [
    { name: 'floats', call: () => bincount(make([3])), error: DTypeError, message: /integers/ },
    {
      name: 'negative values',
      call: () => bincount(tensor([-1n])),
      error: ArgumentError,
      message: /at least 0, got -1/,
    },
    { name: 'two dims', call: () => bincount(tensor([[1n]])), error: ShapeError, message: /1 dimension/ },
    {
      name: 'weights of another shape',
      call: () => bincount(counted, make([2])),
      error: ShapeError,
      message: /weights of the shape \[3\]/,
    },
  ],
  notDifferentiable: indices,
  expandable: false,
  float32: false,
});
samples({
  fn: 'histc',
  cases: [{ name: 'own range', inputs: [make([3, 4])], call: (x) => histc(x, 5) }],
  errors: [
    { name: 'integers', call: () => histc(counted), error: DTypeError, message: /a floating dtype/ },
    { name: 'no bins', call: () => histc(make([3]), 0), error: ArgumentError, message: /at least 1 bin/ },
    {
      name: 'a range upside down',
      call: () => histc(make([3]), 4, 2, 1),
      error: ArgumentError,
      message: /max above min/,
    },
  ],
  notDifferentiable: indices,
});
