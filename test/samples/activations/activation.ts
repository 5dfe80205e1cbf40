/** Samples of activation functions. Values keep clear of the kinks, where no derivative is. */
import { ArgumentError, DTypeError, nn, ShapeError, type Tensor, tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

type Call = (...args: unknown[]) => Tensor;
const functions = nn.functional as unknown as Record<string, Call>;

/** Values at least 0.1 from every multiple of 0.5. */
function clear(shape: readonly number[]): Tensor {
  const values = make(shape, -4, 4).toTypedArray() as Float64Array;
  return tensor(
    values.map((v) => Math.floor(2 * v) / 2 + 0.1 + 0.3 * (2 * v - Math.floor(2 * v))),
    { shape, requiresGrad: true },
  );
}

const ARGUMENTS: Readonly<Record<string, readonly unknown[][]>> = {
  ...{
    relu: [[]],
    relu6: [[]],
    selu: [[]],
    silu: [[]],
    mish: [[]],
    hardsigmoid: [[]],
    hardswish: [[]],
    logsigmoid: [[]],
    softsign: [[]],
    tanhshrink: [[]],
    sigmoid: [[]],
    tanh: [[]],
  },
  ...{
    leakyRelu: [[], [0.3], [{ negativeSlope: -0.2 }]],
    elu: [[], [1.7]],
    celu: [[], [{ alpha: 0.5 }]],
    gelu: [[], [{ approximate: 'tanh' }]],
    softplus: [[], [2, 3.3]],
  },
  ...{
    hardtanh: [[], [-2, { maxVal: 1.5 }]],
    threshold: [[0.5, -4]],
    softshrink: [[], [1]],
    hardshrink: [[], [{ lambd: 1 }]],
  },
};
for (const [fn, forms] of Object.entries(ARGUMENTS)) {
  samples({
    fn: `nn.functional.${fn}`,
    cases: [
      ...forms.map((args) => ({
        name: `(${args.map((a) => JSON.stringify(a)).join(', ')})`,
        inputs: [clear([4, 5])],
        call: (x: Tensor) => functions[fn](x, ...args),
      })),
      { name: 'a scalar', inputs: [clear([])], call: (x) => functions[fn](x, ...forms[0]) },
      { name: 'no elements', inputs: [clear([0, 2])], call: (x) => functions[fn](x, ...forms[0]) },
    ],
    errors: [
      {
        name: 'not a tensor',
        call: () => functions[fn](3, ...forms[0]),
        error: ArgumentError,
        message: new RegExp(`${fn}: expected a tensor`),
      },
      {
        name: 'a misspelt option',
        call: () => functions[fn](make([2]), { negativeSlop: 1 }),
        error: ArgumentError,
        message: /unknown option "negativeSlop"/,
      },
    ],
  });
}
samples({
  fn: 'nn.functional.prelu',
  cases: [
    { name: 'one weight', inputs: [clear([4, 5]), make([1], 0.1, 0.5)], call: (x, w) => nn.functional.prelu(x, w) },
    {
      name: 'a weight a channel',
      inputs: [clear([2, 3, 4]), make([3], 0.1, 0.5)],
      call: (x, w) => nn.functional.prelu(x, w),
    },
    { name: 'no elements', inputs: [clear([0, 3]), make([3], 0.1, 0.5)], call: (x, w) => nn.functional.prelu(x, w) },
  ],
  errors: [
    {
      name: 'weights that are not channels',
      call: () => nn.functional.prelu(make([2, 3]), make([2])),
      error: ShapeError,
      message: /prelu: expected a weight of 1 or 3 elements/,
    },
    {
      name: 'two dtypes',
      call: () => nn.functional.prelu(make([2, 3]), tensor([0.5])),
      error: DTypeError,
      message: /prelu: expected a weight of the input's dtype float64, got float32/,
    },
  ],
});
samples({
  fn: 'nn.functional.glu',
  cases: [
    { name: 'last dim', inputs: [make([3, 4])], call: (x) => nn.functional.glu(x) },
    { name: 'first dim', inputs: [make([4, 3])], call: (x) => nn.functional.glu(x, 0) },
    { name: 'no elements', inputs: [make([0, 4])], call: (x) => nn.functional.glu(x) },
  ],
  errors: [
    {
      name: 'an odd size',
      call: () => nn.functional.glu(make([3])),
      error: ShapeError,
      message: /glu: expected an even size of dim -1/,
    },
  ],
});
