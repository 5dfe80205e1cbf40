/**
 * What the generic tests know of a public function: inputs to try it on, and calls that must fail. One file a family
 * beside this one; every public function needs an entry, and the generic tests fail by name where it is missing.
 */
import { type NodegradError, type Tensor, tensor } from '../../lib/index.js';

type Outputs = Tensor | readonly Tensor[];

/** One way to call a function. */
export interface Case {
  readonly name: string;
  /** Float64 leaves, all differentiated; what must not be (indices, masks) is closed over by `call`. */
  readonly inputs: readonly Tensor[];
  readonly call: (...inputs: Tensor[]) => Outputs;
}

/** A call that must throw. */
export interface ErrorCase {
  readonly name: string;
  readonly call: () => unknown;
  readonly error: new (message: string) => NodegradError;
  readonly message: RegExp;
}

export interface Samples {
  /** The public name: 'add', 'nn.functional.conv2d'. */
  readonly fn: string;
  /** At least one ordinary case, and one with a dimension of size 0 where the function allows it. */
  readonly cases: readonly Case[];
  readonly errors: readonly ErrorCase[];
  /** Why the function has no derivative, where it has none: gradient checks are then left out. */
  readonly notDifferentiable?: string;
  /** Why results differ between runs or types (random numbers), where they do. */
  readonly random?: boolean;
  /** False where repeating the first row changes what is legal (sorted inputs, unique maxima). */
  readonly expandable?: boolean;
  /** False where float32 has a different meaning (bit patterns, integer parts near a step). */
  readonly float32?: boolean;
  /** Relative and absolute distance of float32 from float64; default 1e-4. */
  readonly float32Tolerance?: number;
}

export const allSamples = new Map<string, Samples>();

/** Registers samples; each function once. */
export function samples(entry: Samples): void {
  if (allSamples.has(entry.fn)) throw new Error(`samples of ${entry.fn} are given twice`);
  allSamples.set(entry.fn, entry);
}

let state = 12345;
/** A reproducible stream of its own, so that samples do not depend on what they test. */
function next(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 4294967296;
}

/** A float64 leaf with values in [low, high), rounded so that float32 holds them exactly. */
export function make(shape: readonly number[], low = -2, high = 2): Tensor {
  const n = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: n }, () => Math.fround(low + (high - low) * next()));
  return tensor(values, { shape, requiresGrad: true });
}
