/** Sliding blocks of an image as columns, and back: the two are each other's derivative. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { geometryWords, type Sizes, spatialList, withBatch } from './batch.js';

type FoldKernel = KernelTable<[from: TypedArray, to: TypedArray, geometry: Int32Array]>;
declare module '../../native/kernels.js' {
  interface Kernels {
    unfold: FoldKernel;
    fold: FoldKernel;
  }
}

interface Blocks {
  readonly image: Shape;
  readonly columns: Shape;
  readonly words: Int32Array;
}

/** y = the blocks of x as columns; dx = fold(g). */
const unfoldOp = defineOp<Blocks, Blocks>({
  name: 'nnUnfold',
  infer: (_, blocks) => blocks,
  forward: ({ columns, words }, [x]) => {
    const y = allocate(columns, x.info);
    instanceOf('unfold', kernels.unfold, x.info)(contiguousOf(x).array, y.array, words);
    return y;
  },
  backward: ({ spec }, g): Gradients => [foldOp([g], spec)],
});

/** x = the sum of the blocks in y's columns; dy = unfold(g). */
const foldOp = defineOp<Blocks, Blocks>({
  name: 'nnFold',
  infer: (_, blocks) => blocks,
  forward: ({ image, words }, [y]) => {
    const x = allocate(image, y.info);
    instanceOf('fold', kernels.fold, y.info)(contiguousOf(y).array, x.array, words);
    return x;
  },
  backward: ({ spec }, g): Gradients => [unfoldOp([g], spec)],
});

interface Window {
  readonly kernel: number[];
  readonly dilation: number[];
  readonly padding: number[];
  readonly stride: number[];
}
function windowOf(
  op: string,
  kernelSize: Sizes,
  dilation: Sizes | undefined,
  padding: Sizes | undefined,
  stride: Sizes | undefined,
): Window {
  return {
    kernel: spatialList(op, 'kernelSize', kernelSize, 2, 1),
    dilation: spatialList(op, 'dilation', dilation ?? 1, 2, 1),
    padding: spatialList(op, 'padding', padding ?? 0, 2, 0),
    stride: spatialList(op, 'stride', stride ?? 1, 2, 1),
  };
}

/** The blocks of an image [n, c, height, width]; a size below 1 is a ShapeError. */
function blocksOf(
  op: string,
  n: number,
  c: number,
  size: readonly number[],
  { kernel, dilation, padding, stride }: Window,
  input: Tensor,
): Blocks {
  const out = size.map((s, d) => Math.floor((s + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1);
  if (out.some((s) => s < 1))
    fail(ShapeError, op, 'a window not larger than the padded image', `[${kernel}]`, { input, size });
  const words = geometryWords(op, [
    n,
    c,
    1,
    1,
    1,
    ...size,
    1,
    ...kernel,
    1,
    ...out,
    1,
    ...stride,
    0,
    ...padding,
    1,
    ...dilation,
  ]);
  return {
    image: Object.freeze([n, c, ...size]),
    columns: Object.freeze([n, c * elementCount(kernel), elementCount(out)]),
    words,
  };
}

/**
 * The sliding blocks of an image as columns: [N, C, H, W] (or [C, H, W]) to [N, C R S, windows]. Throws ShapeError.
 * PyTorch: torch.nn.functional.unfold.
 */
export const unfold = defineFunction(
  { name: 'nn.functional.unfold', parameters: ['input', 'kernelSize', 'dilation', 'padding', 'stride'], required: 2 },
  (input: Tensor, kernelSize: Sizes, dilation?: Sizes, padding?: Sizes, stride?: Sizes): Tensor => {
    const x = tensorArgument('unfold', 'input', input);
    const ndim = x.shape.length;
    if ((ndim !== 3 && ndim !== 4) || x.shape.some((n, d) => n === 0 && !(ndim === 4 && d === 0)))
      fail(ShapeError, 'unfold', 'an input of 3 or 4 dimensions, none but the batch empty', `[${x.shape}]`);
    const window = windowOf('unfold', kernelSize, dilation, padding, stride);
    return withBatch(x, 2, (batched) =>
      unfoldOp([batched], blocksOf('unfold', batched.shape[0], batched.shape[1], batched.shape.slice(2), window, x)),
    );
  },
);

/**
 * The sum of sliding blocks as an image: [N, C R S, windows] (or without N) to [N, C, ...outputSize]. Throws
 * ShapeError. PyTorch: torch.nn.functional.fold.
 */
export const fold = defineFunction(
  {
    name: 'nn.functional.fold',
    parameters: ['input', 'outputSize', 'kernelSize', 'dilation', 'padding', 'stride'],
    required: 3,
  },
  (input: Tensor, outputSize: Sizes, kernelSize: Sizes, dilation?: Sizes, padding?: Sizes, stride?: Sizes): Tensor => {
    const x = tensorArgument('fold', 'input', input);
    const ndim = x.shape.length;
    if ((ndim !== 2 && ndim !== 3) || x.shape.some((n, d) => n === 0 && !(ndim === 3 && d === 0)))
      fail(ShapeError, 'fold', 'an input of 2 or 3 dimensions, none but the batch empty', `[${x.shape}]`);
    const size = spatialList('fold', 'outputSize', outputSize, 2, 1);
    const window = windowOf('fold', kernelSize, dilation, padding, stride);
    const taps = elementCount(window.kernel);
    const [rows, windows] = x.shape.slice(-2);
    if (rows % taps !== 0)
      fail(ShapeError, 'fold', `a number of rows divisible by the ${taps} elements of a block`, `${rows}`, {
        input: x,
      });
    return withBatch(x, 1, (batched) => {
      const blocks = blocksOf('fold', batched.shape[0], rows / taps, size, window, x);
      if (blocks.columns[2] !== windows)
        fail(ShapeError, 'fold', `an input of ${blocks.columns[2]} windows`, `${windows}`, {
          input: x,
          outputSize: size,
        });
      return foldOp([batched], blocks);
    });
  },
);
