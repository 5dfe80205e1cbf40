/**
 * Views of a part: select, narrow, slice, diagonal, unfold; and their inverses, which lay a tensor into a part of
 * another.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { defineView, type Window } from '../../dispatch/define-view.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { contiguousStrides, elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { copyInto, filledTensor } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { asStridedBackwardOf } from '../core/as-strided.js';
import { castRecorded } from '../core/convert.js';
import { tensorArgument } from '../core/promotion.js';
import { copyWithGaps } from '../core/relayout.js';

type Attributes = readonly number[];

/** A view of a part of a tensor, whose elements are all apart, and its inverses. */
interface Part {
  /** The view. */
  readonly view: Operator<Attributes, Tensor>;
  /** y = zeros with a source in the part. */
  readonly embed: Operator<{ from: Shape; attributes: Attributes }, Tensor>;
  /** y = a copy of x with the part replaced by a source. */
  readonly scatter: Operator<Attributes, Tensor>;
}

interface PartWindow extends Window {
  readonly attributes: Attributes;
}

/** Declares the view of a part by its geometry, its derivative (the part of zeros), and its scatter. */
function definePart(name: string, geometry: (op: string, x: Tensor, attributes: Attributes) => Window): Part {
  /** y = x's part; dx = zeros with g in the part. */
  const view = defineView<Attributes, PartWindow>({
    name,
    geometry: (x, attributes) => {
      const { from, shape, strides, offset } = geometry(name, x, attributes);
      return { from, shape, strides, offset, attributes };
    },
    backward: ({ spec }, g) => [embed([g], { from: spec.from, attributes: spec.attributes })],
  });
  /** y = zeros with x in the part; dx = g's part. */
  const embed: Operator<{ from: Shape; attributes: Attributes }, Tensor> = defineOp<
    { from: Shape; attributes: Attributes },
    { from: Shape; attributes: Attributes }
  >({
    name: `${name}Backward`,
    nativeHalf: true,
    infer: (_, given) => given,
    forward: ({ from, attributes }, [x]) => {
      const out = filledTensor(from, x.info, 0);
      copyInto(windowOf(out, attributes), x);
      return out;
    },
    backward: ({ spec }, g): Gradients => [view([g], spec.attributes)],
  });
  /** y = x with the part replaced by a source; dx = g with zeros in the part, dsource = g's part. */
  const scatter: Operator<Attributes, Tensor> = defineOp<Attributes, Attributes>({
    name: `${name}Scatter`,
    nativeHalf: true,
    infer: ([x, source], attributes) => {
      const { shape } = geometry(`${name}Scatter`, x, attributes);
      if (!sameShape(shape, source.shape))
        fail(ShapeError, `${name}Scatter`, `src of the part's shape [${shape}]`, `[${source.shape}]`, { input: x });
      return attributes;
    },
    forward: (attributes, [x, source]) => {
      const out = copyWithGaps(x);
      copyInto(windowOf(out, attributes), source);
      return out;
    },
    backward: (context, g): Gradients => {
      let dx: Tensor | null = null;
      if (context.needs(0)) {
        dx = scatter([g, filledTensor(geometry(name, g, context.spec).shape, g.info, 0)], context.spec);
      }
      return [dx, context.needs(1) ? view([g], context.spec) : null];
    },
  });
  const windowOf = (x: Tensor, attributes: Attributes): Tensor => {
    const { shape, strides, offset } = geometry(name, x, attributes);
    return new Tensor(x.storage, null, x.info, shape, strides, offset, false);
  };
  return { view, embed, scatter };
}

function whole(op: string, name: string, value: unknown): number {
  const n =
    value instanceof Tensor && !value.info.floating && elementCount(value.shape) === 1 ? Number(value.item()) : value;
  if (typeof n === 'number' && Number.isInteger(n)) return n;
  return fail(ArgumentError, op, `a whole number for ${name}`, describe(value));
}

/** Attributes: dim, index. */
const selectPart = definePart('select', (op, x, attributes) => {
  const dim = attributes[0];
  const index = attributes[1];
  const ndim = x.shape.length;
  if (ndim === 0) fail(IndexError, op, 'a tensor with dimensions', 'a scalar');
  const d = wrapDim(op, dim, ndim);
  const n = x.shape[d];
  if (index < -n || index >= n)
    fail(IndexError, op, `index in [${-n}, ${n - 1}] for dim ${d}`, String(index), { input: x });
  return {
    from: x.shape,
    shape: without(x.shape, d),
    strides: without(x.strides, d),
    offset: x.offset + (index < 0 ? index + n : index) * x.strides[d],
  };
});

/** The list without its element d. */
function without(list: readonly number[], d: number): number[] {
  const out = new Array<number>(list.length - 1);
  for (let i = 0, k = 0; i < list.length; i++) if (i !== d) out[k++] = list[i];
  return out;
}

