/**
 * Modules of elementwise activations; each is the function of the same name in nn.functional, with its parameters kept.
 */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import {
  celu,
  elu,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
} from '../../ops/activations/activation.js';
import type { DType } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter } from '../arguments.js';
import { constant_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { repr, reprFloat } from '../python-repr.js';

function number(module: string, name: string, value: unknown): number {
  if (typeof value !== 'number') fail(ArgumentError, module, `a number for ${name}`, describe(value));
  return value;
}
function inplaceSuffix(inplace: boolean): string {
  return inplace ? ', inplace=True' : '';
}

const INPLACE = ['inplace'] as const;
/** Activations without parameters that may write into their input. */
abstract class InplaceActivation extends Module {
  readonly inplace: boolean;
  constructor(...args: ConstructorArguments<typeof INPLACE, [inplace?: boolean]>) {
    super();
    this.inplace =
      constructorArguments<typeof INPLACE, [inplace?: boolean]>(this.constructor.name, INPLACE, 0, args).inplace ??
      false;
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return this.inplace ? 'inplace=True' : '';
  }
}

/** max(x, 0) (torch.nn.ReLU). */
export class ReLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return relu(input, this.inplace);
  }
}
/** min(max(x, 0), 6) (torch.nn.ReLU6). */
export class ReLU6 extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return relu6(input, this.inplace);
  }
}
/** The self-normalising exponential linear unit (torch.nn.SELU). */
export class SELU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return selu(input, this.inplace);
  }
}
/** x sigmoid(x) (torch.nn.SiLU). */
export class SiLU extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return silu(input, this.inplace);
  }
}
/** x tanh(softplus(x)) (torch.nn.Mish). */
export class Mish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return mish(input, this.inplace);
  }
}
/** min(max(x + 3, 0), 6) / 6 (torch.nn.Hardsigmoid). */
export class Hardsigmoid extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return hardsigmoid(input, this.inplace);
  }
  override extraRepr(): string {
    return '';
  }
}
/** x hardsigmoid(x) (torch.nn.Hardswish). */
export class Hardswish extends InplaceActivation {
  override forward(input: Tensor): Tensor {
    return hardswish(input, this.inplace);
  }
  override extraRepr(): string {
    return '';
  }
}

/** 1 / (1 + e^-x) (torch.nn.Sigmoid). */
export class Sigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}
/** torch.nn.Tanh */
export class Tanh extends Module {
  override forward(input: Tensor): Tensor {
    return tanh(input);
  }
}
/** ln(sigmoid(x)) (torch.nn.LogSigmoid). */
export class LogSigmoid extends Module {
  override forward(input: Tensor): Tensor {
    return logsigmoid(input);
  }
}
/** x / (1 + |x|) (torch.nn.Softsign). */
export class Softsign extends Module {
  override forward(input: Tensor): Tensor {
    return softsign(input);
  }
}
/** x - tanh(x) (torch.nn.Tanhshrink). */
export class Tanhshrink extends Module {
  override forward(input: Tensor): Tensor {
    return tanhshrink(input);
  }
}

const LEAKY = ['negativeSlope', 'inplace'] as const;
/** x, or negativeSlope x below 0; the slope is 0.01 by default (torch.nn.LeakyReLU). */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;
  constructor(...args: ConstructorArguments<typeof LEAKY, [negativeSlope?: number, inplace?: boolean]>) {
    super();
    const { negativeSlope = 0.01, inplace = false } = constructorArguments<
      typeof LEAKY,
      [negativeSlope?: number, inplace?: boolean]
    >('LeakyReLU', LEAKY, 0, args);
    this.negativeSlope = number('LeakyReLU', 'negativeSlope', negativeSlope);
    this.inplace = inplace;
  }
  override forward(input: Tensor): Tensor {
    return leakyRelu(input, this.negativeSlope, this.inplace);
  }
  override extraRepr(): string {
    return `negative_slope=${reprFloat(this.negativeSlope)}${inplaceSuffix(this.inplace)}`;
  }
}

