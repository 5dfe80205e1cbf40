/**
 * The derivative of the gradient of a normalisation, the same for all of them: batch, layer, group, instance and
 * root-mean-square. Made of elementary operators, statistics included, so that it can be differentiated again.
 */
import type { Shape } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { wide } from '../core/convert.js';
import { scalarTensor } from '../core/promotion.js';
import { expandOp, reshape } from '../core/view.js';
import { addOp, mul, scaled, subOp } from '../elementwise/arithmetic.js';
import { rsqrt } from '../elementwise/power.js';
import { meanOp, sumOp, sumToShape } from '../reductions/reduce.js';

/** How xh = (x - mean) rstd comes about, with all tensors in shapes that broadcast against each other. */
export interface Normalisation {
  /** x's shape, cut so that statistics are over whole dimensions. */
  readonly shape: Shape;
  readonly dims: readonly number[];
  /** The weight's shape against it. */
  readonly weightShape: Shape;
  readonly eps: number;
  /** `fixed`: mean and rstd are given and constant; `rms`: the mean is 0. */
  readonly kind: 'centred' | 'rms' | 'fixed';
  readonly mean?: Tensor;
  readonly rstd?: Tensor;
}

const sumOf = (a: Tensor | null, b: Tensor): Tensor => (a === null ? b : addOp([a, b]));

/**
 * With h = g w and P(v) = v - mean(v) - xh mean(v xh), a normalisation's gradients are gx = r P(h), gw = sum g xh, gb =
 * sum g. Given their gradients a, b, c (and M elements a statistic, S = sum a P(h)):
 *   dg = w r P(a) + b xh + c,   dw = sum g r P(a),
 *   dx = r P(b g) - r^2 / M (xh S + P(a) sum h xh + P(h) sum a xh).
 */
export function normDoubleBackward(
  normalisation: Normalisation,
  given: { g: Tensor; x: Tensor; weight: Tensor | null },
  gradients: readonly (Tensor | null)[],
): { g: Tensor | null; x: Tensor | null; weight: Tensor | null } {
  const { shape, dims, weightShape, eps, kind } = normalisation;
  const view = (t: Tensor | null, to: Shape): Tensor | null => (t === null ? null : reshape(wide(t), to));
  const g = view(given.g, shape) as Tensor;
  const x = view(given.x, shape) as Tensor;
  const w = view(given.weight, weightShape);
  const [a, b, c] = [view(gradients[0], shape), view(gradients[1], weightShape), view(gradients[2], weightShape)];
  const mean = kind === 'centred' ? meanOp([x], dims) : (normalisation.mean ?? null);
  const centred = mean === null ? x : subOp([x, mean]);
  const r =
    normalisation.rstd ?? rsqrt.op([addOp([meanOp([mul.op([centred, centred])], dims), scalarTensor(eps, x.info)])]);
  const xh = mul.op([centred, r]);
  const project = (v: Tensor): Tensor => {
    if (kind === 'fixed') return v;
    const rest = kind === 'centred' ? subOp([v, meanOp([v], dims)]) : v;
    return subOp([rest, mul.op([xh, meanOp([mul.op([v, xh])], dims)])]);
  };

  let dg: Tensor | null = null;
  let dx: Tensor | null = null;
  let dw: Tensor | null = null;
  if (a !== null) {
    const pa = project(a);
    const rpa = mul.op([pa, r]);
    dg = w === null ? rpa : mul.op([rpa, w]);
    if (w !== null) dw = sumToShape(mul.op([g, rpa]), weightShape);
    if (kind !== 'fixed') {
      const h = w === null ? g : mul.op([g, w]);
      const ph = project(h);
      const s = mul.op([xh, sumOp([mul.op([a, ph])], dims)]);
      const both = addOp([mul.op([pa, sumOp([mul.op([h, xh])], dims)]), mul.op([ph, sumOp([mul.op([a, xh])], dims)])]);
      const count = dims.reduce((n, d) => n * shape[d], 1);
      dx = mul.op([scaled(mul.op([r, r]), -1 / count), addOp([s, both])]);
    }
  }
  if (b !== null) {
    dg = sumOf(dg, mul.op([xh, b]));
    dx = sumOf(dx, mul.op([project(mul.op([g, b])), r]));
  }
  if (c !== null) dg = sumOf(dg, expandOp([c], shape));
  const back = (t: Tensor | null, like: Tensor | null): Tensor | null =>
    t === null || like === null ? null : reshape(t, like.shape);
  return { g: back(dg, given.g), x: back(dx, given.x), weight: back(dw, given.weight) };
}
