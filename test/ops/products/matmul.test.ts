/**
 * Matrix products against a naive float64 reference: layouts, sizes that are cut into tiles, integers, thread counts.
 */
import { expect } from 'chai';
import { addmm, bmm, DTypeError, matmul, mm, nn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';
import { windowOn } from '../../../lib/tensor/tensor.js';

let state = 1;
function values(n: number): Float64Array {
  return Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 4294967296 - 0.5;
  });
}
function matrix(rows: number, cols: number): Tensor {
  return tensor(values(rows * cols), { shape: [rows, cols] });
}
/** The same elements, stored by columns. */
function byColumns(x: Tensor): Tensor {
  const [rows, cols] = x.shape;
  const from = x.toTypedArray() as Float64Array;
  const stored = tensor(
    Float64Array.from({ length: rows * cols }, (_, i) => from[(i % rows) * cols + Math.floor(i / rows)]),
    { shape: [rows * cols] },
  );
  return windowOn(stored, [rows, cols], [1, rows], 0);
}
/** The same elements, each row followed by three elements of something else. */
function padded(x: Tensor): Tensor {
  const [rows, cols] = x.shape;
  const from = x.toTypedArray() as Float64Array;
  const stored = tensor(
    Float64Array.from({ length: rows * (cols + 3) }, (_, i) =>
      i % (cols + 3) < cols ? from[Math.floor(i / (cols + 3)) * cols + (i % (cols + 3))] : Number.NaN,
    ),
    { shape: [rows * (cols + 3)] },
  );
  return windowOn(stored, [rows, cols], [cols + 3, 1], 0);
}
function naive(a: Tensor, b: Tensor): Float64Array {
  const [m, k] = a.shape;
  const n = b.shape[1];
  const x = a.toTypedArray() as Float64Array;
  const y = b.toTypedArray() as Float64Array;
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) out[i * n + j] += x[i * k + p] * y[p * n + j];
  return out;
}
function expectNear(got: Tensor, expected: Float64Array, tolerance: number): void {
  const values = got.toTypedArray() as Float64Array;
  expect(values.length).to.equal(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(values[i] - expected[i]));
  expect(worst).to.be.lessThan(tolerance);
}

describe('matrix products', () => {
  it('serve rows, columns, padded rows and broadcast rows, in float64 and float32', () => {
    const a = matrix(7, 5);
    const b = matrix(5, 6);
    const expected = naive(a, b);
    for (const x of [a, byColumns(a), padded(a)]) {
      for (const y of [b, byColumns(b), padded(b)]) {
        expectNear(mm(x, y), expected, 1e-14);
        expectNear(mm(x.float(), y.float()).double(), expected, 1e-6);
      }
    }
    const row = matrix(1, 5).expand(7, 5);
    expectNear(mm(row, b), naive(row.clone(), b), 1e-14);
  });

  for (const [m, n, k] of [
    [200, 300, 150],
    [16, 24, 20000],
    [3, 40000, 40],
    [1, 300, 5000],
    [5000, 1, 300],
    [1, 1, 300000],
    [300, 1, 1],
  ]) {
    it(`${m}x${k} by ${k}x${n}: the sums are right, for each thread count to the bit`, () => {
      const a = matrix(m, k);
      const b = matrix(k, n);
      const bias = tensor(values(n));
      const expected = naive(a, b);
      const before = addon.getNumThreads();
      const results: Tensor[] = [];
      try {
        for (const threads of [1, 2, 5]) {
          addon.setNumThreads(threads);
          const plain = mm(a, b);
          expectNear(plain, expected, 1e-11);
          for (const x of [a, byColumns(a)]) for (const y of [b, byColumns(b)]) results.push(mm(x.float(), y.float()));
          results.push(plain, addmm(bias, a, b));
        }
      } finally {
        addon.setNumThreads(before);
      }
      const withBias = expected.map((x, i) => x + (bias.toTypedArray() as Float64Array)[i % n]);
      expectNear(results[5], withBias, 1e-11);
      for (let i = 6; i < results.length; i++)
        expect(results[i].toTypedArray()).to.deep.equal(results[i % 6].toTypedArray());
    });
  }

  it('walks batches, broadcast and not, without mixing them up', () => {
    const a = tensor(values(2 * 3 * 4 * 5), { shape: [2, 3, 4, 5] });
    const b = tensor(values(3 * 5 * 2), { shape: [3, 5, 2] });
    const out = matmul(a, b);
    expect(out.shape).to.deep.equal([2, 3, 4, 2]);
    const slice = (x: Tensor, i: number, rows: number, cols: number): Tensor =>
      windowOn(x, [rows, cols], [cols, 1], i * rows * cols);
    for (let i = 0; i < 6; i++) expectNear(slice(out, i, 4, 2), naive(slice(a, i, 4, 5), slice(b, i % 3, 5, 2)), 1e-14);
  });

  it('ignores the input where beta is 0, and reads it otherwise', () => {
    const nan = tensor([Number.NaN], { dtype: 'float64' });
    const a = matrix(3, 4);
    expectNear(addmm(nan, a, matrix(4, 3), { beta: 0 }).mul(0), new Float64Array(9), 1e-30);
    expect((addmm(nan, a, matrix(4, 3)).toTypedArray() as Float64Array).every(Number.isNaN)).to.equal(true);
  });

  it('multiplies integers with wrap-around, and refuses bools', () => {
    const a = tensor(new Int8Array([100, 2, -3, 4]), { shape: [2, 2] });
    expect(mm(a, a).tolist()).to.deep.equal([
      [((100 * 100 - 6) << 24) >> 24, ((208 << 24) >> 24) as number],
      [((-300 - 12) << 24) >> 24, 10],
    ]);
    const wide = tensor([[2n ** 40n, 3n]]);
    expect(bmm(wide.reshape(1, 1, 2), wide.reshape(1, 2, 1)).toTypedArray()[0]).to.equal(
      BigInt.asIntN(64, 2n ** 80n + 9n),
    );
    expect(() => mm(a.bool(), a.bool())).to.throw(DTypeError);
  });

  it('computes 16-bit types in float32 and rounds once', () => {
    const a = tensor([[1, 2 ** -8]], { dtype: 'bfloat16' });
    const b = tensor([[1], [1]], { dtype: 'bfloat16' });
    const y = nn.functional.linear(a, b.reshape(1, 2));
    expect(y.dtype).to.equal('bfloat16');
    expect(y.item()).to.equal(1);
  });
});
