/**
 * The base of all models: an object that can be called, whose parameters, buffers and submodules are its properties, found in the
 * order in which they were assigned. It knows nothing of particular layers; state dicts are in module-state.ts, hooks in module-hooks.ts.
 *
 * Names: a property's name is its key in state dicts, in `namedParameters` and in print, unchanged. Where PyTorch's key has several
 * words, a built-in module keeps the camelCase property and names the key in a static map:
 *   `static override readonly stateNames = { runningMean: 'running_mean' };`
 * or, where the names are made at run time (weight_ih_l0), overrides `stateKey(property)`.
 */
import { inspect } from 'node:util';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { castTo, filledTensor } from '../ops/cast.js';
import { checkDevice } from '../ops/convert.js';
import { type DType, dtypeInfo, isDType } from '../storage/dtype.js';
import { rebind, Tensor } from '../tensor/tensor.js';
import { CALL, Callable } from './callable.js';
import { type BackwardHook, type BackwardPreHook, type ForwardHook, type ForwardPreHook, type HookHandle, ModuleHooks } from './module-hooks.js';
import { enterModule, leaveModule } from './module-path.js';
import { type LoadOptions, type LoadResult, loadState, type StateDict, type StateOptions, stateOf } from './module-state.js';
import { Parameter } from './parameter.js';

/** Options of the methods that list members by name. */
export interface NamedOptions {
  /** Put before every name, with a dot. Default: nothing. */
  prefix?: string;
  /** Also those of submodules. Default true. */
  recurse?: boolean;
  /** What several modules share comes once, under its first name. Default true. */
  removeDuplicate?: boolean;
}
export interface BufferOptions {
  /** Part of the state dict. Default true. */
  persistent?: boolean;
}
export interface ModuleToOptions {
  dtype?: DType;
  device?: string;
}
interface HookOptions {
  /** Run before the hooks that are there already. Default false. */
  prepend?: boolean;
}

export interface Module {
  /** Runs the hooks and `forward`. */
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class below, which a type alias could not be
  (...args: Parameters<this['forward']>): ReturnType<this['forward']>;
}

/** A module from one tensor to another: what most containers hold. */
export interface Layer extends Module {
  forward(input: Tensor): Tensor;
}

export class Module extends Callable {
  /** State-dict keys of the properties whose key is not their name. */
  static readonly stateNames: Readonly<Record<string, string>> = {};
  /** The version of the class's layout in state dicts (PyTorch's `_version`), kept in their metadata. */
  static readonly stateVersion: number = 1;

  /** Whether layers such as dropout and batch norm behave as in training; set by `train` and `eval`. */
  training = true;

  readonly #hooks = new ModuleHooks();
  readonly #buffers = new Map<string, { persistent: boolean }>();
  /** Members that are not properties: what containers hold. */
  readonly #items = new Map<string, unknown>();

  /** Computes the output. Subclasses define it; call the module itself, so that hooks run. */
  forward(..._inputs: never[]): unknown {
    return fail(ArgumentError, this.constructor.name, 'a module with a forward method', 'one without');
  }

  override [CALL](args: readonly unknown[]): unknown {
    enterModule(this);
    try {
      return this.#hooks.empty ? this.forward(...(args as never[])) : this.#hooks.run(this, args, (changed) => this.forward(...(changed as never[])));
    } finally {
      leaveModule();
    }
  }

  // ---- members

