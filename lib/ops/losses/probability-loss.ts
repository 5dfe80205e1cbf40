/**
 * Losses of distributions, composed of elementwise operators: Kullback-Leibler divergence, Poisson and Gaussian
 * likelihoods.
 */
import { noGrad } from '../../autograd/grad-mode.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import { sameShape } from '../../shape/layout.js';
import { Tensor } from '../../tensor/tensor.js';
import { where } from '../elementwise/selection.js';
import { checkSameShape, lossArguments, type Reduction, reduceLoss, reductionOf } from './difference-loss.js';

/**
 * `target (log target - input)` with `input` in log space, and `e^target (target - input)` where `logTarget`, reduced;
 * 'batchmean' is the sum over the batch's size. A target of 0 counts 0. Shapes equal, else ShapeError. Source:
 * torch.nn.functional.kl_div.
 */
export const klDiv = defineFunction(
  {
    name: 'nn.functional.klDiv',
    parameters: ['input', 'target', 'sizeAverage', 'reduce', 'reduction', 'logTarget'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction | 'batchmean',
    logTarget?: boolean,
  ): Tensor => {
    const batchmean = reductionName === 'batchmean';
    const reduction = reductionOf('klDiv', batchmean ? 'sum' : reductionName, sizeAverage, reduce);
    const [x, t] = lossArguments('klDiv', { input, target });
    checkSameShape('klDiv', x, t);
    const elements = logTarget ? t.exp().mul(t.sub(x)) : t.mul(where(t.eq(0), 1, t).log()).sub(t.mul(x));
    const loss = reduceLoss(elements, reduction);
    return batchmean && x.shape.length > 0 ? loss.div(x.shape[0]) : loss;
  },
);

/**
 * `e^input - target input` of a logarithm of the rate, or `input - target log(input + eps)` where `logInput` is false,
 * reduced; `full` adds Stirling's approximation of log(target!). Shapes equal, else ShapeError. Source:
 * torch.nn.functional.poisson_nll_loss.
 */
export const poissonNllLoss = defineFunction(
  {
    name: 'nn.functional.poissonNllLoss',
    parameters: ['input', 'target', 'logInput', 'full', 'sizeAverage', 'eps', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    logInput?: boolean,
    full?: boolean,
    sizeAverage?: boolean | null,
    eps?: number,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const reduction = reductionOf('poissonNllLoss', reductionName, sizeAverage, reduce);
    const [x, t] = lossArguments('poissonNllLoss', { input, target });
    checkSameShape('poissonNllLoss', x, t);
    let loss = (logInput ?? true) ? x.exp().sub(t.mul(x)) : x.sub(t.mul(x.add(eps ?? 1e-8).log()));
    if (full) {
      const stirling = t
        .mul(t.log())
        .sub(t)
        .add(
          t
            .mul(2 * Math.PI)
            .log()
            .mul(0.5),
        );
      loss = loss.add(stirling.maskedFill(t.le(1), 0));
    }
    return reduceLoss(loss, reduction);
  },
);

/**
 * `(log v + (input - target)^2 / v) / 2` with v = max(var, eps), reduced; `full` adds log(2 pi) / 2. `var` is a number,
 * of the input's shape, or with one dimension less or of size 1; dimensions of size 1 of input or target are repeated.
 * Throws ShapeError, and ArgumentError for a negative variance. Source: torch.nn.functional.gaussian_nll_loss.
 */
export const gaussianNllLoss = defineFunction(
  {
    name: 'nn.functional.gaussianNllLoss',
    parameters: ['input', 'target', 'var', 'full', 'eps', 'reduction'],
    required: 3,
    composed: true,
    kinds: { var: 'operand' },
  },
  (
    input: Tensor,
    target: Tensor,
    variance: Tensor | number,
    full?: boolean,
    eps?: number,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'gaussianNllLoss';
    const reduction = reductionOf(op, reductionName);
    const given = variance instanceof Tensor ? variance : undefined;
    if (given === undefined && typeof variance !== 'number')
      fail(ArgumentError, op, 'a tensor or a number for var', describe(variance));
    const tensors = lossArguments(op, given === undefined ? { input, target } : { input, target, var: given });
    const [x, t] = tensors;
    // As documented, one of them may have dimensions of size 1 where the other has more.
    if (x.shape.length === t.shape.length) broadcastShapes(op, x.shape, t.shape);
    else checkSameShape(op, x, t);
    let v =
      given === undefined
        ? x
            .detach()
            .mul(0)
            .add(variance as number)
        : tensors[2];
    if (!sameShape(v.shape, x.shape)) {
      const differing = v.shape.length === x.shape.length ? v.shape.filter((n, d) => n !== x.shape[d]) : [];
      if (sameShape(v.shape, x.shape.slice(0, -1))) v = v.unsqueeze(-1);
      else if (differing.length !== 1 || differing[0] !== 1)
        fail(
          ShapeError,
          op,
          'var of the input’s shape, or with its last dimension left out or of size 1',
          `[${v.shape}]`,
          { input, target, var: variance },
        );
    }
    if (v.lt(0).sum().item() !== 0)
      fail(ArgumentError, op, 'a variance of at least 0', 'a negative one', { var: variance });
    // Bounded from below without a word to the gradient, as PyTorch does it.
    const raise = noGrad(() => v.clampMin(eps ?? 1e-6).sub(v));
    const bounded = v.add(raise);
    const error = x.sub(t);
    const loss = bounded.log().add(error.mul(error).div(bounded)).mul(0.5);
    return reduceLoss(full ? loss.add(0.5 * Math.log(2 * Math.PI)) : loss, reduction);
  },
);
