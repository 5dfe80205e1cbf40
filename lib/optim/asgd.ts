/** Averaged stochastic gradient descent, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { ArgumentError, fail } from '../errors.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { nextStep, type ParamState, stateArray, stepTensor } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    asgd: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        average: TypedArray,
        n: number,
        eta: number,
        shrink: number,
        mu: number,
        weightDecay: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of ASGD. */
export interface ASGDOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number | Tensor;
  /** Decay term. Default 1e-4. */
  lambd?: number;
  /** Power by which eta falls. Default 0.75. */
  alpha?: number;
  /** Step at which averaging begins. Default 1e6. */
  t0?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
  capturable?: boolean;
}
export interface ASGDGroup extends ParamGroup {
  lambd: number;
  alpha: number;
  t0: number;
  weightDecay: number;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-2,
  lambd: 1e-4,
  alpha: 0.75,
  t0: 1e6,
  weightDecay: 0,
  foreach: null,
  maximize: false,
  differentiable: false,
  capturable: false,
};

/**
 * `p = p (1 - lambd eta) - eta g; ax = ax + mu (p - ax)`, eta and mu falling with the steps. Source: torch.optim.ASGD.
 */
export class ASGD extends PerParameterOptimizer {
  static {
    updatesByOneKernel(ASGD);
  }
  declare readonly paramGroups: ASGDGroup[];

  constructor(
    params: ParamsOrAll<ASGDGroup, ASGDOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        lambd?: number,
        alpha?: number,
        t0?: number,
        weightDecay?: number,
        foreach?: boolean | null,
        maximize?: boolean,
        differentiable?: boolean,
        capturable?: boolean,
      ],
      ASGDOptions
    >
  ) {
    super(...optimizerArguments('ASGD', DEFAULTS, params, args, 9));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as ASGDGroup;
    for (const key of ['lr', 'weightDecay'] as const) checkNumber(op, key, group[key], 0);
    for (const key of ['lambd', 'alpha', 't0'] as const) checkNumber(op, key, group[key]);
    if (group.alpha === Number.NEGATIVE_INFINITY) fail(ArgumentError, op, 'an alpha above -Infinity', '-Infinity');
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as ASGDGroup;
    const { lr, lambd, alpha, t0 } = group;
    const step = nextStep(state);
    state.eta ??= stepTensor(lr);
    state.mu ??= stepTensor(1);
    const eta = state.eta as Tensor;
    const mu = state.mu as Tensor;
    const rate = Number(eta.item());
    instanceOf('ASGD', kernels.asgd, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'ax', param),
      param.numel(),
      rate,
      1 - lambd * rate,
      Number(mu.item()),
      group.weightDecay,
      Number(group.maximize),
    );
    eta.array[0] = lr / (1 + lambd * lr * step) ** alpha;
    mu.array[0] = 1 / Math.max(1, step - t0);
  }
}
