/**
 * Second derivatives of fused operators: their backward kernels cannot be differentiated, so where a graph of the
 * derivative is wanted, the forward pass is computed anew from operators that can be, and that is differentiated. It
 * knows nothing of any operator but the view.
 */

import { grad } from '../../autograd/backward.js';
import type { Node } from '../../autograd/node.js';
import type { Tensor } from '../../tensor/tensor.js';
import { viewOp } from './view.js';

/**
 * Gradients of a fused operator's inputs, recorded: `compose` computes its differentiable outputs from the inputs with
 * ordinary operators.
 * `gradOutputs` has one entry an output, null where none arrived. Called inside a rule, with recording on.
 */
export function gradientsByComposition(
  context: Node,
  inputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null)[],
  compose: (inputs: readonly Tensor[]) => readonly Tensor[],
): (Tensor | null)[] {
  // Views of their own, so that one input's gradient does not take in what flows to it through another input.
  const aliases = inputs.map((input, i) => (context.needs(i) ? viewOp([input], input.shape) : input));
  const outputs = compose(aliases);
  const live = outputs
    .map((_, i) => i)
    .filter((i) => gradOutputs[i] !== null && gradOutputs[i] !== undefined && outputs[i].requiresGrad);
  const wanted = aliases.map((_, i) => i).filter((i) => context.needs(i));
  const results: (Tensor | null)[] = inputs.map(() => null);
  if (live.length === 0) return results;
  const gradients = grad(
    live.map((i) => outputs[i]),
    wanted.map((i) => aliases[i]),
    { gradOutputs: live.map((i) => gradOutputs[i]), createGraph: true, allowUnused: true },
  );
  wanted.forEach((input, i) => {
    results[input] = gradients[i];
  });
  return results;
}
