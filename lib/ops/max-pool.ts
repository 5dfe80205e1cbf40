/**
 * Max pooling with regular and adaptive windows in one to three dimensions, and its inverse. The positions that were chosen are kept
 * as 32-bit indices into a plane; the gradient moves values to them, and its own derivative moves them back.
 */
import { recordingNeeded } from '../autograd/graph.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import { ArgumentError, DTypeError, fail, IndexError, ShapeError } from '../errors.js';
import { elementCount, sameShape, type Shape } from '../shape/layout.js';
import { INT32, INT64, type TypedArray } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';
import { castTo, contiguousOf } from './cast.js';
import { defineFunction, type PublicFunction } from './define-function.js';
import { defineOp, instanceOf } from './define-op.js';
import { adaptiveGeometry, type PoolAttributes, type PoolGeometry, poolGeometry } from './pool-geometry.js';
import { tensorArgument } from './promotion.js';
import { checkSpatialInput, type Sizes, type SpatialDims, spatialList } from './spatial.js';

declare module '../native/kernels.js' {
  interface Kernels {
    maxPool: KernelTable<[x: TypedArray, y: TypedArray, indices: TypedArray, withIndices: number, geometry: Int32Array]>;
    adaptiveMaxPool: KernelTable<[x: TypedArray, y: TypedArray, indices: TypedArray, geometry: Int32Array]>;
    /** out = zeros with values added (or put) at their indices, plane by plane */
    scatterPlanes: KernelTable<[values: TypedArray, indices: TypedArray, out: TypedArray, planes: number, count: number, positions: number, replace: number]>;
    /** out[plane, i] = x[plane, indices[plane, i]] */
    gatherPlanes: KernelTable<[x: TypedArray, indices: TypedArray, out: TypedArray, planes: number, count: number, positions: number]>;
  }
}

type Gradients = readonly (Tensor | null)[];

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
  const kernel = instanceOf(op, kernels.scatterPlanes, values);
  kernel(contiguousOf(values).array, indices.array, out.array, spec.planes, perPlane(spec.y, spec.planes), perPlane(spec.x, spec.planes), replace ? 1 : 0);
  return out;
}
function gather(op: string, spec: Planes, x: Tensor, indices: Tensor): Tensor {
  const out = allocate(spec.y, x.info);
  instanceOf(op, kernels.gatherPlanes, x)(contiguousOf(x).array, indices.array, out.array, spec.planes, perPlane(spec.y, spec.planes), perPlane(spec.x, spec.planes));
  return out;
}

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

interface MaxSpec extends PoolGeometry {
  readonly withIndices: boolean;
}

/** y = the greatest element of each window, and its position; dx = g at that position. */
function maxOperator<Attributes>(name: string, kind: 'maxPool' | 'adaptiveMaxPool', infer: (input: Tensor, attributes: Attributes) => PoolGeometry) {
  return defineOp<{ readonly attributes: Attributes; readonly withIndices: boolean }, MaxSpec, Tensor[]>({
    name,
    autocast: name.endsWith('3d') ? 'float32' : undefined,
    infer: ([x], { attributes, withIndices }) => ({ ...infer(x, attributes), withIndices: withIndices || kind === 'adaptiveMaxPool' }),
    forward: ({ y: shape, words, withIndices }, [given]) => {
      const x = contiguousOf(given);
      const y = allocate(shape, x.info);
      const indices = allocate(withIndices ? shape : [0], INT32);
      if (kind === 'maxPool') instanceOf(name, kernels.maxPool, x)(x.array, y.array, indices.array, withIndices ? 1 : 0, words);
      else instanceOf(name, kernels.adaptiveMaxPool, x)(x.array, y.array, indices.array, words);
      return [y, indices];
    },
    save: (context, _, [, indices]) => context.save(indices),
    backward: (context, g): Gradients => [maxPoolBackward([g, context.saved(0)], context.spec)],
  });
}

/** The type of a pooling function: the result alone, or with its indices where those are asked for. */
type WithIndices<F> = F & ((input: Tensor, ...args: [...unknown[], { readonly returnIndices: true } & Record<string, unknown>]) => [Tensor, Tensor]);

function deliver([y, indices]: readonly Tensor[], returnIndices: boolean | undefined): Tensor {
  return returnIndices ? ([y, castTo(indices, INT64)] as unknown as Tensor) : y;
}

const MAX_PARAMETERS = ['input', 'kernelSize', 'stride', 'padding', 'dilation', 'ceilMode', 'returnIndices'] as const;
type MaxArguments = [input: Tensor, kernelSize: Sizes, stride?: Sizes | null, padding?: Sizes, dilation?: Sizes, ceilMode?: boolean, returnIndices?: boolean];

