/** DataLoader in the main thread: batches, datasets, collation, prefetching, and the event loop between batches. */
import { expect } from 'chai';
import {
  ArgumentError,
  full,
  IndexError,
  manualSeed,
  ShapeError,
  type Tensor,
  tensor,
  utils,
} from '../../lib/index.js';
import { rejection } from '../serialization/rejection.js';

const {
  ChainDataset,
  ConcatDataset,
  DataLoader,
  Dataset,
  defaultCollate,
  defaultConvert,
  getWorkerInfo,
  IterableDataset,
  StackDataset,
  Subset,
  TensorDataset,
} = utils.data;

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of source) result.push(item);
  return result;
}
const lists = async (loader: AsyncIterable<unknown>): Promise<unknown[]> =>
  (await collect(loader)).map((batch) => (batch as Tensor).tolist());

class Squares extends Dataset<number> {
  readonly length = 5;
  asked: number[] = [];
  override getItem(index: number): number {
    this.asked.push(index);
    return index * index;
  }
}

describe('DataLoader', () => {
  it('says which module of a dataset cannot be imported', async () => {
    const error = await rejection(new DataLoader({ module: './no-such-dataset.mjs' } as never).prepare());
    expect(error).to.be.instanceOf(ArgumentError);
    expect(error.message).to.match(/^DataLoader: expected a module that can be imported from .*no-such-dataset\.mjs/);
  });

  it('makes batches of arrays, datasets and objects like them, the last one shorter or left out', async () => {
    expect(await lists(new DataLoader([1, 2, 3], { batchSize: 2 }))).to.deep.equal([[1, 2], [3]]);
    expect(await lists(new DataLoader(new Squares(), { batchSize: 2, dropLast: true }))).to.deep.equal([
      [0, 1],
      [4, 9],
    ]);
    expect(await lists(new DataLoader({ length: 2, getItem: (i: number) => 10 - i }))).to.deep.equal([[10], [9]]);
    expect(await collect(new DataLoader([]))).to.deep.equal([]);
    expect(await collect(new DataLoader([], { shuffle: true }))).to.deep.equal([]);
  });

  it('counts its batches', () => {
    expect(new DataLoader(new Squares(), { batchSize: 2 }).length).to.equal(3);
    expect(new DataLoader(new Squares(), { batchSize: 2, dropLast: true }).length).to.equal(2);
    expect(new DataLoader(new Squares(), { batchSize: null }).length).to.equal(5);
    expect(new DataLoader(new Squares(), { batchSampler: [[1], [2, 3]] }).length).to.equal(2);
    expect(() => new DataLoader(new Set([1])).length).to.throw(ArgumentError, /iterable/);
  });

  it('follows samplers', async () => {
    expect(await lists(new DataLoader(new Squares(), { sampler: [4, 0, 2], batchSize: 2 }))).to.deep.equal([
      [16, 0],
      [4],
    ]);
    expect(await lists(new DataLoader(new Squares(), { batchSampler: [[1], [2, 3]] }))).to.deep.equal([[1], [4, 9]]);
    expect((await rejection(collect(new DataLoader(new Squares(), { sampler: [5] })))).message).to.match(
      /index in \[0, 4\], got 5/,
    );
  });

  it('gives items alone where batchSize is null', async () => {
    expect(await collect(new DataLoader(new Squares(), { batchSize: null }))).to.deep.equal([0, 1, 4, 9, 16]);
    expect(await collect(new DataLoader(new Set(['a']), { batchSize: null }))).to.deep.equal(['a']);
  });

  it('takes a collateFn', async () => {
    const loader = new DataLoader(['a', 'b', 'c'], { batchSize: 2, collateFn: (items) => items.join('+') });
    expect(await collect(loader)).to.deep.equal(['a+b', 'c']);
  });

  it("takes PyTorch's arguments by position, with options after any of them, or all by name", async () => {
    const sum = (items: number[]): number => items.reduce((a, b) => a + b, 0);
    const ten = Array.from({ length: 10 }, (_, i) => i);
    expect(
      await lists(
        new DataLoader(ten, 4, false, null, null, 0, null, true, true, 0, null, null, null, { prefetchFactor: 1 }),
      ),
    ).to.deep.equal([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
    ]);
    expect(await collect(new DataLoader({ dataset: ten, batchSize: 5, collateFn: sum }))).to.deep.equal([10, 35]);
    expect(
      await collect(new DataLoader({ dataset: { length: 2, getItem: (i: number) => 10 - i }, collateFn: sum })),
    ).to.deep.equal([10, 9]);
    expect(await lists(new DataLoader(ten, 5, { sampler: [1, 2] }))).to.deep.equal([[1, 2]]);
    const loader = new DataLoader(ten, {
      batchSize: 5,
      shuffle: null,
      sampler: null,
      batchSampler: null,
      collateFn: null,
      generator: null,
      workerInitFn: () => 1,
      multiprocessingContext: 'spawn',
      pinMemory: true,
      pinMemoryDevice: 'cuda',
      prefetchFactor: null,
      persistentWorkers: false,
      inOrder: false,
      timeout: 0,
    });
    expect([loader.length, loader.pinMemory, loader.timeout, [...loader.sampler]]).to.deep.equal([2, true, 0, ten]);
    for (const [options, message] of [
      [{ pinMemory: 1 }, /boolean for pinMemory/],
      [{ workerInitFn: 5 }, /workerInitFn, got 5/],
      [{ multiprocessingContext: 'thread' }, /multiprocessingContext 'fork'/],
      [{ prefetch: 1 }, /unknown option "prefetch"/],
      [{ numWorkers: -1 }, /numWorkers/],
      [{ timeout: -1 }, /timeout/],
    ] as const)
      expect(() => new DataLoader(ten, options as object)).to.throw(ArgumentError, message);
    expect(() => new DataLoader({ dataset: 5, batchSize: 2 } as never)).to.throw(
      ArgumentError,
      /a dataset with getItem/,
    );
    expect(() => new DataLoader({ batchSize: 2 } as never)).to.throw(ArgumentError, /a dataset with getItem/);
  });

  it('says for await where it is iterated over as an array is', () => {
    const loader = new DataLoader([1, 2]) as unknown as Iterable<unknown>;
    const message = /DataLoader: expected for await \(const batch of loader\)/;
    expect(() => {
      for (const _ of loader) break;
    }).to.throw(ArgumentError, message);
    expect(() => [...loader]).to.throw(ArgumentError, message);
    expect(() => Array.from(loader)).to.throw(ArgumentError, message);
  });

  it('takes a tensor for a dataset of its rows', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(await lists(new DataLoader(x, { batchSize: 2 }))).to.deep.equal([
      [
        [1, 2],
        [3, 4],
      ],
      [[5, 6]],
    ]);
    expect(() => new DataLoader(tensor(1))).to.throw(ShapeError);
  });

  it('converts items where there are no batches, and hands a collateFn one item', async () => {
    const items = [{ x: Float32Array.of(1, 2), name: 'a' }];
    const [item] = (await collect(new DataLoader(items, { batchSize: null }))) as unknown as {
      x: Tensor;
      name: string;
    }[];
    expect([item.x.tolist(), item.name]).to.deep.equal([[1, 2], 'a']);
    const names = new DataLoader(items, {
      batchSize: null,
      collateFn: (one) => (one as unknown as { name: string }).name,
    });
    expect(await collect(names)).to.deep.equal(['a']);
    const [long] = (defaultConvert(new Map([['k', [BigInt64Array.of(5n)]]])) as Map<string, Tensor[]>).get('k') ?? [];
    expect([long.dtype, long.tolist()]).to.deep.equal(['int64', [5]]);
    expect(defaultConvert(5)).to.equal(5);
  });

  it('takes sync and async iterables, again in each round, and closes them', async () => {
    let closed = 0;
    class Stream extends IterableDataset<number> {
      override async *[Symbol.asyncIterator](): AsyncGenerator<number> {
        try {
          for (let i = 0; i < 5; i++) yield i;
        } finally {
          closed++;
        }
      }
    }
    const loader = new DataLoader(new Stream(), { batchSize: 2 });
    for (let round = 0; round < 2; round++) expect(await lists(loader)).to.deep.equal([[0, 1], [2, 3], [4]]);
    expect(await lists(new DataLoader(new Stream(), { batchSize: 2, dropLast: true }))).to.have.length(2);
    for await (const _ of loader) break;
    expect(closed).to.equal(4);
    expect(await lists(new DataLoader(new Set([7, 8]), { batchSize: 2 }))).to.deep.equal([[7, 8]]);
  });

  it('gathers rows of a TensorDataset as stacking them would', async () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const y = tensor([7, 8, 9], { dtype: 'int64' });
    const [[a, b]] = await collect(new DataLoader(new TensorDataset(x, y), { batchSize: 2, sampler: [2, 0] }));
    expect([a.tolist(), b.tolist(), b.dtype]).to.deep.equal([
      [
        [5, 6],
        [1, 2],
      ],
      [9, 7],
      'int64',
    ]);
    const plain = await collect(
      new DataLoader(new TensorDataset(x, y), { batchSize: 2, collateFn: (items) => defaultCollate(items) }),
    );
    expect(plain[0].map((t) => t.tolist())).to.deep.equal([
      [
        [1, 2],
        [3, 4],
      ],
      [7, 8],
    ]);
  });

  it('prefetches as many batches as it is told, in order', async () => {
    const begun: number[] = [];
    const slow = {
      length: 4,
      getItem: async (i: number): Promise<number> => {
        begun.push(i);
        await new Promise((resolve) => setTimeout(resolve, i === 0 ? 20 : 1));
        return i;
      },
    };
    const iterator = new DataLoader(slow, { batchSize: null, prefetchFactor: 2 })[Symbol.asyncIterator]();
    expect((await iterator.next()).value).to.equal(0);
    expect(begun).to.deep.equal([0, 1, 2]);
    await iterator.return();
    begun.length = 0;
    expect(await collect(new DataLoader(slow, { batchSize: null, prefetchFactor: 3 }))).to.deep.equal([0, 1, 2, 3]);
    const eager = new DataLoader(slow, { batchSize: null })[Symbol.asyncIterator]();
    begun.length = 0;
    await eager.next();
    expect(begun).to.deep.equal([0]);
  });

  it('hands on the error of an item, in its turn', async () => {
    const failing = {
      length: 3,
      getItem: (i: number): number => {
        if (i === 1) throw new RangeError('item 1');
        return i;
      },
    };
    for (const prefetchFactor of [0, 2]) {
      const seen: unknown[] = [];
      const error = await rejection(
        (async () => {
          for await (const item of new DataLoader(failing, { batchSize: null, prefetchFactor })) seen.push(item);
        })(),
      );
      expect(error).to.be.instanceOf(RangeError);
      expect(seen).to.deep.equal([0]);
    }
  });

  it('lets a timer of 50 ms fire between the steps of a synchronous training loop', async () => {
    let fired = 0;
    const timer = setInterval(() => fired++, 50);
    const firedBefore: number[] = [];
    const x = full([64, 8], 1);
    for await (const [batch] of new DataLoader(new TensorDataset(x), { batchSize: 2 })) {
      firedBefore.push(fired);
      // A training step: nothing but computing.
      for (const end = performance.now() + 15; performance.now() < end; ) batch.mul(2).sum();
    }
    clearInterval(timer);
    expect(firedBefore).to.have.length(32);
    // 32 steps of 15 ms: about nine of the timer's periods, each noticed before the next step but one.
    expect(fired).to.be.at.least(6);
    expect(new Set(firedBefore).size).to.be.at.least(6);
  });

  it('is no worker', () => {
    expect(getWorkerInfo()).to.equal(null);
  });

  it('refuses what cannot be', () => {
    const data = [1];
    for (const [options, message] of [
      [{ batchsize: 2 }, /did you mean "batchSize"/],
      [{ batchSize: 0 }, /batchSize/],
      [{ batchSize: 1.5 }, /batchSize/],
      [{ prefetchFactor: -1 }, /prefetchFactor/],
      [{ shuffle: 1 }, /boolean for shuffle/],
      [{ shuffle: true, sampler: [0] }, /either sampler or shuffle/],
      [{ batchSampler: [[0]], shuffle: true }, /batchSampler without/],
      [{ batchSampler: [[0]], batchSize: 2 }, /batchSampler without/],
      [{ batchSize: null, dropLast: true }, /batchSize where dropLast/],
      [{ sampler: 5 }, /iterable as sampler/],
      [{ collateFn: 5 }, /collateFn/],
      [{ generator: 5 }, /Generator/],
      [{ numWorkers: 1 }, /given by its module/],
      [{ timeout: 1 }, /numWorkers above 0/],
      [{ timeout: -1 }, /timeout/],
    ] as const)
      expect(() => new DataLoader(data, options as never), JSON.stringify(options)).to.throw(ArgumentError, message);
    expect(() => new DataLoader(5 as never)).to.throw(ArgumentError, /a dataset/);
    expect(() => new DataLoader(new Set([1]), { shuffle: true })).to.throw(
      ArgumentError,
      /iterable dataset without shuffle/,
    );
  });
});

