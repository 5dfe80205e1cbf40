/** In-place changes of a tensor's own shape and strides, on the same memory: squeeze_, unsqueeze_, t_, transpose_, asStrided_. */
import { checkInplace } from '../autograd/graph.js';
import { describe, fail, IndexError, ShapeError } from '../errors.js';
import { wrapDim } from '../shape/dims.js';
import { sameShape, type Shape } from '../shape/layout.js';
import { type DType, dtypeInfo } from '../storage/dtype.js';
import { Tensor } from '../tensor/tensor.js';
import { asStrided } from './as-strided.js';
import { castRecorded } from './convert.js';
import { attachMethod, defineFunction, type Method } from './define-function.js';
import { swapaxes, swapdims, t, transpose } from './permute.js';
import { tensorArgument } from './promotion.js';
import { squeeze, unsqueeze } from './view.js';

/** Gives the tensor the window, and the place in the graph, of a view of itself. What was saved of it is out of date. */
function become(op: string, target: Tensor, compute: () => Tensor): Tensor {
  checkInplace(op, target);
  const view = compute();
  Object.assign(target, { shape: view.shape, strides: view.strides, offset: view.offset, contiguousLayout: view.contiguousLayout, memory: null });
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

const TYPE_NAMES: Readonly<Record<DType, string>> = {
  float32: 'torch.FloatTensor',
  float64: 'torch.DoubleTensor',
  float16: 'torch.HalfTensor',
  bfloat16: 'torch.BFloat16Tensor',
  int64: 'torch.LongTensor',
  int32: 'torch.IntTensor',
  int16: 'torch.ShortTensor',
  int8: 'torch.CharTensor',
  uint8: 'torch.ByteTensor',
  bool: 'torch.BoolTensor',
};

/** PyTorch's name of the tensor's type, or with a dtype the tensor in that type. Tensor.type */
attachMethod('type', (x: Tensor, dtype?: DType) => {
  if (dtype === undefined) return TYPE_NAMES[x.dtype];
  const named = (Object.keys(TYPE_NAMES) as DType[]).find((name) => TYPE_NAMES[name] === dtype);
  return castRecorded(x, dtypeInfo('type', named ?? dtype));
});

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
defineFunction({ name: 'Tensor.size', parameters: ['input', 'dim'], method: 'size', hidden: true }, (input: Tensor, dim?: number | null) => entry('size', input.shape, dim));
/** The steps in elements, or the step of one dimension. Tensor.stride */
defineFunction({ name: 'Tensor.stride', parameters: ['input', 'dim'], method: 'stride', hidden: true }, (input: Tensor, dim?: number | null) =>
  entry('stride', input.strides, dim),
);

/** Whether two tensors have the same sizes. Tensor.is_same_size */
attachMethod('isSameSize', (x: Tensor, other: Tensor) => sameShape(x.shape, tensorArgument('isSameSize', 'other', other).shape));

/** The number of elements. torch.numel */
export function numel(input: Tensor): number {
  return tensorArgument('numel', 'input', input).numel();
}

/** Whether the value is a tensor. torch.is_tensor */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

/** Whether the tensor has a floating type. torch.is_floating_point */
export function isFloatingPoint(input: Tensor): boolean {
  return tensorArgument('isFloatingPoint', 'input', input).info.floating;
}

/** Whether the one element of the tensor is not zero. torch.is_nonzero */
export function isNonzero(input: Tensor): boolean {
  const x = tensorArgument('isNonzero', 'input', input);
  if (x.numel() !== 1) fail(ShapeError, 'isNonzero', 'a tensor of one element', describe(x));
  return Number(x.item()) !== 0;
}
attachMethod('isNonzero', isNonzero);

declare module '../tensor/tensor.js' {
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
    type(): string;
    type(dtype: DType): Tensor;
    typeAs: Method<typeof typeAsMethod>;
    isSameSize(other: Tensor): boolean;
    isNonzero(): boolean;
  }
}
