/** Samples of matrix products and linear layers' functions. */
import {
  ArgumentError,
  addmm,
  addmv,
  addr,
  baddbmm,
  bmm,
  DTypeError,
  dot,
  ger,
  inner,
  matmul,
  mm,
  mv,
  nn,
  outer,
  ShapeError,
  type Tensor,
  tensor,
  vdot,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const notATensor = 3 as unknown as Tensor;
const bools = tensor([[true, false]]);
const integers = tensor([[1n, 2n]]);

const product: readonly (readonly [a: number[], b: number[]])[] = [
  [[3], [3]],
  [[2, 3], [3]],
  [[3], [3, 2]],
  [
    [2, 3],
    [3, 4],
  ],
  [
    [2, 1, 2, 3],
    [3, 3, 2],
  ],
  [[2, 2, 3], [3]],
  [[3], [2, 3, 2]],
  [
    [2, 2, 3],
    [3, 2],
  ],
  [
    [1, 3],
    [2, 3, 1],
  ],
  [
    [0, 3],
    [3, 2],
  ],
  [
    [2, 0],
    [0, 3],
  ],
  [
    [2, 2, 0],
    [2, 0, 3],
  ],
];
samples({
  fn: 'matmul',
  cases: product.map(([a, b]) => ({
    name: `[${a}] by [${b}]`,
    inputs: [make(a), make(b)],
    call: (x, y) => matmul(x, y),
  })),
  errors: [
    {
      name: 'inner sizes differ',
      call: () => matmul(make([2, 3]), make([2, 3])),
      error: ShapeError,
      message: /matmul: expected 2 elements in the summed dimension, got 3/,
    },
    {
      name: 'batches differ',
      call: () => matmul(make([2, 2, 3]), make([3, 3, 2])),
      error: ShapeError,
      message: /matmul: expected shapes that broadcast/,
    },
    {
      name: 'no dimensions',
      call: () => matmul(make([]), make([2])),
      error: ShapeError,
      message: /matmul: expected operands of at least 1 dimension/,
    },
    {
      name: 'types differ',
      call: () => matmul(make([2, 2]), make([2, 2]).float()),
      error: DTypeError,
      message: /matmul: expected operands of one dtype/,
    },
    { name: 'bool', call: () => matmul(bools, bools.reshape(2, 1)), error: DTypeError, message: /matmul/ },
  ],
});
samples({
  fn: 'mm',
  cases: [
    { name: 'square', inputs: [make([3, 3]), make([3, 3])], call: (a, b) => mm(a, b) },
    { name: 'no rows', inputs: [make([0, 3]), make([3, 2])], call: (a, b) => mm(a, b) },
    { name: 'nothing to sum', inputs: [make([2, 0]), make([0, 2])], call: (a, b) => mm(a, b) },
  ],
  errors: [
    {
      name: 'a vector',
      call: () => mm(make([3]), make([3, 2])),
      error: ShapeError,
      message: /mm: expected input of 2 dimensions, got 1/,
    },
    {
      name: 'not a tensor',
      call: () => mm(make([3, 2]), notATensor),
      error: ArgumentError,
      message: /mm: expected a tensor for mat2/,
    },
  ],
});
samples({
  fn: 'bmm',
  cases: [
    { name: 'two matrices', inputs: [make([2, 2, 3]), make([2, 3, 2])], call: (a, b) => bmm(a, b) },
    { name: 'no matrices', inputs: [make([0, 2, 3]), make([0, 3, 2])], call: (a, b) => bmm(a, b) },
  ],
  errors: [
    {
      name: 'batches that would broadcast',
      call: () => bmm(make([2, 2, 3]), make([1, 3, 2])),
      error: ShapeError,
      message: /bmm: expected batches of one size/,
    },
  ],
});
samples({
  fn: 'mv',
  cases: [
    { name: 'ordinary', inputs: [make([2, 3]), make([3])], call: (a, b) => mv(a, b) },
    { name: 'empty', inputs: [make([2, 0]), make([0])], call: (a, b) => mv(a, b) },
  ],
  errors: [
    {
      name: 'lengths differ',
      call: () => mv(make([2, 3]), make([2])),
      error: ShapeError,
      message: /mv: expected 3 elements/,
    },
  ],
});
for (const [fn, call] of Object.entries({ dot, vdot })) {
  samples({
    fn,
    cases: [
      { name: 'ordinary', inputs: [make([5]), make([5])], call: (a, b) => call(a, b) },
      { name: 'empty', inputs: [make([0]), make([0])], call: (a, b) => call(a, b) },
    ],
    errors: [
      {
        name: 'lengths differ',
        call: () => call(make([3]), make([2])),
        error: ShapeError,
        message: new RegExp(`${fn}: expected vectors of one length`),
      },
    ],
  });
}
samples({
  fn: 'inner',
  cases: [
    { name: 'matrices', inputs: [make([2, 3]), make([4, 3])], call: (a, b) => inner(a, b) },
    { name: 'more dimensions', inputs: [make([2, 2, 3]), make([2, 1, 3])], call: (a, b) => inner(a, b) },
    { name: 'a number', inputs: [make([2]), make([])], call: (a, b) => inner(a, b) },
    { name: 'empty', inputs: [make([0, 3]), make([2, 3])], call: (a, b) => inner(a, b) },
  ],
  errors: [
    {
      name: 'last dimensions differ',
      call: () => inner(make([2, 3]), make([2, 4])),
      error: ShapeError,
      message: /inner: expected last dimensions of one size/,
    },
  ],
});
for (const [fn, call] of Object.entries({ outer, ger })) {
  samples({
    fn,
    cases: [
      { name: 'ordinary', inputs: [make([2]), make([3])], call: (a, b) => call(a, b) },
      { name: 'empty', inputs: [make([0]), make([3])], call: (a, b) => call(a, b) },
    ],
    errors: [
      {
        name: 'a matrix',
        call: () => call(make([2, 2]), make([2])),
        error: ShapeError,
        message: new RegExp(`${fn}: expected input of 1 dimension, got 2`),
      },
    ],
  });
}
samples({
  fn: 'addmm',
  cases: [
    { name: 'ordinary', inputs: [make([2, 4]), make([2, 3]), make([3, 4])], call: (c, a, b) => addmm(c, a, b) },
    {
      name: 'a row, with factors',
      inputs: [make([4]), make([2, 3]), make([3, 4])],
      call: (c, a, b) => addmm(c, a, b, { beta: 0.5, alpha: -2 }),
    },
    { name: 'a number', inputs: [make([]), make([2, 3]), make([3, 4])], call: (c, a, b) => addmm(c, a, b) },
    {
      name: 'nothing to sum',
      inputs: [make([2, 4]), make([2, 0]), make([0, 4])],
      call: (c, a, b) => addmm(c, a, b, { beta: 3 }),
    },
  ],
  errors: [
    {
      name: 'input too large',
      call: () => addmm(make([3, 4]), make([2, 3]), make([3, 4])),
      error: ShapeError,
      message: /addmm: expected an input that broadcasts to \[2,4\], got \[3,4\]/,
    },
    {
      name: 'a fraction of integers',
      call: () => addmm(integers, integers, integers.reshape(2, 1), { alpha: 0.5 }),
      error: ArgumentError,
      message: /addmm: expected an integral alpha/,
    },
    {
      name: 'a misspelt option',
      call: () => addmm(make([2, 4]), make([2, 3]), make([3, 4]), { aplha: 1 } as never),
      error: ArgumentError,
      message: /addmm: unknown option "aplha", did you mean "alpha"/,
    },
  ],
});
samples({
  fn: 'addmv',
  cases: [
    {
      name: 'ordinary',
      inputs: [make([2]), make([2, 3]), make([3])],
      call: (c, a, b) => addmv(c, a, b, { beta: 2, alpha: 3 }),
    },
    { name: 'empty', inputs: [make([0]), make([0, 3]), make([3])], call: (c, a, b) => addmv(c, a, b) },
  ],
  errors: [
    {
      name: 'a matrix for a vector',
      call: () => addmv(make([2]), make([2, 3]), make([3, 1])),
      error: ShapeError,
      message: /addmv: expected vec of 1 dimension, got 2/,
    },
  ],
});
samples({
  fn: 'addr',
  cases: [
    {
      name: 'ordinary',
      inputs: [make([2, 3]), make([2]), make([3])],
      call: (c, a, b) => addr(c, a, b, { beta: 2, alpha: 3 }),
    },
    {
      name: 'without the input',
      inputs: [make([2]), make([3])],
      call: (a, b) => addr(tensor([[Number.NaN]], { dtype: 'float64' }), a, b, { beta: 0 }),
    },
    { name: 'empty', inputs: [make([0, 3]), make([0]), make([3])], call: (c, a, b) => addr(c, a, b) },
  ],
  errors: [
    {
      name: 'a matrix for a vector',
      call: () => addr(make([2, 3]), make([2, 1]), make([3])),
      error: ShapeError,
      message: /addr: expected vec1 of 1 dimension/,
    },
  ],
});
samples({
  fn: 'baddbmm',
  cases: [
    {
      name: 'ordinary',
      inputs: [make([2, 2, 4]), make([2, 2, 3]), make([2, 3, 4])],
      call: (c, a, b) => baddbmm(c, a, b, { beta: 2, alpha: 3 }),
    },
    { name: 'a row', inputs: [make([4]), make([2, 2, 3]), make([2, 3, 4])], call: (c, a, b) => baddbmm(c, a, b) },
    { name: 'empty', inputs: [make([0, 2, 4]), make([0, 2, 3]), make([0, 3, 4])], call: (c, a, b) => baddbmm(c, a, b) },
  ],
  errors: [
    {
      name: 'batches differ',
      call: () => baddbmm(make([4]), make([2, 2, 3]), make([3, 3, 4])),
      error: ShapeError,
      message: /baddbmm: expected batches of one size/,
    },
  ],
});
samples({
  fn: 'nn.functional.linear',
  cases: [
    {
      name: 'with bias',
      inputs: [make([4, 3]), make([2, 3]), make([2])],
      call: (x, w, b) => nn.functional.linear(x, w, b),
    },
    { name: 'more dimensions', inputs: [make([2, 2, 3]), make([2, 3])], call: (x, w) => nn.functional.linear(x, w) },
    { name: 'one row', inputs: [make([3]), make([2, 3]), make([2])], call: (x, w, b) => nn.functional.linear(x, w, b) },
    { name: 'one output', inputs: [make([4, 3]), make([3])], call: (x, w) => nn.functional.linear(x, w) },
    {
      name: 'no rows',
      inputs: [make([0, 3]), make([2, 3]), make([2])],
      call: (x, w, b) => nn.functional.linear(x, w, b),
    },
    {
      name: 'no features',
      inputs: [make([2, 0]), make([2, 0]), make([2])],
      call: (x, w, b) => nn.functional.linear(x, w, b),
    },
  ],
  errors: [
    {
      name: 'features differ',
      call: () => nn.functional.linear(make([4, 3]), make([2, 4])),
      error: ShapeError,
      message: /linear: expected 4 elements in the summed dimension, got 3/,
    },
    {
      name: 'no dimensions',
      call: () => nn.functional.linear(make([]), make([2, 4])),
      error: ShapeError,
      message: /linear: expected input/,
    },
  ],
});
samples({
  fn: 'nn.functional.bilinear',
  cases: [
    {
      name: 'with bias',
      inputs: [make([4, 2]), make([4, 3]), make([2, 2, 3]), make([2])],
      call: (x, y, w, b) => nn.functional.bilinear(x, y, w, b),
    },
    {
      name: 'one row',
      inputs: [make([2]), make([3]), make([2, 2, 3])],
      call: (x, y, w) => nn.functional.bilinear(x, y, w),
    },
    {
      name: 'no rows',
      inputs: [make([0, 2]), make([0, 3]), make([2, 2, 3])],
      call: (x, y, w) => nn.functional.bilinear(x, y, w),
    },
  ],
  errors: [
    {
      name: 'rows differ',
      call: () => nn.functional.bilinear(make([4, 2]), make([3, 3]), make([2, 2, 3])),
      error: ShapeError,
      message: /bilinear: expected inputs of the same leading sizes/,
    },
    {
      name: 'features differ',
      call: () => nn.functional.bilinear(make([4, 2]), make([4, 3]), make([2, 3, 2])),
      error: ShapeError,
      message: /bilinear: expected a weight of/,
    },
  ],
});
