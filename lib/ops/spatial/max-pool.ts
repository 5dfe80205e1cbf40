/**
 * Max pooling with regular and adaptive windows in one to three dimensions, and its inverse. What was chosen is kept as
 * the number of its tap within the window, a byte; where the caller wants indices, or windows are large or adaptive, as
 * a 32-bit position in the plane. The gradient moves values there, and its own derivative moves them back.
 */

import { recordingNeeded } from '../../autograd/graph.js';
import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { PublicFunction } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { INT32, INT64, UINT8 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { inFormatOf, inFormatOfRows, withStrides } from '../core/relayout.js';
import { checkSpatialInput, type Sizes, type SpatialDims, spatialList } from './batch.js';
import { adaptiveGeometry, type PoolAttributes, type PoolGeometry, poolGeometry } from './pool-geometry.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** y = the greatest of each window; keep: 0 nothing beside it, 1 taps, 2 positions */
    maxPool: KernelTable<
      [x: TypedArray, y: TypedArray, taps: TypedArray, positions: TypedArray, keep: number, geometry: Int32Array]
    >;
    maxPoolBackward: KernelTable<
      [gradOutput: TypedArray, taps: TypedArray, gradInput: TypedArray, geometry: Int32Array]
    >;
    tapPositions: KernelTable<[taps: TypedArray, positions: TypedArray, geometry: Int32Array]>;
    adaptiveMaxPool: KernelTable<[x: TypedArray, y: TypedArray, indices: TypedArray, geometry: Int32Array]>;
    /** out = zeros with values added (or put) at their indices, plane by plane */
    scatterPlanes: KernelTable<
      [
        values: TypedArray,
        indices: TypedArray,
        out: TypedArray,
        planes: number,
        count: number,
        positions: number,
        replace: number,
      ]
    >;
    /** out[plane, i] = x[plane, indices[plane, i]] */
    gatherPlanes: KernelTable<
      [x: TypedArray, indices: TypedArray, out: TypedArray, planes: number, count: number, positions: number]
    >;
  }
}

/** Planes of `x`'s shape, and as many planes of `y`'s shape whose elements sit at indices of the former. */
interface Planes {
  readonly x: Shape;
  readonly y: Shape;
  readonly planes: number;
}

function perPlane(shape: Shape, planes: number): number {
  return planes === 0 ? 0 : elementCount(shape) / planes;
}

function scatter(op: string, spec: Planes, values: Tensor, indices: Tensor, replace: boolean): Tensor {
  const out = allocate(spec.x, values.info);
  const kernel = instanceOf(op, kernels.scatterPlanes, values.info);
  kernel(
    contiguousOf(values).array,
    indices.array,
    out.array,
    spec.planes,
    perPlane(spec.y, spec.planes),
    perPlane(spec.x, spec.planes),
    replace ? 1 : 0,
  );
  return out;
}
function gather(op: string, spec: Planes, x: Tensor, indices: Tensor): Tensor {
  const out = allocate(spec.y, x.info);
  instanceOf(op, kernels.gatherPlanes, x.info)(
    contiguousOf(x).array,
    indices.array,
    out.array,
    spec.planes,
    perPlane(spec.y, spec.planes),
    perPlane(spec.x, spec.planes),
  );
  return out;
}

/** Positions in the plane of the windows' taps. */
function positionsOf(taps: Tensor, { y, words }: PoolGeometry): Tensor {
  const positions = allocate(y, INT32);
  instanceOf('maxPool', kernels.tapPositions, taps.info)(taps.array, positions.array, words);
  return positions;
}

/** x = g added at the windows' taps; dg = the values of the gradient there. */
const maxPoolTapsBackward = defineOp<PoolGeometry, PoolGeometry>({
  name: 'maxPoolTapsBackward',
  nativeHalf: true,
  infer: (_, spec) => spec,
  forward: ({ x, words }, [g, taps]) => {
    const out = allocate(x, g.info);
    instanceOf('maxPoolTapsBackward', kernels.maxPoolBackward, g.info)(
      contiguousOf(g).array,
      taps.array,
      out.array,
      words,
    );
    return out;
  },
  save: (context, [, taps]) => context.save(taps),
  backward: (context, g): Gradients => [
    maxPoolGather([g, positionsOf(context.saved(0), context.spec)], context.spec),
    null,
  ],
});

/** x = g added at the chosen positions; dg = the values of the gradient there. */
const maxPoolBackward = defineOp<Planes, Planes>({
  name: 'maxPoolBackward',
  infer: (_, spec) => spec,
  forward: (spec, [g, indices]) => scatter('maxPoolBackward', spec, g, indices, false),
  save: (context, [, indices]) => context.save(indices),
  backward: (context, g): Gradients => [maxPoolGather([g, context.saved(0)], context.spec), null],
});