  /** The state-dict key of a property. */
  stateKey(property: string): string {
    for (let c: unknown = this.constructor; typeof c === 'function'; c = Object.getPrototypeOf(c)) {
      const names = Object.hasOwn(c, 'stateNames') ? (c as typeof Module).stateNames : {};
      if (Object.hasOwn(names, property)) return names[property];
    }
    return property;
  }
  /** The members of a container, which are not properties; a Map of names. */
  protected get held(): Map<string, unknown> {
    return this.#items;
  }
  /** Own members in order: [property, value]. */
  *#members(): Generator<[string, unknown]> {
    yield* this.#items;
    for (const property of Object.keys(this)) yield [property, (this as unknown as Record<string, unknown>)[property]];
  }
  /** Own parameters and buffers with their keys. Internal: state dicts and conversions. */
  *ownTensors(): Generator<{ property: string; key: string; tensor: Tensor; buffer: boolean; persistent: boolean }> {
    const members = [...this.#members()];
    for (const [property, tensor] of members)
      if (tensor instanceof Parameter && !this.#buffers.has(property)) yield { property, key: this.stateKey(property), tensor, buffer: false, persistent: true };
    for (const [property, { persistent }] of this.#buffers) {
      const tensor = (this as unknown as Record<string, unknown>)[property];
      if (tensor instanceof Tensor) yield { property, key: this.stateKey(property), tensor, buffer: true, persistent };
    }
  }
  /** Keys of this module that a state dict of an older version may lack: the values stay as they are. Version 0: it names none. */
  absentBefore(_version: number): readonly string[] {
    return [];
  }
  /** Own submodules with their keys, shared ones as often as they are there. Internal. */
  *ownModules(): Generator<[string, Module]> {
    for (const [property, value] of this.#members()) if (value instanceof Module) yield [this.stateKey(property), value];
  }
  /**
   * A module of the same class with copies of everything that this one holds; `seen` maps what was copied already. The class's
   * constructor is not run, so private #names of a subclass are not there in the copy. Called by `deepcopy`.
   */
  deepcopyWith(copy: <T>(value: T) => T, seen: Map<unknown, unknown>): this {
    const twin = Reflect.construct(Module, [], this.constructor as typeof Module) as this;
    seen.set(this, twin);
    for (const [name, value] of this.#items) twin.#items.set(name, copy(value));
    for (const [name, options] of this.#buffers) twin.#buffers.set(name, options);
    this.#hooks.copyTo(twin.#hooks);
    for (const property of Reflect.ownKeys(this)) {
      const descriptor = Object.getOwnPropertyDescriptor(this, property) as PropertyDescriptor;
      if ('value' in descriptor) descriptor.value = copy(descriptor.value);
      Object.defineProperty(twin, property, descriptor);
    }
    return twin;
  }
  /** Puts another tensor in a member's place. Internal: loading, conversions. */
  setMember(property: string, value: Tensor): void {
    if (this.#items.has(property)) this.#items.set(property, value);
    else (this as unknown as Record<string, unknown>)[property] = value;
  }

  #checkName(op: string, name: string): void {
    if (typeof name !== 'string' || name === '' || name.includes('.')) fail(ArgumentError, op, 'a name that is not empty and has no dot', describe(name));
    const existing = (this as unknown as Record<string, unknown>)[name];
    const member = existing instanceof Tensor || existing instanceof Module;
    if (existing !== undefined && existing !== null && !member) fail(ArgumentError, op, 'a name that is free', `${describe(name)}, which ${this.constructor.name} has already`);
  }
  /** Makes a tensor that is not trained part of the module's state, as the property `name`; null keeps the place. */
  registerBuffer(name: string, tensor: Tensor | null, options: BufferOptions | boolean = {}): void {
    this.#checkName('registerBuffer', name);
    if (typeof options !== 'boolean') rejectUnknownOptions('registerBuffer', options, ['persistent']);
    if (tensor !== null && !(tensor instanceof Tensor)) fail(ArgumentError, 'registerBuffer', 'a tensor or null', describe(tensor));
    this.#buffers.set(name, { persistent: typeof options === 'boolean' ? options : (options.persistent ?? true) });
    (this as unknown as Record<string, unknown>)[name] = tensor;
  }
  /** The same as assigning the property; null keeps the place. */
  registerParameter(name: string, parameter: Parameter | null): void {
    this.#checkName('registerParameter', name);
    if (parameter !== null && !(parameter instanceof Parameter)) fail(ArgumentError, 'registerParameter', 'a Parameter or null', describe(parameter));
    (this as unknown as Record<string, unknown>)[name] = parameter;
  }
  /** The same as assigning the property; null keeps the place. */
  registerModule(name: string, module: Module | null): void {
    this.#checkName('registerModule', name);
    if (module !== null && !(module instanceof Module)) fail(ArgumentError, 'registerModule', 'a Module or null', describe(module));
    (this as unknown as Record<string, unknown>)[name] = module;
  }
  addModule(name: string, module: Module | null): void {
    this.registerModule(name, module);
  }

  /** All parameters, each once. */
  parameters(recurse: boolean | { recurse?: boolean } = true): Parameter[] {
    return this.namedParameters(typeof recurse === 'boolean' ? { recurse } : recurse).map(([, parameter]) => parameter);
  }
  /** All parameters with the names that state dicts give them. */
  namedParameters(prefix: string | NamedOptions = '', recurse?: boolean, removeDuplicate?: boolean): [string, Parameter][] {
    return this.#namedTensors('namedParameters', typeof prefix === 'string' ? { prefix, recurse, removeDuplicate } : prefix, false) as [string, Parameter][];
  }
  /** All buffers, each once. */
  buffers(recurse: boolean | { recurse?: boolean } = true): Tensor[] {
    return this.namedBuffers(typeof recurse === 'boolean' ? { recurse } : recurse).map(([, buffer]) => buffer);
  }
  namedBuffers(prefix: string | NamedOptions = '', recurse?: boolean, removeDuplicate?: boolean): [string, Tensor][] {
    return this.#namedTensors('namedBuffers', typeof prefix === 'string' ? { prefix, recurse, removeDuplicate } : prefix, true);
  }
  #namedTensors(op: string, options: NamedOptions, buffers: boolean): [string, Tensor][] {
    rejectUnknownOptions(op, options, ['prefix', 'recurse', 'removeDuplicate']);
    const { prefix = '', recurse = true, removeDuplicate = true } = options;
    const seen = new Set<Tensor>();
    const out: [string, Tensor][] = [];
    const modules: [string, Module][] = recurse ? this.namedModules({ prefix, removeDuplicate }) : [[prefix, this]];
    for (const [path, module] of modules) {
      for (const { key, tensor, buffer } of module.ownTensors()) {
        if (buffer !== buffers || (removeDuplicate && seen.has(tensor))) continue;
        seen.add(tensor);
        out.push([joined(path, key), tensor]);
      }
    }
    return out;
  }
  /** The direct submodules, each once. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }
  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return [...this.ownModules()].filter(([, module]) => !seen.has(module) && seen.add(module) !== undefined);
  }
  /** This module and all below it, each once, a parent before its children. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }
  namedModules(options: Omit<NamedOptions, 'recurse'> = {}): [string, Module][] {
    rejectUnknownOptions('namedModules', options, ['prefix', 'removeDuplicate']);
    const { prefix = '', removeDuplicate = true } = options;
    const seen = new Set<Module>();
    const out: [string, Module][] = [];
    const visit = (path: string, module: Module): void => {
      if (removeDuplicate && seen.has(module)) return;
      seen.add(module);
      out.push([path, module]);
      for (const [key, child] of module.ownModules()) visit(joined(path, key), child);
    };
    visit(prefix, this);
    return out;
  }
  /** The submodule at a path such as 'encoder.layers.0'; the module itself for ''. */
  getSubmodule(target: string): Module {
    let module: Module = this;
    for (const key of target === '' ? [] : target.split('.')) {
      const found = [...module.ownModules()].find(([name]) => name === key);
      if (found === undefined)
        fail(ArgumentError, 'getSubmodule', `a path into ${this.constructor.name}`, `${describe(target)}, where ${module.constructor.name} has no module ${key}`);
      module = found[1];
    }
    return module;
  }
  /** The parameter at a path such as 'encoder.0.weight'. */
  getParameter(target: string): Parameter {
    return this.#tensorAt('getParameter', target, false) as Parameter;
  }
  getBuffer(target: string): Tensor {
    return this.#tensorAt('getBuffer', target, true);
  }
  #tensorAt(op: string, target: string, wantBuffer: boolean): Tensor {
    const dot = target.lastIndexOf('.');
    const module = this.getSubmodule(dot < 0 ? '' : target.slice(0, dot));
    for (const { key, tensor, buffer } of module.ownTensors()) if (key === target.slice(dot + 1) && buffer === wantBuffer) return tensor;
    return fail(ArgumentError, op, `the path of a ${wantBuffer ? 'buffer' : 'parameter'} of ${this.constructor.name}`, describe(target));
  }

  // ---- what acts on the whole tree

  /** Calls `fn` with every submodule, and with this module last. */
  apply(fn: (module: Module) => void): this {
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Sets this module and all below it to training, or back (`eval`). */
  train(mode = true): this {
    this.training = mode;
    for (const child of this.children()) child.train(mode);
    return this;
  }
  eval(): this {
    return this.train(false);
  }
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }
  /** Drops the gradients of all parameters, or sets them to zero (`setToNone` false). */
  zeroGrad(setToNone: boolean | { setToNone?: boolean } = true): void {
    const drop = typeof setToNone === 'boolean' ? setToNone : (setToNone.setToNone ?? true);
    for (const parameter of this.parameters()) {
      if (parameter.gradient === null) continue;
      parameter.grad = drop ? null : zerosLike(parameter.gradient);
    }
  }
  /** Floating parameters and buffers in another type. Parameters stay the same objects, so that optimizers keep them. */
  to(target?: DType | 'cpu' | Tensor | ModuleToOptions, dtype?: DType): this {
    let wanted = dtype;
    if (target instanceof Tensor) wanted ??= target.dtype;
    else if (typeof target === 'object' && target !== null) {
      rejectUnknownOptions('to', target, ['dtype', 'device']);
      if (target.device !== undefined) checkDevice('to', target.device);
      wanted ??= target.dtype;
    } else if (isDType(target)) wanted ??= target;
    else if (target !== undefined) {
      if (/^(cpu|cuda|mps|meta|xpu)/.test(target)) checkDevice('to', target);
      else dtypeInfo('to', target as DType);
    }
    return wanted === undefined ? this : this.#convert('to', wanted);
  }
  float(): this {
    return this.#convert('float', 'float32');
  }
  double(): this {
    return this.#convert('double', 'float64');
  }
  half(): this {
    return this.#convert('half', 'float16');
  }
  bfloat16(): this {
    return this.#convert('bfloat16', 'bfloat16');
  }
  #convert(op: string, dtype: DType): this {
    const info = dtypeInfo(op, dtype);
    if (!info.floating) fail(ArgumentError, op, 'a floating dtype for a module', dtype);
    for (const module of this.modules()) {
      for (const { property, tensor, buffer } of module.ownTensors()) {
        if (!tensor.info.floating || tensor.info === info) continue;
        if (buffer) {
          module.setMember(property, castTo(tensor, info));
          continue;
        }
        const gradient = tensor.gradient;
        rebind(tensor, castTo(tensor, info));
        if (gradient !== null) tensor.grad = castTo(gradient, info);
      }
    }
    return this;
  }

  // ---- state

  /** Parameters and persistent buffers under PyTorch's keys, detached: they share the module's memory. */
  stateDict(options: StateOptions = {}): StateDict {
    return stateOf(this, options);
  }
  /**
   * Copies the tensors of a state dict into this module; with `assign` they take the place of the module's own.
   * Returns the keys that were missing and those that have no place here. Throws CheckpointError that lists every such key (unless
   * `strict` is false) and every size that does not fit; then nothing has been changed.
   */
  loadStateDict(stateDict: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>, options: LoadOptions | boolean = {}, assign?: boolean): LoadResult {
    return loadState(this, stateDict, typeof options === 'boolean' ? { strict: options, assign } : options);
  }

  // ---- hooks

  /** Calls `hook(module, args)` before forward; what it returns replaces the arguments. */
  registerForwardPreHook(hook: ForwardPreHook<this>, options: HookOptions = {}): HookHandle {
    return this.#hooks.forwardPre.add(hook as ForwardPreHook, options.prepend ?? false);
  }
  /** Calls `hook(module, args, output)` after forward; what it returns replaces the output. */
  registerForwardHook(hook: ForwardHook<this>, options: HookOptions = {}): HookHandle {
    return this.#hooks.forward.add(hook as ForwardHook, options.prepend ?? false);
  }
  /** Calls `hook(module, gradOutput)` before the module's backward; what it returns replaces those gradients. */
  registerFullBackwardPreHook(hook: BackwardPreHook<this>, options: HookOptions = {}): HookHandle {
    return this.#hooks.backwardPre.add(hook as BackwardPreHook, options.prepend ?? false);
  }
  /** Calls `hook(module, gradInput, gradOutput)` when the gradients of the inputs are there; what it returns replaces them. */
  registerFullBackwardHook(hook: BackwardHook<this>, options: HookOptions = {}): HookHandle {
    return this.#hooks.backward.add(hook as BackwardHook, options.prepend ?? false);
  }

  // ---- printing

  /** What print shows between the brackets, beside the submodules. */
  extraRepr(): string {
    return '';
  }
  /** The submodules as print shows them; containers shorten repetitions. */
  protected childLines(): string[] {
    return [...this.ownModules()].map(([key, module]) => `(${key}): ${indented(String(module))}`);
  }
  override toString(): string {
    const extra = this.extraRepr();
    const extraLines = extra === '' ? [] : extra.split('\n');
    const childLines = this.childLines();
    const lines = [...extraLines, ...childLines];
    const name = this.constructor.name;
    if (lines.length === 0) return `${name}()`;
    if (extraLines.length === 1 && childLines.length === 0) return `${name}(${extraLines[0]})`;
    return `${name}(\n  ${lines.join('\n  ')}\n)`;
  }
  [inspect.custom](): string {
    return this.toString();
  }
}

/** All lines but the first two spaces further in. */
export function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}

function joined(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

function zerosLike(gradient: Tensor): Tensor {
  return filledTensor(gradient.shape, gradient.info, 0);
}