describe('datasets', () => {
  it('TensorDataset', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const dataset = new TensorDataset(x.transpose(0, 1), tensor([5, 6]));
    expect(dataset.getItem(1).map((t) => t.tolist())).to.deep.equal([[2, 4], 6]);
    expect(() => dataset.getItem(2)).to.throw(IndexError);
    expect(dataset.getItem(-2).map((t) => t.tolist())).to.deep.equal([[1, 3], 5]);
    expect(() => dataset.getItem(-3)).to.throw(IndexError);
    expect(() => new TensorDataset()).to.throw(ArgumentError);
    expect(() => new TensorDataset(x, tensor([1]))).to.throw(ShapeError, /2 rows/);
    expect(() => new TensorDataset(tensor(1))).to.throw(ShapeError);
    const wanted = tensor([[1], [2]], { requiresGrad: true });
    new TensorDataset(wanted).getItem(1)[0].sum().backward();
    expect(wanted.grad?.tolist()).to.deep.equal([[0], [1]]);
  });

  it('ConcatDataset and Subset', () => {
    const both = new ConcatDataset<number>([[1, 2], new Squares()]);
    expect(both.length).to.equal(7);
    expect([0, 1, 2, 6, -1, -7].map((i) => both.getItem(i))).to.deep.equal([1, 2, 0, 16, 16, 1]);
    expect(() => both.getItem(7)).to.throw(IndexError);
    expect(() => new ConcatDataset([])).to.throw(ArgumentError);
    const part = new Subset(both, [6, 0]);
    expect([part.length, part.getItem(0), part.getItem(1)]).to.deep.equal([2, 16, 1]);
    expect(() => part.getItem(2)).to.throw(IndexError);
    expect(() => new Subset(5 as never, [])).to.throw(ArgumentError);
  });
});

