/** Adafactor: the second moment of a matrix kept as its rows' and columns' means. */

import { type Arguments, checkNumber } from '../arguments.js';
import { noGrad } from '../autograd/grad-mode.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { zeros } from '../ops/creation/factories.js';
import type { Tensor } from '../tensor/tensor.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, type ParamState } from './state.js';

/** Hyperparameters of Adafactor. */
export interface AdafactorOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number | Tensor;
  /** beta2 is `1 - step^beta2Decay`. Default -0.8. */
  beta2Decay?: number;
  /** The least second moment (null: the type's epsilon) and the least parameter scale. Default [null, 1e-3]. */
  eps?: readonly [number | null, number];
  /** The root mean square that an update is clipped to. Default 1. */
  d?: number;
  /** Decoupled weight decay. Default 0. */
  weightDecay?: number;
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
}
export interface AdafactorGroup extends Omit<ParamGroup, 'eps'> {
  beta2Decay: number;
  eps: readonly [number | null, number];
  d: number;
  weightDecay: number;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-2,
  beta2Decay: -0.8,
  eps: [null, 1e-3] as readonly [number | null, number],
  d: 1,
  weightDecay: 0,
  foreach: null,
  maximize: false,
};
const EPSILON: Readonly<Record<string, number>> = {
  float64: 2 ** -52,
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
};

/**
 * `u = g / sqrt(v)`, v of rank one for matrices; `p = p - lr' u / max(1, rms(u) / d)`. Source: torch.optim.Adafactor
 * (Shazeer and Stern, 2018).
 */
export class Adafactor extends PerParameterOptimizer {
  constructor(
    params: ParamsOrAll<ParamGroup, AdafactorOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        beta2Decay?: number,
        eps?: readonly [number | null, number],
        d?: number,
        weightDecay?: number,
      ],
      AdafactorOptions
    >
  ) {
    super(...optimizerArguments('Adafactor', DEFAULTS, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as unknown as AdafactorGroup;
    checkNumber(op, 'lr', group.lr, 0);
    checkNumber(op, 'weightDecay', group.weightDecay, 0);
    checkNumber(op, 'd', group.d, 1);
    checkNumber(op, 'beta2Decay', group.beta2Decay);
    if (group.beta2Decay > 0) fail(ArgumentError, op, 'beta2Decay of at most 0', String(group.beta2Decay));
    if (!Array.isArray(group.eps) || group.eps.length !== 2)
      fail(ArgumentError, op, 'two numbers for eps, the first of them or null', describe(group.eps));
    if (group.eps[0] !== null) checkNumber(op, 'eps[0]', group.eps[0], 0);
    checkNumber(op, 'eps[1]', group.eps[1], 0);
  }

  protected override checksStateShape(): boolean {
    return false;
  }

  protected update(given: ParamGroup, param: Tensor, gradient: Tensor, state: ParamState): void {
    const group = given as unknown as AdafactorGroup;
    const { lr, weightDecay, d } = group;
    const { shape, dtype } = param;
    const floor = group.eps[0] ?? EPSILON[dtype];
    const step = nextStep(state);
    // 1 to any power is 1, where JavaScript's 1 ** -Infinity is NaN.
    const share = step === 1 ? 1 : step ** group.beta2Decay;
    noGrad(() => {
      const grad = group.maximize ? gradient.neg() : gradient;
      const alpha =
        Math.max(group.eps[1], Number(param.norm().item()) / Math.sqrt(param.numel())) *
        Math.min(lr, 1 / Math.sqrt(step));
      if (weightDecay !== 0) param.mul_(1 - lr * weightDecay);
      let variance: Tensor;
      if (shape.length > 1) {
        const last = shape.length - 1;
        state.rowVar ??= zeros(
          shape.map((n, k) => (k === last ? 1 : n)),
          { dtype },
        ); // prettier-ignore
        state.colVar ??= zeros(
          shape.map((n, k) => (k === last - 1 ? 1 : n)),
          { dtype },
        ); // prettier-ignore
        const rows = state.rowVar as Tensor;
        const columns = state.colVar as Tensor;
        const squares = grad.mul(grad);
        rows.lerp_(squares.mean(-1, true), share);
        columns.lerp_(squares.mean(-2, true), share);
        variance = rows.matmul(columns).div(rows.mean(-2, true).clampMin(floor));
      } else {
        state.variance ??= zeros(shape, { dtype });
        variance = (state.variance as Tensor).lerp_(grad.mul(grad), share);
      }
      const update = variance
        .clampMin(floor * floor)
        .rsqrt()
        .mul(grad); // prettier-ignore
      const size = Math.max(1, Number(update.norm().item()) / (Math.sqrt(update.numel()) * d));
      param.add_(update, { alpha: -alpha / size });
    });
  }
}
