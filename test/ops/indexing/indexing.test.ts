/**
 * Reading and writing by index lists against PyTorch (test/fixtures/indexing.json, written by
 * scripts/fixtures/indexing.py), and gathers and scatters against loops; sums that no thread count changes.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  ArgumentError,
  arange,
  autograd,
  ellipsis,
  full,
  gather,
  type Index,
  IndexError,
  indexAdd,
  indexSelect,
  maskedSelect,
  nn,
  noGrad,
  nonzero,
  scatterAdd,
  slice,
  type Tensor,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { addon } from '../../../lib/native/addon.js';

type Item =
  | number
  | null
  | '...'
  | { slice: (number | null)[] }
  | { int: number | number[] }
  | { bool: boolean | boolean[] };
interface Case {
  readonly shape: number[];
  readonly index: Item[];
  readonly out: { shape: number[]; values: number[] };
  readonly put: number[] | null;
}
const cases = JSON.parse(readFileSync(new URL('../../fixtures/indexing.json', import.meta.url), 'utf8')) as Case[];

function decode(item: Item): Index {
  if (item === '...') return ellipsis;
  if (item === null || typeof item === 'number') return item;
  if ('slice' in item) {
    // Python's slice(n) means :n.
    const [start, stop, step] = item.slice.length === 1 ? [null, item.slice[0], null] : item.slice;
    return slice(start, stop, step);
  }
  return 'int' in item ? tensor(item.int, { dtype: 'int64' }) : tensor(item.bool);
}

function ramp(shape: readonly number[], from = 1): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return arange(from, from + count, 1, { dtype: 'float64' }).reshape([...shape]);
}

/** Values without a pattern, the same each run. */
function scrambled(count: number, modulus: number): number[] {
  return Array.from({ length: count }, (_, i) => ((i * 2654435761) >>> 7) % modulus);
}

