/** Modules that only change shapes, or nothing: Identity, Flatten, Unflatten. */
import { fail, ShapeError } from '../../errors.js';
import { reshape } from '../../ops/view.js';
import { inferSize, wrapDim } from '../../shape/dims.js';
import { elementCount } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Module } from '../module.js';
import { repr } from '../python-repr.js';

/** Returns its input; any arguments are accepted and ignored (torch.nn.Identity). */
export class Identity extends Module {
  constructor(..._ignored: unknown[]) {
    super();
  }
  override forward(input: Tensor): Tensor {
    return input;
  }
}

/** Dimensions startDim..endDim as one (torch.nn.Flatten); all but the batch by default. */
export class Flatten extends Module {
  constructor(
    readonly startDim = 1,
    readonly endDim = -1,
  ) {
    super();
  }
  override forward(input: Tensor): Tensor {
    const { shape } = input;
    const start = wrapDim('Flatten', this.startDim, shape.length);
    const end = wrapDim('Flatten', this.endDim, shape.length);
    if (start > end) fail(ShapeError, 'Flatten', 'a startDim before endDim', `${this.startDim} and ${this.endDim}`, { input });
    return reshape(input, [...shape.slice(0, start), elementCount(shape.slice(start, end + 1)), ...shape.slice(end + 1)]);
  }
  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Dimension `dim` as several of the given sizes, of which one may be -1 (torch.nn.Unflatten). */
export class Unflatten extends Module {
  readonly unflattenedSize: readonly number[];
  constructor(
    readonly dim: number,
    unflattenedSize: readonly number[],
  ) {
    super();
    this.unflattenedSize = [...unflattenedSize];
  }
  override forward(input: Tensor): Tensor {
    const { shape } = input;
    const dim = wrapDim('Unflatten', this.dim, shape.length);
    return reshape(input, [...shape.slice(0, dim), ...inferSize('Unflatten', this.unflattenedSize, shape[dim]), ...shape.slice(dim + 1)]);
  }
  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${repr(this.unflattenedSize)}`;
  }
}
