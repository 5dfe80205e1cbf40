/**
 * Tables by index: embedding (rows of a weight) and oneHot. The gradient of a row adds up in the order of the indices.
 */
import { isGradEnabled, noGrad } from '../../autograd/grad-mode.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { elementCount } from '../../shape/layout.js';
import { FLOAT64, INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { mul } from '../elementwise/arithmetic.js';
import { scatterInto } from '../indexing/gather.js';
import { checkedIndex, type Rows, sumRowsOp, takeRowsOp } from '../indexing/index-rows.js';

interface EmbeddingAttributes {
  readonly paddingIdx: number;
  readonly scaleGradByFreq: boolean;
}
interface EmbeddingSpec extends EmbeddingAttributes {
  readonly rows: Rows;
}

/** 1 / how often each index occurs, in the shape of the index with a last dimension of size 1. */
function inverseFrequencies(index: Tensor, like: Tensor): Tensor {
  const list = index.array;
  const count = elementCount(index.shape);
  const seen = new Map<bigint | number, number>();
  for (let k = 0; k < count; k++) seen.set(list[k], (seen.get(list[k]) ?? 0) + 1);
  const out = allocate([...index.shape, 1], FLOAT64);
  for (let k = 0; k < count; k++) out.array[k] = 1 / (seen.get(list[k]) as number);
  return castTo(out, like.info);
}

/**
 * y = rows of the weight at the index; dweight = g's rows added up, those of paddingIdx left out, divided by how often
 * each occurs where asked.
 */
const embeddingOp: Operator<EmbeddingAttributes, Tensor> = defineOp<EmbeddingAttributes, EmbeddingSpec>({
  name: 'embedding',
  nativeHalf: true,
  infer: ([weight, index], attributes) => ({
    ...attributes,
    rows: {
      shape: weight.shape,
      outer: 1,
      n: weight.shape[0],
      inner: weight.shape[1],
      rowsShape: Object.freeze([...index.shape, weight.shape[1]]),
      skip: -1,
    },
  }),
  forward: ({ rows }, [weight, index]) => takeRowsOp.definition.forward(rows, [weight, index]),
  save: (context, [, index]) => context.save(index),
  backward: (context, g) => {
    const index = context.saved(0);
    const { rows, paddingIdx, scaleGradByFreq } = context.spec;
    const scaled = scaleGradByFreq ? mul.op([g, inverseFrequencies(index, g)]) : g;
    return [sumRowsOp([scaled, index], { ...rows, skip: paddingIdx }), null];
  },
});

/** Scales down, in place, the rows at the indices whose norm exceeds maxNorm. */
function renormalise(weight: Tensor, index: Tensor, maxNorm: number, normType: number): void {
  const rows = new Set<number>();
  for (let k = 0; k < elementCount(index.shape); k++) rows.add(Number(index.array[k]));
  noGrad(() => {
    for (const row of rows) {
      const view = weight.select(0, row);
      let norm = 0;
      for (const value of view.toTypedArray()) {
        const size = Math.abs(Number(value));
        norm = normType === Number.POSITIVE_INFINITY ? Math.max(norm, size) : norm + size ** normType;
      }
      if (normType !== Number.POSITIVE_INFINITY) norm **= 1 / normType;
      if (norm > maxNorm) view.mul_(maxNorm / (norm + 1e-7));
    }
  });
}

/** The row of `paddingIdx`, a negative one counted from the end; null where there is none. */
export function paddingRow(op: string, paddingIdx: number | null | undefined, n: number): number | null {
  if (paddingIdx === undefined || paddingIdx === null) return null;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -n || paddingIdx >= n)
    fail(ArgumentError, op, `paddingIdx in [${-n}, ${n - 1}]`, describe(paddingIdx));
  return paddingIdx < 0 ? paddingIdx + n : paddingIdx;
}

/**
 * Rows of the weight at the indices: out[..., :] = weight[input[...], :]. input: integers of any shape; weight: [V, D].
 * The row of
 * `paddingIdx` gets no gradient; rows longer than `maxNorm` (in the norm of order normType, 2) are scaled down in place
 * first;
 * `scaleGradByFreq` divides a row's gradient by how often it occurs. torch.nn.functional.embedding
 */
export const embedding = defineFunction(
  {
    name: 'nn.functional.embedding',
    parameters: ['input', 'weight', 'paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'],
    required: 2,
    kinds: { maxNorm: 'number?', normType: 'number' },
  },
  (
    input: Tensor,
    weight: Tensor,
    paddingIdx?: number | null,
    maxNorm?: number | null,
    normType: number = 2,
    scaleGradByFreq: boolean = false,
    sparse: boolean = false,
  ): Tensor => {
    const w = tensorArgument('embedding', 'weight', weight);
    if (w.shape.length !== 2) fail(ShapeError, 'embedding', 'a weight of two dimensions', `[${w.shape}]`);
    if (sparse) fail(ArgumentError, 'embedding', 'sparse: false (there are no sparse gradients)', 'sparse: true');
    const n = w.shape[0];
    const padding = paddingRow('embedding', paddingIdx, n) ?? -1;
    const index = checkedIndex('embedding', input, n);
    if (maxNorm !== undefined && maxNorm !== null)
      renormalise(isGradEnabled() ? w.detach() : w, index, maxNorm, normType);
    return embeddingOp([w, index], { paddingIdx: padding, scaleGradByFreq });
  },
);

/**
 * int64 zeros with a 1 at each value, in a last dimension of numClasses (-1: one more than the largest value).
 * torch.nn.functional.one_hot
 */
export const oneHot = defineFunction(
  { name: 'nn.functional.oneHot', parameters: ['tensor', 'numClasses'] },
  (tensor: Tensor, numClasses: number = -1): Tensor => {
    const x = tensorArgument('oneHot', 'tensor', tensor);
    if (x.info !== INT64) fail(ArgumentError, 'oneHot', 'an int64 tensor', x.dtype);
    let classes = numClasses;
    if (classes === -1) {
      if (elementCount(x.shape) === 0)
        fail(ShapeError, 'oneHot', 'values to take the number of classes from, or numClasses', 'none', { tensor: x });
      classes = 0;
      for (const value of x.toTypedArray()) classes = Math.max(classes, Number(value) + 1);
    }
    if (!Number.isInteger(classes) || classes < 0 || (classes === 0 && elementCount(x.shape) === 0))
      fail(ArgumentError, 'oneHot', 'numClasses of at least 1, or -1', describe(numClasses));
    const index = checkedIndex('oneHot', x.unsqueeze(-1), classes);
    const out = filledTensor([...x.shape, classes], INT64, 0);
    scatterInto(kernels.scatter, out, filledTensor(index.shape, INT64, 1), index, x.shape.length);
    return out;
  },
);
