/** How items become a batch: tensors are stacked, numbers made one tensor, containers gone into. It knows no loader. */

import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import type { TypedArray } from '../native/typed-array.js';
import { tensor } from '../ops/creation/creation.js';
import { stack } from '../ops/views/cat.js';
import { Tensor } from '../tensor/tensor.js';

/** The type of a batch of items of type T. */
export type Collated<T> = T extends Tensor
  ? Tensor
  : T extends number | bigint | boolean | TypedArray
    ? Tensor
    : T extends string
      ? string[]
      : T extends readonly unknown[]
        ? { -readonly [I in keyof T]: Collated<T[I]> }
        : T extends ReadonlyMap<infer K, infer V>
          ? Map<K, Collated<V>>
          : T extends object
            ? { [K in keyof T]: Collated<T[K]> }
            : unknown;

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}
const isNumeric = (value: unknown): value is number | bigint | boolean =>
  typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';

/** How deep items are gone into: an array or object may hold itself. */
const DEEPEST = 64;

function checkDepth(op: string, depth: number): void {
  if (depth > DEEPEST)
    fail(ArgumentError, op, `items nested at most ${DEEPEST} deep`, 'deeper ones, or one that holds itself');
}

function collate(batch: readonly unknown[], place: string, depth = 0): unknown {
  checkDepth('defaultCollate', depth);
  const first = batch[0];
  const alike = (test: (value: unknown) => boolean, what: string): void => {
    const other = batch.find((value) => !test(value));
    if (other !== undefined || batch.includes(undefined))
      fail(ArgumentError, 'defaultCollate', `${what} in every item`, `${describe(other)}${place}`);
  };
  if (first instanceof Tensor) {
    alike((value) => value instanceof Tensor, 'a tensor');
    return stack(batch as readonly Tensor[]);
  }
  if (isTypedArray(first)) {
    alike(isTypedArray, 'a typed array');
    return stack(batch.map((value) => tensor(value as TypedArray)));
  }
  if (isNumeric(first)) {
    alike(isNumeric, 'a number');
    return tensor(batch as readonly number[]);
  }
  if (typeof first === 'string') {
    alike((value) => typeof value === 'string', 'a string');
    return [...batch];
  }
  if (Array.isArray(first)) {
    alike((value) => Array.isArray(value) && value.length === first.length, `an array of ${first.length}`);
    return first.map((_, i) =>
      collate(
        batch.map((value) => (value as unknown[])[i]),
        `${place}[${i}]`,
        depth + 1,
      ),
    );
  }
  if (first instanceof Map) {
    alike(
      (value) => value instanceof Map && [...first.keys()].every((key) => value.has(key)),
      'a Map with the same keys',
    );
    return new Map(
      [...first.keys()].map((key) => [
        key,
        collate(
          batch.map((value) => (value as Map<unknown, unknown>).get(key)),
          `${place}.get(${String(key)})`,
          depth + 1,
        ),
      ]),
    );
  }
  if (isOptions(first)) {
    const keys = Object.keys(first);
    alike(
      (value) => isOptions(value) && keys.every((key) => Object.hasOwn(value, key)),
      'an object with the same keys',
    );
    return Object.fromEntries(
      keys.map((key) => [
        key,
        collate(
          batch.map((value) => (value as Record<string, unknown>)[key]),
          `${place}.${key}`,
          depth + 1,
        ),
      ]),
    );
  }
  return fail(
    ArgumentError,
    'defaultCollate',
    'tensors, typed arrays, numbers, booleans, strings, and arrays, Maps or objects of these (or give a collateFn)',
    `${describe(first)}${place}`,
  );
}

/**
 * One item as a loader without batches gives it: typed arrays become tensors, arrays, Maps and objects are gone into,
 * all else stays. Source: torch.utils.data.default_convert.
 */
export function defaultConvert(data: unknown): unknown {
  return converted(data, 0);
}

function converted(data: unknown, depth: number): unknown {
  checkDepth('defaultConvert', depth);
  const inside = (value: unknown): unknown => converted(value, depth + 1);
  if (isTypedArray(data)) return tensor(data);
  if (Array.isArray(data)) return data.map(inside);
  if (data instanceof Map) return new Map([...data].map(([key, value]) => [key as unknown, inside(value)]));
  if (isOptions(data)) return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, inside(value)]));
  return data;
}

/**
 * A batch of items: tensors and typed arrays are stacked along a new first dimension; numbers become a tensor (the
 * default floating type, as `tensor` makes it; bigints int64, booleans bool); strings stay an array; arrays, Maps and
 * objects are gone into. Throws ArgumentError for items that differ in form, ShapeError for tensors that differ in
 * shape. Source: torch.utils.data.default_collate.
 */
export function defaultCollate<T>(batch: readonly T[]): Collated<T> {
  if (!Array.isArray(batch) || batch.length === 0)
    fail(ArgumentError, 'defaultCollate', 'at least one item', describe(batch));
  return collate(batch, '') as Collated<T>;
}
