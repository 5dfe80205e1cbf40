/**
 * Arguments of constructors, and of functions that are no operators, by the one rule of the interface: PyTorch's
 * positional parameters in order and one trailing options object, which may name any of them. The checks of single
 * values are here as well.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from './errors.js';

/** Arguments: parameters A by position, or options O in the place of any of them. */
export type Arguments<A extends readonly unknown[], O> = [...{ [I in keyof A]: A[I] | O }, options?: O];

/** True for an object literal: the only thing that counts as an options object. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** How many arguments a call takes by position, how many it must be given, and other names of its parameters. */
interface Binding {
  /** Default: every parameter. */
  readonly positional?: number;
  /** How many leading parameters must be given. Default 0. */
  readonly required?: number;
  /** Other names that the options may use, by which parameter each stands for. */
  readonly synonyms?: Readonly<Record<string, string>>;
}

/**
 * The arguments of a call in the places of their parameters, undefined where one was not given. The last argument is an
 * options object where it is an object literal. Throws ArgumentError for superfluous, unknown, repeated and missing
 * arguments.
 */
export function bindArguments(
  op: string,
  names: readonly string[],
  args: readonly unknown[],
  { positional = names.length, required = 0, synonyms = {} }: Binding = {},
): unknown[] {
  const last = args.length > 0 ? args[args.length - 1] : undefined;
  const options = isOptions(last) ? last : {};
  const count = isOptions(last) ? args.length - 1 : args.length;
  if (count > positional) throw tooMany(op, names, positional, count);
  const places = new Array<unknown>(names.length).fill(undefined);
  for (let i = 0; i < count; i++) places[i] = args[i];
  for (const key of Object.keys(options)) {
    const name = names.includes(key) ? key : Object.hasOwn(synonyms, key) ? synonyms[key] : key;
    const i = names.indexOf(name);
    if (i < 0) rejectUnknownOptions(op, { [key]: null }, names);
    if (i < count) throw new ArgumentError(`${op}: ${name} was given twice, by position and in the options`);
    if (name !== key && Object.hasOwn(options, name))
      throw new ArgumentError(`${op}: ${name} was given twice, also as ${key}`);
    places[i] = options[key];
  }
  requireAll(op, names, required, ...places);
  return places;
}

/** The error of a call with more positional arguments than it takes. */
export function tooMany(op: string, names: readonly string[], positional: number, count: number): ArgumentError {
  const others = positional < names.length ? ` (${names.slice(positional).join(', ')} go in the options)` : '';
  return new ArgumentError(`${op}: expected at most ${positional} positional arguments, got ${count}${others}`);
}

/** Throws ArgumentError for the first required argument that was not given. */
export function requireAll(op: string, names: readonly string[], required: number, ...args: unknown[]): void {
  for (let i = 0; i < required; i++)
    if (args[i] === undefined)
      throw new ArgumentError(`${op}: expected ${names.slice(0, required).join(', ')}, got no ${names[i]}`);
}

/** The arguments of a call as one object over the defaults, whose keys are the parameters in order. */
export function readArguments<T extends object>(
  op: string,
  defaults: T,
  args: readonly unknown[],
  positional?: number,
): T {
  const names = Object.keys(defaults);
  const out = { ...defaults } as Record<string, unknown>;
  bindArguments(op, names, args, { positional }).forEach((value, i) => {
    if (value !== undefined) out[names[i]] = value;
  });
  return out as T;
}

/** The one boolean argument of a call, by position or by name. ArgumentError: another value, another option. */
export function readFlag(op: string, name: string, given: unknown): boolean {
  const { [name]: value } = readArguments(op, { [name]: true as unknown }, [given]);
  checkBoolean(op, name, value);
  return value;
}

/** A finite number of at least `low` (and below `high`), or an ArgumentError. */
export function checkNumber(
  op: string,
  name: string,
  value: unknown,
  low = Number.NEGATIVE_INFINITY,
  high = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== 'number' || Number.isNaN(value))
    fail(ArgumentError, op, `a number for ${name}`, describe(value));
  if (value < low || (high !== Number.POSITIVE_INFINITY && value >= high)) {
    const range = high === Number.POSITIVE_INFINITY ? `${name} of at least ${low}` : `${name} in [${low}, ${high})`;
    fail(ArgumentError, op, range, String(value));
  }
  return value;
}

/** A boolean, or an ArgumentError. */
export function checkBoolean(op: string, name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') fail(ArgumentError, op, `a boolean for ${name}`, describe(value));
}

/** A whole number of at least `low`, or an ArgumentError. */
export function checkInteger(op: string, name: string, value: unknown, low = 0): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low)
    fail(ArgumentError, op, `a whole number of at least ${low} for ${name}`, describe(value));
  return value;
}

/** A function to call, or an ArgumentError. */
// biome-ignore lint/complexity/noBannedTypes: any function, whatever its parameters
export function checkFunction(op: string, what: string, value: unknown): asserts value is Function {
  if (typeof value !== 'function') fail(ArgumentError, op, what, describe(value));
}