function maxPoolFunctions(nd: SpatialDims) {
  const name = `maxPool${nd}d`;
  const operator = maxOperator(name, 'maxPool', (input: Tensor, attributes: PoolAttributes) => poolGeometry(name, nd, input, attributes));
  const pool = (returnIndices: boolean | undefined, [input, kernelSize, stride, padding, dilation, ceilMode]: MaxArguments): Tensor => {
    const x = tensorArgument(name, 'input', input);
    const attributes = { kernelSize, stride, padding, dilation, ceilMode };
    return deliver(operator([x], { attributes, withIndices: (returnIndices ?? false) || recordingNeeded([x]) }), returnIndices);
  };
  const plain = defineFunction({ name: `nn.functional.${name}`, parameters: MAX_PARAMETERS, required: 2 }, (...args: MaxArguments): Tensor => pool(args[6], args));
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
  const operator = maxOperator(name, 'adaptiveMaxPool', (input: Tensor, size: OutputSize) => adaptiveGeometry(name, nd, input, size));
  const pool = (returnIndices: boolean | undefined, input: Tensor, outputSize: OutputSize): Tensor =>
    deliver(operator([tensorArgument(name, 'input', input)], { attributes: outputSize, withIndices: true }), returnIndices);
  const plain = defineFunction(
    { name: `nn.functional.${name}`, parameters: ADAPTIVE_PARAMETERS, required: 2 },
    (...args: AdaptiveArguments): Tensor => pool(args[2], args[0], args[1]),
  );
  const withIndices = defineFunction(
    { name: `nn.functional.${name}WithIndices`, parameters: ADAPTIVE_PARAMETERS, required: 2 },
    (...args: AdaptiveArguments): [Tensor, Tensor] => pool(true, args[0], args[1]) as unknown as [Tensor, Tensor],
  );
  return { plain: plain as WithIndices<PublicFunction<typeof ADAPTIVE_PARAMETERS, AdaptiveArguments, Tensor>>, withIndices };
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
    { name: `nn.functional.${name}`, parameters: ['input', 'indices', 'kernelSize', 'stride', 'padding', 'outputSize'], required: 3 },
    (input: Tensor, indices: Tensor, kernelSize: Sizes, stride?: Sizes | null, padding?: Sizes, outputSize?: readonly number[] | null): Tensor => {
      const x = tensorArgument(name, 'input', input);
      const at = tensorArgument(name, 'indices', indices);
      checkSpatialInput(name, x, nd);
      if (at.info !== INT64) fail(DTypeError, name, 'indices of dtype int64', at.dtype, { input: x, indices: at });
      if (!sameShape(at.shape, x.shape)) fail(ShapeError, name, `indices of the input's shape [${x.shape}]`, `[${at.shape}]`, { input: x, indices: at });
      const kernel = spatialList(name, 'kernelSize', kernelSize, nd, 1);
      const step = stride === undefined || stride === null ? kernel : spatialList(name, 'stride', stride, nd, 1);
      const pad = spatialList(name, 'padding', padding ?? 0, nd, 0);
      const usual = x.shape.slice(-nd).map((n, d) => (n - 1) * step[d] - 2 * pad[d] + kernel[d]);
      let size = usual;
      if (outputSize !== undefined && outputSize !== null) {
        size = outputSize.slice(-nd);
        if ((outputSize.length !== nd && outputSize.length !== x.shape.length) || size.some((n, d) => !Number.isInteger(n) || Math.abs(n - usual[d]) >= step[d]))
          fail(ArgumentError, name, `an outputSize within the stride of [${usual}]`, `[${outputSize}]`, { input: x });
      }
      const lead = x.shape.slice(0, -nd);
      const positions = elementCount(size);
      if (positions > 0x7fffffff || size.some((n) => n < 0)) fail(ShapeError, name, 'output sizes from 0 to 2^31 elements', `[${size}]`, { input: x });
      for (const index of contiguousOf(at).array.subarray(0, elementCount(at.shape)) as BigInt64Array)
        if (index < 0n || index >= BigInt(positions)) fail(IndexError, name, `indices in [0, ${positions - 1}]`, String(index), { input: x });
      return maxUnpoolOp([x], { x: Object.freeze([...lead, ...size]), y: x.shape, planes: elementCount(lead), indices: castTo(at, INT32) });
    },
  );
}

const max1 = maxPoolFunctions(1);
const max2 = maxPoolFunctions(2);
const max3 = maxPoolFunctions(3);
/**
 * The greatest element of each window: y[p] = max over r of x[p stride - padding + r dilation]; padding counts as minus infinity.
 * input [N, C, L] or [C, L]; stride defaults to the kernel size; ceilMode rounds the output size up. Returns [N, C, P], with
 * returnIndices also the int64 positions. NaN wins; among equals the first. Throws ShapeError, ArgumentError. PyTorch: torch.nn.functional.max_pool1d.
 */
export const maxPool1d = max1.plain;
/** As `maxPool1d` in two dimensions: input [N, C, H, W] or [C, H, W]. PyTorch: torch.nn.functional.max_pool2d. */
export const maxPool2d = max2.plain;
/** As `maxPool1d` in three dimensions: input [N, C, D, H, W] or [C, D, H, W]. PyTorch: torch.nn.functional.max_pool3d. */
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
/** The greatest element of windows that divide the input evenly into `outputSize`. PyTorch: torch.nn.functional.adaptive_max_pool1d. */
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

/** The partial inverse of `maxPool1d`: its values at their indices, zero elsewhere. PyTorch: torch.nn.functional.max_unpool1d. */
export const maxUnpool1d = maxUnpoolFunction(1);
/** As `maxUnpool1d` in two dimensions. PyTorch: torch.nn.functional.max_unpool2d. */
export const maxUnpool2d = maxUnpoolFunction(2);
/** As `maxUnpool1d` in three dimensions. PyTorch: torch.nn.functional.max_unpool3d. */
export const maxUnpool3d = maxUnpoolFunction(3);
