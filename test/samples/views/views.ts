/** Samples of views: other shapes, orders, parts and windows of the same memory. */
import {
  ArgumentError,
  adjoint,
  asStrided,
  asStridedScatter,
  broadcastTo,
  chunk,
  diagonal,
  diagonalScatter,
  dsplit,
  flatten,
  hsplit,
  IndexError,
  moveaxis,
  movedim,
  narrow,
  permute,
  ravel,
  reshape,
  ShapeError,
  select,
  selectScatter,
  sliceScatter,
  split,
  splitWithSizes,
  squeeze,
  swapaxes,
  swapdims,
  type Tensor,
  t,
  tensor,
  tensorSplit,
  transpose,
  unbind,
  unflatten,
  unsqueeze,
  vsplit,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

samples({
  fn: 'reshape',
  cases: [
    { name: 'to a matrix', inputs: [make([6])], call: (x) => reshape(x, [2, 3]) },
    { name: 'a transposed matrix', inputs: [make([2, 3])], call: (x) => reshape(x.t(), [-1]) },
    { name: 'without elements', inputs: [make([0, 3])], call: (x) => reshape(x, [3, 0]) },
  ],
  errors: [
    {
      name: 'another number of elements',
      call: () => reshape(make([6]), [4]),
      error: ShapeError,
      message: /reshape: expected a shape of 6 elements, got \[4\]/,
    },
    {
      name: 'two unknown sizes',
      call: () => reshape(make([6]), [-1, -1]),
      error: ShapeError,
      message: /reshape: expected at most one size of -1/,
    },
    {
      name: 'a fraction',
      call: () => reshape(make([6]), [1.5, 4]),
      error: ArgumentError,
      message: /reshape: expected whole numbers for shape/,
    },
    {
      name: 'view of a transposed matrix',
      call: () => make([2, 3]).t().view(6),
      error: ShapeError,
      message: /view: expected a shape that the memory's layout allows/,
    },
  ],
});
samples({
  fn: 'broadcastTo',
  cases: [
    { name: 'a row', inputs: [make([1, 3])], call: (x) => broadcastTo(x, [2, 2, 3]) },
    { name: 'to no elements', inputs: [make([1, 2])], call: (x) => x.expand(0, -1) },
  ],
  expandable: false,
  errors: [
    {
      name: 'a size that is not 1',
      call: () => broadcastTo(make([2]), [3]),
      error: ShapeError,
      message: /expand: expected a shape that \[2\] broadcasts to, got \[3\]/,
    },
    {
      name: 'a new dimension of -1',
      call: () => make([2]).expand(-1, 2),
      error: ShapeError,
      message: /expand: expected a shape/,
    },
  ],
});
samples({
  fn: 'flatten',
  cases: [
    { name: 'all', inputs: [make([2, 3])], call: (x) => flatten(x) },
    { name: 'the last two', inputs: [make([2, 2, 2])], call: (x) => flatten(x, 1) },
    { name: 'a scalar', inputs: [make([])], call: (x) => flatten(x) },
    { name: 'without elements', inputs: [make([2, 0])], call: (x) => flatten(x) },
  ],
  errors: [
    {
      name: 'backwards',
      call: () => flatten(make([2, 2]), 1, 0),
      error: ShapeError,
      message: /flatten: expected startDim not after endDim/,
    },
    {
      name: 'a dimension that is not there',
      call: () => flatten(make([2]), 2),
      error: IndexError,
      message: /flatten: expected dim in \[-1, 0\], got 2/,
    },
  ],
});
samples({
  fn: 'ravel',
  cases: [{ name: 'a matrix', inputs: [make([2, 3])], call: (x) => ravel(x) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => ravel(make([2]), { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'unflatten',
  cases: [
    { name: 'with -1', inputs: [make([6, 2])], call: (x) => unflatten(x, 0, [2, -1]) },
    { name: 'no elements', inputs: [make([0])], call: (x) => unflatten(x, 0, [0, 2]) },
  ],
  errors: [
    {
      name: 'sizes that do not fit',
      call: () => unflatten(make([6]), 0, [4, 2]),
      error: ShapeError,
      message: /unflatten: expected a shape of 6 elements/,
    },
    {
      name: 'no sizes',
      call: () => unflatten(make([6]), 0, []),
      error: ShapeError,
      message: /unflatten: expected at least one size/,
    },
  ],
});
samples({
  fn: 'squeeze',
  cases: [
    { name: 'all', inputs: [make([1, 3, 1])], call: (x) => squeeze(x) },
    { name: 'one', inputs: [make([1, 3, 1])], call: (x) => squeeze(x, -1) },
    { name: 'one that is not 1', inputs: [make([2, 3])], call: (x) => squeeze(x, 0) },
    { name: 'several', inputs: [make([1, 3, 1])], call: (x) => squeeze(x, [0, 2]) },
    { name: 'no elements', inputs: [make([1, 0])], call: (x) => squeeze(x) },
  ],
  errors: [
    {
      name: 'a dimension that is not there',
      call: () => squeeze(make([1]), 1),
      error: IndexError,
      message: /squeeze: expected dim in/,
    },
  ],
});
samples({
  fn: 'unsqueeze',
  cases: [
    { name: 'first', inputs: [make([2, 3])], call: (x) => unsqueeze(x, 0) },
    { name: 'last', inputs: [make([2, 3])], call: (x) => unsqueeze(x, -1) },
    { name: 'no elements', inputs: [make([0])], call: (x) => unsqueeze(x, 1) },
  ],
  errors: [
    {
      name: 'too far',
      call: () => unsqueeze(make([2]), 2),
      error: IndexError,
      message: /unsqueeze: expected dim in \[-2, 1\], got 2/,
    },
  ],
});
samples({
  fn: 'permute',
  cases: [
    { name: 'three dimensions', inputs: [make([2, 3, 2])], call: (x) => permute(x, [2, 0, -2]) },
    { name: 'no elements', inputs: [make([2, 0])], call: (x) => x.permute(1, 0) },
  ],
  errors: [
    {
      name: 'too few',
      call: () => permute(make([2, 3]), [0]),
      error: ShapeError,
      message: /permute: expected 2 dims, one for each dimension, got \[0\]/,
    },
    {
      name: 'one twice',
      call: () => permute(make([2, 3]), [0, 0]),
      error: ArgumentError,
      message: /permute: expected each dim once/,
    },
  ],
});
const transposes: Readonly<Record<string, (x: Tensor, a: number, b: number) => Tensor>> = {
  transpose,
  swapdims,
  swapaxes,
};
for (const [fn, call] of Object.entries(transposes)) {
  samples({
    fn,
    cases: [
      { name: 'the last two', inputs: [make([2, 3, 2])], call: (x) => call(x, -1, -2) },
      { name: 'no elements', inputs: [make([0, 2])], call: (x) => call(x, 0, 1) },
    ],
    errors: [
      {
        name: 'a dimension that is not there',
        call: () => call(make([2]), 0, 1),
        error: IndexError,
        message: /transpose: expected dim in \[-1, 0\], got 1/,
      },
    ],
  });
}
samples({
  fn: 't',
  cases: [
    { name: 'a matrix', inputs: [make([2, 3])], call: (x) => t(x) },
    { name: 'a vector', inputs: [make([3])], call: (x) => t(x) },
    { name: 'the property T', inputs: [make([2, 0])], call: (x) => x.T },
  ],
  errors: [
    {
      name: 'three dimensions',
      call: () => t(make([1, 1, 1])),
      error: ShapeError,
      message: /t: expected at most two dimensions, got 3/,
    },
  ],
});
samples({
  fn: 'adjoint',
  cases: [
    { name: 'a batch', inputs: [make([2, 3, 2])], call: (x) => adjoint(x) },
    { name: 'the property mT', inputs: [make([2, 0])], call: (x) => x.mT },
  ],
  errors: [
    { name: 'a vector', call: () => make([2]).mT, error: ShapeError, message: /mT: expected at least two dimensions/ },
  ],
});
for (const [fn, call] of Object.entries({ movedim, moveaxis })) {
  samples({
    fn,
    cases: [
      { name: 'one', inputs: [make([2, 3, 1])], call: (x) => call(x, 0, -1) },
      { name: 'two', inputs: [make([2, 3, 1])], call: (x) => call(x, [0, 1], [1, 2]) },
      { name: 'no elements', inputs: [make([2, 0])], call: (x) => call(x, 1, 0) },
    ],
    errors: [
      {
        name: 'more sources',
        call: () => call(make([2, 2]), [0, 1], [0]),
        error: ShapeError,
        message: /expected as many destinations as sources/,
      },
      {
        name: 'one twice',
        call: () => call(make([2, 2]), [0, 0], [0, 1]),
        error: ArgumentError,
        message: /expected each dim once/,
      },
    ],
  });
}
samples({
  fn: 'select',
  cases: [
    { name: 'from the end', inputs: [make([3, 2])], call: (x) => select(x, 0, -1) },
    { name: 'a column', inputs: [make([3, 2])], call: (x) => select(x, 1, 0) },
    { name: 'no elements', inputs: [make([2, 0])], call: (x) => select(x, 0, 1) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => select(make([3]), 0, 3),
      error: IndexError,
      message: /select: expected index in \[-3, 2\] for dim 0, got 3/,
    },
    {
      name: 'of a scalar',
      call: () => select(make([]), 0, 0),
      error: IndexError,
      message: /select: expected a tensor with dimensions/,
    },
  ],
});
samples({
  fn: 'narrow',
  cases: [
    { name: 'rows', inputs: [make([4, 2])], call: (x) => narrow(x, 0, 1, 2) },
    { name: 'from the end', inputs: [make([4, 2])], call: (x) => narrow(x, 0, -2, 2) },
    { name: 'nothing', inputs: [make([4, 2])], call: (x) => narrow(x, 1, 2, 0) },
  ],
  errors: [
    {
      name: 'too long',
      call: () => narrow(make([4]), 0, 2, 3),
      error: IndexError,
      message: /narrow: expected a length of 0 to 2 from 2 on, got 3/,
    },
    {
      name: 'a start out of range',
      call: () => narrow(make([4]), 0, 5, 0),
      error: IndexError,
      message: /narrow: expected start in/,
    },
  ],
});
samples({
  fn: 'diagonal',
  cases: [
    { name: 'the main one', inputs: [make([3, 3])], call: (x) => diagonal(x) },
    { name: 'above, of a batch', inputs: [make([2, 3, 4])], call: (x) => diagonal(x, 1, 1, 2) },
    { name: 'below', inputs: [make([3, 3])], call: (x) => diagonal(x, -1) },
    { name: 'outside', inputs: [make([2, 2])], call: (x) => diagonal(x, 5) },
  ],
  errors: [
    {
      name: 'one dimension',
      call: () => diagonal(make([2, 2]), 0, 1, 1),
      error: ArgumentError,
      message: /diagonal: expected two different dimensions/,
    },
  ],
});
samples({
  fn: 'Tensor.unfold',
  cases: [
    { name: 'overlapping', inputs: [make([5, 2])], call: (x) => x.unfold(0, 3, 1) },
    { name: 'with gaps', inputs: [make([7])], call: (x) => x.unfold(0, 2, 3) },
  ],
  errors: [
    {
      name: 'too large',
      call: () => make([2]).unfold(0, 3, 1),
      error: ShapeError,
      message: /unfold: expected a size of 0 to 2 for dim 0, got 3/,
    },
  ],
});
samples({
  fn: 'asStrided',
  cases: [
    { name: 'overlapping windows', inputs: [make([6])], call: (x) => asStrided(x.contiguous(), [2, 3], [1, 2]) },
    { name: 'an offset', inputs: [make([6])], call: (x) => asStrided(x.contiguous(), [2, 2], [2, 1], 1) },
    { name: 'no elements', inputs: [make([6])], call: (x) => asStrided(x.contiguous(), [0, 2], [2, 1]) },
  ],
  expandable: false,
  errors: [
    {
      name: 'past the end',
      call: () => asStrided(make([4]), [3], [2]),
      error: ShapeError,
      message: /asStrided: expected a window inside the storage of 4 elements/,
    },
    {
      name: 'too few strides',
      call: () => asStrided(make([4]), [2, 2], [1]),
      error: ShapeError,
      message: /asStrided: expected one stride for each size/,
    },
    {
      name: 'a negative stride',
      call: () => asStrided(make([4]), [2], [-1], 2),
      error: ShapeError,
      message: /asStrided: expected sizes, strides and an offset of at least 0/,
    },
  ],
});
samples({
  fn: 'asStridedScatter',
  cases: [
    {
      name: 'every second',
      inputs: [make([6]), make([3])],
      call: (x, s) => asStridedScatter(x.contiguous(), s, [3], [2]),
    },
  ],
  expandable: false,
  errors: [
    {
      name: 'another shape',
      call: () => asStridedScatter(make([6]), make([2]), [3], [2]),
      error: ShapeError,
      message: /expected a source of shape \[3\]/,
    },
  ],
});
samples({
  fn: 'selectScatter',
  cases: [{ name: 'a row', inputs: [make([3, 2]), make([2])], call: (x, s) => selectScatter(x, s, 0, -1) }],
  errors: [
    {
      name: 'another shape',
      call: () => selectScatter(make([3, 2]), make([3]), 0, 0),
      error: ShapeError,
      message: /selectScatter: expected src of the part's shape \[2\]/,
    },
  ],
});
samples({
  fn: 'sliceScatter',
  cases: [
    { name: 'steps', inputs: [make([5, 2]), make([2, 2])], call: (x, s) => sliceScatter(x, s, 0, 1, 4, 2) },
    { name: 'nothing', inputs: [make([2]), make([0])], call: (x, s) => sliceScatter(x, s, 0, 2) },
  ],
  errors: [
    {
      name: 'another shape',
      call: () => sliceScatter(make([3]), make([3]), 0, 1),
      error: ShapeError,
      message: /sliceScatter: expected src of the part's shape \[2\]/,
    },
  ],
});
samples({
  fn: 'diagonalScatter',
  cases: [{ name: 'above', inputs: [make([3, 3]), make([2])], call: (x, s) => diagonalScatter(x, s, 1) }],
  errors: [
    {
      name: 'another shape',
      call: () => diagonalScatter(make([3, 3]), make([2])),
      error: ShapeError,
      message: /diagonalScatter: expected src of the part's shape \[3\]/,
    },
  ],
});

const used = ([first, , last]: Tensor[]): Tensor[] => [first, last];
for (const [fn, call] of Object.entries({
  split,
  'Tensor.split': (x: Tensor, n: number | number[], dim?: number) => x.split(n, dim),
})) {
  samples({
    fn,
    cases: [
      { name: 'by size', inputs: [make([5, 2])], call: (x) => call(x, 2) },
      { name: 'by sizes', inputs: [make([2, 5])], call: (x) => call(x, [1, 3, 1], 1) },
      { name: 'not all parts used', inputs: [make([6])], call: (x) => used(call(x, 2) as Tensor[]) },
      { name: 'no elements', inputs: [make([0, 2])], call: (x) => call(x, 2) },
    ],
    expandable: false,
    errors: [
      {
        name: 'a size of 0',
        call: () => call(make([2]), 0),
        error: ArgumentError,
        message: /split: expected a size of at least 1, got 0/,
      },
      {
        name: 'sizes that do not add up',
        call: () => call(make([2]), [1, 2]),
        error: ShapeError,
        message: /expected sizes that add up to 2/,
      },
    ],
  });
}
samples({
  fn: 'splitWithSizes',
  cases: [{ name: 'three', inputs: [make([4])], call: (x) => splitWithSizes(x, [1, 0, 3]) }],
  expandable: false,
  errors: [
    {
      name: 'a negative size',
      call: () => splitWithSizes(make([2]), [3, -1]),
      error: ShapeError,
      message: /splitWithSizes: expected sizes of at least 0/,
    },
  ],
});
samples({
  fn: 'chunk',
  cases: [
    { name: 'uneven', inputs: [make([5, 2])], call: (x) => chunk(x, 3) },
    { name: 'no elements', inputs: [make([2, 0])], call: (x) => chunk(x, 2, 1) },
  ],
  errors: [
    {
      name: 'none',
      call: () => chunk(make([2]), 0),
      error: ArgumentError,
      message: /chunk: expected at least 1 chunk, got 0/,
    },
  ],
});
samples({
  fn: 'tensorSplit',
  cases: [
    { name: 'uneven', inputs: [make([5])], call: (x) => tensorSplit(x, 3) },
    { name: 'at indices', inputs: [make([2, 5])], call: (x) => tensorSplit(x, [1, 3], 1) },
    { name: 'at indices that run backwards', inputs: [make([5])], call: (x) => tensorSplit(x, [3, 1]) },
    { name: 'at a tensor of indices', inputs: [make([5])], call: (x) => tensorSplit(x, tensor([2n])) },
  ],
  expandable: false,
  errors: [
    {
      name: 'none',
      call: () => tensorSplit(make([2]), 0),
      error: ArgumentError,
      message: /tensorSplit: expected at least 1 section/,
    },
  ],
});
for (const [fn, call, shape] of [
  ['hsplit', hsplit, [2, 4]],
  ['vsplit', vsplit, [4, 2]],
  ['dsplit', dsplit, [1, 2, 4]],
] as const) {
  samples({
    fn,
    cases: [
      { name: 'in two', inputs: [make(shape)], call: (x) => call(x, 2) },
      { name: 'at an index', inputs: [make(shape)], call: (x) => call(x, [1]) },
    ],
    expandable: false,
    errors: [
      {
        name: 'in three',
        call: () => call(make(shape), 3),
        error: ShapeError,
        message: /expected a number of sections that divides 4, got 3/,
      },
      {
        name: 'of a scalar',
        call: () => call(make([]), 1),
        error: ShapeError,
        message: /expected at least \d dimensions/,
      },
    ],
  });
}
samples({
  fn: 'unbind',
  cases: [
    { name: 'rows', inputs: [make([3, 2])], call: (x) => unbind(x) },
    { name: 'columns, not all used', inputs: [make([2, 3])], call: (x) => used(unbind(x, 1)) },
    { name: 'rows without elements', inputs: [make([2, 0])], call: (x) => unbind(x) },
  ],
  expandable: false,
  errors: [
    {
      name: 'a scalar',
      call: () => unbind(make([])),
      error: ShapeError,
      message: /unbind: expected a tensor with dimensions/,
    },
  ],
});
samples({
  fn: 'Tensor.typeAs',
  cases: [{ name: 'the same', inputs: [make([2])], call: (x) => x.typeAs(x.detach()) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => make([2]).typeAs(make([2]), { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
