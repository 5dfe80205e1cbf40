/** Power-average pooling: the p-norm of each window, composed of powers and average pooling. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { avgPool1d, avgPool2d, avgPool3d } from './avg-pool.js';
import { type Sizes, type SpatialDims, spatialList } from './batch.js';
import { maxPool1d, maxPool2d, maxPool3d } from './max-pool.js';

function lpPoolFunction(nd: SpatialDims, average: typeof avgPool2d, maximum: typeof maxPool2d) {
  const name = `lpPool${nd}d`;
  return defineFunction(
    {
      name: `nn.functional.${name}`,
      parameters: ['input', 'normType', 'kernelSize', 'stride', 'ceilMode'],
      required: 3,
    },
    (input: Tensor, normType: number, kernelSize: Sizes, stride?: Sizes | null, ceilMode?: boolean): Tensor => {
      const x = tensorArgument(name, 'input', input);
      if (typeof normType !== 'number' || Number.isNaN(normType) || normType === 0)
        fail(ArgumentError, name, 'a number other than 0 for normType', describe(normType));
      if (normType === Number.POSITIVE_INFINITY) return maximum(x.abs(), kernelSize, stride, 0, 1, ceilMode);
      if (normType === Number.NEGATIVE_INFINITY)
        return maximum(x.abs().neg(), kernelSize, stride, 0, 1, ceilMode).neg();
      const count = spatialList(name, 'kernelSize', kernelSize, nd, 1).reduce((a, b) => a * b, 1);
      const mean = average(x.pow(normType), kernelSize, stride, 0, ceilMode);
      return mean
        .sign()
        .mul(mean.abs().relu())
        .mul(count)
        .pow(1 / normType);
    },
  );
}

/**
 * The p-norm of each window: (sum x^p)^(1/p), the maximum for infinity; where the sum is 0 the gradient is that of
 * PyTorch. input [N, C, L] or [C, L]; stride defaults to the kernel size. PyTorch: torch.nn.functional.lp_pool1d.
 */
export const lpPool1d = lpPoolFunction(1, avgPool1d as typeof avgPool2d, maxPool1d);
/** As `lpPool1d` in two dimensions. PyTorch: torch.nn.functional.lp_pool2d. */
export const lpPool2d = lpPoolFunction(2, avgPool2d, maxPool2d);
/** As `lpPool1d` in three dimensions. PyTorch: torch.nn.functional.lp_pool3d. */
export const lpPool3d = lpPoolFunction(3, avgPool3d, maxPool3d);
