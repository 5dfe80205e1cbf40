/**
 * Fused attention against a naive float64 reference, across tiles, layouts and thread counts; its gradients against the
 * composed form's.
 */
import { expect } from 'chai';
import { autograd, nn, type Tensor, tensor } from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

const attend = nn.functional.scaledDotProductAttention;
let state = 7;
function values(...shape: number[]): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length: n }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state / 2147483648 - 1;
  });
  return tensor(data, { shape });
}
type See = (query: number, key: number) => number;
/** out[i] = sum over j of softmax(scale q[i] k[j] + see(i, j)) v[j], one head. */
function naive(q: Tensor, k: Tensor, v: Tensor, see: See): number[] {
  const [queries, features] = q.shape;
  const [keys, width] = v.shape;
  const [x, y, z] = [q, k, v].map((t) => t.toTypedArray() as Float64Array);
  const out: number[] = [];
  for (let i = 0; i < queries; i++) {
    const scores = Array.from({ length: keys }, (_, j) => {
      let sum = 0;
      for (let e = 0; e < features; e++) sum += x[i * features + e] * y[j * features + e];
      return sum / Math.sqrt(features) + see(i, j);
    });
    const top = Math.max(...scores);
    const weights = scores.map((s) => (top === Number.NEGATIVE_INFINITY ? 0 : Math.exp(s - top)));
    const total = weights.reduce((a, b) => a + b, 0);
    for (let e = 0; e < width; e++)
      out.push(total === 0 ? 0 : weights.reduce((sum, w, j) => sum + w * z[j * width + e], 0) / total);
  }
  return out;
}
function expectNear(got: Tensor, expected: ArrayLike<number>, tolerance: number): void {
  const numbers = got.toTypedArray() as Float64Array;
  expect(numbers.length).to.equal(expected.length);
  let worst = 0;
  for (let i = 0; i < numbers.length; i++) worst = Math.max(worst, Math.abs(numbers[i] - expected[i]));
  expect(worst).to.be.lessThan(tolerance);
}

