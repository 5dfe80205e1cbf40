/**
 * Methods whose sizes or dimensions come as one array, as separate numbers, or by name: `x.permute(2, 0, 1)`,
 * `x.view([2, -1])`.
 */

import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { integersOf } from '../tensor/integer.js';
import type { Tensor } from '../tensor/tensor.js';
import { attachMethod } from './define-function.js';

/** The type of such a method. */
export type SizesMethod<R = Tensor> = (
  ...sizes:
    | [readonly (number | Tensor)[]]
    | (number | Tensor)[]
    | [named: { readonly [parameter: string]: readonly (number | Tensor)[] }]
) => R;

/** The numbers of an argument list that is one array, single numbers, or `{ [parameter]: array }`. */
export function sizeArguments(op: string, parameter: string, args: readonly unknown[]): number[] {
  let given = args;
  if (args.length === 1) {
    const only = args[0];
    if (Array.isArray(only)) given = only;
    else if (typeof only === 'number') given = [only];
    else if (isOptions(only)) {
      rejectUnknownOptions(op, only, [parameter]);
      const named = only[parameter];
      if (!Array.isArray(named)) fail(ArgumentError, op, `an array for ${parameter}`, describe(named));
      given = named;
    }
  }
  given = integersOf(given);
  for (const n of given)
    if (typeof n !== 'number' || !Number.isInteger(n))
      fail(ArgumentError, op, `whole numbers for ${parameter}`, describe(given));
  return [...(given as number[])];
}

/** Makes fn(x, sizes) callable as x.name(2, 3), x.name([2, 3]) and x.name({ [parameter]: [2, 3] }). */
export function attachSizesMethod(
  name: string,
  parameter: string,
  fn: (input: Tensor, sizes: number[]) => unknown,
): void {
  attachMethod(name, (input: Tensor, ...args: unknown[]) => fn(input, sizeArguments(name, parameter, args)));
}
