/**
 * L-BFGS: steps along an estimate of Newton's direction that is built from the last gradients, with or without a line
 * search (line-search.ts). All parameters count as one vector. The closure is called several times a step, and may be
 * async.
 */

import { type Arguments, checkInteger, checkNumber } from '../arguments.js';
import { enableGrad, noGrad } from '../autograd/grad-mode.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { zeros } from '../ops/creation/factories.js';
import { cat } from '../ops/views/cat.js';
import { Tensor } from '../tensor/tensor.js';
import { type Evaluation, strongWolfe } from './line-search.js';
import {
  type Closure,
  Optimizer,
  type OptimizerStateDict,
  optimizerArguments,
  type ParamGroup,
  type ParamsOrAll,
} from './optimizer.js';
import type { ParamState } from './state.js';

/** Hyperparameters of LBFGS. */
export interface LBFGSOptions {
  /** Length of a step along the direction. Default 1. */
  lr?: number | Tensor;
  /** Iterations a step. Default 20. */
  maxIter?: number;
  /** Calls of the closure a step. Default 1.25 maxIter. */
  maxEval?: number | null;
  /** Ends where no element of the gradient is larger. Default 1e-7. */
  toleranceGrad?: number;
  /** Ends where loss or parameters change by less. Default 1e-9. */
  toleranceChange?: number;
  /** How many gradients are remembered. Default 100. */
  historySize?: number;
  lineSearchFn?: 'strong_wolfe' | null;
}
export interface LBFGSGroup extends ParamGroup {
  maxIter: number;
  maxEval: number;
  toleranceGrad: number;
  toleranceChange: number;
  historySize: number;
  lineSearchFn: 'strong_wolfe' | null;
}
interface History {
  funcEvals: number;
  nIter: number;
  d: Tensor;
  t: number;
  oldDirs: Tensor[];
  oldStps: Tensor[];
  ro: number[];
  HDiag: number;
  prevFlatGrad: Tensor;
  prevLoss: number;
}

const DEFAULTS = {
  lr: 1,
  maxIter: 20,
  maxEval: null as number | null,
  toleranceGrad: 1e-7,
  toleranceChange: 1e-9,
  historySize: 100,
  lineSearchFn: null as string | null,
};

function lossValue(loss: unknown): number {
  const value = loss instanceof Tensor && loss.numel() === 1 ? Number(loss.item()) : loss;
  return typeof value === 'number'
    ? value
    : fail(
        ArgumentError,
        'LBFGS.step',
        'a closure that returns its loss, a number or a tensor of one element',
        describe(loss),
      );
}
const dot = (a: Tensor, b: Tensor): number => Number(a.dot(b).item());
const largest = (a: Tensor): number => (a.numel() === 0 ? 0 : Number(a.abs().max().item()));

/** Source: torch.optim.LBFGS (Nocedal and Wright, 2006). One parameter group; `step` needs a closure. */
export class LBFGS extends Optimizer {
  declare readonly paramGroups: LBFGSGroup[];

  constructor(
    params: ParamsOrAll<LBFGSGroup, LBFGSOptions>,
    ...args: Arguments<
      [
        lr?: number | Tensor,
        maxIter?: number,
        maxEval?: number | null,
        toleranceGrad?: number,
        toleranceChange?: number,
        historySize?: number,
        lineSearchFn?: 'strong_wolfe' | null,
      ],
      LBFGSOptions
    >
  ) {
    const [list, given] = optimizerArguments('LBFGS', DEFAULTS, params, args, 7);
    if (given.maxEval === null) checkInteger('LBFGS', 'maxIter', given.maxIter, 0);
    super(list, { ...given, maxEval: given.maxEval ?? Math.floor((given.maxIter * 5) / 4) });
    if (this.paramGroups.length !== 1)
      fail(ArgumentError, 'LBFGS', 'one parameter group', String(this.paramGroups.length));
  }

  protected override checkGroup(op: string, given: ParamGroup): void {
    const group = given as LBFGSGroup;
    checkNumber(op, 'lr', group.lr, 0);
    for (const key of ['toleranceGrad', 'toleranceChange'] as const) checkNumber(op, key, group[key]);
    for (const key of ['maxIter', 'maxEval'] as const) checkInteger(op, key, group[key], 0);
    checkInteger(op, 'historySize', group.historySize, 1);
    if ((group.lineSearchFn ?? null) !== null && group.lineSearchFn !== 'strong_wolfe')
      fail(ArgumentError, op, "lineSearchFn 'strong_wolfe' or null", describe(group.lineSearchFn));
  }
  protected override checksStateShape(): boolean {
    return false;
  }
  /** As the base class; what PyTorch keeps as tensors of one element becomes numbers. */
  override loadStateDict(given: OptimizerStateDict | Record<string, unknown>): void {
    super.loadStateDict(given);
    const plain = (value: ParamState[string]): ParamState[string] =>
      Array.isArray(value)
        ? value.map((item) => plain(item) as number)
        : value instanceof Tensor
          ? Number(value.item())
          : value;
    for (const state of this.state.values())
      for (const key of ['t', 'ro', 'al', 'HDiag', 'prevLoss'])
        if (state[key] !== undefined) state[key] = plain(state[key]);
  }