const ALPHA = ['alpha', 'inplace'] as const;
type AlphaArguments = [alpha?: number, inplace?: boolean];
abstract class AlphaActivation extends Module {
  readonly alpha: number;
  readonly inplace: boolean;
  constructor(...args: ConstructorArguments<typeof ALPHA, AlphaArguments>) {
    super();
    const name = this.constructor.name;
    const { alpha = 1, inplace = false } = constructorArguments<typeof ALPHA, AlphaArguments>(name, ALPHA, 0, args);
    this.alpha = number(name, 'alpha', alpha);
    this.inplace = inplace;
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return `alpha=${reprFloat(this.alpha)}${inplaceSuffix(this.inplace)}`;
  }
}
/** x, or alpha (e^x - 1) below 0 (torch.nn.ELU). */
export class ELU extends AlphaActivation {
  override forward(input: Tensor): Tensor {
    return elu(input, this.alpha, this.inplace);
  }
}
/** max(0, x) + min(0, alpha (e^(x / alpha) - 1)) (torch.nn.CELU). */
export class CELU extends AlphaActivation {
  override forward(input: Tensor): Tensor {
    return celu(input, this.alpha, this.inplace);
  }
}

const PRELU = ['numParameters', 'init', 'device', 'dtype'] as const;
type PReLUArguments = [numParameters?: number, init?: number, device?: string, dtype?: DType];
/** x, or weight x below 0, where the weight (0.25 at first) is learned: one, or one a channel (torch.nn.PReLU). */
export class PReLU extends Module {
  readonly numParameters: number;
  readonly init: number;
  declare weight: Parameter;
  constructor(...args: ConstructorArguments<typeof PRELU, PReLUArguments>) {
    super();
    const {
      numParameters = 1,
      init = 0.25,
      ...factory
    } = constructorArguments<typeof PRELU, PReLUArguments>('PReLU', PRELU, 0, args);
    this.numParameters = checkInteger('PReLU', 'numParameters', numParameters);
    this.init = number('PReLU', 'init', init);
    this.weight = emptyParameter('PReLU', [numParameters], factory);
    this.resetParameters();
  }
  resetParameters(): void {
    constant_(this.weight, this.init);
  }
  override forward(input: Tensor): Tensor {
    return prelu(input, this.weight);
  }
  override extraRepr(): string {
    return `num_parameters=${repr(this.numParameters)}`;
  }
}

const GELU_PARAMETERS = ['approximate'] as const;
type Approximate = 'none' | 'tanh';
/** x Phi(x) with Phi the normal distribution's integral, or its tanh formula (torch.nn.GELU). */
export class GELU extends Module {
  readonly approximate: Approximate;
  constructor(...args: ConstructorArguments<typeof GELU_PARAMETERS, [approximate?: Approximate]>) {
    super();
    this.approximate =
      constructorArguments<typeof GELU_PARAMETERS, [approximate?: Approximate]>('GELU', GELU_PARAMETERS, 0, args)
        .approximate ?? 'none';
  }
  override forward(input: Tensor): Tensor {
    return gelu(input, { approximate: this.approximate });
  }
  override extraRepr(): string {
    return `approximate=${repr(this.approximate)}`;
  }
}

const SOFTPLUS = ['beta', 'threshold'] as const;
type SoftplusArguments = [beta?: number, threshold?: number];
/** ln(1 + e^(beta x)) / beta, and x where beta x is above the threshold (torch.nn.Softplus). */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;
  constructor(...args: ConstructorArguments<typeof SOFTPLUS, SoftplusArguments>) {
    super();
    const { beta = 1, threshold: limit = 20 } = constructorArguments<typeof SOFTPLUS, SoftplusArguments>(
      'Softplus',
      SOFTPLUS,
      0,
      args,
    );
    this.beta = number('Softplus', 'beta', beta);
    this.threshold = number('Softplus', 'threshold', limit);
  }
  override forward(input: Tensor): Tensor {
    return softplus(input, this.beta, this.threshold);
  }
  override extraRepr(): string {
    return `beta=${reprFloat(this.beta)}, threshold=${reprFloat(this.threshold)}`;
  }
}

