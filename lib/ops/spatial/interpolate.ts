/** Resampling of images and volumes: interpolate and its shorthands, and the shuffles between channels and pixels. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { suggestedFormat } from '../../shape/memory-format.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { inFormatOf } from '../core/relayout.js';
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from './avg-pool.js';
import { geometryWords, threeDims } from './batch.js';

type InterpolateKernel = KernelTable<
  [
    from: TypedArray,
    to: TypedArray,
    mode: number,
    alignCorners: number,
    scaleDepth: number,
    scaleHeight: number,
    scaleWidth: number,
    geometry: Int32Array,
  ]
>;
declare module '../../native/kernels.js' {
  interface Kernels {
    interpolate: InterpolateKernel;
    interpolateBackward: InterpolateKernel;
  }
}

export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';

/** Modes by code of the kernel, and the number of dimensions that they are for. */
const MODES: Readonly<
  Record<string, { readonly code: number; readonly dims: readonly number[]; readonly corners: boolean }>
> = {
  nearest: { code: 0, dims: [1, 2, 3], corners: false },
  'nearest-exact': { code: 1, dims: [1, 2, 3], corners: false },
  area: { code: -1, dims: [1, 2, 3], corners: false },
  linear: { code: 2, dims: [1], corners: true },
  bilinear: { code: 2, dims: [2], corners: true },
  trilinear: { code: 2, dims: [3], corners: true },
  bicubic: { code: 3, dims: [2], corners: true },
};

interface Spec {
  readonly mode: number;
  readonly alignCorners: number;
  /** Output over input where the user gave it, else 0; for three dimensions. */
  readonly scales: readonly number[];
  readonly x: Shape;
  readonly y: Shape;
  readonly words: Int32Array;
}

function run(
  op: string,
  table: InterpolateKernel,
  to: Shape,
  { mode, alignCorners, scales, words }: Spec,
  given: Tensor,
): Tensor {
  const out = allocate(to, given.info);
  instanceOf(op, table, given.info)(
    contiguousOf(given).array,
    out.array,
    mode,
    alignCorners,
    scales[0],
    scales[1],
    scales[2],
    words,
  );
  return out;
}

/** y = x resampled, linear in x; dx = interpolateBackward(g). */
const interpolateOp = defineOp<Spec, Spec>({
  name: 'interpolate',
  infer: (_, spec) => spec,
  forward: (spec, [x]) => inFormatOf(x, run('interpolate', kernels.interpolate, spec.y, spec, x)),
  backward: ({ spec }, g): Gradients => [interpolateBackwardOp([g], spec)],
});

/** dx = g spread over the elements that each was made of; linear: its derivative is the interpolation. */
const interpolateBackwardOp = defineOp<Spec, Spec>({
  name: 'interpolateBackward',
  infer: (_, spec) => spec,
  forward: (spec, [g]) => run('interpolateBackward', kernels.interpolateBackward, spec.x, spec, g),
  backward: ({ spec }, g): Gradients => [interpolateOp([g], spec)],
});

export type PerDimension = number | readonly number[] | null;

function listOf(op: string, name: string, value: number | readonly number[], nd: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(nd).fill(value) : [...value];
  if (list.length !== nd || list.some((n) => typeof n !== 'number'))
    fail(ArgumentError, op, `${name} to be a number or ${nd} numbers`, describe(value));
  return list;
}

