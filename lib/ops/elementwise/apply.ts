/** A function of the program's on each element, in place: apply_, map_, map2_. Slow, and not part of the graph. */
import { checkInplace } from '../../autograd/graph.js';
import { attachMethod } from '../../dispatch/define-function.js';
import { ArgumentError, AutogradError, DTypeError, describe, fail } from '../../errors.js';
import { elementCount } from '../../shape/layout.js';
import { requireWholeInRange } from '../../storage/range.js';
import { copyInto } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { isScalar, tensorArgument } from '../core/promotion.js';
import { expandOp } from '../core/view.js';
import { tensor } from '../creation/creation.js';

type Element = number | boolean;

function run(op: string, x: Tensor, others: readonly Tensor[], fn: unknown): Tensor {
  if (typeof fn !== 'function') fail(ArgumentError, op, 'a function', describe(fn));
  for (const t of [x, ...others])
    if (t.requiresGrad)
      throw new AutogradError(`${op}: expected tensors that require no grad, got one that does; detach() it first`);
  checkInplace(op, x);
  const columns = [x, ...others].map((t) => t.flatten().tolist() as Element[]);
  const values = Array.from({ length: elementCount(x.shape) }, (_, i): Element => {
    const value: unknown = (fn as (...elements: Element[]) => unknown)(...columns.map((column) => column[i]));
    if (!isScalar(value)) fail(ArgumentError, op, 'a function that returns a number', describe(value));
    requireWholeInRange(op, value, x.info);
    return typeof value === 'bigint' ? Number(value) : value;
  });
  copyInto(x, tensor(values, { dtype: x.dtype, shape: x.shape }));
  x.storage.version++;
  return x;
}

function operand(op: string, x: Tensor, name: string, value: unknown): Tensor {
  const other = tensorArgument(op, name, value);
  if (other.info !== x.info) fail(DTypeError, op, `${x.dtype} for ${name}`, other.dtype);
  return expandOp([other], x.shape);
}

attachMethod('apply_', (x: Tensor, fn: unknown) => run('apply_', x, [], fn));
attachMethod('map_', (x: Tensor, other: unknown, fn: unknown) =>
  run('map_', x, [operand('map_', x, 'other', other)], fn),
);
attachMethod('map2_', (x: Tensor, other1: unknown, other2: unknown, fn: unknown) =>
  run('map2_', x, [operand('map2_', x, 'other1', other1), operand('map2_', x, 'other2', other2)], fn),
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /** Each element as `fn` of it, in place. Tensor.apply_ */
    apply_(fn: (value: number) => Element): this;
    /** Each element as `fn` of it and of the other tensor's, which is broadcast, in place. Tensor.map_ */
    map_(other: Tensor, fn: (value: number, other: number) => Element): this;
    map2_(other1: Tensor, other2: Tensor, fn: (value: number, other1: number, other2: number) => Element): this;
  }
}
