/**
 * The orders that samplers and loaders draw, against PyTorch's from the same seed (scripts/fixtures/data_orders.py).
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  ArgumentError,
  Generator,
  manualSeed,
  NodegradError,
  randint,
  ShapeError,
  tensor,
  utils,
} from '../../lib/index.js';

const {
  BatchSampler,
  DataLoader,
  DistributedSampler,
  randomSplit,
  RandomSampler,
  SequentialSampler,
  SubsetRandomSampler,
  TensorDataset,
  WeightedRandomSampler,
} = utils.data;
const fixture = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'data', 'orders.json');
const known = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, { value: unknown; next: number }> & {
  seed: number;
};

const items = { length: 50 };
const seeded = (): Generator => new Generator().manualSeed(3);
const weights = [0.5, 0, 2, 1, 0.25];
async function epochs(options: object): Promise<number[][][]> {
  const numbers = tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], { dtype: 'int64' });
  const loader = new DataLoader(new TensorDataset(numbers), options);
  const result: number[][][] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    result.push([]);
    for await (const [batch] of loader) result[epoch].push(batch.tolist() as number[]);
  }
  return result;
}

/** What each of three processes takes, in two epochs. */
function shares(length: number, options: utils.data.DistributedSamplerOptions = {}): unknown[] {
  const samplers = [0, 1, 2].map((rank) => new DistributedSampler({ length }, { numReplicas: 3, rank, ...options }));
  return [0, 1].flatMap((epoch) =>
    samplers.map((sampler) => {
      sampler.setEpoch(epoch);
      return [sampler.length, [...sampler]];
    }),
  );
}

const orders: Record<string, () => unknown> = {
  random: () => [...new RandomSampler(items)],
  twice: () => [0, 1].map(() => [...new RandomSampler(items)]),
  replacement: () => [...new RandomSampler(items, { replacement: true, numSamples: 70 })],
  'replacement of 32': () => [...new RandomSampler(items, { replacement: true, numSamples: 32 })],
  more: () => [...new RandomSampler({ length: 6 }, { numSamples: 15 })],
  fewer: () => [...new RandomSampler(items, { numSamples: 5 })],
  generator: () => [...new RandomSampler(items, { generator: seeded() })],
  subset: () => [...new SubsetRandomSampler([3, 1, 4, 15, 9, 26])],
  weighted: () => [...new WeightedRandomSampler(weights, 20)],
  'weighted once': () => [...new WeightedRandomSampler(weights, 4, { replacement: false })],
  batches: () => [...new BatchSampler(new RandomSampler({ length: 7 }), 3, false)],
  split: () => randomSplit(new Array<number>(10).fill(0), [0.55, 0.25, 0.2]).map((part) => part.indices),
  'split lengths': () =>
    randomSplit(new Array<number>(10).fill(0), [7, 3], { generator: seeded() }).map((part) => part.indices),
  distributed: () => shares(10),
  'distributed without the rest': () => shares(11, { dropLast: true, seed: 5 }),
  'distributed in order': () => shares(10, { shuffle: false }),
  'distributed of one item': () => shares(1),
  loader: () => epochs({ batchSize: 4 }),
  'shuffled loader': () => epochs({ batchSize: 4, shuffle: true }),
  'shuffled loader with generator': () => epochs({ batchSize: 4, shuffle: true, dropLast: true, generator: seeded() }),
};

describe("samplers: PyTorch's orders", () => {
  for (const [name, make] of Object.entries(orders))
    it(name, async () => {
      manualSeed(known.seed);
      expect(await make()).to.deep.equal(known[name].value);
      // The default generator stands where PyTorch's does: what is drawn next agrees as well.
      expect(randint(2 ** 30, [1]).item()).to.equal(known[name].next);
    });

  it('are all tried', () => {
    expect(Object.keys(orders).sort()).to.deep.equal(
      Object.keys(known)
        .filter((key) => key !== 'seed')
        .sort(),
    );
  });
});

