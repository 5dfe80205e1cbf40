/** Modules that only change shapes, or nothing: Identity, Flatten, Unflatten. */
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { reshape } from '../../ops/core/view.js';
import { inferSize, wrapDim } from '../../shape/dims.js';
import { elementCount } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
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

const FLATTEN = ['startDim', 'endDim'] as const;
type FlattenArguments = [startDim?: number, endDim?: number];

/** Dimensions startDim..endDim as one (torch.nn.Flatten); all but the batch by default. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;
  constructor(...args: ConstructorArguments<typeof FLATTEN, FlattenArguments>) {
    super();
    const { startDim = 1, endDim = -1 } = constructorArguments<typeof FLATTEN, FlattenArguments>(
      'Flatten',
      FLATTEN,
      0,
      args,
    );
    this.startDim = startDim;
    this.endDim = endDim;
  }
  override forward(input: Tensor): Tensor {
    const { shape } = tensorArgument('Flatten', 'input', input);
    const start = wrapDim('Flatten', this.startDim, shape.length);
    const end = wrapDim('Flatten', this.endDim, shape.length);
    if (start > end)
      fail(ShapeError, 'Flatten', 'a startDim before endDim', `${this.startDim} and ${this.endDim}`, { input });
    return reshape(input, [
      ...shape.slice(0, start),
      elementCount(shape.slice(start, end + 1)),
      ...shape.slice(end + 1),
    ]);
  }
  override extraRepr(): string {
    return `start_dim=${repr(this.startDim)}, end_dim=${repr(this.endDim)}`;
  }
}

const UNFLATTEN = ['dim', 'unflattenedSize'] as const;
type UnflattenArguments = [dim: number, unflattenedSize: readonly number[]];

/** Dimension `dim` as several of the given sizes, of which one may be -1 (torch.nn.Unflatten). */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];
  constructor(...args: ConstructorArguments<typeof UNFLATTEN, UnflattenArguments>) {
    super();
    const { dim, unflattenedSize } = constructorArguments<typeof UNFLATTEN, UnflattenArguments>(
      'Unflatten',
      UNFLATTEN,
      2,
      args,
    );
    if (!Array.isArray(unflattenedSize))
      fail(ArgumentError, 'Unflatten', 'an array of sizes', describe(unflattenedSize));
    this.dim = dim;
    this.unflattenedSize = [...(unflattenedSize as readonly number[])];
  }
  override forward(input: Tensor): Tensor {
    const { shape } = tensorArgument('Unflatten', 'input', input);
    const dim = wrapDim('Unflatten', this.dim, shape.length);
    return reshape(input, [
      ...shape.slice(0, dim),
      ...inferSize('Unflatten', this.unflattenedSize, shape[dim]),
      ...shape.slice(dim + 1),
    ]);
  }
  override extraRepr(): string {
    return `dim=${repr(this.dim)}, unflattened_size=${repr(this.unflattenedSize)}`;
  }
}
