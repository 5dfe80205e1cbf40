/** Samples of sliding blocks, power-average pooling and local response normalisation. */
import { ArgumentError, nn, ShapeError } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;

samples({
  fn: 'nn.functional.unfold',
  cases: [
    { name: 'padding, stride', inputs: [make([2, 2, 4, 5])], call: (x) => F.unfold(x, [2, 3], 1, 1, [2, 1]) },
    { name: 'unbatched, dilation', inputs: [make([2, 5, 4])], call: (x) => F.unfold(x, 2, { dilation: 2 }) },
    { name: 'no images', inputs: [make([0, 2, 4, 4])], call: (x) => F.unfold(x, 2) },
  ],
  errors: [
    {
      name: 'dimensions',
      call: () => F.unfold(make([4, 4]), 2),
      error: ShapeError,
      message: /unfold: expected an input of 3 or 4 dimensions/,
    },
    {
      name: 'window',
      call: () => F.unfold(make([1, 2, 2]), 3),
      error: ShapeError,
      message: /unfold: expected a window not larger/,
    },
    {
      name: 'kernel',
      call: () => F.unfold(make([1, 2, 2]), 0),
      error: ArgumentError,
      message: /unfold: expected kernelSize/,
    },
  ],
});
samples({
  fn: 'nn.functional.fold',
  cases: [
    { name: 'padding, stride', inputs: [make([2, 12, 15])], call: (x) => F.fold(x, [4, 5], [2, 3], 1, 1, [2, 1]) },
    { name: 'unbatched', inputs: [make([4, 6])], call: (x) => F.fold(x, [3, 4], 2) },
  ],
  errors: [
    {
      name: 'rows',
      call: () => F.fold(make([1, 5, 6]), [3, 4], 2),
      error: ShapeError,
      message: /fold: expected a number of rows divisible by the 4/,
    },
    {
      name: 'windows',
      call: () => F.fold(make([1, 4, 5]), [3, 4], 2),
      error: ShapeError,
      message: /fold: expected an input of 6 windows, got 5/,
    },
    {
      name: 'dimensions',
      call: () => F.fold(make([4]), [3, 4], 2),
      error: ShapeError,
      message: /fold: expected an input of 2 or 3 dimensions/,
    },
  ],
});
samples({
  fn: 'nn.functional.lpPool1d',
  cases: [{ name: 'order 3', inputs: [make([1, 2, 6], 0.5, 2)], call: (x) => F.lpPool1d(x, 3, 2) }],
  errors: [
    {
      name: 'order 0',
      call: () => F.lpPool1d(make([1, 2, 6]), 0, 2),
      error: ArgumentError,
      message: /lpPool1d: expected a number other than 0/,
    },
  ],
});
samples({
  fn: 'nn.functional.lpPool2d',
  cases: [
    { name: 'order 2', inputs: [make([1, 2, 4, 5])], call: (x) => F.lpPool2d(x, 2, [2, 3], 1) },
    { name: 'infinity', inputs: [make([1, 1, 4, 4], 0.5, 2)], call: (x) => F.lpPool2d(x, Number.POSITIVE_INFINITY, 2) },
  ],
  errors: [
    {
      name: 'order 0',
      call: () => F.lpPool2d(make([1, 2, 4, 4]), 0, 2),
      error: ArgumentError,
      message: /lpPool2d: expected a number other than 0/,
    },
  ],
  expandable: false,
});
samples({
  fn: 'nn.functional.lpPool3d',
  cases: [{ name: 'order 2', inputs: [make([1, 1, 2, 4, 3])], call: (x) => F.lpPool3d(x, 2, 2) }],
  errors: [
    {
      name: 'order 0',
      call: () => F.lpPool3d(make([1, 2, 4, 4, 4]), 0, 2),
      error: ArgumentError,
      message: /lpPool3d: expected a number other than 0/,
    },
  ],
});
samples({
  fn: 'nn.functional.localResponseNorm',
  cases: [
    { name: 'two dimensions', inputs: [make([2, 4, 2, 2])], call: (x) => F.localResponseNorm(x, 3, 0.5, 0.75, 1.5) },
    { name: 'one dimension, even size', inputs: [make([1, 3, 4])], call: (x) => F.localResponseNorm(x, 2, 0.5) },
    { name: 'no images', inputs: [make([0, 3, 4])], call: (x) => F.localResponseNorm(x, 2) },
  ],
  errors: [
    {
      name: 'dimensions',
      call: () => F.localResponseNorm(make([3, 4]), 2),
      error: ShapeError,
      message: /localResponseNorm: expected an input of at least 3 dimensions/,
    },
    {
      name: 'size',
      call: () => F.localResponseNorm(make([1, 3, 4]), 0),
      error: ArgumentError,
      message: /localResponseNorm: expected size/,
    },
  ],
});
