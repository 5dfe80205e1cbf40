/** Normal values in the tail of the distribution, for intervals that hardly any uniform candidate would be kept in. */
import { FLOAT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';

/** The rate of the exponential distribution that lies closest above the normal one from `distance` on (Robert 1995). */
function tailRate(distance: number): number {
  return (distance + Math.sqrt(distance * distance + 4)) / 2;
}

/**
 * About how many of the uniform candidates in [low, high] a rejection against the standard normal density would keep,
 * where 0 lies outside of the interval; 1 where it lies inside, or where the interval is empty.
 */
export function keptByRejection(low: number, high: number): number {
  const distance = Math.max(low, -high);
  if (!(distance > 0) || !(high > low) || distance === Number.POSITIVE_INFINITY) return 1;
  return Math.min(1, 1 / (tailRate(distance) * (high - low)));
}

/**
 * `count` standard normal values in [low, high], where 0 lies outside of the interval: the nearer bound and an
 * exponential step, kept with probability e^(-(z - rate)^2 / 2), at least 3 of 4 in a long interval. `uniform` fills a
 * float64 tensor with values in [0, 1).
 */
export function normalTail(
  count: number,
  low: number,
  high: number,
  uniform: (target: Tensor) => Tensor,
): Float64Array {
  const [distance, length, sign] = low > 0 ? [low, high - low, 1] : [-high, high - low, -1];
  const rate = tailRate(distance);
  const result = new Float64Array(count);
  for (let done = 0; done < count; ) {
    const pairs = uniform(allocate([2 * (count - done)], FLOAT64)).array;
    const end = 2 * (count - done);
    for (let i = 0; i < end; i += 2) {
      const step = -Math.log1p(-Number(pairs[i])) / rate;
      // Without distance + step, which would lose the step of a far tail.
      const excess = distance - rate + step;
      if (step > length || Math.log1p(-Number(pairs[i + 1])) > -0.5 * excess * excess) continue;
      result[done++] = sign * (distance + step);
    }
  }
  return result;
}
