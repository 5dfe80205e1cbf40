/** Linear and bilinear layers. */

import { checkInteger } from '../../arguments.js';
import { bilinear, linear } from '../../ops/products/linear.js';
import type { DType } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter } from '../arguments.js';
import { calculateFanInAndFanOut } from '../fans.js';
import { kaimingUniform_, uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { repr } from '../python-repr.js';

const LINEAR = ['inFeatures', 'outFeatures', 'bias', 'device', 'dtype'] as const;
type LinearArguments = [inFeatures: number, outFeatures: number, bias?: boolean, device?: string, dtype?: DType];

/**
 * y = x W^T + b (torch.nn.Linear): [..., inFeatures] to [..., outFeatures]; `bias` default true.
 * W and b begin uniform in ±1 / sqrt(inFeatures).
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(...args: ConstructorArguments<typeof LINEAR, LinearArguments>) {
    super();
    const {
      inFeatures,
      outFeatures,
      bias = true,
      ...factory
    } = constructorArguments<typeof LINEAR, LinearArguments>('Linear', LINEAR, 2, args);
    this.inFeatures = checkInteger('Linear', 'inFeatures', inFeatures);
    this.outFeatures = checkInteger('Linear', 'outFeatures', outFeatures);
    this.weight = emptyParameter('Linear', [outFeatures, inFeatures], factory);
    this.registerParameter('bias', bias ? emptyParameter('Linear', [outFeatures], factory) : null);
    this.resetParameters();
  }
  /** Draws the parameters anew. */
  resetParameters(): void {
    if (this.weight.numel() > 0) kaimingUniform_(this.weight, { a: Math.sqrt(5) });
    if (this.bias === null) return;
    const { fanIn } = calculateFanInAndFanOut('Linear', this.weight);
    const bound = fanIn > 0 ? 1 / Math.sqrt(fanIn) : 0;
    uniform_(this.bias, -bound, bound);
  }
  override forward(input: Tensor): Tensor {
    return linear(input, this.weight, this.bias);
  }
  override extraRepr(): string {
    const features = `in_features=${repr(this.inFeatures)}, out_features=${repr(this.outFeatures)}`;
    return `${features}, bias=${repr(this.bias !== null)}`;
  }
}

const BILINEAR = ['in1Features', 'in2Features', 'outFeatures', 'bias', 'device', 'dtype'] as const;
type BilinearArguments = [
  in1Features: number,
  in2Features: number,
  outFeatures: number,
  bias?: boolean,
  device?: string,
  dtype?: DType,
];

/** y[o] = x1^T W[o] x2 + b[o] (torch.nn.Bilinear); W and b begin uniform in ±1 / sqrt(in1Features). */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  declare weight: Parameter;
  declare bias: Parameter | null;

  constructor(...args: ConstructorArguments<typeof BILINEAR, BilinearArguments>) {
    super();
    const {
      in1Features,
      in2Features,
      outFeatures,
      bias = true,
      ...factory
    } = constructorArguments<typeof BILINEAR, BilinearArguments>('Bilinear', BILINEAR, 3, args);
    this.in1Features = checkInteger('Bilinear', 'in1Features', in1Features, 1);
    this.in2Features = checkInteger('Bilinear', 'in2Features', in2Features);
    this.outFeatures = checkInteger('Bilinear', 'outFeatures', outFeatures);
    this.weight = emptyParameter('Bilinear', [outFeatures, in1Features, in2Features], factory);
    this.registerParameter('bias', bias ? emptyParameter('Bilinear', [outFeatures], factory) : null);
    this.resetParameters();
  }
  /** Draws the parameters anew. */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    if (this.bias !== null) uniform_(this.bias, -bound, bound);
  }
  override forward(input1: Tensor, input2: Tensor): Tensor {
    return bilinear(input1, input2, this.weight, this.bias);
  }
  override extraRepr(): string {
    return (
      `in1_features=${repr(this.in1Features)}, in2_features=${repr(this.in2Features)}, ` +
      `out_features=${repr(this.outFeatures)}, bias=${repr(this.bias !== null)}`
    );
  }
}
