/** The fuzzer's own stream of random choices: a call is made of its seed and its number alone, so either replays it. */

export class Choices {
  private state: number;

  constructor(seed: number, call: number) {
    // Two rounds of mixing, so that neighbouring calls have nothing in common.
    this.state = mix(mix(seed >>> 0) ^ Math.imul(call + 1, 0x9e3779b1));
  }

  /** In [0, 1). */
  unit(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    return mix(this.state) / 2 ** 32;
  }
  /** Whole, in [0, n). */
  below(n: number): number {
    return Math.floor(this.unit() * n);
  }
  /** Whole, in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }
  chance(p: number): boolean {
    return this.unit() < p;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  list<T>(length: number, make: (i: number) => T): T[] {
    return Array.from({ length }, (_, i) => make(i));
  }
}

/** A bijection of 32 bits in which every bit of the input moves half of the output's. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}
