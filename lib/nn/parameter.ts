/**
 * Tensors that a module holds: `Parameter`, which it trains, and `Buffer`, which it keeps beside them. Both are found
 * wherever they are a property.
 */

import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** The data and the flag of a constructor that takes `(data, flag)`, `(data, { flag })` or `({ data, flag })`. */
function dataAndFlag(op: string, name: string, data: unknown, flag: unknown): { data: Tensor; flag: boolean } {
  const options = isOptions(data) ? data : isOptions(flag) ? flag : { [name]: flag };
  const given = isOptions(data) ? options.data : data;
  rejectUnknownOptions(op, options, options === data ? ['data', name] : [name]);
  if (!(given instanceof Tensor)) fail(ArgumentError, op, 'a tensor', describe(given));
  const value = options[name] ?? true;
  if (typeof value !== 'boolean') fail(ArgumentError, op, `${name} as true or false`, describe(value));
  return { data: given, flag: value };
}

export interface ParameterOptions {
  /** Whether autograd records the parameter. Default true. */
  requiresGrad?: boolean;
}

/** A leaf of the graph that a module trains (torch.nn.Parameter). */
export class Parameter extends Tensor {
  /** For TypeScript alone: a tensor does not pass for a parameter. */
  declare protected readonly kind: 'parameter';

  /**
   * The memory of `data` as a leaf that requires grad. It shares that memory and leaves `data` as it is.
   * @param requiresGrad whether autograd records it, also as `{ requiresGrad }`; default true. Throws AutogradError for
   * a dtype that has no gradient, ArgumentError for anything but a tensor and for unknown options.
   */
  constructor(data: Tensor | ({ data: Tensor } & ParameterOptions), requiresGrad?: boolean | ParameterOptions) {
    const { data: source, flag } = dataAndFlag('Parameter', 'requiresGrad', data, requiresGrad);
    super(source.storage, null, source.info, source.shape, source.strides, source.offset, source.contiguousLayout);
    if (flag) this.requiresGrad_();
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}

export interface BufferOptions {
  /** Part of the state dict. Default true. */
  persistent?: boolean;
}

/** A tensor that becomes a buffer of the module to which it is assigned (torch.nn.Buffer). */
export class Buffer extends Tensor {
  /** Whether state dicts have it. */
  readonly persistent: boolean;

  /**
   * The memory of `data`, outside of the graph.
   * @param persistent whether it is part of the state dict, also as `{ persistent }`; default true. Throws
   * ArgumentError for anything but a tensor and for unknown options.
   */
  constructor(data: Tensor | ({ data: Tensor } & BufferOptions), persistent?: boolean | BufferOptions) {
    const { data: source, flag } = dataAndFlag('Buffer', 'persistent', data, persistent);
    super(source.storage, null, source.info, source.shape, source.strides, source.offset, source.contiguousLayout);
    this.persistent = flag;
  }
}