function resample(
  op: string,
  input: unknown,
  size: PerDimension | undefined,
  scaleFactor: PerDimension | undefined,
  mode: string,
  alignCorners: boolean | null | undefined,
  recomputeScaleFactor: boolean | null | undefined,
): Tensor {
  const x = tensorArgument(op, 'input', input);
  const nd = x.shape.length - 2;
  const known = Object.hasOwn(MODES, mode)
    ? MODES[mode]
    : fail(ArgumentError, op, `mode of ${Object.keys(MODES).join(', ')}`, describe(mode));
  if (nd < 1 || nd > 3) fail(ShapeError, op, 'an input of 3 to 5 dimensions', `${x.shape.length}`, { input: x });
  if (!known.dims.includes(nd))
    fail(ShapeError, op, `an input of ${known.dims[0] + 2} dimensions for mode ${mode}`, `${x.shape.length}`, {
      input: x,
    });
  if (alignCorners !== undefined && alignCorners !== null && !known.corners)
    fail(ArgumentError, op, 'alignCorners only with mode linear, bilinear, bicubic or trilinear', `mode ${mode}`);
  const hasSize = size !== undefined && size !== null;
  const hasScale = scaleFactor !== undefined && scaleFactor !== null;
  if (hasSize === hasScale) fail(ArgumentError, op, 'either size or scaleFactor', hasSize ? 'both' : 'neither');
  if (hasSize && recomputeScaleFactor) fail(ArgumentError, op, 'recomputeScaleFactor only with scaleFactor', 'a size');
  const sizes = x.shape.slice(2);
  let scales = new Array<number>(nd).fill(0);
  let out: number[];
  if (hasSize) out = listOf(op, 'size', size, nd);
  else {
    const factors = listOf(op, 'scaleFactor', scaleFactor as number | readonly number[], nd);
    if (factors.some((f) => !(f > 0))) fail(ArgumentError, op, 'scaleFactor above 0', describe(scaleFactor));
    out = sizes.map((n, d) => Math.floor(n * factors[d]));
    if (!recomputeScaleFactor && known.code >= 0) scales = factors;
    // PyTorch's nearest of two dimensions copies, or doubles, where the sizes are those of a copy, whatever the factor
    // was.
    if (mode === 'nearest' && nd === 2)
      scales = scales.map((f, d) => (out[d] === sizes[d] || out[d] === 2 * sizes[d] ? 0 : f));
  }
  if (out.some((n) => !Number.isInteger(n) || n < 1) || sizes.some((n) => n < 1))
    fail(ShapeError, op, 'input and output sizes of at least 1', `[${sizes}] and [${out}]`, { input: x });
  if (known.code < 0)
    return nd === 1 ? adaptiveAvgPool1d(x, out) : nd === 2 ? adaptiveAvgPool2d(x, out) : adaptiveAvgPool3d(x, out);
  if (x.shape[1] === 0) fail(ShapeError, op, 'an input of at least 1 channel', `[${x.shape}]`, { input: x });
  const y = Object.freeze([x.shape[0], x.shape[1], ...out]);
  const words = geometryWords(op, [elementCount(x.shape.slice(0, 2)), ...threeDims(sizes, 1), ...threeDims(out, 1)]);
  return interpolateOp([x], {
    mode: known.code,
    alignCorners: alignCorners ? 1 : 0,
    scales: threeDims(scales, 0),
    x: x.shape,
    y,
    words,
  });
}

/**
 * Resamples the spatial dimensions to `size`, or by `scaleFactor`. input [N, C, L], [N, C, H, W] or [N, C, D, H, W];
 * mode 'nearest' (default), 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear' or 'area'; alignCorners puts
 * the corner elements on each other. Returns [N, C, ...size]. Throws ShapeError, ArgumentError (also for antialias,
 * which is not there yet). PyTorch: torch.nn.functional.interpolate.
 */
export const interpolate = defineFunction(
  {
    name: 'nn.functional.interpolate',
    parameters: ['input', 'size', 'scaleFactor', 'mode', 'alignCorners', 'recomputeScaleFactor', 'antialias'],
  },
  (
    input: Tensor,
    size?: PerDimension,
    scaleFactor?: PerDimension,
    mode?: InterpolateMode,
    alignCorners?: boolean | null,
    recomputeScaleFactor?: boolean | null,
    antialias?: boolean,
  ): Tensor => {
    if (antialias) fail(ArgumentError, 'interpolate', 'antialias false, the only choice yet', 'true');
    return resample('interpolate', input, size, scaleFactor, mode ?? 'nearest', alignCorners, recomputeScaleFactor);
  },
);

/** `interpolate` under its old name. PyTorch: torch.nn.functional.upsample. */
export const upsample = defineFunction(
  { name: 'nn.functional.upsample', parameters: ['input', 'size', 'scaleFactor', 'mode', 'alignCorners'] },
  (
    input: Tensor,
    size?: PerDimension,
    scaleFactor?: PerDimension,
    mode?: InterpolateMode,
    alignCorners?: boolean | null,
  ): Tensor => resample('upsample', input, size, scaleFactor, mode ?? 'nearest', alignCorners, false),
);

