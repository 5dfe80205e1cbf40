/** Datasets: what gives items by index, or one after the other. They know nothing of batches. */

import { type Arguments, isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, IndexError, ShapeError } from '../errors.js';
import { randperm } from '../ops/random/creation.js';
import type { Generator } from '../random/generator.js';
import { Tensor, windowOn } from '../tensor/tensor.js';
import { checkGenerator, indicesOf, listOf, readSourceArguments } from './arguments.js';

/** Items by index. A subclass gives `length` and `getItem`, which may be async. Source: torch.utils.data.Dataset. */
export abstract class Dataset<T = unknown> {
  abstract readonly length: number;
  abstract getItem(index: number): T | Promise<T>;
}

/**
 * Items one after the other, where there are no indices: a subclass gives an iterator, sync or async. Source:
 * torch.utils.data.IterableDataset.
 */
export abstract class IterableDataset<T = unknown> {
  [Symbol.iterator]?(): Iterator<T>;
  [Symbol.asyncIterator]?(): AsyncIterator<T>;
}

/** Anything with indices: a Dataset, an object of its form, or an array. */
export type MapDataset<T> = { readonly length: number; getItem(index: number): T | Promise<T> } | readonly T[];

export function isMapDataset(value: unknown): value is MapDataset<unknown> {
  if (Array.isArray(value)) return true;
  return typeof value === 'object' && value !== null && 'getItem' in value && typeof value.getItem === 'function';
}
export function isIterableDataset(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value) &&
    !isMapDataset(value)
  );
}

/** The item of an index in 0 .. length - 1. */
export function itemOf<T>(dataset: MapDataset<T>, index: number): T | Promise<T> {
  const { length } = dataset;
  if (!(Number.isInteger(index) && index >= 0 && index < length))
    fail(IndexError, 'getItem', `an index in [0, ${length - 1}]`, describe(index));
  return Array.isArray(dataset) ? (dataset as readonly T[])[index] : (dataset as Dataset<T>).getItem(index);
}

/** An index of a dataset, where negative ones count from the end, as in PyTorch. */
function fromEnd(op: string, index: number, length: number): number {
  if (!(Number.isInteger(index) && index >= -length && index < length))
    fail(IndexError, op, `an index in [${-length}, ${length - 1}]`, describe(index));
  return index < 0 ? index + length : index;
}

/** A row of dimension 0; without autograd where none is wanted, since a loader asks for very many. */
function rowOf(x: Tensor, index: number): Tensor {
  return x.requiresGrad
    ? x.select(0, index)
    : windowOn(x, x.shape.slice(1), x.strides.slice(1), x.offset + index * x.strides[0]);
}

/**
 * Rows of tensors that have as many: item i is the array of their i-th rows. Source: torch.utils.data.TensorDataset.
 */
export class TensorDataset<T extends readonly Tensor[] = Tensor[]> extends Dataset<T> {
  readonly tensors: T;
  readonly length: number;

  /** Throws ShapeError where the first dimensions differ. */
  constructor(...tensors: T) {
    super();
    if (tensors.length === 0) fail(ArgumentError, 'TensorDataset', 'at least one tensor', 'none');
    for (const x of tensors) {
      if (!(x instanceof Tensor)) fail(ArgumentError, 'TensorDataset', 'tensors', describe(x));
      if (x.shape.length === 0) fail(ShapeError, 'TensorDataset', 'tensors of at least one dimension', describe(x));
      if (x.shape[0] !== tensors[0].shape[0])
        fail(ShapeError, 'TensorDataset', `tensors of ${tensors[0].shape[0]} rows`, describe(x));
    }
    this.tensors = tensors;
    this.length = tensors[0].shape[0];
  }
  override getItem(index: number): T {
    const row = fromEnd('TensorDataset.getItem', index, this.length);
    return this.tensors.map((x) => rowOf(x, row)) as unknown as T;
  }
}

/** The rows of one tensor, as a loader takes a tensor for a dataset. */
export class TensorRows extends Dataset<Tensor> {
  readonly length: number;
  constructor(readonly tensor: Tensor) {
    super();
    if (tensor.shape.length === 0)
      fail(ShapeError, 'DataLoader', 'a tensor of at least one dimension', describe(tensor));
    this.length = tensor.shape[0];
  }
  override getItem(index: number): Tensor {
    return rowOf(this.tensor, index);
  }
}

