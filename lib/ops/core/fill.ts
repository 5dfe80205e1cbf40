/** Values written in place: copy_, fill_, zero_; and fill, which writes into a copy. */
import { isGradEnabled } from '../../autograd/grad-mode.js';
import { checkInplace } from '../../autograd/graph.js';
import { attachMethod, defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { describe, fail, ShapeError } from '../../errors.js';
import { broadcastsTo } from '../../shape/broadcast.js';
import type { Shape } from '../../shape/layout.js';
import { requireInRange } from '../../storage/range.js';
import { allocateAs, allocateLike } from '../../tensor/allocate.js';
import { castTo, copyInto, filledTensor, fillWith } from '../../tensor/copy.js';
import { Tensor, windowOn } from '../../tensor/tensor.js';
import { adoptInplace } from './as-strided.js';
import { castRecorded } from './convert.js';
import { isScalar, type Scalar, tensorArgument } from './promotion.js';
import { expandOp } from './view.js';

/**
 * y = v everywhere, in x's shape and type; dx = 0 (zeros, so that the graph still leads to x, as in PyTorch), dv = the
 * sum of g (the engine's reduction).
 */
const fillOp = defineOp<void, Shape>({
  name: 'fill',
  nativeHalf: true,
  infer: ([x]) => x.shape,
  forward: (_, [x, value]) => {
    const out = allocateAs(x);
    copyInto(out, value);
    return out;
  },
  backward: (context, g) => [context.needs(0) ? filledTensor(g.shape, g.info, 0) : null, context.needs(1) ? g : null],
});

/** y = source, which is written over x: another node of the graph on the source's memory; dx = 0, dsource = g. */
const copyOp = defineOp<void, null>({
  name: 'copy',
  nativeHalf: true,
  infer: () => null,
  forward: (_, [, source]) => windowOn(source, [...source.shape], source.strides, source.offset),
  backward: (context, g) => [context.needs(0) ? filledTensor(g.shape, g.info, 0) : null, context.needs(1) ? g : null],
});

function valueTensor(op: string, x: Tensor, value: unknown): Tensor {
  if (value instanceof Tensor) {
    if (value.shape.length > 0) fail(ShapeError, op, 'a number or a 0-dimensional tensor', describe(value));
    return castRecorded(value, x.info);
  }
  if (!isScalar(value)) fail(ShapeError, op, 'a number or a 0-dimensional tensor', describe(value));
  requireInRange(op, value, x.info);
  const one = allocateLike(windowOn(x, [], [], x.offset));
  fillWith(one, value);
  return one;
}

/** The value everywhere, in the shape and type of `input`. torch.fill */
export const fill = defineFunction(
  { name: 'fill', parameters: ['input', 'value'], required: 2 },
  (input: Tensor, value: Scalar | Tensor): Tensor => {
    const x = tensorArgument('fill', 'input', input);
    return fillOp([x, valueTensor('fill', x, value)], undefined);
  },
);

/** Records an in-place change whose new values are `compute()`, where gradients are concerned; else only writes. */
function write(op: string, target: Tensor, source: Tensor, recorded: () => Tensor): Tensor {
  checkInplace(op, target);
  const record = isGradEnabled() && (target.requiresGrad || source.requiresGrad);
  const result = record ? recorded() : null;
  copyInto(target, source.storage.overlaps(target.storage) ? castTo(source, source.info) : source);
  target.storage.version++;
  if (result !== null) adoptInplace(target, result);
  return target;
}

function fillInPlace(op: string, x: Tensor, value: unknown): Tensor {
  const one = valueTensor(op, x, value);
  return write(op, x, one, () => fillOp([x, one], undefined));
}

/** Sets every element to the value, in place. Tensor.fill_ */
attachMethod('fill_', (x: Tensor, given: unknown) => {
  const named =
    typeof given === 'object' && given !== null && !(given instanceof Tensor) && 'value' in given ? given.value : given;
  return fillInPlace('fill_', x, named);
});

/** Sets every element to 0, in place. torch.zero_ */
export const zero_ = defineFunction(
  { name: 'zero_', parameters: ['input'] },
  (input: Tensor): Tensor => fillInPlace('zero_', tensorArgument('zero_', 'input', input), 0),
);

/** Copies the values of `src`, broadcast and converted, into the tensor. Tensor.copy_ */
const copyMethod = defineFunction(
  { name: 'Tensor.copy_', parameters: ['input', 'src', 'nonBlocking'], required: 2, method: 'copy_' },
  (input: Tensor, src: Tensor, nonBlocking?: boolean): Tensor => {
    void nonBlocking;
    const source = tensorArgument('copy_', 'src', src);
    if (!broadcastsTo(source.shape, input.shape))
      fail(ShapeError, 'copy_', `src that broadcasts to [${input.shape}]`, `[${source.shape}]`);
    return write('copy_', input, source, () =>
      copyOp([input, expandOp([castRecorded(source, input.info)], input.shape)], undefined),
    );
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    fill: Method<typeof fill>;
    fill_(value: Scalar | Tensor): Tensor;
    zero_: Method<typeof zero_>;
    copy_: Method<typeof copyMethod>;
  }
}
