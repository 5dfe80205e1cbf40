/** RMSprop, plain, centered and with momentum, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, noArray, type ParamState, stateArray } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    rmsprop: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        square: TypedArray,
        average: TypedArray,
        buffer: TypedArray,
        n: number,
        lr: number,
        alpha: number,
        eps: number,
        weightDecay: number,
        momentum: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of RMSprop. */
export interface RMSpropOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number | Tensor;
  /** Decay of the average of squares. Default 0.99. */
  alpha?: number;
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** Share of the last step that is kept. Default 0. */
  momentum?: number;
  /** Divide by the estimated variance instead of the mean square. Default false. */
  centered?: boolean;
  capturable?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
}
export interface RMSpropGroup extends ParamGroup {
  alpha: number;
  eps: number;
  weightDecay: number;
  momentum: number;
  centered: boolean;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-2,
  alpha: 0.99,
  eps: 1e-8,
  weightDecay: 0,
  momentum: 0,
  centered: false,
  capturable: false,
  foreach: null,
  maximize: false,
  differentiable: false,
};

/**
 * `v = alpha v + (1 - alpha) g^2; p = p - lr g / (sqrt(v) + eps)`, v less the squared average gradient where centered.
 * Source: torch.optim.RMSprop (Hinton's lecture 6; Graves 2013 for centered).
 */
export class RMSprop extends PerParameterOptimizer {
  static {
    updatesByOneKernel(RMSprop);
  }
  declare readonly paramGroups: RMSpropGroup[];

  constructor(
    params: ParamsOrAll<RMSpropGroup, RMSpropOptions>,
    ...args: Arguments<
      [lr?: number | Tensor, alpha?: number, eps?: number, weightDecay?: number, momentum?: number, centered?: boolean],
      RMSpropOptions
    >
  ) {
    super(...optimizerArguments('RMSprop', DEFAULTS, params, args, 10));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as RMSpropGroup;
    for (const key of ['lr', 'alpha', 'eps', 'weightDecay', 'momentum'] as const) checkNumber(op, key, group[key], 0);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as RMSpropGroup;
    nextStep(state);
    instanceOf('RMSprop', kernels.rmsprop, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'squareAvg', param),
      group.centered ? stateArray(state, 'gradAvg', param) : noArray(param),
      group.momentum > 0 ? stateArray(state, 'momentumBuffer', param) : noArray(param),
      param.numel(),
      group.lr,
      group.alpha,
      group.eps,
      group.weightDecay,
      group.momentum,
      Number(group.maximize),
    );
  }
}
