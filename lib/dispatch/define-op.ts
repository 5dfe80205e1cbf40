/**
 * Declares operators: the checks and the output geometry (`infer`), the kernel call (`forward`), what the node saves
 * (`save`) and the derivative (`backward`). A call runs autocast, the checks, the kernel and the recording, in this
 * order. The engine, not the derivative, reduces gradients over broadcast dimensions, casts and accumulates them, and
 * frees what was saved.
 */
import type { Differentiable, Gradients, Node } from '../autograd/node.js';
import { attachOutputs, beginCall, endCall, openNode } from '../autograd/record.js';
import { FLOAT32 } from '../storage/dtype.js';
import { castAs, castOperand } from '../tensor/copy.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AutocastPolicy, applyAutocast } from './autocast-policy.js';

/** A node whose spec has the type that the operator's `infer` returns. */
export interface Context<Spec> extends Node {
  readonly spec: Spec;
}

type Outputs = Tensor | Tensor[];
interface Declaration<Attributes, Spec, Out extends Outputs> {
  /** PyTorch's name in camelCase; also the name of its kernel, its samples and its tests. */
  readonly name: string;
  /**
   * Checks every shape and value, and returns what `forward` and `backward` need to know: plain data that nobody
   * changes. No other part throws errors of the user's.
   */
  readonly infer: (inputs: readonly Tensor[], attributes: Attributes) => Spec;
  /** Allocates the output and calls the kernel. */
  readonly forward: (spec: Spec, inputs: readonly Tensor[]) => Out;
  /**
   * Calls `context.save(...)` with the tensors that `backward` reads. Ask `context.needs(i)` first, so that no tensor
   * is kept in vain.
   */
  readonly save?: (context: Context<Spec>, inputs: readonly Tensor[], outputs: readonly Tensor[]) => void;
  /**
   * The gradients of the inputs, in their order; null for an input that gets none. They are computed by operators, so
   * that they can be differentiated again. `gradOutput` is the gradient of the first output; `gradOutputs` has those of
   * all outputs, null where none arrived. The intermediates of the rule return to the pool when it returns; a tensor
   * that lives longer (in a cache) must have `storage.shared` set.
   */
  readonly backward?: (
    context: Context<Spec>,
    gradOutput: Tensor,
    gradOutputs: readonly (Tensor | null)[],
  ) => Gradients;
  /** Why there is no derivative, where there is none. Exactly one of `backward` and this is given. */
  readonly notDifferentiable?: string;
  /** The places of outputs that get no gradient although their type is floating: statistics, masks. */
  readonly nonDifferentiableOutputs?: readonly number[];
  /**
   * True where the kernel has 16-bit floating instances (for these inputs). Otherwise 16-bit inputs are widened to
   * float32, and the result is rounded once.
   */
  readonly nativeHalf?: boolean | ((inputs: readonly Tensor[]) => boolean);
  /**
   * What autocast does with the inputs. A function of the attributes where one operator serves several functions of
   * PyTorch.
   */
  readonly autocast?: AutocastPolicy | ((attributes: Attributes) => AutocastPolicy | undefined);
  /** True where the derivative runs code of the user's, which may keep any tensor that it sees. */
  readonly callsUser?: boolean;
  /** True for a view: outputs share the first input's memory. */
  readonly view?: boolean;
}

/** A declared operator. */
export interface Operator<Attributes = unknown, Out extends Outputs = Outputs> {
  (inputs: readonly Tensor[], attributes: Attributes): Out;
  readonly definition: Declaration<Attributes, unknown, Out>;
}

/** Every declared operator by name; generic tests loop over it. */
export const operators = new Map<string, Operator<never>>();

/** Declares an operator and returns it as a function of its tensor inputs and its attributes. */
export function defineOp<Attributes, Spec, Out extends Outputs = Tensor>(
  declaration: Declaration<Attributes, Spec, Out>,
): Operator<Attributes, Out> {
  const {
    name,
    infer,
    forward,
    save,
    nativeHalf = false,
    autocast,
    view = false,
    nonDifferentiableOutputs,
  } = declaration;
  if (operators.has(name)) throw new Error(`operator ${name} is declared twice`);
  if ((declaration.backward === undefined) === (declaration.notDifferentiable === undefined))
    throw new Error(`operator ${name}: give either backward or notDifferentiable`);

  const call = (given: readonly Tensor[], attributes: Attributes): Out => {
    const policy = typeof autocast === 'function' ? autocast(attributes) : autocast;
    const inputs = policy === undefined ? given : applyAutocast(policy, given);
    const running = beginCall(definition as Differentiable, inputs, attributes);
    const spec = infer(inputs, attributes);
    const native = view || (typeof nativeHalf === 'function' ? nativeHalf(inputs) : nativeHalf);
    const out = native ? forward(spec, inputs) : forwardThroughFloat32(forward, spec, inputs);
    const node = openNode(definition as Differentiable, spec, inputs) as Context<Spec> | null;
    if (node !== null) {
      const outputs: readonly Tensor[] = Array.isArray(out) ? (out as Tensor[]) : [out as Tensor];
      attachOutputs(node, outputs, nonDifferentiableOutputs);
      if (save !== undefined) save(node, inputs, outputs);
    }
    if (view) markViews(inputs[0], out);
    endCall(running, spec, out);
    return out;
  };
  // A copy, since the mutation check replaces derivatives.
  const definition = { ...declaration, contained: declaration.callsUser !== true };
  const operator = Object.assign(call, { definition }) as unknown as Operator<Attributes, Out>;
  operators.set(name, operator as unknown as Operator<never>);
  return operator;
}

/** Notes the base of each view, so that an in-place change through one view reaches the gradients of the others. */
function markViews(source: Tensor, out: Outputs): void {
  const outputs = Array.isArray(out) ? out : [out];
  for (const output of outputs) {
    output.base = source.base ?? source;
    output.viewVersion = output.storage.version;
  }
}

/** Computes 16-bit inputs in float32 and rounds the result once, for kernels without 16-bit instances. */
function forwardThroughFloat32<Spec, Out extends Outputs>(
  forward: (spec: Spec, inputs: readonly Tensor[]) => Out,
  spec: Spec,
  inputs: readonly Tensor[],
): Out {
  let half = null;
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i].info.half) {
      half = inputs[i].info;
      break;
    }
  }
  if (half === null) return forward(spec, inputs);
  const info = half;
  const out = forward(
    spec,
    inputs.map((t) => (t.info.half ? castOperand(t, FLOAT32) : t)),
  );
  const narrow = (t: Tensor): Tensor => (t.info === FLOAT32 ? castAs(t, info) : t);
  return (Array.isArray(out) ? out.map(narrow) : narrow(out)) as Out;
}
