/** The orders that samplers and loaders draw, against PyTorch's from the same seed (scripts/fixtures/data_orders.py). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, Generator, manualSeed, randint, ShapeError, tensor, utils } from '../../lib/index.js';

const { BatchSampler, DataLoader, randomSplit, RandomSampler, SequentialSampler, SubsetRandomSampler, TensorDataset, WeightedRandomSampler } = utils.data;
const fixture = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'data', 'orders.json');
const known = JSON.parse(readFileSync(fixture, 'utf8')) as Record<string, { value: unknown; next: number }> & { seed: number };

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
  'split lengths': () => randomSplit(new Array<number>(10).fill(0), [7, 3], { generator: seeded() }).map((part) => part.indices),
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
    expect([new BatchSampler(seven, 3, true).length, new BatchSampler(seven, 3).length, new BatchSampler(seven, 7).length]).to.deep.equal([2, 3, 1]);
    expect(new RandomSampler(items, { numSamples: 3 }).length).to.equal(3);
    expect(new WeightedRandomSampler(weights, 9).length).to.equal(9);
    expect(() => new BatchSampler(new Set([1, 2]), 2).length).to.throw(ArgumentError, /length/);
  });

  it('refusals', () => {
    expect(() => new RandomSampler(items, { replace: true } as never)).to.throw(ArgumentError, /unknown option "replace"/);
    expect(() => new RandomSampler(items, { numSamples: 0 })).to.throw(ArgumentError, /numSamples/);
    expect(() => new RandomSampler(items, { generator: 3 as never })).to.throw(ArgumentError, /Generator/);
    expect(() => new BatchSampler([1], 0)).to.throw(ArgumentError, /batchSize/);
    expect(() => new WeightedRandomSampler(weights, 1.5)).to.throw(ArgumentError, /numSamples/);
    expect(() => new WeightedRandomSampler(tensor([[1]]), 1)).to.throw(ShapeError, /one dimension/);
    expect(() => randomSplit([1, 2, 3], [1, 1])).to.throw(ArgumentError, /sum to the dataset's 3/);
    expect(() => randomSplit([1, 2, 3], [0.5, 0.7])).to.throw(ArgumentError, /whole lengths/);
    expect(() => randomSplit([1, 2, 3], [1.5, -0.5])).to.throw(ArgumentError, /between 0 and 1/);
  });
});
