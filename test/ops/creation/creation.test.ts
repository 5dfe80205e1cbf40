/** Types, shapes and values of created tensors: PyTorch's rules and the one rule about JavaScript's numbers. */
import { expect } from 'chai';
import {
  ArgumentError,
  arange,
  asTensor,
  type DType,
  empty,
  eye,
  fromNumpy,
  full,
  fullLike,
  int64,
  linspace,
  logspace,
  ones,
  ShapeError,
  setDefaultDtype,
  type Tensor,
  tensor,
  zeros,
  zerosLike,
} from '../../../lib/index.js';
import type { TypedArray } from '../../../lib/native/typed-array.js';
import { compareWithFixture } from '../../tensor/surface-fixture.js';

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
    for (const x of [tensor([1]), zeros(1), ones(1), full([1], 2), eye(1), linspace(0, 1, 2), arange(0.5)])
      expect(x.dtype).to.equal('float64');
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
    for (const x of [zeros(2, 3), zeros([2, 3]), zeros({ size: [2, 3] }), ones(2, 3, { dtype: int64 }), empty([2, 3])])
      expect(x.shape).to.deep.equal([2, 3]);
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
    expect(() => tensor([[1, 2], [3]])).to.throw(
      ShapeError,
      /tensor: expected rows of one length \(2 at dim 1\), got one of 1/,
    );
    expect(() => tensor(['1'] as never)).to.throw(
      ArgumentError,
      /tensor: expected numbers, bigints or booleans, got "1"/,
    );
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

describe('tensor of nested data', () => {
  const scalar = (value: number, dtype: DType): Tensor => tensor(value, { dtype });
  const attached = tensor([1], { requiresGrad: true });
  compareWithFixture('lists', {
    'float32 rows': () => tensor([Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)]),
    'float64 rows': () => tensor([Float64Array.of(1, 2), Float64Array.of(3, 4)]),
    'int32 rows': () => tensor([Int32Array.of(1, 2)]),
    'uint8 rows': () => tensor([Uint8Array.of(1, 255)]),
    'int64 rows': () => tensor([BigInt64Array.of(1n, 2n)]),
    'int32 and float32 rows': () => tensor([Int32Array.of(1, 2), Float32Array.of(0.5, 2)]),
    'uint8 and int8 rows': () => tensor([Uint8Array.of(1, 2), Int8Array.of(-1, 2)]),
    'a row of numbers beside': () => tensor([Int32Array.of(1, 2), [1.5, 2.5]]),
    'rows in rows': () => tensor([[Int16Array.of(1, 2)], [Int16Array.of(3, 4)]]),
    'rows of no elements': () => tensor([new Float64Array(0)]),
    'ragged rows': () => tensor([new Float64Array(3), new Float64Array(2)]),
    'float tensors': () => tensor([tensor(1), tensor(2)]),
    'a float64 tensor beside': () => tensor([scalar(1, 'float64'), tensor(2)]),
    'int64 tensors': () => tensor([tensor(1n), tensor(2n)]),
    'int32 tensor and a fraction': () => tensor([scalar(1, 'int32'), 1.5]),
    'bfloat16 tensor': () => tensor([scalar(1, 'bfloat16')]),
    'bfloat16 tensor and a fraction': () => tensor([scalar(1, 'bfloat16'), 1.5]),
    bools: () => tensor([tensor(true), false]),
    'tensors of one element': () => tensor([ones(1), ones(1, 1)]),
    'tensors in rows': () =>
      tensor([
        [tensor(1), 2],
        [3, tensor(4n)],
      ]),
    'tensors of several elements': () => tensor([ones(3), ones(3)]),
    'a tensor that requires grad': () => [
      tensor([attached.select(0, 0)]),
      tensor([attached.select(0, 0)]).requiresGrad,
    ],
  });

  it('keeps the digits of int64, and says what does not fit', () => {
    expect(tensor([BigInt64Array.of(2n ** 62n + 1n)]).toTypedArray()[0]).to.equal(2n ** 62n + 1n);
    expect(tensor([tensor([2n ** 62n + 1n])]).toTypedArray()[0]).to.equal(2n ** 62n + 1n);
    expect(() => tensor([ones(3)])).to.throw(
      ArgumentError,
      /tensor: expected tensors of one element in an array \(stack takes larger ones\), got float32\[3\]/,
    );
    expect(() => tensor([[1, 2], Float32Array.of(1, 2, 3)])).to.throw(
      ShapeError,
      /rows of one length \(2 at dim 1\), got one of 3/,
    );
    expect(() => tensor([[[1], [2]], Float32Array.of(1, 2)])).to.throw(ShapeError, /3 dimensions everywhere/);
    expect(() => tensor([Uint16Array.of(1)])).to.throw(
      ArgumentError,
      /a typed array of a type that dtypes have, got Uint16Array/,
    );
    expect(() => tensor([1, 2], { shape: [-2, -1] })).to.throw(ShapeError, /sizes of at least 0/);
    expect(() => tensor([1, 2], { shape: 2 as never })).to.throw(ArgumentError, /an array of sizes for shape, got 2/);
  });

  it('takes everything by name', () => {
    expect(tensor({ data: [1, 2], dtype: 'int64' }).toTypedArray()).to.deep.equal(BigInt64Array.of(1n, 2n));
    expect(asTensor({ data: [1], dtype: 'float64' }).dtype).to.equal('float64');
    expect(() => tensor({ dtype: 'int64' } as never)).to.throw(ArgumentError, /tensor: expected data, got undefined/);
  });
});

