/**
 * Sources of random words: mt19937 as PyTorch's CPU generator is, with a state that either can continue. What
 * distributions make of the words is in native/kernels/random/random.cc.
 */
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../errors.js';
import { UINT8 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { contiguousOf } from '../tensor/copy.js';
import { checkDevice } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';

const WORDS = 624;
/** What a new generator begins with, as in PyTorch. */
const DEFAULT_SEED = 67280421310721n;
/** The parts of PyTorch's serialised state, in bytes (all little-endian). */
const STATE_BYTES = 5056;
const AT = {
  seed: 0,
  left: 8,
  seeded: 12,
  next: 16,
  words: 24,
  normal: 24 + 8 * WORDS + 8,
  normalIsValid: 24 + 8 * WORDS + 24,
};

export class Generator {
  readonly device = 'cpu';
  /**
   * mt19937: 624 words, how many remain before the next twist, the position of the next. Kernels advance it in place.
   */
  readonly words: Uint32Array = new Uint32Array(WORDS + 2);
  /** The second value of the last pair of normal ones: [1 where there is one, the value]. */
  readonly cachedNormal: Float64Array = new Float64Array(2);
  private seeded = DEFAULT_SEED;

  /** A generator of its own, seeded with 67280421310721 as PyTorch's. */
  constructor(device = 'cpu') {
    checkDevice('Generator', device);
    this.start(DEFAULT_SEED);
  }

  /** Starts the stream of a seed anew: any whole number in [-2^63, 2^64 - 1]; returns the generator. */
  manualSeed(seed: number | bigint): this {
    if (typeof seed !== 'bigint' && !Number.isInteger(seed))
      fail(ArgumentError, 'manualSeed', 'a whole number', describe(seed));
    const value = BigInt(seed);
    if (value < -(2n ** 63n) || value >= 2n ** 64n)
      fail(ArgumentError, 'manualSeed', 'a seed in [-2^63, 2^64 - 1]', describe(seed));
    return this.start(BigInt.asUintN(64, value));
  }
  /** Seeds with 53 bits of V8's random numbers, which begin at the system's entropy, and returns that seed. */
  seed(): number {
    const seed = Math.floor(Math.random() * 2 ** 53);
    this.start(BigInt(seed));
    return seed;
  }
  /** The seed that the stream began with; a bigint where a number would not be exact. */
  initialSeed(): number | bigint {
    return this.seeded <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(this.seeded) : this.seeded;
  }

  private start(seed: bigint): this {
    this.seeded = seed;
    const { words } = this;
    words[0] = Number(seed & 0xffffffffn);
    for (let i = 1; i < WORDS; i++) words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
    words[WORDS] = 1;
    words[WORDS + 1] = 0;
    this.cachedNormal.fill(0);
    return this;
  }

  /** The state as PyTorch serialises it: uint8[5056]. */
  getState(): Tensor {
    const state = allocate([STATE_BYTES], UINT8);
    const bytes = state.array as Uint8Array;
    bytes.fill(0, 0, STATE_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, STATE_BYTES);
    view.setBigUint64(AT.seed, this.seeded, true);
    view.setInt32(AT.left, this.words[WORDS], true);
    view.setInt32(AT.seeded, 1, true);
    view.setUint32(AT.next, this.words[WORDS + 1], true);
    for (let i = 0; i < WORDS; i++) view.setUint32(AT.words + 8 * i, this.words[i], true);
    if (this.cachedNormal[0] !== 0) view.setFloat64(AT.normal, this.cachedNormal[1], true);
    view.setInt32(AT.normalIsValid, this.cachedNormal[0], true);
    return state;
  }
  /**
   * Continues from a state of `getState`, here or in PyTorch. Throws for another type or size, or a state that cannot
   * be.
   */
  setState(state: Tensor): this {
    if (!(state instanceof Tensor)) fail(ArgumentError, 'setState', 'a tensor', describe(state));
    if (state.info !== UINT8) fail(DTypeError, 'setState', 'a state of dtype uint8', describe(state));
    if (state.numel() !== STATE_BYTES) fail(ShapeError, 'setState', `a state of ${STATE_BYTES} bytes`, describe(state));
    const bytes = contiguousOf(state).array as Uint8Array;
    const view = new DataView(bytes.buffer, bytes.byteOffset, STATE_BYTES);
    const left = view.getInt32(AT.left, true);
    const next = view.getBigUint64(AT.next, true);
    if (view.getInt32(AT.seeded, true) !== 1 || left < 1 || left > WORDS || next > BigInt(WORDS))
      fail(ArgumentError, 'setState', 'a valid mt19937 state', `left ${left}, next ${next}`);
    this.seeded = view.getBigUint64(AT.seed, true);
    this.words[WORDS] = left;
    this.words[WORDS + 1] = Number(next);
    for (let i = 0; i < WORDS; i++) this.words[i] = view.getUint32(AT.words + 8 * i, true);
    this.cachedNormal[0] = view.getInt32(AT.normalIsValid, true) === 0 ? 0 : 1;
    this.cachedNormal[1] = this.cachedNormal[0] === 0 ? 0 : view.getFloat64(AT.normal, true);
    return this;
  }
  /** A generator that goes on from the same state (torch.Generator.clone_state). */
  cloneState(): Generator {
    return new Generator().setState(this.getState());
  }
}

/** The stream of everything that is given no generator; seeded from the system's entropy. */
export const defaultGenerator = new Generator();
defaultGenerator.seed();

/** The generator given as an option, or the default one. */
export function generatorOf(op: string, generator: Generator | null | undefined): Generator {
  if (generator === undefined || generator === null) return defaultGenerator;
  if (!(generator instanceof Generator)) fail(ArgumentError, op, 'a Generator', describe(generator));
  return generator;
}

/** Seeds the default generator: PyTorch's streams from then on. torch.manual_seed */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator.manualSeed(seed);
}
/** Seeds the default generator from the system's entropy, and returns the seed. torch.seed */
export function seed(): number {
  return defaultGenerator.seed();
}
/** The seed that the default generator began with. torch.initial_seed */
export function initialSeed(): number | bigint {
  return defaultGenerator.initialSeed();
}
/** The state of the default generator. torch.get_rng_state */
export function getRngState(): Tensor {
  return defaultGenerator.getState();
}
/** Continues the default generator from a state. torch.set_rng_state */
export function setRngState(state: Tensor): void {
  defaultGenerator.setState(state);
}
/**
 * Calls `fn`, and puts the default generator back to where it was before, also where `fn` is async or throws.
 * torch.random.fork_rng
 */
export function forkRng<R>(fn: () => R): R {
  if (typeof fn !== 'function') fail(ArgumentError, 'forkRng', 'a function to call', describe(fn));
  const state = getRngState();
  const restore = (): void => setRngState(state);
  let result: R;
  try {
    result = fn();
  } catch (error) {
    restore();
    throw error;
  }
  if (result instanceof Promise) return result.finally(restore) as R;
  restore();
  return result;
}
