/**
 * Bernoulli draws of any length are the uniform doubles of the same stream compared with p, and leave the generator
 * where those do.
 */
import { expect } from 'chai';
import { bernoulli, type DType, full, manualSeed, rand, zeros } from '../../lib/index.js';

describe('bernoulli draws', () => {
  // The generator makes 624 words at a time, two a draw; draws are decided in blocks of 65536.
  for (const [skip, n] of [
    [0, 1],
    [0, 312],
    [5, 311],
    [311, 2],
    [7, 1000],
    [3, 65536 + 700],
  ]) {
    for (const p of [0, 0.3, 0.5, 1 / 3 + 2 ** -40, 1]) {
      it(`${n} after ${skip}, p = ${p}`, () => {
        manualSeed(11);
        rand([skip], { dtype: 'float64' });
        const u = rand([n], { dtype: 'float64' }).toTypedArray() as Float64Array;
        const next = rand([3], { dtype: 'float64' }).toTypedArray();
        for (const dtype of ['float32', 'float64', 'bfloat16', 'uint8'] as DType[]) {
          manualSeed(11);
          rand([skip], { dtype: 'float64' });
          const drawn = zeros([n], { dtype }).bernoulli_(p);
          expect(Array.from(drawn.to('float64').toTypedArray() as Float64Array)).to.deep.equal(
            Array.from(u, (x) => (x < p ? 1 : 0)),
          );
          expect(rand([3], { dtype: 'float64' }).toTypedArray()).to.deep.equal(next);
        }
      });
    }
  }

  it('draws by element of a tensor of probabilities', () => {
    manualSeed(1);
    expect(Array.from(bernoulli(full([5], 1)).toTypedArray() as Float32Array)).to.deep.equal([1, 1, 1, 1, 1]);
  });
});
