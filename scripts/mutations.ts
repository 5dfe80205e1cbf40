/**
 * The kinds of change that the mutation check makes to a derivative rule. Each one stands for a mistake that a person
 * makes: a wrong sign, a forgotten input, a wrong factor, a forgotten sum over a broadcast dimension, a wrong order of
 * the elements, two gradients in the wrong order.
 */

import { gradientOperators } from '../lib/autograd/gradient-operators.js';
import type { Gradients, Node } from '../lib/autograd/node.js';
import { autograd, type Tensor } from '../lib/index.js';
import { sameShape } from '../lib/shape/layout.js';

/** One change of one derivative rule. */
export interface Mutation {
  /** 'mul: gradient 0 negated'. */
  readonly name: string;
  readonly rule: string;
  /** The changed gradients. Returns a gradient as it is where the change does not apply to it. */
  readonly change: (node: Node, gradients: Gradients) => Gradients;
}

/** Changes of the gradient of one input, given the shape of that input. Null drops the gradient. */
const ONE: Readonly<Record<string, (gradient: Tensor, shape: readonly number[]) => Tensor | null>> = {
  negated: (gradient) => gradient.neg(),
  dropped: () => null,
  'times 1.01': (gradient) => gradient.mul(1.01),
  'not summed over broadcast dimensions': firstOfBroadcast,
  reversed: (gradient) => gradient.flip(gradient.shape.map((_, d) => d)),
  transposed: transposeEqualSizes,
};

/** The change of a gradient that is always zero: the other changes leave a zero as it is. */
const plusOne = (gradient: Tensor): Tensor => gradient.add(1);

/** The shape of the input that gradient `i` belongs to. */
function inputShape(node: Node, i: number): readonly number[] {
  return (node.next[i] as Node).outputShapes[node.nextIndex[i]];
}

/** A rule returns the gradient in the broadcast shape, and the engine sums it. Here one element of each sum is left. */
function firstOfBroadcast(gradient: Tensor, shape: readonly number[]): Tensor {
  if (gradient.numel() === 0) return gradient;
  let first = gradient;
  while (first.dim() > shape.length) first = first.select(0, 0);
  shape.forEach((size, d) => {
    if (first.size(d) !== size) first = first.narrow(d, 0, size);
  });
  return first;
}

function transposeEqualSizes(gradient: Tensor): Tensor {
  const { shape } = gradient;
  for (let a = 0; a < shape.length; a++) {
    const b = shape.indexOf(shape[a], a + 1);
    if (shape[a] > 1 && b !== -1) return gradient.transpose(a, b);
  }
  return gradient;
}

function changeOne(rule: string, i: number, kind: string, change: (typeof ONE)[string]): Mutation {
  return {
    name: `${rule}: gradient ${i} ${kind}`,
    rule,
    change: (node, gradients) =>
      gradients.map((gradient, at) => {
        if (at !== i || gradient === null || gradient === undefined || !node.needs(i)) return gradient;
        return change(gradient, inputShape(node, i));
      }),
  };
}

function exchange(rule: string, i: number, j: number): Mutation {
  return {
    name: `${rule}: gradients ${i} and ${j} exchanged`,
    rule,
    change: (node, gradients) => {
      if (!node.needs(i) || !node.needs(j)) return gradients;
      if (!sameShape(inputShape(node, i), inputShape(node, j))) return gradients;
      return gradients.map((gradient, at) => (at === i ? gradients[j] : at === j ? gradients[i] : gradient));
    },
  };
}

/** The changes of a rule. `nonzero[i]`: whether gradient i was ever not zero; undefined where no gradient was given. */
export function mutationsOf(rule: string, nonzero: readonly boolean[]): Mutation[] {
  const all: Mutation[] = [];
  nonzero.forEach((ever, i) => {
    if (!ever) {
      all.push(changeOne(rule, i, 'plus 1', plusOne));
      return;
    }
    for (const [kind, change] of Object.entries(ONE)) all.push(changeOne(rule, i, kind, change));
    for (let j = 0; j < i; j++) if (nonzero[j] !== undefined) all.push(exchange(rule, j, i));
  });
  return all;
}

/** Whether a mutation made a difference to any gradient that somebody asked for. Rounding alone is no difference. */
export function differs(node: Node, before: Gradients, after: Gradients): boolean {
  return autograd.noGrad(() =>
    before.some((gradient, i) => {
      const changed = after[i];
      if (gradient === null || gradient === undefined || !node.needs(i) || gradient === changed) return false;
      const a = valuesOf(gradient, inputShape(node, i));
      if (changed === null || changed === undefined) return a.some((value) => value !== 0);
      const b = valuesOf(changed, inputShape(node, i));
      return a.some((value, k) => !Object.is(value, b[k]) && !(Math.abs(value - b[k]) <= 1e-6 * Math.abs(value)));
    }),
  );
}

/** The elements of a gradient, summed over the dimensions that broadcasting from `shape` repeated. */
function valuesOf(gradient: Tensor, shape: readonly number[]): Float64Array {
  const fitted = sameShape(gradient.shape, shape) ? gradient : gradientOperators.sumToShape(gradient, [...shape]);
  return fitted.to('float64').toTypedArray() as Float64Array;
}
