/**
 * Public functions by the one rule of the interface: PyTorch's positional parameters in order, keyword parameters in one trailing
 * options object, and any parameter after the tensor operands may be named there too. A function is attached to Tensor.prototype
 * as well where PyTorch has it as a method.
 */
import { ArgumentError, describe, rejectUnknownOptions } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { callComposed } from './composed.js';
import { type IntegerLike, integerPlaces, withIntegers } from './integer-arguments.js';
import { bitsOf, checkKinds, checksOf, type Kind, kindsOf } from './parameter-kinds.js';

/** NumPy's names of parameters, which PyTorch takes as well. */
const NUMPY_NAMES = { axis: 'dim', keepdims: 'keepdim', x: 'input', a: 'input', x1: 'input', x2: 'other' } as const;
type NumpyNames = typeof NUMPY_NAMES;
/** A parameter's own name, and NumPy's names of it. */
type NamesOf<N> = N | { [K in keyof NumpyNames]: NumpyNames[K] extends N ? K : never }[keyof NumpyNames];
/** Argument tuple A with names P: an object of the same values, all optional. */
type Named<P extends readonly string[], A extends readonly unknown[]> = {
  [I in Exclude<keyof P, keyof (readonly unknown[])> as P[I] extends string ? NamesOf<P[I]> : never]?: I extends keyof A ? IntegerLike<P[I], A[I]> : never;
};
/** Every parameter after the tensor operands may be the options object instead. */
type OrOptions<P extends readonly string[], A extends readonly unknown[], O> = {
  [I in keyof A]: A[I] extends Tensor | readonly Tensor[] ? A[I] : IntegerLike<I extends keyof P ? P[I] : never, A[I]> | O;
};
/** All arguments by name, the first operand among them. */
type AllNamed<P extends readonly string[], A extends readonly unknown[]> = Named<P, A> & { [K in P[0]]: A[0] };
type Positional<P extends readonly string[], A extends readonly unknown[]> = [...OrOptions<P, A, Named<P, A>>, options?: Named<P, A>];
/**
 * The arguments of a public function: its parameters and a trailing options object, or all of them by name. Where one parameter is required,
 * the first takes either; TypeScript can call a union of such functions, which it cannot where the lists differ.
 */
export type PublicArguments<P extends readonly string[], A extends readonly unknown[]> = A extends readonly [unknown, ...infer Rest]
  ? [] extends Rest
    ? Positional<P, A> extends [unknown, ...infer Others]
      ? [first: IntegerLike<P[0], A[0]> | AllNamed<P, A>, ...others: Others]
      : never
    : Positional<P, A> | [named: AllNamed<P, A>]
  : Positional<P, A>;
export type PublicFunction<P extends readonly string[], A extends readonly unknown[], R> = (...args: PublicArguments<P, A>) => R;
/** What follows the first operand; the list of one argument that names all is none of a method's. It looks at lengths alone: a look at the type Tensor would be circular. */
type AfterFirst<A> = A extends [unknown] ? never : A extends [unknown, ...infer Rest] ? ([] extends Rest ? Rest : Rest | [named: Last<Rest>]) : never;
/** The last element: the options. */
type Last<A extends readonly unknown[]> = Required<A> extends readonly [...unknown[], infer Options] ? Options : never;
/**
 * The method form of a public function: its first operand is the receiver. TypeScript looks into a function's type only where the method is used.
 * Into a conditional type it looks while it is still finding what Tensor extends, and the methods that it needs for that go missing.
 */
export type Method<F extends (...args: never) => unknown> = (...args: AfterFirst<Parameters<F>>) => ReturnType<F>;

