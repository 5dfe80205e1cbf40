/** The copying forms of views: permuteCopy and its like. */

import { defineFunction } from '../../dispatch/define-function.js';
import type { Shape } from '../../shape/layout.js';
import { Tensor } from '../../tensor/tensor.js';
import { asStrided } from '../core/as-strided.js';
import { squeeze, unsqueeze } from '../core/view.js';
import { permute, t, transpose } from './permute.js';
import { diagonal, narrow } from './slice.js';
import { chunk, split, splitWithSizes, unbind } from './split.js';

const IN_ROWS = { memoryFormat: 'contiguous_format' } as const;
const copied = (out: Tensor | readonly Tensor[]): Tensor | Tensor[] =>
  out instanceof Tensor ? out.clone(IN_ROWS) : out.map((part) => part.clone(IN_ROWS));

/** The view's function, with a copy of what it shows. */
function copying<F extends (...args: never) => Tensor | Tensor[]>(fn: F): F {
  const view = fn as unknown as (...args: unknown[]) => Tensor | Tensor[];
  return ((...args: unknown[]) => copied(view(...args))) as unknown as F;
}

/** A view that PyTorch has as a method alone, as a function to copy. */
function copyable<const P extends readonly string[], A extends readonly unknown[]>(
  name: string,
  parameters: P,
  view: (...args: A) => Tensor,
) {
  return defineFunction<readonly ['input', ...P], A, Tensor>(
    { name, parameters: ['input', ...parameters], required: parameters.length + 1, method: false, hidden: true },
    view,
  );
}

/** asStrided, copied. */
export const asStridedCopy = copying(asStrided);
/** diagonal, copied. */
export const diagonalCopy = copying(diagonal);
/** expand, copied. */
export const expandCopy = copying(
  copyable('expandCopy', ['size'], (input: Tensor, size: Shape): Tensor => input.expand(size)),
);
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
  copyable(
    'unfoldCopy',
    ['dimension', 'size', 'step'],
    (input: Tensor, dimension: number, size: number, step: number): Tensor => input.unfold(dimension, size, step),
  ),
);
/** unsqueeze, copied. */
export const unsqueezeCopy = copying(unsqueeze);
/** Tensor.view, copied. */
export const viewCopy = copying(
  copyable('viewCopy', ['size'], (input: Tensor, size: Shape): Tensor => input.view(size)),
);
const alias = defineFunction(
  { name: 'aliasCopy', parameters: ['input'], method: false, hidden: true },
  (input: Tensor): Tensor => input,
);
/** The tensor, copied. */
export const aliasCopy = copying(alias);
/** chunk, copied: its parts may be changed in place. */
export const unsafeChunk = copying(chunk);
/** split, copied: its parts may be changed in place. */
export const unsafeSplit = copying(split);
