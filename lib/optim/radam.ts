/** Rectified Adam, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBetas } from './arguments.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, type ParamState, stateArray } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    radam: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        average: TypedArray,
        square: TypedArray,
        n: number,
        lr: number,
        correction1: number,
        correction2: number,
        rectification: number,
        beta1: number,
        beta2: number,
        eps: number,
        weightDecay: number,
        shrink: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of RAdam. */
export interface RAdamOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number | Tensor;
  /** Decay of the averages of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number | Tensor, number | Tensor];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** L2 penalty, or decoupled weight decay. Default 0. */
  weightDecay?: number;
  /** Shrink the parameter itself. Default false. */
  decoupledWeightDecay?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  capturable?: boolean;
  differentiable?: boolean;
}
export interface RAdamGroup extends ParamGroup {
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
  decoupledWeightDecay: boolean;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-3,
  betas: [0.9, 0.999] as readonly [number, number],
  eps: 1e-8,
  weightDecay: 0,
  decoupledWeightDecay: false,
  foreach: null,
  maximize: false,
  capturable: false,
  differentiable: false,
};

/**
 * Adam whose adaptive step is rectified by its variance, and left out while that is unknown (the first steps). Source:
 * torch.optim.RAdam.
 */
export class RAdam extends PerParameterOptimizer {
  static {
    updatesByOneKernel(RAdam);
  }
  declare readonly paramGroups: RAdamGroup[];

  constructor(
    params: ParamsOrAll<RAdamGroup, RAdamOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        betas?: readonly [number | Tensor, number | Tensor],
        eps?: number,
        weightDecay?: number,
        decoupledWeightDecay?: boolean,
      ],
      RAdamOptions
    >
  ) {
    super(...optimizerArguments('RAdam', DEFAULTS, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as RAdamGroup;
    for (const key of ['lr', 'eps', 'weightDecay'] as const) checkNumber(op, key, group[key], 0);
    group.betas = checkBetas(op, group.betas);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as RAdamGroup;
    const { lr, weightDecay, decoupledWeightDecay } = group;
    const [beta1, beta2] = group.betas;
    const step = nextStep(state);
    const correction2 = 1 - beta2 ** step;
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * step * beta2 ** step) / correction2;
    const rectification =
      length > 5 ? Math.sqrt(((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length)) : 0;
    instanceOf('RAdam', kernels.radam, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'expAvg', param),
      stateArray(state, 'expAvgSq', param),
      param.numel(),
      lr,
      1 - beta1 ** step,
      Math.sqrt(correction2),
      rectification,
      beta1,
      beta2,
      group.eps,
      decoupledWeightDecay ? 0 : weightDecay,
      decoupledWeightDecay ? 1 - lr * weightDecay : 1,
      Number(group.maximize),
    );
  }
}
