/** Views by the order of dimensions: permute, transpose, t, movedim, and the properties T, mT, H, mH. */

import { defineFunction } from '../../dispatch/define-function.js';
import type { Operator } from '../../dispatch/define-op.js';
import { defineView, type Window } from '../../dispatch/define-view.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { attachSizesMethod, type SizesMethod, sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, fail, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import type { Shape } from '../../shape/layout.js';
import { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';

interface Permuted extends Window {
  readonly dims: readonly number[];
}

/** y[i_dims[0], i_dims[1], ...] = x[i_0, i_1, ...]; dx = g with the inverse order. */
export const permuteOp: Operator<readonly number[], Tensor> = defineView<readonly number[], Permuted>({
  name: 'permute',
  geometry: (x, dims) => {
    const ndim = x.shape.length;
    if (dims.length !== ndim)
      fail(ShapeError, 'permute', `${ndim} dims, one for each dimension`, `[${dims}]`, { input: x });
    const wrapped = dims.map((d) => wrapDim('permute', d, ndim));
    if (new Set(wrapped).size !== ndim) fail(ArgumentError, 'permute', 'each dim once', `[${dims}]`, { input: x });
    return {
      from: x.shape,
      shape: wrapped.map((d) => x.shape[d]),
      strides: wrapped.map((d) => x.strides[d]),
      offset: x.offset,
      dims: wrapped,
    };
  },
  backward: (context, g) => {
    const inverse: number[] = [];
    context.spec.dims.forEach((d, i) => {
      inverse[d] = i;
    });
    return [permuteOp([g], inverse)];
  },
});

interface Transposed extends Window {
  readonly a: number;
  readonly b: number;
}

function swapped<T>(list: readonly T[], a: number, b: number): T[] {
  const out = [...list];
  out[a] = list[b];
  out[b] = list[a];
  return out;
}

/** y = x with two dimensions swapped; dx = g with them swapped. */
export const transposeOp: Operator<readonly [number, number], Tensor> = defineView<
  readonly [number, number],
  Transposed
>({
  name: 'transpose',
  geometry: (x, [dim0, dim1]) => {
    const ndim = x.shape.length;
    const a = wrapDim('transpose', dim0, ndim);
    const b = wrapDim('transpose', dim1, ndim);
    if (ndim === 0) return { from: x.shape, shape: [], strides: [], offset: x.offset, a, b };
    return { from: x.shape, shape: swapped(x.shape, a, b), strides: swapped(x.strides, a, b), offset: x.offset, a, b };
  },
  backward: ({ spec }, g) => [transposeOp([g], [spec.a, spec.b])],
});

/** Dimensions in another order: dimension i of the result is dimension dims[i]. A view. torch.permute */
export const permute = defineFunction(
  { name: 'permute', parameters: ['input', 'dims'], required: 2, method: false },
  (input: Tensor, dims: Shape): Tensor =>
    permuteOp([tensorArgument('permute', 'input', input)], sizeArguments('permute', 'dims', [dims])),
);
attachSizesMethod('permute', 'dims', (x, dims) => permuteOp([x], dims));

function transposing<A extends string, B extends string>(name: string, first: A, second: B) {
  return defineFunction(
    { name, parameters: ['input', first, second], required: 3 },
    (input: Tensor, a: number, b: number): Tensor => transposeOp([tensorArgument(name, 'input', input)], [a, b]),
  );
}
/** Two dimensions swapped: a view. torch.transpose */
export const transpose = transposing('transpose', 'dim0', 'dim1');
/** An alias of transpose. torch.swapdims */
export const swapdims = transposing('swapdims', 'dim0', 'dim1');
/** An alias of transpose. torch.swapaxes */
export const swapaxes = transposing('swapaxes', 'axis0', 'axis1');

/** y = x transposed, for a matrix, vector or scalar; dx = g transposed. */
const tOp: Operator<void, Tensor> = defineView<void>({
  name: 't',
  geometry: (x) => ({
    from: x.shape,
    shape: [...x.shape].reverse(),
    strides: [...x.strides].reverse(),
    offset: x.offset,
  }),
  backward: (_, g) => [tOp([g], undefined)],
});

function transposeMatrix(op: string, x: Tensor): Tensor {
  if (x.shape.length > 2) fail(ShapeError, op, 'at most two dimensions', `${x.shape.length}`, { input: x });
  return tOp([x], undefined);
}

/** A matrix transposed; vectors and scalars as they are. A view. torch.t */
export const t = defineFunction(
  { name: 't', parameters: ['input'] },
  (input: Tensor): Tensor => transposeMatrix('t', tensorArgument('t', 'input', input)),
);

/** The last two dimensions swapped (the conjugate transpose of real tensors). torch.adjoint */
export const adjoint = defineFunction(
  { name: 'adjoint', parameters: ['input'] },
  (input: Tensor): Tensor => batchedTranspose('adjoint', tensorArgument('adjoint', 'input', input)),
);

function batchedTranspose(op: string, x: Tensor): Tensor {
  if (x.shape.length < 2) fail(ShapeError, op, 'at least two dimensions', `${x.shape.length}`, { input: x });
  return transposeOp([x], [-2, -1]);
}

/** Dimensions: numbers, or integer tensors of one element. */
type Places = number | Tensor | readonly (number | Tensor)[];

function moving(name: string) {
  return defineFunction(
    {
      name,
      parameters: ['input', 'source', 'destination'],
      required: 3,
      integers: ['source', 'destination'],
      kinds: { source: 'any' },
    },
    (input: Tensor, source: Places, destination: Places): Tensor => {
      const x = tensorArgument(name, 'input', input);
      const ndim = x.shape.length;
      const wrap = (dims: Places): number[] =>
        (typeof dims === 'number' ? [dims] : sizeArguments(name, 'source and destination', [dims])).map((d) =>
          wrapDim(name, d, ndim),
        );
      const from = wrap(source);
      const to = wrap(destination);
      if (from.length !== to.length)
        fail(ShapeError, name, 'as many destinations as sources', `${to.length} and ${from.length}`, { input: x });
      if (new Set(from).size !== from.length || new Set(to).size !== to.length)
        fail(ArgumentError, name, 'each dim once', `source [${from}], destination [${to}]`, { input: x });
      if (ndim === 0) return permuteOp([x], []);
      const order = new Array<number>(ndim).fill(-1);
      to.forEach((d, i) => {
        order[d] = from[i];
      });
      const rest = Array.from({ length: ndim }, (_, d) => d).filter((d) => !from.includes(d));
      return permuteOp(
        [x],
        order.map((d) => (d === -1 ? (rest.shift() as number) : d)),
      );
    },
  );
}
/** The dimensions of `source` at the places of `destination`, the others in their order: a view. torch.movedim */
export const movedim = moving('movedim');
/** An alias of movedim. torch.moveaxis */
export const moveaxis = moving('moveaxis');

function property(name: string, get: (x: Tensor) => Tensor): void {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    configurable: true,
  });
}
property('T', (x) => permuteOp([x], x.shape.map((_, d) => d).reverse()));
property('mT', (x) => batchedTranspose('mT', x));
property('mH', (x) => batchedTranspose('mH', x));
property('H', (x) => {
  if (x.shape.length !== 0 && x.shape.length !== 2)
    fail(ShapeError, 'H', 'a matrix or a scalar', `${x.shape.length} dimensions`, { input: x });
  return transposeMatrix('H', x);
});

declare module '../../tensor/tensor.js' {
  interface Tensor {
    permute: SizesMethod;
    transpose: Method<typeof transpose>;
    swapdims: Method<typeof swapdims>;
    swapaxes: Method<typeof swapaxes>;
    t: Method<typeof t>;
    adjoint: Method<typeof adjoint>;
    movedim: Method<typeof movedim>;
    moveaxis: Method<typeof moveaxis>;
    /** All dimensions in reverse order. */
    readonly T: Tensor;
    /** The last two dimensions swapped. */
    readonly mT: Tensor;
    readonly mH: Tensor;
    /** A matrix transposed. */
    readonly H: Tensor;
  }
}