/** Attributes: dim, start, end, step, all resolved. */
const slicePart = definePart('slice', (_, x, [dim, start, end, step]) => {
  const shape = [...x.shape];
  const strides = [...x.strides];
  shape[dim] = Math.max(0, Math.ceil((end - start) / step));
  strides[dim] *= step;
  return { from: x.shape, shape, strides, offset: x.offset + (shape[dim] === 0 ? 0 : start * x.strides[dim]) };
});

/** Attributes: offset, dim1, dim2. */
const diagonalPart = definePart('diagonal', (op, x, [offset, dim1, dim2]) => {
  const ndim = x.shape.length;
  const a = wrapDim(op, dim1, ndim);
  const b = wrapDim(op, dim2, ndim);
  if (a === b) fail(ArgumentError, op, 'two different dimensions', `dim1 ${dim1} and dim2 ${dim2}`, { input: x });
  const n = Math.max(
    0,
    offset >= 0 ? Math.min(x.shape[a], x.shape[b] - offset) : Math.min(x.shape[a] + offset, x.shape[b]),
  );
  const begin = n === 0 ? 0 : offset >= 0 ? offset * x.strides[b] : -offset * x.strides[a];
  const keep = (_: number, i: number): boolean => i !== a && i !== b;
  return {
    from: x.shape,
    shape: [...x.shape.filter(keep), n],
    strides: [...x.strides.filter(keep), x.strides[a] + x.strides[b]],
    offset: x.offset + begin,
  };
});

export const selectOp = selectPart.view;
export const diagonalOp = diagonalPart.view;
export const diagonalEmbedOp = diagonalPart.embed;

/** The one place `index` of dimension `dim`, without that dimension: a view. torch.select */
export const select = defineFunction(
  { name: 'select', parameters: ['input', 'dim', 'index'], required: 3, kinds: { index: 'any' } },
  (input: Tensor, dim: number, index: number | Tensor): Tensor => {
    return selectOp(
      [tensorArgument('select', 'input', input)],
      [whole('select', 'dim', dim), whole('select', 'index', index)],
    );
  },
);

/**
 * start:end:step of a dimension, Python's way: ends may be negative, null or past the end. Resolved to start <= end
 * within the size.
 */
function resolveSlice(
  op: string,
  x: Tensor,
  dim: number,
  start: number | null | undefined,
  end: number | null | undefined,
  step: number,
): Attributes {
  if (x.shape.length === 0) fail(IndexError, op, 'a tensor with dimensions', 'a scalar');
  const d = wrapDim(op, dim, x.shape.length);
  if (!Number.isInteger(step) || step < 1) fail(ArgumentError, op, 'a step of at least 1', String(step));
  const n = x.shape[d];
  const within = (value: number | null | undefined, byDefault: number): number => {
    if (value === null || value === undefined) return byDefault;
    const i = value === Number.POSITIVE_INFINITY ? n : whole(op, 'a bound', value);
    return Math.min(Math.max(i < 0 ? i + n : i, 0), n);
  };
  const from = within(start, 0);
  return [d, from, Math.max(from, within(end, n)), step];
}

/** The part start:end:step of a dimension: a view. */
export function sliceOf(
  op: string,
  x: Tensor,
  dim: number,
  start: number | null | undefined,
  end: number | null | undefined,
  step: number = 1,
): Tensor {
  return slicePart.view([x], resolveSlice(op, x, dim, start, end, step));
}

/** `length` places of dimension `dim` from `start` on: a view. torch.narrow */
export const narrow = defineFunction(
  { name: 'narrow', parameters: ['input', 'dim', 'start', 'length'], required: 4 },
  (input: Tensor, dim: number, start: number | Tensor, length: number): Tensor => {
    const x = tensorArgument('narrow', 'input', input);
    if (x.shape.length === 0) fail(IndexError, 'narrow', 'a tensor with dimensions', 'a scalar');
    const d = wrapDim('narrow', dim, x.shape.length);
    const n = x.shape[d];
    const count = whole('narrow', 'length', length);
    const given = whole('narrow', 'start', start);
    if (given < -n || given > n)
      fail(IndexError, 'narrow', `start in [${-n}, ${n}] for dim ${d}`, String(given), { input: x });
    const first = given < 0 ? given + n : given;
    if (count < 0 || first + count > n)
      fail(IndexError, 'narrow', `a length of 0 to ${n - first} from ${first} on`, String(count), { input: x });
    return slicePart.view([x], [d, first, first + count, 1]);
  },
);

/**
 * The elements with equal indices in dim1 and dim2 (dim2 ahead by `offset`), as a last dimension: a view.
 * torch.diagonal
 */