/** Several datasets, one after the other. Source: torch.utils.data.ConcatDataset. */
export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly MapDataset<T>[];
  /** Where each dataset ends. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: Iterable<MapDataset<T>> | { datasets: Iterable<MapDataset<T>> }) {
    super();
    const given = readSourceArguments('ConcatDataset', { datasets: undefined as unknown }, [datasets]);
    this.datasets = listOf('ConcatDataset', 'a list of datasets', given.datasets) as MapDataset<T>[];
    if (this.datasets.length === 0) fail(ArgumentError, 'ConcatDataset', 'at least one dataset', 'none');
    let end = 0;
    this.cumulativeSizes = this.datasets.map((dataset) => {
      if (!isMapDataset(dataset))
        fail(ArgumentError, 'ConcatDataset', 'datasets with getItem and length', describe(dataset));
      end += dataset.length;
      return end;
    });
  }
  override get length(): number {
    return this.cumulativeSizes[this.cumulativeSizes.length - 1];
  }
  override getItem(index: number): T | Promise<T> {
    const at = fromEnd('ConcatDataset.getItem', index, this.length);
    const which = this.cumulativeSizes.findIndex((end) => at < end);
    return itemOf(this.datasets[which], which === 0 ? at : at - this.cumulativeSizes[which - 1]);
  }
}

/** The items of a dataset at the given indices. Source: torch.utils.data.Subset. */
export class Subset<T> extends Dataset<T> {
  readonly dataset: MapDataset<T>;
  readonly indices: readonly number[];
  constructor(
    dataset: MapDataset<T> | { dataset: MapDataset<T>; indices: Iterable<number> },
    ...args: Arguments<[indices?: Iterable<number>], { indices?: Iterable<number> }>
  ) {
    super();
    const given = readSourceArguments('Subset', { dataset: undefined as unknown, indices: undefined as unknown }, [
      dataset,
      ...args,
    ]);
    if (!isMapDataset(given.dataset))
      fail(ArgumentError, 'Subset', 'a dataset with getItem and length', describe(given.dataset));
    this.dataset = given.dataset as MapDataset<T>;
    this.indices = indicesOf('Subset', given.indices);
  }
  override get length(): number {
    return this.indices.length;
  }
  override getItem(index: number): T | Promise<T> {
    return itemOf(this.dataset, this.indices[fromEnd('Subset.getItem', index, this.length)]);
  }
}

/** Lengths that fractions of n stand for: rounded down, what remains dealt out one by one from the first on. */
function lengthsOf(lengths: readonly number[], n: number): number[] {
  const sum = lengths.reduce((a, b) => a + b, 0);
  if (!(Math.abs(sum - 1) <= 1e-9 && sum <= 1)) return [...lengths];
  for (const fraction of lengths)
    if (!(fraction >= 0 && fraction <= 1))
      fail(ArgumentError, 'randomSplit', 'fractions between 0 and 1', describe(fraction));
  const result = lengths.map((fraction) => Math.floor(n * fraction));
  const rest = n - result.reduce((a, b) => a + b, 0);
  for (let i = 0; i < rest; i++) result[i % result.length]++;
  return result;
}

interface RandomSplitOptions {
  /** Whole numbers, or fractions that sum to 1. */
  lengths?: readonly number[];
  generator?: Generator | null;
}

/**
 * Parts of a dataset, in random order and without overlap: `randomSplit(dataset, [0.8, 0.2], { generator })`, by
 * lengths or fractions. Throws ArgumentError where the lengths do not sum to the dataset's. Source:
 * torch.utils.data.random_split.
 */
