/** Addition, subtraction, multiplication: elementwise with promotion and broadcasting. */
import { gradientOperators } from '../autograd/gradient-operators.js';
import { kernels } from '../native/kernels.js';
import { planOf } from '../shape/plan.js';
import type { Tensor } from '../tensor/tensor.js';
import { castTo } from './cast.js';
import { defineFunction, type Method } from './define-function.js';
import { defineInplace } from './inplace.js';
import { type BinaryKernel, elementwiseOp } from './elementwise-op.js';
import { asOperand, type Operand, resultType, type Scalar } from './promotion.js';

declare module '../native/kernels.js' {
  interface Kernels {
    add: BinaryKernel;
    sub: BinaryKernel;
    mul: BinaryKernel;
  }
}

/** y = a + b; da = g, db = g. */
export const addOp = elementwiseOp({ name: 'add', backward: (g) => [g, g] });
/** y = a b; da = g b, db = g a. */
export const mulOp = elementwiseOp({
  name: 'mul',
  keep: (needs, [a, b]) => [needs[1] ? a : null, needs[0] ? b : null],
  backward: (g, context) => [context.needs(0) ? mulOp([g, context.saved(1)]) : null, context.needs(1) ? mulOp([g, context.saved(0)]) : null],
});

gradientOperators.add = (a, b) => addOp([a, b]);
gradientOperators.addInto = (a, b) => {
  const addend = b.info === a.info ? b : castTo(b, a.info);
  kernels.add[a.info.code]?.(a.array, addend.array, a.array, planOf(a.shape, [a, a, addend]));
};

/** `input + alpha * other`, elementwise. */
export const add = defineFunction(
  { name: 'add', parameters: ['input', 'other', 'alpha'], keywords: 1, required: 2, scalarInput: true },
  (input: Operand, other: Operand, alpha?: Scalar): Tensor => {
    const info = resultType('add', [input, other]);
    const b = asOperand('add', other, info);
    return addOp([asOperand('add', input, info), alpha === undefined || alpha === 1 ? b : mulOp([b, asOperand('add', alpha, info)])]);
  },
);

/** `input * other`, elementwise. */
export const mul = defineFunction({ name: 'mul', parameters: ['input', 'other'], required: 2, scalarInput: true }, (input: Operand, other: Operand): Tensor => {
  const info = resultType('mul', [input, other]);
  return mulOp([asOperand('mul', input, info), asOperand('mul', other, info)]);
});

defineInplace('add_', add);
defineInplace('mul_', mul);

declare module '../tensor/tensor.js' {
  interface Tensor {
    add: Method<typeof add>;
    add_: Method<typeof add>;
    mul: Method<typeof mul>;
    mul_: Method<typeof mul>;
  }
}
