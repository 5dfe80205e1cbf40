/**
 * The losses as modules: their options, kept, and nn.functional called with them. Class weights are buffers, as in
 * PyTorch.
 */

import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from '../../ops/losses/binary-cross-entropy.js';
import { crossEntropy, nllLoss } from '../../ops/losses/cross-entropy.js';
import {
  huberLoss,
  l1Loss,
  mseLoss,
  type Reduction,
  reductionOf,
  smoothL1Loss,
} from '../../ops/losses/difference-loss.js';
import {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
  tripletMarginLoss,
} from '../../ops/losses/margin-loss.js';
import { gaussianNllLoss, klDiv, poissonNllLoss } from '../../ops/losses/probability-loss.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';

type Legacy = boolean | null;
type OptionalTensor = Tensor | null;

/** A loss and how it is reduced. */
abstract class Loss extends Module {
  readonly reduction: Reduction;

  constructor(name: string, reduction: unknown, sizeAverage?: Legacy, reduce?: Legacy) {
    super();
    this.reduction = reductionOf(name, reduction, sizeAverage, reduce);
  }
}
/** A loss with a weight, which moves and is saved with the module. */
abstract class WeightedLoss extends Loss {
  declare weight: OptionalTensor;

  constructor(
    name: string,
    weight: OptionalTensor | undefined,
    reduction: unknown,
    sizeAverage?: Legacy,
    reduce?: Legacy,
  ) {
    super(name, reduction, sizeAverage, reduce);
    this.registerBuffer('weight', weight ?? null);
  }
}

const PLAIN = ['sizeAverage', 'reduce', 'reduction'] as const;
type Plain = [sizeAverage?: Legacy, reduce?: Legacy, reduction?: Reduction];
const WEIGHTED = ['weight', 'sizeAverage', 'reduce', 'reduction'] as const;
type Weighted = [weight?: OptionalTensor, sizeAverage?: Legacy, reduce?: Legacy, reduction?: Reduction];

/** nn.functional.mseLoss with options kept (torch.nn.MSELoss). */
export class MSELoss extends Loss {
  constructor(...args: ConstructorArguments<typeof PLAIN, Plain>) {
    const { sizeAverage, reduce, reduction } = constructorArguments<typeof PLAIN, Plain>('MSELoss', PLAIN, 0, args);
    super('MSELoss', reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, { reduction: this.reduction });
  }
}

/** nn.functional.l1Loss with options kept (torch.nn.L1Loss). */
export class L1Loss extends Loss {
  constructor(...args: ConstructorArguments<typeof PLAIN, Plain>) {
    const { sizeAverage, reduce, reduction } = constructorArguments<typeof PLAIN, Plain>('L1Loss', PLAIN, 0, args);
    super('L1Loss', reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, { reduction: this.reduction });
  }
}

const SMOOTH = [...PLAIN, 'beta'] as const;
type Smooth = [...Plain, beta?: number];
/** nn.functional.smoothL1Loss with options kept (torch.nn.SmoothL1Loss). */
export class SmoothL1Loss extends Loss {
  readonly beta: number;
  constructor(...args: ConstructorArguments<typeof SMOOTH, Smooth>) {
    const { sizeAverage, reduce, reduction, beta } = constructorArguments<typeof SMOOTH, Smooth>(
      'SmoothL1Loss',
      SMOOTH,
      0,
      args,
    );
    super('SmoothL1Loss', reduction, sizeAverage, reduce);
    this.beta = beta ?? 1;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return smoothL1Loss(input, target, { reduction: this.reduction, beta: this.beta });
  }
}

const HUBER = ['reduction', 'delta'] as const;
type Huber = [reduction?: Reduction, delta?: number];
/** nn.functional.huberLoss with options kept (torch.nn.HuberLoss). */
export class HuberLoss extends Loss {
  readonly delta: number;
  constructor(...args: ConstructorArguments<typeof HUBER, Huber>) {
    const { reduction, delta } = constructorArguments<typeof HUBER, Huber>('HuberLoss', HUBER, 0, args);
    super('HuberLoss', reduction);
    this.delta = delta ?? 1;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return huberLoss(input, target, { reduction: this.reduction, delta: this.delta });
  }
}

