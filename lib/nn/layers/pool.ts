/** Pooling layers: regular and adaptive windows, maxima and means, and the inverse of max pooling. */
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from '../../ops/spatial/avg-pool.js';
import { type Sizes, type SpatialDims, spatialList } from '../../ops/spatial/batch.js';
import {
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
  type OutputSize,
} from '../../ops/spatial/max-pool.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { repr } from '../python-repr.js';

const MAX = ['kernelSize', 'stride', 'padding', 'dilation', 'returnIndices', 'ceilMode'] as const;
type MaxArguments = [
  kernelSize: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  dilation?: Sizes,
  returnIndices?: boolean,
  ceilMode?: boolean,
];
export type MaxPoolConstructor = ConstructorArguments<typeof MAX, MaxArguments>;

abstract class MaxPool extends Module {
  readonly kernelSize: Sizes;
  readonly stride: Sizes;
  readonly padding: Sizes;
  readonly dilation: Sizes;
  readonly returnIndices: boolean;
  readonly ceilMode: boolean;
  constructor(
    name: string,
    private readonly fn: typeof maxPool2d,
    args: MaxPoolConstructor,
  ) {
    super();
    const options = constructorArguments<typeof MAX, MaxArguments>(name, MAX, 1, args);
    this.kernelSize = options.kernelSize;
    this.stride = options.stride ?? options.kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.returnIndices = options.returnIndices ?? false;
    this.ceilMode = options.ceilMode ?? false;
  }
  /** With returnIndices an array [output, indices], whatever the type says. */
  override forward(input: Tensor): Tensor {
    return this.fn(input, this.kernelSize, this.stride, this.padding, this.dilation, this.ceilMode, this.returnIndices);
  }
  override extraRepr(): string {
    return (
      `kernel_size=${repr(this.kernelSize)}, stride=${repr(this.stride)}, padding=${repr(this.padding)}, ` +
      `dilation=${repr(this.dilation)}, ceil_mode=${repr(this.ceilMode)}`
    );
  }
}
/** Max pooling of [N, C, L] (torch.nn.MaxPool1d); see `nn.functional.maxPool1d`. */
export class MaxPool1d extends MaxPool {
  constructor(...args: MaxPoolConstructor) {
    super('MaxPool1d', maxPool1d, args);
  }
}
/** Max pooling of [N, C, H, W] (torch.nn.MaxPool2d); see `nn.functional.maxPool2d`. */
export class MaxPool2d extends MaxPool {
  constructor(...args: MaxPoolConstructor) {
    super('MaxPool2d', maxPool2d, args);
  }
}
/** Max pooling of [N, C, D, H, W] (torch.nn.MaxPool3d); see `nn.functional.maxPool3d`. */
export class MaxPool3d extends MaxPool {
  constructor(...args: MaxPoolConstructor) {
    super('MaxPool3d', maxPool3d, args);
  }
}

const UNPOOL = ['kernelSize', 'stride', 'padding'] as const;
type UnpoolArguments = [kernelSize: Sizes, stride?: Sizes | null, padding?: Sizes];
export type MaxUnpoolConstructor = ConstructorArguments<typeof UNPOOL, UnpoolArguments>;

