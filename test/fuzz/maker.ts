/** Well-formed tensors, parameters and optimizers for the fuzzer's starting points. */
import { nn, optim, type Tensor, tensor } from '../../lib/index.js';
import type { Choices } from './random.js';

export class Maker {
  constructor(readonly c: Choices) {}

  /** Floating values of the shape. */
  readonly t = (...shape: number[]): Tensor => this.filled(shape, (c) => c.unit() * 2 - 1);
  /** Whole numbers in 0..n-1. */
  readonly i = (n: number, ...shape: number[]): Tensor => this.filled(shape, (c) => c.below(n), 'int64');
  readonly b = (...shape: number[]): Tensor => this.filled(shape, (c) => c.below(2), 'bool');

  private filled(
    shape: number[],
    value: (c: Choices) => number,
    dtype: 'float32' | 'int64' | 'bool' = 'float32',
  ): Tensor {
    const count = shape.reduce((a, n) => a * n, 1);
    return tensor(
      Float64Array.from({ length: count }, () => value(this.c)),
      { shape, dtype },
    );
  }
  /** A parameter with a gradient. */
  parameter(...shape: number[]): nn.Parameter {
    const parameter = new nn.Parameter(this.t(...shape));
    parameter.grad = this.t(...shape);
    return parameter;
  }
  optimizer(): optim.Optimizer {
    return new optim.SGD([this.parameter(2, 2)], { lr: 0.1, momentum: 0.9 });
  }
}
