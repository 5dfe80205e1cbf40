/**
 * The types of the methods of functions of one tensor: every export of these files is one, with its method and its
 * in-place method. So a new function there needs no declaration of its own.
 */
import type { Tensor } from '../../tensor/tensor.js';
import type * as exponential from './exponential.js';
import type * as special from './special.js';
import type * as trigonometric from './trigonometric.js';

type Trigonometric = Omit<typeof trigonometric, 'atan2' | 'arctan2' | 'hypot'>;
/** Looks at names alone: TypeScript still resolves what Tensor extends while it reads them. */
type Unary<Functions> = { [N in keyof Functions as N | `${N & string}_`]: () => Tensor };

declare module '../../tensor/tensor.js' {
  interface Tensor extends Unary<typeof exponential>, Unary<typeof special>, Unary<Trigonometric> {}
}