/** y = x at the chosen positions; dx = g added there. */
const maxPoolGather = defineOp<Planes, Planes>({
  name: 'maxPoolGather',
  infer: (_, spec) => spec,
  forward: (spec, [x, indices]) => gather('maxPoolGather', spec, x, indices),
  save: (context, [, indices]) => context.save(indices),
  backward: (context, g): Gradients => [maxPoolBackward([g, context.saved(0)], context.spec), null],
});

/**
 * A fresh result in the layout of the input; PyTorch computes a row as an image of one row, but for a plain maxPool1d.
 */
function laidOut(nd: SpatialDims, x: Tensor, y: Tensor): Tensor {
  return nd === 1 ? inFormatOfRows(x, y) : inFormatOf(x, y);
}

/** What is remembered of the choices; the numbers are the kernel's. */
type Keep = 'nothing' | 'taps' | 'positions';
const KEEP: Readonly<Record<Keep, number>> = { nothing: 0, taps: 1, positions: 2 };
/** Taps that a byte can number. */
const BYTE = 256;

interface MaxSpec extends PoolGeometry {
  readonly keep: Keep;
}
interface MaxAttributes<Attributes> {
  readonly attributes: Attributes;
  readonly returnIndices: boolean;
}

/** y = the greatest element of each window, and where it was; dx = g there. */
function maxOperator(name: string, nd: SpatialDims) {
  return defineOp<MaxAttributes<PoolAttributes>, MaxSpec, Tensor[]>({
    name,
    nativeHalf: true,
    autocast: name.endsWith('3d') ? 'float32' : undefined,
    infer: ([x], { attributes, returnIndices }) => {
      const geometry = poolGeometry(name, nd, x, attributes);
      const taps = geometry.words[7] * geometry.words[8] * geometry.words[9];
      const keep =
        returnIndices || (recordingNeeded([x]) && taps > BYTE)
          ? 'positions'
          : recordingNeeded([x])
            ? 'taps'
            : 'nothing';
      return { ...geometry, keep };
    },
    forward: ({ y: shape, words, keep }, [given]) => {
      const x = contiguousOf(given);
      const y = allocate(shape, x.info);
      const taps = allocate(keep === 'taps' ? shape : [0], UINT8);
      const positions = allocate(keep === 'positions' ? shape : [0], INT32);
      instanceOf(name, kernels.maxPool, x.info)(x.array, y.array, taps.array, positions.array, KEEP[keep], words);
      return [keep === 'nothing' && nd === 1 ? y : laidOut(nd, given, y), keep === 'taps' ? taps : positions];
    },
    save: (context, _, [, chosen]) => context.save(chosen),
    backward: (context, g): Gradients => [
      (context.spec.keep === 'taps' ? maxPoolTapsBackward : maxPoolBackward)([g, context.saved(0)], context.spec),
    ],
  });
}

/** The same for windows that divide the input evenly. */
function adaptiveOperator(name: string, nd: SpatialDims) {
  return defineOp<OutputSize, PoolGeometry, Tensor[]>({
    name,
    autocast: name.endsWith('3d') ? 'float32' : undefined,
    infer: ([x], size) => adaptiveGeometry(name, nd, x, size),
    forward: ({ y: shape, words }, [given]) => {
      const x = contiguousOf(given);
      const y = allocate(shape, x.info);
      const positions = allocate(shape, INT32);
      instanceOf(name, kernels.adaptiveMaxPool, x.info)(x.array, y.array, positions.array, words);
      return [nd === 3 ? y : laidOut(nd, given, y), positions];
    },
    save: (context, _, [, positions]) => context.save(positions),
    backward: (context, g): Gradients => [maxPoolBackward([g, context.saved(0)], context.spec)],
  });
}

/** The type of a pooling function: the result alone, or with its indices where those are asked for. */
type WithIndices<F> = F &
  ((
    input: Tensor,
    ...args: [...unknown[], { readonly returnIndices: true } & Record<string, unknown>]
  ) => [Tensor, Tensor]);

function deliver([y, indices]: readonly Tensor[], returnIndices: boolean | undefined): Tensor {
  return returnIndices ? ([y, withStrides(castTo(indices, INT64), y.strides)] as unknown as Tensor) : y;
}

const MAX_PARAMETERS = ['input', 'kernelSize', 'stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'] as const;
type MaxArguments = [
  input: Tensor,
  kernelSize: Sizes,
  stride?: Sizes | null,
  padding?: Sizes,
  dilation?: Sizes,
  ceilMode?: boolean,
  returnIndices?: boolean,
];

