/**
 * Arguments of samplers and datasets, whose first may be a plain object itself: `{ length: 7 }`, `{ length, getItem }`.
 */
import { isOptions, readArguments } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { Generator } from '../random/generator.js';
import { Tensor } from '../tensor/tensor.js';

/** As `readArguments`; a single plain object names the arguments only where it names the first. */
export function readSourceArguments<T extends object>(op: string, defaults: T, args: readonly unknown[]): T {
  const [name] = Object.keys(defaults);
  if (args.length === 1 && isOptions(args[0]) && !(name in args[0])) return { ...defaults, [name]: args[0] };
  return readArguments(op, defaults, args);
}

/** What is iterated over, as a list. */
export function listOf(op: string, what: string, value: unknown): unknown[] {
  const scalar = value instanceof Tensor && value.shape.length === 0;
  if (typeof value !== 'object' || value === null || !(Symbol.iterator in value) || scalar)
    fail(ArgumentError, op, what, describe(value));
  return [...(value as Iterable<unknown>)];
}

/** Whole numbers that are iterated over, as a list: a tensor of them, an array, a range. */
export function indicesOf(op: string, value: unknown): number[] {
  return listOf(op, 'a list of indices', value).map((item) => {
    const index: unknown = item instanceof Tensor && item.numel() === 1 ? Number(item.item()) : item;
    return typeof index === 'number' && Number.isInteger(index)
      ? index
      : fail(ArgumentError, op, 'whole numbers as indices', describe(item));
  });
}

/** A Generator, or none. */
export function checkGenerator(op: string, generator: unknown): asserts generator is Generator | null | undefined {
  if (generator !== undefined && generator !== null && !(generator instanceof Generator))
    fail(ArgumentError, op, 'a Generator', describe(generator));
}
