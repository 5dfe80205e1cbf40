/**
 * float32 functions against float64 ones, in units in the last place; the float64 ones against Math, which is
 * independent of the kernels.
 */
import { expect } from 'chai';
import * as nodegrad from '../../../lib/index.js';
import { nn, type Tensor, tensor } from '../../../lib/index.js';

const { functional } = nn;
type Unary = (x: Tensor) => Tensor;
const named = (name: string): Unary => (nodegrad as unknown as Record<string, Unary>)[name];

/** Distance of two float32 numbers, counted in float32 numbers between them. */
function ulps(got: number, exact: number): number {
  const bits = (x: number): number => {
    const i = new Int32Array(new Float32Array([x]).buffer)[0];
    return i < 0 ? -(i & 0x7fffffff) : i;
  };
  return Math.abs(bits(got) - bits(exact));
}

/** Points spread over [low, high] that float32 holds exactly. */
function points(low: number, high: number): number[] {
  return Array.from({ length: 2000 }, (_, i) => Math.fround(low + ((high - low) * (i + 0.5)) / 2000));
}

const FUNCTIONS: readonly (readonly [
  name: string,
  low: number,
  high: number,
  exact: ((x: number) => number) | null,
])[] = [
  ['exp', -80, 80, Math.exp],
  ['exp2', -120, 120, (x) => 2 ** x],
  ['expm1', -5, 5, Math.expm1],
  ['log', 1e-3, 50, Math.log],
  ['log1p', -0.9, 50, Math.log1p],
  ['log2', 1e-3, 50, Math.log2],
  ['log10', 1e-3, 50, Math.log10],
  ['sin', -20, 20, Math.sin],
  ['cos', -20, 20, Math.cos],
  ['tan', -1.5, 1.5, Math.tan],
  ['asin', -1, 1, Math.asin],
  ['acos', -1, 1, Math.acos],
  ['atan', -20, 20, Math.atan],
  ['sinh', -20, 20, Math.sinh],
  ['cosh', -20, 20, Math.cosh],
  ['tanh', -10, 10, Math.tanh],
  ['asinh', -20, 20, Math.asinh],
  ['acosh', 1, 20, Math.acosh],
  ['atanh', -0.99, 0.99, Math.atanh],
  ['erf', -4, 4, null],
  ['erfc', -4, 8, null],
  ['sigmoid', -30, 30, (x) => 1 / (1 + Math.exp(-x))],
  ['sqrt', 0, 100, Math.sqrt],
  ['rsqrt', 1e-3, 100, (x) => 1 / Math.sqrt(x)],
  ['reciprocal', 0.01, 100, (x) => 1 / x],
];

describe('accuracy of mathematical functions', () => {
  for (const [name, low, high, exact] of FUNCTIONS) {
    it(`${name}: float32 within 4 units in the last place${exact === null ? '' : ', float64 as Math has it'}`, () => {
      const xs = points(low, high);
      const wide = named(name)(tensor(xs, { dtype: 'float64' })).tolist() as number[];
      const single = named(name)(tensor(xs)).tolist() as number[];
      xs.forEach((x, i) => {
        if (exact !== null)
          expect(Math.abs(wide[i] - exact(x)), `${name}(${x}) in float64`).to.be.at.most(
            1e-14 * Math.max(1, Math.abs(exact(x))),
          );
        expect(ulps(single[i], wide[i]), `${name}(${x}): ${single[i]}, exactly ${wide[i]}`).to.be.at.most(4);
      });
    });
  }

  it(
    'log(1 + e^x) is within 4 units in the last place wherever it is taken, on both sides of 0 and where ' +
      'e^x leaves no trace of the 1',
    () => {
      const exact = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
      const takes: Readonly<Record<string, readonly [(x: Tensor) => Tensor, (x: number) => number]>> = {
        softplus: [(x) => functional.softplus(x, { threshold: 200 }), exact],
        logsigmoid: [(x) => functional.logsigmoid(x), (x) => -exact(-x)],
      };
      for (const [name, [take, of]] of Object.entries(takes)) {
        for (const xs of [points(-80, 80), points(-2, 2), points(-1e-3, 1e-3)]) {
          const single = take(tensor(xs)).tolist() as number[];
          const wide = take(tensor(xs, { dtype: 'float64' })).tolist() as number[];
          xs.forEach((x, i) => {
            expect(ulps(single[i], Math.fround(of(x))), `${name}(${x})`).to.be.at.most(4);
            expect(Math.abs(wide[i] - of(x)), `${name}(${x}) in float64`).to.be.at.most(1e-14 * Math.abs(of(x)));
          });
        }
        expect(take(tensor([Number.NaN])).item(), `${name}(NaN)`).to.be.NaN;
      }
    },
  );

  it('activations in float32 keep to 1e-6 of their float64 values', () => {
    const xs = points(-12, 12);
    const activations: Readonly<Record<string, Unary>> = {
      gelu: (x) => functional.gelu(x),
      geluTanh: (x) => functional.gelu(x, { approximate: 'tanh' }),
      silu: (x) => functional.silu(x),
      mish: (x) => functional.mish(x),
      softplus: (x) => functional.softplus(x),
      logsigmoid: (x) => functional.logsigmoid(x),
      elu: (x) => functional.elu(x),
      selu: (x) => functional.selu(x),
    };
    for (const [name, f] of Object.entries(activations)) {
      const wide = f(tensor(xs, { dtype: 'float64' })).tolist() as number[];
      const single = f(tensor(xs)).tolist() as number[];
      xs.forEach((x, i) => {
        expect(Math.abs(single[i] - wide[i]), `${name}(${x})`).to.be.at.most(1e-6 * Math.max(1, Math.abs(wide[i])));
      });
    }
  });
});