/** `interpolate` with mode 'nearest'. PyTorch: torch.nn.functional.upsample_nearest. */
export const upsampleNearest = defineFunction(
  { name: 'nn.functional.upsampleNearest', parameters: ['input', 'size', 'scaleFactor'] },
  (input: Tensor, size?: PerDimension, scaleFactor?: PerDimension): Tensor =>
    resample('upsampleNearest', input, size, scaleFactor, 'nearest', null, false),
);

/** `interpolate` with mode 'bilinear' and alignCorners. PyTorch: torch.nn.functional.upsample_bilinear. */
export const upsampleBilinear = defineFunction(
  { name: 'nn.functional.upsampleBilinear', parameters: ['input', 'size', 'scaleFactor'] },
  (input: Tensor, size?: PerDimension, scaleFactor?: PerDimension): Tensor =>
    resample('upsampleBilinear', input, size, scaleFactor, 'bilinear', true, false),
);

function shuffleFactor(op: string, name: string, factor: number, x: Tensor): number {
  if (x.shape.length < 3) fail(ShapeError, op, 'an input of at least 3 dimensions', `${x.shape.length}`, { input: x });
  if (!Number.isInteger(factor) || factor < 1)
    fail(ArgumentError, op, `${name} to be a whole number of at least 1`, describe(factor));
  return factor;
}

/** A rearranged copy in the memory format of the image that it was made of. */
function shuffled(x: Tensor, out: Tensor): Tensor {
  const format = suggestedFormat(x.shape, x.strides);
  return format === 'contiguous_format' ? out : out.clone({ memoryFormat: format });
}

/**
 * Rearranges channels into pixels: [..., C r^2, H, W] becomes [..., C, H r, W r]. PyTorch:
 * torch.nn.functional.pixel_shuffle.
 */
export const pixelShuffle = defineFunction(
  { name: 'nn.functional.pixelShuffle', parameters: ['input', 'upscaleFactor'], required: 2 },
  (input: Tensor, upscaleFactor: number): Tensor => {
    const x = tensorArgument('pixelShuffle', 'input', input);
    const r = shuffleFactor('pixelShuffle', 'upscaleFactor', upscaleFactor, x);
    const lead = x.shape.slice(0, -3);
    const [c, h, w] = x.shape.slice(-3);
    if (c % (r * r) !== 0) fail(ShapeError, 'pixelShuffle', `channels divisible by ${r * r}`, `${c}`, { input: x });
    const n = elementCount(lead);
    const out = x
      .reshape(n, c / (r * r), r, r, h, w)
      .permute(0, 1, 4, 2, 5, 3)
      .reshape(...lead, c / (r * r), h * r, w * r);
    return shuffled(x, out);
  },
);

/**
 * Rearranges pixels into channels: [..., C, H r, W r] becomes [..., C r^2, H, W]. PyTorch:
 * torch.nn.functional.pixel_unshuffle.
 */
export const pixelUnshuffle = defineFunction(
  { name: 'nn.functional.pixelUnshuffle', parameters: ['input', 'downscaleFactor'], required: 2 },
  (input: Tensor, downscaleFactor: number): Tensor => {
    const x = tensorArgument('pixelUnshuffle', 'input', input);
    const r = shuffleFactor('pixelUnshuffle', 'downscaleFactor', downscaleFactor, x);
    const lead = x.shape.slice(0, -3);
    const [c, h, w] = x.shape.slice(-3);
    if (h % r !== 0 || w % r !== 0)
      fail(ShapeError, 'pixelUnshuffle', `height and width divisible by ${r}`, `[${h}, ${w}]`, { input: x });
    const n = elementCount(lead);
    const out = x
      .reshape(n, c, h / r, r, w / r, r)
      .permute(0, 1, 3, 5, 2, 4)
      .reshape(...lead, c * r * r, h / r, w / r);
    return shuffled(x, out);
  },
);