  /**
   * Calls the closure up to `maxEval` times, and returns its first value. With an async closure the result is a
   * promise.
   */
  override step<L>(closure: Closure<L>): L {
    return this.run(closure) as L;
  }
  /**
   * Runs the iteration, which asks for a loss by yielding; with an async closure it goes on when the promise settles.
   */
  private run(closure: Closure | undefined): unknown {
    if (typeof closure !== 'function')
      return fail(ArgumentError, 'LBFGS.step', 'a closure that recomputes the loss', describe(closure));
    const iteration = this.iterate();
    const advance = (given: IteratorResult<undefined, unknown>): unknown => {
      let result = given;
      while (!result.done) {
        const loss = enableGrad(closure);
        if (loss instanceof Promise) return loss.then((value: unknown) => advance(iteration.next(value)));
        result = iteration.next(loss);
      }
      return result.value;
    };
    return advance(iteration.next());
  }

  private gradient(): Tensor {
    return cat(
      this.paramGroups[0].params.map((p) =>
        p.gradient === null ? zeros([p.numel()], { dtype: p.dtype }) : p.gradient.detach().reshape(-1),
      ),
    );
  }
  /** p = p + size * its part of the direction. */
  private move(size: number, direction: Tensor): void {
    noGrad(() => {
      let at = 0;
      for (const p of this.paramGroups[0].params) {
        p.add_(direction.narrow(0, at, p.numel()).reshape(p.shape), { alpha: size });
        at += p.numel();
      }
    });
  }

  private *iterate(): Generator<undefined, unknown, unknown> {
    const group = this.paramGroups[0];
    const [first] = group.params;
    const kept = (this.state.get(first) ?? {}) as unknown as Partial<History>;
    this.state.set(first, kept as unknown as ParamState);
    const h = kept as History;
    h.funcEvals ??= 0;
    h.nIter ??= 0;
    const original = yield undefined;
    let loss = lossValue(original);
    let evaluations = 1;
    h.funcEvals++;
    let gradient = this.gradient();
    if (largest(gradient) <= group.toleranceGrad) return original;

    for (let k = 1; k <= group.maxIter; k++) {
      h.nIter++;
      this.updateDirection(h, gradient, group.historySize);
      h.prevFlatGrad = gradient;
      h.prevLoss = loss;
      h.t = h.nIter === 1 ? Math.min(1, 1 / Number(gradient.abs().sum().item())) * group.lr : group.lr;
      const slope = dot(gradient, h.d);
      if (slope > -group.toleranceChange) break;

      let calls = 0;
      let flat = false;
      if (group.lineSearchFn === 'strong_wolfe') {
        const begin = group.params.map((p) => p.detach().clone());
        const found: { evaluation: Evaluation; calls: number } = yield* strongWolfe(
          this.evaluator(h.d, begin),
          h.t,
          h.d,
          { loss, gradient, slope },
          { toleranceChange: 1e-9, maxIterations: group.maxEval - evaluations },
        );
        ({ loss, gradient } = found.evaluation);
        h.t = found.evaluation.t;
        calls = found.calls;
        this.move(h.t, h.d);
        flat = largest(gradient) <= group.toleranceGrad;
      } else {
        this.move(h.t, h.d);
        if (k !== group.maxIter) {
          loss = lossValue(yield undefined);
          gradient = this.gradient();
          flat = largest(gradient) <= group.toleranceGrad;
          calls = 1;
        }
      }
      evaluations += calls;
      h.funcEvals += calls;
      if (k === group.maxIter || evaluations >= group.maxEval || flat) break;
      if (largest(h.d) * Math.abs(h.t) <= group.toleranceChange || Math.abs(loss - h.prevLoss) < group.toleranceChange)
        break;
    }
    return original;
  }

  /** d = -H g, H from the remembered differences of gradients and steps (the two-loop recursion). */
  private updateDirection(h: History, gradient: Tensor, historySize: number): void {
    if (h.nIter === 1) {
      h.d = gradient.neg();
      h.oldDirs = [];
      h.oldStps = [];
      h.ro = [];
      h.HDiag = 1;
      return;
    }
    const y = gradient.sub(h.prevFlatGrad);
    const s = h.d.mul(h.t);
    const ys = dot(y, s);
    if (ys > 1e-10) {
      if (h.oldDirs.length === historySize) for (const list of [h.oldDirs, h.oldStps, h.ro]) list.shift();
      h.oldDirs.push(y);
      h.oldStps.push(s);
      h.ro.push(1 / ys);
      h.HDiag = ys / dot(y, y);
    }
    const al: number[] = [];
    let q = gradient.neg();
    for (let i = h.oldDirs.length - 1; i >= 0; i--) {
      al[i] = dot(h.oldStps[i], q) * h.ro[i];
      q = q.add(h.oldDirs[i], { alpha: -al[i] });
    }
    let r = q.mul(h.HDiag);
    for (let i = 0; i < h.oldDirs.length; i++)
      r = r.add(h.oldStps[i], { alpha: al[i] - dot(h.oldDirs[i], r) * h.ro[i] });
    h.d = r;
  }

  /** Loss and gradient at `begin + t d`; the parameters are put back. */
  private evaluator(d: Tensor, begin: readonly Tensor[]): (t: number) => Generator<undefined, Evaluation, unknown> {
    const optimizer = this;
    return function* evaluate(t: number) {
      optimizer.move(t, d);
      const loss = lossValue(yield undefined);
      const gradient = optimizer.gradient();
      noGrad(() => {
        optimizer.paramGroups[0].params.forEach((p, i) => {
          p.copy_(begin[i]);
        });
      });
      return { t, loss, gradient, slope: dot(gradient, d) };
    };
  }
}
