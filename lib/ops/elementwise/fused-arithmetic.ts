/** Arithmetic of three operands in one pass: addcmul, addcdiv; and xlogy. */

import type { Gradients } from '../../autograd/node.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { BOOL, type DTypeInfo } from '../../storage/dtype.js';
import { castTo } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { asOperand, isScalar, resultType, type Scalar, scalarTensor, tensorArgument } from '../core/promotion.js';
import { div, divOp, mul, neg, scaled, scaledMulOp } from './arithmetic.js';
import { eq, le } from './comparison.js';
import { type BinaryFunction, binary, defineElementwise, floatPair, Planned } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import { logicalAnd } from './logical.js';
import { whereOp } from './selection.js';

/** y = x + v a b; dx = g, da = v g b, db = v g a. */
const addcmulOp: Elementwise = elementwiseOp({
  name: 'addcmul',
  keep: (needs, [, a, b]) => [needs[2] ? a : null, needs[1] ? b : null],
  backward: (g, context): Gradients => {
    const { numbers } = context.spec;
    return [
      g,
      context.needs(1) ? scaledMulOp([g, context.saved(1)], numbers) : null,
      context.needs(2) ? scaledMulOp([g, context.saved(0)], numbers) : null,
    ];
  },
});
/** y = x + v a / b; dx = g, da = v g / b, db = -v g a / b^2. */
const addcdivOp: Elementwise = elementwiseOp({
  name: 'addcdiv',
  keep: (needs, [, a, b]) => [needs[2] ? a : null, b],
  backward: (g, context): Gradients => {
    const [value] = context.spec.numbers;
    if (!context.needs(1) && !context.needs(2)) return [g, null, null];
    const b = context.saved(1);
    return [
      g,
      context.needs(1) ? mul.op([g, divOp([scalarTensor(value, b.info), b])]) : null,
      context.needs(2) ? neg.op([mul.op([g, divOp([scaled(context.saved(0), value), mul.op([b, b])])])]) : null,
    ];
  },
});

/**
 * addcdiv of operands of several floating types; the derivative is formed in the operands' own types before it is
 * promoted, as PyTorch does.
 */
const addcdivMixedOp = defineOp<number, MixedSpec>({
  name: 'addcdivMixed',
  nativeHalf: true,
  infer: (operands, value) => ({ value, info: resultType('addcdiv', operands) }),
  forward: ({ value, info }, operands) =>
    addcdivOp(
      operands.map((t) => castTo(t, info)),
      [value],
    ),
  save: (context, [, a, b]) =>
    context.save(context.needs(2) ? a : null, context.needs(1) || context.needs(2) ? b : null),
  backward: (context, g): Gradients => {
    if (!context.needs(1) && !context.needs(2)) return [g, null, null];
    const b = context.saved(1);
    return [
      g,
      context.needs(1) ? mul(g, divOp([scalarTensor(context.spec.value, b.info), b])) : null,
      context.needs(2) ? mul(neg.op([g]), div(scaled(context.saved(0), context.spec.value), mul.op([b, b]))) : null,
    ];
  },
});
interface MixedSpec {
  readonly value: number;
  readonly info: DTypeInfo;
}

function planTernary(
  op: Elementwise,
  name: string,
  input: Tensor,
  tensor1: Tensor,
  tensor2: Tensor,
  value: Scalar | undefined,
  integers: boolean,
): Planned | Tensor {
  const operands = [
    tensorArgument(name, 'input', input),
    tensorArgument(name, 'tensor1', tensor1),
    tensorArgument(name, 'tensor2', tensor2),
  ];
  const info = resultType(name, operands);
  if (info === BOOL || (!integers && !info.floating))
    fail(DTypeError, name, integers ? 'numbers' : 'a floating tensor (integers do not divide evenly)', info.name);
  const factor = value ?? 1;
  if (!isScalar(factor)) fail(ArgumentError, name, 'a number for value', describe(factor));
  if (!info.floating && !Number.isInteger(Number(factor)))
    fail(ArgumentError, name, `an integral value for ${info.name} tensors`, String(factor));
  if (op === addcdivOp && operands.every((t) => t.info.floating) && operands.some((t) => t.info !== info))
    return addcdivMixedOp(operands, Number(factor));
  return new Planned(
    op,
    operands.map((t) => asOperand(name, t, info)),
    [Number(factor)],
  );
}

/** `input + value * tensor1 * tensor2`, elementwise; value is 1 by default. */
export const addcmul = defineElementwise(
  { name: 'addcmul', parameters: ['input', 'tensor1', 'tensor2', 'value'], keywords: 1, required: 3 },
  (input: Tensor, tensor1: Tensor, tensor2: Tensor, value?: Scalar) =>
    planTernary(addcmulOp, 'addcmul', input, tensor1, tensor2, value, true),
);
/** `input + value * tensor1 / tensor2`, elementwise; value is 1 by default. */
export const addcdiv = defineElementwise(
  { name: 'addcdiv', parameters: ['input', 'tensor1', 'tensor2', 'value'], keywords: 1, required: 3 },
  (input: Tensor, tensor1: Tensor, tensor2: Tensor, value?: Scalar) =>
    planTernary(addcdivOp, 'addcdiv', input, tensor1, tensor2, value, false),
);

/**
 * `input * ln(other)`, 0 where input is 0 (unless other is NaN). da = g ln b, 0 where a = 0 and b <= 0; db = g a / b.
 */
export const xlogy: BinaryFunction = binary(
  {
    name: 'xlogy',
    keep: (_, [a, b]) => [a, b],
    backward: (g, context): Gradients => {
      const [a, b] = [context.saved(0), context.saved(1)];
      const zero = scalarTensor(0, g.info);
      const da = (): Tensor => whereOp([zero, xlogyOp([g, b]), logicalAnd.op([eq.op([a, zero]), le.op([b, zero])])]);
      return [context.needs(0) ? da() : null, context.needs(1) ? divOp([mul.op([g, a]), b]) : null];
    },
  },
  { operands: floatPair },
);
const xlogyOp: Elementwise = xlogy.op;

declare module '../../tensor/tensor.js' {
  interface Tensor {
    addcmul: Method<typeof addcmul>;
    addcmul_: Method<typeof addcmul>;
    addcdiv: Method<typeof addcdiv>;
    addcdiv_: Method<typeof addcdiv>;
    xlogy: Method<BinaryFunction>;
    xlogy_: Method<BinaryFunction>;
  }
}
