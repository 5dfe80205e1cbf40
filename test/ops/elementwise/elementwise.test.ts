/**
 * Elementwise functions against PyTorch's numbers (test/fixtures/elementwise.json, made by
 * scripts/fixtures/elementwise.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as nodegrad from '../../../lib/index.js';
import { autograd, type DType, nn, ones, type Tensor, tensor } from '../../../lib/index.js';

type Gradients = readonly (readonly (number | string)[])[] | null | 'unknown';

interface Floating {
  readonly fn: string;
  readonly args: readonly (number | string | null)[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly inputs: readonly (readonly (number | string)[])[];
  readonly y: readonly (number | string | boolean)[];
  /** null where there is no derivative, 'unknown' where PyTorch has none. */
  readonly first: Gradients;
  readonly second: Gradients;
}
interface Integers {
  readonly fn: string;
  readonly dtype: DType;
  readonly a: readonly string[];
  readonly b: readonly number[];
  readonly y: readonly string[];
  readonly out: DType;
}
interface Fixture {
  readonly floating: readonly Floating[];
  readonly integers: readonly Integers[];
  readonly promotion: readonly (readonly [DType, DType, boolean, DType])[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/elementwise.json', import.meta.url), 'utf8'),
) as Fixture;

function named(name: string): (...args: unknown[]) => Tensor {
  let at: unknown = nodegrad;
  for (const part of name.split('.')) at = (at as Record<string, unknown>)[part];
  return at as (...args: unknown[]) => Tensor;
}

/** `rtol` is a few rounding errors of float64, as library functions differ. */
function near(
  got: Tensor,
  expected: readonly (number | string | boolean)[],
  inputs: readonly (readonly (number | string)[])[],
  what: string,
  rtol = 1e-11,
): void {
  const values = Array.from(got.toTypedArray() as ArrayLike<number>);
  expect(values.length, what).to.equal(expected.length);
  values.forEach((value, i) => {
    const wanted = Number(expected[i]);
    if (value === wanted || (Number.isNaN(value) && Number.isNaN(wanted))) return;
    if (!(Math.abs(value - wanted) <= 1e-12 + rtol * Math.abs(wanted)))
      expect.fail(`${what} at ${inputs.map((x) => x[i]).join(', ')}: ${value}, expected ${wanted}`);
  });
}

describe('elementwise functions at special points', () => {
  for (const { fn, args, options, inputs, y, first, second } of fixture.floating) {
    it(`${fn}(${[...args.map(String), ...Object.entries(options).map(([k, v]) => `${k}: ${v}`)].join(', ')})`, () => {
      const leaves = inputs.map((x) => tensor(x.map(Number), { dtype: 'float64', requiresGrad: true }));
      const out = named(fn)(
        ...leaves,
        ...args.map((a) => (a === null ? null : Number(a))),
        ...(Object.keys(options).length > 0 ? [options] : []),
      );
      near(out.detach(), y, inputs, 'value');
      expect(out.requiresGrad, 'differentiable').to.equal(first !== null);
      if (first === null || first === 'unknown') return;
      const gradients = autograd.grad(out.sum(), leaves, { createGraph: true }) as Tensor[];
      gradients.forEach((g, i) => {
        // PyTorch's derivative of hardsigmoid takes 1/6 from float32.
        near(
          g.detach(),
          first[i],
          inputs,
          `derivative by operand ${i}`,
          fn === 'nn.functional.hardsigmoid' ? 1e-7 : undefined,
        );
      });
      if (second === null || second === 'unknown') return;
      const total = gradients.map((g) => g.sum()).reduce((a, b) => a.add(b));
      if (!total.requiresGrad) {
        for (const zeros of second) expect(zeros.map(Number).every((v) => v === 0)).to.equal(true);
        return;
      }
      autograd.grad(total, leaves, { materializeGrads: true }).forEach((g, i) => {
        near((g as Tensor).detach(), second[i], inputs, `second derivative by operand ${i}`);
      });
    });
  }
});

describe('integer arithmetic', () => {
  for (const { fn, dtype, a, b, y, out } of fixture.integers) {
    it(`${fn} of ${dtype}`, () => {
      const result = named(fn)(tensor(a.map(BigInt), { dtype }), tensor([...b], { dtype }));
      expect(result.dtype).to.equal(out);
      if (result.isFloatingPoint())
        expect(Array.from(result.toTypedArray() as Float32Array)).to.deep.equal(y.map((v) => Math.fround(Number(v))));
      else expect(Array.from(result.toTypedArray() as BigInt64Array, String)).to.deep.equal(y);
    });
  }
});

describe('type promotion', () => {
  it('of two tensors is PyTorch’s, whether the second has dimensions or not', () => {
    for (const [x, y, zero, expected] of fixture.promotion) {
      expect(
        ones([2], { dtype: x }).add(ones(zero ? [] : [2], { dtype: y })).dtype,
        `${x} with ${y}${zero ? '[]' : '[2]'}`,
      ).to.equal(expected);
    }
  });
});

describe('16-bit arithmetic', () => {
  for (const dtype of ['bfloat16', 'float16'] as const) {
    const x = tensor(
      Array.from({ length: 300 }, (_, i) => 1 + i * 0.37),
      { dtype },
    );
    const narrow = (wide: Tensor): unknown => wide.to(dtype).tolist();
    it(`of ${dtype} is float32’s, rounded once, and a number is not rounded before`, () => {
      for (const value of [0.1, 2, -3.7]) {
        expect(x.mul(value).tolist(), `mul ${value}`).to.deep.equal(narrow(x.float().mul(value)));
        expect(x.div(value).tolist(), `div ${value}`).to.deep.equal(narrow(x.float().div(value)));
        expect(x.add(value).tolist(), `add ${value}`).to.deep.equal(narrow(x.float().add(value)));
        expect(x.clone().mul_(value).tolist(), `mul_ ${value}`).to.deep.equal(narrow(x.float().mul(value)));
      }
      expect(x.add(x, { alpha: 0.3 }).tolist()).to.deep.equal(narrow(x.float().add(x.float(), { alpha: 0.3 })));
      expect(x.mul(0.1).dtype).to.equal(dtype);
    });
    it(`of ${dtype} has gradients of its own dtype`, () => {
      const leaf = x.clone().requiresGrad_();
      const [g] = autograd.grad(leaf.mul(0.1).relu().sum(), leaf);
      expect(g?.dtype).to.equal(dtype);
      expect(g?.tolist()).to.deep.equal(narrow(x.float().mul(0).add(0.1)));
    });
  }
});

describe('clamp', () => {
  it('gives NaN for a bound of NaN', () => {
    expect(tensor([1, 2]).clamp(Number.NaN, 3).tolist()).to.deep.equal([Number.NaN, Number.NaN]);
    expect(tensor([1, 2]).clamp({ max: Number.NaN }).tolist()).to.deep.equal([Number.NaN, Number.NaN]);
  });
});

describe('activations of integers', () => {
  it('stay integers where PyTorch has them', () => {
    const x = tensor([-3n, 0n, 2n, 9n]);
    expect(nn.functional.relu(x).tolist()).to.deep.equal([0, 0, 2, 9]);
    expect(nn.functional.relu6(x).tolist()).to.deep.equal([0, 0, 2, 6]);
    expect(nn.functional.hardtanh(x, -2, 2).tolist()).to.deep.equal([-2, 0, 2, 2]);
    expect(nn.functional.threshold(x, 0, -7).tolist()).to.deep.equal([-7, -7, 2, 9]);
    expect(nn.functional.relu6(x, { inplace: true })).to.equal(x);
    expect(x.tolist()).to.deep.equal([0, 0, 2, 6]);
    expect(() => nn.functional.elu(x)).to.throw(nodegrad.DTypeError, /elu: expected a floating tensor, got int64/);
  });
});

describe('addcdiv of several floating types', () => {
  // PyTorch 2.13 on CPU.
  for (const [x, a, b, y, first, second] of [
    [
      'float64',
      'bfloat16',
      'float32',
      [2.4614583905924263, -2.156012237714938],
      [
        [0.37, 1.21],
        [0.6171875, -0.7890625],
        [-0.8885996341705322, -0.23945534229278564],
      ],
      [
        [0.1616317813457101, -0.05971687991028596],
        [-0.41015625, 0.13671875],
        [0.7726178169250488, 0.2206629365682602],
      ],
    ],
    [
      'float32',
      'float64',
      'bfloat16',
      [2.4704347945296248, -2.157142904826573],
      [
        [0.3700000047683716, 1.2100000381469727],
        [0.6185937499999999, -0.7893359375],
        [-0.890625, -0.240234375],
      ],
      [
        [0.1524003861606984, -0.059458216019636134],
        [-0.41289855072463766, 0.13760170118343193],
        [0.78125, 0.220703125],
      ],
    ],
  ] as const) {
    it(`forms its derivatives in the operands' own types: ${x}, ${a}, ${b}`, () => {
      const leaves = [
        tensor([0.3, -1.7], { dtype: x, requiresGrad: true }),
        tensor([1.3, 0.7], { dtype: a, requiresGrad: true }),
        tensor([0.9, -2.3], { dtype: b, requiresGrad: true }),
      ];
      const out = nodegrad.addcdiv(leaves[0], leaves[1], leaves[2], { value: 1.5 });
      const g = tensor([0.37, 1.21], { dtype: 'float64', requiresGrad: true });
      const gradients = autograd.grad(out, leaves, { gradOutputs: g, createGraph: true }) as Tensor[];
      const cotangents = gradients.map((t) => tensor([0.6, -0.4], { dtype: t.dtype }));
      const seconds = autograd.grad(gradients, [g, leaves[1], leaves[2]], { gradOutputs: cotangents }) as Tensor[];
      const close = (got: Tensor, expected: readonly number[]): void =>
        (got.tolist() as number[]).forEach((value, i) => {
          expect(value).to.be.closeTo(expected[i], Math.abs(expected[i]) * (got.dtype === 'float64' ? 1e-12 : 2e-7));
        });
      expect([out, ...gradients].map((t) => t.dtype)).to.deep.equal(['float64', x, a, b]);
      close(out, y);
      gradients.forEach((t, i) => {
        close(t, first[i]);
      });
      seconds.forEach((t, i) => {
        close(t, second[i]);
      });
    });
  }
});
