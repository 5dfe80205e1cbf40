/** Samples of interpolation, shuffles, and the sliding blocks. */
import { ArgumentError, nn, ShapeError, type Tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;

samples({
  fn: 'nn.functional.interpolate',
  cases: [
    { name: 'nearest by size', inputs: [make([1, 2, 3, 4])], call: (x) => F.interpolate(x, [5, 3]) },
    { name: 'nearest by scale', inputs: [make([2, 2, 5])], call: (x) => F.interpolate(x, { scaleFactor: 1.7 }) },
    {
      name: 'nearest-exact',
      inputs: [make([1, 1, 2, 3, 4])],
      call: (x) => F.interpolate(x, [3, 2, 7], { mode: 'nearest-exact' }),
    },
    { name: 'linear', inputs: [make([1, 2, 5])], call: (x) => F.interpolate(x, 8, { mode: 'linear' }) },
    {
      name: 'bilinear',
      inputs: [make([2, 1, 3, 4])],
      call: (x) => F.interpolate(x, { scaleFactor: 2, mode: 'bilinear' }),
    },
    {
      name: 'bilinear, corners aligned',
      inputs: [make([1, 1, 3, 4])],
      call: (x) => F.interpolate(x, [5, 1], { mode: 'bilinear', alignCorners: true }),
    },
    { name: 'bicubic', inputs: [make([1, 1, 3, 4])], call: (x) => F.interpolate(x, [5, 6], { mode: 'bicubic' }) },
    {
      name: 'trilinear',
      inputs: [make([1, 1, 2, 3, 2])],
      call: (x) => F.interpolate(x, { scaleFactor: [2, 1.5, 0.5], mode: 'trilinear', recomputeScaleFactor: true }),
    },
    { name: 'area', inputs: [make([1, 1, 5, 4])], call: (x) => F.interpolate(x, [3, 2], { mode: 'area' }) },
    { name: 'no images', inputs: [make([0, 2, 3, 4])], call: (x) => F.interpolate(x, [5, 3]) },
  ],
  errors: [
    {
      name: 'a mode that is not there',
      call: () => F.interpolate(make([1, 1, 2]), 4, { mode: 'sinc' as 'area' }),
      error: ArgumentError,
      message: /interpolate: expected mode of nearest/,
    },
    {
      name: 'a mode for other dimensions',
      call: () => F.interpolate(make([1, 1, 2]), 4, { mode: 'bilinear' }),
      error: ShapeError,
      message: /4 dimensions for mode bilinear, got 3/,
    },
    {
      name: 'neither',
      call: () => F.interpolate(make([1, 1, 2])),
      error: ArgumentError,
      message: /either size or scaleFactor, got neither/,
    },
    {
      name: 'both',
      call: () => F.interpolate(make([1, 1, 2]), 2, 2),
      error: ArgumentError,
      message: /either size or scaleFactor, got both/,
    },
    {
      name: 'too many sizes',
      call: () => F.interpolate(make([1, 1, 2]), [2, 2]),
      error: ArgumentError,
      message: /size to be a number or 1 numbers/,
    },
    {
      name: 'nothing left',
      call: () => F.interpolate(make([1, 1, 2]), { scaleFactor: 0.1 }),
      error: ShapeError,
      message: /sizes of at least 1/,
    },
    {
      name: 'alignCorners',
      call: () => F.interpolate(make([1, 1, 2]), 4, { alignCorners: true }),
      error: ArgumentError,
      message: /alignCorners only with/,
    },
    {
      name: 'antialias',
      call: () => F.interpolate(make([1, 1, 2, 2]), 4, { mode: 'bilinear', antialias: true }),
      error: ArgumentError,
      message: /antialias false/,
    },
    {
      name: 'two dimensions',
      call: () => F.interpolate(make([1, 1]), 4),
      error: ShapeError,
      message: /an input of 3 to 5 dimensions/,
    },
  ],
});
const noSize = (op: string, call: (x: Tensor) => unknown) => [
  {
    name: 'neither',
    call: () => call(make([1, 1, 2, 2])),
    error: ArgumentError,
    message: new RegExp(`${op}: expected either size`),
  },
];
samples({
  fn: 'nn.functional.upsample',
  cases: [
    { name: 'bilinear', inputs: [make([1, 1, 3, 4])], call: (x) => F.upsample(x, [5, 6], null, 'bilinear', true) },
  ],
  errors: noSize('upsample', (x) => F.upsample(x)),
});
samples({
  fn: 'nn.functional.upsampleNearest',
  cases: [{ name: 'doubled', inputs: [make([1, 1, 3, 4])], call: (x) => F.upsampleNearest(x, null, 2) }],
  errors: noSize('upsampleNearest', (x) => F.upsampleNearest(x)),
});
samples({
  fn: 'nn.functional.upsampleBilinear',
  cases: [{ name: 'doubled', inputs: [make([1, 1, 3, 4])], call: (x) => F.upsampleBilinear(x, { scaleFactor: 2 }) }],
  errors: noSize('upsampleBilinear', (x) => F.upsampleBilinear(x)),
});
samples({
  fn: 'nn.functional.pixelShuffle',
  cases: [
    { name: 'by two', inputs: [make([2, 8, 2, 3])], call: (x) => F.pixelShuffle(x, 2) },
    { name: 'no images', inputs: [make([0, 8, 2, 3])], call: (x) => F.pixelShuffle(x, 2) },
  ],
  errors: [
    {
      name: 'channels',
      call: () => F.pixelShuffle(make([3, 2, 2]), 2),
      error: ShapeError,
      message: /pixelShuffle: expected channels divisible by 4, got 3/,
    },
    { name: 'factor', call: () => F.pixelShuffle(make([4, 2, 2]), 0), error: ArgumentError, message: /upscaleFactor/ },
    {
      name: 'dimensions',
      call: () => F.pixelShuffle(make([2, 2]), 2),
      error: ShapeError,
      message: /at least 3 dimensions/,
    },
  ],
});
samples({
  fn: 'nn.functional.pixelUnshuffle',
  cases: [{ name: 'by two', inputs: [make([2, 2, 4, 6])], call: (x) => F.pixelUnshuffle(x, 2) }],
  errors: [
    {
      name: 'size',
      call: () => F.pixelUnshuffle(make([3, 2, 3]), 2),
      error: ShapeError,
      message: /height and width divisible by 2/,
    },
  ],
});
