/**
 * Observers of operator calls, derivative rules and named scopes: anomaly detection and the profiler. While nobody
 * observes, a call costs one comparison with null.
 */
import type { Tensor } from '../tensor/tensor.js';
import type { Differentiable, Node } from './node.js';

/** One call of an operator, as observers see it. */
export interface OperatorCall {
  readonly definition: Differentiable;
  readonly inputs: readonly Tensor[];
  /** What the call asks for beside its inputs. Plain data that nobody changes. */
  readonly attributes: unknown;
  /** The tensor whose memory takes the result of an in-place call; null for any other call. */
  readonly target: Tensor | null;
  /** What `infer` found: shapes, geometry. Plain data that nobody changes; undefined while the call runs. */
  readonly spec: unknown;
  /** Empty while the call runs. */
  readonly outputs: readonly Tensor[];
}

/** Sees every operator call. */
export interface Observer {
  /** A call begins. Its checks are still to come. */
  begin(call: OperatorCall): void;
  /** The same call has ended. A call that throws does not end. */
  end(call: OperatorCall): void;
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

/** Null while nobody observes; one that calls all of them where several do. Set by `observe` and `unobserve` alone. */
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

/** Several observers as one. */
class Observers implements Observer {
  constructor(private readonly all: readonly Observer[]) {}
  begin(call: OperatorCall): void {
    for (const each of this.all) each.begin(call);
  }
  end(call: OperatorCall): void {
    for (const each of this.all) each.end(call);
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
  gradients(
    node: Node,
    gradOutputs: readonly (Tensor | null)[],
    results: readonly (Tensor | null | undefined)[],
  ): void {
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
