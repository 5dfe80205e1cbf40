/**
 * Average pooling with regular and adaptive windows in one to three dimensions. Linear, so the second derivative is the
 * pooling itself.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { inFormatOf, inFormatOfRows } from '../core/relayout.js';
import { meanOp } from '../reductions/reduce.js';
import type { Sizes, SpatialDims } from './batch.js';
import type { OutputSize } from './max-pool.js';
import { adaptiveGeometry, type PoolAttributes, type PoolGeometry, poolGeometry } from './pool-geometry.js';

type AvgKernel = KernelTable<
  [from: TypedArray, to: TypedArray, countIncludePad: number, divisorOverride: number, geometry: Int32Array]
>;
type AdaptiveKernel = KernelTable<[from: TypedArray, to: TypedArray, geometry: Int32Array]>;

declare module '../../native/kernels.js' {
  interface Kernels {
    avgPool: AvgKernel;
    avgPoolBackward: AvgKernel;
    adaptiveAvgPool: AdaptiveKernel;
    adaptiveAvgPoolBackward: AdaptiveKernel;
  }
}

interface AvgAttributes extends PoolAttributes {
  readonly countIncludePad: boolean;
  readonly divisorOverride?: number | null;
}
interface AvgSpec extends PoolGeometry {
  readonly countIncludePad: number;
  readonly divisorOverride: number;
}

function avgOperator(nd: SpatialDims) {
  const name = `avgPool${nd}d`;
  /** y = the sum of each window over its divisor; dx = avgPoolBackward(g). */
  const forward = defineOp<AvgAttributes | AvgSpec, AvgSpec>({
    name,
    autocast: nd === 3 ? 'float32' : undefined,
    infer: ([x], attributes) => {
      if ('words' in attributes) return attributes;
      const { divisorOverride, countIncludePad } = attributes;
      if (
        divisorOverride !== undefined &&
        divisorOverride !== null &&
        (!Number.isInteger(divisorOverride) || divisorOverride === 0)
      )
        fail(ArgumentError, name, 'divisorOverride to be a whole number other than 0', describe(divisorOverride));
      return {
        ...poolGeometry(name, nd, x, attributes),
        countIncludePad: countIncludePad ? 1 : 0,
        divisorOverride: divisorOverride ?? 0,
      };
    },
    forward: ({ y: shape, words, countIncludePad, divisorOverride }, [x]) => {
      const y = allocate(shape, x.info);
      instanceOf(name, kernels.avgPool, x.info)(
        contiguousOf(x).array,
        y.array,
        countIncludePad,
        divisorOverride,
        words,
      );
      return laidOut(nd, x, y);
    },
    backward: (context, g): Gradients => [backward([g], context.spec)],
  });
  /**
   * dx = each window's gradient over its divisor, added to all of the window; linear: its derivative is the pooling.
   */
  const backward = defineOp<AvgSpec, AvgSpec>({
    name: `${name}Backward`,
    infer: (_, spec) => spec,
    forward: ({ x: shape, words, countIncludePad, divisorOverride }, [g]) => {
      const x = allocate(shape, g.info);
      instanceOf(name, kernels.avgPoolBackward, g.info)(
        contiguousOf(g).array,
        x.array,
        countIncludePad,
        divisorOverride,
        words,
      );
      return x;
    },
    backward: (context, g): Gradients => [forward([g], context.spec)],
  });
  return forward;
}

/**
 * A fresh result in the layout of the input; a row is computed as an image of one row. PyTorch's volumes are row-major.
 */
function laidOut(nd: SpatialDims, x: Tensor, y: Tensor): Tensor {
  return nd === 1 ? inFormatOfRows(x, y) : nd === 2 ? inFormatOf(x, y) : y;
}

function adaptiveOperator(nd: SpatialDims) {
  const name = `adaptiveAvgPool${nd}d`;
  /** y = the mean of each window; dx = adaptiveAvgPoolBackward(g). */
  const forward = defineOp<PoolGeometry, PoolGeometry>({
    name,
    autocast: nd === 3 ? 'float32' : undefined,
    infer: (_, spec) => spec,
    forward: ({ y: shape, words }, [x]) => {
      const y = allocate(shape, x.info);
      instanceOf(name, kernels.adaptiveAvgPool, x.info)(contiguousOf(x).array, y.array, words);
      // The mean of whole volumes, which PyTorch computes as such, keeps their format.
      return nd === 3 && shape.slice(-nd).every((n) => n === 1) ? inFormatOf(x, y) : laidOut(nd, x, y);
    },
    backward: (context, g): Gradients => [backward([g], context.spec)],
  });
  /** dx = each window's gradient over its size, added to all of the window; linear: its derivative is the pooling. */
  const backward = defineOp<PoolGeometry, PoolGeometry>({
    name: `${name}Backward`,
    infer: (_, spec) => spec,
    forward: ({ x: shape, words }, [g]) => {
      const x = allocate(shape, g.info);
      instanceOf(name, kernels.adaptiveAvgPoolBackward, g.info)(contiguousOf(g).array, x.array, words);
      return x;
    },
    backward: (context, g): Gradients => [forward([g], context.spec)],
  });
  return forward;
}

