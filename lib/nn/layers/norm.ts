/** Normalisation layers: batch and instance norms with running statistics; layer, group and root-mean-square norms. */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { viewOp } from '../../ops/core/view.js';
import { batchNorm } from '../../ops/normalisation/batch-norm.js';
import { groupNorm, instanceNorm, layerNorm, rmsNorm } from '../../ops/normalisation/row-norm.js';
import { unbatch } from '../../ops/spatial/batch.js';
import { type DType, INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { fillWith } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter, type Factory } from '../arguments.js';
import { ones_, zeros_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { repr, reprFloat } from '../python-repr.js';

const NORM = ['numFeatures', 'eps', 'momentum', 'affine', 'trackRunningStats', 'device', 'dtype', 'bias'] as const;
type NormArguments = [
  numFeatures: number,
  eps?: number,
  momentum?: number | null,
  affine?: boolean,
  trackRunningStats?: boolean,
  device?: string,
  dtype?: DType,
  bias?: boolean,
];
export type NormConstructor = ConstructorArguments<typeof NORM, NormArguments>;

/** Features, optional weight and bias, and optional running statistics. */
abstract class NormBase extends Module {
  static override readonly stateNames = {
    runningMean: 'running_mean',
    runningVar: 'running_var',
    numBatchesTracked: 'num_batches_tracked',
  };
  static override readonly stateVersion = 2;
  readonly numFeatures: number;
  readonly eps: number;
  /** How far running statistics move at each step; null: they are the mean of all steps. */
  momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;
  declare runningMean: Tensor | null;
  declare runningVar: Tensor | null;
  declare numBatchesTracked: Tensor | null;

  constructor(name: string, args: NormConstructor, defaults: { affine: boolean; trackRunningStats: boolean }) {
    super();
    const options = constructorArguments<typeof NORM, NormArguments>(name, NORM, 1, args);
    this.numFeatures = checkInteger(name, 'numFeatures', options.numFeatures);
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.affine = options.affine ?? defaults.affine;
    this.trackRunningStats = options.trackRunningStats ?? defaults.trackRunningStats;
    this.registerParameter('weight', this.affine ? emptyParameter(name, [this.numFeatures], options) : null);
    this.registerParameter(
      'bias',
      this.affine && (options.bias ?? true) ? emptyParameter(name, [this.numFeatures], options) : null,
    );
    const statistic = (): Tensor | null => (this.trackRunningStats ? buffer(name, [this.numFeatures], options) : null);
    this.registerBuffer('runningMean', statistic());
    this.registerBuffer('runningVar', statistic());
    this.registerBuffer('numBatchesTracked', this.trackRunningStats ? allocate([], INT64) : null);
    this.resetParameters();
  }

  /** Version 2 of the layout brought the count of batches. */
  override absentBefore(version: number): readonly string[] {
    return version < 2 ? ['num_batches_tracked'] : [];
  }
  /** Running statistics as before the first step. */
  resetRunningStats(): void {
    const set = (t: Tensor | null, value: number): void => {
      if (t === null) return;
      fillWith(t, value);
      t.storage.version++;
    };
    set(this.runningMean, 0);
    set(this.runningVar, 1);
    set(this.numBatchesTracked, 0);
  }
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }
  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : reprFloat(this.momentum);
    return (
      `${repr(this.numFeatures)}, eps=${reprFloat(this.eps)}, momentum=${momentum}, affine=${repr(this.affine)}, ` +
      `bias=${repr(this.bias !== null)}, track_running_stats=${repr(this.trackRunningStats)}`
    );
  }
}

/** Uninitialised memory as a buffer. */
function buffer(name: string, shape: readonly number[], factory: Factory): Tensor {
  const p = emptyParameter(name, shape, factory);
  return new Tensor(p.storage, null, p.info, p.shape, p.strides, p.offset, p.contiguousLayout);
}

export abstract class BatchNorm extends NormBase {
  constructor(
    name: string,
    private readonly ndims: readonly number[],
    args: NormConstructor,
  ) {
    super(name, args, { affine: true, trackRunningStats: true });
  }
  override forward(input: Tensor): Tensor {
    const ndim = tensorArgument(this.constructor.name, 'input', input).shape.length;
    if (!this.ndims.includes(ndim))
      fail(ShapeError, this.constructor.name, `an input of ${this.ndims.join(' or ')} dimensions`, `${ndim}`, {
        input,
      });
    let factor = this.momentum ?? 0;
    if (this.training && this.numBatchesTracked !== null) {
      const count = this.numBatchesTracked.array as BigInt64Array;
      count[0]++;
      this.numBatchesTracked.storage.version++;
      if (this.momentum === null) factor = 1 / Number(count[0]);
    }
    const { runningMean, runningVar, weight, bias } = this;
    const training = this.training || (runningMean === null && runningVar === null);
    const tracked = !this.training || this.trackRunningStats;
    return batchNorm(
      input,
      tracked ? runningMean : null,
      tracked ? runningVar : null,
      weight,
      bias,
      training,
      factor,
      this.eps,
    );
  }
}

