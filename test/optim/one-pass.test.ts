/** A step over many parameters in one parallel pass against the same updates one parameter at a time, bit for bit. */
import { expect } from 'chai';
import { arange, type DType, empty, manualSeed, noGrad, optim, randn, type Tensor, tensor } from '../../lib/index.js';
import { build, fixture, type Run } from './fixture.js';

/**
 * Sizes that are pieces of their own, share one and are cut; some memory that is not contiguous, and some that two
 * parameters share.
 */
function parameters(dtype: DType): Tensor[] {
  const leaf = (x: Tensor): Tensor => x.detach().requiresGrad_();
  const shared = randn([90, 300], { dtype });
  return [
    leaf(randn([130, 129], { dtype })),
    leaf(randn([5], { dtype })),
    leaf(randn([33, 70], { dtype }).t()),
    leaf(randn([], { dtype })),
    leaf(shared),
    leaf(shared),
    leaf(randn([0, 3], { dtype })),
    leaf(randn([70, 301], { dtype })),
    leaf(randn([63], { dtype })),
  ];
}

/** Parameters after three steps of an optimizer of the list, or of one of each parameter alone. */
function train(run: Run, dtype: DType, together: boolean): number[][] {
  manualSeed(3);
  const params = parameters(dtype);
  const optimizers = together ? [build(run, params)] : params.map((param) => build(run, [param]));
  for (let step = 0; step < 3; step++) {
    params.forEach((param, i) => {
      if (i === 8 && step === 1) param.grad = null;
      // Every other gradient is one whose copy nobody but the step holds.
      else
        param.grad =
          i % 2 === 0 || param.shape.length < 2
            ? randn(param.shape, { dtype })
            : randn([...param.shape].reverse(), { dtype }).t();
    });
    for (const optimizer of optimizers) optimizer.step();
  }
  return params.map((param) => [...param.flatten().toTypedArray()].map(Number));
}

describe('a step as one pass over all parameters', () => {
  for (const run of fixture.optimizers) {
    it(`${run.name} ${JSON.stringify(run.options)} computes what one parameter at a time does`, () => {
      for (const dtype of ['float32', 'float64', 'bfloat16', 'float16'] as const) {
        const [one, each] = [train(run, dtype, true), train(run, dtype, false)];
        one.forEach((values, i) => {
          expect(values, `${dtype}, parameter ${i}`).to.deep.equal(each[i]);
        });
      }
    });
  }

  it('holds the copies of gradients that it reads at its end, however much else is made before', () => {
    const params = Array.from({ length: 200 }, (_, i) => {
      const param = randn([200, 200]).requiresGrad_();
      param.grad = arange(200, { dtype: 'float32' }).add(i).expand([200, 200]);
      return param;
    });
    const expected = params.map((param, i) => Math.fround(Number(param.toTypedArray()[1]) - (i + 1)));
    // A loop that drops what it makes: from here on memory is looked for before more is taken.
    for (let i = 0; i < 4000; i++) empty([200, 200]);
    new optim.SGD(params, { lr: 1 }).step();
    params.forEach((param, i) => {
      expect(param.toTypedArray()[1], `parameter ${i}`).to.equal(expected[i]);
    });
  });

  it('has ended wherever an update of the program looks at what it computed', () => {
    const seen: number[] = [];
    class Watching extends optim.SGD {
      protected override update(
        group: optim.ParamGroup,
        param: Tensor,
        grad: Tensor,
        state: Parameters<optim.SGD['update']>[3],
      ): void {
        super.update(group, param, grad, state);
        noGrad(() => param.clamp_({ min: 0.5 }));
        seen.push(Number(param.flatten().toTypedArray()[0]));
      }
    }
    const params = [0, 1, 2].map(() => tensor(new Array<number>(20000).fill(1), { requiresGrad: true }));
    for (const param of params) param.grad = tensor(new Array<number>(20000).fill(1));
    new Watching(params, { lr: 0.75 }).step();
    expect(seen).to.deep.equal([0.5, 0.5, 0.5]);
    for (const param of params) expect(new Set(Array.from(param.toTypedArray(), Number))).to.deep.equal(new Set([0.5]));
  });

  it('takes what came before an error, and leaves nothing to the next step', () => {
    const params = [0, 1, 2].map(() => tensor(new Array<number>(20000).fill(1), { requiresGrad: true }));
    for (const param of params) param.grad = tensor(new Array<number>(20000).fill(1));
    const optimizer = new optim.SGD(params, { lr: 0.25, momentum: 0.5 });
    optimizer.state.set(params[1], { momentumBuffer: tensor([1]) });
    expect(() => optimizer.step()).to.throw(/sgd/);
    expect(params.map((param) => param.toTypedArray()[7])).to.deep.equal([0.75, 1, 1]);
    const other = tensor([1], { requiresGrad: true });
    other.grad = tensor([1]);
    new optim.SGD([other, params[2]], { lr: 0.25 }).step();
    expect([other.toTypedArray()[0], ...params.map((param) => param.toTypedArray()[7])]).to.deep.equal([
      0.75, 0.75, 1, 0.75,
    ]);
  });
});
