/**
 * Arguments of the right kind whose value is unusual: a number given as a boolean or a bigint counts as that number,
 * and a list with a hole is no list of tensors.
 */
import { expect } from 'chai';
import { publicFunctions, signatures } from '../../lib/dispatch/define-function.js';
import {
  ArgumentError,
  atleast1d,
  atleast2d,
  atleast3d,
  autograd,
  blockDiag,
  broadcastTensors,
  cartesianProd,
  chainMatmul,
  einsum,
  meshgrid,
  NodegradError,
  nn,
  ones,
  optim,
  setPrintoptions,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

type Call = (...args: unknown[]) => unknown;
const square = (): Tensor => ones([2, 2]).mul(3);
const row = (): Tensor => tensor([1, 2]);
const batch = (): Tensor => ones([2, 2, 2]);
const index = (): Tensor => zeros(1, { dtype: 'int64' });

/** What stands before the scalars of each function that has some. */
const BEFORE: Readonly<Record<string, () => unknown[]>> = {
  add: () => [square(), square()],
  sub: () => [square(), square()],
  rsub: () => [square(), square()],
  indexAdd: () => [row(), 0, index(), ones(1)],
  'Tensor.indexAdd_': () => [row(), 0, index(), ones(1)],
  'nn.functional.elu': () => [square().neg()],
  'nn.functional.celu': () => [square().neg()],
  'nn.functional.softplus': () => [square()],
  'nn.functional.localResponseNorm': () => [batch(), 2],
  'nn.init.constant_': () => [square()],
  addmm: () => [square(), square(), square()],
  addmv: () => [row(), square(), row()],
  addr: () => [square(), row(), row()],
  baddbmm: () => [batch(), batch(), batch()],
  addbmm: () => [square(), batch(), batch()],
};

const scalars = [...publicFunctions].flatMap(([name, fn]) => {
  const { parameters, kinds } = signatures.get(fn)!;
  return parameters.filter((_, i) => kinds[i] === 'scalar').map((parameter) => ({ name, fn: fn as Call, parameter }));
});

describe('a number among the arguments', () => {
  for (const { name, fn, parameter } of scalars) {
    it(`${name} takes ${parameter} as a boolean or a bigint, or refuses it`, () => {
      for (const [given, number] of [
        [true, 1],
        [2n, 2],
      ] as const) {
        const call = (value: unknown): unknown => (fn(...BEFORE[name](), { [parameter]: value }) as Tensor).tolist();
        let result: unknown;
        try {
          result = call(given);
        } catch (error) {
          expect(error).to.be.instanceOf(NodegradError);
          continue;
        }
        expect(result).to.deep.equal(call(number));
      }
    });
  }

  it('smoothL1Loss refuses a beta that is no number', () => {
    for (const beta of [true, 2n])
      expect(() => nn.functional.smoothL1Loss(row(), row(), { beta: beta as unknown as number })).to.throw(
        ArgumentError,
        /expected a number for beta/,
      );
  });
});

/** Functions that take tensors as a list, as arguments or both. */
const listed: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(
    [...publicFunctions]
      .filter(([, fn]) => signatures.get(fn)!.kinds.includes('tensors'))
      .map(([name, fn]): [string, Call] => [name, (list) => (fn as Call)(list)]),
  ),
  ...({ chainMatmul, broadcastTensors, atleast1d, atleast2d, atleast3d, meshgrid, blockDiag, cartesianProd } as Record<
    string,
    Call
  >),
  einsum: (list) => einsum('ij,ij->ij', list as Tensor[]),
  'autograd.backward': (list) => autograd.backward(list as Tensor[]),
  'nn.utils.clipGradNorm_': (list) => nn.utils.clipGradNorm_(list as Tensor[], 1),
  'nn.utils.parametersToVector': (list) => nn.utils.parametersToVector(list as Tensor[]),
};

/** A list of three tensors with holes at the places. */
function holed(...places: readonly number[]): Tensor[] {
  const list = [square(), square(), square()];
  for (const place of places) delete list[place];
  return list;
}

describe('a list of tensors with a hole', () => {
  for (const [name, call] of Object.entries(listed)) {
    it(`is an ArgumentError of ${name}`, () => {
      for (const list of [holed(0, 1), holed(1), holed(0)]) expect(() => call(list)).to.throw(ArgumentError);
    });
  }
});

describe('a list that is not iterable, or has holes', () => {
  it('is an ArgumentError of containers of named members', () => {
    for (const Container of [nn.ParameterDict, nn.ModuleDict] as unknown as (new (
      pairs?: unknown,
    ) => nn.ParameterDict)[])
      for (const pairs of [new Array(2), [undefined]]) {
        expect(() => new Container(pairs as never), Container.name).to.throw(
          ArgumentError,
          /expected pairs of a name and a member, got undefined/,
        );
        expect(() => new Container().update(pairs as never), Container.name).to.throw(
          ArgumentError,
          /expected pairs of a name and a member, got undefined/,
        );
      }
  });

  it('is an ArgumentError of a group of parameters', () => {
    const parameter = (): Tensor => tensor([1, 2], { requiresGrad: true });
    for (const params of [Number.POSITIVE_INFINITY, null, {}, new DataView(new ArrayBuffer(4)), new Array(2)]) {
      const sgd = new optim.SGD([parameter()], { lr: 0.1 });
      expect(() => sgd.addParamGroup({ params } as never)).to.throw(ArgumentError);
      expect(sgd.paramGroups).to.have.length(1);
    }
  });
});

describe('a name that is no string', () => {
  const odd = [Object.create(null), Symbol('s'), 5n, ['a'], 'toString'];
  const calls: Readonly<Record<string, (name: never) => unknown>> = {
    'nn.RNNBase': (mode) => new nn.RNNBase(mode, 4, 3),
    setPrintoptions: (profile) => setPrintoptions({ profile }),
  };
  for (const [fn, call] of Object.entries(calls))
    it(`is an ArgumentError of ${fn}`, () => {
      for (const name of odd) expect(() => call(name as never), typeof name).to.throw(ArgumentError);
    });
});

it('derivatives of a function without inputs that require grad are not checked, and the function is not called', () => {
  const fn = (): never => expect.fail('called');
  for (const inputs of [[], [zeros(2, { dtype: 'float64' })]])
    for (const check of [autograd.gradcheck, autograd.gradgradcheck])
      expect(() => check(fn, inputs)).to.throw(ArgumentError, /at least one input that requires grad, got none/);
});

describe('undefined in the place of an argument that must be given', () => {
  for (const [name, fn] of publicFunctions) {
    const { parameters, required } = signatures.get(fn)!;
    for (let place = 1; place < required; place++) {
      it(`is one that ${name} misses as ${parameters[place]}`, () => {
        const args = Array.from({ length: required }, (_, i) => (i === place ? undefined : ones(2)));
        expect(() => (fn as Call)(...args)).to.throw(ArgumentError);
      });
    }
  }

  it('is an ArgumentError of methods too', () => {
    for (const method of ['expandAs', 'viewAs', 'reshapeAs', 'typeAs', 'indexAdd_'] as const)
      expect(() => (square()[method] as Call).call(square(), undefined), method).to.throw(ArgumentError);
  });
});
