/** Whether operators record a graph. A callback's setting holds for that callback alone, sync or async. */
import { ArgumentError, describe, fail } from '../errors.js';
import { ScopedValue } from '../scoped-value.js';

const enabled = new ScopedValue(true);

/** Whether autograd records operations now. */
export function isGradEnabled(): boolean {
  return enabled.get();
}
function checkCallback(op: string, fn: unknown): void {
  if (typeof fn !== 'function') fail(ArgumentError, op, `a function to call, as in ${op}(() => { ... })`, describe(fn));
}
function checkMode(op: string, mode: unknown): void {
  if (typeof mode !== 'boolean') fail(ArgumentError, op, 'a boolean for mode', describe(mode));
}

/**
 * Turns recording on or off: for `fn`, whose value is returned, where one is given (`setGradEnabled(phase === 'train',
 * () => model(x))`), else until the enclosing scope ends, or for the process outside of all scopes. Source:
 * torch.set_grad_enabled.
 */
export function setGradEnabled(mode: boolean): void;
export function setGradEnabled<R>(mode: boolean, fn: () => R): R;
export function setGradEnabled<R>(mode: boolean, fn?: () => R): R | void {
  checkMode('setGradEnabled', mode);
  if (fn === undefined) {
    enabled.set(mode);
    return;
  }
  if (typeof fn !== 'function')
    fail(ArgumentError, 'setGradEnabled', 'a function to call after the mode, or nothing', describe(fn));
  return enabled.run(mode, fn);
}
/** Calls `fn` without recording, and returns its value. Source: torch.no_grad. */
export function noGrad<R>(fn: () => R): R {
  checkCallback('noGrad', fn);
  return enabled.run(false, fn);
}
/** Calls `fn` with recording on, and returns its value. Source: torch.enable_grad. */
export function enableGrad<R>(fn: () => R): R {
  checkCallback('enableGrad', fn);
  return enabled.run(true, fn);
}
/** Internal: calls a synchronous `fn` with recording on or off. It costs a tenth of a scope that may await. */
export function withGradMode<R>(value: boolean, fn: () => R): R {
  return enabled.runSync(value, fn);
}
/**
 * Calls `fn` without recording, as `noGrad` does, and returns its value. With `mode` false, `fn` runs unchanged.
 * Source: torch.inference_mode.
 */
export function inferenceMode<R>(fn: () => R): R;
export function inferenceMode<R>(mode: boolean, fn: () => R): R;
export function inferenceMode<R>(first: boolean | (() => R), second?: () => R): R {
  if (typeof first !== 'boolean') {
    checkCallback('inferenceMode', first);
    return enabled.run(false, first);
  }
  checkCallback('inferenceMode', second);
  return first ? enabled.run(false, second as () => R) : (second as () => R)();
}
