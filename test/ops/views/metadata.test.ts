/** What a tensor tells of itself, and what changes its window on memory, against PyTorch's answers. */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  arange,
  canCast,
  type DType,
  finfo,
  getDevice,
  iinfo,
  isComplex,
  isConj,
  isNeg,
  isSameSize,
  ones,
  promoteTypes,
  resultType,
  type Tensor,
  tensor,
  zeros,
} from '../../../lib/index.js';
import { answer, answersOf, compareWithFixture } from '../../tensor/surface-fixture.js';

const f32 = ones(2, 1);
const i64 = tensor([1n, 2n]);
const r6 = (): Tensor => arange(6, { dtype: 'float32' });
const ones4 = ones(2, 3, 4, 5);

function resized(x: Tensor, ...sizes: number[] | [number[]]): unknown {
  x.resize_(...sizes);
  return [[...x.shape], [...x.stride()], x.storageOffset(), x.version];
}
const of = (dtypes: DType[], ask: (x: Tensor) => unknown): unknown[] => dtypes.map((dtype) => ask(ones(1, { dtype })));

describe('what a tensor tells of itself', () => {
  compareWithFixture('metadata', {
    type: () =>
      of(['float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'], (x) =>
        x.type(),
      ),
    'type of a dtype': () => f32.type('int64'),
    'type of a name': () => f32.type('torch.LongTensor'),
    'type of nonsense': () => f32.type('bad'),
    'type of its own': () => f32.type('float32') === f32,
    nelement: () => f32.nelement(),
    ndimension: () => f32.ndimension(),
    itemsize: () => of(['float64', 'bool'], (x) => x.itemsize),
    nbytes: () => f32.double().nbytes,
    elementSize: () => f32.half().elementSize(),
    isSameSize: () => [isSameSize(f32, f32), f32.isSameSize(i64)],
    isSigned: () => of(['float32', 'uint8', 'bool', 'int8'], (x) => x.isSigned()),
    isComplex: () => [f32.isComplex(), isComplex(f32), f32.isConj(), isConj(f32), f32.isNeg(), isNeg(f32)],
    getDevice: () => [f32.getDevice(), getDevice(f32)],
    flags: () => [
      f32.isCpu,
      f32.isCuda,
      f32.isMps,
      f32.isXpu,
      f32.isMeta,
      f32.isSparse,
      f32.isQuantized,
      f32.isMkldnn,
      f32.isNested,
      f32.isSparseCsr,
      f32.isVulkan,
      f32.isXla,
      f32.isIpu,
      f32.isMtia,
      f32.isMaia,
      f32.isPinned(),
    ],
    cpu: () => f32.cpu() === f32,
    cuda: () => f32.cuda(),
    'to cuda': () => f32.to('cuda'),
    'to cpu:0': () => f32.to('cpu:0') === f32,
    'to mps': () => f32.to('mps'),
    xpu: () => f32.xpu(),
    'to with nonBlocking': () => f32.to('cpu', { nonBlocking: true }),
    dimOrder: () => [
      f32.dimOrder(),
      ones(2, 3).t().dimOrder(),
      ones4.permute(0, 3, 1, 2).dimOrder(),
      ones(1, 1, 2).dimOrder(),
      tensor(1).dimOrder(),
      ones(2, 1).expand(2, 3).dimOrder(),
      ones4.narrow(2, 0, 1).permute(3, 2, 1, 0).dimOrder(),
    ],
    'dimOrder, one': () => ones(2, 3).dimOrder({ ambiguityCheck: true }),
    'dimOrder, several': () => ones(1, 1).dimOrder({ ambiguityCheck: true }),
    outputNr: () => [f32.outputNr, ones(4, { requiresGrad: true }).chunk(2)[1].outputNr],
    isSetTo: () => [
      f32.isSetTo(f32.view(2, 1)),
      f32.isSetTo(f32.clone()),
      f32.isSetTo(f32.t()),
      f32.isSetTo(f32.detach()),
    ],
    dataPtr: () => [
      f32.dataPtr() === f32.detach().dataPtr(),
      f32.dataPtr() === f32.clone().dataPtr(),
      i64.narrow(0, 1, 1).dataPtr() - i64.dataPtr(),
      ones(0).dataPtr(),
      f32.data.dataPtr() === f32.dataPtr(),
    ],
    'resize_ smaller': () => resized(r6(), 2, 2),
    'resize_ values': () => [r6().resize_(2, 2), r6().resize_(3), arange(6).resize_(2, 3)],
    'resize_ of a list': () => resized(r6(), [3]),
    'resize_ strided': () => resized(r6().reshape(2, 3).t(), 2, 2),
    'resize_ larger': () => resized(r6(), 3, 4),
    'resize_ larger keeps': () => r6().resize_(8).narrow(0, 0, 6),
    'resize_ a view': () => [resized(r6().narrow(0, 2, 4), 2), r6().narrow(0, 2, 4).resize_(2)],
    'resize_ to nothing': () => resized(r6(), 0),
    'resize_ negative': () => resized(r6(), -1),
    'resize_ grad': () => ones(2, { requiresGrad: true }).resize_(3),
    'resize_ a result': () => ones(2, { requiresGrad: true }).mul(2).resize_(1),
    resizeAs_: () => r6().resizeAs_(f32),
    set_: () => {
      const [target, source] = [ones(2), arange(3, { dtype: 'float32' })];
      target.set_(source);
      source.add_(1);
      return [target, target.version, source.version];
    },
    'set_ of nothing': () => ones(2).set_(),
    'set_ of another dtype': () => ones(2).set_(i64),
    'set_ of a leaf': () => ones(2, { requiresGrad: true }).set_(f32),
    'set_ of a window': () => ones(2).set_(r6(), 1, [2, 2], [2, 1]),
    apply_: () => [
      r6().apply_((v) => v * 2),
      arange(3).apply_((v) => v * 1.5),
      tensor([true, false]).apply_((v) => !v),
      r6()
        .reshape(2, 3)
        .t()
        .apply_((v) => -v),
    ],
    'apply_ grad': () => ones(2, { requiresGrad: true }).apply_((v) => v),
    'apply_ of no function': () => ones(1).apply_(5 as never),
    map_: () => [
      arange(3, { dtype: 'float32' }).map_(ones(3), (a, b) => a + b),
      zeros(2, 3).map_(arange(3, { dtype: 'float32' }), (a, b) => a + b),
    ],
    'map_ of another dtype': () => zeros(3).map_(arange(3), (a, b) => a + b),
    'map_ grad': () => zeros(1).map_(ones(1, { requiresGrad: true }), (a) => a),
    'map_ of a shape that does not fit': () => zeros(2).map_(ones(3), (a) => a),
    map2_: () => zeros(3).map2_(ones(3), ones(3), (a, b, c) => a + b + c),
    'detach_ a view': () => ones(2).select(0, 0).detach_(),
  });

  it('refuses what would read beyond memory or store what does not fit', () => {
    expect(() => ones(2).set_(r6(), 4, [2, 2], [2, 1])).to.throw(/set_: expected a window within the 6 elements/);
    expect(() => ones(2).set_(r6(), -1, [2], [1])).to.throw(ArgumentError, /storageOffset of at least 0/);
    expect(() => ones(2).set_(r6(), 0, [2], [-1])).to.throw(ArgumentError, /a stride of at least 0/);
    expect(() => ones(2).set_(ones(3, { requiresGrad: true }))).to.throw(
      AutogradError,
      /set_: expected a source that requires no grad/,
    );
    expect(() => ones(2, { dtype: 'int8' }).apply_(() => 300)).to.throw(
      ArgumentError,
      /apply_: expected a value that int8 can hold, got 300/,
    );
    expect(() => ones(2).apply_(() => 'x' as never)).to.throw(
      ArgumentError,
      /apply_: expected a function that returns a number, got "x"/,
    );
    expect(() => ones(2).resize_(1.5)).to.throw(ArgumentError, /resize_: expected whole numbers/);
  });

  it('notices what changed under a saved tensor', () => {
    const x = ones(2).requiresGrad_();
    for (const change of [
      (y: Tensor) => y.resize_(1),
      (y: Tensor) => y.set_(ones(2)),
      (y: Tensor) => y.apply_((v) => v),
    ]) {
      const saved = ones(2);
      const loss = x.mul(saved).sum();
      change(saved);
      expect(() => loss.backward()).to.throw(AutogradError, /changed by an in-place operation/);
    }
  });
});

