/** Adam with Nesterov momentum, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBetas } from './arguments.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, type ParamState, stateArray, stepTensor } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    nadam: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        average: TypedArray,
        square: TypedArray,
        n: number,
        gradientStep: number,
        averageStep: number,
        correction: number,
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

/** Hyperparameters of NAdam. */
export interface NAdamOptions {
  /** Learning rate. Default 2e-3. */
  lr?: number | Tensor;
  /** Decay of the averages of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number | Tensor, number | Tensor];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** L2 penalty, or decoupled weight decay. Default 0. */
  weightDecay?: number;
  /** How fast the momentum warms up. Default 4e-3. */
  momentumDecay?: number;
  /** Shrink the parameter itself. Default false. */
  decoupledWeightDecay?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  capturable?: boolean;
  differentiable?: boolean;
}
export interface NAdamGroup extends ParamGroup {
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
  momentumDecay: number;
  decoupledWeightDecay: boolean;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 2e-3,
  betas: [0.9, 0.999] as readonly [number, number],
  eps: 1e-8,
  weightDecay: 0,
  momentumDecay: 4e-3,
  decoupledWeightDecay: false,
  foreach: null,
  maximize: false,
  capturable: false,
  differentiable: false,
};

/**
 * Adam whose step looks ahead along a momentum that warms up as `beta1 (1 - 0.96^(step momentumDecay) / 2)`. Source:
 * torch.optim.NAdam.
 */
export class NAdam extends PerParameterOptimizer {
  static {
    updatesByOneKernel(NAdam);
  }
  declare readonly paramGroups: NAdamGroup[];

  constructor(
    params: ParamsOrAll<NAdamGroup, NAdamOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        betas?: readonly [number | Tensor, number | Tensor],
        eps?: number,
        weightDecay?: number,
        momentumDecay?: number,
        decoupledWeightDecay?: boolean,
      ],
      NAdamOptions
    >
  ) {
    super(...optimizerArguments('NAdam', DEFAULTS, params, args, 6));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as NAdamGroup;
    for (const key of ['lr', 'eps', 'weightDecay', 'momentumDecay'] as const) checkNumber(op, key, group[key], 0);
    group.betas = checkBetas(op, group.betas);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as NAdamGroup;
    const { lr, weightDecay, momentumDecay, decoupledWeightDecay } = group;
    const [beta1, beta2] = group.betas;
    const step = nextStep(state);
    const mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const next = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentumDecay));
    state.muProduct ??= stepTensor(1);
    const product = state.muProduct as Tensor;
    // As PyTorch multiplies a tensor by a number: in the tensor's type.
    product.array[0] = Number(product.item()) * (product.dtype === 'float32' ? Math.fround(mu) : mu);
    const soFar = Number(product.item());
    instanceOf('NAdam', kernels.nadam, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'expAvg', param),
      stateArray(state, 'expAvgSq', param),
      param.numel(),
      (lr * (1 - mu)) / (1 - soFar),
      (lr * next) / (1 - soFar * next),
      1 - beta2 ** step,
      beta1,
      beta2,
      group.eps,
      decoupledWeightDecay ? 0 : weightDecay,
      decoupledWeightDecay ? 1 - lr * weightDecay : 1,
      Number(group.maximize),
    );
  }
}
