/** Tensors as text, against what PyTorch prints (test/fixtures/format.json, written by scripts/fixtures/format.py). */
import { readFileSync } from 'node:fs';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import {
  ArgumentError,
  arange,
  type DType,
  getPrintoptions,
  nn,
  type PrintOptions,
  ShapeError,
  setPrintoptions,
  slice,
  tensor,
  zeros,
} from '../../lib/index.js';

interface Case {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: number[];
  readonly values: 'arange' | (number | boolean | 'nan' | 'inf' | '-inf')[];
  readonly options: Partial<PrintOptions>;
  readonly grad: boolean;
  readonly text: string;
}
const cases = JSON.parse(readFileSync(new URL('../fixtures/format.json', import.meta.url), 'utf8')) as Case[];

function specials(value: number | boolean | string): number | boolean {
  if (typeof value !== 'string') return value;
  return value === 'nan' ? Number.NaN : value === 'inf' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

describe('printing', () => {
  afterEach(() => setPrintoptions({ profile: 'default' }));

  for (const { name, dtype, shape, values, options, grad, text } of cases) {
    it(name, () => {
      const count = shape.reduce((a, b) => a * b, 1);
      const x =
        values === 'arange' ? arange(count, { dtype }).reshape(shape) : tensor(values.map(specials), { dtype, shape });
      if (grad) x.requiresGrad_();
      setPrintoptions(options);
      expect(x.toString()).to.equal(text);
    });
  }

  it('names the node that made a tensor', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(String(x.mul(2))).to.equal('tensor([2., 4.], grad_fn=<MulBackward0>)');
    expect(String(x.view(2, 1))).to.equal('tensor([[1.],\n        [2.]], grad_fn=<ViewBackward0>)');
    expect(String(x.detach())).to.equal('tensor([1., 2.])');
  });

  it('gives nodes the names that PyTorch gives them', () => {
    const x = tensor([[1, 2]], { requiresGrad: true });
    const w = tensor([[3, 4]], { requiresGrad: true });
    const names = [
      x.sum(),
      x.sum(1),
      x.mean(),
      x.max(),
      x.var(),
      x.matmul(w.t()),
      nn.functional.linear(x, w, tensor([1])),
      x.index([0]),
      x.index([[0]]),
      x.t(),
      x.double(),
      x.pow(2),
      x.index([slice(1, null)]),
    ].map((t) => /grad_fn=<(\w+)>/.exec(String(t))?.[1]);
    expect(names).to.deep.equal([
      'SumBackward0',
      'SumBackward1',
      'MeanBackward0',
      'MaxBackward1',
      'VarBackward0',
      'MmBackward0',
      'AddmmBackward0',
      'SelectBackward0',
      'IndexBackward0',
      'TBackward0',
      'ToCopyBackward0',
      'PowBackward0',
      'SliceBackward0',
    ]);
  });

  it('prints strided views and parameters, and in console.log', () => {
    expect(inspect(arange(6).reshape(2, 3).t())).to.equal('tensor([[0, 3],\n        [1, 4],\n        [2, 5]])');
    expect(String(new nn.Parameter(tensor([1])))).to.equal('Parameter containing:\ntensor([1.], requires_grad=True)');
  });

  it('refuses options that do not exist', () => {
    expect(() => setPrintoptions({ percision: 2 } as Partial<PrintOptions>)).to.throw(
      ArgumentError,
      /did you mean "precision"/,
    );
    expect(() => setPrintoptions({ precision: -1 })).to.throw(ArgumentError, /at least 0 for precision/);
    expect(getPrintoptions()).to.deep.equal({
      precision: 4,
      threshold: 1000,
      edgeitems: 3,
      linewidth: 80,
      sciMode: null,
    });
  });

  it('is text in a template and in the console', () => {
    expect(`${tensor([2.5])}`).to.equal('tensor([2.5000])');
    expect(String(tensor(2.5))).to.equal('tensor(2.5000)');
    expect(inspect({ x: tensor([2.5]) })).to.equal('{ x: tensor([2.5000]) }');
    expect([tensor(1), tensor(2)].join(' ')).to.equal('tensor(1.) tensor(2.)');
    expect(format('%s and %o', tensor(1), tensor(2))).to.equal('tensor(1.) and tensor(2.)');
  });

  it('refuses the operators of JavaScript, and names the methods', () => {
    for (const x of [tensor(2.5), tensor([2.5]), tensor([1, 2]), new nn.Parameter(tensor([1]))]) {
      const operand = x as unknown as number;
      const text = 'loss: ' as unknown as number;
      const uses: readonly (() => unknown)[] = [
        () => operand + operand,
        () => text + operand,
        () => operand * 2,
        () => -operand,
        () => operand > 1,
        () => Number(operand),
        () => Math.max(operand, 0),
        () => Number.isNaN(+operand),
      ];
      for (const use of uses)
        expect(use).to.throw(
          ArgumentError,
          /Tensor: expected a method in the place of a JavaScript operator \(add, sub, mul, div, .*gt.*\), item\(\).*float32/,
        );
    }
    expect((tensor(1) as unknown) === null || (tensor(1) as unknown) == null).to.equal(false);
  });

  it('is summarised as JSON', () => {
    expect(JSON.parse(JSON.stringify(arange(6).reshape(2, 3).t()))).to.deep.equal({
      shape: [3, 2],
      dtype: 'int64',
      values: [0, 3, 1, 4, 2, 5],
    });
    expect(JSON.parse(JSON.stringify({ loss: tensor(0.5, { dtype: 'bfloat16' }) }))).to.deep.equal({
      loss: { shape: [], dtype: 'bfloat16', values: [0.5] },
    });
    expect(JSON.parse(JSON.stringify(tensor([Number.NaN, Number.POSITIVE_INFINITY, -1])))).to.deep.equal({
      shape: [3],
      dtype: 'float32',
      values: ['NaN', 'Infinity', -1],
    });
    expect(JSON.parse(JSON.stringify(tensor([true, false])))).to.deep.equal({
      shape: [2],
      dtype: 'bool',
      values: [true, false],
    });
    expect(tensor([2n ** 62n + 1n]).toJSON().values).to.deep.equal(['4611686018427387905']);
    expect(zeros(0, 3).toJSON()).to.deep.equal({ shape: [0, 3], dtype: 'float32', values: [] });
    expect(arange(1e6).reshape(1000, 1000).toJSON().values).to.deep.equal(Array.from({ length: 32 }, (_, i) => i));
    expect(zeros(3, 4).expand(5, 3, 4).toJSON().values).to.have.length(32);
  });

  it('goes through its first dimension', () => {
    expect([...arange(6).reshape(3, 2)].map((row) => row.tolist())).to.deep.equal([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    expect(() => [...tensor(1)]).to.throw(ArgumentError, /iteration: expected a tensor with dimensions/);
  });

  it('of more dimensions than brackets can nest', () => {
    const deep = zeros(new Array<number>(100000).fill(1));
    expect(String(deep)).to.equal('tensor(100000 dimensions)');
    expect(inspect(deep)).to.equal('tensor(100000 dimensions)');
    expect(() => deep.tolist()).to.throw(ShapeError, 'tolist: expected at most 1000 dimensions, got 100000');
    expect(String(zeros(new Array<number>(900).fill(1)))).to.equal(`tensor(${'['.repeat(900)}0.${']'.repeat(900)})`);
  });
});
