/** Draws by given probabilities: bernoulli and multinomial. */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { type Generator, generatorOf } from '../../random/generator.js';
import { FLOAT32, FLOAT64, INT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateAs, allocateLike } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { bernoulliDraw, bernoulliOf } from './distributions.js';
import { drawInto } from './draw.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out[r, d]: indices drawn with replacement by weights[r, k] */
    multinomialReplace: KernelTable<
      [out: TypedArray, weights: TypedArray, state: Uint32Array, rows: number, k: number, draws: number]
    >;
    /** out[r, d]: the indices of the largest weights[r, k] / exponential[r, k] */
    multinomialDistinct: KernelTable<
      [out: TypedArray, weights: TypedArray, exponential: TypedArray, rows: number, k: number, draws: number]
    >;
  }
}

interface Bernoulli {
  /** The probability of every element; null: the input holds the probabilities. */
  readonly p: number | null;
  readonly generator: Generator;
}
/** y = a draw by x; dx = 0, as in PyTorch, which has what a draw depends on in the graph. */
const bernoulliOp = defineOp<Bernoulli, Bernoulli>({
  name: 'bernoulli',
  nativeHalf: true,
  infer: (_, attributes) => attributes,
  forward: ({ p, generator }, [x]) =>
    p === null
      ? bernoulliOf('bernoulli', contiguousOf(x), x, generator)
      : drawInto(allocateLike(x), bernoulliDraw('bernoulli', x.info, p, generator)),
  backward: () => [null],
});

/**
 * Ones with the probabilities that `input` holds, zeros else; with `p`, ones with that probability. Row-major whatever
 * the input. torch.bernoulli
 */
export const bernoulli = defineFunction(
  { name: 'bernoulli', parameters: ['input', 'p', 'generator'], keywords: 1 },
  (input: Tensor, p?: number, generator?: Generator | null): Tensor => {
    const x = tensorArgument('bernoulli', 'input', input);
    const rng = generatorOf('bernoulli', generator);
    return bernoulliOp([x], { p: p ?? null, generator: rng });
  },
);

/**
 * Indices drawn by the weights in the last dimension of `input` (one or two dimensions; they need not add up to 1), as
 * int64 of shape [..., numSamples]. Throws for weights that are negative, not finite or all zero, and for more
 * different indices than there are. torch.multinomial
 */
export const multinomial = defineFunction(
  { name: 'multinomial', parameters: ['input', 'numSamples', 'replacement', 'generator'], keywords: 1, required: 2 },
  (input: Tensor, numSamples: number, replacement: boolean = false, generator?: Generator | null): Tensor => {
    const x = tensorArgument('multinomial', 'input', input);
    const rng = generatorOf('multinomial', generator);
    if (!x.info.floating) fail(DTypeError, 'multinomial', 'weights of floating dtype', describe(x));
    if (x.shape.length !== 1 && x.shape.length !== 2)
      fail(ShapeError, 'multinomial', 'weights of one or two dimensions', describe(x));
    if (!Number.isInteger(numSamples) || numSamples <= 0)
      fail(ArgumentError, 'multinomial', 'at least one sample', describe(numSamples));
    const k = x.shape[x.shape.length - 1];
    const rows = x.shape.length === 1 ? 1 : x.shape[0];
    if (k === 0) fail(ShapeError, 'multinomial', 'at least one category', describe(x));
    if (!replacement && numSamples > k)
      fail(ArgumentError, 'multinomial', `at most ${k} samples without replacement`, String(numSamples));
    checkWeights(x, rows, k);
    const out = allocate([...x.shape.slice(0, -1), numSamples], INT64);
    if (replacement && numSamples > 1) {
      const weights = x.info.half ? castTo(x, FLOAT32) : contiguousOf(x);
      instanceOf('multinomial', kernels.multinomialReplace, weights.info)(
        out.array,
        weights.array,
        rng.words,
        rows,
        k,
        numSamples,
      );
    } else {
      const weights = contiguousOf(x);
      const exponential = allocateAs(x);
      instanceOf('multinomial', kernels.exponentialFill, weights.info)(exponential.array, rng.words, 1, rows * k);
      instanceOf('multinomial', kernels.multinomialDistinct, weights.info)(
        out.array,
        weights.array,
        contiguousOf(exponential).array,
        rows,
        k,
        numSamples,
      );
    }
    return out;
  },
);

function checkWeights(x: Tensor, rows: number, k: number): void {
  const values = castTo(x, FLOAT64).array as Float64Array;
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let j = 0; j < k; j++) {
      const weight = values[r * k + j];
      if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY))
        fail(ArgumentError, 'multinomial', 'weights that are finite and at least 0', String(weight), { input: x });
      sum += weight;
    }
    if (sum <= 0) fail(ArgumentError, 'multinomial', 'a positive weight in each row', `none in row ${r}`, { input: x });
  }
}

declare module '../../tensor/tensor.js' {
  interface Tensor {
    bernoulli: Method<typeof bernoulli>;
    multinomial: Method<typeof multinomial>;
  }
}