/**
 * Batch normalisation of [N, C] or [N, C, L] (torch.nn.BatchNorm1d); see `nn.functional.batchNorm`. In training it uses
 * the batch's statistics and moves the running ones by `momentum` (null: their mean over all steps); in evaluation it
 * uses the running ones.
 */
export class BatchNorm1d extends BatchNorm {
  constructor(...args: NormConstructor) {
    super('BatchNorm1d', [2, 3], args);
  }
}
/** Batch normalisation of [N, C, H, W] (torch.nn.BatchNorm2d); as `BatchNorm1d`. */
export class BatchNorm2d extends BatchNorm {
  constructor(...args: NormConstructor) {
    super('BatchNorm2d', [4], args);
  }
}
/** Batch normalisation of [N, C, D, H, W] (torch.nn.BatchNorm3d); as `BatchNorm1d`. */
export class BatchNorm3d extends BatchNorm {
  constructor(...args: NormConstructor) {
    super('BatchNorm3d', [5], args);
  }
}

abstract class InstanceNorm extends NormBase {
  constructor(
    name: string,
    private readonly nd: number,
    args: NormConstructor,
  ) {
    super(name, args, { affine: false, trackRunningStats: false });
  }
  override forward(input: Tensor): Tensor {
    const { nd } = this;
    const ndim = tensorArgument(this.constructor.name, 'input', input).shape.length;
    if (ndim !== nd + 1 && ndim !== nd + 2)
      fail(ShapeError, this.constructor.name, `an input of ${nd + 1} or ${nd + 2} dimensions`, `${ndim}`, { input });
    if (this.affine && input.shape[ndim - nd - 1] !== this.numFeatures)
      fail(
        ShapeError,
        this.constructor.name,
        `an input of ${this.numFeatures} channels`,
        `${input.shape[ndim - nd - 1]}`,
        { input },
      );
    const run = (x: Tensor): Tensor =>
      instanceNorm(
        x,
        this.runningMean,
        this.runningVar,
        this.weight,
        this.bias,
        this.training || !this.trackRunningStats,
        this.momentum ?? 0,
        this.eps,
      );
    return ndim === nd + 2 ? run(input) : unbatch(run(viewOp([input], [1, ...input.shape])));
  }
}

/** Instance normalisation of [N, C, L] or [C, L] (torch.nn.InstanceNorm1d); see `nn.functional.instanceNorm`. */
export class InstanceNorm1d extends InstanceNorm {
  constructor(...args: NormConstructor) {
    super('InstanceNorm1d', 1, args);
  }
}
/** Instance normalisation of [N, C, H, W] or [C, H, W] (torch.nn.InstanceNorm2d). */
export class InstanceNorm2d extends InstanceNorm {
  constructor(...args: NormConstructor) {
    super('InstanceNorm2d', 2, args);
  }
}
/** Instance normalisation of [N, C, D, H, W] or [C, D, H, W] (torch.nn.InstanceNorm3d). */
export class InstanceNorm3d extends InstanceNorm {
  constructor(...args: NormConstructor) {
    super('InstanceNorm3d', 3, args);
  }
}

function shapeOf(name: string, normalizedShape: number | readonly number[]): readonly number[] {
  if (typeof normalizedShape !== 'number' && !Array.isArray(normalizedShape))
    fail(ArgumentError, name, 'normalizedShape as a number or an array of numbers', describe(normalizedShape));
  const list = typeof normalizedShape === 'number' ? [normalizedShape] : [...(normalizedShape as readonly number[])];
  if (list.length === 0) fail(ArgumentError, name, 'a normalizedShape of at least 1 dimension', '[]');
  for (const n of list) checkInteger(name, 'normalizedShape', n);
  return Object.freeze(list);
}

const LAYER_NORM = ['normalizedShape', 'eps', 'elementwiseAffine', 'bias', 'device', 'dtype'] as const;
type LayerNormArguments = [
  normalizedShape: number | readonly number[],
  eps?: number,
  elementwiseAffine?: boolean,
  bias?: boolean,
  device?: string,
  dtype?: DType,
];