function maxPoolFunctions(nd: SpatialDims) {
  const name = `maxPool${nd}d`;
  const operator = maxOperator(name, nd);
  const pool = (
    returnIndices: boolean | undefined,
    [input, kernelSize, stride, padding, dilation, ceilMode]: MaxArguments,
  ): Tensor => {
    const x = tensorArgument(name, 'input', input);
    const attributes = { kernelSize, stride, padding, dilation, ceilMode };
    return deliver(operator([x], { attributes, returnIndices: returnIndices ?? false }), returnIndices);
  };
  const plain = defineFunction(
    { name: `nn.functional.${name}`, parameters: MAX_PARAMETERS, required: 2 },
    (...args: MaxArguments): Tensor => pool(args[6], args),
  );
  const withIndices = defineFunction(
    { name: `nn.functional.${name}WithIndices`, parameters: MAX_PARAMETERS, required: 2 },
    (...args: MaxArguments): [Tensor, Tensor] => pool(true, args) as unknown as [Tensor, Tensor],
  );
  return { plain: plain as WithIndices<PublicFunction<typeof MAX_PARAMETERS, MaxArguments, Tensor>>, withIndices };
}

/** A target size: a number, or one number (null: as the input) a dimension. */
export type OutputSize = number | readonly (number | null)[] | null;
const ADAPTIVE_PARAMETERS = ['input', 'outputSize', 'returnIndices'] as const;
type AdaptiveArguments = [input: Tensor, outputSize: OutputSize, returnIndices?: boolean];

function adaptiveMaxPoolFunctions(nd: SpatialDims) {
  const name = `adaptiveMaxPool${nd}d`;
  const operator = adaptiveOperator(name, nd);
  const pool = (returnIndices: boolean | undefined, input: Tensor, outputSize: OutputSize): Tensor =>
    deliver(operator([tensorArgument(name, 'input', input)], outputSize), returnIndices);
  const plain = defineFunction(
    { name: `nn.functional.${name}`, parameters: ADAPTIVE_PARAMETERS, required: 2 },
    (...args: AdaptiveArguments): Tensor => pool(args[2], args[0], args[1]),
  );
  const withIndices = defineFunction(
    { name: `nn.functional.${name}WithIndices`, parameters: ADAPTIVE_PARAMETERS, required: 2 },
    (...args: AdaptiveArguments): [Tensor, Tensor] => pool(true, args[0], args[1]) as unknown as [Tensor, Tensor],
  );
  return {
    plain: plain as WithIndices<PublicFunction<typeof ADAPTIVE_PARAMETERS, AdaptiveArguments, Tensor>>,
    withIndices,
  };
}

/** y = zeros with x put at the indices; dx = g at them. */
const maxUnpoolOp = defineOp<Planes & { readonly indices: Tensor }, Planes & { readonly indices: Tensor }>({
  name: 'maxUnpool',
  infer: (_, spec) => spec,
  forward: (spec, [x]) => scatter('maxUnpool', spec, x, spec.indices, true),
  backward: ({ spec }, g): Gradients => [maxPoolGather([g, spec.indices], spec)],
});

function maxUnpoolFunction(nd: SpatialDims) {
  const name = `maxUnpool${nd}d`;
  return defineFunction(
    {
      name: `nn.functional.${name}`,
      parameters: ['input', 'indices', 'kernelSize', 'stride', 'padding', 'outputSize'],
      required: 3,
    },
    (
      input: Tensor,
      indices: Tensor,
      kernelSize: Sizes,
      stride?: Sizes | null,
      padding?: Sizes,
      outputSize?: readonly number[] | null,
    ): Tensor => {
      const x = tensorArgument(name, 'input', input);
      const at = tensorArgument(name, 'indices', indices);
      checkSpatialInput(name, x, nd);
      if (at.info !== INT64) fail(DTypeError, name, 'indices of dtype int64', at.dtype, { input: x, indices: at });
      if (!sameShape(at.shape, x.shape))
        fail(ShapeError, name, `indices of the input's shape [${x.shape}]`, `[${at.shape}]`, { input: x, indices: at });
      if (elementCount(x.shape.slice(-nd - 1)) === 0)
        fail(ShapeError, name, 'elements in all dimensions but the batch', `[${x.shape}]`, { input: x });
      const kernel = spatialList(name, 'kernelSize', kernelSize, nd, 1);
      const step = stride === undefined || stride === null ? kernel : spatialList(name, 'stride', stride, nd, 1);
      const pad = spatialList(name, 'padding', padding ?? 0, nd, 0);
      const usual = x.shape.slice(-nd).map((n, d) => (n - 1) * step[d] - 2 * pad[d] + kernel[d]);
      let size = usual;
      if (outputSize !== undefined && outputSize !== null) {
        if (!Array.isArray(outputSize))
          fail(ArgumentError, name, 'an outputSize as an array of numbers', describe(outputSize));
        size = outputSize.slice(-nd);
        if (
          (outputSize.length !== nd && outputSize.length !== x.shape.length) ||
          size.some((n, d) => !Number.isInteger(n) || Math.abs(n - usual[d]) >= step[d])
        )
          fail(ArgumentError, name, `an outputSize within the stride of [${usual}]`, `[${outputSize}]`, { input: x });
      }
      const lead = x.shape.slice(0, -nd);
      const positions = elementCount(size);
      if (positions > 0x7fffffff || size.some((n) => n < 0))
        fail(ShapeError, name, 'output sizes from 0 to 2^31 elements', `[${size}]`, { input: x });
      for (const index of contiguousOf(at).array.subarray(0, elementCount(at.shape)) as BigInt64Array)
        if (index < 0n || index >= BigInt(positions))
          fail(IndexError, name, `indices in [0, ${positions - 1}]`, String(index), { input: x });
      return maxUnpoolOp([x], {
        x: Object.freeze([...lead, ...size]),
        y: x.shape,
        planes: elementCount(lead),
        indices: castTo(at, INT32),
      });
    },
  );
}

