/**
 * Padding of dimensions, from the last to the first: by a constant, or by the tensor's own elements (reflect,
 * replicate, circular).
 */

import { applyAutocast } from '../../dispatch/autocast-policy.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf, filledTensor } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Scalar, tensorArgument } from '../core/promotion.js';
import { inFormatOf } from '../core/relayout.js';
import { geometryWords } from '../spatial/batch.js';

/** Kinds of borders, numbered as native/kernels/movement/pad.cc has them. */
const MODES = ['constant', 'reflect', 'replicate', 'circular'] as const;
type Mode = (typeof MODES)[number];

type PadGeometry = [words: Int32Array, outer: number, mode: number];

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out = input with borders; words: [size, before, after] of each dimension behind `outer` others. */
    pad: KernelTable<[input: TypedArray, out: TypedArray, value: TypedArray, ...PadGeometry]>;
    /** gradInput = the sum of gradOutput over the places that show each element. */
    padSum: KernelTable<[gradOutput: TypedArray, gradInput: TypedArray, ...PadGeometry]>;
  }
}

interface Padding {
  /** Elements before and after each dimension; negative ones are cut off. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly mode: Mode;
  readonly value: Scalar;
}
interface PadSpec extends Padding {
  /** The shape without pads, and with them. */
  readonly shape: Shape;
  readonly padded: Shape;
}

/**
 * How a tensor of the shape is padded: dimensions before the first padded one are one, and so are those behind the
 * last.
 */
function geometryOf({ shape, before, after, mode }: PadSpec): PadGeometry {
  const isPadded = (_: number, d: number): boolean => before[d] !== 0 || after[d] !== 0;
  const first = Math.max(0, shape.findIndex(isPadded));
  const last = shape.findLastIndex(isPadded);
  const words: number[] = [];
  for (let d = first; d <= last; d++) words.push(shape[d], before[d], after[d]);
  const inner = elementCount(shape.slice(last + 1));
  if (inner !== 1 || words.length === 0) words.push(inner, 0, 0);
  return [geometryWords('pad', words), last < 0 ? 1 : elementCount(shape.slice(0, first)), MODES.indexOf(mode)];
}

/**
 * y = x with a border of one value or of its own elements, or without a border where pads are negative; dx = the sum of
 * g over the places of each element.
 */
const padOp: Operator<Padding, Tensor> = defineOp<Padding, PadSpec>({
  name: 'pad',
  nativeHalf: true,
  infer: ([x], padding) => {
    const padded = x.shape.map((n, d) => n + padding.before[d] + padding.after[d]);
    if (padded.some((n) => n < 0))
      fail(ShapeError, 'pad', 'pads that leave sizes of at least 0', `[${padded}]`, { input: x });
    return { ...padding, shape: x.shape, padded };
  },
  forward: (spec, [x]) => {
    const out = allocate([...spec.padded], x.info);
    instanceOf('pad', kernels.pad, x.info)(
      contiguousOf(x).array,
      out.array,
      filledTensor([1], x.info, spec.value).array,
      ...geometryOf(spec),
    );
    return spec.mode === 'circular' ? out : inFormatOf(x, out);
  },
  backward: ({ spec }, g) => [spec.mode === 'constant' ? padOp([g], withoutPads(spec)) : padSumOp([g], spec)],
});

/** The pads taken back. */
function withoutPads({ before, after }: Padding): Padding {
  return { before: before.map((n) => -n), after: after.map((n) => -n), mode: 'constant', value: 0 };
}

/** y = the sum of x over the places that show each element of the unpadded tensor; dx = g padded. */
const padSumOp: Operator<PadSpec, Tensor> = defineOp<PadSpec, PadSpec>({
  name: 'padSum',
  infer: (_, spec) => spec,
  forward: (spec, [x]) => {
    const out = allocate([...spec.shape], x.info);
    instanceOf('pad', kernels.padSum, x.info)(contiguousOf(x).array, out.array, ...geometryOf(spec));
    return out;
  },
  backward: ({ spec }, g) => [padOp([g], spec)],
});

