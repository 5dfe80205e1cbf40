/** Padding of dimensions, from the last to the first: by a constant, or by the tensor's own elements (reflect, replicate, circular). */
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { elementCount, type Shape } from '../shape/layout.js';
import { INT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';
import { copyPart, fillWith } from './cast.js';
import { defineFunction } from './define-function.js';
import { defineOp, type Operator } from './define-op.js';
import { applyAutocast } from './dispatch-state.js';
import { rowsAlong, takeRowsOp } from './index-rows.js';
import { type Scalar, tensorArgument } from './promotion.js';
import { sizeArguments } from './sizes-method.js';

interface ConstantPad {
  /** Elements before and after each dimension; negative ones are cut off. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: Scalar;
}

/** y = x with a border of one value, or without a border where pads are negative; dx = g with the pads taken back. */
const constantPadOp: Operator<ConstantPad, Tensor> = defineOp<ConstantPad, ConstantPad & { shape: Shape }>({
  name: 'constantPad',
  nativeHalf: true,
  infer: ([x], pad) => {
    const shape = x.shape.map((n, d) => n + pad.before[d] + pad.after[d]);
    if (shape.some((n) => n < 0)) fail(ShapeError, 'pad', 'pads that leave sizes of at least 0', `[${shape}]`, { input: x });
    return { ...pad, shape };
  },
  forward: ({ before, after, value, shape }, [x]) => {
    const out = allocate([...shape], x.info);
    if ([...before, ...after].some((n) => n > 0)) fillWith(out, value);
    const inner = x.shape.map((n, d) => n + Math.min(before[d], 0) + Math.min(after[d], 0));
    if (inner.some((n) => n <= 0)) return out;
    const from = x.strides.reduce((at, s, d) => at + Math.max(-before[d], 0) * s, 0);
    const to = out.strides.reduce((at, s, d) => at + Math.max(before[d], 0) * s, 0);
    copyPart(inner, { tensor: out, start: to, strides: out.strides }, { tensor: x, start: from, strides: x.strides });
    return out;
  },
  backward: ({ spec }, g) => [constantPadOp([g], { before: spec.before.map((n) => -n), after: spec.after.map((n) => -n), value: 0 })],
});

function constantPad(x: Tensor, pads: readonly number[], value: Scalar): Tensor {
  const before = new Array<number>(x.shape.length).fill(0);
  const after = new Array<number>(x.shape.length).fill(0);
  for (let k = 0; 2 * k < pads.length; k++) {
    before[x.shape.length - 1 - k] = pads[2 * k];
    after[x.shape.length - 1 - k] = pads[2 * k + 1];
  }
  return constantPadOp([x], { before, after, value });
}

/** Where each element of a padded dimension comes from, given its place relative to the unpadded one (negative before it). */
type Source = (i: number, n: number) => number;
const SOURCES: Readonly<Record<string, Source>> = {
  reflect: (i, n) => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i),
  replicate: (i, n) => Math.min(Math.max(i, 0), n - 1),
  circular: (i, n) => ((i % n) + n) % n,
};

/** One dimension padded by elements of its own. */
function padDim(x: Tensor, dim: number, before: number, after: number, mode: string): Tensor {
  const n = x.shape[dim];
  const size = n + before + after;
  // Circular padding goes round what negative pads leave.
  const first = mode === 'circular' ? Math.max(-before, 0) : 0;
  const period = mode === 'circular' ? n - first - Math.max(-after, 0) : n;
  const wanted = mode === 'reflect' ? n - 1 : mode === 'circular' ? n : Number.POSITIVE_INFINITY;
  if (before > wanted || after > wanted) fail(ShapeError, 'pad', `pads of at most ${wanted} for dim ${dim} (mode ${mode})`, `${before} and ${after}`, { input: x });
  if (size < 0 || (size > 0 && period <= 0)) fail(ShapeError, 'pad', `pads that leave dim ${dim} elements`, `${before} and ${after}`, { input: x });
  const index = allocate([size], INT64);
  const array = index.array as BigInt64Array;
  const start = mode === 'circular' ? -Math.max(before, 0) : -before;
  for (let j = 0; j < size; j++) array[j] = BigInt(first + SOURCES[mode](start + j, period));
  return takeRowsOp([x, index], rowsAlong(x.shape, dim, [size]));
}

/**
 * The tensor padded: pads are [before, after] of the last dimension, then of the one before it, and so on; negative ones cut off.
 * Modes: 'constant' (with `value`), 'reflect', 'replicate', 'circular'. torch.nn.functional.pad
 */
export const pad = defineFunction(
  { name: 'nn.functional.pad', parameters: ['input', 'pad', 'mode', 'value'], required: 2 },
  (input: Tensor, pad: Shape, mode: 'constant' | 'reflect' | 'replicate' | 'circular' = 'constant', value?: Scalar | null): Tensor => {
    const x = tensorArgument('pad', 'input', input);
    const pads = sizeArguments('pad', 'pad', [pad]);
    const ndim = x.shape.length;
    if (pads.length % 2 !== 0 || pads.length > 2 * ndim) fail(ShapeError, 'pad', `an even number of pads, at most ${2 * ndim}`, `[${pads}]`, { input: x });
    if (mode === 'constant') return constantPad(x, pads, value ?? 0);
    if (!(mode in SOURCES)) fail(ArgumentError, 'pad', "mode 'constant', 'reflect', 'replicate' or 'circular'", describe(mode));
    if (value !== undefined && value !== null && value !== 0) fail(ArgumentError, 'pad', `no value for mode ${mode}`, describe(value));
    const padded = pads.length / 2;
    if (padded < 1 || padded > 3 || ndim < padded + 1 || ndim > padded + 2)
      fail(ShapeError, 'pad', `pads of all but the first one or two dimensions (mode ${mode})`, `[${pads}]`, { input: x });
    if (elementCount(x.shape.slice(ndim - padded)) === 0) fail(ShapeError, 'pad', `padded dimensions with elements (mode ${mode})`, `[${x.shape}]`);
    // Autocast's float32 list has these modes but for reflection in three dimensions.
    let out = mode === 'replicate' || (mode === 'reflect' && padded < 3) ? applyAutocast('float32', [x])[0] : x;
    for (let k = 0; k < padded; k++) out = padDim(out, ndim - 1 - k, pads[2 * k], pads[2 * k + 1], mode);
    return out;
  },
);

/** The tensor padded by a constant. torch.constant_pad_nd */
export const constantPadNd = defineFunction(
  { name: 'constantPadNd', parameters: ['input', 'pad', 'value'], required: 2 },
  (input: Tensor, pads: Shape, value?: Scalar): Tensor => pad(input, pads, 'constant', value),
);
