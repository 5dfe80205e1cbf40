/**
 * Changes of what a tensor shows: other sizes of its storage (`resize_`), or the memory of another tensor (`set_`).
 * Neither is part of the graph.
 */
import { checkInplace } from '../../autograd/graph.js';
import { attachMethod, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, AutogradError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { checkSizes } from '../../shape/dims.js';
import { contiguousStrides, elementCount, isContiguous, type Shape } from '../../shape/layout.js';
import { allocate } from '../../tensor/allocate.js';
import { copyPart } from '../../tensor/copy.js';
import { rebind, Tensor, windowOn } from '../../tensor/tensor.js';
import { tensorArgument } from './promotion.js';

/** How many elements of the storage a window reaches, from the storage's first on. */
function extent(shape: Shape, strides: readonly number[], offset: number): number {
  return elementCount(shape) === 0 ? 0 : shape.reduce((last, n, d) => last + (n - 1) * strides[d], offset + 1);
}

function resize(op: string, x: Tensor, shape: readonly number[]): Tensor {
  if (x.requiresGrad) throw new AutogradError(`${op}: expected a tensor that requires no grad, got one that does`);
  checkSizes(op, shape);
  const strides = contiguousStrides(shape);
  const there = Math.floor(x.storage.byteLength / x.info.bytes);
  const needed = extent(shape, strides, x.offset);
  if (needed <= there) rebind(x, windowOn(x, [...shape], strides, x.offset));
  else {
    const grown = allocate([needed], x.info);
    const all = { start: 0, strides: [1] };
    copyPart([there], { tensor: grown, ...all }, { tensor: windowOn(x, [there], [1], 0), ...all });
    grown.storage.version = x.storage.version;
    rebind(x, windowOn(grown, [...shape], strides, x.offset));
  }
  x.storage.version++;
  return x;
}

/** The sizes, which may be followed by options. */
attachMethod('resize_', (x: Tensor, ...args: unknown[]) =>
  resize('resize_', x, sizeArguments('resize_', 'sizes', args)),
);
/** As `resize_`, to the sizes of another tensor. Tensor.resize_as_ */
const resizeAs = defineMethod(
  'resizeAs_',
  ['theTemplate'],
  (x: Tensor, theTemplate: Tensor): Tensor =>
    resize('resizeAs_', x, tensorArgument('resizeAs_', 'theTemplate', theTemplate).shape),
);

/**
 * Makes the tensor show the memory of `source`, in the window that is given (the source's own by default; none without
 * a source). Throws DTypeError for another dtype, AutogradError for a source or a target in the graph. Tensor.set_
 */
const set = defineMethod(
  'set_',
  ['source', 'storageOffset', 'size', 'stride'],
  (input: Tensor, source?: Tensor | null, storageOffset?: number, size?: Shape, stride?: readonly number[]): Tensor => {
    checkInplace('set_', input);
    const from =
      source === undefined || source === null ? allocate([0], input.info) : tensorArgument('set_', 'source', source);
    if (from.info !== input.info) fail(DTypeError, 'set_', `a source of ${input.dtype}`, from.dtype);
    if (from.requiresGrad)
      throw new AutogradError('set_: expected a source that requires no grad, got one that does; detach() it first');
    const offset = storageOffset ?? (size === undefined ? from.offset : 0);
    const shape = [...(size ?? from.shape)];
    checkSizes('set_', shape);
    const strides = [...(stride ?? (size === undefined ? from.strides : contiguousStrides(shape)))];
    if (strides.length !== shape.length || strides.some((n) => !Number.isInteger(n) || n < 0))
      fail(ArgumentError, 'set_', `a stride of at least 0 for each of ${shape.length} sizes`, describe(strides));
    if (!Number.isInteger(offset) || offset < 0)
      fail(ArgumentError, 'set_', 'a storageOffset of at least 0', describe(offset));
    const there = Math.floor(from.storage.byteLength / from.info.bytes);
    if (extent(shape, strides, offset) > there)
      fail(
        ShapeError,
        'set_',
        `a window within the ${there} elements of the source's memory`,
        `size [${shape}], stride [${strides}] from ${offset} on`,
      );
    const storage = from.storage.alias(input.storage.version + 1);
    rebind(
      input,
      new Tensor(storage, null, from.info, Object.freeze(shape), strides, offset, isContiguous(shape, strides)),
    );
    return input;
  },
  { kinds: { source: 'tensor?' } },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /**
     * The first elements of the storage in other sizes, contiguous from the tensor's first element on. Where the
     * storage is too small, the tensor gets a larger one, uninitialised beyond the old elements; other tensors stay on
     * the old one. Tensor.resize_
     */
    resize_(...sizes: [readonly (number | Tensor)[]] | (number | Tensor)[]): this;
    resizeAs_: Method<typeof resizeAs>;
    set_: Method<typeof set>;
  }
}
