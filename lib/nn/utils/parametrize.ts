/**
 * Parametrizations (torch.nn.utils.parametrize): a parameter or buffer of a module that is a function of other tensors,
 * computed whenever it is read. The module's class becomes a subclass with an accessor in the parameter's place; what
 * it is computed from is below
 * `module.parametrizations`.
 */
import { noGrad } from '../../autograd/grad-mode.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { detach } from '../../ops/core/convert.js';
import { ScopedValue } from '../../scoped-value.js';
import { sameShape } from '../../shape/layout.js';
import { rebind, Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments } from '../arguments.js';
import { ModuleList } from '../containers.js';
import { Module } from '../module.js';
import { ModuleDict } from '../module-dict.js';
import { Parameter } from '../parameter.js';
import { read, tensorOf } from './weight-hook.js';

/**
 * A module that computes the tensor; `rightInverse`, where it has one, gives tensors from which it computes the given
 * one.
 */
export interface Parametrization extends Module {
  rightInverse?(value: Tensor): Tensor | readonly Tensor[];
}

/** The tensors that were computed within `cached`. */
const cache = new ScopedValue<Map<ParametrizationList, Tensor> | null>(null);

/**
 * The parametrizations of one tensor, called one after another, and the tensor or tensors that the first one takes
 * (torch's class of that name).
 */
export class ParametrizationList extends ModuleList<Parametrization> {
  /** The number of tensors that the first one takes: `original`, or `original0`, `original1` and so on. */
  readonly ntensors: number;
  readonly isTensor: boolean;

  constructor(parametrization: Parametrization, original: Tensor) {
    super([parametrization]);
    if (!(original instanceof Tensor))
      fail(ArgumentError, 'ParametrizationList', 'a tensor for original', describe(original));
    const parts = noGrad(() => inverse(parametrization, original));
    this.isTensor = parts instanceof Tensor;
    const list = parts instanceof Tensor ? [parts] : parts;
    this.ntensors = list.length;
    list.forEach((part, i) => {
      let kept = original;
      // Optimizers that hold the parameter keep it.
      if (parts instanceof Tensor) replaceMemory(original, part);
      else kept = original instanceof Parameter ? new Parameter(detach(part), original.requiresGrad) : part;
      if (kept instanceof Parameter) this.registerParameter(this.partName(i), kept);
      else this.registerBuffer(this.partName(i), kept);
    });
  }
  private partName(i: number): string {
    return this.isTensor ? 'original' : `original${i}`;
  }
  /** What the first parametrization takes. */
  originals(): Tensor[] {
    return Array.from({ length: this.ntensors }, (_, i) => read(this, this.partName(i)));
  }
  override forward(): Tensor {
    let args: unknown[] = this.originals();
    for (const module of this) args = [module(...args)];
    const [value] = args;
    return value instanceof Tensor
      ? value
      : fail(ArgumentError, 'parametrize', 'a parametrization that returns a tensor', describe(value));
  }
  /** The value, from the cache while one is open. */
  value(): Tensor {
    const open = cache.get();
    const value = open?.get(this) ?? (this as ParametrizationList)();
    open?.set(this, value);
    return value;
  }
  /**
   * Sets the originals so that the value becomes the given tensor. Throws ArgumentError where a parametrization has no
   * rightInverse.
   */
  assign(value: Tensor): void {
    if (!(value instanceof Tensor))
      fail(ArgumentError, 'parametrize', 'a tensor for a parametrized tensor', describe(value));
    let current: Tensor | readonly Tensor[] = value;
    for (const module of [...this].reverse()) {
      const { rightInverse } = module;
      if (typeof rightInverse !== 'function')
        fail(
          ArgumentError,
          'parametrize',
          `a rightInverse of ${module.constructor.name}, without which nothing can be assigned`,
          'none',
        );
      const given = current as Tensor;
      current = noGrad(() => rightInverse.call(module, given));
    }
    const parts = current instanceof Tensor ? [current] : current;
    const originals = this.originals();
    if (parts.length !== originals.length)
      fail(ArgumentError, 'parametrize', `${originals.length} tensors of rightInverse`, String(parts.length));
    parts.forEach((part, i) => {
      if (part.info !== originals[i].info)
        fail(DTypeError, 'parametrize', `a tensor of ${originals[i].dtype}`, part.dtype);
      replaceMemory(originals[i], part);
    });
  }
}

