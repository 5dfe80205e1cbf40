/**
 * The types of what public functions and methods take: positional arguments, a trailing options object, or all
 * arguments by name.
 */
import type { Tensor } from '../tensor/tensor.js';
import type { IntegerLike } from './integer-arguments.js';

/** NumPy's names of parameters. PyTorch takes them as well. */
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
type NamesOf<N> = N | { [K in keyof NumpyNames]: NumpyNames[K] extends N ? K : never }[keyof NumpyNames];
/** The arguments A by their names P, in an object, all optional. */
type Named<P extends readonly string[], A extends readonly unknown[]> = {
  [I in Exclude<keyof P, keyof (readonly unknown[])> as P[I] extends string ? NamesOf<P[I]> : never]?: I extends keyof A
    ? IntegerLike<P[I], A[I]>
    : never;
};
/** The arguments A, each of which may be the options object unless it is a tensor operand. */
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
 * The arguments of a public function: its parameters and a trailing options object, or one object with all of them.
 * Where one parameter is required, both forms are one list: TypeScript can call a union of functions only if their
 * lists are alike.
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
 * The arguments after the first operand. The list with one object for all arguments is left out: a method has no such
 * form. The type depends on lengths alone, since a look at the type Tensor would be circular.
 */
type AfterFirst<A> = A extends [unknown]
  ? never
  : A extends [unknown, ...infer Rest]
    ? [] extends Rest
      ? Rest
      : Rest | [named: Last<Rest>]
    : never;
/** The type of the last argument: the options. */
type Last<A extends readonly unknown[]> = Required<A> extends readonly [...unknown[], infer Options] ? Options : never;
/**
 * The method form of a public function: the receiver is the first operand. This is a function type, not a conditional
 * type. TypeScript resolves a conditional type while it still collects the members of Tensor, and then misses methods.
 */
export type Method<F extends (...args: never) => unknown> = (...args: AfterFirst<Parameters<F>>) => ReturnType<F>;