describe('indexing', () => {
  for (const { shape, index, out, put } of cases) {
    const name = `[${shape}] at ${JSON.stringify(index)}`;
    it(`reads ${name}`, () => {
      const got = ramp(shape).index(index.map(decode));
      expect(got.shape).to.deep.equal(out.shape);
      expect([...got.toTypedArray()]).to.deep.equal(out.values);
    });
    it(`reads ${name} of a transposed tensor`, () => {
      const reversed = shape.map((_, d) => shape.length - 1 - d);
      const x = ramp(shape).permute(reversed).contiguous().permute(reversed);
      expect([...x.index(index.map(decode)).toTypedArray()]).to.deep.equal(out.values);
    });
    if (put === null) continue;
    it(`writes ${name}`, () => {
      const x = ramp(shape);
      x.indexPut_(index.map(decode), ramp(out.shape, 100));
      expect([...x.toTypedArray()]).to.deep.equal(put);
      const y = ramp(shape);
      expect([...y.indexPut(index.map(decode), ramp(out.shape, 100)).toTypedArray()]).to.deep.equal(put);
      expect([...y.toTypedArray()]).to.deep.equal([...ramp(shape).toTypedArray()]);
    });
  }

  it('gives views for basic indices alone', () => {
    const x = zeros(3, 4);
    x.index([slice(1, null), 2]).fill_(7);
    expect(x.tolist()).to.deep.equal([
      [0, 0, 0, 0],
      [0, 0, 7, 0],
      [0, 0, 7, 0],
    ]);
    x.index([[0]]).fill_(5);
    expect(x.index([0, 0]).item()).to.equal(0);
  });

  it('takes every integer type, nested arrays and booleans as indices', () => {
    const x = arange(4);
    for (const dtype of ['int64', 'int32', 'int16', 'int8'] as const)
      expect(x.index([tensor([3, -4], { dtype })]).tolist()).to.deep.equal([3, 0]);
    expect(x.index([tensor([1, 0, 0, 1], { dtype: 'uint8' })]).tolist()).to.deep.equal([0, 3]);
    expect(x.index([[1, -1]]).tolist()).to.deep.equal([1, 3]);
    expect(x.index([[true, false, false, true]]).tolist()).to.deep.equal([0, 3]);
    expect(x.index(2).tolist()).to.equal(2);
    expect(x.index(true).tolist()).to.deep.equal([[0, 1, 2, 3]]);
    expect(x.index(false).shape).to.deep.equal([0, 4]);
  });

  it('writes nothing where an index is out of range', () => {
    const x = zeros(3);
    expect(() => x.indexPut_([[0, 5]], 1)).to.throw(IndexError);
    expect(() => x.indexAdd_(0, tensor([0n, -4n]), full([2], 1))).to.throw(IndexError);
    expect(() => x.scatter_(0, tensor([0n, 3n]), 1)).to.throw(IndexError);
    // Of an index that several threads look at, the first one is named.
    const long = new BigInt64Array(200_000).fill(1n);
    [long[150_001], long[100_003], long[100_002], long[199_999]] = [7n, -4n, 3n, -1000n];
    expect(() => x.indexSelect(0, tensor(long))).to.throw(IndexError, /got 3 \(element 100002\)/);
    const huge = tensor([1n, 2n ** 63n - 1n, 0n]);
    expect(() => x.indexSelect(0, huge)).to.throw(IndexError, /element 1\)/);
    expect(() => x.take(huge.mul(-1).sub(1))).to.throw(IndexError, /element 1\)/);
    expect(x.tolist()).to.deep.equal([0, 0, 0]);
  });

  it('adds repeated indices up, in values and gradients', () => {
    const x = zeros(3).indexPut_([[1, 1, 2]], tensor([1, 2, 3]), { accumulate: true });
    expect(x.tolist()).to.deep.equal([0, 3, 3]);
    const y = arange(3, { dtype: 'float64', requiresGrad: true });
    autograd.backward(
      y
        .index([[1, 1, 2]])
        .mul(tensor([1, 10, 100], { dtype: 'float64' }))
        .sum(),
    );
    expect(y.grad?.tolist()).to.deep.equal([0, 11, 100]);
  });

  it('gathers, scatters and selects as loops do', () => {
    const [rows, columns, picks] = [7, 5, 4];
    const values = scrambled(rows * columns, 1000);
    const index = scrambled(rows * picks, columns);
    const x = tensor(values, { dtype: 'float64' }).reshape(rows, columns);
    const at = tensor(index, { dtype: 'int64' }).reshape(rows, picks);
    const gathered = gather(x, 1, at).toTypedArray();
    const added = values.slice();
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < picks; j++) {
        expect(gathered[i * picks + j]).to.equal(values[i * columns + index[i * picks + j]]);
        added[i * columns + index[i * picks + j]] += j + 1;
      }
    }
    const source = arange(1, picks + 1, 1, { dtype: 'float64' }).expand(rows, picks);
    expect([...scatterAdd(x, 1, at, source).toTypedArray()]).to.deep.equal(added);
    expect([...scatterAdd(x.t(), 0, at.t(), source.t()).t().toTypedArray()]).to.deep.equal(added);
    const mask = values.map((v) => v > 500);
    const positions = mask.flatMap((on, i) => (on ? [i] : []));
    const asMask = tensor(mask).reshape(rows, columns);
    expect([...maskedSelect(x, asMask).toTypedArray()]).to.deep.equal(positions.map((p) => values[p]));
    expect(nonzero(asMask).tolist()).to.deep.equal(positions.map((p) => [Math.floor(p / columns), p % columns]));
  });

  it('sums to the same bits for any number of threads', () => {
    const [n, count, width] = [50, 4000, 32];
    const index = tensor(scrambled(count, n), { dtype: 'int64' });
    const source = tensor(scrambled(count * width, 9973).map((v) => v / 9973 - 0.5)).reshape(count, width);
    const before = addon.getNumThreads();
    const runs = [1, 2, 5].map((threads) => {
      addon.setNumThreads(threads);
      const a = indexAdd(zeros(n, width), 0, index, source).toTypedArray();
      const b = scatterAdd(zeros(n, width), 0, index.unsqueeze(1).expand(count, width), source).toTypedArray();
      return [a, b];
    });
    addon.setNumThreads(before);
    for (const [a, b] of runs) {
      expect(a).to.deep.equal(runs[0][0]);
      expect(b).to.deep.equal(runs[0][1]);
    }
    expect(runs[0][0]).to.deep.equal(runs[0][1]);
    expect(indexSelect(source, 0, index.index([slice(0, 3)])).shape).to.deep.equal([3, width]);
  });

  it('a slice of one bound is an error that shows both readings', () => {
    const one = slice as unknown as (bound: unknown) => unknown;
    expect(() => one(8)).to.throw(
      ArgumentError,
      /slice: expected both ends: slice\(null, 8\) for :8, slice\(8, null\) for 8:, got slice\(8\)/,
    );
    expect(() => one(null)).to.throw(ArgumentError, /both ends/);
    expect(() => one(undefined)).to.throw(ArgumentError, /both ends/);
    const x = arange(10);
    expect(x.index([slice(null, 8)]).tolist()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(x.index([slice(8, null)]).tolist()).to.deep.equal([8, 9]);
    expect(x.index([slice()]).tolist()).to.deep.equal(x.tolist());
    expect(x.index([slice(null, null, tensor(4n))]).tolist()).to.deep.equal([0, 4, 8]);
    expect(() => slice(tensor(1.5), null)).to.throw(
      ArgumentError,
      /slice: expected whole numbers or null, got float32/,
    );
  });

  it('moves every type', () => {
    for (const dtype of [
      'float32',
      'float64',
      'int64',
      'int32',
      'int16',
      'int8',
      'uint8',
      'bool',
      'bfloat16',
      'float16',
    ] as const) {
      const x = tensor([0, 1, 1, 0, 1], { dtype });
      const want = dtype === 'bool' ? [true, false] : [1, 0];
      expect(x.index([[2, 3]]).tolist(), dtype).to.deep.equal(want);
      expect(x.gather(0, tensor([4n, 0n])).tolist(), dtype).to.deep.equal(want);
      expect(x.flip(0).narrow(0, 0, 2).tolist(), dtype).to.deep.equal(want);
      expect(
        zeros(2, { dtype })
          .indexPut_([[0]], tensor([1], { dtype }))
          .tolist(),
        dtype,
      ).to.deep.equal(want);
      expect(
        zeros(2, { dtype })
          .scatter_(0, tensor([0n]), tensor([1], { dtype }))
          .tolist(),
        dtype,
      ).to.deep.equal(want);
    }
  });
});

