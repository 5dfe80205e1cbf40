/**
 * Samples of what draws random numbers: how it is called, and how it must not be. Values are compared with PyTorch's
 * streams in test/random; generic tests, which expect equal results of equal calls, leave these out.
 */
import {
  ArgumentError,
  bernoulli,
  DTypeError,
  multinomial,
  nn,
  normal,
  randintLike,
  randLike,
  randnLike,
  randperm,
  ShapeError,
  type Tensor,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const { functional: F, init } = nn;
const integer = (): Tensor => tensor([1n, 2n]);

for (const [name, drop] of [
  ['dropout', F.dropout],
  ['alphaDropout', F.alphaDropout],
  ['featureAlphaDropout', F.featureAlphaDropout],
  ['dropout1d', F.dropout1d],
  ['dropout2d', F.dropout2d],
  ['dropout3d', F.dropout3d],
] as const) {
  samples({
    fn: `nn.functional.${name}`,
    cases: [
      { name: 'in training', inputs: [make([2, 3, 4])], call: (x) => drop(x, 0.3, true) },
      { name: 'nothing dropped', inputs: [make([2, 3, 4])], call: (x) => drop(x, 0, { training: true }) },
      { name: 'all dropped', inputs: [make([2, 3, 4])], call: (x) => drop(x, 1, true) },
      { name: 'no elements', inputs: [make([0, 3, 4])], call: (x) => drop(x, { training: true }) },
    ],
    errors: [
      {
        name: 'a p above 1',
        call: () => drop(make([2, 3, 4]), 1.5),
        error: ArgumentError,
        message: /probability p between 0 and 1, got 1.5/,
      },
      {
        name: 'integers',
        call: () => drop(zeros([2, 3, 4], { dtype: 'int64' }), 0.5, true),
        error: DTypeError,
        message: /floating dtype/,
      },
    ],
    random: true,
  });
}

const simple: Record<
  string,
  { call: (x: Tensor) => Tensor; bad: () => unknown; error: typeof ArgumentError; message: RegExp }
> = {
  randLike: {
    call: (x) => randLike(x),
    bad: () => randLike(integer()),
    error: DTypeError,
    message: /randLike: expected a floating dtype/,
  },
  randnLike: {
    call: (x) => randnLike(x),
    bad: () => randnLike(integer()),
    error: DTypeError,
    message: /randnLike: expected a floating dtype/,
  },
  randintLike: {
    call: (x) => randintLike(x, 3),
    bad: () => randintLike(integer(), 3, 3),
    error: ArgumentError,
    message: /from < to/,
  },
  normal: {
    call: (x) => normal(x, 1),
    bad: () => normal(make([2]), -1),
    error: ArgumentError,
    message: /std of at least 0/,
  },
  'Tensor.uniform_': {
    call: (x) => x.detach().uniform_(),
    bad: () => make([2]).detach().uniform_(1, 0),
    error: ArgumentError,
    message: /from <= to/,
  },
  'Tensor.normal_': {
    call: (x) => x.detach().normal_(),
    bad: () => make([2]).detach().normal_(0, -1),
    error: ArgumentError,
    message: /std of at least 0/,
  },
  'Tensor.logNormal_': {
    call: (x) => x.detach().logNormal_(),
    bad: () => make([2]).detach().logNormal_(0, 0),
    error: ArgumentError,
    message: /std above 0/,
  },
  'Tensor.exponential_': {
    call: (x) => x.detach().exponential_(),
    bad: () => make([2]).detach().exponential_(-1),
    error: ArgumentError,
    message: /lambd above 0/,
  },
  'Tensor.cauchy_': {
    call: (x) => x.detach().cauchy_(),
    bad: () => make([2]).detach().cauchy_(0, 0),
    error: ArgumentError,
    message: /sigma above 0/,
  },
  'Tensor.geometric_': {
    call: (x) => x.detach().geometric_(0.5),
    bad: () => make([2]).detach().geometric_(0),
    error: ArgumentError,
    message: /p in \(0, 1\)/,
  },
  'Tensor.bernoulli_': {
    call: (x) => x.detach().bernoulli_(),
    bad: () => make([2]).detach().bernoulli_(-1),
    error: ArgumentError,
    message: /p in \[0, 1\]/,
  },
  'Tensor.random_': {
    call: (x) => x.detach().random_(),
    bad: () => make([2]).detach().random_(2, 1),
    error: ArgumentError,
    message: /from < to/,
  },
  bernoulli: {
    call: (x) => bernoulli(x.mul(0), 0.5),
    bad: () => bernoulli(tensor([2])),
    error: ArgumentError,
    message: /probabilities in \[0, 1\]/,
  },
  multinomial: {
    call: () => multinomial(tensor([1, 2]), 1),
    bad: () => multinomial(make([2]).detach().uniform_(), 3),
    error: ArgumentError,
    message: /at most 2 samples/,
  },
  randperm: { call: () => randperm(3), bad: () => randperm(-1), error: ShapeError, message: /sizes of at least 0/ },
};
for (const [fn, { call, bad, error, message }] of Object.entries(simple))
  samples({
    fn,
    cases: [{ name: 'plain', inputs: [make([2, 3])], call }],
    errors: [{ name: 'bad', call: bad, error, message }],
    random: true,
  });

const free = (shape: number[]): Tensor => make(shape).detach();
const inits: Record<string, [call: () => Tensor, bad: () => unknown, message: RegExp]> = {
  uniform_: [() => init.uniform_(free([2, 3])), () => init.uniform_(free([2]), 1, 0), /from <= to/],
  normal_: [() => init.normal_(free([2, 3])), () => init.normal_(free([2]), 0, -1), /std of at least 0/],
  constant_: [
    () => init.constant_(free([2, 3]), 2),
    () => init.constant_(free([2]), undefined as never),
    /constant_: expected/,
  ],
  ones_: [() => init.ones_(free([2, 3])), () => init.ones_(3 as never), /ones_|constant_/],
  zeros_: [() => init.zeros_(free([2, 3])), () => init.zeros_(3 as never), /zeros_|constant_/],
  eye_: [() => init.eye_(free([2, 3])), () => init.eye_(free([2])), /2 dimensions/],
  dirac_: [() => init.dirac_(free([2, 3, 3])), () => init.dirac_(free([3, 3, 3]), 2), /groups that divide/],
  xavierUniform_: [
    () => init.xavierUniform_(free([2, 3])),
    () => init.xavierUniform_(free([2])),
    /at least 2 dimensions/,
  ],
  xavierNormal_: [() => init.xavierNormal_(free([2, 3])), () => init.xavierNormal_(free([2])), /at least 2 dimensions/],
  kaimingUniform_: [
    () => init.kaimingUniform_(free([2, 3])),
    () => init.kaimingUniform_(free([2, 3]), { mode: 'fan' }),
    /fan_in.*got "fan"/,
  ],
  kaimingNormal_: [
    () => init.kaimingNormal_(free([2, 3])),
    () => init.kaimingNormal_(free([2, 3]), { nonlinearity: 'sine' }),
    /leaky_relu.*got "sine"/,
  ],
  truncNormal_: [() => init.truncNormal_(free([2, 3])), () => init.truncNormal_(free([2, 3]), 0, 1, 2, -2), /a <= b/],
  orthogonal_: [() => init.orthogonal_(free([2, 3])), () => init.orthogonal_(free([2])), /at least 2 dimensions/],
  sparse_: [() => init.sparse_(free([2, 3]), 0.5), () => init.sparse_(free([2, 3]), 2), /sparsity in \[0, 1\]/],
};
for (const [name, [call, bad, message]] of Object.entries(inits))
  samples({
    fn: `nn.init.${name}`,
    cases: [{ name: 'plain', inputs: [], call }],
    errors: [{ name: 'bad', call: bad, error: Error as never, message }],
    random: true,
  });
samples({
  fn: 'nn.init.calculateGain',
  cases: [{ name: 'plain', inputs: [], call: () => tensor(init.calculateGain('relu')) }],
  errors: [
    {
      name: 'an unknown nonlinearity',
      call: () => init.calculateGain('sine'),
      error: ArgumentError,
      message: /got "sine"/,
    },
  ],
  notDifferentiable: 'a number of a name',
});
