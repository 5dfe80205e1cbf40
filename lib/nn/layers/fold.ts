/** Layers of sliding blocks, power-average pooling and local response normalisation. */

import { localResponseNorm } from '../../ops/normalisation/local-response-norm.js';
import type { Sizes } from '../../ops/spatial/batch.js';
import { fold, unfold } from '../../ops/spatial/fold.js';
import { lpPool1d, lpPool2d, lpPool3d } from '../../ops/spatial/lp-pool.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { repr, reprFloat } from '../python-repr.js';

const UNFOLD = ['kernelSize', 'dilation', 'padding', 'stride'] as const;
type UnfoldArguments = [kernelSize: Sizes, dilation?: Sizes, padding?: Sizes, stride?: Sizes];

/** The sliding blocks of an image as columns (torch.nn.Unfold); see `nn.functional.unfold`. */
export class Unfold extends Module {
  readonly kernelSize: Sizes;
  readonly dilation: Sizes;
  readonly padding: Sizes;
  readonly stride: Sizes;
  constructor(...args: ConstructorArguments<typeof UNFOLD, UnfoldArguments>) {
    super();
    const options = constructorArguments<typeof UNFOLD, UnfoldArguments>('Unfold', UNFOLD, 1, args);
    this.kernelSize = options.kernelSize;
    this.dilation = options.dilation ?? 1;
    this.padding = options.padding ?? 0;
    this.stride = options.stride ?? 1;
  }
  override forward(input: Tensor): Tensor {
    return unfold(input, this.kernelSize, this.dilation, this.padding, this.stride);
  }
  override extraRepr(): string {
    return (
      `kernel_size=${repr(this.kernelSize)}, dilation=${repr(this.dilation)}, ` +
      `padding=${repr(this.padding)}, stride=${repr(this.stride)}`
    );
  }
}

const FOLD = ['outputSize', ...UNFOLD] as const;
type FoldArguments = [outputSize: Sizes, ...UnfoldArguments];

/** The sum of sliding blocks as an image (torch.nn.Fold); see `nn.functional.fold`. */
export class Fold extends Module {
  readonly outputSize: Sizes;
  readonly kernelSize: Sizes;
  readonly dilation: Sizes;
  readonly padding: Sizes;
  readonly stride: Sizes;
  constructor(...args: ConstructorArguments<typeof FOLD, FoldArguments>) {
    super();
    const options = constructorArguments<typeof FOLD, FoldArguments>('Fold', FOLD, 2, args);
    this.outputSize = options.outputSize;
    this.kernelSize = options.kernelSize;
    this.dilation = options.dilation ?? 1;
    this.padding = options.padding ?? 0;
    this.stride = options.stride ?? 1;
  }
  override forward(input: Tensor): Tensor {
    return fold(input, this.outputSize, this.kernelSize, this.dilation, this.padding, this.stride);
  }
  override extraRepr(): string {
    const { outputSize, kernelSize, dilation, padding, stride } = this;
    return (
      `output_size=${repr(outputSize)}, kernel_size=${repr(kernelSize)}, dilation=${repr(dilation)}, ` +
      `padding=${repr(padding)}, stride=${repr(stride)}`
    );
  }
}

const LP = ['normType', 'kernelSize', 'stride', 'ceilMode'] as const;
type LpArguments = [normType: number, kernelSize: Sizes, stride?: Sizes | null, ceilMode?: boolean];
export type LPPoolConstructor = ConstructorArguments<typeof LP, LpArguments>;

abstract class LPPool extends Module {
  readonly normType: number;
  readonly kernelSize: Sizes;
  readonly stride: Sizes | null;
  readonly ceilMode: boolean;
  constructor(
    name: string,
    private readonly fn: typeof lpPool2d,
    args: LPPoolConstructor,
  ) {
    super();
    const options = constructorArguments<typeof LP, LpArguments>(name, LP, 2, args);
    this.normType = options.normType;
    this.kernelSize = options.kernelSize;
    this.stride = options.stride ?? null;
    this.ceilMode = options.ceilMode ?? false;
  }
  override forward(input: Tensor): Tensor {
    return this.fn(input, this.normType, this.kernelSize, this.stride, this.ceilMode);
  }
  override extraRepr(): string {
    return (
      `norm_type=${repr(this.normType)}, kernel_size=${repr(this.kernelSize)}, stride=${repr(this.stride)}, ` +
      `ceil_mode=${repr(this.ceilMode)}`
    );
  }
}
/** The p-norm of windows of [N, C, L] (torch.nn.LPPool1d). */
export class LPPool1d extends LPPool {
  constructor(...args: LPPoolConstructor) {
    super('LPPool1d', lpPool1d, args);
  }
}
/** The p-norm of windows of [N, C, H, W] (torch.nn.LPPool2d). */
export class LPPool2d extends LPPool {
  constructor(...args: LPPoolConstructor) {
    super('LPPool2d', lpPool2d, args);
  }
}
/** The p-norm of windows of [N, C, D, H, W] (torch.nn.LPPool3d). */
export class LPPool3d extends LPPool {
  constructor(...args: LPPoolConstructor) {
    super('LPPool3d', lpPool3d, args);
  }
}

const LRN = ['size', 'alpha', 'beta', 'k'] as const;
type LrnArguments = [size: number, alpha?: number, beta?: number, k?: number];

/** Normalisation across neighbouring channels (torch.nn.LocalResponseNorm); see `nn.functional.localResponseNorm`. */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly alpha: number;
  readonly beta: number;
  readonly k: number;
  constructor(...args: ConstructorArguments<typeof LRN, LrnArguments>) {
    super();
    const {
      size,
      alpha = 1e-4,
      beta = 0.75,
      k = 1,
    } = constructorArguments<typeof LRN, LrnArguments>('LocalResponseNorm', LRN, 1, args);
    this.size = size;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }
  override forward(input: Tensor): Tensor {
    return localResponseNorm(input, this.size, this.alpha, this.beta, this.k);
  }
  override extraRepr(): string {
    return `${repr(this.size)}, alpha=${reprFloat(this.alpha)}, beta=${reprFloat(this.beta)}, k=${reprFloat(this.k)}`;
  }
}