function inverse(parametrization: Parametrization, original: Tensor): Tensor | readonly Tensor[] {
  if (typeof parametrization.rightInverse !== 'function') return original;
  const parts: unknown = parametrization.rightInverse(original);
  if (parts instanceof Tensor && parts.info !== original.info)
    fail(DTypeError, 'registerParametrization', `a rightInverse that keeps ${original.dtype}`, parts.dtype);
  if (
    !(parts instanceof Tensor) &&
    (!Array.isArray(parts) || parts.length === 0 || Array.from(parts).some((part) => !(part instanceof Tensor)))
  )
    fail(ArgumentError, 'registerParametrization', 'a rightInverse that returns a tensor or tensors', describe(parts));
  return parts as Tensor | readonly Tensor[];
}

/** Makes a tensor show the memory of another, unless it does. */
function replaceMemory(target: Tensor, source: Tensor): void {
  if (target !== source && target.storage !== source.storage) rebind(target, detach(source));
}

/** The dictionary of a parametrized module, or null. */
function dictOf(module: Module): ModuleDict<ParametrizationList> | null {
  if (!(module instanceof Module)) return null;
  const { parametrizations } = module as { parametrizations?: unknown };
  return parametrizations instanceof ModuleDict ? (parametrizations as ModuleDict<ParametrizationList>) : null;
}

/** The accessors of one tensor, as a subclass of the module's class has them. */
function inject(module: Module, property: string, key: string): void {
  Object.defineProperty(Object.getPrototypeOf(module), property, {
    get(this: Module): Tensor | undefined {
      return dictOf(this)?.get(key).value();
    },
    set(this: Module, value: Tensor) {
      dictOf(this)?.get(key).assign(value);
    },
    configurable: true,
  });
}

/**
 * Whether a module has a parametrization, or one of the tensor of that name. torch.nn.utils.parametrize.is_parametrized
 */
export function isParametrized(module: Module, tensorName?: string | null): boolean {
  const dict = dictOf(module);
  if (dict === null) return false;
  return tensorName === undefined || tensorName === null
    ? dict.length > 0
    : dict.has(tensorName) || dict.has(module.stateKey(tensorName));
}

/**
 * The class of a module as it was before its first parametrization.
 * torch.nn.utils.parametrize.type_before_parametrizations
 */
export function typeBeforeParametrizations(module: Module): new (...args: never[]) => Module {
  if (!(module instanceof Module)) fail(ArgumentError, 'typeBeforeParametrizations', 'a module', describe(module));
  const own = module.constructor as new (...args: never[]) => Module;
  return isParametrized(module) ? (Object.getPrototypeOf(own) as typeof own) : own;
}

const REGISTER = ['tensorName', 'parametrization', 'unsafe'] as const;
type Register = [tensorName: string, parametrization: Parametrization, unsafe?: boolean];

/**
 * Lets a parameter or buffer of a module be what `parametrization` computes from it. The original is then the parameter
 * `parametrizations.weight.original`, or `original0`, `original1` where its `rightInverse` gives several tensors; a
 * tensor that has one already gets one more, which is called on what the others gave. `unsafe` (default false): it may
 * change shape and dtype. Throws ArgumentError for a name that is no parameter's or buffer's.
 * torch.nn.utils.parametrize.register_parametrization
 */
