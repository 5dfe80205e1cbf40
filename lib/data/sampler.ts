/** Samplers: in which order a loader takes the items. Random ones draw PyTorch's orders from the same seeds. */
import { type Arguments, checkBoolean, checkInteger } from '../arguments.js';
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { tensor } from '../ops/creation/creation.js';
import { randint, randperm } from '../ops/random/creation.js';
import { multinomial } from '../ops/random/sampling.js';
import { defaultGenerator, Generator } from '../random/generator.js';
import { INT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { Tensor } from '../tensor/tensor.js';
import { checkGenerator, indicesOf, listOf, readSourceArguments } from './arguments.js';

/** A seed for another generator, as PyTorch draws one: 63 bits. */
export function drawSeed(generator?: Generator | null): bigint {
  const value = allocate([], INT64);
  value.random_({ generator: generator ?? defaultGenerator });
  return (value.array as BigInt64Array)[0];
}

/** An order of indices: iterable as often as one likes. Source: torch.utils.data.Sampler. */
export abstract class Sampler<T = number> implements Iterable<T> {
  abstract readonly length: number;
  abstract [Symbol.iterator](): Iterator<T>;
}

interface Sized {
  readonly length: number;
}

function checkSized(op: string, name: string, value: unknown): asserts value is Sized {
  if (value === null || !['object', 'string'].includes(typeof value) || typeof (value as Sized).length !== 'number')
    fail(ArgumentError, op, `something with a length as ${name}`, describe(value));
}

/** 0, 1, 2, ... Source: torch.utils.data.SequentialSampler. */
export class SequentialSampler extends Sampler {
  readonly dataSource: Sized;
  constructor(dataSource: Sized | { dataSource: Sized }) {
    super();
    const given = readSourceArguments('SequentialSampler', { dataSource: undefined as unknown }, [dataSource]);
    checkSized('SequentialSampler', 'dataSource', given.dataSource);
    this.dataSource = given.dataSource;
  }
  override get length(): number {
    return this.dataSource.length;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    for (let i = 0; i < this.dataSource.length; i++) yield i;
  }
}

export interface RandomSamplerOptions {
  /** Draw with repetition. Default false. */
  replacement?: boolean;
  /** How many indices; default: as many as there are items. */
  numSamples?: number | null;
  /** Default: one of its own for each iteration, seeded from the default generator. */
  generator?: Generator | null;
}

/** Random order; the same as PyTorch's after the same `manualSeed`. Source: torch.utils.data.RandomSampler. */
export class RandomSampler extends Sampler {
  readonly dataSource: Sized;
  readonly replacement: boolean;
  readonly generator: Generator | null;
  private readonly wanted: number | null;

  constructor(
    dataSource: Sized | ({ dataSource: Sized } & RandomSamplerOptions),
    ...args: Arguments<
      [replacement?: boolean, numSamples?: number | null, generator?: Generator | null],
      RandomSamplerOptions
    >
  ) {
    super();
    const op = 'RandomSampler';
    const defaults = {
      dataSource: undefined as unknown,
      replacement: false,
      numSamples: null as number | null,
      generator: null as Generator | null,
    };
    const given = readSourceArguments(op, defaults, [dataSource, ...args]);
    checkSized(op, 'dataSource', given.dataSource);
    checkBoolean(op, 'replacement', given.replacement);
    checkGenerator(op, given.generator);
    this.dataSource = given.dataSource;
    this.replacement = given.replacement;
    this.wanted = given.numSamples;
    this.generator = given.generator;
    checkInteger(op, 'numSamples', this.length, 1);
  }
  get numSamples(): number {
    return this.wanted ?? this.dataSource.length;
  }
  override get length(): number {
    return this.numSamples;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    const n = this.dataSource.length;
    const generator = this.generator ?? new Generator().manualSeed(drawSeed());
    const count = this.numSamples;
    if (this.replacement) {
      // In blocks of 32, as PyTorch draws them.
      for (let i = 0; i < Math.floor(count / 32); i++) yield* randint(n, [32], { generator }).tolist() as number[];
      yield* randint(n, [count % 32], { generator }).tolist() as number[];
      return;
    }
    for (let i = 0; i < Math.floor(count / n); i++) yield* randperm(n, { generator }).tolist() as number[];
    yield* (randperm(n, { generator }).tolist() as number[]).slice(0, count % n);
  }
}

interface GeneratorOption {
  generator?: Generator | null;
}

/** The given indices in random order. Source: torch.utils.data.SubsetRandomSampler. */
export class SubsetRandomSampler extends Sampler {
  readonly indices: readonly number[];
  readonly generator: Generator | null;
  constructor(
    indices: Iterable<number> | ({ indices: Iterable<number> } & GeneratorOption),
    ...args: Arguments<[generator?: Generator | null], GeneratorOption>
  ) {
    super();
    const op = 'SubsetRandomSampler';
    const given = readSourceArguments(op, { indices: undefined as unknown, generator: null as Generator | null }, [
      indices,
      ...args,
    ]);
    checkGenerator(op, given.generator);
    this.indices = indicesOf(op, given.indices);
    this.generator = given.generator;
  }
  override get length(): number {
    return this.indices.length;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    for (const i of randperm(this.indices.length, { generator: this.generator ?? undefined }).tolist() as number[])
      yield this.indices[i];
  }
}

export interface WeightedRandomSamplerOptions {
  /** How many indices. */
  numSamples?: number;
  /** Draw with repetition. Default true. */
  replacement?: boolean;
  /** Default: the default generator. */
  generator?: Generator | null;
}

/** Indices with probabilities proportional to weights. Source: torch.utils.data.WeightedRandomSampler. */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Tensor;
  readonly numSamples: number;
  readonly replacement: boolean;
  readonly generator: Generator | null;
  constructor(
    weights: Iterable<number> | Tensor | ({ weights: Iterable<number> | Tensor } & WeightedRandomSamplerOptions),
    ...args: Arguments<
      [numSamples?: number, replacement?: boolean, generator?: Generator | null],
      WeightedRandomSamplerOptions
    >
  ) {
    super();
    const op = 'WeightedRandomSampler';
    const defaults = {
      weights: undefined as unknown,
      numSamples: undefined as unknown as number,
      replacement: true,
      generator: null as Generator | null,
    };
    const given = readSourceArguments(op, defaults, [weights, ...args]);
    checkInteger(op, 'numSamples', given.numSamples, 1);
    checkBoolean(op, 'replacement', given.replacement);
    checkGenerator(op, given.generator);
    this.weights =
      given.weights instanceof Tensor
        ? given.weights.detach().double()
        : tensor(listOf(op, 'a list of weights', given.weights) as number[], { dtype: 'float64' });
    if (this.weights.shape.length !== 1) fail(ShapeError, op, 'weights of one dimension', describe(this.weights));
    this.numSamples = given.numSamples;
    this.replacement = given.replacement;
    this.generator = given.generator;
  }
  override get length(): number {
    return this.numSamples;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    yield* multinomial(this.weights, this.numSamples, this.replacement, {
      generator: this.generator ?? undefined,
    }).tolist() as number[];
  }
}

