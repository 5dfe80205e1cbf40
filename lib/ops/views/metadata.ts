/**
 * In-place changes of a tensor's own shape and strides, on the same memory: squeeze_, unsqueeze_, t_, transpose_,
 * asStrided_.
 */
import { checkInplace } from '../../autograd/graph.js';
import { attachMethod, defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { describe, fail, IndexError, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { BOOL, UINT8 } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { asStrided } from '../core/as-strided.js';
import { castRecorded } from '../core/convert.js';
import { tensorArgument } from '../core/promotion.js';
import { squeeze, unsqueeze } from '../core/view.js';
import { swapaxes, swapdims, t, transpose } from './permute.js';

/**
 * Gives the tensor the window, and the place in the graph, of a view of itself. What was saved of it is out of date.
 */
function become(op: string, target: Tensor, compute: () => Tensor): Tensor {
  checkInplace(op, target);
  const view = compute();
  Object.assign(target, {
    shape: view.shape,
    strides: view.strides,
    offset: view.offset,
    contiguousLayout: view.contiguousLayout,
    rowMajor: view.rowMajor,
    memory: null,
  });
  target.storage.version++;
  target.node = view.node;
  target.outputIndex = view.outputIndex;
  target.viewVersion = target.storage.version;
  return target;
}

// biome-ignore lint/suspicious/noExplicitAny: any public function that returns a view of its first argument
function defineMetadata(name: string, fn: (...args: any[]) => Tensor): void {
  attachMethod(name, (target: Tensor, ...args: unknown[]) => become(name, target, () => fn(target, ...args)));
}
defineMetadata('squeeze_', squeeze);
defineMetadata('unsqueeze_', unsqueeze);
defineMetadata('t_', t);
defineMetadata('transpose_', transpose);
defineMetadata('swapdims_', swapdims);
defineMetadata('swapaxes_', swapaxes);
defineMetadata('asStrided_', asStrided);

const typeAsMethod = defineFunction(
  { name: 'Tensor.typeAs', parameters: ['input', 'other'], required: 2, method: 'typeAs' },
  (input: Tensor, other: Tensor): Tensor => castRecorded(input, tensorArgument('typeAs', 'other', other).info),
);

/** The entry of one dimension, or the whole list without one. */
function entry(op: string, list: readonly number[], dim: number | null | undefined): readonly number[] | number {
  return dim === undefined || dim === null ? list : list[dimension(op, dim, list.length)];
}
function dimension(op: string, dim: number, ndim: number): number {
  if (ndim === 0) fail(IndexError, op, 'a tensor with dimensions', 'a scalar', { dim });
  return wrapDim(op, dim, ndim);
}

/** The sizes, or the size of one dimension. Tensor.size */
defineMethod('size', ['dim'], (input: Tensor, dim?: number | null) => entry('size', input.shape, dim));
/** The steps in elements, or the step of one dimension. Tensor.stride */
defineMethod('stride', ['dim'], (input: Tensor, dim?: number | null) => entry('stride', input.strides, dim));

/** Whether two tensors have the same sizes. torch.is_same_size */
export const isSameSize = defineFunction(
  { name: 'isSameSize', parameters: ['input', 'other'], required: 2, hidden: true },
  (input: Tensor, other: Tensor): boolean => sameShape(input.shape, tensorArgument('isSameSize', 'other', other).shape),
);

/** Whether two tensors show the same elements of the same memory. Tensor.is_set_to */
const isSetTo = defineMethod('isSetTo', ['tensor'], (x: Tensor, tensor: Tensor): boolean => {
  const other = tensorArgument('isSetTo', 'tensor', tensor);
  return (
    x.storage.origin === other.storage.origin &&
    x.offset === other.offset &&
    sameShape(x.shape, other.shape) &&
    sameShape(x.strides, other.strides)
  );
});

/** The number of elements. torch.numel */
export const numel = defineFunction(
  { name: 'numel', parameters: ['input'], method: false, hidden: true },
  (input: Tensor): number => elementCount(input.shape),
);

/** Whether the value is a tensor. torch.is_tensor */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

/** Whether the tensor has a floating type. torch.is_floating_point */
export const isFloatingPoint = defineFunction(
  { name: 'isFloatingPoint', parameters: ['input'], method: false, hidden: true },
  (input: Tensor): boolean => input.info.floating,
);

/** Whether the one element of the tensor is not zero. torch.is_nonzero */
export const isNonzero = defineFunction(
  { name: 'isNonzero', parameters: ['input'], hidden: true },
  (input: Tensor): boolean => {
    if (elementCount(input.shape) !== 1) fail(ShapeError, 'isNonzero', 'a tensor of one element', describe(input));
    return Number(input.item()) !== 0;
  },
);

/** A question about a tensor that its type answers, as a function and as a method. */
function question(name: string, ask: (x: Tensor) => boolean) {
  return defineFunction({ name, parameters: ['input'], hidden: true }, (input: Tensor): boolean => ask(input));
}
/** Whether the type has negative numbers. torch.is_signed */
export const isSigned = question('isSigned', (x) => x.info !== UINT8 && x.info !== BOOL);
/** Whether the conjugate of complex numbers is yet to be taken: never. torch.is_conj */
export const isConj = question('isConj', () => false);
/** Whether the sign of the elements is yet to be changed: never. torch.is_neg */
export const isNeg = question('isNeg', () => false);
/** Whether the tensor has a complex type. torch.is_complex */
export const isComplex = question('isComplex', () => false);

attachMethod('nelement', (x: Tensor) => x.numel());
attachMethod('ndimension', (x: Tensor) => x.shape.length);
/**
 * The place of the first element as a number: equal for tensors that begin at the same place, 0 without elements.
 * Tensor.data_ptr
 */
attachMethod('dataPtr', (x: Tensor) => (elementCount(x.shape) === 0 ? 0 : x.storage.address + x.offset * x.info.bytes));

function property(name: string, get: (x: Tensor) => number): void {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    configurable: true,
  });
}
property('itemsize', (x) => x.info.bytes);
property('nbytes', (x) => elementCount(x.shape) * x.info.bytes);
property('outputNr', (x) => (x.node === null ? 0 : x.outputIndex));