describe('scaled dot product attention', () => {
  const [q, k, v] = [values(300, 6), values(530, 6), values(530, 5)];
  const cases: [string, See, Parameters<typeof attend>[3], boolean][] = [
    ['plain', () => 0, undefined, false],
    ['causal', (i, j) => (j <= i ? 0 : Number.NEGATIVE_INFINITY), undefined, true],
  ];
  for (const [name, see, mask, causal] of cases) {
    it(`${name}: right over several tiles, the same to the bit for each thread count`, () => {
      const expected = naive(q, k, v, see);
      const before = addon.getNumThreads();
      const results: Tensor[] = [];
      try {
        for (const threads of [1, 2, 3]) {
          addon.setNumThreads(threads);
          const out = attend(q, k, v, mask, 0, causal);
          expectNear(out, expected, 1e-13);
          results.push(attend(q.float(), k.float(), v.float(), mask, 0, causal));
        }
      } finally {
        addon.setNumThreads(before);
      }
      expectNear(results[0].double(), expected, 1e-5);
      for (const result of results) expect(result.toTypedArray()).to.deep.equal(results[0].toTypedArray());
    });

    it(`${name}: gradients of the kernel are those of the composed form`, () => {
      const leaves = [q, k, v].map((t) => t.clone().requiresGrad_());
      const g = values(300, 5);
      const fused = autograd.grad(attend(leaves[0], leaves[1], leaves[2], mask, 0, causal), leaves, { gradOutputs: g });
      const composed = autograd.grad(attend(leaves[0], leaves[1], leaves[2], mask, 0, causal), leaves, {
        gradOutputs: g,
        createGraph: true,
      });
      fused.forEach((t, i) => {
        expectNear(t as Tensor, (composed[i] as Tensor).toTypedArray() as Float64Array, 1e-13);
      });
    });
  }

  it('adds a mask row by row, and gives 0 to a query that sees nothing', () => {
    const seen = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: 530 }, (__, j) => i !== 17 && (i + j) % 3 !== 0 && j < 400),
    );
    const out = attend(q, k, v, tensor(seen));
    expectNear(
      out,
      naive(q, k, v, (i, j) => (seen[i][j] ? 0 : Number.NEGATIVE_INFINITY)),
      1e-13,
    );
    expect(out.select(0, 17).tolist()).to.deep.equal([0, 0, 0, 0, 0]);
  });

  it('takes heads as views of one projection, without mixing them up', () => {
    const packed = values(9, 2, 3 * 8);
    const heads = [0, 1, 2].map((i) =>
      packed
        .narrow(2, 8 * i, 8)
        .reshape(9, 2, 2, 4)
        .permute(1, 2, 0, 3),
    );
    const out = attend(heads[0], heads[1], heads[2], null, 0, true);
    for (let n = 0; n < 2; n++) {
      for (let h = 0; h < 2; h++) {
        const [a, b, c] = heads.map((t) => t.select(0, n).select(0, h).contiguous());
        expectNear(
          out.select(0, n).select(0, h),
          naive(a, b, c, (i, j) => (j <= i ? 0 : Number.NEGATIVE_INFINITY)),
          1e-14,
        );
      }
    }
  });

  for (const [name, order, shape] of [
    ['batch, rows, heads', [0, 2, 1, 3], (rows: number, width: number) => [2, rows, 3, width]],
    ['rows, batch, heads', [1, 2, 0, 3], (rows: number, width: number) => [rows, 2, 3, width]],
    ['batch, heads, rows', [0, 1, 2, 3], (rows: number, width: number) => [2, 3, rows, width]],
  ] as const)
    it(`gives result and gradients in the layout of the query: ${name}`, () => {
      // As many keys as make more than one block, as many queries as make several tiles.
      const [a, b, c] = [values(...shape(70, 5)), values(...shape(300, 5)), values(...shape(300, 7))].map((t) =>
        t.permute(...order).requiresGrad_(),
      );
      const [x, y, z] = [a, b, c].map((t) => t.detach().clone().contiguous().requiresGrad_());
      const [got, expected] = [attend(a, b, c), attend(x, y, z)];
      const back = order.map((_, d) => order.indexOf(d as 0));
      expect(got.permute(...back).isContiguous()).to.equal(true);
      expect(got.toTypedArray()).to.deep.equal(expected.toTypedArray());
      for (let n = 0; n < 2; n++) {
        for (let h = 0; h < 3; h++) {
          const [p, q, r] = [a, b, c].map((t) => t.detach().select(0, n).select(0, h).contiguous());
          expectNear(
            got.select(0, n).select(0, h),
            naive(p, q, r, () => 0),
            1e-14,
          );
        }
      }
      // Gradients that come in either layout.
      for (const g of [values(2, 3, 70, 7), values(...shape(70, 7)).permute(...order)]) {
        const theirs = autograd.grad(expected, [x, y, z], { gradOutputs: g.contiguous(), retainGraph: true });
        autograd.grad(got, [a, b, c], { gradOutputs: g, retainGraph: true }).forEach((gradient, i) => {
          expect((gradient as Tensor).permute(...back).isContiguous()).to.equal(true);
          expect((gradient as Tensor).toTypedArray()).to.deep.equal((theirs[i] as Tensor).toTypedArray());
        });
      }
      const [half, reference] = [
        [a, b, c],
        [x, y, z],
      ].map(([p, q, r]) =>
        attend(p.detach().to('bfloat16'), q.detach().to('bfloat16'), r.detach().to('bfloat16')).double(),
      );
      expect(half.toTypedArray()).to.deep.equal(reference.toTypedArray());
    });

  it('computes 16-bit types in float32', () => {
    const [a, b, c] = [q, k, v].map((t) => t.to('bfloat16'));
    const out = attend(a, b, c);
    expect(out.dtype).to.equal('bfloat16');
    expectNear(out.double(), attend(a.double(), b.double(), c.double()).toTypedArray() as Float64Array, 2e-3);
  });
});
