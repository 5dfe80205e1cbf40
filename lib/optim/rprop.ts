/** Resilient backpropagation, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
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
    rprop: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        previous: TypedArray,
        stepSize: TypedArray,
        n: number,
        etaMinus: number,
        etaPlus: number,
        low: number,
        high: number,
        maximize: number,
      ]
    >;
  }
}

/** Hyperparameters of Rprop. */
export interface RpropOptions {
  /** First step. Default 1e-2. */
  lr?: number | Tensor;
  /** Factors by which a step shrinks and grows. Default [0.5, 1.2]. */
  etas?: readonly [number, number];
  /** Smallest and largest step. Default [1e-6, 50]. */
  stepSizes?: readonly [number, number];
  capturable?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  differentiable?: boolean;
}
export interface RpropGroup extends ParamGroup {
  etas: readonly [number, number];
  stepSizes: readonly [number, number];
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-2,
  etas: [0.5, 1.2] as readonly [number, number],
  stepSizes: [1e-6, 50] as readonly [number, number],
  capturable: false,
  foreach: null,
  maximize: false,
  differentiable: false,
};

/**
 * Each element has a step of its own, which grows while its gradient keeps its sign and shrinks when it turns; `p = p -
 * sign(g) step`. Source: torch.optim.Rprop.
 */
export class Rprop extends PerParameterOptimizer {
  static {
    updatesByOneKernel(Rprop);
  }
  declare readonly paramGroups: RpropGroup[];

  constructor(
    params: ParamsOrAll<RpropGroup, RpropOptions>,
    ...args: Arguments<
      [lr?: number | Tensor, etas?: readonly [number, number], stepSizes?: readonly [number, number]],
      RpropOptions
    >
  ) {
    super(...optimizerArguments('Rprop', DEFAULTS, params, args, 3));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as RpropGroup;
    checkNumber(op, 'lr', group.lr, 0);
    for (const key of ['etas', 'stepSizes'] as const)
      if (!Array.isArray(group[key]) || group[key].length !== 2)
        fail(ArgumentError, op, `two numbers for ${key}`, describe(group[key]));
      else for (const value of group[key]) checkNumber(op, key, value);
    const [shrink, grow] = group.etas;
    if (!(shrink > 0 && shrink < 1 && grow > 1))
      fail(ArgumentError, op, 'etas between 0 and 1, and above 1', describe(group.etas));
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as RpropGroup;
    nextStep(state);
    instanceOf('Rprop', kernels.rprop, param.info)(
      param.array,
      grad.array,
      stateArray(state, 'prev', param),
      stateArray(state, 'stepSize', param, group.lr),
      param.numel(),
      group.etas[0],
      group.etas[1],
      group.stepSizes[0],
      group.stepSizes[1],
      Number(group.maximize),
    );
  }
}
