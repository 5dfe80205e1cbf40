/** Gradients kept within a norm or within bounds (torch.nn.utils.clip_grad). */
import { noGrad } from '../../autograd/grad-mode.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, AutogradError, describe, fail } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { scalarOf } from '../../ops/creation/creation.js';
import { vectorNorm } from '../../ops/linalg/vector-norm.js';
import { defaultFloatInfo, promote } from '../../storage/dtype.js';
import { Tensor } from '../../tensor/tensor.js';

/** One parameter, or several. */
export type Parameters = Tensor | Iterable<Tensor>;

/** The parameters as a list. */
export function parameterList(op: string, parameters: Parameters): Tensor[] {
  const list =
    parameters instanceof Tensor
      ? [parameters]
      : typeof parameters === 'object' && parameters !== null && Symbol.iterator in parameters
        ? [...parameters]
        : null;
  if (list === null || list.some((p) => !(p instanceof Tensor)))
    fail(ArgumentError, op, 'a tensor or tensors', describe(parameters));
  return list;
}
function gradients(op: string, parameters: Parameters): Tensor[] {
  return parameterList(op, parameters).flatMap((p) => (p.grad === null ? [] : [p.grad]));
}

/** The order of a norm: a number, or PyTorch's names of the infinities. */
export type NormType = number | 'inf' | '-inf';

function orderOf(op: string, normType: unknown): number {
  const order =
    normType === 'inf' ? Number.POSITIVE_INFINITY : normType === '-inf' ? Number.NEGATIVE_INFINITY : normType;
  return typeof order === 'number' && !Number.isNaN(order)
    ? order
    : fail(ArgumentError, op, "a number or 'inf' for normType", describe(normType));
}

/**
 * The norm of several tensors as if they were one vector: (sum of |x|^normType)^(1/normType), or the largest |x| for
 * Infinity (or 'inf'). In the type that all of them promote to. Throws AutogradError where it is not finite and
 * `errorIfNonfinite` is set. torch.nn.utils.get_total_norm
 */
export const getTotalNorm = defineFunction(
  {
    name: 'nn.utils.getTotalNorm',
    parameters: ['tensors', 'normType', 'errorIfNonfinite', 'foreach'],
    kinds: { tensors: 'any' },
  },
  (
    tensors: Parameters,
    normType: NormType = 2,
    errorIfNonfinite: boolean = false,
    _foreach?: boolean | null,
  ): Tensor => {
    const list = parameterList('getTotalNorm', tensors);
    const order = orderOf('getTotalNorm', normType);
    if (list.length === 0) return scalarOf(0, defaultFloatInfo());
    const norms = noGrad(() => list.map((t) => Number(vectorNorm(t, order).item())));
    const total = scalarOf(
      combined(norms, order),
      list.map((t) => t.info).reduce((a, b) => promote(a, b)),
    );
    if (errorIfNonfinite && !Number.isFinite(total.item()))
      throw new AutogradError(
        `getTotalNorm: expected a finite norm of order ${order} of the gradients, got ${total.item()}; ` +
          'set errorIfNonfinite to false to scale anyway',
      );
    return total;
  },
);

function combined(norms: readonly number[], order: number): number {
  if (norms.some((n) => Number.isNaN(n))) return Number.NaN;
  if (order === Number.POSITIVE_INFINITY) return Math.max(...norms);
  if (order === Number.NEGATIVE_INFINITY) return Math.min(...norms);
  if (order === 0) return norms.filter((n) => n !== 0).length;
  if (order === 2) return Math.sqrt(norms.reduce((sum, n) => sum + n * n, 0));
  return norms.reduce((sum, n) => sum + n ** order, 0) ** (1 / order);
}

/**
 * Multiplies every gradient by maxNorm / (totalNorm + 1e-6) where that is below 1. torch.nn.utils.clip_grads_with_norm_
 */
export const clipGradsWithNorm_ = defineFunction(
  { name: 'nn.utils.clipGradsWithNorm_', parameters: ['parameters', 'maxNorm', 'totalNorm', 'foreach'], required: 3 },
  (parameters: Parameters, maxNorm: number, totalNorm: Tensor, _foreach?: boolean | null): void => {
    if (typeof maxNorm !== 'number' || Number.isNaN(maxNorm))
      fail(ArgumentError, 'clipGradsWithNorm_', 'a number for maxNorm', describe(maxNorm));
    tensorArgument('clipGradsWithNorm_', 'totalNorm', totalNorm);
    // In the type of the norm, and by way of the reciprocal, as PyTorch divides a number by a tensor.
    const factor = noGrad(() => Number(totalNorm.add(1e-6).reciprocal().mul(maxNorm).item()));
    // A NaN goes into the gradients, as in PyTorch; 1 and more would change nothing.
    if (factor >= 1) return;
    noGrad(() => {
      for (const gradient of gradients('clipGradsWithNorm_', parameters)) gradient.mul_(factor);
    });
  },
);

/**
 * Scales the gradients of the parameters so that their norm, taken over all of them as one vector, is at most
 * `maxNorm`; returns the norm that they had. torch.nn.utils.clip_grad_norm_
 */
export const clipGradNorm_ = defineFunction(
  {
    name: 'nn.utils.clipGradNorm_',
    parameters: ['parameters', 'maxNorm', 'normType', 'errorIfNonfinite', 'foreach'],
    required: 2,
  },
  (
    parameters: Parameters,
    maxNorm: number,
    normType: NormType = 2,
    errorIfNonfinite: boolean = false,
    _foreach?: boolean | null,
  ): Tensor => {
    const list = parameterList('clipGradNorm_', parameters);
    const total = getTotalNorm(gradients('clipGradNorm_', list), normType, errorIfNonfinite);
    clipGradsWithNorm_(list, maxNorm, total);
    return total;
  },
);

/** Moves every element of the gradients into [-clipValue, clipValue]. torch.nn.utils.clip_grad_value_ */
export const clipGradValue_ = defineFunction(
  { name: 'nn.utils.clipGradValue_', parameters: ['parameters', 'clipValue', 'foreach'], required: 2 },
  (parameters: Parameters, clipValue: number, _foreach?: boolean | null): void => {
    if (typeof clipValue !== 'number' || Number.isNaN(clipValue))
      fail(ArgumentError, 'clipGradValue_', 'a number for clipValue', describe(clipValue));
    noGrad(() => {
      for (const gradient of gradients('clipGradValue_', parameters)) gradient.clamp_(-clipValue, clipValue);
    });
  },
);