export function randomSplit<T>(
  first: MapDataset<T> | ({ dataset: MapDataset<T> } & RandomSplitOptions),
  ...args: Arguments<[lengths?: readonly number[], generator?: Generator | null], RandomSplitOptions>
): Subset<T>[] {
  const given = readSourceArguments(
    'randomSplit',
    { dataset: undefined as unknown, lengths: undefined as unknown, generator: null as Generator | null },
    [first, ...args],
  );
  const { dataset, generator } = given;
  if (!isMapDataset(dataset))
    fail(ArgumentError, 'randomSplit', 'a dataset with getItem and length', describe(dataset));
  checkGenerator('randomSplit', generator);
  const lengths = listOf('randomSplit', 'a list of lengths', given.lengths).map((length) =>
    typeof length === 'number' ? length : fail(ArgumentError, 'randomSplit', 'numbers as lengths', describe(length)),
  );
  const parts = lengthsOf(lengths, dataset.length);
  for (const length of parts)
    if (!(Number.isInteger(length) && length >= 0))
      fail(ArgumentError, 'randomSplit', 'whole lengths, or fractions that sum to 1', describe(lengths));
  const total = parts.reduce((a, b) => a + b, 0);
  if (total !== dataset.length)
    fail(
      ArgumentError,
      'randomSplit',
      `lengths that sum to the dataset's ${dataset.length}`,
      `${describe(lengths)}, which sum to ${total}`,
    );
  const order = randperm(total, { generator: generator ?? undefined }).tolist() as number[];
  let end = 0;
  return parts.map((length) => {
    end += length;
    return new Subset(dataset as MapDataset<T>, order.slice(end - length, end));
  });
}

type NamedDatasets = Readonly<Record<string, MapDataset<unknown>>>;

/**
 * Several datasets side by side: item i is the array of their i-th items, or an object of them where the datasets have
 * names, as in
 * `new StackDataset({ image, label })`. Source: torch.utils.data.StackDataset.
 */
export class StackDataset extends Dataset<unknown> {
  readonly datasets: readonly MapDataset<unknown>[] | NamedDatasets;
  private readonly names: readonly string[] | null;
  private readonly list: readonly MapDataset<unknown>[];
  constructor(...datasets: MapDataset<unknown>[] | [named: NamedDatasets]) {
    super();
    const [first] = datasets;
    const named = datasets.length === 1 && isOptions(first) && !isMapDataset(first);
    this.names = named ? Object.keys(first) : null;
    this.list = named ? Object.values(first as NamedDatasets) : (datasets as MapDataset<unknown>[]);
    this.datasets = named ? (first as NamedDatasets) : this.list;
    if (this.list.length === 0) fail(ArgumentError, 'StackDataset', 'at least one dataset', 'none');
    for (const dataset of this.list) {
      if (!isMapDataset(dataset))
        fail(ArgumentError, 'StackDataset', 'datasets with getItem and length', describe(dataset));
      if (dataset.length !== this.list[0].length)
        fail(ShapeError, 'StackDataset', `datasets of length ${this.list[0].length}`, String(dataset.length));
    }
  }
  override get length(): number {
    return this.list[0].length;
  }
  override getItem(index: number): unknown {
    const at = fromEnd('StackDataset.getItem', index, this.length);
    const { names } = this;
    const put = (values: unknown[]): unknown =>
      names === null ? values : Object.fromEntries(names.map((name, i) => [name, values[i]]));
    const items = this.list.map((dataset) => itemOf(dataset, at));
    return items.some((item) => item instanceof Promise) ? Promise.all(items).then(put) : put(items);
  }
}

/** Several iterable datasets, one after the other. Source: torch.utils.data.ChainDataset. */
export class ChainDataset<T> extends IterableDataset<T> {
  readonly datasets: readonly (Iterable<T> | AsyncIterable<T>)[];
  constructor(
    datasets:
      | Iterable<Iterable<T> | AsyncIterable<T> | IterableDataset<T>>
      | { datasets: Iterable<Iterable<T> | AsyncIterable<T> | IterableDataset<T>> },
  ) {
    super();
    const given = readSourceArguments('ChainDataset', { datasets: undefined as unknown }, [datasets]);
    this.datasets = listOf('ChainDataset', 'a list of datasets', given.datasets).map((dataset) => {
      if (!isIterableDataset(dataset)) fail(ArgumentError, 'ChainDataset', 'iterable datasets', describe(dataset));
      return dataset as Iterable<T>;
    });
  }
  override async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (const dataset of this.datasets) yield* dataset;
  }
}