export function registerParametrization<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof REGISTER, Register>
): M {
  const op = 'registerParametrization';
  const {
    tensorName,
    parametrization,
    unsafe = false,
  } = constructorArguments<typeof REGISTER, Register>(op, REGISTER, 2, args);
  if (!(module instanceof Module)) fail(ArgumentError, op, 'a module', describe(module));
  if (!(parametrization instanceof Module))
    fail(ArgumentError, op, 'a module as parametrization', describe(parametrization));
  parametrization.train(module.training);
  if (isParametrized(module, tensorName)) {
    const list = listOf(module, tensorName);
    if (!unsafe) checkSame(op, list(), parametrization(list()));
    list.append(parametrization);
    return module;
  }
  const { property, key, tensor } = tensorOf(op, module, tensorName);
  const { shape, info } = tensor;
  const list = new ParametrizationList(parametrization, tensor);
  if (!unsafe) {
    const value = list();
    if (value.info !== info) fail(DTypeError, op, `a parametrization that keeps ${info.name}, or unsafe`, value.dtype);
    if (!sameShape(value.shape, shape))
      fail(ShapeError, op, `a parametrization that keeps the shape [${shape}], or unsafe`, `[${value.shape}]`);
  }
  Reflect.deleteProperty(module, property);
  if (dictOf(module) === null) {
    const Base = module.constructor as new () => Module;
    const Parametrized = class extends Base {};
    Object.defineProperty(Parametrized, 'name', { value: `Parametrized${Base.name}` });
    Object.setPrototypeOf(module, Parametrized.prototype);
    module.registerModule('parametrizations', new ModuleDict());
  }
  inject(module, property, key);
  dictOf(module)?.set(key, list);
  return module;
}

function checkSame(op: string, before: Tensor, after: unknown): void {
  if (!(after instanceof Tensor)) fail(ArgumentError, op, 'a parametrization that returns a tensor', describe(after));
  if (after.info !== before.info)
    fail(DTypeError, op, `a parametrization that keeps ${before.dtype}, or unsafe`, after.dtype);
  if (!sameShape(after.shape, before.shape))
    fail(ShapeError, op, `a parametrization that keeps the shape [${before.shape}], or unsafe`, `[${after.shape}]`);
}

function listOf(module: Module, name: string): ParametrizationList {
  const dict = dictOf(module) as ModuleDict<ParametrizationList>;
  return dict.get(dict.has(name) ? name : module.stateKey(name));
}

const REMOVE = ['tensorName', 'leaveParametrized'] as const;
type Remove = [tensorName: string, leaveParametrized?: boolean];

/**
 * Makes a tensor a plain parameter or buffer again: with `leaveParametrized` (default true) of the value that it has,
 * else the original, of which there must be one. Throws ArgumentError for a name that is not parametrized.
 * torch.nn.utils.parametrize.remove_parametrizations
 */
export function removeParametrizations<M extends Module>(
  module: M,
  ...args: ConstructorArguments<typeof REMOVE, Remove>
): M {
  const op = 'removeParametrizations';
  const { tensorName, leaveParametrized = true } = constructorArguments<typeof REMOVE, Remove>(op, REMOVE, 1, args);
  if (!isParametrized(module, tensorName))
    fail(ArgumentError, op, 'the name of a parametrized tensor', describe(tensorName));
  const list = listOf(module, tensorName);
  const dict = dictOf(module) as ModuleDict<ParametrizationList>;
  const [key] = dict.items().find(([, own]) => own === list) as [string, ParametrizationList];
  const prototype = Object.getPrototypeOf(module) as object;
  const property = Object.getOwnPropertyNames(prototype).find(
    (name) => name !== 'constructor' && module.stateKey(name) === key,
  ) as string;
  let [original] = list.originals();
  if (!list.isTensor && !leaveParametrized)
    fail(ArgumentError, op, 'leaveParametrized for a tensor that several others make', 'false');
  if (leaveParametrized) {
    const value = noGrad(() => list());
    if (list.isTensor) replaceMemory(original, value);
    else original = original instanceof Parameter ? new Parameter(value, original.requiresGrad) : value;
  }
  Reflect.deleteProperty(prototype, property);
  dict.delete(key);
  if (original instanceof Parameter) module.registerParameter(property, original);
  else module.registerBuffer(property, original);
  if (dict.length === 0) {
    Reflect.deleteProperty(module, 'parametrizations');
    Object.setPrototypeOf(module, Object.getPrototypeOf(prototype));
  }
  return module;
}

/**
 * Calls `fn`, sync or async, within which each parametrized tensor is computed once. torch.nn.utils.parametrize.cached
 */
export function cached<R>(fn: () => R): R {
  if (typeof fn !== 'function') fail(ArgumentError, 'parametrize.cached', 'a function', describe(fn));
  return cache.run(cache.get() ?? new Map(), fn);
}
