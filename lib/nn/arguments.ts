/**
 * How modules are constructed: PyTorch's parameters in order, and a trailing options object in which any of them may be named. Also the
 * uninitialised parameters that constructors begin with. It knows nothing of particular modules.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { checkDevice } from '../tensor/device.js';
import { isOptions, type PublicArguments } from '../dispatch/define-function.js';
import { tensorArgument } from '../ops/core/promotion.js';
import { defaultFloatInfo, type DType, dtypeInfo } from '../storage/dtype.js';
import { allocateChecked } from '../tensor/allocate.js';
import { Parameter } from './parameter.js';

/** Values by name; A is the tuple of a constructor's parameters, P their names. */
type ByName<P extends readonly string[], A extends readonly unknown[]> = {
  [I in Exclude<keyof P, keyof (readonly unknown[])> as P[I] extends string ? P[I] : never]: I extends keyof A ? A[I] : never;
};
/** What a constructor takes: `constructor(...args: ConstructorArguments<typeof NAMES, [inFeatures: number, bias?: boolean]>)`. */
export type ConstructorArguments<P extends readonly string[], A extends readonly unknown[]> = PublicArguments<P, A> | [options: Partial<ByName<P, A>>];

/** Names a constructor's arguments. Throws ArgumentError for missing, unknown, repeated and superfluous ones. */
export function constructorArguments<const P extends readonly string[], A extends readonly unknown[]>(
  module: string,
  names: P,
  required: number,
  args: ConstructorArguments<P, A>,
): ByName<P, A> {
  const list: readonly unknown[] = args;
  const last = list.length > 0 ? list[list.length - 1] : undefined;
  const options = isOptions(last) ? last : {};
  const positional = isOptions(last) ? list.slice(0, -1) : list;
  if (positional.length > names.length) throw new ArgumentError(`${module}: expected at most ${names.length} arguments, got ${positional.length}`);
  rejectUnknownOptions(module, options, names);
  const out: Record<string, unknown> = {};
  names.forEach((name, i) => {
    if (i < positional.length && Object.hasOwn(options, name)) throw new ArgumentError(`${module}: ${name} was given twice, by position and in the options`);
    out[name] = i < positional.length ? positional[i] : options[name];
    if (i < required && out[name] === undefined) throw new ArgumentError(`${module}: expected ${names.slice(0, required).join(', ')}, got no ${name}`);
  });
  return out as ByName<P, A>;
}

/** The same for the arguments of a forward, whose required ones are tensors, and whose masks are tensors or absent. */
export function callArguments<const P extends readonly string[], A extends readonly unknown[]>(
  module: string,
  names: P,
  required: number,
  args: ConstructorArguments<P, A>,
): ByName<P, A> {
  const given = constructorArguments<P, A>(module, names, required, args);
  names.forEach((name, i) => {
    const value = (given as Record<string, unknown>)[name];
    if (i < required || (/mask$/i.test(name) && value !== undefined && value !== null)) tensorArgument(module, name, value);
  });
  return given;
}

/** The one flag of a method, by position or by name. Throws ArgumentError for anything but true and false. */
export function flag(op: string, name: string, given: unknown): boolean {
  if (isOptions(given)) rejectUnknownOptions(op, given, [name]);
  const value = isOptions(given) ? (given[name] ?? true) : given;
  if (typeof value !== 'boolean') fail(ArgumentError, op, `${name} as true or false`, describe(value));
  return value;
}

/** A whole number of at least `least`, or an ArgumentError. */
export function checkCount(module: string, name: string, value: unknown, least = 0): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least) fail(ArgumentError, module, `${name} as a whole number of at least ${least}`, describe(value));
  return value;
}

/** Where and in what type a module's parameters are made. */
export interface Factory {
  readonly device?: string;
  readonly dtype?: DType;
}

/** A parameter of uninitialised memory. */
export function emptyParameter(module: string, shape: readonly number[], { device, dtype }: Factory): Parameter {
  if (device !== undefined && device !== null) checkDevice(module, device);
  const info = dtype === undefined || dtype === null ? defaultFloatInfo() : dtypeInfo(module, dtype);
  return new Parameter(allocateChecked(module, shape, info));
}
