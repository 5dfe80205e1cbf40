/** What autocast does with the inputs of operators. It does nothing until lib/amp sets it. */
import type { Tensor } from '../tensor/tensor.js';

/** `lower`: to autocast's dtype; `float32`: to float32; `promote`: to the widest input. */
export type AutocastPolicy = 'lower' | 'float32' | 'promote';

type Cast = (policy: AutocastPolicy, inputs: readonly Tensor[]) => readonly Tensor[];
let cast: Cast = (_, inputs) => inputs;

/** Set by lib/amp: casts the inputs of an operator as its policy asks where autocast is on. */
export function setAutocast(implementation: Cast): void {
  cast = implementation;
}
export function applyAutocast(policy: AutocastPolicy, inputs: readonly Tensor[]): readonly Tensor[] {
  return cast(policy, inputs);
}
