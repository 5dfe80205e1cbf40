/** Operators that users write: `class MyOp extends autograd.Function` with static `forward` and `backward`. */
import { AutogradError, describe, fail } from '../errors.js';
import { filledTensor } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { noGrad } from './grad-mode.js';
import { recordingNeeded } from './graph.js';
import type { Differentiable, Node } from './node.js';
import { attachOutputs, beginCall, endCall, openNode } from './record.js';

type Outputs = Tensor | readonly Tensor[];

/** What `forward` leaves for `backward`. Any other property may be set on it as well. */
export class FunctionContext {
  [extra: string]: unknown;
  private pending: (Tensor | null)[] = [];
  /** For each saved tensor: whether it is not null. */
  private given: readonly boolean[] = [];
  private node: Node | null = null;
  private withoutGradient = new Set<Tensor>();
  private changed = new Set<Tensor>();
  private materialize = true;
  /** For each argument of `apply`: whether it is a tensor that needs a gradient. */
  readonly needsInputGrad: readonly boolean[];

  /** Internal. */
  constructor(needsInputGrad: readonly boolean[]) {
    this.needsInputGrad = needsInputGrad;
  }

  /**
   * Keeps tensors for `backward`, which finds them in `savedTensors`. AutogradError there if one was changed in place
   * since.
   */
  saveForBackward(...tensors: (Tensor | null)[]): void {
    this.pending = tensors;
  }
  /** The tensors given to `saveForBackward`. */
  get savedTensors(): (Tensor | null)[] {
    const node = this.node;
    if (node === null) return this.pending;
    return this.given.map((given, i) => (given ? node.saved(i) : null));
  }
  /** Outputs that carry no gradient. */
  markNonDifferentiable(...outputs: Tensor[]): void {
    for (const output of outputs) this.withoutGradient.add(output);
  }
  /** Inputs that `forward` changed in place. */
  markDirty(...inputs: Tensor[]): void {
    for (const input of inputs) this.changed.add(input);
  }
  /** Whether `backward` gets zeros (true, the default) or null for an output whose gradient did not arrive. */
  setMaterializeGrads(value: boolean): void {
    this.materialize = value;
  }

  /** Internal: ties the context to its node once the outputs are known. */
  bind(node: Node): void {
    node.save(...this.pending);
    this.given = this.pending.map((tensor) => tensor !== null);
    // The node keeps them from now on, or the checkpoint that computes them again.
    this.pending = [];
    this.node = node;
  }
  /** Internal. */
  settings(): { withoutGradient: Set<Tensor>; changed: Set<Tensor>; materialize: boolean } {
    return { withoutGradient: this.withoutGradient, changed: this.changed, materialize: this.materialize };
  }
}

interface UserFunction<A extends readonly unknown[], R extends Outputs> {
  readonly name: string;
  forward(context: FunctionContext, ...args: A): R;
  backward(context: FunctionContext, ...gradOutputs: Tensor[]): Tensor | null | readonly (Tensor | null | undefined)[];
}

/**
 * Base class of operators that users write. `forward(context, ...args)` runs without recording. `backward(context,
 * ...gradOutputs)` returns one gradient per argument, null for an argument that is not a tensor. Call
 * `MyOp.apply(...args)`.
 */
// biome-ignore lint/complexity/noStaticOnlyClass: PyTorch's interface is a class with static methods
export abstract class AutogradFunction {
  static apply<A extends readonly unknown[], R extends Outputs>(this: UserFunction<A, R>, ...args: A): R {
    const name = this.name;
    if (typeof this.forward !== 'function')
      fail(AutogradError, `${name}.apply`, 'a class with static forward and backward methods', 'one without');
    const positions = args.flatMap((arg, i) => (arg instanceof Tensor ? [i] : []));
    const inputs = positions.map((i) => args[i] as Tensor);
    const recording = recordingNeeded(inputs);
    const context = new FunctionContext(args.map((arg) => recording && arg instanceof Tensor && arg.requiresGrad));
    let outputs: readonly Tensor[] = [];
    const definition: Differentiable = {
      name,
      backward: (_, __, gradOutputs) => {
        const arrived = gradOutputs.map((g, i) => (g === null && materialize ? zerosOf(outputs[i]) : g)) as Tensor[];
        for (const g of arrived) if (g !== null) g.storage.shared = true;
        const returned = this.backward(context, ...arrived);
        const list = returned instanceof Tensor || returned === null || returned === undefined ? [returned] : returned;
        if (!Array.isArray(list))
          fail(AutogradError, `${name}.backward`, 'a gradient, a list of gradients or null', describe(returned));
        if (list.length !== args.length)
          fail(
            AutogradError,
            `${name}.backward`,
            `${args.length} gradients, one an argument of forward`,
            String(list.length),
          );
        for (const g of list) if (g instanceof Tensor) g.storage.shared = true;
        return positions.map((i) => list[i] ?? null);
      },
    };
    const running = beginCall(definition, inputs, args);
    const result = noGrad(() => this.forward(context, ...args));
    if (!(result instanceof Tensor) && !Array.isArray(result))
      fail(AutogradError, `${name}.forward`, 'a tensor or a list of tensors as result', describe(result));
    const { withoutGradient, changed, materialize } = context.settings();
    outputs = result instanceof Tensor ? [result] : result;
    const node = openNode(definition, null, inputs);
    if (node === null) {
      endCall(running, null, outputs);
      return result;
    }
    const attached = outputs.map((output) => {
      if (!(output instanceof Tensor))
        fail(AutogradError, `${name}.forward`, 'a tensor or a list of tensors as result', describe(output));
      if (changed.has(output)) output.storage.version++;
      // An input that is returned unchanged already has a node, so its alias gets the new one.
      return inputs.includes(output) && !changed.has(output) ? output.detach() : output;
    });
    attachOutputs(
      node,
      attached,
      outputs.flatMap((output, i) => (withoutGradient.has(output) ? [i] : [])),
    );
    context.bind(node);
    endCall(running, null, attached);
    return (result instanceof Tensor ? attached[0] : attached) as R;
  }
}

function zerosOf(like: Tensor): Tensor {
  return filledTensor(like.shape, like.info, 0);
}
