/** A tensor that a module trains: found by `Module` wherever it is a property, and a leaf of the graph. */
import { ArgumentError, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

export class Parameter extends Tensor {
  /**
   * The memory of `data` as a leaf that requires grad (torch.nn.Parameter). It shares that memory and leaves `data` as it is.
   * @param requiresGrad whether autograd records it; default true. Throws AutogradError for a dtype that has no gradient.
   */
  constructor(data: Tensor, requiresGrad = true) {
    if (!(data instanceof Tensor)) fail(ArgumentError, 'Parameter', 'a tensor', describe(data));
    super(data.storage, null, data.info, data.shape, data.strides, data.offset, data.contiguousLayout);
    if (requiresGrad) this.requiresGrad_();
  }

  override toString(): string {
    return `Parameter containing:\n${super.toString()}`;
  }
}
