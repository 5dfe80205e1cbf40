/**
 * The random streams against PyTorch's: values, and where the generator stands afterwards (fixtures by
 * scripts/fixtures/random_streams.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { DType, Tensor } from '../../lib/index.js';
import * as ng from '../../lib/index.js';

interface Entry {
  shape: number[];
  dtype: DType;
  values: (number | string)[];
  next: number;
}
const { state: savedState, ...fixtures } = JSON.parse(
  readFileSync(new URL('../fixtures/random.json', import.meta.url), 'utf8'),
) as Record<string, Entry> & {
  state: { bytes: string; values: number[] };
};

const { functional: F, init } = ng.nn;
const empty = (shape: number[], dtype: DType = 'float32'): Tensor => ng.zeros(shape, { dtype });
const weights = (): Tensor => ng.arange(1, 13).float().view(2, 6);

/** The call of a fixture's name; those of a dtype and a count are made from their words. */
const calls: Record<string, () => Tensor> = {
  'uniform_ to': () => empty([37]).uniform_(-1, -1 + 2 ** -22),
  'randint 2^28': () => ng.randint(-5, 2 ** 28, [20]),
  'randint 2^28-1': () => ng.randint(2 ** 28 - 1, [20]),
  'randint 2^40': () => ng.randint({ low: -(2 ** 40), high: 2 ** 40, size: [20] }),
  'random_ int64 all': () => empty([20], 'int64').random_(-(2n ** 63n), null),
  'random_ int32 from': () => empty([20], 'int32').random_(5, null),
  'random_ float32 from': () => empty([20]).random_(5, null),
  'random_ to': () => empty([20], 'int64').random_(100),
  'randperm 30': () => ng.randperm(30),
  'randperm int32': () => ng.randperm(30, { dtype: 'int32' }),
  bernoulli: () => ng.bernoulli(ng.linspace(0, 1, 40)),
  'bernoulli float64': () => ng.bernoulli(ng.linspace(0, 1, 40, { dtype: 'float64' })),
  'bernoulli p': () => ng.bernoulli(empty([40]), 0.7),
  'bernoulli_ tensor': () => empty([3, 12], 'float64').bernoulli_(ng.linspace(0, 1, 12)),
  multinomial: () => ng.multinomial(weights(), 4),
  'multinomial one': () => ng.multinomial(weights(), 1),
  'multinomial zeros': () => ng.multinomial(ng.tensor([0, 3, 0, 1, 0, 0, 2]), 6),
  'multinomial replacement': () => weights().multinomial(20, true),
  'normal_ transposed': () => empty([5, 8]).t().normal_(),
  'uniform_ permuted': () => empty([2, 3, 4]).permute(1, 2, 0).uniform_(),
  'uniform_ strided': () => empty([40]).asStrided([20], [2]).uniform_(),
  'randnLike transposed': () => ng.randnLike(empty([5, 8]).t()),
  'dropout transposed': () => F.dropout(ng.ones(4, 6).t(), 0.4),
  'dropout expanded': () => F.dropout(ng.ones(2, 1, 3).permute(2, 0, 1).expand(3, 2, 5), 0.4),
  'dropout strided': () => F.dropout(ng.ones(4, 12).asStrided([6, 4], [2, 12]), 0.4),
  'dropout bfloat16': () => F.dropout(ng.ones(20, { dtype: 'bfloat16' }), 0.4),
  dropout2d: () => F.dropout2d(ng.ones(2, 5, 2, 2), 0.4),
  alphaDropout: () => F.alphaDropout(ng.linspace(-1, 1, 20), 0.3, true),
  featureAlphaDropout: () => F.featureAlphaDropout(ng.ones(3, 4, 2), 0.3, true),
  'randLike permuted': () => ng.randLike(ng.ones(2, 3, 4).permute(2, 0, 1)),
  randLike: () => ng.randLike(empty([3, 4])),
  randintLike: () => ng.randintLike(empty([3, 4]), -3, 9),
  'normal tensors': () => ng.normal(ng.arange(20).float(), ng.linspace(0, 2, 20)),
  'normal broadcast': () => ng.normal(ng.arange(3).float().view(3, 1), ng.linspace(0, 2, 8)),
  'normal mean': () => ng.normal(ng.arange(5).float(), 0.5),
  'normal numbers': () => ng.normal(1, 2, [3, 7]),
  'init.xavierUniform_': () => init.xavierUniform_(empty([4, 3, 3, 3]), { gain: 2 }),
  'init.xavierNormal_': () => init.xavierNormal_(empty([6, 5])),
  'init.kaimingUniform_': () => init.kaimingUniform_(empty([6, 5]), { a: Math.sqrt(5) }),
  'init.kaimingNormal_': () => init.kaimingNormal_(empty([4, 3, 3]), { mode: 'fan_out', nonlinearity: 'relu' }),
  'init.truncNormal_': () => init.truncNormal_(empty([6, 5]), { std: 0.02, a: -0.03, b: 0.02 }),
  'init.truncNormal_ tail': () => init.truncNormal_(empty([6, 5]), 0, 1, 1, 2),
  'init.truncNormal_ wide': () => init.truncNormal_(empty([6, 5], 'float64')),
  'init.orthogonal_ tall': () => init.orthogonal_(empty([8, 5])),
  'init.orthogonal_ wide': () => init.orthogonal_(empty([4, 3, 3]), { gain: 2 }),
  'init.sparse_': () => init.sparse_(empty([10, 4]), 0.25),
  'init.dirac_': () => init.dirac_(empty([4, 3, 3]), 2),
  'init.dirac_ 2d': () => init.dirac_(empty([3, 2, 2, 3])),
  'init.eye_': () => init.eye_(empty([3, 5])),
};
const byType: Record<string, (dtype: DType, n: number) => Tensor> = {
  rand: (dtype, n) => ng.rand(n, { dtype }),
  randn: (dtype, n) => ng.randn([n], { dtype }),
  uniform_: (dtype, n) => empty([n], dtype).uniform_(-1.3, 3.7),
  normal_: (dtype, n) => empty([n], dtype).normal_(1.5, { std: 2 }),
  exponential_: (dtype, n) => empty([n], dtype).exponential_(1.5),
  bernoulli_: (dtype, n) => empty([n], dtype).bernoulli_(n === 20 ? 0.4 : 0.3),
  random_: (dtype, n) => empty([n], dtype).random_(),
  logNormal_: (dtype, n) => empty([n], dtype).logNormal_(0.5, 0.25),
  cauchy_: (dtype, n) => empty([n], dtype).cauchy_(0.5, 2),
  geometric_: (dtype, n) => empty([n], dtype).geometric_(0.2),
  randint: (dtype, n) => ng.randint(0, 2, [n], { dtype }),
};
/** Where a logarithm, a cosine or a factorisation stands between: relative to the value. Everything else is exact. */
const rounded = /randn|normal|Normal|exponential|cauchy|orthogonal|sparse|[aA]lpha/;

