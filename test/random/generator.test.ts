/** Generators of their own, seeds, states, forks, and what random functions refuse. */
import { expect } from 'chai';
import {
  ArgumentError,
  autograd,
  DeviceError,
  DTypeError,
  defaultGenerator,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  multinomial,
  nn,
  noGrad,
  normal,
  rand,
  randint,
  randn,
  random,
  randperm,
  ShapeError,
  seed,
  setRngState,
  tensor,
  zeros,
} from '../../lib/index.js';

describe('generators', () => {
  it('of their own leave the default one alone', () => {
    manualSeed(1);
    const expected = rand(3).tolist();
    manualSeed(1);
    const own = new Generator().manualSeed(5);
    const first = rand([3], { generator: own }).tolist();
    expect(rand(3).tolist()).to.deep.equal(expected);
    expect(rand({ size: [3], generator: own.manualSeed(5) }).tolist()).to.deep.equal(first);
    expect(new Generator().initialSeed()).to.equal(67280421310721);
    expect(() => new Generator('cuda')).to.throw(DeviceError);
  });

  it('take seeds of 64 bits, negative ones from the top', () => {
    expect(manualSeed(-1).initialSeed()).to.equal(2n ** 64n - 1n);
    expect(manualSeed(2n ** 64n - 1n)).to.equal(defaultGenerator);
    expect(initialSeed()).to.equal(2n ** 64n - 1n);
    for (const bad of [1.5, 2n ** 64n, -(2n ** 63n) - 1n])
      expect(() => manualSeed(bad)).to.throw(ArgumentError, /manualSeed/);
    const fresh = seed();
    expect(initialSeed()).to.equal(fresh);
    expect(seed()).to.not.equal(fresh);
  });

  it('continue from a state, the cached normal value included', () => {
    manualSeed(3);
    randn(1);
    const state = getRngState();
    const expected = [randn(1).item(), randn(20).tolist()];
    setRngState(state);
    expect([randn(1).item(), randn(20).tolist()]).to.deep.equal(expected);
    const twin = defaultGenerator.cloneState();
    expect(rand(2, { generator: twin }).tolist()).to.deep.equal(rand(2).tolist());
    expect(() => setRngState(zeros([5056]))).to.throw(DTypeError, /uint8/);
    expect(() => setRngState(zeros([10], { dtype: 'uint8' }))).to.throw(ShapeError, /5056 bytes/);
    expect(() => setRngState(zeros([5056], { dtype: 'uint8' }))).to.throw(ArgumentError, /valid mt19937 state/);
  });

  it('are put back after a fork', async () => {
    manualSeed(9);
    const expected = rand(2).tolist();
    manualSeed(9);
    random.forkRng(() => manualSeed(1));
    await random.forkRng(async () => rand(100));
    expect(() =>
      random.forkRng(() => {
        rand(7);
        throw new Error('inside');
      }),
    ).to.throw('inside');
    expect(rand(2).tolist()).to.deep.equal(expected);
  });
});

describe('in-place distributions', () => {
  it('count as a change, and refuse leaves that require grad', () => {
    const x = zeros([4]);
    x.normal_();
    expect(x.version).to.equal(1);
    const leaf = zeros([4], { requiresGrad: true });
    expect(() => leaf.uniform_()).to.throw(/leaf that requires grad/);
    noGrad(() => leaf.uniform_(2, 3));
    expect((leaf.tolist() as number[]).every((v) => v >= 2 && v < 3)).to.equal(true);
  });

  it('cut the graph: what was there before gets no gradient', () => {
    const x = tensor([1, 2, 3], { requiresGrad: true });
    const y = x.mul(2);
    const part = y.narrow(0, 0, 1);
    part.uniform_();
    expect(autograd.grad(y.sum(), x)[0]?.tolist()).to.deep.equal([0, 2, 2]);
  });

  it('write only what a view shows', () => {
    const x = zeros([4, 3]);
    x.t().narrow(0, 1, 1).bernoulli_(1);
    expect(x.tolist()).to.deep.equal([
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
      [0, 1, 0],
    ]);
  });
});

