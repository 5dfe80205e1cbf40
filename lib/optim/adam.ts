/** Adam and AdamW, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkBetas } from './arguments.js';
import { BiasCorrection } from './bias-correction.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, noArray, type ParamState, stateArray } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    adam: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        average: TypedArray,
        square: TypedArray,
        maximum: TypedArray,
        n: number,
        stepSize: number,
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

/** Hyperparameters of Adam and AdamW. */
export interface AdamOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number | Tensor;
  /** Decay of the averages of the gradient and of its square. Default [0.9, 0.999]. */
  betas?: readonly [number | Tensor, number | Tensor];
  /** Added to the denominator. Default 1e-8. */
  eps?: number;
  /** L2 penalty (Adam, default 0) or decoupled weight decay (AdamW, default 0.01). */
  weightDecay?: number;
  /** Divide by the largest average of squares so far. Default false. */
  amsgrad?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  capturable?: boolean;
  differentiable?: boolean;
  fused?: boolean | null;
  /** Shrink the parameter itself instead of adding to the gradient. Default false; always true for AdamW. */
  decoupledWeightDecay?: boolean;
}
export interface AdamGroup extends ParamGroup {
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
  amsgrad: boolean;
  maximize: boolean;
  decoupledWeightDecay: boolean;
}
/** AdamW's decay is always decoupled. */
type AdamWOptions = Omit<AdamOptions, 'decoupledWeightDecay'>;
type Positional = [
  lr?: number | Tensor,
  betas?: readonly [number | Tensor, number | Tensor],
  eps?: number,
  weightDecay?: number,
  amsgrad?: boolean,
];

const DEFAULTS = {
  lr: 1e-3,
  betas: [0.9, 0.999] as readonly [number, number],
  eps: 1e-8,
  weightDecay: 0,
  amsgrad: false,
  maximize: false,
  foreach: null,
  capturable: false,
  differentiable: false,
  fused: null,
};

/**
 * `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p = p - lr m' / (sqrt(v') + eps)`, where m' and v' are m
 * and v divided by
 * `1 - beta^step`. Source: torch.optim.Adam (Kingma and Ba, 2015).
 */
export class Adam extends PerParameterOptimizer {
  static {
    updatesByOneKernel(Adam);
  }
  declare readonly paramGroups: AdamGroup[];
  private readonly correction1 = new BiasCorrection();
  private readonly correction2 = new BiasCorrection();

  constructor(params: ParamsOrAll<AdamGroup, AdamOptions>, ...args: Arguments<Positional, AdamOptions>) {
    super(...optimizerArguments('Adam', { ...DEFAULTS, decoupledWeightDecay: false }, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as AdamGroup;
    checkNumber(op, 'lr', group.lr, 0);
    checkNumber(op, 'eps', group.eps, 0);
    checkNumber(op, 'weightDecay', group.weightDecay, 0);
    group.betas = checkBetas(op, group.betas);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as AdamGroup;
    const { lr, eps, weightDecay, decoupledWeightDecay } = group;
    const [beta1, beta2] = group.betas;
    const step = nextStep(state);
    instanceOf('Adam', kernels.adam, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'expAvg', param),
      stateArray(state, 'expAvgSq', param),
      group.amsgrad ? stateArray(state, 'maxExpAvgSq', param) : noArray(param),
      param.numel(),
      lr / this.correction1.at(beta1, step),
      Math.sqrt(this.correction2.at(beta2, step)),
      beta1,
      beta2,
      eps,
      decoupledWeightDecay ? 0 : weightDecay,
      decoupledWeightDecay ? 1 - lr * weightDecay : 1,
      Number(group.maximize),
    );
  }
}

/**
 * Adam with decoupled weight decay: `p = p (1 - lr weightDecay)` before the step. Source: torch.optim.AdamW (Loshchilov
 * and Hutter, 2019).
 */
export class AdamW extends Adam {
  constructor(params: ParamsOrAll<AdamGroup, AdamWOptions>, ...args: Arguments<Positional, AdamWOptions>) {
    const [list, given] = optimizerArguments('AdamW', { ...DEFAULTS, weightDecay: 1e-2 }, params, args, 5);
    super(list, { ...given, decoupledWeightDecay: true });
  }

  protected override upgradeGroup(group: Record<string, unknown>): void {
    group.decoupledWeightDecay = true;
  }
}
