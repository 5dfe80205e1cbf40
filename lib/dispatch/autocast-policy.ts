/**
 * What watches or changes every operator call: autocast's policy and the observers (anomaly detection, the profiler).
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
  /** Sees a derivative rule before it is called. */
  backward?(node: Node): void;
  /** Sees every derivative: the gradients that it was given and those that it made. */
  gradients(node: Node, gradOutputs: readonly (Tensor | null)[], results: readonly (Tensor | null | undefined)[]): void;
  /** A named scope begins; what it returns comes back to `leave`, with whether the scope was a promise's. */
  enter?(name: string): unknown;
  leave?(scope: unknown, asynchronous: boolean): void;
}

/** Null while nobody watches; one that calls all of them where several do. Set by `observe` and `unobserve` alone. */
export const observer: { active: Observer | null } = { active: null };

let installed: readonly Observer[] = [];

/** Lets an observer see every operator call from now on. */
export function observe(added: Observer): void {
  if (!installed.includes(added)) installed = [...installed, added];
  update();
}
/** Ends what `observe` began. */
export function unobserve(removed: Observer): void {
  installed = installed.filter((other) => other !== removed);
  update();
}
function update(): void {
  observer.active = installed.length > 1 ? new Observers(installed) : (installed[0] ?? null);
}

/** Several observers as one. What `begin` returns is kept for none of them: each matches ends by the inputs. */
class Observers implements Observer {
  constructor(private readonly all: readonly Observer[]) {}
  begin(name: string, inputs: readonly Tensor[]): number {
    for (const each of this.all) each.begin(name, inputs);
    return 0;
  }
  end(name: string, _: number, inputs: readonly Tensor[], out: Tensor | Tensor[]): void {
    for (const each of this.all) each.end(name, 0, inputs, out);
  }
  origin(): string | null {
    for (const each of this.all) {
      const origin = each.origin();
      if (origin !== null) return origin;
    }
    return null;
  }
  backward(node: Node): void {
    for (const each of this.all) each.backward?.(node);
  }
  gradients(node: Node, gradOutputs: readonly (Tensor | null)[], results: readonly (Tensor | null | undefined)[]): void {
    for (const each of this.all) each.gradients(node, gradOutputs, results);
  }
  enter(name: string): unknown {
    return this.all.map((each) => [each, each.enter?.(name)] as const);
  }
  leave(scope: unknown, asynchronous: boolean): void {
    for (const [each, own] of scope as (readonly [Observer, unknown])[]) each.leave?.(own, asynchronous);
  }
}

/** Calls `fn` as a named scope that the observers see, until its promise is settled where it returns one. */
export function watched<R>(name: string, fn: () => R): R {
  const watcher = observer.active;
  if (watcher?.enter === undefined) return fn();
  const scope = watcher.enter(name);
  let result: R;
  try {
    result = fn();
  } catch (error) {
    watcher.leave?.(scope, false);
    throw error;
  }
  if (result instanceof Promise) return result.finally(() => watcher.leave?.(scope, true)) as R;
  watcher.leave?.(scope, false);
  return result;
}

type Cast = (policy: AutocastPolicy, inputs: readonly Tensor[]) => readonly Tensor[];
let cast: Cast = (_, inputs) => inputs;

/** Set by lib/amp: casts the inputs of an operator as its policy asks where autocast is on. */
export function setAutocast(implementation: Cast): void {
  cast = implementation;
}
export function applyAutocast(policy: AutocastPolicy, inputs: readonly Tensor[]): readonly Tensor[] {
  return cast(policy, inputs);
}