describe('datasets side by side and in a chain', () => {
  it('StackDataset', async () => {
    const late = { length: 2, getItem: async (i: number) => `item ${i}` };
    expect(new StackDataset([1, 2], ['a', 'b']).getItem(1)).to.deep.equal([2, 'b']);
    const [[numbers, names]] = (await collect(
      new DataLoader(new StackDataset([1, 2], late), { batchSize: 2 }),
    )) as unknown as [Tensor, string[]][];
    expect([numbers.tolist(), names]).to.deep.equal([
      [1, 2],
      ['item 0', 'item 1'],
    ]);
    expect(() => new StackDataset()).to.throw(ArgumentError);
    expect(() => new StackDataset([1], [1, 2])).to.throw(ShapeError, /length 1, got 2/);
    expect(() => new StackDataset([1]).getItem(1)).to.throw(IndexError);
  });

  it('ChainDataset', async () => {
    async function* two(): AsyncGenerator<number> {
      yield 3;
      yield 4;
    }
    expect(
      await lists(new DataLoader(new ChainDataset<number>([new Set([1, 2]), two()]), { batchSize: 3 })),
    ).to.deep.equal([[1, 2, 3], [4]]);
    expect(() => new ChainDataset([5 as never])).to.throw(ArgumentError);
  });
});

