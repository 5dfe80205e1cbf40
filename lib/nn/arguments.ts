/**
 * How modules are constructed: PyTorch's parameters in order, and a trailing options object in which any of them may be
 * named. Also the uninitialised parameters that constructors begin with. It knows nothing of particular modules.
 */

import { bindArguments } from '../arguments.js';
import type { PublicArguments } from '../dispatch/public-arguments.js';
import { tensorArgument } from '../ops/core/promotion.js';
import { type DType, defaultFloatInfo, dtypeInfo } from '../storage/dtype.js';
import { allocateChecked } from '../tensor/allocate.js';
import { checkDevice } from '../tensor/device.js';
import { Parameter } from './parameter.js';

/** Values by name; A is the tuple of a constructor's parameters, P their names. */
type ByName<P extends readonly string[], A extends readonly unknown[]> = {
  [I in Exclude<keyof P, keyof (readonly unknown[])> as P[I] extends string ? P[I] : never]: I extends keyof A
    ? A[I]
    : never;
};
/**
 * What a constructor takes: `constructor(...args: ConstructorArguments<typeof NAMES, [inFeatures: number, bias?:
 * boolean]>)`.
 */
export type ConstructorArguments<P extends readonly string[], A extends readonly unknown[]> =
  | PublicArguments<P, A>
  | [options: Partial<ByName<P, A>>];

/** Names a constructor's arguments. Throws ArgumentError for missing, unknown, repeated and superfluous ones. */
export function constructorArguments<const P extends readonly string[], A extends readonly unknown[]>(
  module: string,
  names: P,
  required: number,
  args: ConstructorArguments<P, A>,
): ByName<P, A> {
  const places = bindArguments(module, names, args, { required });
  const out = Object.fromEntries(names.map((name, i) => [name, places[i]]));
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
    if (i < required || (/mask$/i.test(name) && value !== undefined && value !== null))
      tensorArgument(module, name, value);
  });
  return given;
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