abstract class MaxUnpool extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  constructor(
    name: string,
    nd: SpatialDims,
    private readonly fn: typeof maxUnpool2d,
    args: MaxUnpoolConstructor,
  ) {
    super();
    const options = constructorArguments<typeof UNPOOL, UnpoolArguments>(name, UNPOOL, 1, args);
    this.kernelSize = spatialList(name, 'kernelSize', options.kernelSize, nd, 1);
    this.stride = spatialList(name, 'stride', options.stride ?? options.kernelSize, nd, 1);
    this.padding = spatialList(name, 'padding', options.padding ?? 0, nd, 0);
  }
  override forward(input: Tensor, indices: Tensor, outputSize?: readonly number[] | null): Tensor {
    return this.fn(input, indices, this.kernelSize, this.stride, this.padding, outputSize);
  }
  override extraRepr(): string {
    return `kernel_size=${repr(this.kernelSize)}, stride=${repr(this.stride)}, padding=${repr(this.padding)}`;
  }
}
/** The partial inverse of MaxPool1d (torch.nn.MaxUnpool1d). */
export class MaxUnpool1d extends MaxUnpool {
  constructor(...args: MaxUnpoolConstructor) {
    super('MaxUnpool1d', 1, maxUnpool1d, args);
  }
}
/** The partial inverse of MaxPool2d (torch.nn.MaxUnpool2d). */
export class MaxUnpool2d extends MaxUnpool {
  constructor(...args: MaxUnpoolConstructor) {
    super('MaxUnpool2d', 2, maxUnpool2d, args);
  }
}
/** The partial inverse of MaxPool3d (torch.nn.MaxUnpool3d). */
export class MaxUnpool3d extends MaxUnpool {
  constructor(...args: MaxUnpoolConstructor) {
    super('MaxUnpool3d', 3, maxUnpool3d, args);
  }
}

const AVG1 = ['kernelSize', 'stride', 'padding', 'ceilMode', 'countIncludePad'] as const;
type Avg1Arguments = [
  kernelSize: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  ceilMode?: boolean,
  countIncludePad?: boolean,
];

/** Average pooling of [N, C, L] (torch.nn.AvgPool1d); see `nn.functional.avgPool1d`. */
export class AvgPool1d extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  constructor(...args: ConstructorArguments<typeof AVG1, Avg1Arguments>) {
    super();
    const options = constructorArguments<typeof AVG1, Avg1Arguments>('AvgPool1d', AVG1, 1, args);
    this.kernelSize = spatialList('AvgPool1d', 'kernelSize', options.kernelSize, 1, 1);
    this.stride = spatialList('AvgPool1d', 'stride', options.stride ?? options.kernelSize, 1, 1);
    this.padding = spatialList('AvgPool1d', 'padding', options.padding ?? 0, 1, 0);
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
  }
  override forward(input: Tensor): Tensor {
    return avgPool1d(input, this.kernelSize, this.stride, this.padding, this.ceilMode, this.countIncludePad);
  }
  override extraRepr(): string {
    return `kernel_size=${repr(this.kernelSize)}, stride=${repr(this.stride)}, padding=${repr(this.padding)}`;
  }
}

const AVG = ['kernelSize', 'stride', 'padding', 'ceilMode', 'countIncludePad', 'divisorOverride'] as const;
type AvgArguments = [
  kernelSize: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  ceilMode?: boolean,
  countIncludePad?: boolean,
  divisorOverride?: number | null,
];
export type AvgPoolConstructor = ConstructorArguments<typeof AVG, AvgArguments>;

abstract class AvgPool extends Module {
  readonly kernelSize: Sizes;
  readonly stride: Sizes;
  readonly padding: Sizes;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;
  constructor(
    name: string,
    private readonly fn: typeof avgPool2d,
    args: AvgPoolConstructor,
  ) {
    super();
    const options = constructorArguments<typeof AVG, AvgArguments>(name, AVG, 1, args);
    this.kernelSize = options.kernelSize;
    this.stride = options.stride ?? options.kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? null;
  }
  override forward(input: Tensor): Tensor {
    return this.fn(
      input,
      this.kernelSize,
      this.stride,
      this.padding,
      this.ceilMode,
      this.countIncludePad,
      this.divisorOverride,
    );
  }
  override extraRepr(): string {
    return `kernel_size=${repr(this.kernelSize)}, stride=${repr(this.stride)}, padding=${repr(this.padding)}`;
  }
}
/** Average pooling of [N, C, H, W] (torch.nn.AvgPool2d); see `nn.functional.avgPool2d`. */
export class AvgPool2d extends AvgPool {
  constructor(...args: AvgPoolConstructor) {
    super('AvgPool2d', avgPool2d, args);
  }
}
/** Average pooling of [N, C, D, H, W] (torch.nn.AvgPool3d); see `nn.functional.avgPool3d`. */
export class AvgPool3d extends AvgPool {
  constructor(...args: AvgPoolConstructor) {
    super('AvgPool3d', avgPool3d, args);
  }
}

