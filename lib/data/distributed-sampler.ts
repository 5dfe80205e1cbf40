/**
 * The share of a dataset that one of several processes takes. It talks to none of them: a seed that all have in common
 * makes their orders one.
 */
import { type Arguments, checkBoolean, checkInteger } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { randperm } from '../ops/random/creation.js';
import { Generator } from '../random/generator.js';
import { readSourceArguments } from './arguments.js';
import { Sampler } from './sampler.js';

export interface DistributedSamplerOptions {
  /** How many processes there are. */
  numReplicas?: number;
  /** Which of them this is, from 0. */
  rank?: number;
  /** A new random order for each epoch that `setEpoch` says. Default true. */
  shuffle?: boolean;
  /** What the order is drawn from; the same in all processes. Default 0. */
  seed?: number;
  /** Leave out the items at the end that do not divide, instead of repeating the first. Default false. */
  dropLast?: boolean;
}

/** Every `numReplicas`-th index from `rank` on. Source: torch.utils.data.DistributedSampler. */
export class DistributedSampler extends Sampler {
  readonly dataset: { readonly length: number };
  readonly numReplicas: number;
  readonly rank: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  epoch = 0;

  /** Throws ArgumentError without `numReplicas` and `rank`: there is no process group to ask. */
  constructor(
    dataset: { readonly length: number } | ({ dataset: { readonly length: number } } & DistributedSamplerOptions),
    ...args: Arguments<
      [numReplicas?: number, rank?: number, shuffle?: boolean, seed?: number, dropLast?: boolean],
      DistributedSamplerOptions
    >
  ) {
    super();
    const op = 'DistributedSampler';
    const defaults = {
      dataset: undefined as unknown,
      numReplicas: undefined as unknown as number,
      rank: undefined as unknown as number,
      shuffle: true,
      seed: 0,
      dropLast: false,
    };
    const given = readSourceArguments(op, defaults, [dataset, ...args]);
    const source = given.dataset as { readonly length: number } | null | undefined;
    if (typeof source !== 'object' || source === null || typeof source.length !== 'number')
      fail(ArgumentError, op, 'a dataset with a length', describe(source));
    checkInteger(op, 'numReplicas', given.numReplicas, 1);
    checkInteger(op, 'rank', given.rank, 0);
    if (given.rank >= given.numReplicas)
      fail(ArgumentError, op, `a rank below ${given.numReplicas}`, String(given.rank));
    checkBoolean(op, 'shuffle', given.shuffle);
    checkBoolean(op, 'dropLast', given.dropLast);
    checkInteger(op, 'seed', given.seed, Number.MIN_SAFE_INTEGER);
    this.dataset = source;
    this.numReplicas = given.numReplicas;
    this.rank = given.rank;
    this.shuffle = given.shuffle;
    this.seed = given.seed;
    this.dropLast = given.dropLast;
  }
  /** How many indices each process gets. */
  get numSamples(): number {
    const { length } = this.dataset;
    return this.dropLast ? Math.floor(length / this.numReplicas) : Math.ceil(length / this.numReplicas);
  }
  override get length(): number {
    return this.numSamples;
  }
  override *[Symbol.iterator](): IterableIterator<number> {
    const { length } = this.dataset;
    const generator = new Generator().manualSeed(this.seed + this.epoch);
    const order =
      this.shuffle && length > 0
        ? (randperm(length, { generator }).tolist() as number[])
        : Array.from({ length }, (_, i) => i);
    const total = this.numSamples * this.numReplicas;
    // Beyond the end the order begins again.
    for (let i = this.rank; i < total; i += this.numReplicas) yield order[i % length];
  }
  /** Says which epoch begins, from which the order is drawn. */
  setEpoch(epoch: number): void {
    checkInteger('DistributedSampler.setEpoch', 'epoch', epoch, 0);
    this.epoch = epoch;
  }
}
