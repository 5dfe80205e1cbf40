/**
 * The operators that the engine itself needs. lib/ops sets them when it loads: operators import the graph, so the graph
 * cannot import them.
 */
import type { Shape } from '../shape/layout.js';
import type { DTypeInfo } from '../storage/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

export interface GradientOperators {
  /** a + b, recorded. */
  add(a: Tensor, b: Tensor): Tensor;
  /** a += b in a's memory, unrecorded. */
  addInto(a: Tensor, b: Tensor): void;
  /** The sum over the dimensions that broadcasting from `shape` has repeated, recorded. */
  sumToShape(gradient: Tensor, shape: Shape): Tensor;
  /** Another element type, recorded. */
  cast(gradient: Tensor, info: DTypeInfo): Tensor;
  /** Tensors of one shape along a new first dimension, recorded. */
  stack(tensors: readonly Tensor[]): Tensor;
  /** A copy in the layout of the leaf that it belongs to, unrecorded. */
  copyFor(leaf: Tensor, gradient: Tensor): Tensor;
}

export const gradientOperators = {} as GradientOperators;