describe('fromNumpy', () => {
  it('shares memory with every kind of typed array', () => {
    const arrays: readonly [TypedArray | Uint8ClampedArray, DType][] = [
      [Float32Array.of(1, 2, 3), 'float32'],
      [Float64Array.of(1, 2, 3), 'float64'],
      [BigInt64Array.of(1n, 2n, 3n), 'int64'],
      [Int32Array.of(1, 2, 3), 'int32'],
      [Int16Array.of(1, 2, 3), 'int16'],
      [Int8Array.of(1, 2, 3), 'int8'],
      [Uint8Array.of(1, 2, 3), 'uint8'],
      [Uint8ClampedArray.of(1, 2, 3), 'uint8'],
      [Buffer.from([1, 2, 3]), 'uint8'],
      [Float64Array.of(0, 1, 2, 3).subarray(1), 'float64'],
    ];
    for (const [array, dtype] of arrays) {
      for (const x of [fromNumpy(array), asTensor(array)]) {
        expect(x.dtype).to.equal(dtype);
        array[0] = (dtype === 'int64' ? 7n : 7) as never;
        expect(x.tolist()).to.deep.equal([7, 2, 3]);
        x.narrow(0, 0, 1).fill_(1);
        expect(Number(array[0])).to.equal(1);
      }
    }
  });

  it('takes a shape, and refuses what is no typed array', () => {
    const array = Float32Array.of(1, 2, 3, 4);
    const x = fromNumpy(array, { shape: [2, 2] });
    x.t().select(0, 1).mul_(10);
    expect([...array]).to.deep.equal([1, 20, 3, 40]);
    expect(() => fromNumpy(array, { shape: [3] })).to.throw(
      ShapeError,
      /fromNumpy: expected a shape of 4 elements, got \[3\]/,
    );
    expect(() => fromNumpy(array, { shape: [-2, -2] })).to.throw(ShapeError, /sizes of at least 0/);
    expect(() => fromNumpy([1] as never)).to.throw(ArgumentError, /fromNumpy: expected a typed array, got \[1\]/);
    expect(() => fromNumpy(new DataView(new ArrayBuffer(8)) as never)).to.throw(ArgumentError, /a typed array/);
    expect(() => fromNumpy(new Uint16Array(1))).to.throw(
      ArgumentError,
      /a typed array of a type that dtypes have, got Uint16Array/,
    );
    expect(asTensor(array, { dtype: 'float64' }).mul_(2).tolist()).to.deep.equal([2, 40, 6, 80]);
    expect([...array]).to.deep.equal([1, 20, 3, 40]);
  });

  it('is part of the graph like any leaf', () => {
    const x = fromNumpy(Float32Array.of(1, 2)).requiresGrad_();
    x.pow(2).sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([2, 4]);
  });
});

describe('values', () => {
  it('come out of int64 exactly, or not at all', () => {
    expect(tensor([2n ** 62n]).toTypedArray()[0]).to.equal(2n ** 62n);
    expect(() => tensor([2n ** 62n + 1n]).item()).to.throw(
      ArgumentError,
      /item: expected an int64 that a double holds exactly/,
    );
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
