/** Choosing between values, element by element: where, maskedFill, bounds, the larger and the smaller. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { BOOL, UINT8 } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';
import { castRecorded } from '../core/convert.js';
import { asOperand, isScalar, type Operand, resultType, scalarTensor, tensorArgument } from '../core/promotion.js';
import { nonzeroTuple } from '../indexing/masked.js';
import { divOp, mul, subOp } from './arithmetic.js';
import { eq, ge, gt, le, lt } from './comparison.js';
import { aliasOf, type BinaryFunction, binary, defineElementwise, Planned } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import { logicalAnd, logicalOr } from './logical.js';

/** y = c ? a : b, of operands (a, b, c); da = c ? g : 0, db = c ? 0 : g. */
export const whereOp: Elementwise = elementwiseOp({
  name: 'where',
  layout: [2, 0, 1],
  keep: (_, [, , condition]) => [condition],
  backward: (g, context): Gradients => {
    const condition = context.saved(0);
    const zero = scalarTensor(0, g.info);
    return [
      context.needs(0) ? whereOp([g, zero, condition]) : null,
      context.needs(1) ? whereOp([zero, g, condition]) : null,
      null,
    ];
  },
});

/** The same as maskedFill, whose result PyTorch lays out row by row, of operands (value, x, mask). */
const maskedFillOp: Elementwise = elementwiseOp({
  name: 'maskedFill',
  kernel: 'where',
  layout: 'contiguous',
  keep: (_, [, , mask]) => [mask],
  backward: (g, context): Gradients => {
    const mask = context.saved(0);
    const zero = scalarTensor(0, g.info);
    return [
      context.needs(0) ? whereOp([g, zero, mask]) : null,
      context.needs(1) ? whereOp([zero, g, mask]) : null,
      null,
    ];
  },
});

function maskArgument(op: string, name: string, value: unknown): Tensor {
  const mask = tensorArgument(op, name, value);
  if (mask.info === BOOL) return mask;
  if (mask.info === UINT8) return castRecorded(mask, BOOL);
  return fail(DTypeError, op, `a bool tensor for ${name}`, mask.dtype, { [name]: mask });
}

interface Where {
  (condition: Tensor): Tensor[];
  (condition: Tensor, input: Operand, other: Operand): Tensor;
  (condition: Tensor, options: { input: Operand; other: Operand }): Tensor;
  (named: { condition: Tensor; input: Operand; other: Operand }): Tensor;
}
/**
 * `condition ? input : other`, elementwise; `input` and `other` may be numbers. Of the condition alone: where it is
 * true, one index vector a dimension.
 */
export const where = defineFunction(
  { name: 'where', parameters: ['condition', 'input', 'other'], method: false },
  (condition: Tensor, input?: Operand, other?: Operand): Tensor | Tensor[] => {
    if (input === undefined && other === undefined)
      return nonzeroTuple(tensorArgument('where', 'condition', condition));
    if (input === undefined || other === undefined)
      fail(ArgumentError, 'where', 'input and other, or neither', 'one of them', { condition });
    const info = resultType('where', [input, other]);
    return whereOp([
      asOperand('where', input, info),
      asOperand('where', other, info),
      maskArgument('where', 'condition', condition),
    ]);
  },
) as unknown as Where;
const whereMethod = defineMethod(
  'where',
  ['condition', 'other'],
  (input: Tensor, condition: Tensor, other: Operand): Tensor => where(condition, input, other),
  { required: 3 },
);

/** `input` with `value` (a number or a 0-dimensional tensor) wherever `mask` is true. */
export const maskedFill = defineElementwise(
  { name: 'maskedFill', parameters: ['input', 'mask', 'value'], required: 3 },
  (input: Tensor, mask: Tensor, value: Operand) => {
    const x = tensorArgument('maskedFill', 'input', input);
    if (value instanceof Tensor && value.shape.length > 0)
      fail(ArgumentError, 'maskedFill', 'a number or a 0-dimensional tensor for value', describe(value), {
        input,
        mask,
      });
    if (isScalar(value) && !x.info.floating && resultType('maskedFill', [x, value]) !== x.info)
      fail(DTypeError, 'maskedFill', `a value that can be stored as ${x.dtype}`, describe(value), { input });
    return new Planned(maskedFillOp, [
      asOperand('maskedFill', value, x.info),
      x,
      maskArgument('maskedFill', 'mask', mask),
    ]);
  },
);

