/** The same values in other places: how an input lies in memory must not matter. */
import { noGrad, type Tensor, zeros } from '../../lib/index.js';
import { elementCount } from '../../lib/shape/layout.js';
import { copyInto } from '../../lib/tensor/copy.js';
import { windowOn } from '../../lib/tensor/tensor.js';

/**
 * Strides of a shape whose dimensions lie in memory in the given order, the last one `step` elements apart; a size of 0
 * counts as 1, as in PyTorch.
 */
function stridesOf(shape: readonly number[], order: readonly number[], step: number): number[] {
  const strides = new Array<number>(shape.length).fill(0);
  for (const d of [...order].reverse()) {
    strides[d] = step;
    step *= Math.max(1, shape[d]);
  }
  return strides;
}

function placed(x: Tensor, order: readonly number[], step: number): Tensor {
  const strides = stridesOf(x.shape, order, step);
  // Memory for a tensor without elements too: what reads or writes it has somewhere to do so.
  const memory = zeros([step * Math.max(1, elementCount(x.shape.map((n) => Math.max(1, n))))], { dtype: x.dtype });
  const out = windowOn(memory, [...x.shape], strides, 0);
  noGrad(() => copyInto(out, x));
  return out.requiresGrad_(x.requiresGrad);
}

const dims = (x: Tensor): number[] => x.shape.map((_, d) => d);

/** Ways for a tensor to lie: each gives a leaf of the same values. */
export const LAYOUTS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  contiguous: (x) => placed(x, dims(x), 1),
  reversed: (x) => placed(x, dims(x).reverse(), 1),
  'first dimension last': (x) => placed(x, [...dims(x).slice(1), ...dims(x).slice(0, 1)], 1),
  'channels last': (x) => placed(x, [...dims(x).slice(0, 1), ...dims(x).slice(2), ...dims(x).slice(1, 2)], 1),
  'two apart': (x) => placed(x, dims(x), 2),
};