interface BatchSamplerOptions {
  batchSize?: number;
  dropLast?: boolean;
}
type OrderOfItems = Iterable<number> & Partial<Sized>;

/** Batches of another sampler's indices. Source: torch.utils.data.BatchSampler. */
export class BatchSampler extends Sampler<number[]> {
  readonly sampler: OrderOfItems;
  readonly batchSize: number;
  readonly dropLast: boolean;
  constructor(
    sampler: OrderOfItems | ({ sampler: OrderOfItems } & BatchSamplerOptions),
    ...args: Arguments<[batchSize?: number, dropLast?: boolean], BatchSamplerOptions>
  ) {
    super();
    const op = 'BatchSampler';
    const defaults = { sampler: undefined as unknown, batchSize: undefined as unknown as number, dropLast: false };
    const given = readSourceArguments(op, defaults, [sampler, ...args]);
    if (typeof given.sampler !== 'object' || given.sampler === null || !(Symbol.iterator in given.sampler))
      fail(ArgumentError, op, 'an iterable as sampler', describe(given.sampler));
    checkInteger(op, 'batchSize', given.batchSize, 1);
    checkBoolean(op, 'dropLast', given.dropLast);
    this.sampler = given.sampler as OrderOfItems;
    this.batchSize = given.batchSize;
    this.dropLast = given.dropLast;
  }
  override get length(): number {
    const n = this.sampler.length;
    if (typeof n !== 'number')
      fail(ArgumentError, 'BatchSampler.length', 'a sampler with a length', describe(this.sampler));
    return this.dropLast ? Math.floor(n / this.batchSize) : Math.ceil(n / this.batchSize);
  }
  override *[Symbol.iterator](): IterableIterator<number[]> {
    let batch: number[] = [];
    for (const index of this.sampler) {
      batch.push(index);
      if (batch.length < this.batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
