/**
 * Dropout: elements, whole channels, or the kinds that keep mean and variance (alpha); the noise is PyTorch's, from the
 * default generator.
 */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { defaultGenerator } from '../../random/generator.js';
import { type DTypeInfo, FLOAT64 } from '../../storage/dtype.js';
import { allocate, allocateAs } from '../../tensor/allocate.js';
import { castTo, writeElement } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { squeeze, unsqueeze } from '../core/view.js';
import { add, mul } from '../elementwise/arithmetic.js';
import { bernoulliDraw } from './distributions.js';
import { drawInto } from './draw.js';

/** -scale * alpha of SELU: what a dropped unit is set to in alpha dropout, before the affine correction. */
const ALPHA = 1.7580993408473766;

interface Kind {
  readonly name: string;
  /** One decision for each of the first two dimensions, instead of each element. */
  readonly feature?: boolean;
  readonly alpha?: boolean;
}

/** 1 / (1 - p), both rounded to the precision in which the type is computed, then to the type. */
function keptValue(p: number, info: DTypeInfo): number {
  const round = info === FLOAT64 ? (x: number): number => x : Math.fround;
  const one = allocate([], info);
  writeElement(one, round(1 / round(1 - p)));
  return Number(castTo(one, FLOAT64).array[0]);
}

/** y = x noise, where noise is 1 / (1 - p) or 0; dx = g noise, by the product's own rule. */
function drop(kind: Kind, input: Tensor, p: number, training: boolean, inplace: boolean): Tensor {
  const { name, feature = false, alpha = false } = kind;
  const x = tensorArgument(name, 'input', input);
  if (typeof p !== 'number' || !(p >= 0 && p <= 1))
    fail(ArgumentError, name, 'a probability p between 0 and 1', describe(p));
  if (!training || p === 0 || x.numel() === 0) return x;
  if (!x.info.floating) fail(DTypeError, name, 'an input of floating dtype', describe(x));
  if (p === 1) return inplace ? x.mul_(0) : mul(x, 0);
  if (feature && x.shape.length < 2) fail(ShapeError, name, 'an input of at least 2 dimensions', describe(x));
  const noise = feature
    ? allocate([...x.shape.slice(0, 2), ...x.shape.slice(2).map(() => 1)], x.info)
    : allocateAs(x, x.info);
  drawInto(noise, bernoulliDraw(name, x.info, 1 - p, defaultGenerator, alpha ? 1 : keptValue(p, x.info)));
  if (!alpha) return inplace ? x.mul_(noise) : mul.op([x, noise]);
  const a = 1 / Math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p));
  const shift = add(mul(add(noise, -1), ALPHA * a), ALPHA * a * p);
  const scale = mul(noise, a);
  return inplace ? x.mul_(scale).add_(shift) : add(mul.op([x, scale]), shift);
}

function elementwise(kind: Kind, byDefault: { readonly training: boolean }) {
  return defineFunction(
    { name: `nn.functional.${kind.name}`, parameters: ['input', 'p', 'training', 'inplace'] },
    (input: Tensor, p: number = 0.5, training: boolean = byDefault.training, inplace: boolean = false): Tensor =>
      drop(kind, input, p, training, inplace),
  );
}

/**
 * Sets elements to zero with probability p and divides the others by 1 - p; the input itself outside of training.
 * torch.nn.functional.dropout
 */
export const dropout = elementwise({ name: 'dropout' }, { training: true });
/** Dropout that keeps mean and variance of what SELU gives: Klambauer et al. 2017. torch.nn.functional.alpha_dropout */
export const alphaDropout = elementwise({ name: 'alphaDropout', alpha: true }, { training: false });
/** Alpha dropout of whole channels. torch.nn.functional.feature_alpha_dropout */
export const featureAlphaDropout = elementwise(
  { name: 'featureAlphaDropout', feature: true, alpha: true },
  { training: false },
);

/** Dropout of whole channels; `unbatched` is the number of dimensions of an input that lacks the batch. */
function ofChannels(name: string, unbatched: number | null, allowed: readonly number[] | null) {
  const kind: Kind = { name, feature: true };
  return defineFunction(
    { name: `nn.functional.${name}`, parameters: ['input', 'p', 'training', 'inplace'] },
    (input: Tensor, p: number = 0.5, training: boolean = true, inplace: boolean = false): Tensor => {
      const x = tensorArgument(name, 'input', input);
      if (allowed !== null && !allowed.includes(x.shape.length))
        fail(ShapeError, name, `an input of ${allowed.join(' or ')} dimensions`, describe(x));
      if (unbatched === null || x.shape.length > unbatched) return drop(kind, x, p, training, inplace);
      const y = drop(kind, unsqueeze(x, 0), p, training, inplace);
      return inplace ? x : squeeze(y, 0);
    },
  );
}
/** Dropout of whole channels of [N, C, L] or [C, L]. torch.nn.functional.dropout1d */
export const dropout1d = ofChannels('dropout1d', 2, [2, 3]);
/** Dropout of whole channels of [N, C, H, W]; three dimensions count as [N, C, L]. torch.nn.functional.dropout2d */
export const dropout2d = ofChannels('dropout2d', null, null);
/** Dropout of whole channels of [N, C, D, H, W] or [C, D, H, W]. torch.nn.functional.dropout3d */
export const dropout3d = ofChannels('dropout3d', 4, null);