const AVG_PARAMETERS = [
  'input',
  'kernelSize',
  'stride',
  'padding',
  'ceilMode',
  'countIncludePad',
  'divisorOverride',
] as const;

function avgPoolFunction(nd: 2 | 3) {
  const name = `avgPool${nd}d`;
  const operator = avgOperator(nd);
  return defineFunction(
    { name: `nn.functional.${name}`, parameters: AVG_PARAMETERS, required: 2 },
    (
      input: Tensor,
      kernelSize: Sizes,
      stride?: Sizes | null,
      padding?: Sizes,
      ceilMode?: boolean,
      countIncludePad?: boolean,
      divisorOverride?: number | null,
    ): Tensor =>
      operator([tensorArgument(name, 'input', input)], {
        kernelSize,
        stride,
        padding,
        ceilMode,
        countIncludePad: countIncludePad ?? true,
        divisorOverride,
      }),
  );
}

const avg1 = avgOperator(1);
/**
 * The mean of each window. input [N, C, L] or [C, L]; stride defaults to the kernel size; zero padding counts in the
 * mean unless countIncludePad is false. Returns [N, C, P]. Throws ShapeError, ArgumentError. PyTorch:
 * torch.nn.functional.avg_pool1d.
 */
export const avgPool1d = defineFunction(
  {
    name: 'nn.functional.avgPool1d',
    parameters: ['input', 'kernelSize', 'stride', 'padding', 'ceilMode', 'countIncludePad'],
    required: 2,
  },
  (
    input: Tensor,
    kernelSize: Sizes,
    stride?: Sizes | null,
    padding?: Sizes,
    ceilMode?: boolean,
    countIncludePad?: boolean,
  ): Tensor =>
    avg1([tensorArgument('avgPool1d', 'input', input)], {
      kernelSize,
      stride,
      padding,
      ceilMode,
      countIncludePad: countIncludePad ?? true,
    }),
);
/** As `avgPool1d` in two dimensions; divisorOverride replaces the divisor. PyTorch: torch.nn.functional.avg_pool2d. */
export const avgPool2d = avgPoolFunction(2);
/**
 * As `avgPool1d` in three dimensions; divisorOverride replaces the divisor. PyTorch: torch.nn.functional.avg_pool3d.
 */
export const avgPool3d = avgPoolFunction(3);

function adaptiveAvgPoolFunction(nd: SpatialDims) {
  const name = `adaptiveAvgPool${nd}d`;
  const operator = adaptiveOperator(nd);
  return defineFunction(
    { name: `nn.functional.${name}`, parameters: ['input', 'outputSize'], required: 2 },
    (input: Tensor, outputSize: OutputSize): Tensor => {
      const x = tensorArgument(name, 'input', input);
      const spec = adaptiveGeometry(name, nd, x, outputSize);
      // One window is a row, which a mean folds without asking where it begins. In three dimensions autocast computes
      // the pooling in float32. Other layouts than row-major ones are the operator's.
      if (nd < 3 && x.rowMajor && x.info.floating && spec.y.slice(-nd).every((n) => n === 1))
        return meanOp([x], x.shape.map((_, d) => d).slice(-nd));
      return operator([x], spec);
    },
  );
}

/**
 * The mean of windows that divide the input evenly into `outputSize`. PyTorch: torch.nn.functional.adaptive_avg_pool1d.
 */
export const adaptiveAvgPool1d = adaptiveAvgPoolFunction(1);
/** As `adaptiveAvgPool1d` in two dimensions. PyTorch: torch.nn.functional.adaptive_avg_pool2d. */
export const adaptiveAvgPool2d = adaptiveAvgPoolFunction(2);
/** As `adaptiveAvgPool1d` in three dimensions. PyTorch: torch.nn.functional.adaptive_avg_pool3d. */
export const adaptiveAvgPool3d = adaptiveAvgPoolFunction(3);
