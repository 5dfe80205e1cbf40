/** Functions of complex numbers, as they answer for real tensors: the tensor itself. */

import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from './promotion.js';

export function identity(name: string) {
  return defineFunction(
    { name, parameters: ['input'] },
    (input: Tensor): Tensor => tensorArgument(name, 'input', input),
  );
}
/** The tensor itself: every tensor is real. torch.real */
export const real = identity('real');
/** The tensor itself: every tensor is real. torch.conj */
export const conj = identity('conj');
/** The tensor itself: every tensor is real. torch.conj_physical */
export const conjPhysical = identity('conjPhysical');
/** The tensor itself: conjugation is never lazy. torch.resolve_conj */
export const resolveConj = identity('resolveConj');
/** The tensor itself: negation is never lazy. torch.resolve_neg */
export const resolveNeg = identity('resolveNeg');

declare module '../../tensor/tensor.js' {
  interface Tensor {
    real: Method<typeof real>;
    conj: Method<typeof conj>;
    conjPhysical: Method<typeof conjPhysical>;
    resolveConj: Method<typeof resolveConj>;
    resolveNeg: Method<typeof resolveNeg>;
  }
}
