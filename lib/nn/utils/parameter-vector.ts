/** Parameters as one vector, and back (torch.nn.utils.convert_parameters). */

import { defineFunction } from '../../dispatch/define-function.js';
import { describe, fail, ShapeError } from '../../errors.js';
import { reshape } from '../../ops/core/view.js';
import { cat } from '../../ops/views/cat.js';
import { contiguousStrides } from '../../shape/layout.js';
import { contiguousOf } from '../../tensor/copy.js';
import { rebind, type Tensor, windowOn } from '../../tensor/tensor.js';
import { type Parameters, parameterList } from './clip-grad.js';

/** All elements of the parameters, one after another; differentiable. torch.nn.utils.parameters_to_vector */
export const parametersToVector = defineFunction(
  { name: 'nn.utils.parametersToVector', parameters: ['parameters'] },
  (parameters: Parameters): Tensor => cat(parameterList('parametersToVector', parameters).map((p) => reshape(p, [-1]))),
);

/**
 * Makes each parameter show its part of the vector's memory. Throws ShapeError where the vector is too short.
 * torch.nn.utils.vector_to_parameters
 */
export const vectorToParameters = defineFunction(
  { name: 'nn.utils.vectorToParameters', parameters: ['vec', 'parameters'], required: 2 },
  (vec: Tensor, parameters: Parameters): void => {
    const list = parameterList('vectorToParameters', parameters);
    const needed = list.reduce((sum, p) => sum + p.numel(), 0);
    if (vec.shape.length !== 1 || vec.numel() < needed)
      fail(ShapeError, 'vectorToParameters', `a vector of at least ${needed} elements`, describe(vec));
    const flat = contiguousOf(vec);
    let at = flat.offset;
    for (const parameter of list) {
      rebind(parameter, windowOn(flat, [...parameter.shape], contiguousStrides(parameter.shape), at));
      at += parameter.numel();
    }
  },
);
