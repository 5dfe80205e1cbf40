/** Samplers: in which order a loader takes the items. Random ones draw PyTorch's orders from the same seeds. */
import { ArgumentError, describe, fail, rejectUnknownOptions, ShapeError } from '../errors.js';
import { isOptions } from '../ops/define-function.js';
import { defaultGenerator, Generator } from '../random/generator.js';
import { randint, randperm } from '../random/creation.js';
import { multinomial } from '../random/sampling.js';
import { INT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { tensor } from '../tensor/creation.js';
import { Tensor } from '../tensor/tensor.js';

/** A seed for another generator, as PyTorch draws one: 63 bits. */
export function drawSeed(generator: Generator = defaultGenerator): bigint {
  const value = allocate([], INT64);
  value.random_({ generator });
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

function checkGenerator(op: string, generator: unknown): void {
  if (generator !== undefined && generator !== null && !(generator instanceof Generator)) fail(ArgumentError, op, 'a Generator', describe(generator));
}
function checkCount(op: string, name: string, value: unknown): void {
  if (!(Number.isInteger(value) && (value as number) > 0)) fail(ArgumentError, op, `a whole number above 0 as ${name}`, describe(value));
}

/** 0, 1, 2, ... Source: torch.utils.data.SequentialSampler. */
export class SequentialSampler extends Sampler {
  constructor(readonly dataSource: Sized) {
    super();
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
  numSamples?: number;
  /** Default: one of its own for each iteration, seeded from the default generator. */
  generator?: Generator;
}

/** Random order; the same as PyTorch's after the same `manualSeed`. Source: torch.utils.data.RandomSampler. */
export class RandomSampler extends Sampler {
  readonly replacement: boolean;
  readonly generator: Generator | undefined;
  private readonly wanted: number | undefined;

  constructor(
    readonly dataSource: Sized,
    options: RandomSamplerOptions = {},
  ) {
    super();
    rejectUnknownOptions('RandomSampler', options, ['replacement', 'numSamples', 'generator']);
    const { replacement = false, numSamples, generator } = options;
    if (typeof replacement !== 'boolean') fail(ArgumentError, 'RandomSampler', 'a boolean as replacement', describe(replacement));
    checkGenerator('RandomSampler', generator);
    this.replacement = replacement;
    this.wanted = numSamples ?? undefined;
    this.generator = generator;
    checkCount('RandomSampler', 'numSamples', this.length);
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

function generatorIn(op: string, given: Generator | { generator?: Generator } | undefined): Generator | undefined {
  if (isOptions(given)) rejectUnknownOptions(op, given, ['generator']);
  const generator = isOptions(given) ? (given as { generator?: Generator }).generator : (given as Generator | undefined);
  checkGenerator(op, generator);
  return generator;
}

/** The given indices in random order. Source: torch.utils.data.SubsetRandomSampler. */
export class SubsetRandomSampler extends Sampler {
  readonly indices: readonly number[];
  readonly generator: Generator | undefined;
  constructor(indices: Iterable<number>, generator?: Generator | { generator?: Generator }) {
    super();
    this.indices = [...indices];
    this.generator = generatorIn('SubsetRandomSampler', generator);
  }
  override get length(): number {
    return this.indices.length;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    for (const i of randperm(this.indices.length, { generator: this.generator }).tolist() as number[]) yield this.indices[i];
  }
}

/** Indices with probabilities proportional to weights. Source: torch.utils.data.WeightedRandomSampler. */
export class WeightedRandomSampler extends Sampler {
  readonly weights: Tensor;
  readonly replacement: boolean;
  readonly generator: Generator | undefined;
  constructor(
    weights: readonly number[] | Tensor,
    readonly numSamples: number,
    replacement: boolean | { replacement?: boolean; generator?: Generator } = true,
    options: { generator?: Generator } = {},
  ) {
    super();
    const op = 'WeightedRandomSampler';
    checkCount(op, 'numSamples', numSamples);
    const given: { replacement?: boolean; generator?: Generator } = typeof replacement === 'object' && replacement !== null ? replacement : { ...options, replacement };
    rejectUnknownOptions(op, given, ['replacement', 'generator']);
    if (typeof (given.replacement ?? true) !== 'boolean') fail(ArgumentError, op, 'a boolean as replacement', describe(given.replacement));
    checkGenerator(op, given.generator);
    this.weights = weights instanceof Tensor ? weights.detach().double() : tensor([...weights], { dtype: 'float64' });
    if (this.weights.shape.length !== 1) fail(ShapeError, op, 'weights of one dimension', describe(this.weights));
    this.replacement = given.replacement ?? true;
    this.generator = given.generator;
  }
  override get length(): number {
    return this.numSamples;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    yield* multinomial(this.weights, this.numSamples, this.replacement, { generator: this.generator }).tolist() as number[];
  }
}

/** Batches of another sampler's indices. Source: torch.utils.data.BatchSampler. */
export class BatchSampler extends Sampler<number[]> {
  constructor(
    readonly sampler: Iterable<number> & Partial<Sized>,
    readonly batchSize: number,
    readonly dropLast: boolean = false,
  ) {
    super();
    checkCount('BatchSampler', 'batchSize', batchSize);
    if (typeof dropLast !== 'boolean') fail(ArgumentError, 'BatchSampler', 'a boolean as dropLast', describe(dropLast));
  }
  override get length(): number {
    const n = this.sampler.length;
    if (typeof n !== 'number') fail(ArgumentError, 'BatchSampler.length', 'a sampler with a length', describe(this.sampler));
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
