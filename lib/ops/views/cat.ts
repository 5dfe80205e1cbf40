/** Tensors side by side: cat and stack, and the forms of them that numpy has. One pass straight into the output. */

import { gradientOperators } from '../../autograd/gradient-operators.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { contiguousStrides, type Shape, sameShape } from '../../shape/layout.js';
import { formatStrides, type MemoryFormat, suggestedFormat } from '../../shape/memory-format.js';
import { allocateStrided } from '../../tensor/allocate.js';
import { copyPart } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { resultType, tensorArguments } from '../core/promotion.js';
import { unsqueezeOp } from '../core/view.js';
import { selectOp, sliceOf } from './slice.js';

interface CatSpec {
  readonly dim: number;
  readonly shape: Shape;
  /** Where each input begins along the dimension, and how far it reaches; null for an empty vector that is left out. */
  readonly starts: readonly (number | null)[];
  readonly sizes: readonly number[];
}

/** y = x_0, x_1, ... one after another along a dimension; dx_k = the part of g where x_k lies. */
export const catOp = defineOp<number, CatSpec>({
  name: 'cat',
  nativeHalf: true,
  autocast: 'promote',
  infer: (inputs, dim) => {
    // Vectors without elements are left out, whatever the other shapes, as in PyTorch.
    const skipped = inputs.map((x) => x.shape.length === 1 && x.shape[0] === 0);
    const model = inputs.find((_, i) => !skipped[i]) ?? inputs[0];
    inputs.forEach((x, i) => {
      if (x.shape.length === 0) fail(ShapeError, 'cat', 'tensors with dimensions', `a scalar (tensor ${i})`);
    });
    const d = wrapDim('cat', dim, model.shape.length);
    const starts: (number | null)[] = [];
    let end = 0;
    inputs.forEach((x, i) => {
      if (skipped[i]) {
        starts.push(null);
        return;
      }
      if (x.shape.length !== model.shape.length || x.shape.some((n, k) => k !== d && n !== model.shape[k]))
        fail(
          ShapeError,
          'cat',
          `tensors of equal sizes except in dim ${d}`,
          `[${model.shape}] and [${x.shape}] (tensor ${i})`,
        );
      starts.push(end);
      end += x.shape[d];
    });
    const shape = [...model.shape];
    shape[d] = end;
    return { dim: d, shape, starts, sizes: inputs.map((x) => x.shape[d] ?? 0) };
  },
  forward: ({ dim, shape, starts }, inputs) => {
    const out = allocateStrided([...shape], formatStrides('cat', shape, commonFormat(inputs)), inputs[0].info);
    inputs.forEach((x, i) => {
      const start = starts[i];
      if (start !== null)
        copyPart(
          x.shape,
          { tensor: out, start: start * out.strides[dim], strides: out.strides },
          { tensor: x, start: 0, strides: x.strides },
        );
    });
    return out;
  },
  backward: (context, g) => {
    const { dim, starts, sizes } = context.spec;
    return starts.map((start, i) =>
      start === null || !context.needs(i) ? null : sliceOf('cat', g, dim, start, start + sizes[i]),
    );
  },
});

/** The memory format that all tensors suggest, else row-major. */
function commonFormat(tensors: readonly Tensor[]): MemoryFormat {
  const format = suggestedFormat(tensors[0].shape, tensors[0].strides);
  if (format === 'contiguous_format') return format;
  return tensors.every((x) => suggestedFormat(x.shape, x.strides) === format) ? format : 'contiguous_format';
}

/** y[..., k, ...] = x_k; dx_k = place k of g. */
export const stackOp = defineOp<number, { dim: number; shape: Shape }>({
  name: 'stack',
  nativeHalf: true,
  autocast: 'promote',
  infer: (inputs, dim) => {
    const first = inputs[0].shape;
    const d = wrapDim('stack', dim, first.length + 1);
    inputs.forEach((x, i) => {
      if (!sameShape(x.shape, first))
        fail(ShapeError, 'stack', 'tensors of one shape', `[${first}] and [${x.shape}] (tensor ${i})`);
    });
    return { dim: d, shape: [...first.slice(0, d), inputs.length, ...first.slice(d)] };
  },
  forward: ({ dim, shape }, inputs) => {
    // As a concatenation along dim, each input a part of it.
    const first = inputs[0];
    const joined = first.shape.map((n, d) => (d === dim ? n * inputs.length : n));
    const strides = formatStrides('stack', joined, dim < joined.length ? commonFormat(inputs) : 'contiguous_format');
    const all =
      dim < joined.length
        ? [...strides.slice(0, dim), first.shape[dim] * strides[dim], ...strides.slice(dim)]
        : contiguousStrides(shape);
    const out = allocateStrided([...shape], all, first.info);
    const within = all.filter((_, d) => d !== dim);
    inputs.forEach((x, k) => {
      copyPart(
        x.shape,
        { tensor: out, start: k * all[dim], strides: within },
        { tensor: x, start: 0, strides: x.strides },
      );
    });
    return out;
  },
  backward: (context, g) =>
    context.next.map((_, k) => (context.needs(k) ? selectOp([g], [context.spec.dim, k]) : null)),
});

