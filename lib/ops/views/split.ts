/**
 * Views of all parts of a dimension: split, chunk, tensorSplit, unbind. The gradients of the parts are laid side by
 * side again.
 */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import type { Shape } from '../../shape/layout.js';
import { INT64 } from '../../storage/dtype.js';
import { requireListRoom } from '../../storage/room.js';
import { filledTensor } from '../../tensor/copy.js';
import { Tensor, windowOn } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { catOp, stackOp } from './cat.js';

interface Parts {
  readonly dim: number;
  /** The first place and the size of each part. */
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
}

/** y_k = the k-th part of x along a dimension (parts follow one another); dx = the g_k side by side. */
const splitOp = defineOp<Parts, Parts & { from: Shape }, Tensor[]>({
  name: 'split',
  view: true,
  infer: ([x], parts) => ({ ...parts, from: x.shape }),
  forward: ({ dim, starts, sizes }, [x]) =>
    sizes.map((size, k) => {
      const shape = [...x.shape];
      shape[dim] = size;
      return windowOn(x, shape, x.strides, x.offset + (size === 0 ? 0 : starts[k] * x.strides[dim]));
    }),
  backward: ({ spec }, _, gs) => {
    const known = gs.find((g) => g !== null) as Tensor;
    const parts = gs.map((g, k) => {
      if (g !== null) return g;
      const shape = [...spec.from];
      shape[spec.dim] = spec.sizes[k];
      return filledTensor(shape, known.info, 0);
    });
    return [catOp(parts, spec.dim)];
  },
});

/** y_k = place k of x in a dimension, without it; dx = the g_k stacked. */
const unbindOp = defineOp<number, { dim: number; from: Shape }, Tensor[]>({
  name: 'unbind',
  view: true,
  infer: ([x], dim) => {
    if (x.shape.length === 0) fail(ShapeError, 'unbind', 'a tensor with dimensions', 'a scalar');
    const d = wrapDim('unbind', dim, x.shape.length);
    requireListRoom('unbind', x.shape[d]);
    return { dim: d, from: x.shape };
  },
  forward: ({ dim }, [x]) => {
    const drop = (_: number, d: number): boolean => d !== dim;
    return Array.from({ length: x.shape[dim] }, (_, k) =>
      windowOn(x, x.shape.filter(drop), x.strides.filter(drop), x.offset + k * x.strides[dim]),
    );
  },
  backward: ({ spec }, _, gs) => {
    const known = gs.find((g) => g !== null) as Tensor;
    return [
      stackOp(
        gs.map((g) => g ?? filledTensor(known.shape, known.info, 0)),
        spec.dim,
      ),
    ];
  },
});

/** Consecutive parts of the given sizes, which must add up to the dimension. */
function bySizes(op: string, x: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  if (x.shape.length === 0) fail(ShapeError, op, 'a tensor with dimensions', 'a scalar');
  const d = wrapDim(op, dim, x.shape.length);
  const starts: number[] = [];
  let at = 0;
  for (const size of sizes) {
    if (size < 0) fail(ShapeError, op, 'sizes of at least 0', `[${sizes}]`);
    starts.push(at);
    at += size;
  }
  if (at !== x.shape[d])
    fail(ShapeError, op, `sizes that add up to ${x.shape[d]} (dim ${d})`, `[${sizes}]`, { input: x });
  return splitOp([x], { dim: d, starts, sizes: [...sizes] });
}

/** Parts of `size`, the last one smaller where it must be; one empty part of a dimension of size 0. */
function byStep(op: string, x: Tensor, size: number, dim: number): Tensor[] {
  if (x.shape.length === 0) fail(ShapeError, op, 'a tensor with dimensions', 'a scalar');
  const n = x.shape[wrapDim(op, dim, x.shape.length)];
  if (!Number.isInteger(size) || size < 0 || (size === 0 && n > 0))
    fail(ArgumentError, op, 'a size of at least 1', describe(size), { input: x });
  requireListRoom(op, Math.ceil(n / Math.max(1, size)));
  const sizes: number[] = [];
  for (let at = 0; at < n; at += size) sizes.push(Math.min(size, n - at));
  return bySizes(op, x, sizes.length === 0 ? [n] : sizes, dim);
}

/**
 * Consecutive parts of a dimension: of one size (the last may be smaller), or of a list of sizes. Views. torch.split
 */
export const split = defineFunction(
  { name: 'split', parameters: ['tensor', 'splitSizeOrSections', 'dim'], required: 2, method: false },
  (tensor: Tensor, splitSizeOrSections: number | Shape, dim: number = 0): Tensor[] => {
    const x = tensorArgument('split', 'tensor', tensor);
    if (typeof splitSizeOrSections === 'number') return byStep('split', x, splitSizeOrSections, dim);
    return bySizes('split', x, sizeArguments('split', 'splitSizeOrSections', [splitSizeOrSections]), dim);
  },
);
const splitMethod = defineFunction(
  { name: 'Tensor.split', parameters: ['input', 'splitSize', 'dim'], required: 2, method: 'split' },
  (input: Tensor, splitSize: number | Shape, dim: number = 0): Tensor[] => split(input, splitSize, dim),
);

/** Consecutive parts of the given sizes. Views. Tensor.split_with_sizes */
export const splitWithSizes = defineFunction(
  { name: 'splitWithSizes', parameters: ['input', 'splitSizes', 'dim'], required: 2 },
  (input: Tensor, splitSizes: Shape, dim: number = 0): Tensor[] =>
    bySizes(
      'splitWithSizes',
      tensorArgument('splitWithSizes', 'input', input),
      sizeArguments('splitWithSizes', 'splitSizes', [splitSizes]),
      dim,
    ),
);

