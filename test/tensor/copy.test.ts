/** Every conversion between element types, against JavaScript's own arithmetic on typed arrays. */
import { expect } from 'chai';
import { type DType, tensor } from '../../lib/index.js';

const VALUES = [0, 1, -1, 2.75, -2.75, 100, 127];
/** What a number becomes when it is stored in the type; all values are small enough for every type but the bytes. */
const STORE: Record<DType, (x: number) => number> = {
  float32: Math.fround,
  float64: (x) => x,
  int64: Math.trunc,
  int32: Math.trunc,
  int16: Math.trunc,
  int8: (x) => (Math.trunc(x) << 24) >> 24,
  uint8: (x) => Math.trunc(x) & 255,
  bool: (x) => (x === 0 ? 0 : 1),
  bfloat16: (x) => x,
  float16: (x) => x,
};

describe('casts', () => {
  const names = Object.keys(STORE) as DType[];
  for (const from of names) {
    it(`from ${from} to every type`, () => {
      const source = tensor(VALUES, { dtype: 'float64' }).to(from);
      const held = VALUES.map(STORE[from]);
      for (const to of names) {
        const got = Array.from(source.to(to).toTypedArray() as ArrayLike<number | bigint>, Number);
        expect(
          got.map((x) => x + 0),
          `to ${to}`,
        ).to.deep.equal(held.map(STORE[to]).map((x) => x + 0));
      }
    });
  }

  it('keeps every digit of int64', () => {
    const big = 9007199254740993n;
    expect(tensor([big]).clone().toTypedArray()[0]).to.equal(big);
  });
});