/** The larger of two gradients' shares: z = g of a's side in max(a, b), half of it at a tie; dg = h's share. */
const maximumBackwardOp: Elementwise = elementwiseOp({
  name: 'maximumBackward',
  keep: (_, [, a, b]) => [a, b],
  backward: (h, context): Gradients => [maximumBackwardOp([h, context.saved(0), context.saved(1)]), null, null],
});
const minimumBackwardOp: Elementwise = elementwiseOp({
  name: 'minimumBackward',
  keep: (_, [, a, b]) => [a, b],
  backward: (h, context): Gradients => [minimumBackwardOp([h, context.saved(0), context.saved(1)]), null, null],
});
/** The larger operand, NaN where one is NaN. A tie splits the gradient half and half. */
export const maximum: BinaryFunction = binary(
  {
    name: 'maximum',
    keep: (_, [a, b]) => [a, b],
    backward: (g, context): Gradients => {
      const [a, b] = [context.saved(0), context.saved(1)];
      return [
        context.needs(0) ? maximumBackwardOp([g, a, b]) : null,
        context.needs(1) ? maximumBackwardOp([g, b, a]) : null,
      ];
    },
  },
  { inplace: false },
);
/** The smaller operand, NaN where one is NaN. A tie splits the gradient half and half. */
export const minimum: BinaryFunction = binary(
  {
    name: 'minimum',
    keep: (_, [a, b]) => [a, b],
    backward: (g, context): Gradients => {
      const [a, b] = [context.saved(0), context.saved(1)];
      return [
        context.needs(0) ? minimumBackwardOp([g, a, b]) : null,
        context.needs(1) ? minimumBackwardOp([g, b, a]) : null,
      ];
    },
  },
  { inplace: false },
);

/** fmax, fmin: the gradient goes to one side alone, the first at a tie. */
function ignoringNan(name: 'fmax' | 'fmin'): BinaryFunction {
  const firstOp = elementwiseOp({ name: `${name}First`, output: BOOL, notDifferentiable: 'a mask' });
  return binary(
    {
      name,
      keep: (_, [a, b]) => [a, b],
      backward: (g, context): Gradients => {
        const first = firstOp([context.saved(0), context.saved(1)]);
        const zero = scalarTensor(0, g.info);
        return [
          context.needs(0) ? whereOp([g, zero, first]) : null,
          context.needs(1) ? whereOp([zero, g, first]) : null,
        ];
      },
    },
    { inplace: false },
  );
}
/** The larger operand, the other one where one is NaN. */
export const fmax = ignoringNan('fmax');
/** The smaller operand, the other one where one is NaN. */
export const fmin = ignoringNan('fmin');

/** y = min(max(x, low), high) for numbers; dx = g where low <= x <= high. */
export const clampScalarOp: Elementwise = elementwiseOp({
  name: 'clampScalar',
  keep: (_, [x]) => [x],
  backward: (g, context): Gradients => [clampBackwardOp([g, context.saved(0)], context.spec.numbers)],
});
/** z = g where low <= x <= high; dg = h there. */
export const clampBackwardOp: Elementwise = elementwiseOp({
  name: 'clampBackward',
  keep: (_, [, x]) => [x],
  backward: (h, context): Gradients => [clampBackwardOp([h, context.saved(0)], context.spec.numbers), null],
});
/** y = min(max(x, l), h) for tensors; dx = g where l <= x <= h, dl = g where x < l < h, dh = g where x > h or h < l. */
const clampOp: Elementwise = elementwiseOp({
  name: 'clamp',
  keep: (_, inputs) => [...inputs],
  backward: (g, context): Gradients => {
    const [x, low, high] = [context.saved(0), context.saved(1), context.saved(2)];
    const at = (mask: Tensor): Tensor => whereOp([g, scalarTensor(0, g.info), mask]);
    return [
      context.needs(0) ? at(logicalAnd.op([ge.op([x, low]), le.op([x, high])])) : null,
      context.needs(1) ? at(logicalAnd.op([lt.op([low, high]), lt.op([x, low])])) : null,
      context.needs(2) ? at(logicalOr.op([gt.op([x, high]), lt.op([high, low])])) : null,
    ];
  },
});
/** y = max(x, l); dx = g where x >= l, dl = g where x < l. */
const clampMinOp: Elementwise = elementwiseOp({
  name: 'clampMin',
  kernel: 'maximum',
  keep: (_, inputs) => [...inputs],
  backward: (g, context): Gradients => {
    const [x, low] = [context.saved(0), context.saved(1)];
    const zero = scalarTensor(0, g.info);
    return [
      context.needs(0) ? whereOp([g, zero, ge.op([x, low])]) : null,
      context.needs(1) ? whereOp([g, zero, lt.op([x, low])]) : null,
    ];
  },
});
/** y = min(x, h); dx = g where x <= h, dh = g where x > h. */
const clampMaxOp: Elementwise = elementwiseOp({
  name: 'clampMax',
  kernel: 'minimum',
  keep: (_, inputs) => [...inputs],
  backward: (g, context): Gradients => {
    const [x, high] = [context.saved(0), context.saved(1)];
    const zero = scalarTensor(0, g.info);
    return [
      context.needs(0) ? whereOp([g, zero, le.op([x, high])]) : null,
      context.needs(1) ? whereOp([g, zero, gt.op([x, high])]) : null,
    ];
  },
});

