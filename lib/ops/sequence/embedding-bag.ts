/** Sums, means and maxima of rows of a table, bag by bag: embeddingBag, composed of embedding and of adding rows up. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { elementCount } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { indexAdd, indexSelect } from '../indexing/index-select.js';
import { scatterReduce } from '../indexing/scatter-reduce.js';
import { embedding, paddingRow } from './embedding.js';

function vector(values: readonly number[]): Tensor {
  const out = allocate([values.length], INT64);
  values.forEach((value, i) => {
    out.array[i] = BigInt(value);
  });
  return out;
}

/** The first place of each bag in the flattened input, and where the last one ends. */
function bagBounds(input: Tensor, offsets: Tensor | null | undefined, includeLastOffset: boolean): number[] {
  const count = elementCount(input.shape);
  if (input.shape.length === 2) {
    if (offsets !== undefined && offsets !== null)
      fail(ArgumentError, 'embeddingBag', 'no offsets for an input of two dimensions', describe(offsets));
    return Array.from({ length: input.shape[0] + 1 }, (_, b) => b * input.shape[1]);
  }
  if (input.shape.length !== 1)
    fail(ShapeError, 'embeddingBag', 'an input of one or two dimensions', `[${input.shape}]`);
  if (offsets === undefined || offsets === null)
    fail(ArgumentError, 'embeddingBag', 'offsets for an input of one dimension', 'none');
  if (offsets.shape.length !== 1 || offsets.info.category !== 1)
    fail(ShapeError, 'embeddingBag', 'a vector of integers as offsets', describe(offsets));
  const bounds = offsets.tolist() as number[];
  if (!includeLastOffset) bounds.push(count);
  if (bounds.length === 0 || bounds[0] !== 0 || bounds.some((b, i) => b > count || (i > 0 && b < bounds[i - 1])))
    fail(ArgumentError, 'embeddingBag', `offsets that rise from 0 to at most ${count}`, `[${bounds}]`);
  return bounds;
}

/**
 * The sum, mean or max of the rows of each bag, [bags, D]. input: indices, [B, N] (a bag a row) or [N] with `offsets`
 * (where each bag begins). `perSampleWeights` scale the rows of a sum; rows of `paddingIdx` do not count.
 * torch.nn.functional.embedding_bag
 */
export const embeddingBag = defineFunction(
  {
    name: 'nn.functional.embeddingBag',
    parameters: [
      'input',
      'weight',
      'offsets',
      'maxNorm',
      'normType',
      'scaleGradByFreq',
      'mode',
      'sparse',
      'perSampleWeights',
      'includeLastOffset',
      'paddingIdx',
    ],
    required: 2,
    composed: true,
    kinds: { maxNorm: 'number?', normType: 'number' },
  },
  (
    input: Tensor,
    weight: Tensor,
    offsets?: Tensor | null,
    maxNorm?: number | null,
    normType?: number,
    scaleGradByFreq?: boolean,
    mode: 'sum' | 'mean' | 'max' = 'mean',
    sparse?: boolean,
    perSampleWeights?: Tensor | null,
    includeLastOffset: boolean = false,
    paddingIdx?: number | null,
  ): Tensor => {
    const given = tensorArgument('embeddingBag', 'input', input);
    if (mode !== 'sum' && mode !== 'mean' && mode !== 'max')
      fail(ArgumentError, 'embeddingBag', "mode 'sum', 'mean' or 'max'", describe(mode));
    const scales = perSampleWeights ?? null;
    if (scales !== null && mode !== 'sum')
      fail(ArgumentError, 'embeddingBag', "mode 'sum' beside perSampleWeights", describe(mode));
    if (scales !== null && elementCount(scales.shape) !== elementCount(given.shape))
      fail(ShapeError, 'embeddingBag', `perSampleWeights of shape [${given.shape}]`, `[${scales.shape}]`);
    const bounds = bagBounds(given, offsets, includeLastOffset);
    const n = weight.shape[0];
    const padding = paddingRow('embeddingBag', paddingIdx, n);
    const indices = given.reshape([-1]);
    const values = indices.toTypedArray();
    const kept: number[] = [];
    const bags: number[] = [];
    const sizes = new Array<number>(bounds.length - 1).fill(0);
    for (let b = 0; b + 1 < bounds.length; b++) {
      for (let k = bounds[b]; k < bounds[b + 1]; k++) {
        if (padding !== null && Number(values[k]) === padding) continue;
        kept.push(k);
        bags.push(b);
        sizes[b]++;
      }
    }
    const places = vector(kept);
    const bag = vector(bags);
    let rows = embedding(indexSelect(indices, 0, places), weight, null, maxNorm, normType, scaleGradByFreq, sparse);
    if (scales !== null) rows = rows.mul(indexSelect(scales.reshape([-1]), 0, places).unsqueeze(1));
    const zeros = filledTensor([sizes.length, weight.shape[1]], weight.info, 0);
    if (mode === 'max')
      return scatterReduce(zeros, 0, bag.unsqueeze(1).expand(rows.shape), rows, 'amax', { includeSelf: false });
    const sums = indexAdd(zeros, 0, bag, rows);
    return mode === 'sum'
      ? sums
      : sums.div(castTo(vector(sizes.map((size) => Math.max(size, 1))), weight.info).unsqueeze(1));
  },
);