abstract class AdaptiveAvgPool extends Module {
  constructor(
    private readonly fn: typeof adaptiveAvgPool2d,
    readonly outputSize: OutputSize,
  ) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return this.fn(input, this.outputSize);
  }
  override extraRepr(): string {
    return `output_size=${repr(this.outputSize)}`;
  }
}
/** The mean of windows that divide [N, C, L] evenly (torch.nn.AdaptiveAvgPool1d). */
export class AdaptiveAvgPool1d extends AdaptiveAvgPool {
  constructor(...args: ConstructorArguments<readonly ['outputSize'], [outputSize: OutputSize]>) {
    super(adaptiveAvgPool1d, constructorArguments('AdaptiveAvgPool1d', ['outputSize'], 1, args).outputSize);
  }
}
/** The mean of windows that divide [N, C, H, W] evenly (torch.nn.AdaptiveAvgPool2d). */
export class AdaptiveAvgPool2d extends AdaptiveAvgPool {
  constructor(...args: ConstructorArguments<readonly ['outputSize'], [outputSize: OutputSize]>) {
    super(adaptiveAvgPool2d, constructorArguments('AdaptiveAvgPool2d', ['outputSize'], 1, args).outputSize);
  }
}
/** The mean of windows that divide [N, C, D, H, W] evenly (torch.nn.AdaptiveAvgPool3d). */
export class AdaptiveAvgPool3d extends AdaptiveAvgPool {
  constructor(...args: ConstructorArguments<readonly ['outputSize'], [outputSize: OutputSize]>) {
    super(adaptiveAvgPool3d, constructorArguments('AdaptiveAvgPool3d', ['outputSize'], 1, args).outputSize);
  }
}

const ADAPTIVE_MAX = ['outputSize', 'returnIndices'] as const;
type AdaptiveMaxArguments = [outputSize: OutputSize, returnIndices?: boolean];
export type AdaptiveMaxPoolConstructor = ConstructorArguments<typeof ADAPTIVE_MAX, AdaptiveMaxArguments>;

abstract class AdaptiveMaxPool extends Module {
  readonly outputSize: OutputSize;
  readonly returnIndices: boolean;
  constructor(
    name: string,
    private readonly fn: typeof adaptiveMaxPool2d,
    args: AdaptiveMaxPoolConstructor,
  ) {
    super();
    const options = constructorArguments<typeof ADAPTIVE_MAX, AdaptiveMaxArguments>(name, ADAPTIVE_MAX, 1, args);
    this.outputSize = options.outputSize;
    this.returnIndices = options.returnIndices ?? false;
  }
  /** With returnIndices an array [output, indices], whatever the type says. */
  override forward(input: Tensor): Tensor {
    return this.fn(input, this.outputSize, this.returnIndices);
  }
  override extraRepr(): string {
    return `output_size=${repr(this.outputSize)}`;
  }
}
/** The greatest element of windows that divide [N, C, L] evenly (torch.nn.AdaptiveMaxPool1d). */
export class AdaptiveMaxPool1d extends AdaptiveMaxPool {
  constructor(...args: AdaptiveMaxPoolConstructor) {
    super('AdaptiveMaxPool1d', adaptiveMaxPool1d, args);
  }
}
/** The greatest element of windows that divide [N, C, H, W] evenly (torch.nn.AdaptiveMaxPool2d). */
export class AdaptiveMaxPool2d extends AdaptiveMaxPool {
  constructor(...args: AdaptiveMaxPoolConstructor) {
    super('AdaptiveMaxPool2d', adaptiveMaxPool2d, args);
  }
}
/** The greatest element of windows that divide [N, C, D, H, W] evenly (torch.nn.AdaptiveMaxPool3d). */
export class AdaptiveMaxPool3d extends AdaptiveMaxPool {
  constructor(...args: AdaptiveMaxPoolConstructor) {
    super('AdaptiveMaxPool3d', adaptiveMaxPool3d, args);
  }
}