interface FunctionDeclaration<P extends readonly string[]> {
  /** PyTorch's name in camelCase, with its namespace for what is not on the top level: 'nn.functional.relu'. */
  readonly name: string;
  /** PyTorch's parameter names in camelCase and in order; keyword-only ones last. */
  readonly parameters: P;
  /** How many of the parameters are keyword-only. */
  readonly keywords?: number;
  /** How many leading parameters must be given; those are not filled from options before they are missed. Default 1. */
  readonly required?: number;
  /** Whether `input` may be a number as well as a tensor. Default false: anything but a tensor is an ArgumentError. */
  readonly scalarInput?: boolean;
  /** Also a method of Tensor: under its own name (true, the default on the top level), another name, or not at all. */
  readonly method?: boolean | string;
  /**
   * Made of several operators, whose results on the way go back as it ends (composed.ts): nothing that it makes may be kept but what it returns. Not
   * for what calls a user's function or keeps tensors.
   */
  readonly composed?: boolean;
  /**
   * Parameters that are whole numbers under names that stand for tensors elsewhere (see integer-arguments.ts); false where a tensor in the place
   * of a whole number means something else than that number.
   */
  readonly integers?: readonly string[] | false;
  /** Parameters that take another kind of value than their names say (parameter-kinds.ts). */
  readonly kinds?: Readonly<Partial<Record<P[number], Kind>>>;
  /** Not listed among the functions that generic tests go through: a form of another one, or one whose answer is no new tensor. */
  readonly hidden?: boolean;
}

/** Every public function by name; generic tests ask for samples of each. */
export const publicFunctions = new Map<string, (...args: never) => unknown>();
/** What a public function takes, as declared. */
export interface Signature {
  readonly parameters: readonly string[];
  readonly kinds: readonly Kind[];
  readonly required: number;
}
/** The signature of every public function; tests choose arguments by it. */
export const signatures = new Map<unknown, Signature>();