describe('embedding', () => {
  const weight = (): Tensor => arange(8, { dtype: 'float64' }).reshape(4, 2).requiresGrad_();
  const { embedding, oneHot } = nn.functional;

  it('leaves the padding row without gradient, and divides by frequency where asked', () => {
    const index = tensor([1n, 3n, 1n]);
    const w = weight();
    embedding(index, w, { paddingIdx: -1 }).sum().backward();
    expect(w.grad?.tolist()).to.deep.equal([
      [0, 0],
      [2, 2],
      [0, 0],
      [0, 0],
    ]);
    const v = weight();
    embedding(index, v, { scaleGradByFreq: true }).sum().backward();
    expect(v.grad?.tolist()).to.deep.equal([
      [0, 0],
      [1, 1],
      [0, 0],
      [1, 1],
    ]);
  });

  it('scales long rows down in place', () => {
    const w = weight();
    const out = embedding(tensor([0n, 3n]), w, { maxNorm: 1 });
    const norms = noGrad(() => w.mul(w)).tolist() as number[][];
    expect(norms.map(([a, b]) => a + b > 1.0001)).to.deep.equal([false, true, true, false]);
    expect(out.tolist()).to.deep.equal([(w.tolist() as number[][])[0], (w.tolist() as number[][])[3]]);
  });

  it('counts classes', () => {
    expect(oneHot(tensor([2n, 0n])).tolist()).to.deep.equal([
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(oneHot(zeros(0, { dtype: 'int64' }), 3).shape).to.deep.equal([0, 3]);
  });
});
