/** The copying forms of views (permuteCopy and its like), and small compositions beside them: blockDiag, sumToSize, indexReduce. */
import { ArgumentError, describe, DTypeError, fail, IndexError, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { type Shape, sameShape } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { Tensor } from '../../tensor/tensor.js';
import { asStrided } from '../core/as-strided.js';
import { copyPart, fillWith } from '../../tensor/copy.js';
import { atLeast, catOp, tensorList } from './cat.js';
import { defineFunction, type Method } from '../../dispatch/define-function.js';
import { checkedIndex } from '../indexing/index-rows.js';
import { defineInplace } from '../core/inplace.js';
import { nonzeroMatrix } from '../indexing/masked.js';
import { pad } from '../movement/pad.js';
import { permute, t, transpose } from './permute.js';
import { tensorArgument } from '../core/promotion.js';
import { scatterReduce } from '../indexing/scatter-reduce.js';
import { attachSizesMethod, type SizesMethod } from '../../dispatch/sizes-method.js';
import { diagonal, narrow } from './slice.js';
import { chunk, split, splitWithSizes, unbind } from './split.js';
import { squeeze, unsqueeze } from '../core/view.js';

const IN_ROWS = { memoryFormat: 'contiguous_format' } as const;
const copied = (out: Tensor | readonly Tensor[]): Tensor | Tensor[] => (out instanceof Tensor ? out.clone(IN_ROWS) : out.map((part) => part.clone(IN_ROWS)));

/** The view's function, with a copy of what it shows. */
function copying<F extends (...args: never) => Tensor | Tensor[]>(fn: F): F {
  const view = fn as unknown as (...args: unknown[]) => Tensor | Tensor[];
  return ((...args: unknown[]) => copied(view(...args))) as unknown as F;
}

/** A view that PyTorch has as a method alone, as a function to copy. */
function copyable<const P extends readonly string[], A extends readonly unknown[]>(name: string, parameters: P, view: (...args: A) => Tensor) {
  return defineFunction<readonly ['input', ...P], A, Tensor>({ name, parameters: ['input', ...parameters], required: parameters.length + 1, method: false, hidden: true }, view);
}

/** asStrided, copied. */
export const asStridedCopy = copying(asStrided);
/** diagonal, copied. */
export const diagonalCopy = copying(diagonal);
/** expand, copied. */
export const expandCopy = copying(copyable('expandCopy', ['size'], (input: Tensor, size: Shape): Tensor => input.expand(size)));
/** narrow, copied. */
export const narrowCopy = copying(narrow);
/** permute, copied. */
export const permuteCopy = copying(permute);
/** splitWithSizes, copied. */
export const splitWithSizesCopy = copying(splitWithSizes);
/** squeeze, copied. */
export const squeezeCopy = copying(squeeze);
/** t, copied. */
export const tCopy = copying(t);
/** transpose, copied. */
export const transposeCopy = copying(transpose);
/** unbind, copied. */
export const unbindCopy = copying(unbind);
/** Tensor.unfold, copied. */
export const unfoldCopy = copying(
  copyable('unfoldCopy', ['dimension', 'size', 'step'], (input: Tensor, dimension: number, size: number, step: number): Tensor => input.unfold(dimension, size, step)),
);
/** unsqueeze, copied. */
export const unsqueezeCopy = copying(unsqueeze);
/** Tensor.view, copied. */
export const viewCopy = copying(copyable('viewCopy', ['size'], (input: Tensor, size: Shape): Tensor => input.view(size)));
const alias = defineFunction({ name: 'aliasCopy', parameters: ['input'], method: false, hidden: true }, (input: Tensor): Tensor => input);
/** The tensor, copied. */
export const aliasCopy = copying(alias);
/** chunk, copied: its parts may be changed in place. */
export const unsafeChunk = copying(chunk);
/** split, copied: its parts may be changed in place. */
export const unsafeSplit = copying(split);

/** Matrices (vectors as rows, scalars as 1 x 1) along a diagonal of blocks, with zeros elsewhere. torch.block_diag */
export function blockDiag(...tensors: Tensor[]): Tensor {
  const blocks = tensorList('blockDiag', tensors).map((x) => {
    if (x.shape.length > 2) fail(ShapeError, 'blockDiag', 'tensors of at most two dimensions', `[${x.shape}]`);
    return atLeast(x, 2);
  });
  const width = blocks.reduce((sum, x) => sum + x.shape[1], 0);
  let before = 0;
  const rows = blocks.map((x) => {
    const row = pad(x, [before, width - before - x.shape[1]]);
    before += x.shape[1];
    return row;
  });
  return catOp(rows, 0);
}

attachSizesMethod('sumToSize', 'size', (x, size) => {
  const lead = x.shape.length - size.length;
  if (lead < 0 || size.some((n, d) => n !== x.shape[d + lead] && n !== 1)) fail(ShapeError, 'sumToSize', `a size that expands to [${x.shape}]`, `[${size}]`, { input: x });
  const dims = x.shape.map((_, d) => d).filter((d) => d < lead || (size[d - lead] === 1 && x.shape[d] !== 1));
  return dims.length === 0 ? x : x.sum(dims, true).reshape([...size]);
});

function identity(name: string) {
  return defineFunction({ name, parameters: ['input'] }, (input: Tensor): Tensor => tensorArgument(name, 'input', input));
}
/** The tensor itself: every tensor is real. torch.real */
export const real = identity('real');
/** The tensor itself: every tensor is real. torch.conj */
export const conj = identity('conj');
/** The tensor itself: every tensor is real. torch.conj_physical */
export const conjPhysical = identity('conjPhysical');
/** The tensor itself: conjugation is never lazy. torch.resolve_conj */
export const resolveConj = identity('resolveConj');
/** The tensor itself: negation is never lazy. torch.resolve_neg */
export const resolveNeg = identity('resolveNeg');
/** The tensor itself; a DTypeError for bool. torch.positive */
export const positive = defineFunction({ name: 'positive', parameters: ['input'] }, (input: Tensor): Tensor => {
  const x = tensorArgument('positive', 'input', input);
  if (x.info.name === 'bool') fail(DTypeError, 'positive', 'a tensor of numbers', x.dtype);
  return x;
});

/** The first `size` coordinates of elements that are not zero, [size, dimensions]; rows that are missing hold fillValue. torch.nonzero_static */
export const nonzeroStatic = defineFunction(
  { name: 'nonzeroStatic', parameters: ['input', 'size', 'fillValue'], kinds: { fillValue: 'whole' }, keywords: 2 },
  (input: Tensor, size?: number, fillValue: number = -1): Tensor => {
    const x = tensorArgument('nonzeroStatic', 'input', input);
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0) fail(ArgumentError, 'nonzeroStatic', 'a size of at least 0', describe(size));
    const found = nonzeroMatrix(x);
    const count = Math.min(size, found.shape[0]);
    const out = allocate([size, x.shape.length], INT64);
    fillWith(out, fillValue);
    copyPart([count, x.shape.length], { tensor: out, start: 0, strides: out.strides }, { tensor: found, start: 0, strides: found.strides });
    return out;
  },
);