/** True for an object literal: the only thing that counts as an options object. */
export function isOptions(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Declares a public function; `implementation` takes every parameter by position, undefined where it was not given. */
export function defineFunction<const P extends readonly string[], A extends readonly unknown[], R>(
  declaration: FunctionDeclaration<P>,
  implementation: (...args: A) => R,
): PublicFunction<P, A, R> {
  const { name, parameters, keywords = 0, required = 1, method = !name.includes('.'), scalarInput = false } = declaration;
  const checksInput = parameters[0] === 'input' && required > 0 && !scalarInput;
  const integers = declaration.integers === false ? [] : integerPlaces(parameters, declaration.integers);
  const positional = parameters.length - keywords;
  const kinds = kindsOf(parameters, required, declaration.kinds ?? {});
  const checks = checksOf(parameters, kinds, integers);
  const plain = implementation as unknown as (...args: unknown[]) => R;
  const call = declaration.composed === true ? (...args: unknown[]): R => callComposed(plain, args) : plain;
  const callConverted = (...args: unknown[]): R => {
    withIntegers(args, integers);
    checkKinds(name, checks, args);
    return call(...args);
  };
  const callWithOptions = (...args: unknown[]): R => {
    const options = args.pop() as Record<string, unknown>;
    return callConverted(...withOptions(name, parameters, positional, required, args, options));
  };

  // The list of arguments is only read and passed on, so that V8 never makes it: 50 ns of each call.
  const fn = (...args: unknown[]): R => {
    const count = args.length;
    const last = count > 0 ? args[count - 1] : undefined;
    if (checksInput && count > 0 && !(args[0] instanceof Tensor) && !(count === 1 && isOptions(last))) throw notATensor(name, args[0]);
    if (typeof last === 'object' && last !== null && isOptions(last)) return callWithOptions(...args);
    if (count > positional)
      throw new ArgumentError(
        `${name}: expected at most ${positional} positional arguments, got ${count}${keywords > 0 ? ` (${parameters.slice(positional).join(', ')} go in the options)` : ''}`,
      );
    // Undefined is what was not given, also where a function leaves the checks of an argument to itself.
    // The first places are constants, so that V8 need not make the list.
    if (count < required || (required > 0 && args[0] === undefined) || (required > 1 && args[1] === undefined) || (required > 2 && args[2] === undefined) || required > 3)
      requireAll(name, parameters, required, ...args);
    for (let i = 0; i < checks.length; i++) {
      const { place, plain: taken } = checks[i];
      if (place >= count) break;
      const value = args[place];
      if (value !== undefined && (bitsOf(value) & taken) === 0) return callConverted(...args);
    }
    return call(...args);
  };
  Object.defineProperty(fn, 'name', { value: name.slice(name.lastIndexOf('.') + 1) });
  if (!declaration.hidden) {
    publicFunctions.set(name, fn as never);
    signatures.set(fn, { parameters, kinds, required });
  }
  if (method !== false) attachMethod(method === true ? name : method, fn);
  return fn as unknown as PublicFunction<P, A, R>;
}

/** Declares a method that PyTorch has on tensors alone: as `defineFunction`, with the receiver as first operand, which `parameters` leave out. */
export function defineMethod<const P extends readonly string[], A extends readonly unknown[], R>(
  name: string,
  parameters: P,
  implementation: (...args: A) => R,
  settings: Pick<FunctionDeclaration<readonly ['input', ...P]>, 'required' | 'keywords' | 'kinds'> = {},
): PublicFunction<readonly ['input', ...P], A, R> {
  return defineFunction<readonly ['input', ...P], A, R>({ name: `Tensor.${name}`, parameters: ['input', ...parameters], method: name, hidden: true, ...settings }, implementation);
}

function withOptions(name: string, parameters: readonly string[], positional: number, required: number, given: unknown[], options: Record<string, unknown>): unknown[] {
  if (given.length > positional) throw new ArgumentError(`${name}: expected at most ${positional} positional arguments, got ${given.length}`);
  const args = new Array<unknown>(parameters.length).fill(undefined);
  for (let i = 0; i < given.length; i++) args[i] = given[i];
  for (const key of Object.keys(options)) {
    const known = parameters.includes(key) ? key : (NUMPY_NAMES[key as keyof NumpyNames] ?? key);
    const i = parameters.indexOf(known);
    if (i < 0) rejectUnknownOptions(name, { [key]: null }, parameters);
    if (i < given.length) throw new ArgumentError(`${name}: ${known} was given twice, by position and in the options`);
    if (known !== key && known in options) throw new ArgumentError(`${name}: ${known} was given twice, also as ${key}`);
    args[i] = options[key];
  }
  requireAll(name, parameters, required, ...args);
  return args;
}

/** Throws ArgumentError for the first required argument that was not given. */
function requireAll(name: string, parameters: readonly string[], required: number, ...args: unknown[]): void {
  for (let i = 0; i < required; i++) if (args[i] === undefined) throw missing(name, parameters, i, required);
}

function notATensor(name: string, value: unknown): ArgumentError {
  return new ArgumentError(`${name}: expected a tensor for input, got ${describe(value)}`);
}

function missing(name: string, parameters: readonly string[], count: number, required: number): ArgumentError {
  return new ArgumentError(`${name}: expected ${parameters.slice(0, required).join(', ')}, got no ${parameters[count]}`);
}

/** Makes fn(x, ...rest) callable as x.name(...rest). */
// biome-ignore lint/suspicious/noExplicitAny: any public function, whatever its parameters
export function attachMethod(name: string, fn: (...args: any[]) => unknown): void {
  if (Object.hasOwn(Tensor.prototype, name)) throw new Error(`method ${name} is defined twice`);
  Object.defineProperty(Tensor.prototype, name, {
    value: function (this: Tensor, ...args: unknown[]) {
      return fn(this, ...args);
    },
    writable: true,
    configurable: true,
  });
}

/** An array of results whose items also have PyTorch's names: `const { values, indices } = x.max(0)`. */
export function namedTuple<N extends string, T extends readonly unknown[]>(names: readonly N[], items: T): T & Record<N, T[number]> {
  for (let i = 0; i < names.length; i++) Object.defineProperty(items, names[i], { value: items[i], enumerable: false });
  return items as T & Record<N, T[number]>;
}