describe('samplers: lengths and refusals', () => {
  it('lengths', () => {
    const seven = new SequentialSampler({ length: 7 });
    expect([...seven]).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    expect([...new BatchSampler(seven, 3, true)]).to.deep.equal([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect([
      new BatchSampler(seven, 3, true).length,
      new BatchSampler(seven, 3).length,
      new BatchSampler(seven, 7).length,
    ]).to.deep.equal([2, 3, 1]);
    expect(new RandomSampler(items, { numSamples: 3 }).length).to.equal(3);
    expect(new WeightedRandomSampler(weights, 9).length).to.equal(9);
    expect(() => new BatchSampler(new Set([1, 2]), 2).length).to.throw(ArgumentError, /length/);
  });

  it('refusals', () => {
    expect(() => new RandomSampler(items, { replace: true } as never)).to.throw(
      ArgumentError,
      /unknown option "replace"/,
    );
    expect(() => new RandomSampler(items, { numSamples: 0 })).to.throw(ArgumentError, /numSamples/);
    expect(() => new RandomSampler(items, { generator: 3 as never })).to.throw(ArgumentError, /Generator/);
    expect(() => new BatchSampler([1], 0)).to.throw(ArgumentError, /batchSize/);
    expect(() => new WeightedRandomSampler(weights, 1.5)).to.throw(ArgumentError, /numSamples/);
    expect(() => new WeightedRandomSampler(tensor([[1]]), 1)).to.throw(ShapeError, /one dimension/);
    expect(() => new DistributedSampler(items)).to.throw(ArgumentError, /numReplicas/);
    expect(() => new DistributedSampler(items, 2, 2)).to.throw(ArgumentError, /a rank below 2, got 2/);
    expect(() => randomSplit([1, 2, 3], [1, 1])).to.throw(ArgumentError, /sum to the dataset's 3/);
    expect(() => randomSplit([1, 2, 3], [0.5, 0.7])).to.throw(ArgumentError, /whole lengths/);
    expect(() => randomSplit([1, 2, 3], [1.5, -0.5])).to.throw(ArgumentError, /between 0 and 1/);
  });
});

describe('arguments of samplers and datasets', () => {
  const { ConcatDataset, ChainDataset, StackDataset, Subset } = utils.data;

  it("are PyTorch's by position, options after any of them, or all by name", () => {
    const all = { dataSource: items, replacement: true, numSamples: 3, generator: seeded() };
    expect([...new RandomSampler(all)]).to.deep.equal([...new RandomSampler(items, true, 3, seeded())]);
    expect(new RandomSampler(items, false, { numSamples: 4 }).length).to.equal(4);
    expect(new RandomSampler({ length: 6 }).length).to.equal(6);
    expect([...new SequentialSampler({ dataSource: { length: 2 } })]).to.deep.equal([0, 1]);
    expect([...new SubsetRandomSampler({ indices: [5, 6, 7], generator: seeded() })]).to.deep.equal([
      ...new SubsetRandomSampler([5, 6, 7], seeded()),
    ]);
    expect([...new SubsetRandomSampler(tensor([4], { dtype: 'int64' }) as unknown as number[])]).to.deep.equal([4]);
    const weighted = { weights, numSamples: 3, replacement: false, generator: seeded() };
    expect([...new WeightedRandomSampler(weighted)]).to.deep.equal([
      ...new WeightedRandomSampler(weights, 3, false, seeded()),
    ]);
    expect([...new BatchSampler({ sampler: [1, 2, 3], batchSize: 2, dropLast: true })]).to.deep.equal([[1, 2]]);
    expect([...new BatchSampler([1, 2, 3], 2, { dropLast: true })]).to.deep.equal([[1, 2]]);
    expect(new DistributedSampler({ dataset: items, numReplicas: 2, rank: 1 }).length).to.equal(25);
    expect(new Subset({ dataset: [1, 2, 3], indices: [2] }).getItem(-1)).to.equal(3);
    expect(new ConcatDataset({ datasets: [[1], [2]] }).getItem(-1)).to.equal(2);
    expect(new ChainDataset({ datasets: [new Set([1])] }).datasets).to.have.length(1);
    expect(new StackDataset({ image: [1, 2], label: ['a', 'b'] }).getItem(-1)).to.deep.equal({ image: 2, label: 'b' });
    const parts = randomSplit({ dataset: [1, 2, 3], lengths: [2, 1], generator: seeded() });
    expect(parts.map((part) => part.indices)).to.deep.equal(
      randomSplit([1, 2, 3], [2, 1], seeded()).map((part) => part.indices),
    );
  });

  it('name what is wrong', () => {
    type Call = (...args: unknown[]) => unknown;
    const make =
      (Class: unknown): Call =>
      (...args) =>
        new (Class as new (...args: unknown[]) => unknown)(...args);
    const calls: [string, Call][] = Object.entries({
      SequentialSampler,
      RandomSampler,
      SubsetRandomSampler,
      WeightedRandomSampler,
      BatchSampler,
      DistributedSampler,
      Subset,
      ConcatDataset,
      ChainDataset,
      StackDataset,
      TensorDataset,
    }).map(([name, Class]) => [name, make(Class)]);
    calls.push(['randomSplit', randomSplit as Call]);
    for (const [name, call] of calls)
      for (const args of [
        [],
        [undefined],
        [null],
        [5],
        ['ab', 5],
        [{}],
        [[1, 2], 5],
        [[1, 2], null],
        [[5]],
        [[1, 2], 2, 5],
        [[1, 2], { size: 1 }],
        [tensor(1)],
        [tensor([0.5])],
        [() => 1],
      ]) {
        try {
          call(...args);
        } catch (error) {
          expect(error, `${name} ${String(args)}`).to.be.instanceOf(NodegradError);
          expect((error as Error).message, `${name} ${String(args)}`).to.match(new RegExp(`^${name}`));
        }
      }
  });
});
