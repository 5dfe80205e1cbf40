/** Samples of Einstein summation and the other products over several dimensions. */
import {
  ArgumentError,
  addbmm,
  chainMatmul,
  einsum,
  kron,
  linalg,
  ShapeError,
  type Tensor,
  tensordot,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const equations: readonly (readonly [equation: string, shapes: number[][]])[] = [
  ['i->', [[3]]],
  ['ij->ji', [[2, 3]]],
  ['iij->j', [[2, 2, 3]]],
  ['ii->i', [[3, 3]]],
  ['i,j->ij', [[2], [3]]],
  [
    'ij,jk',
    [
      [2, 3],
      [3, 2],
    ],
  ],
  [
    'bij,bkj->bik',
    [
      [2, 2, 3],
      [2, 4, 3],
    ],
  ],
  [
    '...ij,...jk->...ik',
    [
      [2, 1, 2, 3],
      [3, 3, 2],
    ],
  ],
  [
    'b...,b...->...',
    [
      [2, 3],
      [2, 3],
    ],
  ],
  ['ij,j,i->', [[2, 3], [3], [2]]],
  [
    'ij,jk->k',
    [
      [2, 3],
      [3, 2],
    ],
  ],
  [
    'ij,ij->ij',
    [
      [1, 3],
      [2, 3],
    ],
  ],
  [
    'ij,jk->ik',
    [
      [0, 3],
      [3, 2],
    ],
  ],
  [
    'ij,jk->ik',
    [
      [2, 0],
      [0, 2],
    ],
  ],
];
samples({
  fn: 'einsum',
  cases: [
    ...equations.map(([equation, shapes]) => ({
      name: `${equation} ${JSON.stringify(shapes)}`,
      inputs: shapes.map((shape) => make(shape)),
      call: (...x: Tensor[]) => einsum(equation, ...x),
    })),
    { name: 'sublists', inputs: [make([2, 3]), make([3, 2])], call: (a, b) => einsum(a, [0, 1], b, [1, 2], [2, 0]) },
  ],
  errors: [
    {
      name: 'sizes differ',
      call: () => einsum('ij,jk->ik', make([2, 3]), make([2, 3])),
      error: ShapeError,
      message: /einsum: expected one size for j, got 3 and 2/,
    },
    {
      name: 'too few dimensions',
      call: () => einsum('ijk->', make([2, 3])),
      error: ShapeError,
      message: /einsum: expected 3 dimensions, got 2/,
    },
    {
      name: 'an unknown output label',
      call: () => einsum('ij->ik', make([2, 3])),
      error: ArgumentError,
      message: /einsum: expected output labels that an operand has, got k/,
    },
    {
      name: 'a repeated output label',
      call: () => einsum('ij->ii', make([2, 3])),
      error: ArgumentError,
      message: /einsum: expected each output label once/,
    },
    {
      name: 'a strange sign',
      call: () => einsum('i+j->', make([2, 3])),
      error: ArgumentError,
      message: /einsum: expected letters/,
    },
    {
      name: 'too many operands',
      call: () => einsum('ij->', make([2, 3]), make([2])),
      error: ArgumentError,
      message: /einsum: expected 1 operands/,
    },
    {
      name: 'a diagonal of a rectangle',
      call: () => einsum('ii->i', make([2, 3])),
      error: ShapeError,
      message: /einsum: expected one size for i, got 2 and 3/,
    },
  ],
});
samples({
  fn: 'tensordot',
  cases: [
    { name: 'two dimensions', inputs: [make([2, 3, 2]), make([3, 2, 2])], call: (a, b) => tensordot(a, b) },
    {
      name: 'pairs of lists',
      inputs: [make([2, 3, 2]), make([2, 4, 3])],
      call: (a, b) =>
        tensordot(a, b, {
          dims: [
            [0, 1],
            [0, 2],
          ],
        }),
    },
    { name: 'none: an outer product', inputs: [make([2]), make([3])], call: (a, b) => tensordot(a, b, 0) },
    { name: 'a size of 1 repeats', inputs: [make([2, 1]), make([3, 2])], call: (a, b) => tensordot(a, b, 1) },
    { name: 'empty', inputs: [make([0, 3]), make([3, 2])], call: (a, b) => tensordot(a, b, 1) },
  ],
  errors: [
    {
      name: 'sizes differ',
      call: () => tensordot(make([2, 3]), make([2, 3]), 1),
      error: ShapeError,
      message: /tensordot: expected summed dimensions of one size, got 3 and 2/,
    },
    {
      name: 'too many dims',
      call: () => tensordot(make([2, 3]), make([2]), 2),
      error: ArgumentError,
      message: /tensordot: expected dims from 0 to 1/,
    },
    ...[3n, null, [1n], [1, 1, 1], [null, 1], [1, undefined]].map((dims) => ({
      name: `dims ${String(dims)}`,
      call: () => tensordot(make([2, 3]), make([3, 2]), dims as unknown as number),
      error: ArgumentError,
      message: /tensordot: expected (dims as a number or two lists|a list of dims of each tensor), got /,
    })),
  ],
});
samples({
  fn: 'kron',
  cases: [
    { name: 'matrices', inputs: [make([2, 3]), make([2, 2])], call: (a, b) => kron(a, b) },
    { name: 'a vector and a matrix', inputs: [make([3]), make([2, 2])], call: (a, b) => kron(a, b) },
    { name: 'empty', inputs: [make([0, 2]), make([2])], call: (a, b) => kron(a, b) },
  ],
  errors: [
    {
      name: 'not a tensor',
      call: () => kron(make([2]), 3 as unknown as Tensor),
      error: ArgumentError,
      message: /kron: expected a tensor for other/,
    },
  ],
});
samples({
  fn: 'addbmm',
  cases: [
    {
      name: 'ordinary',
      inputs: [make([2, 4]), make([3, 2, 3]), make([3, 3, 4])],
      call: (c, a, b) => addbmm(c, a, b, { beta: 0.5, alpha: 2 }),
    },
    { name: 'a row', inputs: [make([4]), make([3, 2, 3]), make([3, 3, 4])], call: (c, a, b) => addbmm(c, a, b) },
    {
      name: 'an empty batch',
      inputs: [make([2, 4]), make([0, 2, 3]), make([0, 3, 4])],
      call: (c, a, b) => addbmm(c, a, b),
    },
  ],
  errors: [
    {
      name: 'batches differ',
      call: () => addbmm(make([4]), make([2, 2, 3]), make([3, 3, 4])),
      error: ShapeError,
      message: /addbmm: expected batches/,
    },
  ],
});
samples({
  fn: 'chainMatmul',
  cases: [{ name: 'three', inputs: [make([2, 3]), make([3, 4]), make([4, 2])], call: (...x) => chainMatmul(...x) }],
  errors: [
    {
      name: 'a vector',
      call: () => chainMatmul(make([2, 3]), make([3])),
      error: ShapeError,
      message: /chainMatmul: expected matrices of 2 dimensions/,
    },
  ],
});
samples({
  fn: 'linalg.matmul',
  cases: [{ name: 'batches', inputs: [make([2, 2, 3]), make([3, 2])], call: (a, b) => linalg.matmul(a, b) }],
  errors: [
    {
      name: 'sizes differ',
      call: () => linalg.matmul(make([2, 3]), make([2])),
      error: ShapeError,
      message: /matmul: expected 3 elements/,
    },
  ],
});
samples({
  fn: 'linalg.vecdot',
  cases: [
    { name: 'rows', inputs: [make([2, 3]), make([3])], call: (x, y) => linalg.vecdot(x, y) },
    { name: 'columns', inputs: [make([2, 3]), make([2, 3])], call: (x, y) => linalg.vecdot(x, y, { dim: 0 }) },
    { name: 'empty', inputs: [make([0, 3]), make([3])], call: (x, y) => linalg.vecdot(x, y) },
  ],
  errors: [
    {
      name: 'sizes differ',
      call: () => linalg.vecdot(make([2]), make([3])),
      error: ShapeError,
      message: /vecdot: expected shapes that broadcast/,
    },
  ],
});
samples({
  fn: 'linalg.multiDot',
  cases: [
    { name: 'matrices', inputs: [make([2, 3]), make([3, 4]), make([4, 2])], call: (...x) => linalg.multiDot(x) },
    { name: 'vectors at the ends', inputs: [make([3]), make([3, 2]), make([2])], call: (...x) => linalg.multiDot(x) },
  ],
  errors: [
    {
      name: 'a vector in the middle',
      call: () => linalg.multiDot([make([2, 3]), make([3]), make([3])]),
      error: ShapeError,
      message: /vectors only at the ends/,
    },
  ],
});
