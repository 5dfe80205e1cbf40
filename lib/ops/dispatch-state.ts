/**
 * What watches or changes every operator call: autocast's policy and the one observer (anomaly detection, the profiler).
 * Both are empty by default, and cost one comparison then.
 */
import type { Node } from '../autograd/node.js';
import type { Tensor } from '../tensor/tensor.js';

/** `lower`: to autocast's dtype; `float32`: to float32; `promote`: to the widest input. */
export type AutocastPolicy = 'lower' | 'float32' | 'promote';

/** Sees every operator call. */
export interface Observer {
  begin(name: string, inputs: readonly Tensor[]): number;
  end(name: string, started: number, inputs: readonly Tensor[], out: Tensor | Tensor[]): void;
  /** Where the user's program is, kept in a node for messages. */
  origin(): string | null;
  /** Sees every derivative: the gradients that it was given and those that it made. */
  gradients(node: Node, gradOutputs: readonly (Tensor | null)[], results: readonly (Tensor | null | undefined)[]): void;
}

export const observer: { active: Observer | null } = { active: null };

type Cast = (policy: AutocastPolicy, inputs: readonly Tensor[]) => readonly Tensor[];
let cast: Cast = (_, inputs) => inputs;

/** Set by lib/amp: casts the inputs of an operator as its policy asks where autocast is on. */
export function setAutocast(implementation: Cast): void {
  cast = implementation;
}
export function applyAutocast(policy: AutocastPolicy, inputs: readonly Tensor[]): readonly Tensor[] {
  return cast(policy, inputs);
}
