/** What the normalisations share: optional weight and bias beside the input, and the type that they are computed in. */
import type { Gradients } from '../../autograd/node.js';
import type { Context } from '../../dispatch/define-op.js';
import { DTypeError, fail, ShapeError } from '../../errors.js';
import { type Shape, sameShape } from '../../shape/layout.js';
import { type DTypeInfo, FLOAT32 } from '../../storage/dtype.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';

/** Which of the optional operands follow the input. */
export interface Operands {
  readonly hasWeight: boolean;
  readonly hasBias: boolean;
}

/** The input and those of weight and bias that are there, as the operators take them. */
export function operandsOf(
  op: string,
  input: unknown,
  weight: unknown,
  bias: unknown,
): { inputs: Tensor[]; has: Operands } {
  const inputs = [tensorArgument(op, 'input', input)];
  const hasWeight = weight !== undefined && weight !== null;
  const hasBias = bias !== undefined && bias !== null;
  if (hasWeight) inputs.push(tensorArgument(op, 'weight', weight));
  if (hasBias) inputs.push(tensorArgument(op, 'bias', bias));
  return { inputs, has: { hasWeight, hasBias } };
}

/** Weight and bias out of what `operandsOf` made. */
export function weightAndBias(
  inputs: readonly Tensor[],
  { hasWeight, hasBias }: Operands,
): [weight: Tensor | null, bias: Tensor | null] {
  return [hasWeight ? inputs[1] : null, hasBias ? inputs[hasWeight ? 2 : 1] : null];
}

/**
 * The gradients of the input and of those of weight and bias that are there. A node saves the input, mean, rstd and the
 * weight; `backward` makes dx, dw and db of them, after the gradient g of the output.
 */
export function operandGradients<Spec extends Operands>(
  context: Context<Spec>,
  g: Tensor,
  backward: (inputs: readonly Tensor[], spec: Spec) => Tensor[],
): Gradients {
  const { spec } = context;
  const inputs = [g, context.saved(0), context.saved(1), context.saved(2)];
  if (spec.hasWeight) inputs.push(context.saved(3));
  const [dx, dw, db] = backward(inputs, spec);
  return [dx, ...(spec.hasWeight ? [dw] : []), ...(spec.hasBias ? [db] : [])];
}

/** Throws unless the operand has the given shape, and the input's type or, beside a 16-bit input, float32. */
export function checkOperand(op: string, name: string, operand: Tensor | null, shape: Shape, input: Tensor): void {
  if (operand === null) return;
  if (!sameShape(operand.shape, shape))
    fail(ShapeError, op, `${name} of shape [${shape}]`, `[${operand.shape}]`, { input });
  if (operand.info !== input.info && !(input.info.half && operand.info === FLOAT32))
    fail(DTypeError, op, `${name} of the input's dtype${input.info.half ? ' or float32' : ''}`, operand.dtype, {
      input,
    });
}

/** The type that an input is computed in: 16-bit types in float32. */
export function computeInfo(input: Tensor): DTypeInfo {
  return input.info.half ? FLOAT32 : input.info;
}

/** The tensor contiguous in the given type; itself where it is that already. */
export function computed(t: Tensor, info: DTypeInfo): Tensor {
  return t.info === info ? contiguousOf(t) : castTo(t, info);
}
