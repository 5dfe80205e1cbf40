/**
 * Cases of the comparison of fast paths: inputs made from a seed, a call, and a float64 reference of its values and
 * gradients. A case runs in several dtypes and in several layouts of its inputs; what is right is the same for all of
 * them.
 */
import { type DType, narrow, nn, noGrad, type Tensor, tensor } from '../../lib/index.js';
import { toBfloat16, toFloat16 } from '../reference/rounding.js';
import { type Ids, Tape } from '../reference/tape.js';

export interface Input {
  readonly shape: readonly number[];
  /** Values are drawn from [low, high); default -1 to 1. */
  readonly low?: number;
  readonly high?: number;
  /** Whole numbers below this, as int64, not differentiated. */
  readonly below?: number;
  /** These values instead of drawn ones. */
  readonly values?: readonly number[];
  /** Not differentiated, and always contiguous: running statistics, masks, weights of classes. */
  readonly constant?: boolean;
}

export interface Reference {
  readonly outputs: readonly Float64Array[];
  /** One an input; null for those that are not differentiated. */
  readonly gradients: readonly (Float64Array | null)[];
}
export type Cotangents = (output: number, length: number) => Float64Array;

export interface Case {
  readonly name: string;
  readonly inputs: readonly Input[];
  readonly call: (...x: Tensor[]) => Tensor | readonly Tensor[];
  /** Null: there is none, and every level must give the same bits. */
  readonly reference: ((values: readonly Float64Array[], cotangents: Cotangents, dtype: DType) => Reference) | null;
  /** Default float32 and float64. */
  readonly dtypes?: readonly DType[];
  /** False where only values are compared. Default true. */
  readonly backward?: boolean;
  /** How many terms the longest sum of it has. Default 1. */
  readonly terms?: number;
  /** The same of its gradients, where they differ. */
  readonly gradientTerms?: number;
  /** How many roundings to the dtype lie on the way, where that is 16 bits wide; and errors of functions. Default 2. */
  readonly roundings?: number;
  /** Every element is compared to the bit. */
  readonly exact?: boolean;
  /** Only the layouts with every input contiguous. */
  readonly contiguousOnly?: boolean;
  /** Only with every input contiguous, at its own offset. */
  readonly oneLayout?: boolean;
  /** Infinities in an input, or in the gradients of the outputs. */
  readonly infinite?: Infinite;
}

/** Infinities and NaN from the first element of a tensor to the last, at equal distances. */
export interface Infinite {
  readonly input: number | 'gradient';
  readonly values: readonly number[];
}

function withInfinities(values: Float64Array, { values: list }: Infinite): Float64Array {
  if (values.length < 2 * list.length) return values;
  list.forEach((value, i) => {
    values[Math.floor((i * (values.length - 1)) / Math.max(1, list.length - 1))] = value;
  });
  return values;
}

export const LAYOUTS = ['contiguous', 'odd offset', 'transposed', 'every second'] as const;
export type Layout = (typeof LAYOUTS)[number];

export const WITH_HALVES: readonly DType[] = ['float32', 'float64', 'bfloat16', 'float16'];

/** The layouts that a case runs in: contiguous, and one other by turns. */
export function layoutsOf(index: number, entry: Case): Layout[] {
  if (entry.oneLayout) return ['contiguous'];
  return ['contiguous', entry.contiguousOnly ? 'odd offset' : LAYOUTS[1 + (index % 3)]];
}

/** Numbers in [0, 1), the same at every run. */
export function stream(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  next();
  return next;
}

/** A value that the dtype holds exactly. */
function exactly(dtype: DType, value: number): number {
  if (dtype === 'bfloat16') return toBfloat16(value);
  if (dtype === 'float16') return toFloat16(value);
  return dtype === 'float64' ? value : Math.fround(value);
}

export function inputValues(entry: Case, dtype: DType): Float64Array[] {
  return entry.inputs.map((input, k) => {
    const next = stream(1 + k);
    const count = input.shape.reduce((a, b) => a * b, 1);
    if (input.values !== undefined)
      return Float64Array.from({ length: count }, (_, i) =>
        exactly(dtype, (input.values as number[])[i % (input.values as number[]).length]),
      );
    if (input.below !== undefined)
      return Float64Array.from({ length: count }, () => Math.floor(next() * (input.below as number)));
    const { low = -1, high = 1 } = input;
    const values = Float64Array.from({ length: count }, () => exactly(dtype, low + (high - low) * next()));
    return entry.infinite?.input === k ? withInfinities(values, entry.infinite) : values;
  });
}

