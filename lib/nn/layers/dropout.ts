/** Modules that drop elements or channels while training, and pass their input on in evaluation. */
import { ArgumentError, describe, fail } from '../../errors.js';
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from '../../ops/random/dropout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { Module } from '../module.js';
import { repr } from '../python-repr.js';

const PARAMETERS = ['p', 'inplace'] as const;
type Arguments = [p?: number, inplace?: boolean];

abstract class DropoutBase extends Module {
  /** The probability of being dropped. */
  readonly p: number;
  readonly inplace: boolean;
  /** @param args p (default 0.5), inplace (default false). Throws ArgumentError for a p outside of [0, 1]. */
  constructor(...args: ConstructorArguments<typeof PARAMETERS, Arguments>) {
    super();
    const name = this.constructor.name;
    const { p = 0.5, inplace = false } = constructorArguments<typeof PARAMETERS, Arguments>(name, PARAMETERS, 0, args);
    if (typeof p !== 'number' || !(p >= 0 && p <= 1))
      fail(ArgumentError, name, 'a probability p between 0 and 1', describe(p));
    this.p = p;
    this.inplace = inplace;
  }
  protected abstract readonly drop: typeof dropout;
  override forward(input: Tensor): Tensor {
    return this.drop(input, this.p, this.training, this.inplace);
  }
  override extraRepr(): string {
    return `p=${repr(this.p)}, inplace=${repr(this.inplace)}`;
  }
}

/** Drops elements (torch.nn.Dropout). */
export class Dropout extends DropoutBase {
  protected get drop(): typeof dropout {
    return dropout;
  }
}
/** Drops channels of [N, C, L] or [C, L] (torch.nn.Dropout1d). */
export class Dropout1d extends DropoutBase {
  protected get drop(): typeof dropout {
    return dropout1d;
  }
}
/** Drops channels of [N, C, H, W] (torch.nn.Dropout2d). */
export class Dropout2d extends DropoutBase {
  protected get drop(): typeof dropout {
    return dropout2d;
  }
}
/** Drops channels of [N, C, D, H, W] (torch.nn.Dropout3d). */
export class Dropout3d extends DropoutBase {
  protected get drop(): typeof dropout {
    return dropout3d;
  }
}
/** Drops elements so that mean and variance stay (torch.nn.AlphaDropout). */
export class AlphaDropout extends DropoutBase {
  protected get drop(): typeof dropout {
    return alphaDropout;
  }
}
/** Drops channels so that mean and variance stay (torch.nn.FeatureAlphaDropout). */
export class FeatureAlphaDropout extends DropoutBase {
  protected get drop(): typeof dropout {
    return featureAlphaDropout;
  }
}
