/**
 * Losses, elementwise functions and reductions at NaN, infinities, zeros, subnormal and largest numbers: results and
 * gradients are PyTorch's.
 */
import { described, expectAsRecorded, recordedCalls } from '../../reference/calls.js';

describe('special values', () => {
  for (const [i, recorded] of recordedCalls('special-values.json').entries()) {
    it(`${i}: ${described(recorded)}`, () => {
      expectAsRecorded(recorded, { rtol: 1e-5, atol: 1e-6 });
    });
  }
});
