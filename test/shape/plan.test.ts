/**
 * Plans visit every element of every operand in step: checked by walking them and comparing with plain index
 * arithmetic.
 */
import { expect } from 'chai';
import { broadcastStrides } from '../../lib/shape/broadcast.js';
import { contiguousStrides, isContiguous } from '../../lib/shape/layout.js';
import { type Plan, planOf, type Strided, stridedPlan } from '../../lib/shape/plan.js';

function strided(shape: number[], strides = contiguousStrides(shape)): Strided {
  return { shape, strides, contiguousLayout: isContiguous(shape, strides) };
}

/** The offsets of all operands at every step of a plan. */
function visits(plan: Plan, operands: number): string[] {
  if (typeof plan === 'number') return Array.from({ length: plan }, (_, i) => new Array(operands).fill(i).join());
  const ndim = plan[0];
  const sizes = Array.from(plan.subarray(1, 1 + ndim));
  const out: string[] = [];
  const count = sizes.reduce((a, b) => a * b, 1);
  for (let i = 0; i < count; i++) {
    const at = new Array<number>(operands).fill(0);
    let rest = i;
    for (let d = ndim - 1; d >= 0; d--) {
      for (let k = 0; k < operands; k++) at[k] += (rest % sizes[d]) * plan[1 + (k + 1) * ndim + d];
      rest = Math.floor(rest / sizes[d]);
    }
    out.push(at.join());
  }
  return out;
}

/** The same by the definition of strides and broadcasting. */
function expected(shape: number[], operands: Strided[]): string[] {
  const count = shape.reduce((a, b) => a * b, 1);
  const strides = operands.map((t) => broadcastStrides(t.shape, t.strides, shape));
  return Array.from({ length: count }, (_, i) => {
    const at = new Array<number>(operands.length).fill(0);
    let rest = i;
    for (let d = shape.length - 1; d >= 0; d--) {
      for (let k = 0; k < operands.length; k++) at[k] += (rest % shape[d]) * strides[k][d];
      rest = Math.floor(rest / shape[d]);
    }
    return at.join();
  });
}

const CASES: [string, number[], Strided[]][] = [
  ['contiguous', [2, 3, 4], [strided([2, 3, 4]), strided([2, 3, 4])]],
  ['a scalar operand', [2, 3], [strided([2, 3]), strided([2, 3]), strided([])]],
  ['one element under more dimensions', [4], [strided([4]), strided([1])]],
  ['a row broadcast', [2, 3], [strided([2, 3]), strided([3])]],
  ['a column broadcast', [2, 3], [strided([2, 3]), strided([2, 1])]],
  ['a transposed input', [3, 2], [strided([3, 2]), strided([3, 2], [1, 3])]],
  ['a transposed output', [3, 2], [strided([3, 2], [1, 3]), strided([3, 2])]],
  ['every second element', [3, 2], [strided([3, 2]), strided([3, 2], [4, 2])]],
  ['an expanded input', [3, 2], [strided([3, 2]), strided([3, 2], [0, 1])]],
  ['a middle dimension repeated', [2, 3, 4], [strided([2, 3, 4]), strided([2, 1, 4])]],
  ['a scalar result', [], [strided([]), strided([])]],
  ['nothing', [0, 3], [strided([0, 3]), strided([3])]],
];

describe('plans', () => {
  for (const [name, shape, operands] of CASES) {
    it(`walk ${name}`, () => {
      const got = visits(planOf(shape, operands), operands.length);
      expect(got.sort()).to.deep.equal(expected(shape, operands).sort());
    });
  }

  it('join dimensions that lie one after the other', () => {
    const plan = planOf([2, 3, 4], [strided([2, 3, 4]), strided([2, 3, 4], [24, 8, 2])]) as Int32Array;
    expect(Array.from(plan.subarray(0, 4))).to.deep.equal([1, 24, 1, 2]);
  });

  it('of no elements are the count 0, whatever the strides', () => {
    expect(planOf([28, 0, 28], [strided([28, 0, 28]), strided([28, 0, 28], [1, 784, 28])])).to.equal(0);
    expect(planOf([9, 0], [strided([9, 0], [3, 2]), strided([1, 0], [1, 2])])).to.equal(0);
    expect(planOf([0, 5], [strided([0, 5]), strided([])])).to.equal(0);
    expect(
      stridedPlan(
        [4, 0, 9],
        [
          [1, 2, 3],
          [3, 2, 1],
        ],
      ),
    ).to.equal(0);
  });

  it('refuse what an int32 cannot hold', () => {
    expect(() => planOf([2, 3e9], [strided([2, 3e9]), strided([2, 1])])).to.throw(/below 2\^31/);
  });
});
