/** Samples of convolutions and transposed convolutions. */
import { ArgumentError, DTypeError, nn, ShapeError, type Tensor } from '../../../lib/index.js';
import { type Case, type ErrorCase, make, samples } from '../sample.js';

const F = nn.functional;
type Conv = (input: Tensor, weight: Tensor, bias: Tensor | null, options: Record<string, unknown>) => Tensor;

function convCase(
  conv: Conv,
  name: string,
  x: number[],
  weight: number[],
  bias: number,
  options: Record<string, unknown> = {},
): Case {
  const inputs = [make(x, -1, 1), make(weight, -1, 1), ...(bias > 0 ? [make([bias])] : [])];
  return { name, inputs, call: (input, w, b) => conv(input, w, b ?? null, options) };
}

function convErrors(name: string, conv: Conv): ErrorCase[] {
  const wrong = (expected: string): RegExp => new RegExp(`${name}: expected ${expected}`);
  return [
    {
      name: 'too few dimensions',
      call: () => conv(make([4]), make([2, 2, 3]), null, {}),
      error: ShapeError,
      message: wrong('an input of'),
    },
    {
      name: 'a weight of other dimensions',
      call: () => conv(make(new Array<number>(Number(name.at(-2)) + 1).fill(5)), make([2]), null, {}),
      error: ShapeError,
      message: wrong('a weight of'),
    },
  ];
}