describe('nn.init.orthogonal_', () => {
  for (const [rows, columns] of [
    [60, 60],
    [20, 45],
    [45, 20],
  ]) {
    it(`has orthonormal ${rows > columns ? 'columns' : 'rows'} at ${rows} x ${columns}`, () => {
      const q = nn.init.orthogonal_(zeros([rows, columns], { dtype: 'float64' }));
      const product = (rows > columns ? q.t().matmul(q) : q.matmul(q.t())).tolist() as number[][];
      const worst = Math.max(...product.flatMap((row, i) => row.map((x, j) => Math.abs(x - (i === j ? 1 : 0)))));
      expect(worst).to.be.below(1e-14);
    });
  }
});

describe('bad random calls', () => {
  const float = zeros([3]);
  const integer = zeros([3], { dtype: 'int64' });
  const cases: [string, () => unknown, new (m: string) => Error, RegExp][] = [
    ['uniform_ of integers', () => integer.uniform_(), DTypeError, /uniform_: expected a floating dtype/],
    ['uniform_ backwards', () => float.uniform_(3, 2), ArgumentError, /from <= to, got from=3, to=2/],
    [
      'uniform_ without end',
      () => float.uniform_(0, Number.POSITIVE_INFINITY),
      ArgumentError,
      /bounds whose distance float32 holds/,
    ],
    ['normal_ of negative std', () => float.normal_(0, -1), ArgumentError, /std of at least 0/],
    ['bernoulli_ above 1', () => float.bernoulli_(2), ArgumentError, /p in \[0, 1\]/],
    [
      'bernoulli of tensors above 1',
      () => tensor([0.5, 2]).bernoulli(),
      ArgumentError,
      /probabilities in \[0, 1\], got 2/,
    ],
    ['bernoulli of integers', () => integer.bernoulli(), DTypeError, /floating dtype/],
    ['exponential_', () => float.exponential_(0), ArgumentError, /lambd above 0/],
    ['geometric_', () => float.geometric_(1), ArgumentError, /p in \(0, 1\)/],
    ['cauchy_', () => float.cauchy_(0, 0), ArgumentError, /sigma above 0/],
    ['logNormal_', () => float.logNormal_(0, 0), ArgumentError, /std above 0/],
    ['random_ too large', () => zeros([3], { dtype: 'int8' }).random_(0, 300), ArgumentError, /bounds that int8 holds/],
    ['random_ of fractions', () => float.random_(0.5, 3), ArgumentError, /whole number for from/],
    ['randint without range', () => randint(5, 5, [3]), ArgumentError, /from < to/],
    ['randint without size', () => randint(5, {}), ArgumentError, /array of sizes/],
    ['rand of integers', () => rand(3, { dtype: 'int64' }), DTypeError, /rand: expected a floating dtype/],
    ['rand misspelt', () => rand(3, { generater: null } as never), ArgumentError, /did you mean "generator"/],
    ['rand of a negative size', () => rand(-3), ShapeError, /sizes of at least 0/],
    ['a generator that is none', () => rand(3, { generator: 5 as never }), ArgumentError, /a Generator, got 5/],
    ['randperm negative', () => randperm(-1), ShapeError, /sizes of at least 0/],
    ['randperm too long for its type', () => randperm(300, { dtype: 'int8' }), ArgumentError, /an n that int8 holds/],
    ['randperm of bools', () => randperm(2, { dtype: 'bool' }), DTypeError, /randperm/],
    ['multinomial too many', () => multinomial(tensor([1, 1]), 3), ArgumentError, /at most 2 samples/],
    ['multinomial none', () => multinomial(tensor([1, 1]), 0), ArgumentError, /at least one sample/],
    ['multinomial negative', () => multinomial(tensor([1, -1]), 1), ArgumentError, /finite and at least 0, got -1/],
    ['multinomial all zero', () => multinomial(zeros([2, 3]), 1), ArgumentError, /none in row 0/],
    ['multinomial of 3 dimensions', () => multinomial(zeros([2, 3, 4]), 1), ShapeError, /one or two dimensions/],
    ['multinomial of integers', () => multinomial(integer, 1), DTypeError, /floating/],
    ['normal of negative std', () => normal(float, tensor([1, -1, 1])), ArgumentError, /std of at least 0 everywhere/],
    ['normal without size', () => normal(0, 1), ArgumentError, /a size/],
  ];
  for (const [name, call, error, message] of cases) it(name, () => expect(call).to.throw(error, message));
});
