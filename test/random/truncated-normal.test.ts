/**
 * Truncated normal values in tails against the mean and variance of the truncated distribution (Johnson, Kotz,
 * Balakrishnan: Continuous Univariate Distributions).
 */
import { expect } from 'chai';
import { type DType, manualSeed, nn, zeros } from '../../lib/index.js';

/**
 * Of the standard normal distribution above a bound: h = density / probability; the mean is h, the variance 1 + bound h
 * - h^2.
 */
const HAZARD: Readonly<Record<number, number>> = { 1: 1.525135276160981, 5: 5.186503967125842 };
const COUNT = 40_000;

describe('truncNormal_ in a wide tail', () => {
  for (const [bound, hazard] of Object.entries(HAZARD).map(([b, h]) => [Number(b), h])) {
    for (const sign of [1, -1]) {
      for (const dtype of ['float32', 'float64'] as DType[]) {
        it(`${sign < 0 ? 'below' : 'above'} ${sign * bound} standard deviations, ${dtype}`, () => {
          manualSeed(3);
          const [mean, std] = [10, 2];
          const [low, high] = sign > 0 ? [mean + std * bound, 1e8] : [-1e8, mean - std * bound];
          const values = Array.from(
            nn.init.truncNormal_(zeros([COUNT], { dtype }), mean, std, low, high).toTypedArray() as Float64Array,
            (v) => (sign * (v - mean)) / std,
          );
          const average = values.reduce((a, b) => a + b, 0) / COUNT;
          const spread = values.reduce((a, b) => a + (b - average) ** 2, 0) / COUNT;
          const variance = 1 + bound * hazard - hazard ** 2;
          // Five standard errors.
          expect(average).to.be.closeTo(hazard, 5 * Math.sqrt(variance / COUNT));
          expect(spread).to.be.closeTo(variance, 5 * variance * Math.sqrt(8 / COUNT));
          expect(Math.min(...values)).to.be.at.least(bound);
        });
      }
    }
  }

  it('follows from the seed', () => {
    const drawn = (): unknown => {
      manualSeed(4);
      return nn.init.truncNormal_(zeros([5]), 0, 1, 2, 1e9).tolist();
    };
    expect(drawn()).to.deep.equal(drawn());
  });
});
