/** Adamax, Adam by the largest gradient, one fused pass a parameter. */

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
    adamax: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        average: TypedArray,
        infinity: TypedArray,
        n: number,
        stepSize: number,
        beta1: number,
        beta2: number,
        eps: number,
        weightDecay: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of Adamax. */
export interface AdamaxOptions {
  /** Learning rate. Default 2e-3. */
  lr?: number | Tensor;
  /** Decay of the average gradient and of its largest size. Default [0.9, 0.999]. */
  betas?: readonly [number | Tensor, number | Tensor];
  /** Added to the size. Default 1e-8. */
  eps?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
  capturable?: boolean;
}
export interface AdamaxGroup extends ParamGroup {
  betas: readonly [number, number];
  eps: number;
  weightDecay: number;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 2e-3,
  betas: [0.9, 0.999] as readonly [number, number],
  eps: 1e-8,
  weightDecay: 0,
  foreach: null,
  maximize: false,
  differentiable: false,
  capturable: false,
};

/**
 * `m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); p = p - lr / (1 - beta1^step) m / u`. Source:
 * torch.optim.Adamax.
 */
export class Adamax extends PerParameterOptimizer {
  static {
    updatesByOneKernel(Adamax);
  }
  declare readonly paramGroups: AdamaxGroup[];

  constructor(
    params: ParamsOrAll<AdamaxGroup, AdamaxOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        betas?: readonly [number | Tensor, number | Tensor],
        eps?: number,
        weightDecay?: number,
        foreach?: boolean | null,
      ],
      AdamaxOptions
    >
  ) {
    super(...optimizerArguments('Adamax', DEFAULTS, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as AdamaxGroup;
    for (const key of ['lr', 'eps', 'weightDecay'] as const) checkNumber(op, key, group[key], 0);
    group.betas = checkBetas(op, group.betas);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as AdamaxGroup;
    const [beta1, beta2] = group.betas;
    const step = nextStep(state);
    instanceOf('Adamax', kernels.adamax, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'expAvg', param),
      stateArray(state, 'expInf', param),
      param.numel(),
      group.lr / (1 - beta1 ** step),
      beta1,
      beta2,
      group.eps,
      group.weightDecay,
      Number(group.maximize),
    );
  }
}
