/** Types, shapes and values of created tensors: PyTorch's rules and the one rule about JavaScript's numbers. */
import { expect } from 'chai';
import {
  arange,
  ArgumentError,
  asTensor,
  empty,
  eye,
  full,
  fullLike,
  int64,
  linspace,
  logspace,
  ones,
  setDefaultDtype,
  ShapeError,
  tensor,
  zeros,
  zerosLike,
} from '../../lib/index.js';

describe('creation', () => {
  afterEach(() => setDefaultDtype('float32'));

  it('gives numbers the default floating type, bigints int64, booleans bool', () => {
    expect(tensor([1, 2]).dtype).to.equal('float32');
    expect(tensor([1n, 2n]).dtype).to.equal('int64');
    expect(tensor([true, false]).dtype).to.equal('bool');
    expect(tensor([true, 2]).dtype).to.equal('float32');
    expect(full([2], 3).dtype).to.equal('float32');
    expect(full([2], 3n).dtype).to.equal('int64');
    expect(full([2], true).tolist()).to.deep.equal([true, true]);
    setDefaultDtype('float64');
    for (const x of [tensor([1]), zeros(1), ones(1), full([1], 2), eye(1), linspace(0, 1, 2), arange(0.5)]) expect(x.dtype).to.equal('float64');
  });

  it('counts in int64 where all numbers are whole', () => {
    expect(arange(3).dtype).to.equal('int64');
    expect(arange(0, 2, 0.5).dtype).to.equal('float32');
    expect(arange(0, 2, 0.5).tolist()).to.deep.equal([0, 0.5, 1, 1.5]);
    expect(arange(1, 10, 4).tolist()).to.deep.equal([1, 5, 9]);
    expect(arange(1, 9, 4).tolist()).to.deep.equal([1, 5]);
    expect(arange(3, { dtype: 'float32' }).dtype).to.equal('float32');
    expect(arange({ start: 1, end: 3 }).tolist()).to.deep.equal([1, 2]);
  });

  it('takes shapes as an array or as numbers', () => {
    for (const x of [zeros(2, 3), zeros([2, 3]), zeros({ size: [2, 3] }), ones(2, 3, { dtype: int64 }), empty([2, 3])]) expect(x.shape).to.deep.equal([2, 3]);
    expect(zeros().shape).to.deep.equal([]);
    expect(zeros([]).shape).to.deep.equal([]);
    expect(zeros(0, 2).numel()).to.equal(0);
    expect(Object.isFrozen(zeros(2, 3).shape)).to.equal(true);
  });

  it('spaces values evenly, the ends exact', () => {
    expect(linspace(0, 1, 5).tolist()).to.deep.equal([0, 0.25, 0.5, 0.75, 1]);
    expect(linspace(3, 3, 1).tolist()).to.deep.equal([3]);
    expect(linspace(0, 10, 4, { dtype: 'int64' }).tolist()).to.deep.equal([0, 3, 6, 10]);
    expect(logspace(0, 3, 4).tolist()).to.deep.equal([1, 10, 100, 1000]);
    expect(logspace(0, 3, 4, 2).tolist()).to.deep.equal([1, 2, 4, 8]);
  });

  it('takes typed arrays, scalars of tensors and nested rows', () => {
    expect(tensor(Float64Array.of(1, 2, 3, 4), { shape: [2, 2] }).tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
    expect(tensor([[tensor(1)], [2]]).tolist()).to.deep.equal([[1], [2]]);
    expect(tensor([]).shape).to.deep.equal([0]);
    expect(tensor([[], []]).shape).to.deep.equal([2, 0]);
    expect(() => tensor([[1, 2], [3]])).to.throw(ShapeError, /tensor: expected rows of one length \(2 at dim 1\), got one of 1/);
    expect(() => tensor(['1'] as never)).to.throw(ArgumentError, /tensor: expected numbers, bigints or booleans, got "1"/);
    const data = Float32Array.of(1);
    const copy = tensor(data);
    data[0] = 9;
    expect(copy.item()).to.equal(1);
  });

  it('keeps a tensor that needs no change in asTensor', () => {
    const x = zeros(2);
    expect(asTensor(x)).to.equal(x);
    expect(asTensor(x, { dtype: 'int64' }).dtype).to.equal('int64');
    expect(asTensor([1, 2]).dtype).to.equal('float32');
  });

  it('makes tensors like another, or of its type', () => {
    const x = zeros(2, 2, { dtype: 'int16' });
    expect(zerosLike(x).dtype).to.equal('int16');
    expect(fullLike(x, 7, { dtype: 'float64' }).tolist()).to.deep.equal([
      [7, 7],
      [7, 7],
    ]);
    expect(x.newOnes(3).dtype).to.equal('int16');
    expect(x.newFull([1], 4).tolist()).to.deep.equal([4]);
    expect(x.newTensor([1, 2]).dtype).to.equal('int16');
    expect(x.newZeros([2], { dtype: 'bool' }).dtype).to.equal('bool');
  });
});

describe('values', () => {
  it('come out of int64 exactly, or not at all', () => {
    expect(tensor([2n ** 62n]).toTypedArray()[0]).to.equal(2n ** 62n);
    expect(() => tensor([2n ** 62n + 1n]).item()).to.throw(ArgumentError, /item: expected an int64 that a double holds exactly/);
    expect(() => tensor([2n ** 62n + 1n]).tolist()).to.throw(ArgumentError, /tolist/);
    expect(tensor([3n]).item()).to.equal(3);
    expect(tensor([true]).item()).to.equal(true);
    expect(tensor(1.5, { dtype: 'bfloat16' }).item()).to.equal(1.5);
    expect(tensor([1.5, -2], { dtype: 'float16' }).toTypedArray()).to.deep.equal(Float32Array.of(1.5, -2));
    expect(() => zeros(2).item()).to.throw(ArgumentError, /item: expected a tensor of one element/);
  });

  it('come out of views in logical order', () => {
    expect([...arange(6).reshape(2, 3).t().toTypedArray()]).to.deep.equal([0n, 3n, 1n, 4n, 2n, 5n]);
    expect(arange(6).reshape(2, 3).select(1, 2).tolist()).to.deep.equal([2, 5]);
    expect(zeros(2, 0).tolist()).to.deep.equal([[], []]);
  });
});
