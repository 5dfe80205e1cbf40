/**
 * Indices at and beyond the ends, negative ones above all: counted from the end where PyTorch does, a typed error where
 * PyTorch raises.
 */
import { described, expectAsRecorded, recordedCalls } from '../../reference/calls.js';

describe('indices at the ends of a dimension and beyond', () => {
  for (const recorded of recordedCalls('index-range.json')) {
    const indices = JSON.stringify(
      recorded.args
        .filter((a) => (a as { dtype?: string } | null)?.dtype?.startsWith('int'))
        .map((a) => (a as { values: unknown }).values),
    );
    it(`${described(recorded)} at ${indices}${recorded.raises === true ? ' raises' : ''}`, () => {
      expectAsRecorded(recorded, { rtol: 1e-6, atol: 0 });
    });
  }
});
