/** Activation functions: piecewise linear ones and smooth ones, each with a fused derivative. */
import type { Tensor } from '../tensor/tensor.js';
import { defineElementwise, Planned } from './elementwise-function.js';
import { type Elementwise, elementwiseOp } from './elementwise-op.js';
import { tensorArgument } from './promotion.js';

type Gradients = readonly (Tensor | null)[];

/** y = max(x, 0); dx = g where y > 0. */
const reluOp: Elementwise = elementwiseOp({ name: 'relu', keep: (_, __, y) => [y], backward: (g, context): Gradients => [thresholdBackwardOp([g, context.saved(0)], [0])] });
/** z = g where x > threshold; dg = h there. */
const thresholdBackwardOp: Elementwise = elementwiseOp({
  name: 'thresholdBackward',
  keep: (_, [, x]) => [x],
  backward: (h, context): Gradients => [thresholdBackwardOp([h, context.saved(0)], context.spec.numbers), null],
});
/** `max(input, 0)`, elementwise. */
export const relu = defineElementwise({ name: 'relu', parameters: ['input'] }, (input: Tensor) => new Planned(reluOp, [tensorArgument('relu', 'input', input)]));

declare module '../tensor/tensor.js' {
  interface Tensor {
    relu(): Tensor;
    relu_(): Tensor;
  }
}
