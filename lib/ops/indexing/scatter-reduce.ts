/** Scatters that combine what meets at one place: scatterReduce with sum, prod, mean, amax and amin. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { wrapDim } from '../../shape/dims.js';
import { sameShape } from '../../shape/layout.js';
import type { DTypeInfo } from '../../storage/dtype.js';
import { castTo, filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { defineInplace } from '../core/inplace.js';
import { tensorArgument } from '../core/promotion.js';
import { viewOp } from '../core/view.js';
import { gather, gatherOp, scatter, scatterAdd, scatterArguments, scatterInto } from './gather.js';
import { checkedIndex } from './index-rows.js';

export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';
const REDUCTIONS: readonly ScatterReduction[] = ['sum', 'prod', 'mean', 'amax', 'amin'];

interface Attributes {
  readonly dim: number;
  readonly reduce: 'prod' | 'amax' | 'amin';
  readonly includeSelf: boolean;
}
/** What a place starts from where the tensor's own value is left out. */
function neutral(reduce: Attributes['reduce'], info: DTypeInfo): number {
  if (reduce === 'prod') return 1;
  const low = reduce === 'amax';
  if (info.floating) return low ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (info.name === 'uint8') return low ? 0 : 255;
  const bits = 8 * info.bytes - 1;
  // For int64 the nearest double inside the type.
  const top = bits === 63 ? 2 ** 63 - 1024 : 2 ** bits - 1;
  return low ? (bits === 63 ? -(2 ** 63) : -top - 1) : top;
}

const TABLES = { prod: kernels.scatterProd, amax: kernels.scatterAmax, amin: kernels.scatterAmin };

/**
 * y = the product, largest or smallest of x and of source at the index.
 * prod: dsource = g times the product of the others; amax, amin: g shared among those equal to the result.
 */
const reduceOp: Operator<Attributes, Tensor> = defineOp<Attributes, Attributes>({
  name: 'scatterReduce',
  infer: (_, attributes) => attributes,
  forward: ({ dim, reduce, includeSelf }, [x, source, index]) => {
    const out = castTo(x, x.info);
    if (!includeSelf)
      scatterInto(kernels.scatter, out, filledTensor(index.shape, x.info, neutral(reduce, x.info)), index, dim);
    scatterInto(TABLES[reduce], out, source, index, dim);
    return out;
  },
  save: (context, [x, source, index], [y]) => context.save(x, source, index, y),
  backward: (context, g): Gradients => {
    const { dim, reduce, includeSelf } = context.spec;
    const [x, source, index, y] = [0, 1, 2, 3].map((i) => context.saved(i));
    const shares =
      reduce === 'prod'
        ? productShares(context.spec, x, source, index, y, g)
        : extremeShares(dim, x, source, index, y, g, includeSelf);
    const own = includeSelf ? shares[0] : scatter(shares[0], dim, index, 0);
    return [own, shares[1], null];
  },
});

/** g times the product of all other factors; written so that a single zero among the factors is no division by zero. */
function productShares(
  { dim, reduce, includeSelf }: Attributes,
  x: Tensor,
  source: Tensor,
  index: Tensor,
  y: Tensor,
  g: Tensor,
): [Tensor, Tensor] {
  const again = (a: Tensor, s: Tensor): Tensor => reduceOp([a, s, index], { dim, reduce, includeSelf });
  const nonzero = x.maskedFill(x.eq(0), 1);
  const own = g.mul(again(nonzero, source)).div(nonzero);
  const zero = source.eq(0);
  const zeros = gather(
    scatterAdd(filledTensor(x.shape, x.info, 0), dim, index, castRecorded(zero, x.info)),
    dim,
    index,
  );
  const single = zero.logicalAnd(zeros.eq(1));
  const others = again(x, source.maskedFill(single, 1));
  const bySource = gather(g.mul(y), dim, index).div(source.maskedFill(zero, 1));
  return [own, gather(g.mul(others), dim, index).where(single, bySource)];
}

