/**
 * The steps that every operator call has in common, whether it makes a new tensor, writes in place or runs a user's
 * function: observers see it begin (`beginCall`), a node with edges to the inputs enters the graph where a gradient is
 * needed (`openNode`), the outputs become those of the node (`attachOutputs`), and observers see the end (`endCall`).
 */
import type { Tensor } from '../tensor/tensor.js';
import { attachOutput, nodeFor, recordingNeeded } from './graph.js';
import type { Differentiable, Node } from './node.js';
import { type OperatorCall, observer } from './observer.js';

/** An OperatorCall while it runs. */
interface RunningCall extends OperatorCall {
  spec: unknown;
  outputs: readonly Tensor[];
}
const NONE: readonly Tensor[] = Object.freeze([]);

/** Shows the observers a call that begins. Null while nobody observes. */
export function beginCall(
  definition: Differentiable,
  inputs: readonly Tensor[],
  attributes: unknown,
  target: Tensor | null = null,
): RunningCall | null {
  const { active } = observer;
  if (active === null) return null;
  const call: RunningCall = { definition, inputs, attributes, target, spec: undefined, outputs: NONE };
  active.begin(call);
  return call;
}

/** The node of a call on these inputs, or null where the operator has no derivative or no input needs a gradient. */
export function openNode(definition: Differentiable, spec: unknown, inputs: readonly Tensor[]): Node | null {
  if (definition.backward === undefined || !recordingNeeded(inputs)) return null;
  const node = nodeFor(definition, spec, inputs);
  if (observer.active !== null) node.origin = observer.active.origin();
  return node;
}

/** Makes the outputs those of the node, in their order; those at the places in `without` get no gradient. */
export function attachOutputs(node: Node, outputs: readonly Tensor[], without: readonly number[] = NO_PLACES): void {
  for (let i = 0; i < outputs.length; i++) {
    attachOutput(node, outputs[i]);
    if (without.includes(i)) outputs[i].node = null;
  }
}
const NO_PLACES: readonly number[] = Object.freeze([]);

/** Shows the observers the end of a call. */
export function endCall(call: RunningCall | null, spec: unknown, outputs: Tensor | readonly Tensor[]): void {
  if (call === null) return;
  call.spec = spec;
  call.outputs = Array.isArray(outputs) ? outputs : [outputs as Tensor];
  observer.active?.end(call);
}
