/** Layers that change the resolution: interpolation, and shuffles between channels and pixels. */
import {
  type InterpolateMode,
  interpolate,
  type PerDimension,
  pixelShuffle,
  pixelUnshuffle,
} from '../../ops/spatial/interpolate.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { repr, reprFloat } from '../python-repr.js';

const UPSAMPLE = ['size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor'] as const;
type UpsampleArguments = [
  size?: PerDimension,
  scaleFactor?: PerDimension,
  mode?: InterpolateMode,
  alignCorners?: boolean | null,
  recomputeScaleFactor?: boolean | null,
];

/** Resampling to a size or by a factor (torch.nn.Upsample); see `nn.functional.interpolate`. */
export class Upsample extends Module {
  readonly size: PerDimension;
  readonly scaleFactor: PerDimension;
  readonly mode: InterpolateMode;
  readonly alignCorners: boolean | null;
  readonly recomputeScaleFactor: boolean | null;
  constructor(...args: ConstructorArguments<typeof UPSAMPLE, UpsampleArguments>) {
    super();
    const options = constructorArguments<typeof UPSAMPLE, UpsampleArguments>('Upsample', UPSAMPLE, 0, args);
    this.size = options.size ?? null;
    this.scaleFactor = options.scaleFactor ?? null;
    this.mode = options.mode ?? 'nearest';
    this.alignCorners = options.alignCorners ?? null;
    this.recomputeScaleFactor = options.recomputeScaleFactor ?? null;
  }
  override forward(input: Tensor): Tensor {
    return interpolate(input, this.size, this.scaleFactor, this.mode, this.alignCorners, this.recomputeScaleFactor);
  }
  override extraRepr(): string {
    const { size, scaleFactor } = this;
    // PyTorch holds factors as floats: 2.0.
    const factor = Array.isArray(scaleFactor)
      ? `(${scaleFactor.map(reprFloat).join(', ')}${scaleFactor.length === 1 ? ',' : ''})`
      : reprFloat(scaleFactor);
    return `${scaleFactor === null ? `size=${repr(size)}` : `scale_factor=${factor}`}, mode=${repr(this.mode)}`;
  }
}

const SHORT = ['size', 'scaleFactor'] as const;
type ShortArguments = [size?: PerDimension, scaleFactor?: PerDimension];

/** Upsample with mode 'nearest' of [N, C, H, W] (torch.nn.UpsamplingNearest2d). */
export class UpsamplingNearest2d extends Upsample {
  constructor(...args: ConstructorArguments<typeof SHORT, ShortArguments>) {
    const { size, scaleFactor } = constructorArguments<typeof SHORT, ShortArguments>(
      'UpsamplingNearest2d',
      SHORT,
      0,
      args,
    );
    super({ size, scaleFactor, mode: 'nearest' });
  }
}
/** Upsample with mode 'bilinear' and aligned corners of [N, C, H, W] (torch.nn.UpsamplingBilinear2d). */
export class UpsamplingBilinear2d extends Upsample {
  constructor(...args: ConstructorArguments<typeof SHORT, ShortArguments>) {
    const { size, scaleFactor } = constructorArguments<typeof SHORT, ShortArguments>(
      'UpsamplingBilinear2d',
      SHORT,
      0,
      args,
    );
    super({ size, scaleFactor, mode: 'bilinear', alignCorners: true });
  }
}

/** Channels rearranged into pixels (torch.nn.PixelShuffle); see `nn.functional.pixelShuffle`. */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;
  constructor(...args: ConstructorArguments<readonly ['upscaleFactor'], [upscaleFactor: number]>) {
    super();
    this.upscaleFactor = constructorArguments<readonly ['upscaleFactor'], [upscaleFactor: number]>(
      'PixelShuffle',
      ['upscaleFactor'],
      1,
      args,
    ).upscaleFactor;
  }
  override forward(input: Tensor): Tensor {
    return pixelShuffle(input, this.upscaleFactor);
  }
  override extraRepr(): string {
    return `upscale_factor=${repr(this.upscaleFactor)}`;
  }
}
/** Pixels rearranged into channels (torch.nn.PixelUnshuffle); see `nn.functional.pixelUnshuffle`. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;
  constructor(...args: ConstructorArguments<readonly ['downscaleFactor'], [downscaleFactor: number]>) {
    super();
    this.downscaleFactor = constructorArguments<readonly ['downscaleFactor'], [downscaleFactor: number]>(
      'PixelUnshuffle',
      ['downscaleFactor'],
      1,
      args,
    ).downscaleFactor;
  }
  override forward(input: Tensor): Tensor {
    return pixelUnshuffle(input, this.downscaleFactor);
  }
  override extraRepr(): string {
    return `downscale_factor=${repr(this.downscaleFactor)}`;
  }
}
