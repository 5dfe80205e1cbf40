/** What may stand in an index list: numbers, slices, null, the ellipsis, tensors, masks and nested arrays. It knows no operator. */
import { ArgumentError, describe, fail } from '../errors.js';
import type { Tensor } from './tensor.js';

/** start:stop:step of a dimension; ends that are null reach to the dimension's. */
export class Slice {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {
    for (const end of [start, stop, step]) if (end !== null && !Number.isInteger(end)) fail(ArgumentError, 'slice', 'whole numbers or null', describe(end));
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

/** A part of a dimension as Array's slice reads: `slice(8)` is Python's `8:`, `slice(null, 8)` is `:8`, `slice()` is `:`. */
export function slice(start?: number | null, stop?: number | null, step?: number | null): Slice {
  return new Slice(start ?? null, stop ?? null, step ?? null);
}

/** Numbers or booleans, nested as the shape. */
export type NestedIndex = readonly (number | boolean | bigint | NestedIndex)[];
/** One item of an index list. */
export type Index = number | bigint | boolean | null | Slice | typeof ellipsis | Tensor | NestedIndex;