export const diagonal = defineFunction(
  { name: 'diagonal', parameters: ['input', 'offset', 'dim1', 'dim2'] },
  (input: Tensor, offset: number = 0, dim1: number = 0, dim2: number = 1): Tensor =>
    diagonalOp([tensorArgument('diagonal', 'input', input)], [whole('diagonal', 'offset', offset), dim1, dim2]),
);

interface Unfolded extends Window {
  readonly attributes: readonly [dim: number, size: number, step: number];
}

/** Sizes and strides of windows of `size` at every `step` of dimension `d`; a scalar counts as one element. */
function windows(
  shape: Shape,
  strides: readonly number[],
  d: number,
  size: number,
  step: number,
): { shape: number[]; strides: number[] } {
  if (shape.length === 0) return { shape: [size], strides: [1] };
  const out = { shape: [...shape, size], strides: [...strides, strides[d]] };
  out.shape[d] = Math.floor((shape[d] - size) / step) + 1;
  out.strides[d] *= step;
  return out;
}

/** y = windows of `size` at every `step` of a dimension, as a last dimension; dx = g added up where windows overlap. */
const unfoldOp = defineView<readonly [number, number, number], Unfolded>({
  name: 'unfold',
  geometry: (x, [dimension, size, step]) => {
    const d = wrapDim('unfold', dimension, x.shape.length);
    const n = x.shape[d] ?? 1;
    if (size < 0 || size > n)
      fail(ShapeError, 'unfold', `a size of 0 to ${n} for dim ${d}`, String(size), { input: x });
    if (step < 1) fail(ArgumentError, 'unfold', 'a step of at least 1', String(step));
    return {
      from: x.shape,
      ...windows(x.shape, x.strides, d, size, step),
      offset: x.offset,
      attributes: [d, size, step],
    };
  },
  backward: ({ spec }, g) => {
    // The gradient is laid out anew: the input's own elements may coincide in memory.
    const strides = contiguousStrides(spec.from);
    return [
      asStridedBackwardOf(
        g,
        { shape: spec.from, strides, offset: 0 },
        { ...windows(spec.from, strides, ...spec.attributes), offset: 0 },
      ),
    ];
  },
});

/** All windows of `size` elements, `step` apart, of a dimension, as a new last dimension: a view. Tensor.unfold */
const unfoldMethod = defineFunction(
  { name: 'Tensor.unfold', parameters: ['input', 'dimension', 'size', 'step'], required: 4, method: 'unfold' },
  (input: Tensor, dimension: number, size: number, step: number): Tensor =>
    unfoldOp(
      [input],
      [whole('unfold', 'dimension', dimension), whole('unfold', 'size', size), whole('unfold', 'step', step)],
    ),
);

function source(op: string, x: Tensor, src: unknown): Tensor {
  return castRecorded(tensorArgument(op, 'src', src), x.info);
}

/** A copy of `input` with place `index` of dimension `dim` replaced by `src`. torch.select_scatter */
export const selectScatter = defineFunction(
  { name: 'selectScatter', parameters: ['input', 'src', 'dim', 'index'], required: 4, kinds: { index: 'any' } },
  (input: Tensor, src: Tensor, dim: number, index: number): Tensor =>
    selectPart.scatter([input, source('selectScatter', input, src)], [dim, whole('selectScatter', 'index', index)]),
);

/** A copy of `input` with start:end:step of dimension `dim` replaced by `src`. torch.slice_scatter */
export const sliceScatter = defineFunction(
  { name: 'sliceScatter', parameters: ['input', 'src', 'dim', 'start', 'end', 'step'], required: 2 },
  (input: Tensor, src: Tensor, dim: number = 0, start?: number | null, end?: number | null, step: number = 1): Tensor =>
    slicePart.scatter(
      [input, source('sliceScatter', input, src)],
      resolveSlice('sliceScatter', input, dim, start, end, step),
    ),
);

/** A copy of `input` with a diagonal replaced by `src`. torch.diagonal_scatter */
export const diagonalScatter = defineFunction(
  { name: 'diagonalScatter', parameters: ['input', 'src', 'offset', 'dim1', 'dim2'], required: 2 },
  (input: Tensor, src: Tensor, offset: number = 0, dim1: number = 0, dim2: number = 1): Tensor =>
    diagonalPart.scatter([input, source('diagonalScatter', input, src)], [offset, dim1, dim2]),
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    select: Method<typeof select>;
    narrow: Method<typeof narrow>;
    diagonal: Method<typeof diagonal>;
    unfold: Method<typeof unfoldMethod>;
    selectScatter: Method<typeof selectScatter>;
    sliceScatter: Method<typeof sliceScatter>;
    diagonalScatter: Method<typeof diagonalScatter>;
  }
}