/** g divided among all that are equal to the result. */
function extremeShares(
  dim: number,
  x: Tensor,
  source: Tensor,
  index: Tensor,
  y: Tensor,
  g: Tensor,
  includeSelf: boolean,
): [Tensor, Tensor] {
  const sourceWins = castRecorded(source.eq(gatherOp([y, index], dim)), x.info);
  let selfWins = castRecorded(x.eq(y), x.info);
  if (!includeSelf) selfWins = scatter(selfWins, dim, index, 0);
  const share = g.div(scatterAdd(selfWins, dim, index, sourceWins).clampMin(1));
  return [selfWins.mul(share), sourceWins.mul(gather(share, dim, index))];
}

/**
 * input combined with src at the index of dimension `dim` by 'sum', 'prod', 'mean', 'amax' or 'amin'; without
 * `includeSelf` the tensor's own values count only where nothing meets them. torch.scatter_reduce
 */
export const scatterReduce = defineFunction(
  {
    name: 'scatterReduce',
    parameters: ['input', 'dim', 'index', 'src', 'reduce', 'includeSelf'],
    keywords: 1,
    required: 5,
    composed: true,
  },
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    src: Tensor,
    reduce: ScatterReduction,
    includeSelf: boolean = true,
  ): Tensor => {
    if (!REDUCTIONS.includes(reduce))
      fail(ArgumentError, 'scatterReduce', "reduce 'sum', 'prod', 'mean', 'amax' or 'amin'", describe(reduce));
    const a = scatterArguments('scatterReduce', input, dim, index, src);
    const scalar = input.shape.length === 0;
    let out: Tensor;
    if (reduce === 'sum' || reduce === 'mean') {
      const start = includeSelf ? a.x : scatter(a.x, a.dim, a.index, 0);
      out = scatterAdd(start, a.dim, a.index, a.source);
      if (reduce === 'mean') {
        const own = filledTensor(a.x.shape, a.x.info, 1);
        const counts = scatterAdd(
          includeSelf ? own : scatter(own, a.dim, a.index, 0),
          a.dim,
          a.index,
          filledTensor(a.index.shape, a.x.info, 1),
        ).clampMin(1);
        out = out.div(counts, { roundingMode: a.x.info.floating ? null : 'floor' });
      }
    } else out = reduceOp([a.x, a.source, a.index], { dim: a.dim, reduce, includeSelf });
    return scalar ? viewOp([out], []) : out;
  },
);
defineInplace('scatterReduce_', scatterReduce);

/**
 * Slices of source combined with those of input at the indices of dimension `dim`, by 'prod', 'mean', 'amax' or 'amin'.
 * torch.index_reduce
 */
export const indexReduce = defineFunction(
  {
    name: 'indexReduce',
    parameters: ['input', 'dim', 'index', 'source', 'reduce', 'includeSelf'],
    keywords: 1,
    required: 5,
    composed: true,
  },
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    source: Tensor,
    reduce: 'prod' | 'mean' | 'amax' | 'amin',
    includeSelf: boolean = true,
  ): Tensor => {
    const x = tensorArgument('indexReduce', 'input', input);
    const d = wrapDim('indexReduce', dim, x.shape.length);
    if (index.shape.length > 1) fail(IndexError, 'indexReduce', 'a vector of indices', `[${index.shape}]`);
    const list = checkedIndex('indexReduce', index, x.shape[d] ?? 1).reshape([-1]);
    if ((reduce as string) === 'sum')
      fail(ArgumentError, 'indexReduce', "reduce 'prod', 'mean', 'amax' or 'amin' (indexAdd adds)", describe(reduce));
    const count = list.shape[0];
    if (x.shape.length === 0 && count !== 1)
      fail(ShapeError, 'indexReduce', 'one index into a scalar', String(count), { input: x });
    const expected = x.shape.map((n, k) => (k === d ? count : n));
    if (!sameShape(source.shape, expected))
      fail(ShapeError, 'indexReduce', `a source of shape [${expected}]`, `[${source.shape}]`, { input: x });
    const one = source.shape.map((_, k) => (k === d ? -1 : 1));
    return scatterReduce(
      x,
      d,
      source.shape.length === 0 ? list.reshape([]) : list.reshape(one).expand(source.shape),
      source,
      reduce,
      { includeSelf },
    );
  },
);

defineInplace('indexReduce_', indexReduce);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    scatterReduce: Method<typeof scatterReduce>;
    scatterReduce_: Method<typeof scatterReduce>;
    indexReduce: Method<typeof indexReduce>;
    indexReduce_: Method<typeof indexReduce>;
  }
}
