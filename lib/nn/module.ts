/**
 * The base of all models: an object that can be called, whose parameters, buffers and submodules are its properties,
 * found in the order in which they were assigned. It knows nothing of particular layers; what a property may hold is in
 * members.ts, state dicts are in module-state.ts, hooks in module-hooks.ts.
 *
 * Names: a property's name is its key in state dicts, in `namedParameters` and in print, unchanged. Where PyTorch's key
 * has several words, a built-in module keeps the camelCase property and names the key in a static map:
 *   `static override readonly stateNames = { runningMean: 'running_mean' };`
 * or, where the names are made at run time (weight_ih_l0), overrides `stateKey(property)`.
 */
import { inspect } from 'node:util';
import { checkFunction, isOptions, readFlag } from '../arguments.js';
import type { HookHandle } from '../autograd/hook-list.js';
import { enterModule, leaveModule } from '../autograd/module-path.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { memoryFormatArgument } from '../shape/memory-format.js';
import type { DType } from '../storage/dtype.js';
import { allocateAs } from '../tensor/allocate.js';
import { fillWith } from '../tensor/copy.js';
import { checkDevice } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';
import { constructorArguments as named } from './arguments.js';
import { ASSIGN, CALL, Callable, MISSING } from './callable.js';
import { HELD, type Member, type MemberKind, Members } from './members.js';
import * as sig from './module-arguments.js';
import { convertAll, convertFloating, emptied, type ModuleToOptions, targetType } from './module-convert.js';
import type * as hooks from './module-hooks.js';
import { HOOKS, ModuleHooks } from './module-hooks.js';
import { indented, printed } from './module-print.js';
import { type LoadResult, loadState, type StateDict, stateOf } from './module-state.js';
import type { OwnTensor } from './module-tree.js';
import { type NamedOptions, namedModules, namedTensors, splitPath, submoduleAt, tensorAt } from './module-walk.js';
import { Parameter } from './parameter.js';

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

  readonly #members = new Members(this, this.holdsModules ? (name, module) => this.#items.set(name, module) : null);
  /** Members that are not properties: what containers hold. */
  readonly #items = new Map<string, unknown>();
  /** Made with the first hook. */
  #hooks: ModuleHooks<Module> | null = null;
  /** Whether a call may go to `forward` at once: there are no hooks, and all class fields have been seen. */
  #direct = false;

  /** Whether layers such as dropout and batch norm behave as in training; set by `train` and `eval`. */
  training = true;

  /** Computes the output. Subclasses define it; call the module itself, so that hooks run. */
  // biome-ignore lint/suspicious/noExplicitAny: every module is a Module, and a Module of any class can be called
  forward(..._inputs: any[]): any {
    return fail(ArgumentError, this.constructor.name, 'a module with a forward method', 'one without');
  }

  override [CALL](args: readonly unknown[]): unknown {
    enterModule(this);
    try {
      if (this.#direct) return this.forward(...args);
      this.#members.scan();
      const hooks = this.#hooks;
      this.#direct = hooks === null || hooks.callsNone;
      return hooks === null || this.#direct
        ? this.forward(...args)
        : hooks.run(this, args, (changed) => this.forward(...changed));
    } finally {
      leaveModule();
    }
  }
  override [ASSIGN](name: string, value: unknown): void {
    this.#members.assign(name, value);
  }
  override [MISSING](_name: string): unknown {
    return undefined;
  }

  // ---- members

  /** The state-dict key of a property. */
  stateKey(property: string): string {
    if (typeof property !== 'string')
      fail(ArgumentError, `${this.constructor.name}.stateKey`, 'a name as a string', describe(property));
    for (let c: unknown = this.constructor; typeof c === 'function'; c = Object.getPrototypeOf(c)) {
      const names = Object.hasOwn(c, 'stateNames') ? (c as typeof Module).stateNames : {};
      if (Object.hasOwn(names, property)) return names[property];
    }
    return property;
  }
  /** The members of a container, which are not properties; a Map of names. */
  get [HELD](): Map<string, unknown> {
    if (!this.#direct) this.#members.scan();
    return this.#items;
  }
  /** The hooks. Internal: state dicts. */
  get [HOOKS](): ModuleHooks<Module> {
    this.#hooks ??= new ModuleHooks();
    return this.#hooks;
  }
  /** Own parameters and buffers with their keys. Internal: state dicts and conversions. */
  *ownTensors(): Generator<OwnTensor> {
    const members = this.#members.list();
    for (const [property, tensor] of this.#items)
      if (tensor instanceof Tensor) yield { property, key: property, tensor, buffer: false, persistent: true };
    for (const kind of ['parameter', 'buffer']) {
      for (const [property, { kind: own, value, persistent, key }] of members)
        if (own === kind && value !== null)
          yield {
            property,
            key: key ?? this.stateKey(property),
            tensor: value as Tensor,
            buffer: kind === 'buffer',
            persistent,
          };
    }
  }
  /**
   * Keys of this module that a state dict of an older version may lack: the values stay as they are. Version 0: it
   * names none.
   */
  absentBefore(_version: number): readonly string[] {
    return [];
  }
  /** Own submodules with their keys, shared ones as often as they are there. Internal. */
  *ownModules(): Generator<[string, Module]> {
    const members = this.#members.list();
    for (const [property, value] of this.#items) if (value instanceof Module) yield [property, value];
    for (const [property, { kind, value, key }] of members)
      if (kind === 'module' && value !== null) yield [key ?? this.stateKey(property), value as Module];
  }
  /**
   * A module of the same class with copies of everything that this one holds; `seen` maps what was copied already. The
   * class's constructor is not run, so private #names of a subclass are not there in the copy. Internal: `deepcopy`
   * calls it.
   */
  deepcopyWith(copy: <T>(value: T) => T, seen: Map<unknown, unknown>): this {
    const twin = Reflect.construct(Module, [], this.constructor as typeof Module) as this;
    seen.set(this, twin);
    this.#members.scan();
    for (const [name, value] of this.#items) twin.#items.set(name, copy(value));
    this.#hooks?.copyTo(twin[HOOKS]);
    for (const property of Reflect.ownKeys(this)) {
      const member = typeof property === 'string' ? this.#members.get(property) : undefined;
      if (member !== undefined) {
        twin.#members.register(property as string, { ...member, value: copy(member.value) });
        continue;
      }
      const descriptor = Object.getOwnPropertyDescriptor(this, property) as PropertyDescriptor;
      if ('value' in descriptor) descriptor.value = copy(descriptor.value);
      Object.defineProperty(twin, property, descriptor);
    }
    return twin;
  }
  /** Puts another tensor in a member's place. Internal: loading, conversions. */
  setMember(property: string, value: Tensor): void {
    const member = this.#members.get(property);
    if (member === undefined) this.#items.set(property, value);
    else member.value = value;
  }

  #register(
    op: string,
    name: unknown,
    kind: MemberKind,
    value: Member['value'],
    persistent: boolean,
    key: string | null = null,
  ): void {
    if (typeof name !== 'string' || name === '' || name.includes('.'))
      fail(ArgumentError, op, 'a name that is not empty and has no dot', describe(name));
    this.#members.look(name);
    const member = this.#members.get(name);
    const existing = (this as unknown as Record<string, unknown>)[name];
    const taken =
      member === undefined
        ? existing !== undefined && existing !== null && !(existing instanceof Tensor)
        : member.kind !== kind;
    if (taken)
      fail(ArgumentError, op, 'a name that is free', `${describe(name)}, which ${this.constructor.name} has already`);
    this.#members.register(name, { kind, value, persistent, key });
  }
  /**
   * Makes a tensor that is not trained part of the module's state, as the property `name`; null keeps the place.
   * `persistent` (default true): state dicts have it.
   */
  registerBuffer(...args: sig.Given<typeof sig.REGISTER_BUFFER, sig.RegisterBuffer>): void {
    const {
      name,
      tensor,
      persistent = true,
    } = named<typeof sig.REGISTER_BUFFER, sig.RegisterBuffer>('registerBuffer', sig.REGISTER_BUFFER, 2, args);
    if (tensor !== null && !(tensor instanceof Tensor))
      fail(ArgumentError, 'registerBuffer', 'a tensor or null', describe(tensor));
    this.#register('registerBuffer', name, 'buffer', tensor, persistent);
  }
  /** Makes a parameter the property `name`; null keeps the place. */
  registerParameter(...args: sig.Given<typeof sig.REGISTER_PARAMETER, sig.RegisterParameter>): void {
    const { name, param } = named<typeof sig.REGISTER_PARAMETER, sig.RegisterParameter>(
      'registerParameter',
      sig.REGISTER_PARAMETER,
      2,
      args,
    );
    if (param !== null && !(param instanceof Parameter))
      fail(ArgumentError, 'registerParameter', 'a Parameter or null', describe(param));
    this.#register('registerParameter', name, 'parameter', param, true);
  }
  /** Makes a module the property `name`; null keeps the place. */
  registerModule(...args: sig.Given<typeof sig.REGISTER_MODULE, sig.RegisterModule<Module>>): void {
    const { name, module } = named<typeof sig.REGISTER_MODULE, sig.RegisterModule<Module>>(
      'registerModule',
      sig.REGISTER_MODULE,
      2,
      args,
    );
    if (module !== null && !(module instanceof Module))
      fail(ArgumentError, 'registerModule', 'a Module or null', describe(module));
    this.holdModule('registerModule', name, module);
  }
  /** The same as `registerModule`. */
  addModule(...args: sig.Given<typeof sig.REGISTER_MODULE, sig.RegisterModule<Module>>): void {
    this.registerModule(...args);
  }
  /** Where `registerModule` puts a module. Containers have a place of their own. */
  protected holdModule(op: string, name: string, module: Module | null): void {
    this.#register(op, name, 'module', module, true);
  }
  /** Whether all submodules go to the container's own members, whatever way they come. */
  protected get holdsModules(): boolean {
    return false;
  }
  /** A parameter or buffer whose key in state dicts is not the class's to know. Internal: reparametrizations. */
  registerTensor(property: string, key: string, value: Tensor): void {
    this.#register('registerTensor', property, value instanceof Parameter ? 'parameter' : 'buffer', value, true, key);
  }

  /** All parameters, each once. */
  parameters(...args: sig.Given<typeof sig.RECURSE, sig.Recurse>): Parameter[] {
    const { recurse } = named<typeof sig.RECURSE, sig.Recurse>('parameters', sig.RECURSE, 0, args);
    return this.namedParameters({ recurse }).map(([, parameter]) => parameter);
  }
  /** All parameters with the names that state dicts give them. */
  namedParameters(...args: sig.Given<typeof sig.NAMED, sig.Named>): [string, Parameter][] {
    return this.#namedTensors('namedParameters', args, false) as [string, Parameter][];
  }
  /** All buffers, each once. */
  buffers(...args: sig.Given<typeof sig.RECURSE, sig.Recurse>): Tensor[] {
    const { recurse } = named<typeof sig.RECURSE, sig.Recurse>('buffers', sig.RECURSE, 0, args);
    return this.namedBuffers({ recurse }).map(([, buffer]) => buffer);
  }
  /** All buffers with the names that state dicts give them. */
  namedBuffers(...args: sig.Given<typeof sig.NAMED, sig.Named>): [string, Tensor][] {
    return this.#namedTensors('namedBuffers', args, true);
  }
  #namedTensors(op: string, args: sig.Given<typeof sig.NAMED, sig.Named>, buffers: boolean): [string, Tensor][] {
    const options: NamedOptions = named<typeof sig.NAMED, sig.Named>(op, sig.NAMED, 0, args);
    if (options.prefix !== undefined && typeof options.prefix !== 'string')
      fail(ArgumentError, op, 'a prefix as a string', describe(options.prefix));
    return namedTensors<Module>(this, options, buffers);
  }
  /** The direct submodules, each once. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }
  /** The direct submodules with their names, each once. */
  namedChildren(): [string, Module][] {
    const seen = new Set<Module>();
    return [...this.ownModules()].filter(([, module]) => !seen.has(module) && seen.add(module) !== undefined);
  }
  /** This module and all below it, each once, a parent before its children. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }
  /** This module and all below it with their paths; `memo` holds modules to leave out. */
  namedModules(...args: sig.Given<typeof sig.NAMED_MODULES, sig.NamedModules<Module>>): [string, Module][] {
    const {
      memo,
      prefix = '',
      removeDuplicate = true,
    } = named<typeof sig.NAMED_MODULES, sig.NamedModules<Module>>('namedModules', sig.NAMED_MODULES, 0, args);
    if (memo !== undefined && memo !== null && !(memo instanceof Set))
      fail(ArgumentError, 'namedModules', 'a Set for memo', describe(memo));
    return namedModules<Module>(this, prefix, removeDuplicate, memo ?? new Set());
  }
  /** The submodule at a path such as 'encoder.layers.0'; the module itself for ''. */
  getSubmodule(...args: sig.Given<typeof sig.TARGET, sig.Target>): Module {
    return submoduleAt<Module>(
      'getSubmodule',
      this,
      named<typeof sig.TARGET, sig.Target>('getSubmodule', sig.TARGET, 1, args).target,
    );
  }
  /**
   * Puts a module at a path, whose parents must be there; with `strict` (default false) only in the place of another
   * module.
   */
  setSubmodule(...args: sig.Given<typeof sig.SET_SUBMODULE, sig.SetSubmodule<Module>>): void {
    const {
      target,
      module,
      strict = false,
    } = named<typeof sig.SET_SUBMODULE, sig.SetSubmodule<Module>>('setSubmodule', sig.SET_SUBMODULE, 2, args);
    if (!(module instanceof Module)) fail(ArgumentError, 'setSubmodule', 'a module', describe(module));
    const [path, name] = splitPath('setSubmodule', target);
    const parent = submoduleAt<Module>('setSubmodule', this, path);
    if (strict) submoduleAt('setSubmodule', parent, name);
    const property = parent.#members.list().find(([own, member]) => (member.key ?? parent.stateKey(own)) === name)?.[0];
    if (property !== undefined) parent.#members.assign(property, module);
    else parent.holdModule('setSubmodule', name, module);
  }
  /** The parameter at a path such as 'encoder.0.weight'. */
  getParameter(...args: sig.Given<typeof sig.TARGET, sig.Target>): Parameter {
    return tensorAt<Module>(
      'getParameter',
      this,
      named<typeof sig.TARGET, sig.Target>('getParameter', sig.TARGET, 1, args).target,
      false,
    ) as Parameter;
  }
  /** The buffer at a path such as 'encoder.0.running_mean'. */
  getBuffer(...args: sig.Given<typeof sig.TARGET, sig.Target>): Tensor {
    return tensorAt<Module>(
      'getBuffer',
      this,
      named<typeof sig.TARGET, sig.Target>('getBuffer', sig.TARGET, 1, args).target,
      true,
    );
  }

  // ---- what acts on the whole tree

  /** Calls `fn` with every submodule, and with this module last. */
  apply(fn: (module: Module) => void): this {
    if (typeof fn !== 'function') fail(ArgumentError, 'apply', 'a function', describe(fn));
    for (const child of this.children()) child.apply(fn);
    fn(this);
    return this;
  }
  /** Sets this module and all below it to training, or back (`eval`). */
  train(mode: boolean | { mode?: boolean } = true): this {
    const training = readFlag('train', 'mode', mode);
    this.training = training;
    for (const child of this.children()) child.train(training);
    return this;
  }
  eval(): this {
    return this.train(false);
  }
  requiresGrad_(requiresGrad: boolean | { requiresGrad?: boolean } = true): this {
    const wanted = readFlag('requiresGrad_', 'requiresGrad', requiresGrad);
    for (const parameter of this.parameters()) parameter.requiresGrad_(wanted);
    return this;
  }
  /** Drops the gradients of all parameters, or sets them to zero (`setToNone` false). */
  zeroGrad(setToNone: boolean | { setToNone?: boolean } = true): void {
    const drop = readFlag('zeroGrad', 'setToNone', setToNone);
    for (const parameter of this.parameters()) {
      const { gradient } = parameter;
      if (gradient === null) continue;
      parameter.grad = drop ? null : allocateAs(gradient);
      if (parameter.gradient !== null) fillWith(parameter.gradient, 0);
    }
  }
  /**
   * Floating parameters and buffers in another floating type, and those of 4 or 5 dimensions in another memory format:
   * to(dtype), to(device, dtype), to(tensor) or to({ dtype, device, memoryFormat }). Throws ShapeError, before anything
   * is changed, where a format does not fit the dimensions.
   */
  to(...args: sig.Given<typeof sig.TO, sig.To>): this {
    const { target, ...options } = named<typeof sig.TO, sig.To>('to', sig.TO, 0, args as never);
    const dtype = targetType(target, options satisfies ModuleToOptions);
    return convertFloating('to', this, dtype, memoryFormatArgument('to', options.memoryFormat, 'preserve_format'));
  }
  float(): this {
    return convertFloating('float', this, 'float32');
  }
  double(): this {
    return convertFloating('double', this, 'float64');
  }
  half(): this {
    return convertFloating('half', this, 'float16');
  }
  bfloat16(): this {
    return convertFloating('bfloat16', this, 'bfloat16');
  }
  /** All parameters and buffers in another type, those of integers too. */
  type(dstType: DType): this {
    return convertAll('type', this, dstType);
  }
  cpu(): this {
    return this;
  }
  /** Throws DeviceError, as `to('cuda')` does. */
  cuda(device?: number | string | null): this {
    checkDevice('cuda', typeof device === 'string' ? device : 'cuda');
    return this;
  }
  /** Uninitialised memory in the place of all parameters and buffers. */
  toEmpty(options: { device: string; recurse?: boolean }): this {
    const { device, recurse = true } = named<readonly ['device', 'recurse'], [string, boolean?]>(
      'toEmpty',
      ['device', 'recurse'],
      1,
      [options],
    );
    checkDevice('toEmpty', device);
    emptied(this, recurse);
    return this;
  }
  /** There for programs that call it; there is nothing to compile. */
  compile(..._options: unknown[]): this {
    return this;
  }

  // ---- state

  /**
   * Parameters and persistent buffers under PyTorch's keys, detached: they share the module's memory. `keepVars` gives
   * the parameters themselves.
   */
  stateDict(...args: sig.Given<typeof sig.STATE_DICT, sig.StateDictCall>): StateDict {
    return stateOf(this, named<typeof sig.STATE_DICT, sig.StateDictCall>('stateDict', sig.STATE_DICT, 0, args));
  }
  /**
   * Copies the tensors of a state dict into this module; with `assign` they take the place of the module's own.
   * Returns the keys that were missing and those that have no place here. Throws CheckpointError that lists every such
   * key (unless
   * `strict` is false) and every size that does not fit; then nothing has been changed.
   */
  loadStateDict(
    stateDict:
      | Readonly<Record<string, Tensor>>
      | ReadonlyMap<string, Tensor>
      | {
          stateDict: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>;
          strict?: boolean;
          assign?: boolean;
        },
    strict?: boolean | { strict?: boolean; assign?: boolean },
    assign?: boolean,
  ): LoadResult {
    // One object may be the dict or the arguments by name; only the latter has a stateDict that is no tensor.
    const byName =
      strict === undefined &&
      isOptions(stateDict) &&
      Object.hasOwn(stateDict, 'stateDict') &&
      !(stateDict.stateDict instanceof Tensor);
    const args = byName
      ? [stateDict]
      : isOptions(strict)
        ? [{ ...strict, stateDict }]
        : [{ stateDict, strict, assign }];
    const given = named<typeof sig.LOAD_STATE_DICT, [never, boolean?, boolean?]>(
      'loadStateDict',
      sig.LOAD_STATE_DICT,
      0,
      args as never,
    );
    return loadState(this, given.stateDict, { strict: given.strict ?? true, assign: given.assign ?? false });
  }
  /**
   * What a subclass keeps in its state dict beside tensors, under the key `_extra_state`. Subclasses define it together
   * with `setExtraState`.
   */
  getExtraState(): unknown {
    return fail(ArgumentError, 'getExtraState', `${this.constructor.name} to define it`, 'a class without it');
  }
  /** Takes what `getExtraState` gave. */
  setExtraState(_state: unknown): void {
    fail(ArgumentError, 'setExtraState', `${this.constructor.name} to define it`, 'a class without it');
  }

  // ---- hooks

  #hook<K extends keyof ModuleHooks<Module>>(op: string, list: K, args: readonly unknown[]): HookHandle {
    const { hook, prepend = false } = named<typeof sig.HOOK, [never, boolean?]>(op, sig.HOOK, 0, args as never);
    checkFunction(op, 'a function as hook', hook);
    this.#direct = false;
    return (this[HOOKS][list] as { add(hook: unknown, prepend: boolean): HookHandle }).add(hook, prepend);
  }
  /** Calls `hook(module, args)` before forward; what it returns replaces the arguments. */
  registerForwardPreHook(...args: sig.HookArguments<hooks.ForwardPreHook<this>>): HookHandle {
    return this.#hook('registerForwardPreHook', 'forwardPre', args);
  }
  /** Calls `hook(module, args, output)` after forward; what it returns replaces the output. */
  registerForwardHook(...args: sig.HookArguments<hooks.ForwardHook<this>>): HookHandle {
    return this.#hook('registerForwardHook', 'forward', args);
  }
  /** Calls `hook(module, gradOutput)` before the module's backward; what it returns replaces those gradients. */
  registerFullBackwardPreHook(...args: sig.HookArguments<hooks.BackwardPreHook<this>>): HookHandle {
    return this.#hook('registerFullBackwardPreHook', 'backwardPre', args);
  }
  /**
   * Calls `hook(module, gradInput, gradOutput)` when the gradients of the inputs are there; what it returns replaces
   * them.
   */
  registerFullBackwardHook(...args: sig.HookArguments<hooks.BackwardHook<this>>): HookHandle {
    return this.#hook('registerFullBackwardHook', 'backward', args);
  }
  /** Calls `hook(module, prefix, keepVars)` before a state dict is made. */
  registerStateDictPreHook(hook: hooks.StateDictPreHook<this>): HookHandle {
    return this.#hook('registerStateDictPreHook', 'statePre', [hook]);
  }
  /**
   * Calls `hook(module, stateDict, prefix, localMetadata)` when the module's entries are in a state dict, which it may
   * change.
   */
  registerStateDictPostHook(hook: hooks.StateDictHook<this>): HookHandle {
    return this.#hook('registerStateDictPostHook', 'statePost', [hook]);
  }
  /**
   * Calls `hook(module, stateDict, prefix, localMetadata, strict, missingKeys, unexpectedKeys, errorMessages)` before
   * the module is loaded.
   */
  registerLoadStateDictPreHook(hook: hooks.LoadStateDictPreHook<this>): HookHandle {
    return this.#hook('registerLoadStateDictPreHook', 'loadPre', [hook]);
  }
  /**
   * Calls `hook(module, { missingKeys, unexpectedKeys })` when the module and all below it are loaded; it may change
   * the lists.
   */
  registerLoadStateDictPostHook(hook: hooks.LoadStateDictPostHook<this>): HookHandle {
    return this.#hook('registerLoadStateDictPostHook', 'loadPost', [hook]);
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
    return printed(this.constructor.name, this.extraRepr(), this.childLines());
  }
  /** @internal */
  [inspect.custom](): string {
    return this.toString();
  }
}
