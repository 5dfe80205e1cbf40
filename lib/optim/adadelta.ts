/** Adadelta, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { ArgumentError, fail } from '../errors.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, type ParamState, stateArray } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    adadelta: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        square: TypedArray,
        delta: TypedArray,
        n: number,
        lr: number,
        rho: number,
        eps: number,
        weightDecay: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of Adadelta. */
export interface AdadeltaOptions {
  /** Learning rate. Default 1. */
  lr?: number | Tensor;
  /** Decay of the averages of squares. Default 0.9. */
  rho?: number;
  /** Added under the roots. Default 1e-6. */
  eps?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  capturable?: boolean;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
}
export interface AdadeltaGroup extends ParamGroup {
  rho: number;
  eps: number;
  weightDecay: number;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1,
  rho: 0.9,
  eps: 1e-6,
  weightDecay: 0,
  foreach: null,
  capturable: false,
  maximize: false,
  differentiable: false,
};

/**
 * `v = rho v + (1 - rho) g^2; u = sqrt(w + eps) / sqrt(v + eps) g; w = rho w + (1 - rho) u^2; p = p - lr u`. Source:
 * torch.optim.Adadelta.
 */
export class Adadelta extends PerParameterOptimizer {
  static {
    updatesByOneKernel(Adadelta);
  }
  declare readonly paramGroups: AdadeltaGroup[];

  constructor(
    params: ParamsOrAll<AdadeltaGroup, AdadeltaOptions>,
    ...args: Arguments<
      [lr?: number | Tensor, rho?: number, eps?: number, weightDecay?: number, foreach?: boolean | null],
      AdadeltaOptions
    >
  ) {
    super(...optimizerArguments('Adadelta', DEFAULTS, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as AdadeltaGroup;
    for (const key of ['lr', 'eps', 'weightDecay'] as const) checkNumber(op, key, group[key], 0);
    checkNumber(op, 'rho', group.rho, 0);
    if (group.rho > 1) fail(ArgumentError, op, 'rho in [0, 1]', String(group.rho));
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as AdadeltaGroup;
    nextStep(state);
    instanceOf('Adadelta', kernels.adadelta, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'squareAvg', param),
      stateArray(state, 'accDelta', param),
      param.numel(),
      group.lr,
      group.rho,
      group.eps,
      group.weightDecay,
      Number(group.maximize),
    );
  }
}
