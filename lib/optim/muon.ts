/** Muon: momentum whose matrices are made orthogonal by a Newton-Schulz iteration in bfloat16. For matrices only. */

import { type Arguments, checkBoolean, checkInteger, checkNumber } from '../arguments.js';
import { noGrad } from '../autograd/grad-mode.js';
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { addmm } from '../ops/products/matmul.js';
import type { Tensor } from '../tensor/tensor.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { type ParamState, stateArray } from './state.js';

/** Hyperparameters of Muon. */
export interface MuonOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number | Tensor;
  /** Decoupled weight decay. Default 0.1. */
  weightDecay?: number;
  /** Default 0.95. */
  momentum?: number;
  /** Look ahead along the momentum. Default true. */
  nesterov?: boolean;
  /** Coefficients of the iteration's polynomial. */
  nsCoefficients?: readonly [number, number, number];
  /** The least norm that is divided by. Default 1e-7. */
  eps?: number;
  /** Rounds of the iteration. Default 5. */
  nsSteps?: number;
  /** How the rate is fitted to the matrix's shape. Default 'original'. */
  adjustLrFn?: 'original' | 'match_rms_adamw' | null;
}
export interface MuonGroup extends ParamGroup {
  weightDecay: number;
  momentum: number;
  nesterov: boolean;
  nsCoefficients: readonly [number, number, number];
  eps: number;
  nsSteps: number;
  adjustLrFn: string | null;
}

const DEFAULTS = {
  lr: 1e-3,
  weightDecay: 0.1,
  momentum: 0.95,
  nesterov: true,
  nsCoefficients: [3.4445, -4.775, 2.0315] as readonly [number, number, number],
  eps: 1e-7,
  nsSteps: 5,
  adjustLrFn: null as string | null,
};

/** The nearest orthogonal matrix, roughly: x = a x + (b g + c g^2) x with g = x x^T, from x of norm 1. */
function orthogonal(given: Tensor, [a, b, c]: readonly [number, number, number], steps: number, eps: number): Tensor {
  const tall = given.shape[0] > given.shape[1];
  let x = given.bfloat16();
  if (tall) x = x.t();
  x = x.div(x.norm().clampMin(eps));
  for (let k = 0; k < steps; k++) {
    const gram = x.mm(x.t());
    x = addmm(x, addmm(gram, gram, gram, { beta: b, alpha: c }), x, { beta: a });
  }
  return tall ? x.t() : x;
}

/**
 * `b = momentum b + (1 - momentum) g; p = p (1 - lr weightDecay) - lr' orthogonal(b)`. Source: torch.optim.Muon (Jordan
 * et al., 2024).
 */
export class Muon extends PerParameterOptimizer {
  declare readonly paramGroups: MuonGroup[];

  constructor(
    params: ParamsOrAll<MuonGroup, MuonOptions>,
    ...args: Arguments<[lr?: number | Tensor, weightDecay?: number, momentum?: number, nesterov?: boolean], MuonOptions>
  ) {
    super(...optimizerArguments('Muon', DEFAULTS, params, args, 8));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as MuonGroup;
    for (const key of ['lr', 'weightDecay', 'momentum'] as const) checkNumber(op, key, group[key], 0);
    checkNumber(op, 'eps', group.eps);
    checkBoolean(op, 'nesterov', group.nesterov);
    checkInteger(op, 'nsSteps', group.nsSteps, Number.MIN_SAFE_INTEGER);
    if (group.nsSteps >= 100) fail(ArgumentError, op, 'nsSteps below 100', String(group.nsSteps));
    if (!Array.isArray(group.nsCoefficients) || group.nsCoefficients.length !== 3)
      fail(ArgumentError, op, 'three nsCoefficients', describe(group.nsCoefficients));
    if (![null, undefined, 'original', 'match_rms_adamw'].includes(group.adjustLrFn))
      fail(ArgumentError, op, "adjustLrFn 'original' or 'match_rms_adamw'", describe(group.adjustLrFn));
    for (const param of group.params)
      if (param.shape.length !== 2) fail(ShapeError, op, 'matrices as parameters', describe(param));
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as MuonGroup;
    const { lr, momentum } = group;
    const [rows, columns] = param.shape;
    stateArray(state, 'momentumBuffer', param);
    const buffer = state.momentumBuffer as Tensor;
    noGrad(() => {
      buffer.lerp_(grad, 1 - momentum);
      const step = orthogonal(
        group.nesterov ? grad.lerp(buffer, momentum) : buffer,
        group.nsCoefficients,
        group.nsSteps,
        group.eps,
      );
      const ratio =
        group.adjustLrFn === 'match_rms_adamw'
          ? 0.2 * Math.sqrt(Math.max(rows, columns))
          : Math.sqrt(Math.max(1, rows / columns));
      param.mul_(1 - lr * group.weightDecay);
      param.add_(step, { alpha: -lr * ratio });
    });
  }
}