/**
 * Normalisation over the last dimensions (torch.nn.LayerNorm); weight begins at 1, bias at 0. See
 * `nn.functional.layerNorm`.
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(...args: ConstructorArguments<typeof LAYER_NORM, LayerNormArguments>) {
    super();
    const options = constructorArguments<typeof LAYER_NORM, LayerNormArguments>('LayerNorm', LAYER_NORM, 1, args);
    this.normalizedShape = shapeOf('LayerNorm', options.normalizedShape);
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.registerParameter(
      'weight',
      this.elementwiseAffine ? emptyParameter('LayerNorm', this.normalizedShape, options) : null,
    );
    this.registerParameter(
      'bias',
      this.elementwiseAffine && (options.bias ?? true)
        ? emptyParameter('LayerNorm', this.normalizedShape, options)
        : null,
    );
    this.resetParameters();
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }
  override forward(input: Tensor): Tensor {
    return layerNorm(input, this.normalizedShape, this.weight, this.bias, this.eps);
  }
  override extraRepr(): string {
    return (
      `${repr(this.normalizedShape)}, eps=${reprFloat(this.eps)}, ` +
      `elementwise_affine=${repr(this.elementwiseAffine)}, bias=${repr(this.bias !== null)}`
    );
  }
}

const RMS_NORM = ['normalizedShape', 'eps', 'elementwiseAffine', 'device', 'dtype'] as const;
type RMSNormArguments = [
  normalizedShape: number | readonly number[],
  eps?: number | null,
  elementwiseAffine?: boolean,
  device?: string,
  dtype?: DType,
];

/**
 * Division by the root mean square over the last dimensions (torch.nn.RMSNorm); weight begins at 1. See
 * `nn.functional.rmsNorm`.
 */
export class RMSNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number | null;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;

  constructor(...args: ConstructorArguments<typeof RMS_NORM, RMSNormArguments>) {
    super();
    const options = constructorArguments<typeof RMS_NORM, RMSNormArguments>('RMSNorm', RMS_NORM, 1, args);
    this.normalizedShape = shapeOf('RMSNorm', options.normalizedShape);
    this.eps = options.eps ?? null;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    this.registerParameter(
      'weight',
      this.elementwiseAffine ? emptyParameter('RMSNorm', this.normalizedShape, options) : null,
    );
    this.resetParameters();
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
  }
  override forward(input: Tensor): Tensor {
    return rmsNorm(input, this.normalizedShape, this.weight, this.eps);
  }
  override extraRepr(): string {
    return (
      `${repr(this.normalizedShape)}, eps=${this.eps === null ? 'None' : reprFloat(this.eps)}, ` +
      `elementwise_affine=${repr(this.elementwiseAffine)}`
    );
  }
}

const GROUP_NORM = ['numGroups', 'numChannels', 'eps', 'affine', 'device', 'dtype', 'bias'] as const;
type GroupNormArguments = [
  numGroups: number,
  numChannels: number,
  eps?: number,
  affine?: boolean,
  device?: string,
  dtype?: DType,
  bias?: boolean,
];

/**
 * Normalisation of groups of channels (torch.nn.GroupNorm); weight begins at 1, bias at 0. See
 * `nn.functional.groupNorm`.
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(...args: ConstructorArguments<typeof GROUP_NORM, GroupNormArguments>) {
    super();
    const options = constructorArguments<typeof GROUP_NORM, GroupNormArguments>('GroupNorm', GROUP_NORM, 2, args);
    this.numGroups = checkInteger('GroupNorm', 'numGroups', options.numGroups, 1);
    this.numChannels = checkInteger('GroupNorm', 'numChannels', options.numChannels);
    if (this.numChannels % this.numGroups !== 0)
      fail(ArgumentError, 'GroupNorm', 'numChannels divisible by numGroups', `${this.numChannels}`, {
        numGroups: this.numGroups,
      });
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    this.registerParameter('weight', this.affine ? emptyParameter('GroupNorm', [this.numChannels], options) : null);
    this.registerParameter(
      'bias',
      this.affine && (options.bias ?? true) ? emptyParameter('GroupNorm', [this.numChannels], options) : null,
    );
    this.resetParameters();
  }
  resetParameters(): void {
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }
  override forward(input: Tensor): Tensor {
    return groupNorm(input, this.numGroups, this.weight, this.bias, this.eps);
  }
  override extraRepr(): string {
    return (
      `${repr(this.numGroups)}, ${repr(this.numChannels)}, eps=${reprFloat(this.eps)}, affine=${repr(this.affine)}, ` +
      `bias=${repr(this.bias !== null)}`
    );
  }
}
