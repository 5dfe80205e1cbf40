/**
 * A node of the autograd graph: one call of an operator, with edges to the nodes of its inputs and the tensors that it
 * saved for its derivative. The node is also the context that a derivative reads. The engine (engine.ts) walks the
 * graph.
 */
import { AutogradError } from '../errors.js';
import type { Shape } from '../shape/layout.js';
import type { DTypeInfo } from '../storage/dtype.js';
import type { GradientHook, PostAccumulateGradHook, Tensor } from '../tensor/tensor.js';
import type { HookList } from './hook-list.js';

/** What a derivative returns: the gradients of the inputs, in their order; null or undefined where there is none. */
export type Gradients = readonly (Tensor | null | undefined)[];

/** What the engine needs of an operator. */
export interface Differentiable {
  readonly name: string;
  /**
   * True if the derivative keeps no tensor and runs no code of the user's, so that its intermediates may return to the
   * pool.
   */
  readonly contained?: boolean;
  /** Gradients of the inputs, given those of the outputs (null where none arrived; `gradOutput` is the first). */
  readonly backward?: (context: Node, gradOutput: Tensor, gradOutputs: readonly (Tensor | null)[]) => Gradients;
}

/** Saved tensors that the node does not hold itself: they are computed again when the derivative asks for them. */
export interface Recomputable {
  /** The tensors. Computes them unless they are present. */
  tensors(): readonly (Tensor | null)[];
  /** The tensors that are present, or null. */
  readonly present: readonly (Tensor | null)[] | null;
  /** Drops the tensors. */
  release(): void;
}
/**
 * Takes the tensors that nodes save while a function runs (lib/utils/checkpoint.ts). Null leaves them with the node.
 */
export interface Keeper {
  take(tensors: readonly (Tensor | null)[]): Recomputable | null;
}
/** The innermost keeper, set by `withKeeper` alone. */
let keeper: Keeper | null = null;
/** The keeper that is in force, or null. */
export function activeKeeper(): Keeper | null {
  return keeper;
}
/** Calls a synchronous `fn` with a keeper in force, or none. */
export function withKeeper<R>(inner: Keeper | null, fn: () => R): R {
  const outer = keeper;
  keeper = inner;
  try {
    return fn();
  } finally {
    keeper = outer;
  }
}

let sequence = 0;

export class Node {
  /** Nodes are numbered in the order of their creation. The engine visits them from the newest to the oldest. */
  readonly sequence = sequence++;
  /**
   * For each input: the node that its gradient goes to, and the index of the output there. Null if it needs no
   * gradient.
   */
  readonly next: (Node | null)[] = [];
  readonly nextIndex: number[] = [];
  /** Shape and type of each output. The engine reduces and casts arriving gradients to them. */
  readonly outputShapes: Shape[] = [];
  readonly outputInfos: DTypeInfo[] = [];
  /** The leaf that this node accumulates into, for the node of a leaf. */
  leaf: Tensor | null = null;
  /** Hooks on a leaf, run each time after its `grad` has changed; null where there are none. */
  postAccumulate: HookList<PostAccumulateGradHook> | null = null;
  /** Hooks by output index, run once that output's gradient is complete. */
  hooks: Map<number, HookList<GradientHook>> | null = null;
  /** Intermediate tensors that keep their gradient, by output index. */
  retained: Map<number, Tensor> | null = null;
  /** Where the operator was called (module path and stack), recorded in anomaly mode. */
  origin: string | null = null;
  /** The engine's state during a walk. */
  state: unknown = null;
  /** Set while the derivative runs for `grad(..., inputs)`: true for inputs that lead to no requested gradient. */
  skipped: readonly boolean[] | null = null;

  private savedTensors: (Tensor | null)[] | null = null;
  private savedVersions: number[] | null = null;
  private elsewhere: Recomputable | null = null;
  private released = false;

  constructor(
    readonly op: Differentiable,
    /** What `infer` found: shapes, options, geometry. */
    readonly spec: unknown,
  ) {}

  get name(): string {
    return this.op.name;
  }

  /** Whether input i needs a gradient. In `grad(..., inputs)`: whether input i leads to a requested gradient. */
  needs(i: number): boolean {
    return this.next[i] !== null && this.next[i] !== undefined && (this.skipped === null || !this.skipped[i]);
  }

  /** Keeps tensors for the derivative, together with their versions. */
  save(...tensors: (Tensor | null)[]): void {
    this.savedTensors = tensors;
    const versions: number[] = [];
    for (let i = 0; i < tensors.length; i++) versions.push(tensors[i]?.storage.version ?? 0);
    this.savedVersions = versions;
    if (keeper === null || tensors.length === 0) return;
    this.elsewhere = keeper.take(tensors);
    if (this.elsewhere !== null) this.savedTensors = this.savedVersions = null;
  }

  /** The saved tensor i; AutogradError where the graph was freed or the tensor changed since. */
  saved(i: number): Tensor {
    if (this.released) {
      throw new AutogradError(
        `${this.name}: expected a graph that is still there, got one that an earlier backward freed; call ` +
          `backward({ retainGraph: true }) the first time`,
      );
    }
    if (this.elsewhere !== null) {
      const again = this.elsewhere.tensors()[i];
      return again ?? this.notKept(i);
    }
    const tensor = this.savedTensors?.[i];
    if (tensor === null || tensor === undefined) return this.notKept(i);
    const version = this.savedVersions?.[i];
    if (tensor.storage.version !== version) {
      throw new AutogradError(
        `${this.name}: a tensor needed for its gradient was changed by an in-place operation: expected version ` +
          `${version}, got ${tensor.storage.version} ` +
          `(${tensor.dtype}[${tensor.shape}])${this.origin === null ? '' : `\n${this.origin}`}`,
      );
    }
    return tensor;
  }

  private notKept(i: number): never {
    throw new AutogradError(`${this.name}: saved tensor ${i} was not kept`);
  }

  /** Whether the tensor's memory is also held by what this node saved. */
  holds(tensor: Tensor): boolean {
    const saved = this.elsewhere === null ? this.savedTensors : this.elsewhere.present;
    if (saved !== null) for (let i = 0; i < saved.length; i++) if (saved[i]?.storage === tensor.storage) return true;
    return false;
  }

  /** Drops the saved tensors. A later use of them is an error. */
  release(): void {
    if (this.elsewhere !== null) {
      this.elsewhere.release();
      this.elsewhere = null;
      this.released = true;
    }
    if (this.savedTensors !== null) {
      this.savedTensors = null;
      this.savedVersions = null;
      this.released = true;
    }
  }
}

declare module '../tensor/tensor.js' {
  interface GraphNode extends Node {}
}
