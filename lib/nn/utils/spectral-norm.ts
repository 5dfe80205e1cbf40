/**
 * Spectral normalisation, W / sigma with sigma the largest singular value of W by power iteration: its arithmetic, and
 * the form with a hook.
 */

import { checkInteger } from '../../arguments.js';
import { noGrad } from '../../autograd/grad-mode.js';
import { ArgumentError, describe, fail, IndexError } from '../../errors.js';
import { clone } from '../../ops/core/convert.js';
import { flatten, unsqueeze } from '../../ops/core/view.js';
import { div } from '../../ops/elementwise/arithmetic.js';
import { normalize } from '../../ops/linalg/vector-norm.js';
import { dot, mv } from '../../ops/products/matmul.js';
import { permute } from '../../ops/views/permute.js';
import { allocate } from '../../tensor/allocate.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from '../layers/conv.js';
import type { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { installWeightHook, removeWeightHook, tensorOf } from './weight-hook.js';

export const SPECTRAL_NORM = ['name', 'nPowerIterations', 'eps', 'dim'] as const;
export type SpectralNormArguments = [name?: string, nPowerIterations?: number, eps?: number, dim?: number | null];

/** How the power iteration goes. */
export interface SpectralSettings {
  readonly dim: number;
  readonly iterations: number;
  readonly eps: number;
}

/** The arguments with their defaults: dimension 1 of transposed convolutions, 0 of all others. */
export function spectralSettings(
  op: string,
  module: Module,
  args: ConstructorArguments<typeof SPECTRAL_NORM, SpectralNormArguments>,
): SpectralSettings & { name: string } {
  const {
    name = 'weight',
    nPowerIterations = 1,
    eps = 1e-12,
    dim,
  } = constructorArguments<typeof SPECTRAL_NORM, SpectralNormArguments>(op, SPECTRAL_NORM, 0, args);
  const iterations = checkInteger(op, 'nPowerIterations', nPowerIterations, 1);
  if (typeof eps !== 'number') fail(ArgumentError, op, 'a number for eps', describe(eps));
  const outputs = [ConvTranspose1d, ConvTranspose2d, ConvTranspose3d].some((Class) => module instanceof Class) ? 1 : 0;
  const { ndim } = tensorOf(op, module, name).tensor;
  const wanted = dim ?? outputs;
  if (!Number.isInteger(wanted) || wanted < -ndim || wanted >= ndim)
    fail(IndexError, op, `dim in [${-ndim}, ${ndim - 1}]`, describe(dim));
  return { name, iterations, eps, dim: wanted < 0 ? wanted + ndim : wanted };
}

/** The weight as a matrix, with `dim` as its rows. */
export function asMatrix(weight: Tensor, dim: number): Tensor {
  if (weight.ndim === 1) return unsqueeze(weight, 1);
  const rest = weight.shape.flatMap((_, d) => (d === dim ? [] : [d]));
  return flatten(dim === 0 ? weight : permute(weight, [dim, ...rest]), 1);
}
/** A vector of length 1 in a random direction. */
export function randomDirection(like: Tensor, size: number, eps: number): Tensor {
  return noGrad(() => normalize(allocate([size], like.info).normal_(0, 1), 2, 0, eps));
}
/** target = A x / |A x|, in place. */
export function step(target: Tensor, matrix: Tensor, x: Tensor, eps: number): void {
  target.copy_(normalize(mv(matrix, x), 2, 0, eps));
}
/** W / sigma. The vectors are copied, so that the next iteration does not disturb this one's derivative. */
export function normalized(weight: Tensor, matrix: Tensor, u: Tensor, v: Tensor): Tensor {
  const [left, right] = noGrad(() => [clone(u), clone(v)]);
  return div(weight, dot(left, mv(matrix, right)));
}

const KIND = 'spectral norm';

/**
 * Divides a module's weight by its spectral norm before each call (torch.nn.utils.spectral_norm; Miyato et al. 2018):
 * the parameter becomes
 * `weight_orig`, with the buffers `weight_u` and `weight_v` for the power iteration, which goes on while the module
 * trains.
 * @param args name ('weight'), nPowerIterations (1), eps (1e-12), dim (0; 1 for transposed convolutions). Throws
 * ArgumentError for a name that is no parameter's.
 */
export function spectralNorm<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof SPECTRAL_NORM, SpectralNormArguments>
): M {
  const op = 'nn.utils.spectralNorm';
  const { name, dim, iterations, eps } = spectralSettings(op, module, args);
  const weight = tensorOf(op, module, name).tensor;
  if (!(weight instanceof Parameter)) fail(ArgumentError, op, 'the name of a parameter', describe(name));
  const [rows, columns] = asMatrix(weight, dim).shape;
  const parts = { Orig: weight, U: randomDirection(weight, rows, eps), V: randomDirection(weight, columns, eps) };
  installWeightHook(op, module, name, parts, KIND, (part, training) => {
    const [original, u, v] = [part('Orig'), part('U'), part('V')];
    const matrix = asMatrix(original, dim);
    if (training) {
      noGrad(() => {
        for (let i = 0; i < iterations; i++) {
          step(v, matrix.t(), u, eps);
          step(u, matrix, v, eps);
        }
      });
    }
    return normalized(original, matrix, u, v);
  });
  return module;
}

/**
 * Makes the normalised weight the parameter again (torch.nn.utils.remove_spectral_norm). Throws ArgumentError where
 * there is no such norm.
 */
export function removeSpectralNorm<M extends Module>(module: M, name = 'weight'): M {
  return removeWeightHook('nn.utils.removeSpectralNorm', module, name, KIND);
}
