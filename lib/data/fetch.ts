/** From indices, or from an iterator, to one batch: what both the main thread and a worker do. */

import { tensor } from '../ops/creation/creation.js';
import { indexSelect } from '../ops/indexing/index-select.js';
import { defaultCollate } from './collate.js';
import { isIterableDataset, isMapDataset, itemOf, type MapDataset, TensorDataset } from './dataset.js';

export type AnyDataset = MapDataset<unknown> | Iterable<unknown> | AsyncIterable<unknown>;
/** Makes a batch of a list of items, or of one item where there are no batches. */
export type Collate = (items: unknown) => unknown;

export interface FetchOptions {
  /** How items become a batch; null gives them as they are. */
  readonly collate: Collate | null;
  /** Items in a batch of an iterable dataset; null for one item alone. */
  readonly batchSize: number | null;
  readonly dropLast: boolean;
}
/** Indices of a batch, one index where there are no batches, or null for what an iterator gives next. */
export type Request = readonly number[] | number | null;

const END = Symbol('end');
/** What an iterable dataset gives when it is exhausted. */
export type End = typeof END;
export const isEnd = (value: unknown): value is End => value === END;

/** Answers requests for batches from one dataset. */
export class Fetcher {
  private iterator: Iterator<unknown> | AsyncIterator<unknown> | null = null;
  private exhausted = false;

  constructor(
    private readonly dataset: AnyDataset,
    private readonly options: FetchOptions,
  ) {}

  async fetch(request: Request): Promise<unknown | End> {
    if (request === null) return this.fromIterator();
    const dataset = this.dataset as MapDataset<unknown>;
    if (typeof request === 'number') return this.collated(await itemOf(dataset, request));
    // Rows of whole tensors are gathered at once: the same values as one by one, without a tensor for each.
    if (dataset instanceof TensorDataset && this.options.collate === defaultCollate) {
      const index = tensor(BigInt64Array.from(request, BigInt));
      return (dataset as TensorDataset).tensors.map((x) => indexSelect(x, 0, index));
    }
    const items = request.map((index) => itemOf(dataset, index));
    return this.collated(items.some((item) => item instanceof Promise) ? await Promise.all(items) : items);
  }

  private collated(items: unknown): unknown {
    const { collate } = this.options;
    return collate === null ? items : collate(items);
  }

  private async fromIterator(): Promise<unknown | End> {
    const { batchSize, dropLast } = this.options;
    const items: unknown[] = [];
    while (!this.exhausted && items.length < (batchSize ?? 1)) {
      this.iterator ??= iteratorOf(this.dataset as Iterable<unknown>);
      const next = await this.iterator.next();
      if (next.done) this.exhausted = true;
      else items.push(next.value);
    }
    if (items.length === 0 || (dropLast && items.length < (batchSize ?? 1))) return END;
    return this.collated(batchSize === null ? items[0] : items);
  }

  /** Lets an iterable dataset clean up where it was left early. */
  async close(): Promise<void> {
    if (this.iterator !== null && !this.exhausted) await this.iterator.return?.();
  }
}

function iteratorOf(source: Iterable<unknown> | AsyncIterable<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in source && typeof source[Symbol.asyncIterator] === 'function'
    ? source[Symbol.asyncIterator]()
    : (source as Iterable<unknown>)[Symbol.iterator]();
}

export function isDataset(value: unknown): value is AnyDataset {
  return isMapDataset(value) || isIterableDataset(value);
}
