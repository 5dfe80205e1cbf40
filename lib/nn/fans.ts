/** The fans of a weight, by which first values are scaled. */
import { describe, fail, ShapeError } from '../errors.js';
import { elementCount } from '../shape/layout.js';
import type { Tensor } from '../tensor/tensor.js';

/** How many inputs an output is made of, and how many outputs an input reaches, by the shape of a weight. */
export function calculateFanInAndFanOut(op: string, tensor: Tensor): { fanIn: number; fanOut: number } {
  if (tensor.shape.length < 2) fail(ShapeError, op, 'a tensor of at least 2 dimensions', describe(tensor));
  const field = elementCount(tensor.shape.slice(2));
  return { fanIn: tensor.shape[1] * field, fanOut: tensor.shape[0] * field };
}
