/** Schedules that are given as functions of the epoch. */

import type { Arguments } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { LRScheduler, type OptimizerOrAll, schedulerArguments } from './scheduler.js';

/** A factor for an epoch. */
export type LrLambda = (epoch: number) => number;
interface LambdaOptions {
  lrLambda?: LrLambda | readonly LrLambda[];
  lastEpoch?: number;
}
type LambdaArguments = Arguments<[lrLambda?: LrLambda | readonly LrLambda[], lastEpoch?: number], LambdaOptions>;

/** What LambdaLR and MultiplicativeLR share: a function a group. State dicts do not carry functions. */
abstract class FunctionLR extends LRScheduler {
  readonly lrLambdas: LrLambda[];

  constructor(first: OptimizerOrAll<LambdaOptions>, op: string, args: readonly unknown[]) {
    const defaults = { lrLambda: undefined as unknown as LrLambda | readonly LrLambda[], lastEpoch: -1 };
    const { optimizer, lrLambda, lastEpoch } = schedulerArguments(op, defaults, first, args);
    super(optimizer, lastEpoch, []);
    const groups = optimizer.paramGroups.length;
    const list: unknown[] = Array.isArray(lrLambda) ? lrLambda : new Array(groups).fill(lrLambda);
    if (list.length !== groups)
      fail(ArgumentError, op, `${groups} functions, one a parameter group`, String(list.length));
    for (const item of list)
      if (typeof item !== 'function') fail(ArgumentError, op, 'a function of the epoch for lrLambda', describe(item));
    this.lrLambdas = list as LrLambda[];
    this.begin();
  }
  override stateDict(): Record<string, unknown> {
    return { ...super.stateDict(), lr_lambdas: this.lrLambdas.map(() => null) };
  }
}

/** `lr = baseLr lrLambda(epoch)`. Source: torch.optim.lr_scheduler.LambdaLR. */
export class LambdaLR extends FunctionLR {
  constructor(optimizer: OptimizerOrAll<LambdaOptions>, ...args: LambdaArguments) {
    super(optimizer, 'LambdaLR', args);
  }
  override getLr(): number[] {
    return this.baseLrs.map((lr, i) => lr * this.lrLambdas[i](this.lastEpoch));
  }
}

/** `lr = lr lrLambda(epoch)`. Source: torch.optim.lr_scheduler.MultiplicativeLR. */
export class MultiplicativeLR extends FunctionLR {
  constructor(optimizer: OptimizerOrAll<LambdaOptions>, ...args: LambdaArguments) {
    super(optimizer, 'MultiplicativeLR', args);
  }
  override getLr(): number[] {
    return this.isInitial ? this.rates() : this.rates().map((lr, i) => lr * this.lrLambdas[i](this.lastEpoch));
  }
}
