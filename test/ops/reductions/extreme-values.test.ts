/**
 * Reductions, norms and losses of data whose squares or sums leave the range of its type: computed wide, rounded once,
 * as PyTorch's or as its float64.
 */
import { described, expectAsRecorded, recordedCalls } from '../../reference/calls.js';

/** A few roundings of each type. */
const TOLERANCES: Readonly<Record<string, number>> = { float16: 4e-3, bfloat16: 3e-2, float32: 1e-5, float64: 1e-11 };

describe('values near the ends of their type', () => {
  for (const recorded of recordedCalls('extreme-values.json')) {
    const { dtype, scale } = recorded.args.find((a) => typeof a === 'object' && a !== null && 'scale' in a) as {
      dtype: string;
      scale: number;
    };
    it(`${described(recorded)} around ${scale}`, () => {
      expectAsRecorded(recorded, { rtol: TOLERANCES[dtype], atol: dtype === 'float16' ? 2e-7 : 0, cancelling: true });
    });
  }
});
