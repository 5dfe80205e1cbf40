/** Adagrad, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
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
    adagrad: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        sum: TypedArray,
        n: number,
        lr: number,
        eps: number,
        weightDecay: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of Adagrad. */
export interface AdagradOptions {
  /** Learning rate. Default 1e-2. */
  lr?: number | Tensor;
  /** Decay of the learning rate: lr / (1 + (step - 1) lrDecay). Default 0. */
  lrDecay?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** What the sum of squares begins at. Default 0. */
  initialAccumulatorValue?: number;
  /** Added to the denominator. Default 1e-10. */
  eps?: number;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
  fused?: boolean | null;
}
export interface AdagradGroup extends ParamGroup {
  lrDecay: number;
  eps: number;
  weightDecay: number;
  initialAccumulatorValue: number;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-2,
  lrDecay: 0,
  weightDecay: 0,
  initialAccumulatorValue: 0,
  eps: 1e-10,
  foreach: null,
  maximize: false,
  differentiable: false,
  fused: null,
};

/**
 * `s = s + g^2; p = p - lr / (1 + (step - 1) lrDecay) g / (sqrt(s) + eps)`. Source: torch.optim.Adagrad (Duchi et al.,
 * 2011).
 */
export class Adagrad extends PerParameterOptimizer {
  static {
    updatesByOneKernel(Adagrad);
  }
  declare readonly paramGroups: AdagradGroup[];

  constructor(
    params: ParamsOrAll<AdagradGroup, AdagradOptions>,
    ...args: Arguments<
      [lr?: number | Tensor, lrDecay?: number, weightDecay?: number, initialAccumulatorValue?: number, eps?: number],
      AdagradOptions
    >
  ) {
    super(...optimizerArguments('Adagrad', DEFAULTS, params, args, 6));
    // As in PyTorch the accumulators are there before the first step.
    for (const group of this.paramGroups) {
      for (const param of group.params) {
        const state: ParamState = { step: stepTensor(0) };
        stateArray(state, 'sum', param, Number(this.defaults.initialAccumulatorValue));
        this.state.set(param, state);
      }
    }
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as AdagradGroup;
    for (const key of ['lr', 'lrDecay', 'weightDecay', 'initialAccumulatorValue', 'eps'] as const)
      checkNumber(op, key, group[key], 0);
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as AdagradGroup;
    const step = nextStep(state);
    instanceOf('Adagrad', kernels.adagrad, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'sum', param, Number(this.defaults.initialAccumulatorValue)),
      param.numel(),
      group.lr / (1 + (step - 1) * group.lrDecay),
      group.eps,
      group.weightDecay,
      Number(group.maximize),
    );
  }
}
