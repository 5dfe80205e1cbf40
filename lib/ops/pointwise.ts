/** Mathematical functions of one tensor, element by element. */
import type { Tensor } from '../tensor/tensor.js';
import { defineFunction, type Method } from './define-function.js';
import { elementwiseOp, type UnaryKernel } from './elementwise-op.js';
import { mulOp } from './arithmetic.js';
import { castRecorded } from './convert.js';
import { defaultFloatInfo } from '../storage/dtype.js';
import { tensorArgument } from './promotion.js';

declare module '../native/kernels.js' {
  interface Kernels {
    exp: UnaryKernel;
    neg: UnaryKernel;
  }
}

/** y = e^x; dx = g y. */
export const expOp = elementwiseOp({ name: 'exp', keep: (_, __, y) => [y], backward: (g, context) => [mulOp([g, context.saved(0)])] });

/** Integers and bools become the default floating type. */
function floatInput(op: string, input: unknown): Tensor {
  const x = tensorArgument(op, 'input', input);
  return x.info.floating ? x : castRecorded(x, defaultFloatInfo());
}

/** e^input. */
export const exp = defineFunction({ name: 'exp', parameters: ['input'] }, (input: Tensor): Tensor => expOp([floatInput('exp', input)]));

declare module '../tensor/tensor.js' {
  interface Tensor {
    exp: Method<typeof exp>;
  }
}
