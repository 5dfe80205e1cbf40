/** `nn.utils.parametrizations`: spectral and weight normalisation as parametrizations of a weight. */
import { noGrad } from '../../autograd/grad-mode.js';
import { normalize } from '../../ops/linalg/vector-norm.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { ConstructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { registerParametrization } from './parametrize.js';
import {
  asMatrix,
  normalized,
  randomDirection,
  type SPECTRAL_NORM,
  type SpectralNormArguments,
  type SpectralSettings,
  spectralSettings,
  step,
} from './spectral-norm.js';
import { tensorOf } from './weight-hook.js';
import {
  normExceptDim,
  type WEIGHT_NORM,
  type WeightNormArguments,
  weightNormSettings,
  weightOf,
} from './weight-norm.js';

/** W / sigma; it prints under the name that PyTorch gives it. */
class _SpectralNorm extends Module {
  readonly dim: number;
  readonly nPowerIterations: number;
  readonly eps: number;
  declare _u: Tensor;
  declare _v: Tensor;

  constructor(weight: Tensor, { dim, iterations, eps }: SpectralSettings) {
    super();
    this.dim = dim;
    this.nPowerIterations = iterations;
    this.eps = eps;
    if (weight.ndim < 2) return;
    const matrix = asMatrix(weight, dim);
    this.registerBuffer('_u', randomDirection(weight, matrix.shape[0], eps));
    this.registerBuffer('_v', randomDirection(weight, matrix.shape[1], eps));
    this.iterate(matrix, 15);
  }
  private iterate(matrix: Tensor, times: number): void {
    noGrad(() => {
      for (let i = 0; i < times; i++) {
        step(this._u, matrix, this._v, this.eps);
        step(this._v, matrix.t(), this._u, this.eps);
      }
    });
  }
  override forward(weight: Tensor): Tensor {
    // A vector's norm needs no iteration.
    if (weight.ndim < 2) return normalize(weight, 2, 0, this.eps);
    const matrix = asMatrix(weight, this.dim);
    if (this.training) this.iterate(matrix, this.nPowerIterations);
    return normalized(weight, matrix, this._u, this._v);
  }
  rightInverse(value: Tensor): Tensor {
    return value;
  }
}

/** g v / |v|; it prints under the name that PyTorch gives it. */
class _WeightNorm extends Module {
  constructor(readonly dim: number) {
    super();
  }
  override forward(g: Tensor, v: Tensor): Tensor {
    return weightOf(g, v, this.dim);
  }
  rightInverse(weight: Tensor): Tensor[] {
    return [normExceptDim(weight, this.dim), weight];
  }
}

/**
 * A weight divided by its spectral norm, whose vectors a power iteration follows whenever the weight is read while the
 * module trains (torch.nn.utils.parametrizations.spectral_norm; Miyato et al. 2018).
 * @param args name ('weight'), nPowerIterations (1), eps (1e-12), dim (0; 1 for transposed convolutions). Throws
 * ArgumentError for a name that is no parameter's.
 */
export function spectralNorm<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof SPECTRAL_NORM, SpectralNormArguments>
): M {
  const op = 'nn.utils.parametrizations.spectralNorm';
  const { name, ...settings } = spectralSettings(op, module, args);
  return registerParametrization(module, name, new _SpectralNorm(tensorOf(op, module, name).tensor, settings));
}

/**
 * A weight as `original0 original1 / |original1|`: its magnitude and its direction
 * (torch.nn.utils.parametrizations.weight_norm; Salimans and Kingma 2016). State dicts of the older form, with
 * `weight_g` and `weight_v`, load.
 * @param args name ('weight'), dim (0): the dimension of which each index has a norm of its own; null for one norm.
 * Throws ArgumentError for a name that is no parameter's.
 */
export function weightNorm<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof WEIGHT_NORM, WeightNormArguments>
): M {
  const op = 'nn.utils.parametrizations.weightNorm';
  const { name, dim } = weightNormSettings(op, module, args);
  const { key } = tensorOf(op, module, name);
  registerParametrization(module, name, new _WeightNorm(dim), { unsafe: true });
  module.registerLoadStateDictPreHook((_, state, prefix) => {
    const old = [`${prefix}${key}_g`, `${prefix}${key}_v`];
    if (!old.every((own) => Object.hasOwn(state, own))) return;
    old.forEach((own, i) => {
      state[`${prefix}parametrizations.${key}.original${i}`] = state[own];
      delete state[own];
    });
  });
  return module;
}
