/** Stochastic gradient descent with momentum, one fused pass a parameter. */

import { type Arguments, checkNumber } from '../arguments.js';
import { ArgumentError, fail } from '../errors.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import type { TypedArray } from '../native/typed-array.js';
import { instanceOf } from '../storage/kernel-instance.js';
import type { Tensor } from '../tensor/tensor.js';
import { updatesByOneKernel } from './one-pass.js';
import { optimizerArguments, type ParamGroup, type ParamsOrAll } from './optimizer.js';
import { PerParameterOptimizer } from './per-parameter-optimizer.js';
import { noArray, type ParamState, stateArray } from './state.js';

declare module '../native/kernels.js' {
  interface Kernels {
    sgd: KernelTable<
      [
        param: TypedArray,
        grad: TypedArray,
        buffer: TypedArray,
        n: number,
        lr: number,
        momentum: number,
        dampening: number,
        weightDecay: number,
        nesterov: number,
        maximize: number,
        first: number,
      ]
    >;
  }
}

/** Hyperparameters of SGD. */
export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  lr?: number | Tensor;
  /** Share of the last step that is kept. Default 0. */
  momentum?: number;
  /** Share of the gradient that momentum leaves out. Default 0. */
  dampening?: number;
  /** L2 penalty. Default 0. */
  weightDecay?: number;
  /** Look ahead along the momentum. Default false. */
  nesterov?: boolean;
  /** Ascend instead. Default false. */
  maximize?: boolean;
  /** Accepted as PyTorch's; every update here is one fused pass. */
  foreach?: boolean | null;
  differentiable?: boolean;
  fused?: boolean | null;
}
export interface SGDGroup extends ParamGroup {
  momentum: number;
  dampening: number;
  weightDecay: number;
  nesterov: boolean;
  maximize: boolean;
}

const DEFAULTS = {
  lr: 1e-3,
  momentum: 0,
  dampening: 0,
  weightDecay: 0,
  nesterov: false,
  maximize: false,
  foreach: null,
  differentiable: false,
  fused: null,
};

/**
 * `b = momentum b + (1 - dampening) g; p = p - lr b` with `g` the gradient plus `weightDecay p`, and `b = g` on the
 * first step. Source: torch.optim.SGD.
 */
export class SGD extends PerParameterOptimizer {
  static {
    updatesByOneKernel(SGD);
  }
  declare readonly paramGroups: SGDGroup[];

  constructor(
    params: ParamsOrAll<SGDGroup, SGDOptions>,
    ...args: Arguments<
      [lr?: number | Tensor, momentum?: number, dampening?: number, weightDecay?: number, nesterov?: boolean],
      SGDOptions
    >
  ) {
    super(...optimizerArguments('SGD', DEFAULTS, params, args, 5));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as SGDGroup;
    checkNumber(op, 'lr', group.lr, 0);
    checkNumber(op, 'momentum', group.momentum, 0);
    checkNumber(op, 'dampening', group.dampening);
    checkNumber(op, 'weightDecay', group.weightDecay, 0);
    if (group.nesterov && (group.momentum <= 0 || group.dampening !== 0))
      fail(
        ArgumentError,
        op,
        'momentum above 0 and no dampening with nesterov',
        `momentum ${group.momentum}, dampening ${group.dampening}`,
      );
  }

  protected update(given: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void {
    const group = given as SGDGroup;
    const moves = group.momentum !== 0;
    const first = moves && (state.momentumBuffer === undefined || state.momentumBuffer === null);
    const buffer = moves ? stateArray(state, 'momentumBuffer', param) : noArray(param);
    instanceOf('SGD', kernels.sgd, param.info)(
      param.array,
      grad.array,
      buffer,
      param.numel(),
      group.lr,
      group.momentum,
      group.dampening,
      group.weightDecay,
      Number(group.nesterov),
      Number(group.maximize),
      Number(first),
    );
  }
}