const max1 = maxPoolFunctions(1);
const max2 = maxPoolFunctions(2);
const max3 = maxPoolFunctions(3);
/**
 * The greatest element of each window: y[p] = max over r of x[p stride - padding + r dilation]; padding counts as minus
 * infinity. input [N, C, L] or [C, L]; stride defaults to the kernel size; ceilMode rounds the output size up. Returns
 * [N, C, P], with returnIndices also the int64 positions. NaN wins; among equals the first. Throws ShapeError,
 * ArgumentError. PyTorch: torch.nn.functional.max_pool1d.
 */
export const maxPool1d = max1.plain;
/** As `maxPool1d` in two dimensions: input [N, C, H, W] or [C, H, W]. PyTorch: torch.nn.functional.max_pool2d. */
export const maxPool2d = max2.plain;
/**
 * As `maxPool1d` in three dimensions: input [N, C, D, H, W] or [C, D, H, W]. PyTorch: torch.nn.functional.max_pool3d.
 */
export const maxPool3d = max3.plain;
/** `maxPool1d` with the positions of the maxima in each plane, int64. */
export const maxPool1dWithIndices = max1.withIndices;
/** `maxPool2d` with the positions of the maxima in each plane, int64. */
export const maxPool2dWithIndices = max2.withIndices;
/** `maxPool3d` with the positions of the maxima in each plane, int64. */
export const maxPool3dWithIndices = max3.withIndices;

const adaptive1 = adaptiveMaxPoolFunctions(1);
const adaptive2 = adaptiveMaxPoolFunctions(2);
const adaptive3 = adaptiveMaxPoolFunctions(3);
/**
 * The greatest element of windows that divide the input evenly into `outputSize`. PyTorch:
 * torch.nn.functional.adaptive_max_pool1d.
 */
export const adaptiveMaxPool1d = adaptive1.plain;
/** As `adaptiveMaxPool1d` in two dimensions. PyTorch: torch.nn.functional.adaptive_max_pool2d. */
export const adaptiveMaxPool2d = adaptive2.plain;
/** As `adaptiveMaxPool1d` in three dimensions. PyTorch: torch.nn.functional.adaptive_max_pool3d. */
export const adaptiveMaxPool3d = adaptive3.plain;
/** `adaptiveMaxPool1d` with the positions of the maxima in each plane, int64. */
export const adaptiveMaxPool1dWithIndices = adaptive1.withIndices;
/** `adaptiveMaxPool2d` with the positions of the maxima in each plane, int64. */
export const adaptiveMaxPool2dWithIndices = adaptive2.withIndices;
/** `adaptiveMaxPool3d` with the positions of the maxima in each plane, int64. */
export const adaptiveMaxPool3dWithIndices = adaptive3.withIndices;

/**
 * The partial inverse of `maxPool1d`: its values at their indices, zero elsewhere. PyTorch:
 * torch.nn.functional.max_unpool1d.
 */
export const maxUnpool1d = maxUnpoolFunction(1);
/** As `maxUnpool1d` in two dimensions. PyTorch: torch.nn.functional.max_unpool2d. */
export const maxUnpool2d = maxUnpoolFunction(2);
/** As `maxUnpool1d` in three dimensions. PyTorch: torch.nn.functional.max_unpool3d. */
export const maxUnpool3d = maxUnpoolFunction(3);
