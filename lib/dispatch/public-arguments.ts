/**
 * The types of what public functions and methods take: positional arguments, a trailing options object, or all
 * arguments by name.
 */
import type { Tensor } from '../tensor/tensor.js';
import type { IntegerLike } from './integer-arguments.js';

/** NumPy's names of parameters, which PyTorch takes as well. */
export const NUMPY_NAMES = {
  axis: 'dim',
  keepdims: 'keepdim',
  x: 'input',
  a: 'input',
  x1: 'input',
  x2: 'other',
} as const;
type NumpyNames = typeof NUMPY_NAMES;
/** A parameter's own name, and NumPy's names of it. */
export type NamesOf<N> = N | { [K in keyof NumpyNames]: NumpyNames[K] extends N ? K : never }[keyof NumpyNames];
/** Argument tuple A with names P: an object of the same values, all optional. */
type Named<P extends readonly string[], A extends readonly unknown[]> = {
  [I in Exclude<keyof P, keyof (readonly unknown[])> as P[I] extends string ? NamesOf<P[I]> : never]?: I extends keyof A
    ? IntegerLike<P[I], A[I]>
    : never;
};
/** Every parameter after the tensor operands may be the options object instead. */
type OrOptions<P extends readonly string[], A extends readonly unknown[], O> = {
  [I in keyof A]: A[I] extends Tensor | readonly Tensor[]
    ? A[I]
    : IntegerLike<I extends keyof P ? P[I] : never, A[I]> | O;
};
/** All arguments by name, the first operand among them. */
type AllNamed<P extends readonly string[], A extends readonly unknown[]> = Named<P, A> & {
  [K in P[0]]: A[0];
};
type Positional<P extends readonly string[], A extends readonly unknown[]> = [
  ...OrOptions<P, A, Named<P, A>>,
  options?: Named<P, A>,
];
/**
 * The arguments of a public function: its parameters and a trailing options object, or all of them by name. Where one
 * parameter is required, the first takes either; TypeScript can call a union of such functions, which it cannot where
 * the lists differ.
 */
export type PublicArguments<P extends readonly string[], A extends readonly unknown[]> = A extends readonly [
  unknown,
  ...infer Rest,
]
  ? [] extends Rest
    ? Positional<P, A> extends [unknown, ...infer Others]
      ? [first: IntegerLike<P[0], A[0]> | AllNamed<P, A>, ...others: Others]
      : never
    : Positional<P, A> | [named: AllNamed<P, A>]
  : Positional<P, A>;
export type PublicFunction<P extends readonly string[], A extends readonly unknown[], R> = (
  ...args: PublicArguments<P, A>
) => R;
/**
 * What follows the first operand; the list of one argument that names all is none of a method's. It looks at lengths
 * alone: a look at the type Tensor would be circular.
 */
type AfterFirst<A> = A extends [unknown]
  ? never
  : A extends [unknown, ...infer Rest]
    ? [] extends Rest
      ? Rest
      : Rest | [named: Last<Rest>]
    : never;
/** The last element: the options. */
type Last<A extends readonly unknown[]> = Required<A> extends readonly [...unknown[], infer Options] ? Options : never;
/**
 * The method form of a public function: its first operand is the receiver. TypeScript looks into a function's type only
 * where the method is used. Into a conditional type it looks while it is still finding what Tensor extends, and the
 * methods that it needs for that go missing.
 */
export type Method<F extends (...args: never) => unknown> = (...args: AfterFirst<Parameters<F>>) => ReturnType<F>;
