/** Convolution layers in one, two and three dimensions, and transposed ones. */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { pad } from '../../ops/movement/pad.js';
import { type Sizes, type SpatialDims, spatialList } from '../../ops/spatial/batch.js';
import { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } from '../../ops/spatial/conv.js';
import type { DType } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter, type Factory } from '../arguments.js';
import { calculateFanInAndFanOut } from '../fans.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { isAll, repr, reprWord } from '../python-repr.js';

/** How the border that `padding` adds is filled. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';
const PADDING_MODES: readonly PaddingMode[] = ['zeros', 'reflect', 'replicate', 'circular'];

interface Options extends Factory {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Sizes;
  readonly stride?: Sizes;
  readonly padding?: Sizes | 'same' | 'valid';
  readonly outputPadding?: Sizes;
  readonly dilation?: Sizes;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly paddingMode?: PaddingMode;
}

/**
 * What all convolutions have: geometry, weight and bias, first values uniform in ±1 / sqrt(fan in), and the way they
 * print.
 */
abstract class ConvNd extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly transposed: boolean;
  readonly outputPadding: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(name: string, nd: SpatialDims, transposed: boolean, options: Options) {
    super();
    this.inChannels = checkInteger(name, 'inChannels', options.inChannels);
    this.outChannels = checkInteger(name, 'outChannels', options.outChannels);
    this.groups = checkInteger(name, 'groups', options.groups ?? 1, 1);
    if (this.inChannels % this.groups !== 0)
      fail(ArgumentError, name, 'inChannels divisible by groups', `${this.inChannels}`, { groups: this.groups });
    if (this.outChannels % this.groups !== 0)
      fail(ArgumentError, name, 'outChannels divisible by groups', `${this.outChannels}`, { groups: this.groups });
    this.kernelSize = spatialList(name, 'kernelSize', options.kernelSize, nd, 1);
    this.stride = spatialList(name, 'stride', options.stride ?? 1, nd, 1);
    this.dilation = spatialList(name, 'dilation', options.dilation ?? 1, nd, 1);
    this.outputPadding = spatialList(name, 'outputPadding', options.outputPadding ?? 0, nd, 0);
    const padding = options.padding ?? 0;
    if (padding === 'same' || padding === 'valid') {
      if (padding === 'same' && this.stride.some((s) => s !== 1))
        fail(ArgumentError, name, "stride 1 with padding 'same'", describe(options.stride));
      this.padding = padding;
    } else this.padding = spatialList(name, 'padding', padding, nd, 0);
    this.paddingMode = options.paddingMode ?? 'zeros';
    if (!PADDING_MODES.includes(this.paddingMode))
      fail(ArgumentError, name, `paddingMode of ${PADDING_MODES.join(', ')}`, describe(options.paddingMode));
    this.transposed = transposed;
    const [first, second] = transposed ? [this.inChannels, this.outChannels] : [this.outChannels, this.inChannels];
    this.weight = emptyParameter(name, [first, second / this.groups, ...this.kernelSize], options);
    this.registerParameter('bias', (options.bias ?? true) ? emptyParameter(name, [this.outChannels], options) : null);
    this.resetParameters();
  }

  /** Draws the parameters anew. */
  resetParameters(): void {
    if (this.weight.numel() > 0) kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const { fanIn } = calculateFanInAndFanOut(this.constructor.name, this.weight);
    if (fanIn !== 0) uniform_(this.bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
  }

  override extraRepr(): string {
    const { kernelSize, stride, padding, dilation, outputPadding, groups, paddingMode } = this;
    let text = `${repr(this.inChannels)}, ${repr(this.outChannels)}`;
    text += `, kernel_size=${repr(kernelSize)}, stride=${repr(stride)}`;
    if (typeof padding === 'string') text += `, padding=${padding}`;
    else if (!isAll(padding, 0)) text += `, padding=${repr(padding)}`;
    if (!isAll(dilation, 1)) text += `, dilation=${repr(dilation)}`;
    if (!isAll(outputPadding, 0)) text += `, output_padding=${repr(outputPadding)}`;
    if (groups !== 1) text += `, groups=${repr(groups)}`;
    if (this.bias === null) text += ', bias=False';
    if (paddingMode !== 'zeros') text += `, padding_mode=${reprWord(paddingMode)}`;
    return text;
  }
}

const CONV = [
  'inChannels',
  'outChannels',
  'kernelSize',
  'stride',
  'padding',
  'dilation',
  'groups',
  'bias',
  'paddingMode',
  'device',
  'dtype',
] as const;
type ConvArguments = [
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  stride?: Sizes,
  padding?: Sizes | 'same' | 'valid',
  dilation?: Sizes,
  groups?: number,
  bias?: boolean,
  paddingMode?: PaddingMode,
  device?: string,
  dtype?: DType,
];
export type ConvConstructor = ConstructorArguments<typeof CONV, ConvArguments>;

type Function = typeof conv2d;

abstract class Conv extends ConvNd {
  constructor(name: string, nd: SpatialDims, args: ConvConstructor) {
    super(name, nd, false, constructorArguments<typeof CONV, ConvArguments>(name, CONV, 3, args));
  }
  protected convolve(fn: Function, input: Tensor): Tensor {
    const { stride, dilation, groups } = this;
    if (this.paddingMode === 'zeros')
      return fn(input, this.weight, this.bias, { stride, padding: this.padding, dilation, groups });
    return fn(pad(input, this.borders(), this.paddingMode), this.weight, this.bias, { stride, dilation, groups });
  }
  /** The border of each dimension as `pad` takes it: the last dimension first, before and after. */
  private borders(): number[] {
    const nd = this.kernelSize.length;
    return Array.from({ length: nd }, (_, k) => nd - 1 - k).flatMap((d) => {
      if (this.padding === 'valid') return [0, 0];
      if (this.padding !== 'same') return [this.padding[d], this.padding[d]];
      const total = this.dilation[d] * (this.kernelSize[d] - 1);
      return [Math.floor(total / 2), total - Math.floor(total / 2)];
    });
  }
}

