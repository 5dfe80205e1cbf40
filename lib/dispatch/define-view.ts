/** Declares view operators: a geometry on the input's memory and a derivative. A view operator calls no kernel. */
import type { Shape } from '../shape/layout.js';
import { type Tensor, windowOn } from '../tensor/tensor.js';
import { type Context, defineOp, type Operator } from './define-op.js';

/** Where a view lies in the memory of its input; `from` is the input's shape. */
export interface Window {
  readonly from: Shape;
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

interface ViewDeclaration<Attributes, Spec extends Window> {
  readonly name: string;
  /** Checks the arguments and finds the window. */
  readonly geometry: (x: Tensor, attributes: Attributes) => Spec;
  readonly backward: (context: Context<Spec>, g: Tensor) => readonly (Tensor | null)[];
}

/** Declares an operator whose output shows the input's memory through another window. */
export function defineView<Attributes, Spec extends Window = Window>({
  name,
  geometry,
  backward,
}: ViewDeclaration<Attributes, Spec>): Operator<Attributes, Tensor> {
  return defineOp<Attributes, Spec>({
    name,
    view: true,
    infer: ([x], attributes) => geometry(x, attributes),
    forward: ({ shape, strides, offset }, [x]) => windowOn(x, shape, strides, offset),
    backward: (context, g) => backward(context, g),
  });
}