/**
 * The dimensions in the order in which they lie in memory, the outermost first. With `ambiguityCheck`, dimensions of
 * size 1 and equal strides, which leave several orders, are a ShapeError. Tensor.dim_order
 */
const dimOrder = defineMethod(
  'dimOrder',
  ['ambiguityCheck'],
  (input: Tensor, ambiguityCheck: boolean = false): number[] => {
    const { shape, strides } = input;
    if (ambiguityCheck && (shape.includes(1) || strides.some((step, d) => d > 0 && step === strides[d - 1])))
      fail(
        ShapeError,
        'dimOrder',
        'sizes above 1 and strides that leave one order',
        `sizes [${shape}], strides [${strides}]`,
      );
    const order = shape.map((_, d) => d);
    if (input.contiguousLayout) return order;
    // From the innermost on, each dimension moves inwards past those with larger steps; a step of 0 says nothing.
    order.reverse();
    const larger = (a: number, b: number): number =>
      strides[a] === 0 || strides[b] === 0
        ? 0
        : strides[a] !== strides[b]
          ? strides[a] - strides[b]
          : shape[a] > shape[b]
            ? 1
            : 0;
    for (let i = 1; i < order.length; i++) {
      let at = i;
      for (let k = i - 1; k >= 0; k--) {
        const found = larger(order[k], order[at]);
        if (found < 0) break;
        if (found > 0) {
          [order[k], order[at]] = [order[at], order[k]];
          at = k;
        }
      }
    }
    return order.reverse();
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /** The sizes. */
    size(dim?: null): Shape;
    /** The size of a dimension. */
    size(dim: number | Tensor | { dim: number | Tensor }): number;
    /** The steps in elements. */
    stride(dim?: null): readonly number[];
    /** The step of a dimension. */
    stride(dim: number | Tensor | { dim: number | Tensor }): number;
    squeeze_: Method<typeof squeeze>;
    unsqueeze_: Method<typeof unsqueeze>;
    t_: Method<typeof t>;
    transpose_: Method<typeof transpose>;
    swapdims_: Method<typeof swapdims>;
    swapaxes_: Method<typeof swapaxes>;
    asStrided_: Method<typeof asStrided>;
    typeAs: Method<typeof typeAsMethod>;
    isSameSize: Method<typeof isSameSize>;
    isSetTo: Method<typeof isSetTo>;
    isSigned(): boolean;
    isConj(): boolean;
    isNeg(): boolean;
    isComplex(): boolean;
    /** The number of elements. */
    nelement(): number;
    /** The number of dimensions. */
    ndimension(): number;
    dataPtr(): number;
    /** Bytes of an element. */
    readonly itemsize: number;
    /** Bytes of all elements. */
    readonly nbytes: number;
    /** Which output of its operator the tensor is. */
    readonly outputNr: number;
    dimOrder: Method<typeof dimOrder>;
    isNonzero(): boolean;
  }
}
