/** Samples of indexing, gathering and scattering. */
import {
  ArgumentError,
  argwhere,
  DTypeError,
  ellipsis,
  gather,
  IndexError,
  indexAdd,
  indexCopy,
  indexFill,
  indexPut,
  indexSelect,
  maskedScatter,
  maskedSelect,
  nn,
  nonzero,
  put,
  ShapeError,
  scatter,
  scatterAdd,
  scatterReduce,
  slice,
  type Tensor,
  take,
  takeAlongDim,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const { embedding, embeddingBag, oneHot } = nn.functional;
const int = (data: number[] | number[][]): Tensor => tensor(data, { dtype: 'int64' });
const mask = tensor([
  [true, false, true],
  [false, false, true],
]);

samples({
  fn: 'indexPut',
  cases: [
    { name: 'rows', inputs: [make([4, 2]), make([2, 2])], call: (x, v) => indexPut(x, [int([3, 0])], v) },
    {
      name: 'rows that repeat, added',
      inputs: [make([3, 2]), make([3, 2])],
      call: (x, v) => indexPut(x, [int([1, 1, 0])], v, true),
    },
    {
      name: 'apart',
      inputs: [make([2, 3, 2]), make([2, 3])],
      call: (x, v) => indexPut(x, [int([1, 0]), slice(), int([0, 1])], v),
    },
    { name: 'a mask, one value', inputs: [make([2, 3]), make([1])], call: (x, v) => indexPut(x, [mask], v) },
    { name: 'a slice', inputs: [make([4]), make([2])], call: (x, v) => indexPut(x, [slice(null, null, 2)], v) },
    {
      name: 'in place, behind a slice',
      inputs: [make([4, 3]), make([2, 2])],
      call: (x, v) => x.clone().indexPut_([slice(1, 3), [0, 2]], v),
    },
    { name: 'in place, one element', inputs: [make([3]), make([])], call: (x, v) => x.clone().indexPut_([1], v) },
    { name: 'nothing', inputs: [make([3]), make([0])], call: (x, v) => indexPut(x, [int([])], v) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => zeros(3).indexPut_([[3]], 1),
      error: IndexError,
      message: /indexPut_: expected indices in \[-3, 2\], got 3 \(element 0\)/,
    },
    {
      name: 'another type',
      call: () => indexPut(zeros(3), [int([0])], make([1])),
      error: DTypeError,
      message: /indexPut: expected values of the same type/,
    },
    {
      name: 'values that do not broadcast',
      call: () => zeros(3).indexPut_([[0, 1]], zeros(3)),
      error: ShapeError,
      message: /indexPut_: expected values that broadcast to \[2\]/,
    },
  ],
});

samples({
  fn: 'Tensor.indexPut_',
  cases: [
    {
      name: 'rows of a column',
      inputs: [make([4, 3]), make([2])],
      call: (x, v) => x.clone().indexPut_([[3, 0], 1], v),
    },
    {
      name: 'added to a step',
      inputs: [make([4]), make([2])],
      call: (x, v) => x.clone().indexPut_([slice(null, null, 2)], v, { accumulate: true }),
    },
  ],
  errors: [
    {
      name: 'too many indices',
      call: () => zeros(2).indexPut_([0, 0], 1),
      error: IndexError,
      message: /indexPut_: expected at most 1 indices/,
    },
  ],
});

/** Index lists on a [2, 3, 4] tensor; read through `index`, which is a method alone. */
const lists = {
  'a number and a slice': [0, slice(1, null)],
  'null and the ellipsis': [null, ellipsis, -1],
  steps: [slice(), slice(null, null, 2)],
  neighbours: [slice(), int([2, 0]), [1, 1]],
  apart: [int([1, 0]), slice(), [3, 0]],
  broadcast: [int([[0], [1]]), int([0, 2])],
  'a mask of two dimensions': [mask],
  'a mask beside an index': [slice(), tensor([true, false, true]), [0, 3]],
  'a scalar index': [tensor(1n), int([0])],
  'a boolean': [true, 0],
  'no elements': [int([])],
} as const;
samples({
  fn: 'Tensor.index',
  cases: Object.entries(lists).map(([name, list]) => ({
    name,
    inputs: [make([2, 3, 4])],
    call: (x: Tensor) => x.index(list),
  })),
  errors: [
    {
      name: 'a number out of range',
      call: () => zeros(2, 3).index([0, 3]),
      error: IndexError,
      message: /index: expected an index in \[-3, 2\] for dim 0, got 3/,
    },
    {
      name: 'an index out of range',
      call: () => zeros(2, 3).index([slice(), [-4]]),
      error: IndexError,
      message: /index: expected indices in \[-3, 2\], got -4/,
    },
    {
      name: 'too many',
      call: () => zeros(2).index([0, 0]),
      error: IndexError,
      message: /index: expected at most 1 indices, got 2/,
    },
    {
      name: 'two ellipses',
      call: () => zeros(2).index([ellipsis, ellipsis]),
      error: IndexError,
      message: /index: expected one ellipsis at most/,
    },
    {
      name: 'a mask of other sizes',
      call: () => zeros(2, 4).index([mask]),
      error: IndexError,
      message: /index: expected a mask of the tensor's sizes \[2,4\]/,
    },
    {
      name: 'fractions',
      call: () => zeros(2).index([tensor([0.5])]),
      error: DTypeError,
      message: /index: expected indices of an integer type or masks, got float32/,
    },
    {
      name: 'indices that do not broadcast',
      call: () =>
        zeros(2, 2).index([
          [0, 1],
          [0, 1, 0],
        ]),
      error: IndexError,
      message: /index: expected index tensors that broadcast/,
    },
    {
      name: 'a negative step',
      call: () => slice(null, null, -1),
      error: ArgumentError,
      message: /slice: expected a step of at least 1/,
    },
  ],
});
samples({
  fn: 'indexSelect',
  cases: [
    { name: 'rows', inputs: [make([3, 2])], call: (x) => indexSelect(x, 0, int([2, 0, 2])) },
    { name: 'columns', inputs: [make([2, 3])], call: (x) => indexSelect(x, -1, int([1])) },
    { name: 'none', inputs: [make([2, 3])], call: (x) => indexSelect(x, 0, int([])) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => indexSelect(make([3]), 0, int([0, 3])),
      error: IndexError,
      message: /indexSelect: expected indices in \[0, 2\], got 3 \(element 1\)/,
    },
    {
      name: 'a float index',
      call: () => indexSelect(make([3]), 0, make([1])),
      error: DTypeError,
      message: /indexSelect: expected an index of an integer type/,
    },
    {
      name: 'a matrix of indices',
      call: () => indexSelect(make([3]), 0, int([[0]])),
      error: ShapeError,
      message: /indexSelect: expected an index of at most one dimension/,
    },
  ],
});
samples({
  fn: 'indexAdd',
  cases: [
    { name: 'repeated rows', inputs: [make([3, 2]), make([3, 2])], call: (x, s) => indexAdd(x, 0, int([1, 1, 2]), s) },
    {
      name: 'alpha',
      inputs: [make([2, 3]), make([2, 2])],
      call: (x, s) => indexAdd(x, 1, int([0, 2]), s, { alpha: -2 }),
    },
  ],
  errors: [
    {
      name: 'another shape',
      call: () => indexAdd(make([3]), 0, int([0]), make([2])),
      error: ShapeError,
      message: /indexAdd: expected a source of shape \[1\], got \[2\]/,
    },
    {
      name: 'no index into a scalar',
      call: () => indexAdd(make([]), 0, int([]), make([0])),
      error: ShapeError,
      message: /indexAdd: expected one index into a scalar, got none/,
    },
  ],
});
samples({
  fn: 'Tensor.indexAdd_',
  cases: [
    {
      name: 'repeated rows',
      inputs: [make([3, 2]), make([2, 2])],
      call: (x, s) => x.clone().indexAdd_(0, int([1, 1]), s),
    },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => zeros(2).indexAdd_(0, int([2]), zeros(1)),
      error: IndexError,
      message: /indexAdd_: expected indices in/,
    },
  ],
});
samples({
  fn: 'indexCopy',
  cases: [{ name: 'rows', inputs: [make([3, 2]), make([2, 2])], call: (x, s) => indexCopy(x, 0, int([2, 0]), s) }],
  errors: [
    {
      name: 'another type',
      call: () => indexCopy(make([3]), 0, int([0]), zeros(1)),
      error: DTypeError,
      message: /indexCopy: expected a source of the same type/,
    },
  ],
});
samples({
  fn: 'Tensor.indexCopy_',
  cases: [{ name: 'rows', inputs: [make([3, 2]), make([1, 2])], call: (x, s) => x.clone().indexCopy_(0, int([2]), s) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () =>
        make([3, 2])
          .detach()
          .indexCopy_(0, int([2]), make([1, 2]), { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'indexFill',
  cases: [
    { name: 'a number', inputs: [make([3, 2])], call: (x) => indexFill(x, 0, int([1]), 5) },
    {
      name: 'a tensor, repeated',
      inputs: [make([2, 3]), make([])],
      call: (x, v) => indexFill(x, 1, int([0, 0, 2]), v),
    },
  ],
  errors: [
    {
      name: 'a vector',
      call: () => indexFill(make([2]), 0, int([0]), make([1])),
      error: ArgumentError,
      message: /indexFill: expected a number or a 0-dimensional tensor/,
    },
  ],
});
samples({
  fn: 'Tensor.indexFill_',
  cases: [{ name: 'a number', inputs: [make([3])], call: (x) => x.clone().indexFill_(0, int([1]), 5) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () =>
        make([3])
          .detach()
          .indexFill_(0, int([1]), 5, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'take',
  cases: [
    {
      name: 'a matrix',
      inputs: [make([2, 3])],
      call: (x) =>
        take(
          x,
          int([
            [0, -1],
            [4, 0],
          ]),
        ),
    },
    { name: 'none', inputs: [make([2, 3])], call: (x) => take(x, int([])) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => take(make([2]), int([2])),
      error: IndexError,
      message: /take: expected indices in \[-2, 1\], got 2/,
    },
  ],
});
samples({
  fn: 'put',
  cases: [
    { name: 'replaced', inputs: [make([2, 3]), make([2])], call: (x, s) => put(x, int([4, 0]), s) },
    { name: 'added', inputs: [make([2, 3]), make([2])], call: (x, s) => put(x, int([4, 4]), s, true) },
  ],
  errors: [
    {
      name: 'too few',
      call: () => put(make([2]), int([0, 1]), make([1])),
      error: ShapeError,
      message: /put: expected a source of 2 elements/,
    },
  ],
});
samples({
  fn: 'gather',
  cases: [
    {
      name: 'columns',
      inputs: [make([2, 3])],
      call: (x) =>
        gather(
          x,
          1,
          int([
            [0, 0],
            [2, 1],
          ]),
        ),
    },
    { name: 'fewer rows', inputs: [make([3, 2])], call: (x) => gather(x, 0, int([[2, 0]])) },
    { name: 'a scalar', inputs: [make([])], call: (x) => gather(x, 0, tensor(0n)) },
    { name: 'none', inputs: [make([2, 3])], call: (x) => gather(x, 1, zeros(2, 0, { dtype: 'int64' })) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => gather(make([2]), 0, int([2])),
      error: IndexError,
      message: /gather: expected indices in/,
    },
    {
      name: 'too large',
      call: () => gather(make([1, 2]), 1, int([[0], [0]])),
      error: ShapeError,
      message: /gather: expected an index no larger than the tensor/,
    },
    {
      name: 'other dimensions',
      call: () => gather(make([2, 2]), 0, int([0])),
      error: ShapeError,
      message: /gather: expected an index of 2 dimensions/,
    },
  ],
});
samples({
  fn: 'scatter',
  cases: [
    {
      name: 'columns',
      inputs: [make([2, 3]), make([2, 2])],
      call: (x, s) =>
        scatter(
          x,
          1,
          int([
            [0, 2],
            [1, 0],
          ]),
          s,
        ),
    },
    { name: 'a smaller index', inputs: [make([3, 2]), make([2, 2])], call: (x, s) => scatter(x, 0, int([[2, 0]]), s) },
    { name: 'a number', inputs: [make([2, 3])], call: (x) => scatter(x, 1, int([[1], [2]]), 7) },
    { name: 'added', inputs: [make([3]), make([2])], call: (x, s) => scatter(x, 0, int([1, 1]), s, { reduce: 'add' }) },
  ],
  errors: [
    {
      name: 'src too small',
      call: () => scatter(make([3]), 0, int([0, 1]), make([1])),
      error: ShapeError,
      message: /scatter: expected src at least as large as the index/,
    },
    {
      name: 'an unknown reduction',
      call: () => scatter(make([3]), 0, int([0]), make([1]), { reduce: 'max' as 'add' }),
      error: ArgumentError,
      message: /reduce 'add' or 'multiply'/,
    },
  ],
});
samples({
  fn: 'scatterAdd',
  cases: [
    {
      name: 'repeated',
      inputs: [make([2, 3]), make([2, 3])],
      call: (x, s) =>
        scatterAdd(
          x,
          1,
          int([
            [0, 0, 2],
            [1, 1, 1],
          ]),
          s,
        ),
    },
    {
      name: 'along rows',
      inputs: [make([3, 2]), make([2, 2])],
      call: (x, s) =>
        scatterAdd(
          x,
          0,
          int([
            [0, 1],
            [0, 2],
          ]),
          s,
        ),
    },
  ],
  errors: [
    {
      name: 'another type',
      call: () => scatterAdd(make([3]), 0, int([0]), zeros(1)),
      error: DTypeError,
      message: /scatterAdd: expected src of the same type/,
    },
  ],
});
samples({
  fn: 'takeAlongDim',
  cases: [
    { name: 'broadcast', inputs: [make([2, 3])], call: (x) => takeAlongDim(x, int([[0, 2]]), 1) },
    { name: 'flat', inputs: [make([2, 3])], call: (x) => takeAlongDim(x, int([5, 0])) },
  ],
  errors: [
    {
      name: 'other dimensions',
      call: () => takeAlongDim(make([2, 2]), int([0]), 0),
      error: ShapeError,
      message: /takeAlongDim: expected indices of 2 dimensions/,
    },
    {
      name: 'a dimension of a scalar',
      call: () => takeAlongDim(make([]), int([0]).reshape([]), 0),
      error: IndexError,
      message: /takeAlongDim: expected no dim for a scalar, got 0/,
    },
  ],
});
samples({
  fn: 'nonzero',
  notDifferentiable: 'positions',
  cases: [
    { name: 'a matrix', inputs: [], call: () => nonzero(mask) },
    { name: 'as a tuple', inputs: [], call: () => nonzero(mask, { asTuple: true }) },
    { name: 'a scalar', inputs: [], call: () => nonzero(tensor(2)) },
  ],
  errors: [
    { name: 'no tensor', call: () => nonzero(3 as never), error: ArgumentError, message: /nonzero: expected a tensor/ },
  ],
});
samples({
  fn: 'argwhere',
  notDifferentiable: 'positions',
  cases: [{ name: 'a matrix', inputs: [], call: () => argwhere(mask) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => argwhere(mask, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'maskedSelect',
  cases: [
    { name: 'a matrix', inputs: [make([2, 3])], call: (x) => maskedSelect(x, mask) },
    { name: 'broadcast', inputs: [make([2, 1])], call: (x) => maskedSelect(x, mask) },
    { name: 'none', inputs: [make([2])], call: (x) => maskedSelect(x, tensor([false, false])) },
  ],
  errors: [
    {
      name: 'a float mask',
      call: () => maskedSelect(make([2]), make([2])),
      error: DTypeError,
      message: /maskedSelect: expected a bool mask, got float64/,
    },
    {
      name: 'other sizes',
      call: () => maskedSelect(make([2]), mask),
      error: ShapeError,
      message: /maskedSelect: expected shapes that broadcast/,
    },
  ],
});
samples({
  fn: 'maskedScatter',
  cases: [
    { name: 'more than are needed', inputs: [make([2, 3]), make([5])], call: (x, s) => maskedScatter(x, mask, s) },
  ],
  errors: [
    {
      name: 'too few',
      call: () => maskedScatter(make([2, 3]), mask, make([2])),
      error: ShapeError,
      message: /maskedScatter: expected a source of at least 3 elements/,
    },
  ],
});
samples({
  fn: 'nn.functional.embedding',
  cases: [
    {
      name: 'repeated',
      inputs: [make([4, 3])],
      call: (w) =>
        embedding(
          int([
            [0, 2],
            [2, 3],
          ]),
          w,
        ),
    },
    {
      name: 'padding that does not occur',
      inputs: [make([4, 3])],
      call: (w) => embedding(int([0, 2, 2]), w, { paddingIdx: -1 }),
    },
    { name: 'none', inputs: [make([4, 3])], call: (w) => embedding(int([]), w) },
  ],
  errors: [
    {
      name: 'out of range',
      call: () => embedding(int([4]), make([4, 2])),
      error: IndexError,
      message: /embedding: expected indices in \[0, 3\], got 4/,
    },
    {
      name: 'negative',
      call: () => embedding(int([-1]), make([4, 2])),
      error: IndexError,
      message: /embedding: expected indices in \[0, 3\], got -1/,
    },
    {
      name: 'padding out of range',
      call: () => embedding(int([0]), make([4, 2]), 4),
      error: ArgumentError,
      message: /embedding: expected paddingIdx in \[-4, 3\]/,
    },
    {
      name: 'a vector as weight',
      call: () => embedding(int([0]), make([4])),
      error: ShapeError,
      message: /embedding: expected a weight of two dimensions/,
    },
  ],
});
samples({
  fn: 'nn.functional.oneHot',
  notDifferentiable: 'integers',
  cases: [
    { name: 'by the largest', inputs: [], call: () => oneHot(int([0, 2])) },
    { name: 'four classes', inputs: [], call: () => oneHot(int([[0], [3]]), 4) },
  ],
  errors: [
    {
      name: 'too few classes',
      call: () => oneHot(int([3]), 3),
      error: IndexError,
      message: /oneHot: expected indices in \[0, 2\], got 3/,
    },
    {
      name: 'floats',
      call: () => oneHot(make([1])),
      error: ArgumentError,
      message: /oneHot: expected an int64 tensor/,
    },
    {
      name: 'nothing to count',
      call: () => oneHot(int([])),
      error: ShapeError,
      message: /oneHot: expected values to take the number of classes from/,
    },
  ],
});

samples({
  fn: 'scatterReduce',
  cases: (['sum', 'prod', 'mean', 'amax', 'amin'] as const).flatMap((mode) =>
    [true, false].map((includeSelf) => ({
      name: `${mode}, includeSelf ${includeSelf}`,
      inputs: [make([2, 3]), make([2, 3])],
      call: (x: Tensor, s: Tensor) =>
        scatterReduce(
          x,
          1,
          int([
            [0, 0, 2],
            [1, 2, 1],
          ]),
          s,
          mode,
          { includeSelf },
        ),
    })),
  ),
  expandable: false,
  errors: [
    {
      name: 'an unknown reduction',
      call: () => scatterReduce(make([2]), 0, int([0]), make([1]), 'max' as 'amax'),
      error: ArgumentError,
      message: /scatterReduce: expected reduce 'sum', 'prod'/,
    },
    {
      name: 'out of range',
      call: () => scatterReduce(make([2]), 0, int([2]), make([1]), 'sum'),
      error: IndexError,
      message: /scatterReduce: expected indices in \[0, 1\]/,
    },
  ],
});
samples({
  fn: 'nn.functional.embeddingBag',
  cases: (['sum', 'mean', 'max'] as const).map((mode) => ({
    name: mode,
    inputs: [make([5, 3])],
    call: (w: Tensor) => embeddingBag(int([0, 2, 4, 1]), w, int([0, 3, 3]), { mode }),
  })),
  expandable: false,
  errors: [
    {
      name: 'no offsets',
      call: () => embeddingBag(int([0]), make([2, 2])),
      error: ArgumentError,
      message: /embeddingBag: expected offsets for an input of one dimension/,
    },
    {
      name: 'falling offsets',
      call: () => embeddingBag(int([0, 1]), make([2, 2]), int([0, 2, 1])),
      error: ArgumentError,
      message: /embeddingBag: expected offsets that rise from 0/,
    },
  ],
});
