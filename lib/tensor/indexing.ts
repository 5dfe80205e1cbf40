/**
 * What may stand in an index list: numbers, slices, null, the ellipsis, tensors, masks and nested arrays. It knows no
 * operator.
 */
import { ArgumentError, describe, fail } from '../errors.js';
import { integerOf } from './integer.js';
import type { Tensor } from './tensor.js';

/** start:stop:step of a dimension; ends that are null reach to the dimension's. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {
    for (const end of [start, stop, step])
      if (end !== null && !Number.isInteger(end)) fail(ArgumentError, 'slice', 'whole numbers or null', describe(end));
    if (step !== null && step < 1) fail(ArgumentError, 'slice', 'a step of at least 1', String(step));
    Object.freeze(this);
  }
}

class Ellipsis {
  toString(): string {
    return '...';
  }
}

/** As many whole dimensions as an index list leaves open: `x.index([ellipsis, 0])`. */
export const ellipsis = Object.freeze(new Ellipsis());

type Bound = number | Tensor | null;

/**
 * start:stop:step of a dimension: `slice(null, 8)` is Python's `:8`, `slice(8, null)` is `8:`, `slice()` is `:`. Bounds
 * are numbers, integer tensors of one element, or null for the end of the dimension. One bound alone is an
 * ArgumentError: Python's slice(8) is `:8`, Array's is `8:`.
 */
export function slice(): Slice;
export function slice(start: Bound, stop: Bound, step?: Bound): Slice;
export function slice(...bounds: (Bound | undefined)[]): Slice {
  if (bounds.length === 1) {
    const text = describe(bounds[0]);
    fail(
      ArgumentError,
      'slice',
      `both ends: slice(null, ${text}) for :${text}, slice(${text}, null) for ${text}:`,
      `slice(${text})`,
    );
  }
  const [start, stop, step] = bounds.map(integerOf);
  return new Slice(start ?? null, stop ?? null, step ?? null);
}

/** Numbers or booleans, nested as the shape. */
export type NestedIndex = readonly (number | boolean | bigint | NestedIndex)[];
/** One item of an index list. */
export type Index = number | bigint | boolean | null | Slice | typeof ellipsis | Tensor | NestedIndex;
