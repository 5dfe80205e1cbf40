/** The number of threads can be set, and changes no result by a bit. */
import { expect } from 'chai';
import { ArgumentError, getNumThreads, manualSeed, nn, randn, setNumThreads, type Tensor } from '../../lib/index.js';

/** Forward and backward of a convolutional net on shapes large enough to be cut into pieces. */
function run(): number[][] {
  manualSeed(3);
  const model = new nn.Sequential(
    new nn.Conv2d(3, 24, 3, { padding: 1 }),
    new nn.BatchNorm2d(24),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(24 * 24 * 24, 33),
  );
  const x = randn([5, 3, 48, 48], { requiresGrad: true });
  const y = nn.functional.logSoftmax(model(x) as Tensor, 1);
  y.sum().add(y.square().mean()).backward();
  return [y, x.grad as Tensor, ...model.parameters().map((p) => p.grad as Tensor)].map((t) =>
    Array.from(t.toTypedArray() as Float32Array),
  );
}

describe('threads', () => {
  const before = getNumThreads();
  after(() => setNumThreads(before));

  it('change no result by a bit', () => {
    setNumThreads(1);
    const alone = run();
    for (const count of [2, 3, 7]) {
      setNumThreads(count);
      expect(getNumThreads()).to.equal(count);
      expect(run()).to.deep.equal(alone);
    }
  });

  it('refuse numbers that make no sense', () => {
    for (const count of [0, -1, 1.5, Number.NaN, 5000])
      expect(() => setNumThreads(count)).to.throw(
        ArgumentError,
        /setNumThreads: expected a whole number from 1 to 1024/,
      );
  });
});