/** The gradients of a case's outputs: values in [-1, 1) that every dtype holds, and infinities where it has them. */
export function cotangentsOf(entry: Case): Cotangents {
  return (output, length) => {
    const next = stream(1000 + output);
    const values = Float64Array.from({ length }, () => Math.round((2 * next() - 1) * 64) / 64);
    return entry.infinite?.input === 'gradient' ? withInfinities(values, entry.infinite) : values;
  };
}

/** A leaf with these values in the given layout: it may be a view of a larger tensor, at an odd offset, or strided. */
function leafOf(values: Float64Array, input: Input, dtype: DType, layout: Layout): Tensor {
  const { shape } = input;
  if (input.below !== undefined) return tensor(values, { shape: [...shape], dtype: 'int64' });
  if (input.constant || layout === 'contiguous' || shape.length === 0)
    return tensor(values, { shape: [...shape], dtype });
  const count = values.length;
  if (layout === 'odd offset') {
    const held = new Float64Array(count + 4).fill(Number.NaN);
    held.set(values, 3);
    return narrow(tensor(held, { dtype }), 0, 3, count).view(...shape);
  }
  const last = shape[shape.length - 1];
  if (layout === 'every second') {
    const held = new Float64Array(2 * count + 1).fill(Number.NaN);
    for (let i = 0; i < count; i++) held[2 * i + 1] = values[i];
    const strides = shape.map((_, d) => 2 * shape.slice(d + 1).reduce((a, b) => a * b, 1));
    return tensor(held, { dtype }).asStrided([...shape], strides, 1);
  }
  const rows = last === 0 ? 0 : count / last;
  const turned = Float64Array.from({ length: count }, (_, i) => values[(i % rows) * last + Math.floor(i / rows)]);
  const leading = shape.slice(0, -1);
  return tensor(turned, { shape: [last, ...leading], dtype }).permute([...leading.map((_, d) => d + 1), 0]);
}

/** Runs a case in the library: its outputs, then the gradients of the inputs that have one. */
export function runCase(entry: Case, dtype: DType, layout: Layout): Tensor[] {
  const leaves = inputValues(entry, dtype).map((values, k) => {
    const input = entry.inputs[k];
    const leaf = leafOf(values, input, dtype, layout);
    return input.below !== undefined || input.constant || entry.backward === false
      ? leaf
      : new nn.Parameter(leaf.detach());
  });
  const result = entry.call(...leaves);
  const outputs = (Array.isArray(result) ? result : [result]) as Tensor[];
  if (entry.backward === false) return outputs;
  let total: Tensor | null = null;
  outputs.forEach((y, k) => {
    if (!y.requiresGrad) return;
    const weight = tensor(cotangentsOf(entry)(k, y.numel()), { shape: [...y.shape], dtype: y.dtype });
    const part = y.mul(weight).sum({ dtype: 'float64' });
    total = total === null ? part : total.add(part);
  });
  (total as Tensor | null)?.backward();
  return noGrad(() => [...outputs, ...leaves.filter((t) => t.requiresGrad).map((t) => t.grad ?? t.mul(0))]);
}

/** A reference from a definition on a tape. */
export function taped(define: (t: Tape, ...x: Int32Array[]) => readonly Ids[] | Ids): NonNullable<Case['reference']> {
  return (values, weights) => {
    const tape = new Tape();
    const inputs = values.map((list) => tape.leaves(list));
    const result = define(tape, ...inputs);
    const outputs = (Array.isArray(result) && typeof result[0] !== 'number' ? result : [result]) as Ids[];
    const adjoint = tape.gradients(
      outputs,
      outputs.map((ids, k) => weights(k, ids.length)),
    );
    return {
      outputs: outputs.map((ids) => tape.read(ids)),
      gradients: inputs.map((ids) => Float64Array.from(ids, (id) => adjoint[id])),
    };
  };
}

/** Positions of the rows of a tensor along `dim`: one list of flat indices a row. */
export function rowsOf(shape: readonly number[], dim: number): number[][] {
  const n = shape[dim];
  const inner = shape.slice(dim + 1).reduce((a, b) => a * b, 1);
  const outer = shape.slice(0, dim).reduce((a, b) => a * b, 1);
  const rows: number[][] = [];
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) rows.push(Array.from({ length: n }, (_, k) => (o * n + k) * inner + i));
  return rows;
}

/** What the list has at these places. */
export function pick(ids: Ids, places: readonly number[]): number[] {
  return places.map((i) => ids[i]);
}

export const range = (count: number, from = 0): number[] => Array.from({ length: count }, (_, i) => from + i);
