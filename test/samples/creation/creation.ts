/** Samples of creation by shape, and of values written in place. */
import {
  ArgumentError,
  AutogradError,
  arange,
  DeviceError,
  emptyLike,
  emptyPermuted,
  emptyStrided,
  eye,
  fill,
  full,
  fullLike,
  linspace,
  logspace,
  OutOfMemoryError,
  ones,
  onesLike,
  ShapeError,
  scalarTensor,
  tensor,
  zero_,
  zeros,
  zerosLike,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const constant = 'the values depend on no tensor';
const uninitialised = 'uninitialised memory';
const like = tensor([[1, 2, 3]], { dtype: 'float64' });

samples({
  fn: 'full',
  notDifferentiable: constant,
  cases: [
    { name: 'float32', inputs: [], call: () => full([2, 2], 1.5) },
    { name: 'no elements', inputs: [], call: () => full([2, 0], 1) },
  ],
  errors: [
    {
      name: 'a negative size',
      call: () => full([2, -1], 0),
      error: ShapeError,
      message: /full: expected sizes of at least 0, got \[2, -1\]/,
    },
    { name: 'a fraction', call: () => full([1.5], 0), error: ArgumentError, message: /full: expected integral sizes/ },
    {
      name: 'no number',
      call: () => full([1], 'x' as unknown as number),
      error: ArgumentError,
      message: /full: expected a number for fillValue, got "x"/,
    },
    {
      name: 'more than the type holds',
      call: () => full([1], 300, { dtype: 'uint8' }),
      error: ArgumentError,
      message: /full: expected a value that uint8 can hold, got 300/,
    },
    {
      name: 'infinity as an integer',
      call: () => tensor([Number.POSITIVE_INFINITY], { dtype: 'int64' }),
      error: ArgumentError,
      message: /tensor: expected a value that int64 can hold, got Infinity/,
    },
    {
      name: 'filled with too much',
      call: () => zeros(2, { dtype: 'int8' }).fill_(128),
      error: ArgumentError,
      message: /fill_: expected a value that int8 can hold, got 128/,
    },
    {
      name: 'more than memory',
      call: () => zeros(1e12),
      error: OutOfMemoryError,
      message: /allocate: expected at most the .* got a request for 4000000000000/,
    },
    {
      name: 'more than can be counted',
      call: () => zeros(1e12, 1e12),
      error: ShapeError,
      message: /zeros: expected a size that can be counted/,
    },
    {
      name: 'a misspelt option',
      call: () => ones(2, { dtpye: 'int64' } as object),
      error: ArgumentError,
      message: /did you mean "dtype"/,
    },
    {
      name: 'another device',
      call: () => zeros([2], { device: 'cuda' }),
      error: DeviceError,
      message: /zeros: expected device 'cpu'/,
    },
    {
      name: 'gradients of integers',
      call: () => zeros(2, { dtype: 'int64', requiresGrad: true }),
      error: AutogradError,
      message: /floating/,
    },
  ],
});
for (const [fn, call] of Object.entries({ zerosLike, onesLike })) {
  samples({
    fn,
    notDifferentiable: constant,
    cases: [{ name: 'a matrix', inputs: [], call: () => call(like) }],
    errors: [
      {
        name: 'no tensor',
        call: () => call(3 as never),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
    ],
  });
}
samples({
  fn: 'emptyLike',
  notDifferentiable: uninitialised,
  random: true,
  cases: [{ name: 'a matrix', inputs: [], call: () => emptyLike(like) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => emptyLike(like, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'emptyStrided',
  notDifferentiable: uninitialised,
  random: true,
  cases: [{ name: 'transposed', inputs: [], call: () => emptyStrided([2, 3], [1, 2]) }],
  errors: [
    {
      name: 'too few strides',
      call: () => emptyStrided([2, 3], [1]),
      error: ShapeError,
      message: /emptyStrided: expected a stride of at least 0 for each size/,
    },
  ],
});
samples({
  fn: 'emptyPermuted',
  notDifferentiable: uninitialised,
  random: true,
  cases: [{ name: 'transposed', inputs: [], call: () => emptyPermuted([2, 3], [1, 0]) }],
  errors: [
    {
      name: 'one twice',
      call: () => emptyPermuted([2, 3], [0, 0]),
      error: ShapeError,
      message: /emptyPermuted: expected each dimension of the 2 once/,
    },
  ],
});
samples({
  fn: 'fullLike',
  notDifferentiable: constant,
  cases: [{ name: 'a matrix', inputs: [], call: () => fullLike(like, 2) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => fullLike(like, 2, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'Tensor.newFull',
  notDifferentiable: constant,
  cases: [{ name: 'a vector', inputs: [], call: () => like.newFull([3], 2) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => like.newFull([3], 2, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'Tensor.newEmptyStrided',
  notDifferentiable: uninitialised,
  random: true,
  cases: [{ name: 'transposed', inputs: [], call: () => like.newEmptyStrided([2, 3], [1, 2]) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => like.newEmptyStrided([2, 3], [1, 2], { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'scalarTensor',
  notDifferentiable: constant,
  cases: [{ name: 'a number', inputs: [], call: () => scalarTensor(2) }],
  errors: [
    {
      name: 'a misspelt option',
      call: () => scalarTensor(2, { nothing: 1 } as never),
      error: ArgumentError,
      message: /unknown option "nothing"/,
    },
  ],
});
samples({
  fn: 'eye',
  notDifferentiable: constant,
  cases: [
    { name: 'square', inputs: [], call: () => eye(3) },
    { name: 'wide', inputs: [], call: () => eye(2, 3) },
    { name: 'no elements', inputs: [], call: () => eye(0) },
  ],
  errors: [{ name: 'negative', call: () => eye(-1), error: ShapeError, message: /eye: expected sizes of at least 0/ }],
});
samples({
  fn: 'arange',
  notDifferentiable: constant,
  cases: [
    { name: 'down', inputs: [], call: () => arange(5, 0, -2) },
    { name: 'none', inputs: [], call: () => arange(0) },
  ],
  errors: [
    {
      name: 'a step of 0',
      call: () => arange(0, 1, 0),
      error: ArgumentError,
      message: /arange: expected a step other than 0/,
    },
    {
      name: 'the wrong way',
      call: () => arange(0, 1, -1),
      error: ArgumentError,
      message: /arange: expected bounds that the step leads/,
    },
    {
      name: 'no end',
      call: () => arange(0, Number.POSITIVE_INFINITY),
      error: ArgumentError,
      message: /arange: expected finite bounds/,
    },
  ],
});
for (const [fn, call] of Object.entries({ linspace, logspace })) {
  samples({
    fn,
    notDifferentiable: constant,
    cases: [
      { name: 'five', inputs: [], call: () => call(-1, 1, 5) },
      { name: 'none', inputs: [], call: () => call(-1, 1, 0) },
    ],
    errors: [
      {
        name: 'a negative number of steps',
        call: () => call(0, 1, -1),
        error: ArgumentError,
        message: /expected a number of steps of at least 0/,
      },
    ],
  });
}
samples({
  fn: 'fill',
  cases: [
    { name: 'a number', inputs: [make([2])], call: (x) => fill(x, 3) },
    { name: 'a tensor', inputs: [make([2, 2]), make([])], call: (x, v) => fill(x, v) },
    {
      name: 'in place, through a view',
      inputs: [make([2, 2]), make([])],
      call: (x, v) => {
        const y = x.clone();
        y.select(0, 1).fill_(v);
        return y;
      },
    },
  ],
  errors: [
    {
      name: 'a vector',
      call: () => fill(make([2]), make([2])),
      error: ShapeError,
      message: /fill: expected a number or a 0-dimensional tensor/,
    },
    {
      name: 'a leaf in place',
      call: () => make([2]).fill_(1),
      error: AutogradError,
      message: /fill_: expected a tensor that may change in place/,
    },
  ],
});
samples({
  fn: 'zero_',
  cases: [
    {
      name: 'half of it',
      inputs: [make([4])],
      call: (x) => {
        const y = x.clone();
        zero_(y.narrow(0, 0, 2));
        return y;
      },
    },
  ],
  errors: [
    {
      name: 'an expanded tensor',
      call: () => zeros(1).expand(3).zero_(),
      error: AutogradError,
      message: /zero_: expected a tensor whose elements lie apart/,
    },
  ],
});
samples({
  fn: 'Tensor.copy_',
  cases: [
    { name: 'broadcast', inputs: [make([2, 3]), make([3])], call: (x, s) => x.clone().copy_(s) },
    {
      name: 'into a column',
      inputs: [make([2, 3]), make([2])],
      call: (x, s) => {
        const y = x.clone();
        y.select(1, 1).copy_(s);
        return y;
      },
    },
    {
      name: 'from itself',
      inputs: [make([4])],
      call: (x) => {
        const y = x.clone();
        y.narrow(0, 1, 3).copy_(y.narrow(0, 0, 3));
        return y;
      },
    },
  ],
  errors: [
    {
      name: 'another shape',
      call: () => zeros(2).copy_(zeros(3)),
      error: ShapeError,
      message: /copy_: expected src that broadcasts to \[2\], got \[3\]/,
    },
  ],
});
