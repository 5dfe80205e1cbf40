/**
 * Constructor arguments of optimizers and schedulers by the one rule of the interface: PyTorch's positional parameters in order,
 * and one trailing options object. Names on live objects are camelCase; state dicts carry PyTorch's own. It knows of no algorithm.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { isOptions } from '../ops/define-function.js';
import { Tensor } from '../tensor/tensor.js';

/** The arguments of a constructor after its first: parameters A by position, or options O in the place of any of them. */
export type Arguments<A extends readonly unknown[], O> = [...{ [I in keyof A]: A[I] | O }, options?: O];

/** Positional arguments and a trailing options object, as one object over the defaults. `positional` counts the parameters that may be given by position. */
export function readArguments<T extends object>(op: string, defaults: T, args: readonly unknown[], positional = Number.POSITIVE_INFINITY): T {
  const names = Object.keys(defaults);
  const last = args[args.length - 1];
  const options: Record<string, unknown> = isOptions(last) ? last : {};
  const given = isOptions(last) ? args.slice(0, -1) : args;
  if (given.length > positional) throw new ArgumentError(`${op}: expected at most ${positional} positional arguments after the first, got ${given.length}`);
  rejectUnknownOptions(op, options, names);
  const out = { ...defaults } as Record<string, unknown>;
  given.forEach((value, i) => {
    if (names[i] in options) throw new ArgumentError(`${op}: ${names[i]} was given twice, by position and in the options`);
    if (value !== undefined) out[names[i]] = value;
  });
  for (const [key, value] of Object.entries(options)) if (value !== undefined) out[key] = value;
  return out as T;
}

/**
 * The same of a constructor whose first argument is `first`, where all arguments may come by name in one object: `new StepLR({ optimizer, stepSize: 3 })`.
 * Returns the first argument and the others.
 */
export function readNamed<T extends object>(
  op: string,
  name: string,
  defaults: T,
  first: unknown,
  args: readonly unknown[],
  positional = Number.POSITIVE_INFINITY,
): [first: unknown, rest: T] {
  if (!isOptions(first)) return [first, readArguments(op, defaults, args, positional)];
  if (args.length > 0) fail(ArgumentError, op, `${name} first, or all arguments by name in one object`, 'an object and other arguments');
  const { [name]: value, ...options } = first;
  rejectUnknownOptions(op, first, [name, ...Object.keys(defaults)]);
  return [value, readArguments(op, defaults, [options], positional)];
}

/** `expAvgSq` as `exp_avg_sq`, `TMax` as `T_max`. */
export function snakeCase(name: string): string {
  if (/^[A-Z][A-Z0-9]/.test(name)) return `${name[0]}_${snakeCase(name[1].toLowerCase() + name.slice(2))}`;
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `exp_avg_sq` as `expAvgSq`, and `T_max` as `TMax`. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[A-Za-z0-9])_([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
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

/** Two decay rates in [0, 1), numbers or tensors of one element, as numbers. */
export function checkBetas(op: string, betas: unknown): [number, number] {
  if (!Array.isArray(betas) || betas.length !== 2) fail(ArgumentError, op, 'two numbers for betas', describe(betas));
  const [first, second] = (betas as unknown[]).map((beta, i) => {
    const value = beta instanceof Tensor && beta.numel() === 1 ? Number(beta.item()) : beta;
    checkNumber(op, `betas[${i}]`, value, 0, 1);
    return value as number;
  });
  return [first, second];
}
