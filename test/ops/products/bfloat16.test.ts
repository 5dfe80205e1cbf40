/**
 * Products that read and write bfloat16 against float64 sums of the same rounded values: the result is the sum rounded
 * once, so it may differ by half a unit of bfloat16 and what float32 sums lose. The plain path is the same operator on
 * float64 tensors.
 */
import { expect } from 'chai';
import { baddbmm, bmm, manualSeed, matmul, nn, norm, randn, type Tensor } from '../../../lib/index.js';

const HALF_UNIT = 2 ** -8;

/** Largest |actual - expected| over the bound: rounding once, and the float32 sums' own error. */
function worst(actual: Tensor, expected: Tensor, magnitude: Tensor): number {
  expect(actual.dtype).to.equal('bfloat16');
  expect(actual.shape).to.deep.equal(expected.shape);
  const bound = expected.abs().mul(HALF_UNIT).add(magnitude.mul(2e-6)).add(1e-30);
  return actual.double().sub(expected).abs().div(bound).max().item() as number;
}

const half = (x: Tensor): Tensor => x.bfloat16();
const absolute = (x: Tensor): Tensor => half(x).double().abs();

function checkProduct(make: (a: Tensor, b: Tensor) => Tensor, a: Tensor, b: Tensor): void {
  const expected = make(half(a).double(), half(b).double());
  expect(worst(make(half(a), half(b)), expected, make(absolute(a), absolute(b)))).to.be.at.most(1);
}

describe('products of bfloat16', () => {
  beforeEach(() => manualSeed(1));

  for (const [m, k, n] of [
    [1, 1, 1],
    [3, 5, 7],
    [8, 64, 32],
    [33, 513, 65],
    [70, 1030, 131],
    [1, 300, 40],
    [40, 300, 1],
    [129, 2, 129],
    [5, 0, 4],
  ]) {
    it(`matmul ${m}x${k}x${n}, every transposition`, () => {
      checkProduct(matmul, randn([m, k]), randn([k, n]));
      checkProduct((a, b) => matmul(a.t(), b), randn([k, m]), randn([k, n]));
      checkProduct((a, b) => matmul(a, b.t()), randn([m, k]), randn([n, k]));
      checkProduct((a, b) => matmul(a.t(), b.t()), randn([k, m]), randn([n, k]));
    });
  }

  it('batches, broadcast and strided', () => {
    checkProduct(bmm, randn([5, 17, 9]), randn([5, 9, 33]));
    checkProduct(matmul, randn([4, 1, 17, 9]), randn([3, 9, 21]));
    // Every second row of a, columns 3 and on of b.
    checkProduct(
      (a, b) => matmul(a.unflatten(1, [15, 2]).select(2, 1), b.narrow(2, 3, 6)),
      randn([2, 30, 8]),
      randn([2, 8, 9]),
    );
  });

  it('alpha, beta and a bias are applied before rounding', () => {
    const [c, a, b] = [randn([3, 4, 6]), randn([3, 4, 5]), randn([3, 5, 6])].map(half);
    const expected = baddbmm(c.double(), a.double(), b.double(), { beta: 0.5, alpha: 2 });
    expect(worst(baddbmm(c, a, b, { beta: 0.5, alpha: 2 }), expected, expected.abs().add(10))).to.be.at.most(1);
    const [x, w, v] = [randn([7, 40]), randn([9, 40]), randn([9])].map(half);
    const linear = nn.functional.linear(x.double(), w.double(), v.double());
    expect(worst(nn.functional.linear(x, w, v), linear, linear.abs().add(40))).to.be.at.most(1);
  });

  it('a NaN stays in its row and column, an infinity is kept', () => {
    const a = randn([9, 3]);
    const b = randn([3, 33]);
    a.select(0, 4).select(0, 1).fill_(Number.NaN);
    const y = matmul(half(a), half(b));
    expect(y.isnan().sum().item()).to.equal(33);
    expect(y.select(0, 4).isnan().all().item()).to.equal(true);
    b.select(0, 2).select(0, 5).fill_(Number.POSITIVE_INFINITY);
    expect(matmul(half(a), half(b)).isinf().sum().item()).to.equal(8);
  });

  for (const [name, x, w, options] of [
    ['3x3 with padding', [2, 5, 9, 11], [7, 5, 3, 3], { padding: 1 }],
    ['an odd number of channels and a stride', [1, 3, 12, 10], [70, 3, 5, 3], { stride: 2, padding: 2 }],
    ['more depth than a block', [2, 65, 6, 6], [9, 65, 3, 3], { padding: 1 }],
    ['one channel, many pixels', [1, 1, 40, 40], [4, 1, 3, 3], {}],
    ['groups', [2, 12, 7, 7], [36, 4, 3, 3], { groups: 3 }],
    ['depthwise', [2, 6, 9, 9], [6, 1, 3, 3], { groups: 6, padding: 1 }],
    ['dilation', [1, 4, 13, 13], [8, 4, 3, 3], { dilation: 3, padding: 2 }],
    ['1x1', [3, 16, 5, 5], [20, 16, 1, 1], {}],
  ] as const) {
    it(`convolution, ${name}: forward and both gradients`, () => {
      const operands = [randn([...x]), randn([...w]), randn([w[0]])];
      const run = (prepare: (t: Tensor) => Tensor, gradient: (y: Tensor) => Tensor): Tensor[] => {
        const leaves = operands.map((t) => prepare(half(t)).detach().requiresGrad_());
        const y = nn.functional.conv2d(leaves[0], leaves[1], leaves[2], options);
        y.backward(gradient(y));
        return [y.detach(), ...leaves.slice(0, 2).map((t) => t.grad as Tensor)];
      };
      const upstream = half(randn(nn.functional.conv2d(operands[0], operands[1], operands[2], options).shape));
      const actual = run(
        (t) => t,
        () => upstream,
      );
      const expected = run(
        (t) => t.double(),
        () => upstream.double(),
      );
      const magnitude = run(
        (t) => t.double().abs(),
        () => upstream.double().abs(),
      );
      for (let i = 0; i < 3; i++)
        expect(worst(actual[i], expected[i], magnitude[i]), ['output', 'input', 'weight'][i]).to.be.at.most(1);
    });
    it(`transposed convolution, ${name}`, () => {
      const y = randn(nn.functional.conv2d(randn([...x]), randn([...w]), null, options).shape);
      const weight = randn([...w]);
      checkProduct((a, b) => nn.functional.convTranspose2d(a, b, null, options), y, weight);
    });
  }

  it('the norm of a large product agrees with float32', () => {
    const [a, b] = [randn([300, 700]), randn([700, 200])].map(half);
    const difference = norm(matmul(a, b).float().sub(matmul(a.float(), b.float()))).item() as number;
    const size = norm(matmul(a.float(), b.float())).item() as number;
    expect(difference / size).to.be.within(1e-5, HALF_UNIT);
  });
});
