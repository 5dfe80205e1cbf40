/**
 * What most optimizers of this library share: a step updates one parameter at a time, and the algorithm sees parameter
 * and gradient as memory without gaps in one order. Updates of one kernel wait for each other and run as one parallel
 * pass over all parameters (one-pass.ts).
 */

import { enableGrad } from '../autograd/grad-mode.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { withStrides } from '../ops/core/relayout.js';
import { isDense } from '../shape/layout.js';
import { castAs, castTo, contiguousOf, copyInto } from '../tensor/copy.js';
import type { Tensor } from '../tensor/tensor.js';
import { OnePass, updatesInAnyOrder } from './one-pass.js';
import { type Closure, Optimizer, type ParamGroup } from './optimizer.js';
import type { ParamState } from './state.js';

export abstract class PerParameterOptimizer extends Optimizer {
  /**
   * Updates one parameter in place. Both are of one type and lie without gaps in one order: that of the parameter for
   * updates by one kernel, else row-major. What the parameter's memory holds is the new value.
   */
  protected abstract update(group: ParamGroup, param: Tensor, grad: Tensor, state: ParamState): void;

  /**
   * Updates every parameter that has a gradient. A closure recomputes the loss first, with gradients enabled, and its
   * value is returned; where it returns a promise, so does `step`.
   */
  override step(): undefined;
  override step<L>(closure: Closure<L>): L;
  override step(closure?: Closure): unknown {
    if (closure === undefined || closure === null) {
      this.updateAll();
      return undefined;
    }
    if (typeof closure !== 'function')
      fail(ArgumentError, `${this.constructor.name}.step`, 'a function as closure', describe(closure));
    const loss = enableGrad(closure);
    if (loss instanceof Promise) {
      return loss.then((value: unknown) => {
        this.updateAll();
        return value;
      });
    }
    this.updateAll();
    return loss;
  }

  private updateAll(): void {
    const pass = OnePass.begin(this.update, this.paramGroups);
    try {
      this.updateEach(pass);
    } finally {
      pass?.end();
    }
  }
  private updateEach(pass: OnePass | null): void {
    const inAnyOrder = updatesInAnyOrder(this.update);
    for (const group of this.paramGroups) {
      if (group.differentiable === true)
        fail(
          ArgumentError,
          `${this.constructor.name}.step`,
          'groups with differentiable: false (updates are not recorded by autograd)',
          'a loaded one with true',
        );
      for (const param of group.params) {
        const gradient = param.gradient;
        if (gradient === null) continue;
        let state = this.state.get(param);
        if (state === undefined) {
          state = {};
          this.state.set(param, state);
        }
        const asItLies = param.contiguousLayout || (inAnyOrder && isDense(param.shape, param.strides));
        const converted = gradient.info === param.info ? gradient : castAs(gradient, param.info);
        const grad =
          asItLies && !param.contiguousLayout ? withStrides(converted, param.strides) : contiguousOf(converted);
        pass?.add(param, grad);
        if (asItLies) this.update(group, param, grad, state);
        else {
          const copy = castTo(param, param.info);
          this.update(group, copy, grad, state);
          pass?.doKept();
          copyInto(param, copy);
        }
        param.storage.version++;
      }
    }
  }
}