function call(name: string): Tensor {
  const [fn, dtype, n] = name.split(' ');
  return name in calls ? calls[name]() : byType[fn](dtype as DType, Number(n ?? 20));
}

describe('random streams', () => {
  for (const [name, entry] of Object.entries(fixtures)) {
    it(name, () => {
      ng.manualSeed(1234);
      const x = call(name);
      expect(x.shape).to.deep.equal(entry.shape);
      expect(x.dtype).to.equal(entry.dtype);
      const values = [...x.flatten().toTypedArray()].slice(0, 40);
      entry.values.forEach((expected, i) => {
        const actual = values[i];
        if (typeof expected === 'string') expect(String(actual)).to.equal(expected);
        else if (rounded.test(name))
          expect(Math.abs(Number(actual) - expected), `element ${i}: ${actual}, PyTorch ${expected}`).to.be.at.most(
            1e-6 * Math.max(1, Math.abs(expected)),
          );
        else expect(Number(actual)).to.equal(expected);
      });
      expect(ng.rand(1, { dtype: 'float64' }).item()).to.equal(entry.next);
    });
  }

  it('exchanges its state with PyTorch', () => {
    const bytes = new Uint8Array(Buffer.from(savedState.bytes, 'hex'));
    ng.manualSeed(77);
    ng.randn(3);
    expect([...ng.getRngState().toTypedArray()]).to.deep.equal([...bytes]);
    ng.manualSeed(0);
    ng.setRngState(ng.tensor(bytes));
    const values = ng.randn(3, { dtype: 'float64' }).tolist() as number[];
    values.forEach((v, i) => {
      expect(v).to.be.closeTo(savedState.values[i], 1e-15);
    });
    expect(ng.initialSeed()).to.equal(77);
  });
});
