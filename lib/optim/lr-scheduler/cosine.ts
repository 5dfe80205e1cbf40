/** Cosine annealing, with and without restarts. */

import { type Arguments, checkInteger, checkNumber } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { LRScheduler, type OptimizerOrAll, schedulerArguments } from './scheduler.js';

interface CosineAnnealingLROptions {
  TMax?: number;
  etaMin?: number;
  lastEpoch?: number;
}

/**
 * `lr = etaMin + (baseLr - etaMin) (1 + cos(pi epoch / TMax)) / 2`. Source: torch.optim.lr_scheduler.CosineAnnealingLR.
 */
export class CosineAnnealingLR extends LRScheduler {
  TMax: number;
  etaMin: number;

  constructor(
    optimizer: OptimizerOrAll<CosineAnnealingLROptions>,
    ...args: Arguments<[TMax?: number, etaMin?: number, lastEpoch?: number], CosineAnnealingLROptions>
  ) {
    const given = schedulerArguments(
      'CosineAnnealingLR',
      { TMax: undefined as unknown as number, etaMin: 0, lastEpoch: -1 },
      optimizer,
      args,
    );
    const { optimizer: own, TMax, etaMin, lastEpoch } = given;
    super(own, lastEpoch, ['T_max', 'eta_min']);
    checkNumber('CosineAnnealingLR', 'TMax', TMax);
    if (TMax === 0) fail(ArgumentError, 'CosineAnnealingLR', 'a TMax other than 0', '0');
    checkNumber('CosineAnnealingLR', 'etaMin', etaMin);
    this.TMax = TMax;
    this.etaMin = etaMin;
    this.begin();
  }
  override getLr(): number[] {
    const { lastEpoch, TMax, etaMin } = this;
    if (this.isInitial) return this.rates();
    if (this.stepCount === 1 && lastEpoch > 0)
      return this.baseLrs.map((base) => etaMin + ((base - etaMin) * (1 + Math.cos((lastEpoch * Math.PI) / TMax))) / 2);
    if ((lastEpoch - 1 - TMax) % (2 * TMax) === 0)
      return this.rates().map((lr, i) => lr + ((this.baseLrs[i] - etaMin) * (1 - Math.cos(Math.PI / TMax))) / 2);
    const ratio = (1 + Math.cos((Math.PI * lastEpoch) / TMax)) / (1 + Math.cos((Math.PI * (lastEpoch - 1)) / TMax));
    return this.rates().map((lr) => ratio * (lr - etaMin) + etaMin);
  }
  protected override closedForm(): number[] {
    return this.baseLrs.map(
      (base) => this.etaMin + ((base - this.etaMin) * (1 + Math.cos((Math.PI * this.lastEpoch) / this.TMax))) / 2,
    );
  }
}

interface CosineAnnealingWarmRestartsOptions {
  T0?: number;
  TMult?: number;
  etaMin?: number;
  lastEpoch?: number;
}

/**
 * Cosine annealing that starts over after `T0` epochs, then after `TMult` times as many as the last time.
 * Source: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts (Loshchilov and Hutter, 2017).
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  T0: number;
  TI: number;
  TMult: number;
  etaMin: number;
  TCur: number;

  constructor(
    optimizer: OptimizerOrAll<CosineAnnealingWarmRestartsOptions>,
    ...args: Arguments<
      [T0?: number, TMult?: number, etaMin?: number, lastEpoch?: number],
      CosineAnnealingWarmRestartsOptions
    >
  ) {
    const op = 'CosineAnnealingWarmRestarts';
    const given = schedulerArguments(
      op,
      { T0: undefined as unknown as number, TMult: 1, etaMin: 0, lastEpoch: -1 },
      optimizer,
      args,
    );
    const { optimizer: own, T0, TMult, etaMin, lastEpoch } = given;
    super(own, lastEpoch, ['T_0', 'T_i', 'T_mult', 'eta_min', 'T_cur']);
    checkInteger(op, 'T0', T0, 1);
    checkInteger(op, 'TMult', TMult, 1);
    checkNumber(op, 'etaMin', etaMin);
    this.T0 = T0;
    this.TI = T0;
    this.TMult = TMult;
    this.etaMin = etaMin;
    this.TCur = lastEpoch;
    this.begin();
  }
  override getLr(): number[] {
    return this.baseLrs.map(
      (base) => this.etaMin + ((base - this.etaMin) * (1 + Math.cos((Math.PI * this.TCur) / this.TI))) / 2,
    );
  }
  /** Goes on by one epoch, or to the given one, which may be a fraction: `epoch + batch / batches`. */
  override step(given?: number | Tensor): void {
    let epoch = given;
    if (epoch === undefined && this.lastEpoch < 0) epoch = 0;
    if (epoch === undefined) {
      epoch = this.lastEpoch + 1;
      this.TCur++;
      if (this.TCur >= this.TI) {
        this.TCur %= this.TI;
        this.TI *= this.TMult;
      }
    } else {
      if (typeof epoch !== 'number' || !(epoch >= 0))
        fail(ArgumentError, 'CosineAnnealingWarmRestarts.step', 'an epoch of at least 0', describe(epoch));
      this.locate(epoch);
    }
    this.lastEpoch = Math.floor(epoch);
    this.setRates(this.getLr());
  }

  private locate(epoch: number): void {
    const { T0, TMult } = this;
    if (epoch < T0) {
      this.TI = T0;
      this.TCur = epoch;
    } else if (TMult === 1) this.TCur = epoch % T0;
    else {
      const n = Math.trunc(Math.log((epoch / T0) * (TMult - 1) + 1) / Math.log(TMult));
      this.TCur = epoch - (T0 * (TMult ** n - 1)) / (TMult - 1);
      this.TI = T0 * TMult ** n;
    }
  }
}