/** At most `chunks` parts of equal size, the last one smaller where it must be. Views. torch.chunk */
export const chunk = defineFunction(
  { name: 'chunk', parameters: ['input', 'chunks', 'dim'], required: 2 },
  (input: Tensor, chunks: number, dim: number = 0): Tensor[] => {
    const x = tensorArgument('chunk', 'input', input);
    if (!Number.isInteger(chunks) || chunks < 1) fail(ArgumentError, 'chunk', 'at least 1 chunk', describe(chunks));
    if (x.shape.length === 0) fail(ShapeError, 'chunk', 'a tensor with dimensions', 'a scalar');
    const n = x.shape[wrapDim('chunk', dim, x.shape.length)];
    if (n === 0) requireListRoom('chunk', chunks);
    if (n === 0) return bySizes('chunk', x, new Array<number>(chunks).fill(0), dim);
    return byStep('chunk', x, Math.ceil(n / chunks), dim);
  },
);

function splitAt(op: string, x: Tensor, indicesOrSections: number | Shape | Tensor, dim: number): Tensor[] {
  if (x.shape.length === 0) fail(ShapeError, op, 'a tensor with dimensions', 'a scalar');
  const d = wrapDim(op, dim, x.shape.length);
  const n = x.shape[d];
  const given =
    indicesOrSections instanceof Tensor ? (indicesOrSections.tolist() as number | number[]) : indicesOrSections;
  const starts: number[] = [];
  const sizes: number[] = [];
  if (typeof given === 'number') {
    if (!Number.isInteger(given) || given < 1) fail(ArgumentError, op, 'at least 1 section', describe(given));
    requireListRoom(op, given);
    const large = n % given;
    const small = Math.floor(n / given);
    for (let k = 0, at = 0; k < given; k++) {
      sizes.push(k < large ? small + 1 : small);
      starts.push(at);
      at += sizes[k];
    }
    return splitOp([x], { dim: d, starts, sizes });
  }
  // Python's slices between the indices; these may overlap or run backwards, and then are views one by one.
  const within = (i: number): number => Math.min(Math.max(i < 0 ? i + n : i, 0), n);
  const bounds = [0, ...sizeArguments(op, 'indices', [given]).map(within), n];
  const ordered = bounds.every((b, k) => k === 0 || b >= bounds[k - 1]);
  if (ordered) {
    for (let k = 0; k + 1 < bounds.length; k++) {
      starts.push(bounds[k]);
      sizes.push(bounds[k + 1] - bounds[k]);
    }
    return splitOp([x], { dim: d, starts, sizes });
  }
  return bounds.slice(1).map((end, k) => x.narrow(d, bounds[k], Math.max(0, end - bounds[k])));
}

/** Parts of a dimension: `n` as equal as can be, or cut before the given indices. Views. torch.tensor_split */
export const tensorSplit = defineFunction(
  { name: 'tensorSplit', parameters: ['input', 'indicesOrSections', 'dim'], required: 2 },
  (input: Tensor, indicesOrSections: number | Shape | Tensor, dim: number = 0): Tensor[] => {
    if (indicesOrSections instanceof Tensor && (indicesOrSections.info !== INT64 || indicesOrSections.shape.length > 1))
      fail(
        ArgumentError,
        'tensorSplit',
        'an int64 tensor of at most one dimension for indicesOrSections',
        describe(indicesOrSections),
      );
    return splitAt('tensorSplit', tensorArgument('tensorSplit', 'input', input), indicesOrSections, dim);
  },
);

function axisSplit(name: string, least: number, axis: (ndim: number) => number) {
  return defineFunction(
    { name, parameters: ['input', 'indicesOrSections'], required: 2 },
    (input: Tensor, indicesOrSections: number | Shape): Tensor[] => {
      const x = tensorArgument(name, 'input', input);
      if (x.shape.length < least)
        fail(ShapeError, name, `at least ${least} dimensions`, String(x.shape.length), { input: x });
      const dim = axis(x.shape.length);
      if (typeof indicesOrSections === 'number' && (indicesOrSections < 1 || x.shape[dim] % indicesOrSections !== 0))
        fail(ShapeError, name, `a number of sections that divides ${x.shape[dim]}`, String(indicesOrSections), {
          input: x,
        });
      return splitAt(name, x, indicesOrSections, dim);
    },
  );
}
/** tensorSplit along columns (dimension 1, or 0 of a vector). torch.hsplit */
export const hsplit = axisSplit('hsplit', 1, (ndim) => (ndim === 1 ? 0 : 1));
/** tensorSplit along dimension 0. torch.vsplit */
export const vsplit = axisSplit('vsplit', 2, () => 0);
/** tensorSplit along dimension 2. torch.dsplit */
export const dsplit = axisSplit('dsplit', 3, () => 2);

/** Every place of a dimension, without it. Views. torch.unbind */
export const unbind = defineFunction(
  { name: 'unbind', parameters: ['input', 'dim'] },
  (input: Tensor, dim: number = 0): Tensor[] => unbindOp([tensorArgument('unbind', 'input', input)], dim),
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    split: Method<typeof splitMethod>;
    splitWithSizes: Method<typeof splitWithSizes>;
    chunk: Method<typeof chunk>;
    tensorSplit: Method<typeof tensorSplit>;
    hsplit: Method<typeof hsplit>;
    vsplit: Method<typeof vsplit>;
    dsplit: Method<typeof dsplit>;
    unbind: Method<typeof unbind>;
  }
}