/** Throws unless the dimension has the elements that a border of the mode is made of. */
function checkBorder(x: Tensor, dim: number, before: number, after: number, mode: Mode): void {
  const n = x.shape[dim];
  const size = n + before + after;
  // Circular borders go round what negative pads leave.
  const period = mode === 'circular' ? n - Math.max(-before, 0) - Math.max(-after, 0) : n;
  const wanted = mode === 'reflect' ? n - 1 : mode === 'circular' ? n : Number.POSITIVE_INFINITY;
  if (before > wanted || after > wanted)
    fail(ShapeError, 'pad', `pads of at most ${wanted} for dim ${dim} (mode ${mode})`, `${before} and ${after}`, {
      input: x,
    });
  if (size < 0 || (size > 0 && period <= 0))
    fail(ShapeError, 'pad', `pads that leave dim ${dim} elements`, `${before} and ${after}`, { input: x });
}

/**
 * The tensor padded: pads are [before, after] of the last dimension, then of the one before it, and so on; negative
 * ones cut off. Modes: 'constant' (with `value`), 'reflect', 'replicate', 'circular'. torch.nn.functional.pad
 */
export const pad = defineFunction(
  { name: 'nn.functional.pad', parameters: ['input', 'pad', 'mode', 'value'], required: 2 },
  (input: Tensor, pad: Shape, mode: Mode = 'constant', value?: Scalar | null): Tensor => {
    const x = tensorArgument('pad', 'input', input);
    const pads = sizeArguments('pad', 'pad', [pad]);
    const ndim = x.shape.length;
    if (pads.length % 2 !== 0 || pads.length > 2 * ndim)
      fail(ShapeError, 'pad', `an even number of pads, at most ${2 * ndim}`, `[${pads}]`, { input: x });
    if (!MODES.includes(mode))
      fail(ArgumentError, 'pad', "mode 'constant', 'reflect', 'replicate' or 'circular'", describe(mode));
    const before = new Array<number>(ndim).fill(0);
    const after = new Array<number>(ndim).fill(0);
    for (let k = 0; 2 * k < pads.length; k++)
      [before[ndim - 1 - k], after[ndim - 1 - k]] = [pads[2 * k], pads[2 * k + 1]];
    if (mode === 'constant') return padOp([x], { before, after, mode, value: value ?? 0 });
    if (value !== undefined && value !== null && value !== 0)
      fail(ArgumentError, 'pad', `no value for mode ${mode}`, describe(value));
    const padded = pads.length / 2;
    if (padded < 1 || padded > 3 || ndim < padded + 1 || ndim > padded + 2)
      fail(ShapeError, 'pad', `pads of all but the first one or two dimensions (mode ${mode})`, `[${pads}]`, {
        input: x,
      });
    // Only the batch may be empty; without one, and for circular padding, the channels may.
    if (elementCount(x.shape.slice(ndim - padded - (mode === 'circular' ? 0 : 1))) === 0)
      fail(ShapeError, 'pad', `elements in all dimensions but the batch (mode ${mode})`, `[${x.shape}]`);
    for (let d = ndim - 1; d >= ndim - padded; d--) checkBorder(x, d, before[d], after[d], mode);
    // Autocast's float32 list has these modes but for reflection in three dimensions.
    const operand = mode === 'replicate' || (mode === 'reflect' && padded < 3) ? applyAutocast('float32', [x])[0] : x;
    return padOp([operand], { before, after, mode, value: 0 });
  },
);

/** The tensor padded by a constant. torch.constant_pad_nd */
export const constantPadNd = defineFunction(
  { name: 'constantPadNd', parameters: ['input', 'pad', 'value'], required: 2 },
  (input: Tensor, pads: Shape, value?: Scalar): Tensor => pad(input, pads, 'constant', value),
);