samples({
  fn: 'nn.functional.conv1d',
  cases: [
    convCase(F.conv1d, 'plain', [2, 2, 5], [3, 2, 3], 3),
    convCase(F.conv1d, 'unbatched, stride, padding', [2, 7], [2, 2, 3], 0, { stride: 2, padding: 2 }),
    convCase(F.conv1d, "'same' with an even kernel and dilation", [1, 2, 6], [2, 2, 4], 2, {
      padding: 'same',
      dilation: 2,
    }),
    convCase(F.conv1d, 'no images', [0, 2, 5], [3, 2, 3], 3),
  ],
  errors: convErrors('conv1d', F.conv1d),
});
samples({
  fn: 'nn.functional.conv2d',
  cases: [
    convCase(F.conv2d, 'padding', [2, 2, 4, 3], [3, 2, 3, 3], 3, { padding: 1 }),
    convCase(F.conv2d, 'one by one', [2, 3, 2, 3], [2, 3, 1, 1], 2),
    convCase(F.conv2d, 'stride and dilation', [1, 2, 6, 7], [2, 2, 2, 3], 0, {
      stride: [2, 3],
      dilation: [3, 1],
      padding: [1, 2],
    }),
    convCase(F.conv2d, 'groups', [1, 4, 4, 3], [4, 2, 2, 2], 4, { groups: 2 }),
    convCase(F.conv2d, 'depthwise', [2, 3, 4, 4], [6, 1, 3, 2], 6, { groups: 3, stride: 2, padding: 1 }),
    convCase(F.conv2d, 'padding wider than the kernel', [1, 1, 2, 2], [1, 1, 2, 2], 1, { padding: 3, stride: 2 }),
    convCase(F.conv2d, "'valid', unbatched", [2, 4, 4], [1, 2, 3, 3], 0, { padding: 'valid' }),
    convCase(F.conv2d, 'no images', [0, 2, 4, 4], [3, 2, 3, 3], 3),
  ],
  errors: [
    ...convErrors('conv2d', F.conv2d),
    {
      name: 'channels',
      call: () => F.conv2d(make([1, 3, 4, 4]), make([2, 2, 3, 3])),
      error: ShapeError,
      message: /conv2d: expected an input of 2 channels .*, got 3 \(input=float64\[1,3,4,4\]/,
    },
    {
      name: 'groups',
      call: () => F.conv2d(make([1, 4, 4, 4]), make([3, 2, 3, 3]), null, { groups: 2 }),
      error: ShapeError,
      message: /divisible by groups/,
    },
    {
      name: 'no groups',
      call: () => F.conv2d(make([1, 4, 4, 4]), make([3, 2, 3, 3]), null, { groups: 0 }),
      error: ArgumentError,
      message: /conv2d: expected groups/,
    },
    {
      name: 'bias',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), make([2])),
      error: ShapeError,
      message: /conv2d: expected a bias of shape \[3\]/,
    },
    {
      name: 'types',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]).float()),
      error: DTypeError,
      message: /conv2d: expected weight and bias of the input's dtype/,
    },
    {
      name: 'kernel too large',
      call: () => F.conv2d(make([1, 2, 4, 2]), make([3, 2, 3, 3])),
      error: ShapeError,
      message: /conv2d: expected a kernel \(of reach 3\) not larger/,
    },
    {
      name: 'stride 0',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), null, 0),
      error: ArgumentError,
      message: /conv2d: expected stride/,
    },
    {
      name: 'negative padding',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), null, 1, -1),
      error: ArgumentError,
      message: /conv2d: expected padding/,
    },
    {
      name: 'three strides',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), null, [1, 1, 1]),
      error: ArgumentError,
      message: /conv2d: expected stride to be a number or 2/,
    },
    {
      name: "'same' with stride",
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), null, { padding: 'same', stride: 2 }),
      error: ArgumentError,
      message: /conv2d: expected stride 1 with padding 'same'/,
    },
    {
      name: 'integers',
      call: () => F.conv2d(make([1, 2, 4, 4]).long(), make([3, 2, 3, 3]).long()),
      error: DTypeError,
      message: /conv2d: expected a dtype/,
    },
    {
      name: 'a misspelt option',
      call: () => F.conv2d(make([1, 2, 4, 4]), make([3, 2, 3, 3]), { strides: 2 } as never),
      error: ArgumentError,
      message: /did you mean "stride"/,
    },
  ],
});
samples({
  fn: 'nn.functional.conv3d',
  cases: [
    convCase(F.conv3d, 'padding', [1, 2, 3, 2, 3], [2, 2, 2, 2, 3], 2, { padding: 1 }),
    convCase(F.conv3d, 'unbatched, groups, stride', [2, 3, 4, 3], [2, 1, 2, 2, 2], 0, { groups: 2, stride: [1, 2, 1] }),
    convCase(F.conv3d, 'no images', [0, 2, 3, 3, 3], [2, 2, 2, 2, 2], 2),
  ],
  errors: convErrors('conv3d', F.conv3d),
});
samples({
  fn: 'nn.functional.convTranspose1d',
  cases: [
    convCase(F.convTranspose1d, 'plain', [2, 2, 4], [2, 3, 3], 3),
    convCase(F.convTranspose1d, 'stride, padding, output padding', [1, 2, 4], [2, 2, 3], 2, {
      stride: 2,
      padding: 1,
      outputPadding: 1,
    }),
    convCase(F.convTranspose1d, 'unbatched, dilation', [2, 3], [2, 1, 3], 0, { dilation: 2 }),
    convCase(F.convTranspose1d, 'no images', [0, 2, 4], [2, 3, 3], 3),
  ],
  errors: [
    ...convErrors('convTranspose1d', F.convTranspose1d),
    {
      name: 'channels',
      call: () => F.convTranspose1d(make([1, 3, 4]), make([2, 3, 3])),
      error: ShapeError,
      message: /convTranspose1d: expected an input of 2 channels/,
    },
    {
      name: 'output padding',
      call: () => F.convTranspose1d(make([1, 2, 4]), make([2, 3, 3]), null, { outputPadding: 1 }),
      error: ArgumentError,
      message: /outputPadding smaller than/,
    },
    {
      name: 'nothing left',
      call: () => F.convTranspose1d(make([1, 2, 1]), make([2, 3, 1]), null, { padding: 1 }),
      error: ShapeError,
      message: /an output of at least 1/,
    },
  ],
});
samples({
  fn: 'nn.functional.convTranspose2d',
  cases: [
    convCase(F.convTranspose2d, 'two by two, stride two', [2, 3, 2, 3], [3, 2, 2, 2], 2, { stride: 2 }),
    convCase(F.convTranspose2d, 'groups, stride beyond the kernel', [1, 4, 2, 3], [4, 2, 2, 1], 4, {
      groups: 2,
      stride: 3,
    }),
    convCase(F.convTranspose2d, 'depthwise', [1, 2, 3, 3], [2, 1, 3, 3], 2, {
      groups: 2,
      stride: 2,
      padding: 1,
      outputPadding: 1,
    }),
    convCase(F.convTranspose2d, 'no images', [0, 2, 3, 3], [2, 2, 2, 2], 2),
  ],
  errors: convErrors('convTranspose2d', F.convTranspose2d),
});
samples({
  fn: 'nn.functional.convTranspose3d',
  cases: [
    convCase(F.convTranspose3d, 'stride', [1, 2, 2, 2, 2], [2, 2, 2, 1, 2], 2, { stride: [2, 1, 2] }),
    convCase(F.convTranspose3d, 'no images', [0, 2, 2, 2, 2], [2, 2, 2, 2, 2], 2),
  ],
  errors: convErrors('convTranspose3d', F.convTranspose3d),
});
