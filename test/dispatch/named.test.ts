/** All arguments by name, with the operand among them, and NumPy's names of parameters: the same as by position. */
import { expect } from 'chai';
import { publicFunctions, signatures } from '../../lib/dispatch/define-function.js';
import * as torch from '../../lib/index.js';
import { ArgumentError, arange, nn, ones, type Tensor, tensor } from '../../lib/index.js';
import { shown } from '../tensor/surface-fixture.js';

const x = arange(6, { dtype: 'float32' }).reshape(2, 3);
const v = tensor([1, 2]);
const mask = tensor([true, false]);
const first = tensor([0n]);

/** Each call by position and by name. */
const calls: Readonly<Record<string, readonly [() => unknown, () => unknown]>> = {
  sum: [() => torch.sum(x, 1, { keepdim: true }), () => torch.sum({ input: x, axis: 1, keepdims: true })],
  'sum of x': [() => torch.sum(x), () => torch.sum({ input: x })],
  'method with axis': [() => x.mean(0, { keepdim: true }), () => x.mean({ axis: 0, keepdims: true })],
  cat: [() => torch.cat([x, x], 1), () => torch.cat({ tensors: [x, x], axis: 1 })],
  add: [() => torch.add(x, 2), () => torch.add({ input: x, x2: 2 })],
  exp: [() => torch.exp(x), () => torch.exp({ input: x })],
  gather: [() => torch.gather(v, 0, first), () => torch.gather({ input: v, dim: 0, index: first })],
  where: [() => torch.where(mask, v, 0), () => torch.where({ condition: mask, input: v, other: 0 })],
  'where as a method': [() => v.where(mask, 0), () => v.where({ condition: mask, other: 0 })],
  numel: [() => torch.numel(x), () => torch.numel({ input: x })],
  isFloatingPoint: [() => torch.isFloatingPoint(x), () => torch.isFloatingPoint({ input: x })],
  isNonzero: [() => torch.isNonzero(ones(1)), () => torch.isNonzero({ input: ones(1) })],
  relu_: [() => torch.relu_(v.sub(2)), () => torch.relu_({ input: v.sub(2) })],
  linear: [() => nn.functional.linear(x, x), () => nn.functional.linear({ input: x, weight: x })],
  crossEntropy: [
    () => nn.functional.crossEntropy(x, tensor([0n, 2n])),
    () => nn.functional.crossEntropy({ input: x, target: tensor([0n, 2n]) }),
  ],
  aliasCopy: [() => torch.aliasCopy(x), () => torch.aliasCopy({ input: x })],
  viewCopy: [() => torch.viewCopy(x, [6]), () => torch.viewCopy({ input: x, size: [6] })],
  expandCopy: [() => torch.expandCopy(x, [2, 2, 3]), () => torch.expandCopy({ input: x, size: [2, 2, 3] })],
  unfoldCopy: [
    () => torch.unfoldCopy(x, 1, 2, 1),
    () => torch.unfoldCopy({ input: x, dimension: 1, size: 2, step: 1 }),
  ],
  viewAs: [() => x.viewAs(ones(6)), () => x.viewAs({ other: ones(6) })],
  reshapeAs: [() => x.t().reshapeAs(ones(6)), () => x.t().reshapeAs({ other: ones(6) })],
  expandAs: [() => v.expandAs(ones(3, 2)), () => v.expandAs({ other: ones(3, 2) })],
  resizeAs_: [() => x.clone().resizeAs_(v), () => x.clone().resizeAs_({ theTemplate: v })],
  isSetTo: [() => x.isSetTo(x), () => x.isSetTo({ tensor: x })],
  put_: [() => v.clone().put_(first, ones(1)), () => v.clone().put_({ index: first, source: ones(1) })],
  maskedScatter_: [() => v.clone().maskedScatter_(mask, v), () => v.clone().maskedScatter_({ mask, source: v })],
  index: [() => x.index([0]), () => x.index({ indices: [0] })],
  sumToSize: [() => x.sumToSize(3), () => x.sumToSize({ size: [3] })],
  view: [() => x.view(6), () => x.view({ size: [6] } as never)],
  newTensor: [() => x.newTensor([1]), () => x.newTensor({ data: [1] })],
  zeros: [() => torch.zeros(2, 3), () => torch.zeros({ size: [2, 3] })],
};

describe('arguments by name', () => {
  for (const [name, [byPosition, byName]] of Object.entries(calls)) {
    it(name, () => {
      expect(shown(byName())).to.deep.equal(shown(byPosition()));
    });
  }

  it('are refused where they are given twice or not known', () => {
    expect(() => torch.sum(x, 1, { axis: 0 } as never)).to.throw(
      ArgumentError,
      /sum: dim was given twice, by position and in the options/,
    );
    expect(() => torch.sum(x, { dim: 1, axis: 0 })).to.throw(ArgumentError, /sum: dim was given twice, also as axis/);
    expect(() => torch.sum({ dim: 1 } as never)).to.throw(ArgumentError, /sum: expected input, got no input/);
    expect(() => x.sum({ axes: 1 } as never)).to.throw(ArgumentError, /sum: unknown option "axes"/);
    expect(() => torch.gather({ input: v, dim: 0 } as never)).to.throw(
      ArgumentError,
      /gather: expected input, dim, index, got no index/,
    );
  });

  // What every function does with an operand that is missing among the names, rather than with one as an example.
  for (const [name, fn] of publicFunctions) {
    const { parameters, required } = signatures.get(fn) as { parameters: readonly string[]; required: number };
    if (required === 0) continue;
    it(`${name} takes names, and asks for ${parameters[0]}`, () => {
      const call = fn as unknown as (named: object) => unknown;
      expect(() => call(Object.create(null) as object)).to.throw(ArgumentError, new RegExp(`got no ${parameters[0]}`));
      expect(() => call({ nonsense: 1 })).to.throw(ArgumentError, /unknown option "nonsense"/);
    });
  }
});

const types: (t: Tensor) => unknown = (t) => [
  // A union of functions can be called.
  { relu: nn.functional.relu, gelu: nn.functional.gelu }[String(t) as 'relu' | 'gelu'](t),
  // @ts-expect-error the operand is missing
  () => torch.sum({ dim: 1 }),
  // @ts-expect-error no such parameter
  () => t.sum({ dimm: 1 }),
  // @ts-expect-error index is missing
  () => t.gather(0),
];
void types;
