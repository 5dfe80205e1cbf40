/**
 * Sequences of different lengths packed step by step, the longest first: what recurrent layers walk without padding. It
 * knows nothing of layers; packing and unpacking are in utils/rnn.ts.
 */
import { ArgumentError, describe, fail } from '../errors.js';
import { INT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * Neighbouring steps at which as many sequences are still there: `steps` x `batch` rows of the data from row `start`
 * on.
 */
export interface Segment {
  readonly start: number;
  readonly steps: number;
  readonly batch: number;
}

/**
 * The rows of all steps, one step after the other, and how many rows each step has (torch.nn.utils.rnn.PackedSequence).
 */
export class PackedSequence {
  /**
   * @param data [sum of batchSizes, ...]
   * @param batchSizes int64, never rising; the number of sequences that reach each step
   * @param sortedIndices which sequence of the user's batch each row of a step is, or null where they came sorted
   * @param unsortedIndices the inverse order
   */
  constructor(
    readonly data: Tensor,
    readonly batchSizes: Tensor,
    readonly sortedIndices: Tensor | null = null,
    readonly unsortedIndices: Tensor | null = invertPermutation(sortedIndices),
  ) {
    if (!(data instanceof Tensor) || !(batchSizes instanceof Tensor))
      fail(
        ArgumentError,
        'PackedSequence',
        'tensors for data and batchSizes',
        `${describe(data)} and ${describe(batchSizes)}`,
      );
    for (const [name, order] of Object.entries({ sortedIndices, unsortedIndices }))
      if (order !== null && !(order instanceof Tensor))
        fail(ArgumentError, 'PackedSequence', `a tensor or null for ${name}`, describe(order));
    if (batchSizes.info !== INT64 || batchSizes.shape.length !== 1)
      fail(ArgumentError, 'PackedSequence', 'batchSizes as an int64 tensor of 1 dimension', describe(batchSizes));
  }
  /** The number of sequences. */
  get batch(): number {
    return this.sizes()[0];
  }
  /** batchSizes as numbers. */
  sizes(): number[] {
    return Array.from(this.batchSizes.toTypedArray(), Number);
  }
  /** The steps in runs of equal batch size. */
  segments(): Segment[] {
    const out: Segment[] = [];
    let start = 0;
    const sizes = this.sizes();
    for (let t = 0; t < sizes.length; ) {
      let end = t;
      while (end < sizes.length && sizes[end] === sizes[t]) end++;
      out.push({ start, steps: end - t, batch: sizes[t] });
      start += (end - t) * sizes[t];
      t = end;
    }
    return out;
  }
}

/** An int64 tensor of the given numbers. */
export function indexTensor(numbers: readonly number[]): Tensor {
  const out = allocate([numbers.length], INT64);
  numbers.forEach((n, i) => {
    out.array[i] = BigInt(n);
  });
  return out;
}

function invertPermutation(permutation: Tensor | null): Tensor | null {
  if (permutation === null) return null;
  if (!(permutation instanceof Tensor) || permutation.info !== INT64)
    fail(ArgumentError, 'PackedSequence', 'an int64 tensor or null for sortedIndices', describe(permutation));
  const order = Array.from(permutation.toTypedArray(), Number);
  const inverse = new Array<number>(order.length);
  order.forEach((to, from) => {
    inverse[to] = from;
  });
  return indexTensor(inverse);
}
