/** `autograd.Variable`, the former name of tensors with gradients. PyTorch keeps it for old programs. */
import { checkBoolean, readArguments } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

interface VariableOptions {
  /** Default false. */
  requiresGrad?: boolean;
}
interface VariableFunction {
  /**
   * A leaf that shares the memory of `data`, outside of its graph. Throws ArgumentError unless `data` is a tensor.
   * Source: torch.autograd.Variable.
   */
  (data: Tensor, requiresGrad?: boolean | VariableOptions): Tensor;
  /** The same, as old programs write it. */
  new (data: Tensor, requiresGrad?: boolean | VariableOptions): Tensor;
  /** Every tensor is a Variable. */
  [Symbol.hasInstance](value: unknown): boolean;
}

function variable(...args: unknown[]): Tensor {
  const { data, requiresGrad } = readArguments(
    'autograd.Variable',
    { data: undefined as unknown, requiresGrad: false },
    args,
  );
  if (!(data instanceof Tensor)) fail(ArgumentError, 'autograd.Variable', 'a tensor', describe(data));
  checkBoolean('autograd.Variable', 'requiresGrad', requiresGrad);
  const leaf = data.detach();
  return requiresGrad ? leaf.requiresGrad_() : leaf;
}
Object.defineProperty(variable, 'name', { value: 'Variable' });
Object.defineProperty(variable, Symbol.hasInstance, { value: (value: unknown) => value instanceof Tensor });

export const Variable = variable as unknown as VariableFunction;