/**
 * A convolution over [N, inChannels, L] (torch.nn.Conv1d); see `nn.functional.conv1d`. paddingMode 'zeros' (default),
 * 'reflect', 'replicate' or 'circular'. weight [outChannels, inChannels / groups, R] and bias begin uniform in ±1 /
 * sqrt(fan in).
 */
export class Conv1d extends Conv {
  constructor(...args: ConvConstructor) {
    super('Conv1d', 1, args);
  }
  override forward(input: Tensor): Tensor {
    return this.convolve(conv1d, input);
  }
}
/** A convolution over [N, inChannels, H, W] (torch.nn.Conv2d); as `Conv1d`. */
export class Conv2d extends Conv {
  constructor(...args: ConvConstructor) {
    super('Conv2d', 2, args);
  }
  override forward(input: Tensor): Tensor {
    return this.convolve(conv2d, input);
  }
}
/** A convolution over [N, inChannels, D, H, W] (torch.nn.Conv3d); as `Conv1d`. */
export class Conv3d extends Conv {
  constructor(...args: ConvConstructor) {
    super('Conv3d', 3, args);
  }
  override forward(input: Tensor): Tensor {
    return this.convolve(conv3d, input);
  }
}

const CONV_TRANSPOSE = [
  'inChannels',
  'outChannels',
  'kernelSize',
  'stride',
  'padding',
  'outputPadding',
  'groups',
  'bias',
  'dilation',
  'paddingMode',
  'device',
  'dtype',
] as const;
type ConvTransposeArguments = [
  inChannels: number,
  outChannels: number,
  kernelSize: Sizes,
  stride?: Sizes,
  padding?: Sizes,
  outputPadding?: Sizes,
  groups?: number,
  bias?: boolean,
  dilation?: Sizes,
  paddingMode?: 'zeros',
  device?: string,
  dtype?: DType,
];
export type ConvTransposeConstructor = ConstructorArguments<typeof CONV_TRANSPOSE, ConvTransposeArguments>;

abstract class ConvTranspose extends ConvNd {
  constructor(name: string, nd: SpatialDims, args: ConvTransposeConstructor) {
    const options = constructorArguments<typeof CONV_TRANSPOSE, ConvTransposeArguments>(name, CONV_TRANSPOSE, 3, args);
    if (options.paddingMode !== undefined && options.paddingMode !== 'zeros')
      fail(ArgumentError, name, "paddingMode 'zeros'", describe(options.paddingMode));
    super(name, nd, true, options);
  }
  protected convolve(fn: typeof convTranspose2d, input: Tensor, outputSize: readonly number[] | undefined): Tensor {
    const { stride, dilation, groups } = this;
    const padding = this.padding as readonly number[];
    const outputPadding =
      outputSize === undefined || outputSize === null
        ? this.outputPadding
        : this.paddingFor(input, outputSize, padding);
    return fn(input, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups });
  }
  /** The output padding that gives the wanted size. */
  private paddingFor(input: Tensor, outputSize: readonly number[], padding: readonly number[]): number[] {
    const nd = this.kernelSize.length;
    const name = this.constructor.name;
    if (!Array.isArray(outputSize))
      fail(ArgumentError, name, 'an outputSize as an array of numbers', describe(outputSize));
    const lead = tensorArgument(name, 'input', input).shape.length - nd;
    const wanted: readonly number[] = outputSize.length === input.shape.length ? outputSize.slice(lead) : outputSize;
    if (wanted.length !== nd)
      fail(ArgumentError, name, `an outputSize of ${nd} or ${input.shape.length} numbers`, describe(outputSize), {
        input,
      });
    return wanted.map((size, d) => {
      const least =
        (input.shape[lead + d] - 1) * this.stride[d] - 2 * padding[d] + this.dilation[d] * (this.kernelSize[d] - 1) + 1;
      if (size < least || size > least + this.stride[d] - 1)
        fail(
          ShapeError,
          name,
          `an outputSize in [${least}, ${least + this.stride[d] - 1}] at spatial dim ${d}`,
          `${size}`,
          { input },
        );
      return size - least;
    });
  }
}

/**
 * A transposed convolution over [N, inChannels, L] (torch.nn.ConvTranspose1d); see `nn.functional.convTranspose1d`.
 * Called with an outputSize, it chooses the output padding. weight [inChannels, outChannels / groups, R] and bias begin
 * uniform in ±1 / sqrt(fan in).
 */
export class ConvTranspose1d extends ConvTranspose {
  constructor(...args: ConvTransposeConstructor) {
    super('ConvTranspose1d', 1, args);
  }
  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.convolve(convTranspose1d, input, outputSize);
  }
}
/** A transposed convolution over [N, inChannels, H, W] (torch.nn.ConvTranspose2d); as `ConvTranspose1d`. */
export class ConvTranspose2d extends ConvTranspose {
  constructor(...args: ConvTransposeConstructor) {
    super('ConvTranspose2d', 2, args);
  }
  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.convolve(convTranspose2d, input, outputSize);
  }
}
/** A transposed convolution over [N, inChannels, D, H, W] (torch.nn.ConvTranspose3d); as `ConvTranspose1d`. */
export class ConvTranspose3d extends ConvTranspose {
  constructor(...args: ConvTransposeConstructor) {
    super('ConvTranspose3d', 3, args);
  }
  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    return this.convolve(convTranspose3d, input, outputSize);
  }
}
