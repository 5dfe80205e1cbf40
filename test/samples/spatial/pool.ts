/** Samples of poolings. Values are distinct, so that maxima are differentiable. */
import { ArgumentError, DTypeError, IndexError, nn, ShapeError, type Tensor, tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;

/** A float64 leaf with distinct values at least 0.05 apart, in mixed order. */
function distinct(shape: readonly number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const stride = [7, 11, 13, 17, 19, 23].find((k) => n % k !== 0) ?? 1;
  return tensor(
    Float64Array.from({ length: n }, (_, i) => Math.fround((((i * stride) % Math.max(n, 1)) - n / 2) * 0.0625)),
    { shape, requiresGrad: true },
  );
}

type Pool = (input: Tensor, size: number) => unknown;
type WindowPool = (input: Tensor, size: number, options?: { stride: number; padding: number }) => unknown;
const inputErrors = (name: string, pool: Pool) => [
  {
    name: 'dimensions',
    call: () => pool(make([3]), 2),
    error: ShapeError,
    message: new RegExp(`${name}: expected an input of`),
  },
  {
    name: 'not a tensor',
    call: () => pool(3 as unknown as Tensor, 2),
    error: ArgumentError,
    message: new RegExp(`${name}(WithIndices)?: expected a tensor`),
  },
];
const windowErrors = (name: string, pool: WindowPool, unbatched: number[]) => [
  ...inputErrors(name, pool),
  {
    name: 'window too large',
    call: () => pool(make(unbatched), 9),
    error: ShapeError,
    message: new RegExp(`${name}: expected a window \\(of reach 9\\) not larger`),
  },
  {
    name: 'window 0',
    call: () => pool(make(unbatched), 0),
    error: ArgumentError,
    message: new RegExp(`${name}: expected kernelSize`),
  },
  {
    name: 'padding',
    call: () => pool(make(unbatched), 2, { stride: 1, padding: 2 }),
    error: ArgumentError,
    message: /padding of at most half/,
  },
  {
    name: 'zero-size dimension',
    call: () => pool(make(unbatched.map((n, d) => (d === 1 ? 0 : n))), 2),
    error: ShapeError,
    message: /sizes of at least 1/,
  },
];
const adaptiveErrors = (name: string, pool: Pool, unbatched: number[]) => [
  ...inputErrors(name, pool),
  {
    name: 'negative size',
    call: () => pool(make(unbatched), -1),
    error: ArgumentError,
    message: new RegExp(`${name}: expected outputSize`),
  },
];

for (const [suffix, indices] of [
  ['', false],
  ['WithIndices', true],
] as const) {
  const pick = (out: unknown): Tensor => (indices ? (out as Tensor[])[0] : (out as Tensor));
  const max1d = indices ? F.maxPool1dWithIndices : F.maxPool1d;
  const max2d = indices ? F.maxPool2dWithIndices : F.maxPool2d;
  const max3d = indices ? F.maxPool3dWithIndices : F.maxPool3d;
  samples({
    fn: `nn.functional.maxPool1d${suffix}`,
    cases: [
      {
        name: 'padding, ceil',
        inputs: [distinct([2, 2, 6])],
        call: (x) => pick(max1d(x, 3, 2, 1, { ceilMode: true })),
      },
      { name: 'no images', inputs: [distinct([0, 2, 6])], call: (x) => pick(max1d(x, 2)) },
    ],
    errors: windowErrors('maxPool1d', max1d, [2, 5]),
  });
  samples({
    fn: `nn.functional.maxPool2d${suffix}`,
    cases: [
      { name: 'two by two', inputs: [distinct([2, 1, 4, 6])], call: (x) => pick(max2d(x, 2)) },
      {
        name: 'overlapping, dilated, unbatched',
        inputs: [distinct([2, 6, 5])],
        call: (x) => pick(max2d(x, [2, 3], 1, [0, 1], { dilation: [3, 1] })),
      },
      {
        name: 'stride 3, ceil',
        inputs: [distinct([1, 1, 5, 7])],
        call: (x) => pick(max2d(x, 2, 3, { ceilMode: true })),
      },
      { name: 'no images', inputs: [distinct([0, 2, 4, 4])], call: (x) => pick(max2d(x, 2)) },
    ],
    errors: windowErrors('maxPool2d', max2d, [2, 5, 5]),
    expandable: false,
  });
  samples({
    fn: `nn.functional.maxPool3d${suffix}`,
    cases: [
      { name: 'padding', inputs: [distinct([1, 2, 3, 4, 3])], call: (x) => pick(max3d(x, 2, { padding: 1 })) },
      { name: 'no images', inputs: [distinct([0, 1, 2, 2, 2])], call: (x) => pick(max3d(x, 2)) },
    ],
    errors: windowErrors('maxPool3d', max3d, [2, 5, 5, 5]),
  });
  const adaptive1d = indices ? F.adaptiveMaxPool1dWithIndices : F.adaptiveMaxPool1d;
  const adaptive2d = indices ? F.adaptiveMaxPool2dWithIndices : F.adaptiveMaxPool2d;
  const adaptive3d = indices ? F.adaptiveMaxPool3dWithIndices : F.adaptiveMaxPool3d;
  samples({
    fn: `nn.functional.adaptiveMaxPool1d${suffix}`,
    cases: [
      { name: 'seven to three', inputs: [distinct([2, 1, 7])], call: (x) => pick(adaptive1d(x, 3)) },
      { name: 'no images', inputs: [distinct([0, 1, 7])], call: (x) => pick(adaptive1d(x, 3)) },
    ],
    errors: adaptiveErrors('adaptiveMaxPool1d', adaptive1d, [2, 5]),
  });
  samples({
    fn: `nn.functional.adaptiveMaxPool2d${suffix}`,
    cases: [
      { name: 'uneven, unbatched', inputs: [distinct([2, 5, 4])], call: (x) => pick(adaptive2d(x, [3, null])) },
      { name: 'no output', inputs: [distinct([2, 5, 4])], call: (x) => pick(adaptive2d(x, [0, 2])) },
    ],
    errors: adaptiveErrors('adaptiveMaxPool2d', adaptive2d, [2, 5, 5]),
  });
  samples({
    fn: `nn.functional.adaptiveMaxPool3d${suffix}`,
    cases: [{ name: 'uneven', inputs: [distinct([1, 1, 3, 4, 5])], call: (x) => pick(adaptive3d(x, 2)) }],
    errors: adaptiveErrors('adaptiveMaxPool3d', adaptive3d, [2, 5, 5, 5]),
  });
}

const at = tensor([[[1n, 3n]]]);
const unpoolErrors = (name: string, unpool: (x: Tensor, indices: Tensor, kernel: number) => Tensor, ndim: number) => {
  const shape = new Array<number>(ndim).fill(1);
  return [
    {
      name: 'index types',
      call: () => unpool(make(shape), make(shape), 2),
      error: DTypeError,
      message: new RegExp(`${name}: expected indices of dtype int64`),
    },
    {
      name: 'index shape',
      call: () => unpool(make(shape), at.reshape(...new Array<number>(ndim - 1).fill(1), 2), 2),
      error: ShapeError,
      message: /indices of the input's shape/,
    },
    {
      name: 'index range',
      call: () => unpool(make(shape), tensor(99n).reshape(...shape), 2),
      error: IndexError,
      message: new RegExp(`${name}: expected indices in`),
    },
  ];
};
samples({
  fn: 'nn.functional.maxUnpool1d',
  cases: [
    { name: 'plain', inputs: [make([1, 1, 2])], call: (x) => F.maxUnpool1d(x, at, 2) },
    { name: 'a given size', inputs: [make([1, 1, 2])], call: (x) => F.maxUnpool1d(x, at, 2, { outputSize: [5] }) },
  ],
  errors: unpoolErrors('maxUnpool1d', F.maxUnpool1d, 3),
});
samples({
  fn: 'nn.functional.maxUnpool2d',
  cases: [{ name: 'plain', inputs: [make([1, 1, 1, 2])], call: (x) => F.maxUnpool2d(x, at.reshape(1, 1, 1, 2), 2) }],
  errors: unpoolErrors('maxUnpool2d', F.maxUnpool2d, 4),
});
samples({
  fn: 'nn.functional.maxUnpool3d',
  cases: [
    { name: 'plain', inputs: [make([1, 1, 1, 1, 2])], call: (x) => F.maxUnpool3d(x, at.reshape(1, 1, 1, 1, 2), 2) },
  ],
  errors: unpoolErrors('maxUnpool3d', F.maxUnpool3d, 5),
});

samples({
  fn: 'nn.functional.avgPool1d',
  cases: [
    { name: 'padding, ceil', inputs: [make([2, 2, 6])], call: (x) => F.avgPool1d(x, 3, 2, 1, { ceilMode: true }) },
    { name: 'no images', inputs: [make([0, 2, 6])], call: (x) => F.avgPool1d(x, 2) },
  ],
  errors: windowErrors('avgPool1d', F.avgPool1d, [2, 5]),
});
samples({
  fn: 'nn.functional.avgPool2d',
  cases: [
    { name: 'two by two', inputs: [make([2, 1, 4, 6])], call: (x) => F.avgPool2d(x, 2) },
    {
      name: 'padding not counted',
      inputs: [make([2, 5, 5])],
      call: (x) => F.avgPool2d(x, [3, 2], 1, [1, 1], { countIncludePad: false, ceilMode: true }),
    },
    { name: 'divisor', inputs: [make([1, 1, 5, 7])], call: (x) => F.avgPool2d(x, 2, 3, { divisorOverride: 3 }) },
    { name: 'no images', inputs: [make([0, 2, 4, 4])], call: (x) => F.avgPool2d(x, 2) },
  ],
  errors: [
    ...windowErrors('avgPool2d', F.avgPool2d, [2, 5, 5]),
    {
      name: 'divisor 0',
      call: () => F.avgPool2d(make([1, 4, 4]), 2, { divisorOverride: 0 }),
      error: ArgumentError,
      message: /avgPool2d: expected divisorOverride/,
    },
  ],
});
samples({
  fn: 'nn.functional.avgPool3d',
  cases: [{ name: 'padding', inputs: [make([1, 2, 3, 4, 3])], call: (x) => F.avgPool3d(x, 2, { padding: 1 }) }],
  errors: windowErrors('avgPool3d', F.avgPool3d, [2, 5, 5, 5]),
});
samples({
  fn: 'nn.functional.adaptiveAvgPool1d',
  cases: [{ name: 'seven to three', inputs: [make([2, 1, 7])], call: (x) => F.adaptiveAvgPool1d(x, 3) }],
  errors: adaptiveErrors('adaptiveAvgPool1d', F.adaptiveAvgPool1d, [2, 5]),
});
samples({
  fn: 'nn.functional.adaptiveAvgPool2d',
  cases: [
    { name: 'uneven, unbatched', inputs: [make([2, 5, 4])], call: (x) => F.adaptiveAvgPool2d(x, [3, null]) },
    { name: 'to one', inputs: [make([2, 2, 3, 4])], call: (x) => F.adaptiveAvgPool2d(x, 1) },
    { name: 'no images', inputs: [make([0, 2, 3, 4])], call: (x) => F.adaptiveAvgPool2d(x, 1) },
  ],
  errors: adaptiveErrors('adaptiveAvgPool2d', F.adaptiveAvgPool2d, [2, 5, 5]),
});
samples({
  fn: 'nn.functional.adaptiveAvgPool3d',
  cases: [{ name: 'uneven', inputs: [make([1, 1, 3, 4, 5])], call: (x) => F.adaptiveAvgPool3d(x, 2) }],
  errors: adaptiveErrors('adaptiveAvgPool3d', F.adaptiveAvgPool3d, [2, 5, 5, 5]),
});
