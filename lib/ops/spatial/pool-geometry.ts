/**
 * Shapes of poolings: every check of their arguments, and the geometry as native/kernels/spatial/pool_geometry.h reads
 * it.
 */
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkSpatialInput, geometryWords, type Sizes, spatialList, threeDims } from './batch.js';

/** A pooling whose shapes are known. */
export interface PoolGeometry {
  readonly x: Shape;
  readonly y: Shape;
  /** Leading dimensions (batch, channels) counted together. */
  readonly planes: number;
  readonly words: Int32Array;
}

export interface PoolAttributes {
  readonly kernelSize: Sizes;
  /** Default: the kernel size. */
  readonly stride?: Sizes | null;
  readonly padding?: Sizes;
  readonly dilation?: Sizes;
  readonly ceilMode?: boolean;
}

function checkInput(op: string, input: Tensor, nd: number): void {
  checkSpatialInput(op, input, nd);
  const batched = input.shape.length === nd + 2;
  if (input.shape.some((n, d) => n === 0 && !(batched && d === 0)))
    fail(ShapeError, op, 'sizes of at least 1 in all dimensions but the batch', `[${input.shape}]`, { input });
}

function geometry(op: string, input: Tensor, nd: number, out: number[], window: readonly number[][]): PoolGeometry {
  const lead = input.shape.slice(0, input.shape.length - nd);
  const sizes = input.shape.slice(-nd);
  if (elementCount(sizes) > 0x7fffffff)
    fail(ShapeError, op, 'fewer than 2^31 elements in a plane', `[${sizes}]`, { input });
  const planes = elementCount(lead);
  const words = geometryWords(op, [
    planes,
    ...threeDims(sizes, 1),
    ...threeDims(out, 1),
    ...window.flatMap((values, i) => threeDims(values, i === 2 ? 0 : 1)),
  ]);
  return { x: input.shape, y: Object.freeze([...lead, ...out]), planes, words };
}

/**
 * Geometry of windows: out = floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1, rounded up with
 * ceilMode.
 */
export function poolGeometry(op: string, nd: number, input: Tensor, attributes: PoolAttributes): PoolGeometry {
  checkInput(op, input, nd);
  const kernel = spatialList(op, 'kernelSize', attributes.kernelSize, nd, 1);
  const given = attributes.stride;
  const stride =
    given === undefined || given === null || (Array.isArray(given) && given.length === 0)
      ? kernel
      : spatialList(op, 'stride', given as Sizes, nd, 1);
  const padding = spatialList(op, 'padding', attributes.padding ?? 0, nd, 0);
  const dilation = spatialList(op, 'dilation', attributes.dilation ?? 1, nd, 1);
  const ceilMode = attributes.ceilMode ?? false;
  const out = input.shape.slice(-nd).map((n, d) => {
    const reach = dilation[d] * (kernel[d] - 1) + 1;
    if (padding[d] > Math.floor(reach / 2))
      fail(ArgumentError, op, `padding of at most half the kernel's reach ${reach}`, describe(padding), {
        kernelSize: kernel,
      });
    let size = Math.floor((n + 2 * padding[d] - reach + (ceilMode ? stride[d] - 1 : 0)) / stride[d]) + 1;
    // The last window must begin inside of the input or its left padding.
    if (ceilMode && (size - 1) * stride[d] >= n + padding[d]) size--;
    if (size < 1)
      fail(
        ShapeError,
        op,
        `a window (of reach ${reach}) not larger than the padded input ${n + 2 * padding[d]} at spatial dim ${d}`,
        `[${kernel}]`,
        { input },
      );
    return size;
  });
  return geometry(op, input, nd, out, [kernel, stride, padding, dilation]);
}

/**
 * Geometry of adaptive windows: window o is floor(o in / out) .. ceil((o + 1) in / out). A null size keeps the input's.
 */
export function adaptiveGeometry(
  op: string,
  nd: number,
  input: Tensor,
  outputSize: number | readonly (number | null)[] | null,
): PoolGeometry {
  checkInput(op, input, nd);
  const sizes = input.shape.slice(-nd);
  const list = Array.isArray(outputSize)
    ? (outputSize as readonly (number | null)[])
    : new Array<number | null>(nd).fill(outputSize as number | null);
  const filled = list.length === 1 && nd > 1 ? new Array<number | null>(nd).fill(list[0]) : list;
  if (filled.length !== nd) fail(ArgumentError, op, `outputSize to be a number or ${nd} numbers`, describe(outputSize));
  const out = filled.map((n, d) => n ?? sizes[d]);
  for (const n of out)
    if (!Number.isInteger(n) || n < 0)
      fail(ArgumentError, op, 'outputSize of whole numbers of at least 0, or null', describe(outputSize));
  const ones = new Array<number>(nd).fill(1);
  return geometry(op, input, nd, out, [ones, ones, new Array<number>(nd).fill(0), ones]);
}
