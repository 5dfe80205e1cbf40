/**
 * Anomaly detection: names the operator, the module path and the shapes of the first NaN or Inf, in the forward pass as
 * well as in backward. The message for backward also says where the operator was called. An operator is not blamed for
 * values that its inputs already had.
 */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isOptions } from '../arguments.js';
import { ArgumentError, AutogradError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { ScopedValue } from '../scoped-value.js';
import { elementCount } from '../shape/layout.js';
import { FLOAT64 } from '../storage/dtype.js';
import { castTo } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { modulePath } from './module-path.js';
import type { Node } from './node.js';
import { type Observer, observe, unobserve } from './observer.js';

/** A NaN or Inf that an operator made. */
export class AnomalyError extends AutogradError {}

export interface DetectAnomalyOptions {
  /** Look at values (the default), or only record where operators were called, for backward's messages. */
  checkNan?: boolean;
}

interface Mode {
  readonly checkNan: boolean;
}

const mode = new ScopedValue<Mode | null>(null);

interface Finding {
  readonly what: 'NaN' | 'Inf';
  readonly element: number;
}

/** The first element that is not finite; `infinite` false looks for NaN alone. */
function firstBad(t: Tensor, infinite: boolean): Finding | null {
  if (!t.info.floating) return null;
  const values = castTo(t, FLOAT64).array;
  for (let i = 0; i < elementCount(t.shape); i++) {
    const value = Number(values[i]);
    if (Number.isNaN(value)) return { what: 'NaN', element: i };
    if (infinite && !Number.isFinite(value)) return { what: 'Inf', element: i };
  }
  return null;
}

/**
 * The first NaN or Inf that the operator itself made: an Inf from finite inputs, or a NaN from inputs without NaN. Null
 * if there is none.
 */
function finding(
  inputs: readonly (Tensor | null)[],
  outputs: readonly (Tensor | null | undefined)[],
): { index: number; found: Finding } | null {
  const given = inputs.filter((t) => t !== null);
  const finite = given.every((t) => firstBad(t, true) === null);
  if (!finite && given.some((t) => firstBad(t, false) !== null)) return null;
  for (let index = 0; index < outputs.length; index++) {
    const output = outputs[index];
    const found = output === null || output === undefined ? null : firstBad(output, finite);
    if (found !== null) return { index, found };
  }
  return null;
}

function place(): string {
  const module = modulePath();
  return module === null ? '' : ` in module ${module}`;
}

/** Where this library's frames are: lib/ in a clone, the one bundle in the package. */
const here = fileURLToPath(import.meta.url);
const LIBRARY = here.endsWith('.ts') ? path.dirname(path.dirname(here)) + path.sep : here;

/** The caller's stack, without this library's frames. */
function callerStack(): string {
  const lines = new Error().stack?.split('\n').slice(1) ?? [];
  const own = lines.findLastIndex((line) => line.includes(LIBRARY));
  return lines.slice(own + 1, own + 9).join('\n');
}

const watcher: Observer = {
  begin() {},
  end({ definition, inputs, outputs }) {
    if (mode.get()?.checkNan !== true) return;
    const bad = finding(inputs, outputs);
    if (bad === null) return;
    throw new AnomalyError(
      `${definition.name}: expected finite values, got ${bad.found.what} at element ${bad.found.element} of ` +
        `output ${bad.index}${place()} (${inputs.map(describe).join(', ')})`,
    );
  },
  origin: () => (mode.get() === null ? null : `the operator was called${place()}:\n${callerStack()}`),
  gradients(node: Node, gradOutputs, results) {
    if (mode.get()?.checkNan !== true) return;
    const bad = finding(gradOutputs, results);
    if (bad === null) return;
    throw new AnomalyError(
      `${node.name} backward: expected finite gradients, got ${bad.found.what} at element ${bad.found.element} ` +
        `of the gradient of input ${bad.index} ` +
        `(${results[bad.index] instanceof Tensor ? describe(results[bad.index]) : ''})` +
        `${node.origin === null ? '' : `; ${node.origin}`}`,
    );
  },
};

function checkOptions(op: string, options: unknown): void {
  if (!isOptions(options)) fail(ArgumentError, op, 'an options object', describe(options));
  rejectUnknownOptions(op, options, ['checkNan']);
  if (options.checkNan !== undefined && typeof options.checkNan !== 'boolean')
    fail(ArgumentError, op, 'a boolean for checkNan', describe(options.checkNan));
}

let open = 0;
/** Installs the observer while anomaly detection is on, and removes it afterwards. */
function watch(): void {
  if (open > 0 || mode.get() !== null) observe(watcher);
  else unobserve(watcher);
}

/**
 * Calls `fn` with anomaly detection on, and returns its value: `detectAnomaly(() => { ... loss.backward(); })`. Slow;
 * for finding a fault. Throws AnomalyError at the first operator that makes a NaN or Inf.
 */
export function detectAnomaly<R>(fn: () => R, options: DetectAnomalyOptions = {}): R {
  if (typeof fn !== 'function')
    fail(ArgumentError, 'detectAnomaly', 'a function to call, as in detectAnomaly(() => { ... })', describe(fn));
  checkOptions('detectAnomaly', options);
  open++;
  watch();
  const close = (): void => {
    open--;
    watch();
  };
  let result: R;
  try {
    result = mode.run({ checkNan: options.checkNan ?? true }, fn);
  } catch (error) {
    close();
    throw error;
  }
  if (result instanceof Promise) return result.finally(close) as R;
  close();
  return result;
}

/** Turns anomaly detection on or off for the process, or until the enclosing `detectAnomaly` ends. */
export function setDetectAnomaly(enabled: boolean, options: DetectAnomalyOptions = {}): void {
  if (typeof enabled !== 'boolean') fail(ArgumentError, 'setDetectAnomaly', 'a boolean for mode', describe(enabled));
  checkOptions('setDetectAnomaly', options);
  mode.set(enabled ? { checkNan: options.checkNan ?? true } : null);
  watch();
}

/** Whether anomaly detection is on. */
export function isAnomalyEnabled(): boolean {
  return mode.get() !== null;
}