describe('defaultCollate', () => {
  it('stacks, and goes into containers', () => {
    const batch = defaultCollate([
      {
        x: tensor([1, 2]),
        label: 3n,
        flag: true,
        name: 'a',
        pair: [1.5, Float64Array.of(1)] as const,
        map: new Map([['k', 1]]),
      },
      {
        x: tensor([3, 4]),
        label: 4n,
        flag: false,
        name: 'b',
        pair: [2.5, Float64Array.of(2)] as const,
        map: new Map([['k', 2]]),
      },
    ]);
    expect(batch.x.tolist()).to.deep.equal([
      [1, 2],
      [3, 4],
    ]);
    expect([batch.label.dtype, batch.label.tolist()]).to.deep.equal(['int64', [3, 4]]);
    expect([batch.flag.dtype, batch.flag.tolist()]).to.deep.equal(['bool', [true, false]]);
    expect(batch.name).to.deep.equal(['a', 'b']);
    expect([batch.pair[0].dtype, batch.pair[0].tolist()]).to.deep.equal(['float32', [1.5, 2.5]]);
    expect([batch.pair[1].dtype, batch.pair[1].tolist()]).to.deep.equal(['float64', [[1], [2]]]);
    expect(batch.map.get('k')?.tolist()).to.deep.equal([1, 2]);
  });

  it('names the place of what does not fit', () => {
    expect(() => defaultCollate([])).to.throw(ArgumentError, /at least one item/);
    expect(() => defaultCollate([[1], [1, 2]])).to.throw(ArgumentError, /an array of 1 in every item/);
    expect(() => defaultCollate([{ a: [null] }])).to.throw(ArgumentError, /got null\.a\[0\]/);
    expect(() => defaultCollate([{ a: 1 }, { b: 1 }])).to.throw(ArgumentError, /same keys/);
    expect(() => defaultCollate([tensor([1]), 1])).to.throw(ArgumentError, /a tensor in every item/);
    expect(() => defaultCollate([1, undefined])).to.throw(ArgumentError, /a number in every item/);
    expect(() => defaultCollate([tensor([1]), tensor([1, 2])])).to.throw(ShapeError);
    manualSeed(0);
  });
});