const HARDTANH = ['minVal', 'maxVal', 'inplace'] as const;
type HardtanhArguments = [minVal?: number, maxVal?: number, inplace?: boolean];
/** x within [minVal, maxVal], -1 and 1 by default (torch.nn.Hardtanh). */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;
  constructor(...args: ConstructorArguments<typeof HARDTANH, HardtanhArguments>) {
    super();
    const {
      minVal = -1,
      maxVal = 1,
      inplace = false,
    } = constructorArguments<typeof HARDTANH, HardtanhArguments>('Hardtanh', HARDTANH, 0, args);
    this.minVal = number('Hardtanh', 'minVal', minVal);
    this.maxVal = number('Hardtanh', 'maxVal', maxVal);
    if (!(maxVal > minVal))
      fail(ArgumentError, 'Hardtanh', 'a maxVal above minVal', `minVal=${minVal}, maxVal=${maxVal}`);
    this.inplace = inplace;
  }
  override forward(input: Tensor): Tensor {
    return hardtanh(input, this.minVal, this.maxVal, this.inplace);
  }
  override extraRepr(): string {
    return `min_val=${reprFloat(this.minVal)}, max_val=${reprFloat(this.maxVal)}${inplaceSuffix(this.inplace)}`;
  }
}

const THRESHOLD = ['threshold', 'value', 'inplace'] as const;
type ThresholdArguments = [threshold: number, value: number, inplace?: boolean];
/** x where it is above the threshold, else the value (torch.nn.Threshold). */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;
  readonly inplace: boolean;
  constructor(...args: ConstructorArguments<typeof THRESHOLD, ThresholdArguments>) {
    super();
    const {
      threshold: limit,
      value,
      inplace = false,
    } = constructorArguments<typeof THRESHOLD, ThresholdArguments>('Threshold', THRESHOLD, 2, args);
    this.threshold = number('Threshold', 'threshold', limit);
    this.value = number('Threshold', 'value', value);
    this.inplace = inplace;
  }
  override forward(input: Tensor): Tensor {
    return threshold(input, this.threshold, this.value, this.inplace);
  }
  override extraRepr(): string {
    return `threshold=${repr(this.threshold)}, value=${repr(this.value)}${inplaceSuffix(this.inplace)}`;
  }
}

const LAMBD = ['lambd'] as const;
abstract class Shrink extends Module {
  readonly lambd: number;
  constructor(...args: ConstructorArguments<typeof LAMBD, [lambd?: number]>) {
    super();
    const name = this.constructor.name;
    this.lambd = number(
      name,
      'lambd',
      constructorArguments<typeof LAMBD, [lambd?: number]>(name, LAMBD, 0, args).lambd ?? 0.5,
    );
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return reprFloat(this.lambd);
  }
}
/** x moved by lambd towards 0 (torch.nn.Softshrink). */
export class Softshrink extends Shrink {
  override forward(input: Tensor): Tensor {
    return softshrink(input, this.lambd);
  }
}
/** x, and 0 within lambd of 0 (torch.nn.Hardshrink). */
export class Hardshrink extends Shrink {
  override forward(input: Tensor): Tensor {
    return hardshrink(input, this.lambd);
  }
}

const DIM = ['dim'] as const;
/** a sigmoid(b) where a and b are the halves of the input along `dim`, the last by default (torch.nn.GLU). */
export class GLU extends Module {
  readonly dim: number;
  constructor(...args: ConstructorArguments<typeof DIM, [dim?: number]>) {
    super();
    this.dim = constructorArguments<typeof DIM, [dim?: number]>('GLU', DIM, 0, args).dim ?? -1;
  }
  override forward(input: Tensor): Tensor {
    return glu(input, this.dim);
  }
  override extraRepr(): string {
    return `dim=${repr(this.dim)}`;
  }
}