describe('types', () => {
  const answers = answersOf('types') as Readonly<Record<string, Readonly<Record<string, never>>>>;
  const operands: Readonly<Record<string, Tensor | number | boolean>> = {
    'a fraction': 1.5,
    'a whole number': 2,
    'a boolean': true,
    'a float64 scalar': tensor(1, { dtype: 'float64' }),
    'an int64 vector': i64,
    'a float32 matrix': f32,
    'a uint8 vector': ones(1, { dtype: 'uint8' }),
  };
  const table = <T>(names: readonly string[], ask: (a: string, b: string) => T) =>
    Object.fromEntries(names.map((a) => [a, Object.fromEntries(names.map((b) => [b, ask(a, b)]))]));

  it('are promoted', () => {
    expect(table(Object.keys(answers.promoteTypes), (a, b) => promoteTypes(a as DType, b as DType))).to.deep.equal(
      answers.promoteTypes,
    );
    expect(table(Object.keys(operands), (a, b) => resultType(operands[a], operands[b]))).to.deep.equal(
      answers.resultType,
    );
  });
  it('can be cast', () => {
    expect(table(Object.keys(answers.canCast), (a, b) => canCast(a as DType, b as DType))).to.deep.equal(
      answers.canCast,
    );
  });
  it('have limits', () => {
    for (const [name, limits] of Object.entries(answers.finfo)) {
      const { bits, eps, max, min, tiny, smallestNormal, resolution, dtype } = finfo(name as DType);
      expect([bits, eps, max, min, tiny, smallestNormal, resolution, dtype]).to.deep.equal(limits);
    }
    for (const [name, limits] of Object.entries(answers.iinfo)) {
      const { bits, max, min, dtype } = iinfo(name as DType);
      expect([bits, max, min, dtype].map(String)).to.deep.equal(limits);
    }
    expect(finfo().dtype).to.equal('float32');
    expect(zeros(1, { dtype: 'int64' }).fill_(iinfo('int64').max).toTypedArray()[0]).to.equal(2n ** 63n - 1n);
    for (const bad of [
      () => finfo('int64'),
      () => iinfo('float32'),
      () => iinfo('bool'),
      () => iinfo(undefined as never),
      () => canCast('x' as never, 'bool'),
    ])
      expect(answer(bad)).to.equal('error');
  });
});
