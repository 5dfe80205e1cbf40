/** Integer tensors of one element in the place of whole numbers, as Python's __index__ has it. */
import { elementCount } from '../shape/layout.js';
import { Tensor } from './tensor.js';

/**
 * Whether the value is a tensor that PyTorch takes for an int: of an integer type, with one element, outside of the
 * graph.
 */
function isInteger(value: unknown): value is Tensor {
  return value instanceof Tensor && value.info.category === 1 && elementCount(value.shape) === 1;
}

/** The number in a tensor that stands for one; any other value as it is, for its receiver to check. */
export function integerOf<T>(value: T): Exclude<T, Tensor> {
  return (isInteger(value) ? value.item() : value) as Exclude<T, Tensor>;
}

/** The list with the numbers in tensors that stand for numbers. */
export function integersOf(list: readonly unknown[]): readonly unknown[] {
  return list.some(isInteger) ? list.map(integerOf) : list;
}
