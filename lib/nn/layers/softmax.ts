/** Modules of the softmax family. */
import { describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { functionalLogSoftmax, functionalSoftmax, functionalSoftmin } from '../../ops/reductions/softmax.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { repr } from '../python-repr.js';

const DIM = ['dim'] as const;
type Arguments = [dim?: number | null];

abstract class AlongDim extends Module {
  readonly dim: number | null;
  /**
   * @param args dim: the dimension that is normalised; without one PyTorch's legacy rule (0 for 0, 1 and 3 dimensions,
   * else 1).
   */
  constructor(...args: ConstructorArguments<typeof DIM, Arguments>) {
    super();
    this.dim = constructorArguments<typeof DIM, Arguments>(this.constructor.name, DIM, 0, args).dim ?? null;
  }
  abstract override forward(input: Tensor): Tensor;
  override extraRepr(): string {
    return `dim=${repr(this.dim)}`;
  }
}

/** e^x over its sum along a dimension (torch.nn.Softmax). */
export class Softmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    return functionalSoftmax(input, this.dim ?? undefined);
  }
}
/** The logarithm of softmax (torch.nn.LogSoftmax). */
export class LogSoftmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    return functionalLogSoftmax(input, this.dim ?? undefined);
  }
}
/** softmax(-x) (torch.nn.Softmin). */
export class Softmin extends AlongDim {
  override forward(input: Tensor): Tensor {
    return functionalSoftmin(input, this.dim ?? undefined);
  }
}
/** Softmax over the channels of [N, C, H, W] or [C, H, W] (torch.nn.Softmax2d). */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    const { length } = tensorArgument('Softmax2d', 'input', input).shape;
    if (length !== 3 && length !== 4) fail(ShapeError, 'Softmax2d', 'an input of 3 or 4 dimensions', describe(input));
    return functionalSoftmax(input, -3);
  }
}
