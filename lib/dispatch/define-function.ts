/**
 * Declares public functions. All of them follow one rule: PyTorch's positional parameters come in order, keyword
 * parameters come in one trailing options object, and any parameter after the tensor operands may be named there too.
 * Where PyTorch has a method, the function is attached to Tensor.prototype as well.
 */
import { bindArguments, isOptions, requireAll, tooMany } from '../arguments.js';
import { ArgumentError, describe } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { callComposed } from './composed.js';
import { integerPlaces, withIntegers } from './integer-arguments.js';
import { bitsOf, checkKinds, checksOf, type Kind, kindsOf } from './parameter-kinds.js';
import { NUMPY_NAMES, type PublicFunction } from './public-arguments.js';

interface FunctionDeclaration<P extends readonly string[]> {
  /** PyTorch's name in camelCase, with its namespace for what is not on the top level: 'nn.functional.relu'. */
  readonly name: string;
  /** PyTorch's parameter names in camelCase and in order; keyword-only ones last. */
  readonly parameters: P;
  /** How many of the parameters are keyword-only. */
  readonly keywords?: number;
  /** How many leading parameters must be given. Default 1. */
  readonly required?: number;
  /** Whether `input` may be a number as well as a tensor. Default false: anything but a tensor is an ArgumentError. */
  readonly scalarInput?: boolean;
  /** Also a method of Tensor: under its own name (true, the default on the top level), another name, or not at all. */
  readonly method?: boolean | string;
  /**
   * Built from several operators; their intermediates return to the pool when it returns (composed.ts). So the function
   * may keep no tensor that it makes, and may call no function of the user's.
   */
  readonly composed?: boolean;
  /**
   * Parameters that are whole numbers although their names stand for tensors in other functions (see
   * integer-arguments.ts). False where a tensor in the place of a whole number has a meaning of its own.
   */
  readonly integers?: readonly string[] | false;
  /** The kinds of parameters whose names say another kind (parameter-kinds.ts). */
  readonly kinds?: Readonly<Partial<Record<P[number], Kind>>>;
  /** Hides the function from the generic tests: it is a form of another function, or it returns no new tensor. */
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

/**
 * Declares a public function. `implementation` gets every parameter by position; one that was not given is undefined.
 */
export function defineFunction<const P extends readonly string[], A extends readonly unknown[], R>(
  declaration: FunctionDeclaration<P>,
  implementation: (...args: A) => R,
): PublicFunction<P, A, R> {
  const {
    name,
    parameters,
    keywords = 0,
    required = 1,
    method = !name.includes('.'),
    scalarInput = false,
  } = declaration;
  const checksInput = parameters[0] === 'input' && required > 0 && !scalarInput;
  const integers = declaration.integers === false ? [] : integerPlaces(parameters, declaration.integers);
  const positional = parameters.length - keywords;
  const binding = { positional, required, synonyms: NUMPY_NAMES };
  const label = name.slice(name.lastIndexOf('.') + 1);
  const kinds = kindsOf(parameters, required, declaration.kinds ?? {});
  const checks = checksOf(parameters, kinds, integers);
  const plain = implementation as unknown as (...args: unknown[]) => R;
  const call = declaration.composed === true ? (...args: unknown[]): R => callComposed(plain, args) : plain;
  const callConverted = (...args: unknown[]): R => {
    withIntegers(args, integers);
    checkKinds(label, checks, args);
    return call(...args);
  };
  const callWithOptions = (...args: unknown[]): R => {
    return callConverted(...bindArguments(label, parameters, args, binding));
  };

  // The argument list is only read and passed on, so that V8 never allocates it. This saves 50 ns per call.
  const fn = (...args: unknown[]): R => {
    const count = args.length;
    const last = count > 0 ? args[count - 1] : undefined;
    if (checksInput && count > 0 && !(args[0] instanceof Tensor) && !(count === 1 && isOptions(last)))
      throw notATensor(label, args[0]);
    if (typeof last === 'object' && last !== null && isOptions(last)) return callWithOptions(...args);
    if (count > positional) throw tooMany(label, parameters, positional, count);
    // An undefined argument was not given. The first three places are written out, so that V8 need not allocate the
    // list.
    if (
      count < required ||
      (required > 0 && args[0] === undefined) ||
      (required > 1 && args[1] === undefined) ||
      (required > 2 && args[2] === undefined) ||
      required > 3
    )
      requireAll(label, parameters, required, ...args);
    for (let i = 0; i < checks.length; i++) {
      const { place, plain: taken } = checks[i];
      if (place >= count) break;
      const value = args[place];
      if (value !== undefined && (bitsOf(value) & taken) === 0) return callConverted(...args);
    }
    return call(...args);
  };
  Object.defineProperty(fn, 'name', { value: label });
  if (!declaration.hidden) {
    publicFunctions.set(name, fn as never);
    signatures.set(fn, { parameters, kinds, required });
  }
  if (method !== false) attachMethod(method === true ? name : method, fn);
  return fn as unknown as PublicFunction<P, A, R>;
}

/**
 * Declares a function that PyTorch has as a method alone. As `defineFunction`; the receiver is the first operand, which
 * `parameters` leaves out.
 */
export function defineMethod<const P extends readonly string[], A extends readonly unknown[], R>(
  name: string,
  parameters: P,
  implementation: (...args: A) => R,
  settings: Pick<FunctionDeclaration<readonly ['input', ...P]>, 'required' | 'keywords' | 'kinds'> = {},
): PublicFunction<readonly ['input', ...P], A, R> {
  return defineFunction<readonly ['input', ...P], A, R>(
    { name: `Tensor.${name}`, parameters: ['input', ...parameters], method: name, hidden: true, ...settings },
    implementation,
  );
}

function notATensor(name: string, value: unknown): ArgumentError {
  return new ArgumentError(`${name}: expected a tensor for input, got ${describe(value)}`);
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

/** Gives the items of an array of results PyTorch's names too: `const { values, indices } = x.max(0)`. */
export function namedTuple<N extends string, T extends readonly unknown[]>(
  names: readonly N[],
  items: T,
): T & Record<N, T[number]> {
  for (let i = 0; i < names.length; i++) Object.defineProperty(items, names[i], { value: items[i], enumerable: false });
  return items as T & Record<N, T[number]>;
}
