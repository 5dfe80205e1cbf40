/** Datasets for the tests of worker threads: numbers, images of one value, and such as misbehave. */
import { type Tensor, tensor, utils } from '../../lib/index.js';

export interface NumbersOptions {
  readonly length: number;
  /** The item at which the dataset throws. */
  readonly failAt?: number;
  /** The item at which its worker ends. */
  readonly exitAt?: number;
  /** The item that never comes. */
  readonly hangAt?: number;
  /** Counted up for as long as the worker lives. */
  readonly pulse?: SharedArrayBuffer;
}

/** Item i: [a tensor of three times i, i, the worker that made it]. */
export default class Numbers extends utils.data.Dataset<[Tensor, number, number]> {
  constructor(private readonly options: NumbersOptions) {
    super();
    if (options.pulse === undefined || utils.data.getWorkerInfo() === null) return;
    const count = new Int32Array(options.pulse);
    setInterval(() => Atomics.add(count, 0, 1), 2);
  }
  override get length(): number {
    return this.options.length;
  }
  override async getItem(index: number): Promise<[Tensor, number, number]> {
    const { failAt, exitAt, hangAt } = this.options;
    if (index === failAt) throw new RangeError(`item ${index} is broken`);
    if (index === exitAt) process.exit(9);
    if (index === hangAt) await new Promise(() => setInterval(() => undefined, 1000));
    // The first items are slowest, so that answers come out of order.
    if (index < 2) await new Promise((resolve) => setTimeout(resolve, 60));
    return [tensor([index, index, index], { dtype: 'float32' }), index, utils.data.getWorkerInfo()?.id ?? -1];
  }
}

/** An iterable that each worker takes a share of. */
export class Stream extends utils.data.IterableDataset<number> {
  constructor(private readonly end: number) {
    super();
  }
  override *[Symbol.iterator](): Generator<number> {
    const worker = utils.data.getWorkerInfo();
    for (let i = worker?.id ?? 0; i < this.end; i += worker?.numWorkers ?? 1) yield i;
  }
}

/** Item i: i plus a number that `begin` sets in each worker. */
export class Begun extends utils.data.Dataset<number> {
  offset = 0;
  constructor(override readonly length: number) {
    super();
  }
  override getItem(index: number): number {
    return this.offset + index;
  }
}
export async function begin(id: number): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  const info = utils.data.getWorkerInfo();
  if (info === null || info.id !== id) throw new Error('not in that worker');
  (info.dataset as Begun).offset = 100 * (id + 1);
}

/** Random numbers of the worker's own stream. */
export function noise(): utils.data.Dataset<Tensor> {
  return { length: 4, getItem: () => tensor([0]).uniform_() } as utils.data.Dataset<Tensor>;
}

/** Every dtype, containers and text. */
export const mixed = [
  {
    half: tensor([1.5], { dtype: 'bfloat16' }),
    long: tensor([5], { dtype: 'int64' }),
    map: new Map([['key', 1]]),
    text: 'a',
    turned: tensor([
      [1, 2],
      [3, 4],
    ]).transpose(0, 1),
  },
];

export const nothing = 5;
export function broken(): never {
  throw new Error('cannot be made');
}