type Bound = Operand | null | undefined;

function planClamp(op: string, input: Tensor, min: Bound, max: Bound): Planned {
  const x = tensorArgument(op, 'input', input);
  const low = min ?? undefined;
  const high = max ?? undefined;
  if (low === undefined && high === undefined) fail(ArgumentError, op, 'min or max', 'neither', { input });
  const info = resultType(
    op,
    [x, low, high].filter((operand) => operand !== undefined),
  );
  if (info === BOOL) fail(DTypeError, op, 'numbers', 'bool', { input });
  const y = asOperand(op, x, info);
  const numbers = [low ?? -Infinity, high ?? Infinity];
  // A bound of NaN makes everything NaN, which the kernel for numbers does not.
  if (info.floating && numbers.every((bound) => isScalar(bound) && !Number.isNaN(bound)))
    return new Planned(clampScalarOp, [y], numbers.map(Number));
  if (high === undefined) return new Planned(clampMinOp, [y, asOperand(op, low as Operand, info)]);
  if (low === undefined) return new Planned(clampMaxOp, [y, asOperand(op, high, info)]);
  return new Planned(clampOp, [y, asOperand(op, low, info), asOperand(op, high, info)]);
}

/** `min(max(input, min), max)`, elementwise; each bound is a number, a tensor, or left out. */
export const clamp = defineElementwise(
  { name: 'clamp', parameters: ['input', 'min', 'max'] },
  (input: Tensor, min?: Bound, max?: Bound) => planClamp('clamp', input, min, max),
);
export const clip = aliasOf('clip', clamp);
/** `max(input, min)`, elementwise. */
export const clampMin = defineElementwise(
  { name: 'clampMin', parameters: ['input', 'min'], required: 2 },
  (input: Tensor, min: Operand) => planClamp('clampMin', input, min, null),
);
/** `min(input, max)`, elementwise. */
export const clampMax = defineElementwise(
  { name: 'clampMax', parameters: ['input', 'max'], required: 2 },
  (input: Tensor, max: Operand) => planClamp('clampMax', input, null, max),
);

/** y = a + w (b - a); da = g (1 - w), db = g w, dw = g (b - a). */
const lerpOp: Elementwise = elementwiseOp({
  name: 'lerp',
  keep: (needs, [a, b, w]) => [needs[2] ? a : null, needs[2] ? b : null, w],
  backward: (g, context): Gradients => {
    const w = context.saved(2);
    return [
      context.needs(0) ? mul.op([g, subOp([scalarTensor(1, g.info), w])]) : null,
      context.needs(1) ? mul.op([g, w]) : null,
      context.needs(2) ? mul.op([g, subOp([context.saved(1), context.saved(0)])]) : null,
    ];
  },
});
/** `input + weight * (end - input)`, elementwise; `weight` is a number or a tensor. */
export const lerp = defineElementwise(
  { name: 'lerp', parameters: ['input', 'end', 'weight'], required: 3, kinds: { weight: 'operand' } },
  (input: Tensor, end: Tensor, weight: Operand) => {
    const [a, b] = [tensorArgument('lerp', 'input', input), tensorArgument('lerp', 'end', end)];
    if (!a.info.floating || b.info !== a.info || (weight instanceof Tensor && weight.info !== a.info))
      fail(
        DTypeError,
        'lerp',
        'floating tensors of one dtype',
        `${a.dtype}, ${b.dtype}${weight instanceof Tensor ? `, ${weight.dtype}` : ''}`,
      );
    return new Planned(lerpOp, [a, b, asOperand('lerp', weight, a.info)]);
  },
);

type BinaryMethods = { [N in 'maximum' | 'minimum' | 'fmax' | 'fmin']: Method<BinaryFunction> };
declare module '../../tensor/tensor.js' {
  interface Tensor extends BinaryMethods {
    where: Method<typeof whereMethod>;
    maskedFill: Method<typeof maskedFill>;
    maskedFill_: Method<typeof maskedFill>;
    clamp: Method<typeof clamp>;
    clamp_: Method<typeof clamp>;
    clip: Method<typeof clamp>;
    clip_: Method<typeof clamp>;
    clampMin: Method<typeof clampMin>;
    clampMin_: Method<typeof clampMin>;
    clampMax: Method<typeof clampMax>;
    clampMax_: Method<typeof clampMax>;
    lerp: Method<typeof lerp>;
    lerp_: Method<typeof lerp>;
  }
}

/** a / b, and 0 where b is 0: the subgradient that PyTorch takes there, safe to differentiate again. */
export function divideOrZero(a: Tensor, b: Tensor): Tensor {
  const zero = scalarTensor(0, b.info);
  const atZero = eq.op([b, zero]);
  return whereOp([zero, divOp([a, whereOp([scalarTensor(1, b.info), b, atZero])]), atZero]);
}
