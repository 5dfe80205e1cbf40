/** Whether operators record a graph. A callback's setting holds for that callback alone, sync or async. */
import { ScopedValue } from '../scoped-value.js';

const enabled = new ScopedValue(true);

/** Whether autograd records operations now. */
export function isGradEnabled(): boolean {
  return enabled.get();
}
/** Turns recording on or off until the enclosing scope ends, or for the process outside of all scopes. */
export function setGradEnabled(value: boolean): void {
  enabled.set(value);
}
/** Calls `fn` without recording, and returns its value. */
export function noGrad<R>(fn: () => R): R {
  return enabled.run(false, fn);
}
/** Calls `fn` with recording on, and returns its value. */
export function enableGrad<R>(fn: () => R): R {
  return enabled.run(true, fn);
}
/** Internal: calls a synchronous `fn` with recording on or off, for a tenth of what a scope that awaits costs. */
export function withGradMode<R>(value: boolean, fn: () => R): R {
  return enabled.runSync(value, fn);
}
/** Calls `fn` without recording, as `noGrad`; PyTorch's name for code that never needs gradients. */
export function inferenceMode<R>(fn: () => R): R {
  return enabled.run(false, fn);
}
