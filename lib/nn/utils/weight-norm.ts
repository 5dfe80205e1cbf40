/**
 * Weight normalisation, w = g v / |v| with the norm over all dimensions but one: its arithmetic, and the form with a
 * hook.
 */
import { noGrad } from '../../autograd/grad-mode.js';
import { ArgumentError, describe, fail, IndexError } from '../../errors.js';
import { detach } from '../../ops/core/convert.js';
import { div, mul } from '../../ops/elementwise/arithmetic.js';
import { vectorNorm } from '../../ops/linalg/vector-norm.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { installWeightHook, removeWeightHook, tensorOf } from './weight-hook.js';

export const WEIGHT_NORM = ['name', 'dim'] as const;
export type WeightNormArguments = [name?: string, dim?: number | null];

/** The arguments with their defaults; dim -1, as null, is the norm over all dimensions. */
export function weightNormSettings(
  op: string,
  module: Module,
  args: ConstructorArguments<typeof WEIGHT_NORM, WeightNormArguments>,
): { name: string; dim: number } {
  const { name = 'weight', dim = 0 } = constructorArguments<typeof WEIGHT_NORM, WeightNormArguments>(
    op,
    WEIGHT_NORM,
    0,
    args,
  );
  const { ndim } = tensorOf(op, module, name).tensor;
  const wanted = dim ?? -1;
  if (!Number.isInteger(wanted) || wanted < -1 || wanted >= Math.max(ndim, 1))
    fail(IndexError, op, `null or dim in [-1, ${ndim - 1}]`, describe(dim));
  return { name, dim: wanted };
}

/** The 2-norm over all dimensions but one, which keep the size 1; over all of them for -1. */
export function normExceptDim(v: Tensor, dim: number): Tensor {
  if (dim === -1) return vectorNorm(v, 2);
  const others = v.shape.flatMap((_, d) => (d === dim ? [] : [d]));
  // Without other dimensions it is the absolute value: a norm over an empty list would be over all.
  return others.length === 0 ? v.abs() : vectorNorm(v, 2, others, true);
}
/** g v / |v|. */
export function weightOf(g: Tensor, v: Tensor, dim: number): Tensor {
  return mul(v, div(g, normExceptDim(v, dim)));
}

const KIND = 'weight norm';

/**
 * Computes a module's weight as `weight_g weight_v / |weight_v|` before each call (torch.nn.utils.weight_norm; Salimans
 * and Kingma 2016).
 * @param args name ('weight'), dim (0): the dimension of which each index has a norm of its own; null for one norm.
 * Throws ArgumentError for a name that is no parameter's.
 */
export function weightNorm<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof WEIGHT_NORM, WeightNormArguments>
): M {
  const op = 'nn.utils.weightNorm';
  const { name, dim } = weightNormSettings(op, module, args);
  const weight = tensorOf(op, module, name).tensor;
  if (!(weight instanceof Parameter)) fail(ArgumentError, op, 'the name of a parameter', describe(name));
  const parts = { G: new Parameter(noGrad(() => normExceptDim(weight, dim))), V: new Parameter(detach(weight)) };
  installWeightHook(op, module, name, parts, KIND, (part) => weightOf(part('G'), part('V'), dim));
  return module;
}

/**
 * Makes the computed weight the parameter again (torch.nn.utils.remove_weight_norm). Throws ArgumentError where there
 * is no such norm.
 */
export function removeWeightNorm<M extends Module>(module: M, name = 'weight'): M {
  return removeWeightHook('nn.utils.removeWeightNorm', module, name, KIND);
}
