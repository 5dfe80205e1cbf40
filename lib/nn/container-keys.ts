/** Names and indices of the members of containers: how they are read off property names, and how they are checked. */
import { ArgumentError, describe, fail, IndexError } from '../errors.js';

/** The index that a property name stands for, as in `list[-1]`; null for a name that is no index. */
export function indexOfName(name: string): number | null {
  return /^-?(0|[1-9]\d*)$/.test(name) ? Number(name) : null;
}

/** An index counted from the start. Throws IndexError outside of [-length, last]. */
export function placeOf(op: string, index: number, length: number, last = length - 1): number {
  const wrapped = Number.isInteger(index) && index < 0 ? index + length : index;
  if (!Number.isInteger(index) || wrapped < 0 || wrapped > last)
    fail(IndexError, op, length === 0 && last < 0 ? 'a member' : `an index in [${-length}, ${last}]`, describe(index));
  return wrapped;
}

/** The bounds of a slice, each a whole number or absent. */
export function checkBounds(op: string, start: number | undefined, end: number | undefined): void {
  for (const bound of [start, end])
    if (bound !== undefined && !Number.isInteger(bound))
      fail(ArgumentError, op, 'whole numbers for start and end', describe(bound));
}

/** A name that state dicts can hold, or an ArgumentError. */
export function checkKey(op: string, name: unknown): string {
  if (typeof name !== 'string' || name === '' || name.includes('.'))
    fail(ArgumentError, op, 'a name that is not empty and has no dot', describe(name));
  return name;
}

/** The entries of an object, a Map, an array of pairs or a container of the same kind. */
export function entriesOf<V>(op: string, given: unknown): (readonly [string, V])[] {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null)
    fail(ArgumentError, op, 'an object, a Map or pairs of names and members', describe(given));
  if ('items' in given && typeof given.items === 'function') return (given.items as () => [string, V][])();
  if (!(Symbol.iterator in given)) return Object.entries(given as Record<string, V>);
  const entries = [...(given as Iterable<unknown>)];
  for (const entry of entries)
    if (!Array.isArray(entry) || entry.length !== 2)
      fail(ArgumentError, op, 'pairs of a name and a member', describe(entry));
  return entries as (readonly [string, V])[];
}

/** What can be iterated over, as an array, or an ArgumentError. */
export function listOf<V>(op: string, expected: string, given: unknown): V[] {
  if (
    given === null ||
    given === undefined ||
    typeof given === 'string' ||
    typeof (given as Iterable<V>)[Symbol.iterator] !== 'function'
  )
    fail(ArgumentError, op, expected, describe(given));
  return [...(given as Iterable<V>)];
}
