/**
 * Interpolation of every mode, number of dimensions, factor and size against PyTorch, element by element, with its
 * gradients.
 */
import { described, expectAsRecorded, recordedCalls } from '../../reference/calls.js';

const TOLERANCES: Readonly<Record<string, number>> = { bfloat16: 8e-3, float32: 2e-6, float64: 1e-13 };

describe('interpolate', () => {
  for (const [i, recorded] of recordedCalls('interpolate.json').entries()) {
    const rtol = TOLERANCES[(recorded.args[0] as { dtype: string }).dtype];
    it(`${i}: ${described(recorded)}`, () => {
      expectAsRecorded(recorded, { rtol, atol: rtol, cancelling: true });
    });
  }
});
