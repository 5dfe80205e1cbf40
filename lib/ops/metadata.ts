/** In-place changes of a tensor's own shape and strides, on the same memory: squeeze_, unsqueeze_, t_, transpose_, asStrided_. */
import { checkInplace } from '../autograd/graph.js';
import { describe, fail, ShapeError } from '../errors.js';
import { sameShape } from '../shape/layout.js';
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
