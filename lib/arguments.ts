/**
 * Arguments of constructors, and of functions that are no operators, by the one rule of the interface: PyTorch's positional parameters in order and one trailing
 * options object, which may name any of them. The checks of single values are here as well.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from './errors.js';
import { isOptions } from './dispatch/define-function.js';

/** Arguments: parameters A by position, or options O in the place of any of them. */
export type Arguments<A extends readonly unknown[], O> = [...{ [I in keyof A]: A[I] | O }, options?: O];

/**
 * Positional arguments and a trailing options object, as one object over the defaults, whose keys are the parameters in order. `positional` counts those that
 * may be given by position.
 */
export function readArguments<T extends object>(op: string, defaults: T, args: readonly unknown[], positional = Number.POSITIVE_INFINITY): T {
  const names = Object.keys(defaults);
  const last = args[args.length - 1];
  const options: Record<string, unknown> = isOptions(last) ? last : {};
  const given = isOptions(last) ? args.slice(0, -1) : args;
  if (given.length > positional) throw new ArgumentError(`${op}: expected at most ${positional} positional arguments, got ${given.length}`);
  rejectUnknownOptions(op, options, names);
  const out = { ...defaults } as Record<string, unknown>;
  given.forEach((value, i) => {
    if (names[i] in options) throw new ArgumentError(`${op}: ${names[i]} was given twice, by position and in the options`);
    if (value !== undefined) out[names[i]] = value;
  });
  for (const [key, value] of Object.entries(options)) if (value !== undefined) out[key] = value;
  return out as T;
}

/** A finite number of at least `low` (and below `high`), or an ArgumentError. */
export function checkNumber(op: string, name: string, value: unknown, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY): void {
  if (typeof value !== 'number' || Number.isNaN(value)) fail(ArgumentError, op, `a number for ${name}`, describe(value));
  if (value < low || (high !== Number.POSITIVE_INFINITY && value >= high)) {
    const range = high === Number.POSITIVE_INFINITY ? `${name} of at least ${low}` : `${name} in [${low}, ${high})`;
    fail(ArgumentError, op, range, String(value));
  }
}

/** A boolean, or an ArgumentError. */
export function checkBoolean(op: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') fail(ArgumentError, op, `a boolean for ${name}`, describe(value));
}

/** A whole number of at least `low`, or an ArgumentError. */
export function checkInteger(op: string, name: string, value: unknown, low: number): void {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low) fail(ArgumentError, op, `a whole number of at least ${low} for ${name}`, describe(value));
}

/** A function to call, or an ArgumentError. */
// biome-ignore lint/complexity/noBannedTypes: any function, whatever its parameters
export function checkFunction(op: string, what: string, value: unknown): asserts value is Function {
  if (typeof value !== 'function') fail(ArgumentError, op, what, describe(value));
}