/** Slices of source combined with those of input at the indices of dimension `dim`, by 'prod', 'mean', 'amax' or 'amin'. torch.index_reduce */
export const indexReduce = defineFunction(
  { name: 'indexReduce', parameters: ['input', 'dim', 'index', 'source', 'reduce', 'includeSelf'], keywords: 1, required: 5, composed: true },
  (input: Tensor, dim: number, index: Tensor, source: Tensor, reduce: 'prod' | 'mean' | 'amax' | 'amin', includeSelf: boolean = true): Tensor => {
    const x = tensorArgument('indexReduce', 'input', input);
    const d = wrapDim('indexReduce', dim, x.shape.length);
    if (index.shape.length > 1) fail(IndexError, 'indexReduce', 'a vector of indices', `[${index.shape}]`);
    const list = checkedIndex('indexReduce', index, x.shape[d] ?? 1).reshape([-1]);
    if ((reduce as string) === 'sum') fail(ArgumentError, 'indexReduce', "reduce 'prod', 'mean', 'amax' or 'amin' (indexAdd adds)", describe(reduce));
    const count = list.shape[0];
    if (x.shape.length === 0 && count !== 1) fail(ShapeError, 'indexReduce', 'one index into a scalar', String(count), { input: x });
    const expected = x.shape.map((n, k) => (k === d ? count : n));
    if (!sameShape(source.shape, expected)) fail(ShapeError, 'indexReduce', `a source of shape [${expected}]`, `[${source.shape}]`, { input: x });
    const one = source.shape.map((_, k) => (k === d ? -1 : 1));
    return scatterReduce(x, d, source.shape.length === 0 ? list.reshape([]) : list.reshape(one).expand(source.shape), source, reduce, { includeSelf });
  },
);
defineInplace('indexReduce_', indexReduce);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    sumToSize: SizesMethod;
    real: Method<typeof real>;
    conj: Method<typeof conj>;
    conjPhysical: Method<typeof conjPhysical>;
    resolveConj: Method<typeof resolveConj>;
    resolveNeg: Method<typeof resolveNeg>;
    positive: Method<typeof positive>;
    nonzeroStatic: Method<typeof nonzeroStatic>;
    indexReduce: Method<typeof indexReduce>;
    indexReduce_: Method<typeof indexReduce>;
  }
}
