/** `new Tensor(...)`, `FloatTensor(...)` and their like, with `new` and without, against PyTorch's. */
import { expect } from 'chai';
import * as torch from '../../../lib/index.js';
import {
  ArgumentError,
  DeviceError,
  DTypeError,
  FloatTensor,
  type LegacyClass,
  LongTensor,
  nn,
  ones,
  setDefaultDtype,
  setDefaultTensorType,
  Tensor,
  tensor,
} from '../../../lib/index.js';
import { answer, answersOf } from '../../tensor/surface-fixture.js';

const f32 = ones(2, 1);
const i64 = tensor([1n, 2n]);
const BOUNDED = ['LongTensor', 'IntTensor', 'ShortTensor', 'CharTensor', 'ByteTensor'];

type Call = (...args: unknown[]) => Tensor;
/** Each form by a function that calls the class, and the class itself. */
const forms: Readonly<Record<string, (make: Call, Class: LegacyClass, name: string) => unknown>> = {
  nothing: (make) => make(),
  'two sizes': (make) => make(2, 3).zero_(),
  'one size': (make) => make(5).zero_(),
  'a torch.Size': (make) => make(f32.shape).zero_(),
  'no size': (make) => make(tensor(1).shape).zero_(),
  numbers: (make) => make([1, 2]),
  fractions: (make, _, name) => make(name === 'ByteTensor' ? [1.5] : [1.5, -0.5]),
  rows: (make) => make([[1], [2]]),
  booleans: (make) => make([true, false]),
  'an empty array': (make) => make([]),
  'a typed array': (make) => make(Float64Array.of(1, 2.5)),
  'a float32 tensor': (make) => make(f32),
  'an int64 tensor': (make) => make(i64),
  tensors: (make) => make([tensor(1n), tensor(2n)]),
  'a fraction': (make) => make(2.5),
  'a boolean': (make) => make(true),
  None: (make) => make(null),
  'a negative size': (make) => make(-1),
  'a device': (make) => make(2, { device: 'cpu' }).zero_(),
  'another device': (make) => make(2, { device: 'cuda' }),
  'another option': (make) => make([1], { dtype: 'float64' }),
  'out of range': (make, _, name) => (BOUNDED.includes(name) ? make([2 ** 70]) : 'error'),
  'float32 is one': (_, Class) => f32 instanceof Class,
  'int64 is one': (_, Class) => i64 instanceof Class,
  type: (_, Class) => f32.type(Class),
  new: (make) => make([1]).new([3]),
  'new of sizes': (make) => make([1]).new(2, 2).zero_(),
  'new of nothing': (make) => make([1]).new(),
};

describe('constructors', () => {
  for (const [name, answers] of Object.entries(
    answersOf('legacy') as Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  )) {
    const Class = (torch as unknown as Record<string, LegacyClass>)[name];
    it(name, () => {
      const called = Class as unknown as Call;
      const constructed: Call = (...args) => Reflect.construct(Class, args) as Tensor;
      for (const make of [called, constructed])
        for (const [form, call] of Object.entries(forms))
          expect(
            answer(() => call(make, Class, name)),
            form,
          ).to.deep.equal(answers[form]);
      expect(Object.keys(forms).sort()).to.deep.equal(Object.keys(answers).sort());
    });
  }

  it('give tensors like any other', () => {
    const x = new Tensor([1, 2]);
    expect(x).to.be.instanceOf(Tensor);
    expect(x.constructor).to.equal(Tensor);
    expect(Tensor.name).to.equal('Tensor');
    expect(x.requiresGrad_().mul(3).sum().backward()).to.equal(undefined);
    expect(x.grad?.tolist()).to.deep.equal([3, 3]);
    expect(new nn.Parameter(f32)).to.be.instanceOf(Tensor);
    expect({} instanceof Tensor).to.equal(false);
    expect({} instanceof FloatTensor).to.equal(false);
  });

  it('share the memory of a tensor, and its place in the graph', () => {
    const x = ones(2).requiresGrad_();
    const y = new Tensor(x);
    y.detach().fill_(5);
    expect(x.tolist()).to.deep.equal([5, 5]);
    y.mul(2).sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([2, 2]);
  });

  it('follow the default type', () => {
    try {
      setDefaultTensorType(torch.DoubleTensor);
      expect(new Tensor(1).dtype).to.equal('float64');
      setDefaultTensorType('torch.HalfTensor');
      expect(Tensor([1]).dtype).to.equal('float16');
      expect(() => setDefaultTensorType(LongTensor)).to.throw(ArgumentError, /expected a floating dtype/);
      expect(() => setDefaultTensorType('torch.cuda.FloatTensor')).to.throw(
        ArgumentError,
        /setDefaultTensorType: expected a class such as FloatTensor/,
      );
    } finally {
      setDefaultDtype('float32');
    }
  });

  it('can be extended', () => {
    class Named extends Tensor {
      label = 'here';
    }
    const x = new Named([1, 2]);
    expect(x).to.be.instanceOf(Named);
    expect(x).to.be.instanceOf(Tensor);
    expect(x.label).to.equal('here');
    expect(x.add(1).tolist()).to.deep.equal([2, 3]);
    expect(ones(1)).not.to.be.instanceOf(Named);
  });

  it('say what they expect', () => {
    expect(() => new LongTensor(f32)).to.throw(
      DTypeError,
      /LongTensor: expected a tensor of int64 \(x\.to\('int64'\) converts\), got float32/,
    );
    expect(() => new Tensor(2.5)).to.throw(ArgumentError, /Tensor: expected integral sizes, got \[2\.5\]/);
    expect(() => new Tensor('2' as never)).to.throw(
      ArgumentError,
      /Tensor: expected sizes as numbers, an array of data, or a tensor, got "2"/,
    );
    expect(() => f32.new(2, { device: 'cuda' })).to.throw(DeviceError, /new: expected device 'cpu'/);
  });
});