/** nn.functional.binaryCrossEntropy with options kept (torch.nn.BCELoss). */
export class BCELoss extends WeightedLoss {
  constructor(...args: ConstructorArguments<typeof WEIGHTED, Weighted>) {
    const { weight, sizeAverage, reduce, reduction } = constructorArguments<typeof WEIGHTED, Weighted>(
      'BCELoss',
      WEIGHTED,
      0,
      args,
    );
    super('BCELoss', weight, reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropy(input, target, { weight: this.weight, reduction: this.reduction });
  }
}

const LOGITS = [...WEIGHTED, 'posWeight'] as const;
type Logits = [...Weighted, posWeight?: OptionalTensor];
/** nn.functional.binaryCrossEntropyWithLogits with options kept (torch.nn.BCEWithLogitsLoss). */
export class BCEWithLogitsLoss extends WeightedLoss {
  static override readonly stateNames = { posWeight: 'pos_weight' };
  declare posWeight: OptionalTensor;
  constructor(...args: ConstructorArguments<typeof LOGITS, Logits>) {
    const { weight, sizeAverage, reduce, reduction, posWeight } = constructorArguments<typeof LOGITS, Logits>(
      'BCEWithLogitsLoss',
      LOGITS,
      0,
      args,
    );
    super('BCEWithLogitsLoss', weight, reduction, sizeAverage, reduce);
    this.registerBuffer('posWeight', posWeight ?? null);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return binaryCrossEntropyWithLogits(input, target, {
      weight: this.weight,
      posWeight: this.posWeight,
      reduction: this.reduction,
    });
  }
}

const CROSS = ['weight', 'sizeAverage', 'ignoreIndex', 'reduce', 'reduction', 'labelSmoothing'] as const;
type Cross = [
  weight?: OptionalTensor,
  sizeAverage?: Legacy,
  ignoreIndex?: number,
  reduce?: Legacy,
  reduction?: Reduction,
  labelSmoothing?: number,
];
/** nn.functional.crossEntropy with options kept (torch.nn.CrossEntropyLoss). */
export class CrossEntropyLoss extends WeightedLoss {
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  constructor(...args: ConstructorArguments<typeof CROSS, Cross>) {
    const given = constructorArguments<typeof CROSS, Cross>('CrossEntropyLoss', CROSS, 0, args);
    super('CrossEntropyLoss', given.weight, given.reduction, given.sizeAverage, given.reduce);
    this.ignoreIndex = given.ignoreIndex ?? -100;
    this.labelSmoothing = given.labelSmoothing ?? 0;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

const NLL = ['weight', 'sizeAverage', 'ignoreIndex', 'reduce', 'reduction'] as const;
type Nll = [
  weight?: OptionalTensor,
  sizeAverage?: Legacy,
  ignoreIndex?: number,
  reduce?: Legacy,
  reduction?: Reduction,
];
/** nn.functional.nllLoss with options kept (torch.nn.NLLLoss). */
export class NLLLoss extends WeightedLoss {
  readonly ignoreIndex: number;
  constructor(...args: ConstructorArguments<typeof NLL, Nll>) {
    const given = constructorArguments<typeof NLL, Nll>('NLLLoss', NLL, 0, args);
    super('NLLLoss', given.weight, given.reduction, given.sizeAverage, given.reduce);
    this.ignoreIndex = given.ignoreIndex ?? -100;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, { weight: this.weight, ignoreIndex: this.ignoreIndex, reduction: this.reduction });
  }
}

const KL = ['sizeAverage', 'reduce', 'reduction', 'logTarget'] as const;
type Kl = [sizeAverage?: Legacy, reduce?: Legacy, reduction?: Reduction | 'batchmean', logTarget?: boolean];
/** nn.functional.klDiv with options kept (torch.nn.KLDivLoss). */
export class KLDivLoss extends Module {
  readonly reduction: Reduction | 'batchmean';
  readonly logTarget: boolean;
  constructor(...args: ConstructorArguments<typeof KL, Kl>) {
    super();
    const given = constructorArguments<typeof KL, Kl>('KLDivLoss', KL, 0, args);
    this.reduction =
      given.reduction === 'batchmean'
        ? 'batchmean'
        : reductionOf('KLDivLoss', given.reduction, given.sizeAverage, given.reduce);
    this.logTarget = given.logTarget ?? false;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return klDiv(input, target, { reduction: this.reduction, logTarget: this.logTarget });
  }
}

const POISSON = ['logInput', 'full', 'sizeAverage', 'eps', 'reduce', 'reduction'] as const;
type Poisson = [
  logInput?: boolean,
  full?: boolean,
  sizeAverage?: Legacy,
  eps?: number,
  reduce?: Legacy,
  reduction?: Reduction,
];
/** nn.functional.poissonNllLoss with options kept (torch.nn.PoissonNLLLoss). */
export class PoissonNLLLoss extends Loss {
  readonly logInput: boolean;
  readonly full: boolean;
  readonly eps: number;
  constructor(...args: ConstructorArguments<typeof POISSON, Poisson>) {
    const given = constructorArguments<typeof POISSON, Poisson>('PoissonNLLLoss', POISSON, 0, args);
    super('PoissonNLLLoss', given.reduction, given.sizeAverage, given.reduce);
    this.logInput = given.logInput ?? true;
    this.full = given.full ?? false;
    this.eps = given.eps ?? 1e-8;
  }
  override forward(logInput: Tensor, target: Tensor): Tensor {
    return poissonNllLoss(logInput, target, {
      logInput: this.logInput,
      full: this.full,
      eps: this.eps,
      reduction: this.reduction,
    });
  }
}

const GAUSSIAN = ['full', 'eps', 'reduction'] as const;
type Gaussian = [full?: boolean, eps?: number, reduction?: Reduction];
/** nn.functional.gaussianNllLoss with options kept (torch.nn.GaussianNLLLoss). */
export class GaussianNLLLoss extends Loss {
  readonly full: boolean;
  readonly eps: number;
  constructor(...args: ConstructorArguments<typeof GAUSSIAN, Gaussian>) {
    const given = constructorArguments<typeof GAUSSIAN, Gaussian>('GaussianNLLLoss', GAUSSIAN, 0, args);
    super('GaussianNLLLoss', given.reduction);
    this.full = given.full ?? false;
    this.eps = given.eps ?? 1e-6;
  }
  override forward(input: Tensor, target: Tensor, variance: Tensor | number): Tensor {
    return gaussianNllLoss(input, target, variance, { full: this.full, eps: this.eps, reduction: this.reduction });
  }
}

const MARGIN = ['margin', 'sizeAverage', 'reduce', 'reduction'] as const;
type Margin = [margin?: number, sizeAverage?: Legacy, reduce?: Legacy, reduction?: Reduction];
/** What losses with a margin share. */
abstract class MarginLoss extends Loss {
  readonly margin: number;
  constructor(name: string, margin: number, args: ConstructorArguments<typeof MARGIN, Margin>) {
    const given = constructorArguments<typeof MARGIN, Margin>(name, MARGIN, 0, args);
    super(name, given.reduction, given.sizeAverage, given.reduce);
    this.margin = given.margin ?? margin;
  }
}
/** nn.functional.cosineEmbeddingLoss with options kept (torch.nn.CosineEmbeddingLoss). */
export class CosineEmbeddingLoss extends MarginLoss {
  constructor(...args: ConstructorArguments<typeof MARGIN, Margin>) {
    super('CosineEmbeddingLoss', 0, args);
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return cosineEmbeddingLoss(input1, input2, target, { margin: this.margin, reduction: this.reduction });
  }
}
/** nn.functional.hingeEmbeddingLoss with options kept (torch.nn.HingeEmbeddingLoss). */
export class HingeEmbeddingLoss extends MarginLoss {
  constructor(...args: ConstructorArguments<typeof MARGIN, Margin>) {
    super('HingeEmbeddingLoss', 1, args);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return hingeEmbeddingLoss(input, target, { margin: this.margin, reduction: this.reduction });
  }
}
/** nn.functional.marginRankingLoss with options kept (torch.nn.MarginRankingLoss). */
export class MarginRankingLoss extends MarginLoss {
  constructor(...args: ConstructorArguments<typeof MARGIN, Margin>) {
    super('MarginRankingLoss', 0, args);
  }
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return marginRankingLoss(input1, input2, target, { margin: this.margin, reduction: this.reduction });
  }
}

/** nn.functional.softMarginLoss with options kept (torch.nn.SoftMarginLoss). */
export class SoftMarginLoss extends Loss {
  constructor(...args: ConstructorArguments<typeof PLAIN, Plain>) {
    const { sizeAverage, reduce, reduction } = constructorArguments<typeof PLAIN, Plain>(
      'SoftMarginLoss',
      PLAIN,
      0,
      args,
    );
    super('SoftMarginLoss', reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return softMarginLoss(input, target, { reduction: this.reduction });
  }
}
/** nn.functional.multilabelMarginLoss with options kept (torch.nn.MultiLabelMarginLoss). */
export class MultiLabelMarginLoss extends Loss {
  constructor(...args: ConstructorArguments<typeof PLAIN, Plain>) {
    const { sizeAverage, reduce, reduction } = constructorArguments<typeof PLAIN, Plain>(
      'MultiLabelMarginLoss',
      PLAIN,
      0,
      args,
    );
    super('MultiLabelMarginLoss', reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelMarginLoss(input, target, { reduction: this.reduction });
  }
}
/** nn.functional.multilabelSoftMarginLoss with options kept (torch.nn.MultiLabelSoftMarginLoss). */
export class MultiLabelSoftMarginLoss extends WeightedLoss {
  constructor(...args: ConstructorArguments<typeof WEIGHTED, Weighted>) {
    const { weight, sizeAverage, reduce, reduction } = constructorArguments<typeof WEIGHTED, Weighted>(
      'MultiLabelSoftMarginLoss',
      WEIGHTED,
      0,
      args,
    );
    super('MultiLabelSoftMarginLoss', weight, reduction, sizeAverage, reduce);
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return multilabelSoftMarginLoss(input, target, { weight: this.weight, reduction: this.reduction });
  }
}

const MULTI = ['p', 'margin', ...WEIGHTED] as const;
type Multi = [p?: number, margin?: number, ...Weighted];
/** nn.functional.multiMarginLoss with options kept (torch.nn.MultiMarginLoss). */
export class MultiMarginLoss extends WeightedLoss {
  readonly p: number;
  readonly margin: number;
  constructor(...args: ConstructorArguments<typeof MULTI, Multi>) {
    const given = constructorArguments<typeof MULTI, Multi>('MultiMarginLoss', MULTI, 0, args);
    super('MultiMarginLoss', given.weight, given.reduction, given.sizeAverage, given.reduce);
    this.p = given.p ?? 1;
    this.margin = given.margin ?? 1;
  }
  override forward(input: Tensor, target: Tensor): Tensor {
    return multiMarginLoss(input, target, {
      p: this.p,
      margin: this.margin,
      weight: this.weight,
      reduction: this.reduction,
    });
  }
}

const TRIPLET = ['margin', 'p', 'eps', 'swap', ...PLAIN] as const;
type Triplet = [margin?: number, p?: number, eps?: number, swap?: boolean, ...Plain];
/** nn.functional.tripletMarginLoss with options kept (torch.nn.TripletMarginLoss). */
export class TripletMarginLoss extends Loss {
  readonly margin: number;
  readonly p: number;
  readonly eps: number;
  readonly swap: boolean;
  constructor(...args: ConstructorArguments<typeof TRIPLET, Triplet>) {
    const given = constructorArguments<typeof TRIPLET, Triplet>('TripletMarginLoss', TRIPLET, 0, args);
    super('TripletMarginLoss', given.reduction, given.sizeAverage, given.reduce);
    this.margin = given.margin ?? 1;
    this.p = given.p ?? 2;
    this.eps = given.eps ?? 1e-6;
    this.swap = given.swap ?? false;
  }
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { margin, p, eps, swap, reduction } = this;
    return tripletMarginLoss(anchor, positive, negative, { margin, p, eps, swap, reduction });
  }
}
