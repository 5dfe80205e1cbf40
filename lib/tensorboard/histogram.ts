/**
 * Histograms as TensorBoard draws them: counts between limits, the empty ends cut off. Source:
 * SummaryWriter.add_histogram, numpy.histogram.
 */
import { ArgumentError, describe, fail } from '../errors.js';

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly num: number;
  readonly sum: number;
  readonly sumSquares: number;
  /** Right limits; the first bucket is empty, so that the leftmost limit is there as well. */
  readonly bucketLimits: readonly number[];
  readonly bucketCounts: readonly number[];
}
/** 'tensorflow' for TensorBoard's own bins, a number for so many of equal width, or the edges themselves. */
export type Bins = 'tensorflow' | number | readonly number[];

let standard: readonly number[] | null = null;
/** TensorBoard's edges: 1e-12 to 1e20 in steps of a tenth, mirrored at 0. */
function standardEdges(): readonly number[] {
  if (standard !== null) return standard;
  const positive: number[] = [];
  for (let v = 1e-12; v < 1e20; v *= 1.1) positive.push(v);
  standard = [...positive.map((v) => -v).reverse(), 0, ...positive];
  return standard;
}

function equalEdges(count: number, min: number, max: number): number[] {
  if (!Number.isInteger(count) || count < 1)
    fail(ArgumentError, 'addHistogram', 'a whole number of bins, at least 1', String(count));
  if (!Number.isFinite(min) || !Number.isFinite(max))
    fail(ArgumentError, 'addHistogram', 'finite values for bins of equal width', `values from ${min} to ${max}`);
  const [low, high] = min === max ? [min - 0.5, max + 0.5] : [min, max];
  return Array.from({ length: count + 1 }, (_, i) => (i === count ? high : low + ((high - low) * i) / count));
}

function edgesOf(bins: Bins, min: number, max: number): readonly number[] {
  if (bins === 'tensorflow') return standardEdges();
  if (typeof bins === 'number') return equalEdges(bins, min, max);
  if (!Array.isArray(bins) || bins.length < 2)
    fail(ArgumentError, 'addHistogram', "bins 'tensorflow', a number, or at least two edges", describe(bins));
  for (let i = 1; i < bins.length; i++)
    if (!(bins[i] >= bins[i - 1]))
      fail(ArgumentError, 'addHistogram', 'edges that do not decrease', `${bins[i - 1]} before ${bins[i]}`);
  return bins as readonly number[];
}

/** The bin [edge, next edge) of a value, the last one closed; -1 outside. */
function binOf(edges: readonly number[], value: number): number {
  const last = edges.length - 1;
  if (!(value >= edges[0] && value <= edges[last])) return -1;
  if (value === edges[last]) return last - 1;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** Joins neighbouring bins until there are at most about `maxBins`. */
function thinned(counts: number[], edges: readonly number[], maxBins: number): [number[], number[]] {
  const step = Math.floor(counts.length / maxBins);
  const joined: number[] = [];
  for (let i = 0; i < counts.length; i += step) joined.push(counts.slice(i, i + step).reduce((a, b) => a + b, 0));
  const limits = joined.map((_, i) => edges[i * step]);
  return [joined, [...limits, edges[edges.length - 1]]];
}

/** The histogram of values. Throws ArgumentError where there are none, or none falls into a bin. */
export function makeHistogram(values: Float64Array, bins: Bins, maxBins?: number): Histogram {
  if (values.length === 0) fail(ArgumentError, 'addHistogram', 'at least one value', 'none');
  let [min, max, sum, sumSquares] = [Infinity, -Infinity, 0, 0];
  for (const value of values) {
    min = Number.isNaN(value) || value < min ? value : min;
    max = Number.isNaN(value) || value > max ? value : max;
    sum += value;
    sumSquares += value * value;
  }
  let edges = edgesOf(bins, min, max);
  let counts = new Array<number>(edges.length - 1).fill(0);
  for (const value of values) {
    const bin = binOf(edges, value);
    if (bin >= 0) counts[bin]++;
  }
  if (maxBins !== undefined && counts.length > maxBins) [counts, edges] = thinned(counts, edges, maxBins);
  const first = counts.findIndex((count) => count > 0);
  if (first < 0)
    fail(ArgumentError, 'addHistogram', 'values within the bins', `${values.length} values outside of all of them`);
  let last = counts.length - 1;
  while (counts[last] === 0) last--;
  return {
    min,
    max,
    num: values.length,
    sum,
    sumSquares,
    bucketLimits: edges.slice(first, last + 2),
    bucketCounts: [0, ...counts.slice(first, last + 1)],
  };
}
