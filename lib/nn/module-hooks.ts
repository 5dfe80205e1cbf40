/**
 * Hooks of one module: what runs before and after its forward, and when its gradients are there. Backward hooks stand
 * on a pair of identity operators around the module, whose derivatives tell when the gradients of the outputs and of
 * the inputs are complete.
 */

import { HookList } from '../autograd/hook-list.js';
import { defineOp } from '../dispatch/define-op.js';
import { AutogradError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** Options of the methods that register a hook. */
export interface HookOptions {
  /** Run before the hooks that are there already. Default false. */
  prepend?: boolean;
}
export type GradientTuple = readonly (Tensor | null)[];

/** Runs before forward; may return other arguments (an array, or one value). */
export type ForwardPreHook<M> = (module: M, args: readonly unknown[]) => unknown;
/** Runs after forward; may return another output. */
export type ForwardHook<M> = (module: M, args: readonly unknown[], output: unknown) => unknown;
/** Runs before the module's backward; may return other gradients of the outputs. */
export type BackwardPreHook<M> = (
  module: M,
  gradOutput: GradientTuple,
) => GradientTuple | Tensor | null | undefined | void;
/** Runs when the gradients of the inputs are there; may return others in their place. */
export type BackwardHook<M> = (
  module: M,
  gradInput: GradientTuple,
  gradOutput: GradientTuple,
) => GradientTuple | Tensor | null | undefined | void;

/** Runs before a state dict is made. */
export type StateDictPreHook<M> = (module: M, prefix: string, keepVars: boolean) => void;
/** Runs when the entries of the module and of all below it are in the state dict, which it may change. */
export type StateDictHook<M> = (
  module: M,
  stateDict: Record<string, Tensor>,
  prefix: string,
  localMetadata: { version?: number },
) => void;
/**
 * Runs before the module's entries of a state dict are read; it may change the dict, which is a copy, and the lists.
 */
export type LoadStateDictPreHook<M> = (
  module: M,
  stateDict: Record<string, Tensor>,
  prefix: string,
  localMetadata: { version?: number },
  strict: boolean,
  missingKeys: string[],
  unexpectedKeys: string[],
  errorMessages: string[],
) => void;
/** Runs when the module and all below it are loaded; it may change the lists. */
export type LoadStateDictPostHook<M> = (
  module: M,
  incompatibleKeys: { missingKeys: string[]; unexpectedKeys: string[] },
) => void;

/** Where a module has its hooks: a symbol, since `hooks` is a name that users give to properties. */
export const HOOKS: unique symbol = Symbol('hooks');

/** All hooks of one module of type M. */
export class ModuleHooks<M> {
  readonly forwardPre = new HookList<ForwardPreHook<M>>();
  readonly forward = new HookList<ForwardHook<M>>();
  readonly backwardPre = new HookList<BackwardPreHook<M>>();
  readonly backward = new HookList<BackwardHook<M>>();
  readonly statePre = new HookList<StateDictPreHook<M>>();
  readonly statePost = new HookList<StateDictHook<M>>();
  readonly loadPre = new HookList<LoadStateDictPreHook<M>>();
  readonly loadPost = new HookList<LoadStateDictPostHook<M>>();

  /** Whether a call runs none of them. */
  get callsNone(): boolean {
    return this.forwardPre.empty && this.forward.empty && this.backwardPre.empty && this.backward.empty;
  }

  copyTo(other: ModuleHooks<M>): void {
    this.forwardPre.copyTo(other.forwardPre);
    this.forward.copyTo(other.forward);
    this.backwardPre.copyTo(other.backwardPre);
    this.backward.copyTo(other.backward);
    this.statePre.copyTo(other.statePre);
    this.statePost.copyTo(other.statePost);
    this.loadPre.copyTo(other.loadPre);
    this.loadPost.copyTo(other.loadPost);
  }

  /** Calls `forward` between the hooks. */
  run(module: M, given: readonly unknown[], forward: (args: readonly unknown[]) => unknown): unknown {
    let args = given;
    for (const hook of this.forwardPre.all()) {
      const changed = hook(module, args);
      if (changed !== undefined && changed !== null) args = Array.isArray(changed) ? (changed as unknown[]) : [changed];
    }
    const boundary =
      this.backward.empty && this.backwardPre.empty
        ? null
        : new Boundary(module, this.backwardPre.all(), this.backward.all());
    if (boundary !== null) args = boundary.wrapInputs(args);
    let output = forward(args);
    for (const hook of this.forward.all()) {
      const changed = hook(module, args, output);
      if (changed !== undefined && changed !== null) output = changed;
    }
    return boundary === null ? output : boundary.wrapOutputs(output);
  }
}

/** Takes the gradients of a module's outputs and inputs, and returns those that go on. */
interface GradientBoundary {
  outputGradients(gradients: GradientTuple): GradientTuple;
  inputGradients(gradients: GradientTuple): GradientTuple;
}

/** One call of a module with backward hooks: what lies between its inputs and its outputs. */
class Boundary<M> implements GradientBoundary {
  private inputCount = 0;
  private inputPlaces: number[] | null = null;
  private gradOutputs: GradientTuple = [];

  constructor(
    private readonly module: M,
    private readonly preHooks: readonly BackwardPreHook<M>[],
    private readonly hooks: readonly BackwardHook<M>[],
  ) {}

  wrapInputs(args: readonly unknown[]): readonly unknown[] {
    this.inputCount = args.length;
    const places = args.flatMap((arg, i) => (arg instanceof Tensor ? [i] : []));
    const tensors = places.map((i) => args[i] as Tensor);
    if (!tensors.some((t) => t.requiresGrad)) return args;
    const wrapped = moduleInputsOp(tensors, this);
    if (wrapped.some((t) => t.node !== null)) this.inputPlaces = places;
    const out = [...args];
    places.forEach((place, i) => {
      out[place] = wrapped[i];
    });
    return out;
  }

  /** An output that is a tensor, or an array of tensors and other values; what else it may be passes unseen. */
  wrapOutputs(output: unknown): unknown {
    const list = Array.isArray(output) ? (output as unknown[]) : [output];
    const places = list.flatMap((item, i) => (item instanceof Tensor ? [i] : []));
    const tensors = places.map((i) => list[i] as Tensor);
    if (!tensors.some((t) => t.requiresGrad)) return output;
    const wrapped = moduleOutputsOp(tensors, this);
    if (!Array.isArray(output)) return wrapped[0];
    const out = [...list];
    places.forEach((place, i) => {
      out[place] = wrapped[i];
    });
    return out;
  }

  /** The gradients of the outputs are there. */
  outputGradients(gradients: GradientTuple): GradientTuple {
    let current = gradients;
    markShared(gradients);
    for (const hook of this.preHooks)
      current = this.replaced('registerFullBackwardPreHook', hook(this.module, current), current);
    this.gradOutputs = current;
    if (this.inputPlaces === null) {
      // No input needs a gradient, so nothing will come back to the inputs: this is the end of the module's backward.
      const none = new Array<null>(this.inputCount).fill(null);
      for (const hook of this.hooks) {
        const result = hook(this.module, none, current);
        if (result !== undefined && result !== null && (result instanceof Tensor || result.some((g) => g !== null)))
          throw new AutogradError(
            'registerFullBackwardHook: expected no gradients in return where no input requires grad, got some',
          );
      }
    }
    return current;
  }

  /** The gradients of the inputs are there. */
  inputGradients(gradients: GradientTuple): GradientTuple {
    const places = this.inputPlaces ?? [];
    let current: GradientTuple = Array.from(
      { length: this.inputCount },
      (_, i) => gradients[places.indexOf(i)] ?? null,
    );
    markShared(gradients);
    for (const hook of this.hooks)
      current = this.replaced('registerFullBackwardHook', hook(this.module, current, this.gradOutputs), current);
    return places.map((place) => current[place]);
  }

  private replaced(
    op: string,
    result: GradientTuple | Tensor | null | undefined | void,
    before: GradientTuple,
  ): GradientTuple {
    if (result === undefined || result === null) return before;
    const list = result instanceof Tensor ? [result] : result;
    if (list.length !== before.length)
      throw new AutogradError(`${op}: expected ${before.length} gradients in return, got ${list.length}`);
    markShared(list);
    return list;
  }
}

/** A hook may keep what it sees or returns: the engine must not add into it. */
function markShared(gradients: GradientTuple): void {
  for (const gradient of gradients) if (gradient !== null) gradient.storage.shared = true;
}

/** The same memory under a new place in the graph. */
function alias(x: Tensor): Tensor {
  return new Tensor(x.storage, null, x.info, x.shape, x.strides, x.offset, x.contiguousLayout);
}

/** y = x for every input of a module; dx = g, as the module's backward hooks return it. */
const moduleInputsOp = defineOp<GradientBoundary, GradientBoundary, Tensor[]>({
  name: 'moduleInputs',
  nativeHalf: true,
  callsUser: true,
  infer: (_, boundary) => boundary,
  forward: (_, inputs) => inputs.map(alias),
  backward: (context, _, gradients) => context.spec.inputGradients(gradients),
});

/** y = x for every output of a module; dx = g, as the module's backward pre-hooks return it. */
const moduleOutputsOp = defineOp<GradientBoundary, GradientBoundary, Tensor[]>({
  name: 'moduleOutputs',
  nativeHalf: true,
  callsUser: true,
  infer: (_, boundary) => boundary,
  forward: (_, inputs) => inputs.map(alias),
  backward: (context, _, gradients) => context.spec.outputGradients(gradients),
});
