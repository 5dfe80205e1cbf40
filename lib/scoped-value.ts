/**
 * A setting that holds for the length of a callback, sync or async: grad mode, autocast, anomaly detection. Interleaved
 * async callbacks keep their own value. Reading costs one comparison while no scope is open.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** A value that a synchronous scope holds. */
class Held<T> {
  constructor(public value: T) {}
}

export class ScopedValue<T> {
  /** The innermost synchronous scope, unless a scope that may await is open inside it. */
  private held: Held<T> | null = null;
  private readonly scopes = new AsyncLocalStorage<{ value: T }>();
  private open = 0;

  constructor(private fallback: T) {}

  get(): T {
    if (this.held !== null) return this.held.value;
    if (this.open === 0) return this.fallback;
    const scope = this.scopes.getStore();
    return scope === undefined ? this.fallback : scope.value;
  }

  /** Changes the value of the innermost scope, or the process-wide one outside of all scopes. */
  set(value: T): void {
    if (this.held !== null) {
      this.held.value = value;
      return;
    }
    const scope = this.open === 0 ? undefined : this.scopes.getStore();
    if (scope === undefined) this.fallback = value;
    else scope.value = value;
  }

  /** Calls `fn` with the value in force, until it returns or its promise settles. */
  run<R>(value: T, fn: () => R): R {
    this.open++;
    const held = this.held;
    this.held = null;
    let result: R;
    try {
      result = this.scopes.run({ value }, fn);
    } catch (error) {
      this.open--;
      throw error;
    } finally {
      this.held = held;
    }
    if (result instanceof Promise) {
      return result.finally(() => {
        this.open--;
      }) as R;
    }
    this.open--;
    return result;
  }

  /** Calls a `fn` that is done when it returns, with the value in force. */
  runSync<R>(value: T, fn: () => R): R {
    const outer = this.held;
    this.held = new Held(value);
    try {
      return fn();
    } finally {
      this.held = outer;
    }
  }
}