/** The tensors of a list in their common type, or an ArgumentError. */
export function tensorList(op: string, tensors: unknown): Tensor[] {
  if (!Array.isArray(tensors)) fail(ArgumentError, op, 'an array of tensors', describe(tensors));
  const list = tensorArguments(op, 'element', tensors);
  if (list.length === 0) fail(ArgumentError, op, 'at least one tensor', 'an empty array');
  const info = resultType(op, list);
  return list.map((x) => castRecorded(x, info));
}

function concatenating(name: string) {
  return defineFunction(
    { name, parameters: ['tensors', 'dim'], method: false },
    (tensors: readonly Tensor[], dim: number = 0): Tensor => catOp(tensorList(name, tensors), dim),
  );
}
/** Tensors one after another along dimension `dim`, in their common type; other sizes must be equal. torch.cat */
export const cat = concatenating('cat');
/** An alias of cat. torch.concat */
export const concat = concatenating('concat');
/** An alias of cat. torch.concatenate */
export const concatenate = concatenating('concatenate');

gradientOperators.stack = (tensors) => stackOp(tensors, 0);

/** Tensors of one shape along a new dimension `dim`, in their common type. torch.stack */
export const stack = defineFunction(
  { name: 'stack', parameters: ['tensors', 'dim'], method: false },
  (tensors: readonly Tensor[], dim: number = 0): Tensor => stackOp(tensorList('stack', tensors), dim),
);

/**
 * The tensor with at least `n` dimensions: a vector becomes a row of a matrix, a matrix a sheet with a last dimension
 * of size 1.
 */
export function atLeast(x: Tensor, n: 1 | 2 | 3): Tensor {
  let out = x;
  if (out.shape.length === 0) out = unsqueezeOp([out], 0);
  if (n >= 2 && out.shape.length === 1) out = unsqueezeOp([out], 0);
  if (n >= 3 && out.shape.length === 2) out = unsqueezeOp([out], 2);
  return out;
}

function stacking(name: string, shaped: (x: Tensor) => Tensor, axis: (first: Tensor) => number) {
  return defineFunction({ name, parameters: ['tensors'], method: false }, (tensors: readonly Tensor[]): Tensor => {
    const list = tensorList(name, tensors).map(shaped);
    return catOp(list, axis(list[0]));
  });
}
/** cat along columns (dimension 1; vectors along their only one). torch.hstack */
export const hstack = stacking(
  'hstack',
  (x) => atLeast(x, 1),
  (first) => (first.shape.length === 1 ? 0 : 1),
);
/** cat of at least 2-dimensional tensors along rows. torch.vstack */
export const vstack = stacking(
  'vstack',
  (x) => atLeast(x, 2),
  () => 0,
);
/** An alias of vstack. torch.row_stack */
export const rowStack = stacking(
  'rowStack',
  (x) => atLeast(x, 2),
  () => 0,
);
/** cat of at least 3-dimensional tensors along dimension 2. torch.dstack */
export const dstack = stacking(
  'dstack',
  (x) => atLeast(x, 3),
  () => 2,
);
/** cat along dimension 1, where scalars and vectors are columns. torch.column_stack */
export const columnStack = stacking(
  'columnStack',
  (x) => (x.shape.length === 0 ? x.reshape(1, 1) : x.shape.length === 1 ? unsqueezeOp([x], 1) : x),
  () => 1,
);

function atLeastFunction(n: 1 | 2 | 3) {
  const name = `atleast${n}d`;
  return (...tensors: (Tensor | readonly Tensor[])[]): Tensor | Tensor[] => {
    if (tensors.length === 1 && tensors[0] instanceof Tensor) return atLeast(tensors[0], n);
    const list = (tensors.length === 1 && Array.isArray(tensors[0]) ? tensors[0] : tensors) as readonly Tensor[];
    return tensorArguments(name, 'tensor', list).map((x) => atLeast(x, n));
  };
}
/** Tensors with at least one dimension. torch.atleast_1d */
export const atleast1d = atLeastFunction(1);
/** Tensors with at least two dimensions. torch.atleast_2d */
export const atleast2d = atLeastFunction(2);
/** Tensors with at least three dimensions. torch.atleast_3d */
export const atleast3d = atLeastFunction(3);
