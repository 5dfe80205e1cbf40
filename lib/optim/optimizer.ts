/**
 * The base of every optimizer, a user's own included: parameter groups, state, hooks, and state dicts in PyTorch's
 * layout. A subclass writes `step`. Those of this library update one parameter at a time (per-parameter-optimizer.ts).
 */

import { checkBoolean, checkFunction, isOptions, readArguments } from '../arguments.js';
import { type HookHandle, HookList } from '../autograd/hook-list.js';
import { observer, watched } from '../autograd/observer.js';
import {
  ArgumentError,
  AutogradError,
  CheckpointError,
  DTypeError,
  describe,
  fail,
  NodegradError,
  nearest,
} from '../errors.js';
import { checkStateDict } from '../state-dict.js';
import { allocateAs } from '../tensor/allocate.js';
import { fillWith } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { camelCase, snakeCase } from './arguments.js';
import { loadValue, type ParamState } from './state.js';

/**
 * One set of parameters with hyperparameters of its own: live values, which schedulers and users may change between
 * steps.
 */
export interface ParamGroup {
  params: Tensor[];
  /** The parameters' names, where they came as [name, tensor] pairs. */
  paramNames?: string[];
  /** A name of the user's own. */
  name?: string;
  lr: number;
  weightDecay?: number;
  momentum?: number;
  betas?: readonly [number, number];
  eps?: number;
  maximize?: boolean;
  /** True only where a state dict of PyTorch says so: `step` then fails. */
  differentiable?: boolean;
  /** Set by schedulers. */
  initialLr?: number;
  maxLr?: number;
  minLr?: number;
  baseMomentum?: number;
  maxMomentum?: number;
  swaLr?: number;
}

/**
 * A parameter group as it is given: its parameters, and any hyperparameter that differs from the optimizer's defaults.
 */
export type GivenGroup<G extends ParamGroup = ParamGroup> = {
  params: Tensor | Iterable<Tensor | readonly [string, Tensor]>;
} & Partial<Omit<G, 'params'>>;
/** What an optimizer optimizes: tensors, [name, tensor] pairs, or parameter groups. */
export type Params<G extends ParamGroup = ParamGroup> =
  | Iterable<Tensor>
  | Iterable<readonly [string, Tensor]>
  | Iterable<GivenGroup<G>>;

/** The first argument of an optimizer: its parameters, or all arguments by name in one object. */
export type ParamsOrAll<G extends ParamGroup, O> = Params<G> | ({ params: Params<G> } & O);

/**
 * The arguments of an optimizer as its parameters and its hyperparameters over the defaults. The constructor of
 * `Optimizer` checks both.
 */
export function optimizerArguments<T extends object>(
  op: string,
  defaults: T,
  params: unknown,
  args: readonly unknown[],
  positional: number,
): [params: Params, options: T] {
  const { params: list, ...options } = readArguments(
    op,
    { params: undefined as unknown, ...defaults },
    [params, ...args],
    positional + 1,
  );
  return [list as Params, options as unknown as T];
}

/** PyTorch's layout; `state` is keyed by the parameter's number, as a Map so that files carry whole numbers. */
export interface OptimizerStateDict {
  state: Map<number, Record<string, unknown>>;
  param_groups: Record<string, unknown>[];
}

export type StepHook = (optimizer: Optimizer, args: readonly unknown[]) => void;
/** Sees a state dict; what it returns takes its place. */
export type StateDictHook = (optimizer: Optimizer, state: OptimizerStateDict) => OptimizerStateDict | undefined | void;
/** Recomputes the loss and its gradients. */
export type Closure<L = unknown> = () => L;

/**
 * What a group may carry beside its algorithm's own hyperparameters: what schedulers write, and the one that PyTorch
 * lets every group have.
 */
const IN_ANY_GROUP = ['weightDecay', 'initialLr', 'maxLr', 'minLr', 'baseMomentum', 'maxMomentum', 'swaLr'];

function addHook<H>(op: string, hooks: HookList<H>, hook: H): HookHandle {
  checkFunction(op, 'a function as hook', hook);
  return hooks.add(hook);
}

/**
 * A loaded hyperparameter, or a CheckpointError where it is of another kind than the default. Python's 0 and 1 count as
 * booleans.
 */
function ofOneKind(op: string, key: string, value: unknown, byDefault: unknown): unknown {
  const isNumber = (item: unknown): boolean => typeof item === 'number';
  if (typeof byDefault === 'number' && !isNumber(value))
    fail(CheckpointError, op, `a number for ${snakeCase(key)}`, describe(value));
  if (typeof byDefault === 'boolean') {
    if (value === 0 || value === 1) return value === 1;
    if (typeof value !== 'boolean') fail(CheckpointError, op, `a boolean for ${snakeCase(key)}`, describe(value));
  }
  if (Array.isArray(byDefault) && byDefault.every((item) => item === null || isNumber(item)))
    if (
      !Array.isArray(value) ||
      value.length !== byDefault.length ||
      !value.every((item) => item === null || isNumber(item))
    )
      fail(CheckpointError, op, `${byDefault.length} numbers for ${snakeCase(key)}`, describe(value));
  return value;
}

/** The items of what can be iterated over, or an ArgumentError; a tensor is one item. */
function listOf(op: string, expected: string, value: unknown): unknown[] {
  if (
    value instanceof Tensor ||
    typeof value !== 'object' ||
    value === null ||
    typeof (value as Iterable<unknown>)[Symbol.iterator] !== 'function'
  )
    fail(ArgumentError, op, expected, describe(value));
  return [...(value as Iterable<unknown>)];
}

/** A learning rate given as a tensor of one element counts as its number. */
function plainNumber(op: string, name: string, value: unknown): unknown {
  if (!(value instanceof Tensor)) return value;
  if (value.numel() !== 1) fail(ArgumentError, op, `a number or a tensor of one element for ${name}`, describe(value));
  return Number(value.item());
}

/** The functions that `observeStep` made. */
const observed = new WeakSet<object>();

/**
 * Base class. A subclass hands its parameters and the defaults of its hyperparameters to `super`, and writes `step`,
 * which reads
 * `paramGroups`, keeps what it remembers in `state`, and changes parameters within `noGrad`. Source:
 * torch.optim.Optimizer.
 */
export class Optimizer {
  /** Live groups; change a hyperparameter here and the next step uses it. */
  readonly paramGroups: ParamGroup[] = [];
  /** What is remembered of each parameter. */
  readonly state = new Map<Tensor, ParamState>();
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Counts calls of `step`; schedulers ask whether there was one. */
  stepCount = 0;
  /** Internal: what schedulers are yet to do before the optimizer is used; see `LRScheduler`. */
  readonly unsettled = new Set<(final: boolean) => void>();
  private stepping = false;
  private readonly preHooks = new HookList<StepHook>();
  private readonly postHooks = new HookList<StepHook>();
  private readonly savingHooks = new HookList<(optimizer: Optimizer) => void>();
  private readonly savedHooks = new HookList<StateDictHook>();
  private readonly loadingHooks = new HookList<StateDictHook>();
  private readonly loadedHooks = new HookList<(optimizer: Optimizer) => void>();

  /**
   * `defaults` holds every hyperparameter of the algorithm: its keys are the names that a group may carry.
   * Throws ArgumentError for an empty list, a repeated parameter, an unknown or impossible hyperparameter.
   */
  constructor(params: Params, defaults: object) {
    const op = this.constructor.name;
    if (!isOptions(defaults)) fail(ArgumentError, op, 'an object of defaults', describe(defaults));
    const values: Record<string, unknown> = {};
    if (typeof defaults !== 'object' || defaults === null)
      fail(ArgumentError, op, 'an object of hyperparameters for defaults', describe(defaults));
    for (const [key, value] of Object.entries(defaults)) values[key] = plainNumber(op, key, value);
    this.defaults = values;
    const given = listOf(op, 'an iterable of tensors, of [name, tensor] pairs or of parameter groups', params);
    if (given.length === 0) fail(ArgumentError, op, 'at least one parameter', 'an empty list');
    const groups = isOptions(given[0]) ? given : [{ params: given }];
    for (const group of groups) this.addParamGroup(group as GivenGroup);
    this.observeStep();
  }

  /** Throws ArgumentError where a group's hyperparameters cannot be. A subclass may leave it out. */
  protected checkGroup(_op: string, _group: ParamGroup): void {}

  /**
   * Adds parameters, such as layers that begin to train later. Throws as the constructor does. A key that is no
   * hyperparameter is kept in the group, as in PyTorch, unless it looks like one that is misspelt.
   */
  addParamGroup(given: GivenGroup): void {
    const op = `${this.constructor.name}.addParamGroup`;
    if (!isOptions(given)) fail(ArgumentError, op, 'an object with params', describe(given));
    if (given.params === undefined)
      fail(ArgumentError, op, 'params in the group', `only ${Object.keys(given).join(', ') || 'nothing'}`);
    const known = ['params', 'paramNames', 'name', ...Object.keys(this.defaults), ...IN_ANY_GROUP];
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue;
      const near = nearest(key, known);
      if (near !== undefined)
        throw new ArgumentError(
          `${op}: unknown option ${JSON.stringify(key)}, did you mean ${JSON.stringify(near)}? (options: ` +
            `${known.join(', ')})`,
        );
    }
    const list: unknown[] =
      given.params instanceof Tensor
        ? [given.params]
        : listOf(op, 'a tensor, or an iterable of tensors or of [name, tensor] pairs, for params', given.params);
    const names: string[] = [];
    const tensors = list.map((item) => {
      if (Array.isArray(item) && item.length === 2 && typeof item[0] === 'string') {
        names.push(item[0]);
        return item[1] as unknown;
      }
      return item;
    });
    if (names.length > 0 && names.length !== tensors.length)
      fail(
        ArgumentError,
        op,
        'names for all parameters or for none',
        `${names.length} names for ${tensors.length} parameters`,
      );
    for (const tensor of tensors) this.checkParameter(op, tensor);
    const params = tensors as Tensor[];
    if (new Set(params).size !== params.length)
      fail(ArgumentError, op, 'each parameter once', 'one that is repeated within the group');
    const taken = new Set(this.paramGroups.flatMap((group) => group.params));
    if (params.some((p) => taken.has(p)))
      fail(ArgumentError, op, 'each parameter in one group', 'one that is in another group already');
    const named = names.length > 0 || given.paramNames !== undefined;
    if (this.paramGroups.some((group) => (group.paramNames !== undefined) !== named))
      fail(ArgumentError, op, 'groups that all have names, or none', named ? 'a group with names' : 'a group without');

    const values: Record<string, unknown> = { ...this.defaults };
    for (const [key, value] of Object.entries(given))
      if (value !== undefined) values[key] = plainNumber(op, key, value);
    values.params = params;
    if (names.length > 0) values.paramNames = names;
    const group = values as unknown as ParamGroup;
    this.checkCommon(this.constructor.name, values);
    this.checkGroup(this.constructor.name, group);
    this.paramGroups.push(group);
  }

  private checkParameter(op: string, tensor: unknown): asserts tensor is Tensor {
    if (!(tensor instanceof Tensor)) fail(ArgumentError, op, 'tensors as parameters', describe(tensor));
    if (!tensor.isLeaf)
      fail(AutogradError, op, 'leaves of the graph as parameters', `the result of an operator (${describe(tensor)})`);
    if (!tensor.info.floating) fail(DTypeError, op, 'parameters of floating dtype', describe(tensor));
  }

  /** What PyTorch accepts and CPU training in one fused pass has no other mode for. */
  private checkCommon(op: string, group: Record<string, unknown>): void {
    for (const key of [
      'maximize',
      'differentiable',
      'capturable',
      'amsgrad',
      'nesterov',
      'centered',
      'decoupledWeightDecay',
    ])
      if (key in group && group[key] !== undefined) checkBoolean(op, key, group[key]);
    for (const key of ['foreach', 'fused'])
      if (key in group && group[key] !== null && group[key] !== undefined) checkBoolean(op, key, group[key]);
    if (group.differentiable === true)
      fail(ArgumentError, op, 'differentiable: false (updates are not recorded by autograd)', 'true');
    if (group.capturable === true)
      fail(ArgumentError, op, "capturable: false (there is no graph capture on 'cpu')", 'true');
  }

  /** Forgets all gradients, or sets them to zero where `setToNone` is false. */
  zeroGrad(options: boolean | { setToNone?: boolean } = {}): void {
    const { setToNone } = readArguments('zeroGrad', { setToNone: true }, [options]);
    checkBoolean('zeroGrad', 'setToNone', setToNone);
    if (observer.active === null) this.zeroAll(setToNone);
    else watched(`Optimizer.zeroGrad#${this.constructor.name}.zeroGrad`, () => this.zeroAll(setToNone));
  }
  private zeroAll(setToNone: boolean): void {
    for (const group of this.paramGroups) {
      for (const param of group.params) {
        if (setToNone) param.gradient = null;
        else if (param.gradient !== null) {
          // A gradient with a graph of its own (createGraph) is replaced, so that the graph is left alone.
          if (param.gradient.requiresGrad) param.gradient = allocateAs(param);
          fillWith(param.gradient, 0);
          param.gradient.storage.version++;
        }
      }
    }
  }

  /** One step. Every subclass has its own; a closure recomputes the loss, and its value is returned. */
  step(_closure?: Closure): unknown {
    return fail(NodegradError, this.constructor.name, 'a step() of its own', 'none');
  }

  /**
   * Internal: puts hooks, the count of steps and observers around `step`, whoever wrote it. Schedulers call it again,
   * for a `step` that was assigned after this constructor.
   */
  observeStep(): void {
    const step = this.step as (...args: unknown[]) => unknown;
    if (observed.has(step)) return;
    const call = (...args: unknown[]): unknown => {
      if (this.stepping) return step.apply(this, args);
      if (observer.active === null) return this.callStep(step, args);
      return watched(`Optimizer.step#${this.constructor.name}.step`, () => this.callStep(step, args));
    };
    observed.add(call);
    Object.defineProperty(this, 'step', { value: call, writable: true, configurable: true });
  }
  private callStep(step: (...args: unknown[]) => unknown, args: readonly unknown[]): unknown {
    if (this.unsettled.size > 0) this.settle(true);
    for (const hook of this.preHooks.all()) hook(this, args);
    const finish = (): void => {
      this.stepCount++;
      for (const hook of this.postHooks.all()) hook(this, args);
    };
    this.stepping = true;
    let result: unknown;
    try {
      result = step.apply(this, [...args]);
    } catch (error) {
      this.stepping = false;
      throw error;
    }
    if (result instanceof Promise)
      return result
        .finally(() => {
          this.stepping = false;
        })
        .then((loss: unknown) => {
          finish();
          return loss;
        });
    this.stepping = false;
    finish();
    return result;
  }
  /** Internal: does what schedulers left for later; `final` where their constructors are done. */
  settle(final: boolean): void {
    for (const run of [...this.unsettled]) run(final);
  }

  /** Runs `hook(optimizer, args)` before every step. */
  registerStepPreHook(hook: StepHook): HookHandle {
    return addHook('Optimizer.registerStepPreHook', this.preHooks, hook);
  }
  /** Runs `hook(optimizer, args)` after every step. */
  registerStepPostHook(hook: StepHook): HookHandle {
    return addHook('Optimizer.registerStepPostHook', this.postHooks, hook);
  }

  /** Runs `hook(optimizer)` before every `stateDict`. */
  registerStateDictPreHook(hook: (optimizer: Optimizer) => void): HookHandle {
    return addHook('Optimizer.registerStateDictPreHook', this.savingHooks, hook);
  }
  /** Runs `hook(optimizer, state)` after every `stateDict`; a result takes the state dict's place. */
  registerStateDictPostHook(hook: StateDictHook): HookHandle {
    return addHook('Optimizer.registerStateDictPostHook', this.savedHooks, hook);
  }
  /** Runs `hook(optimizer, state)` before every `loadStateDict`; a result is loaded instead. */
  registerLoadStateDictPreHook(hook: StateDictHook): HookHandle {
    return addHook('Optimizer.registerLoadStateDictPreHook', this.loadingHooks, hook);
  }
  /** Runs `hook(optimizer)` after every `loadStateDict`. */
  registerLoadStateDictPostHook(hook: (optimizer: Optimizer) => void): HookHandle {
    return addHook('Optimizer.registerLoadStateDictPostHook', this.loadedHooks, hook);
  }

  /**
   * State and hyperparameters in PyTorch's layout and names; the tensors are the live ones. Source:
   * torch.optim.Optimizer.state_dict.
   */
  stateDict(): OptimizerStateDict {
    this.settle(true);
    for (const hook of this.savingHooks.all()) hook(this);
    const numbers = new Map<Tensor, number>();
    for (const group of this.paramGroups) for (const param of group.params) numbers.set(param, numbers.size);
    const state: OptimizerStateDict['state'] = new Map();
    for (const [param, number] of numbers) {
      const values = this.state.get(param);
      if (values !== undefined && Object.keys(values).length > 0)
        state.set(number, Object.fromEntries(Object.entries(values).map(([key, value]) => [snakeCase(key), value])));
    }
    const groups = this.paramGroups.map((group) => {
      const packed: Record<string, unknown> = {};
      for (const [key, value] of Object.entries(group))
        if (key !== 'params' && value !== undefined)
          packed[snakeCase(key)] = Array.isArray(value) ? [...(value as unknown[])] : value;
      packed.params = group.params.map((param) => numbers.get(param));
      return packed;
    });
    let dict: OptimizerStateDict = { state, param_groups: groups };
    for (const hook of this.savedHooks.all()) dict = hook(this, dict) ?? dict;
    return dict;
  }

  /**
   * Takes over the state and hyperparameters of a state dict, PyTorch's own included (`state` as a Map or an object).
   * Tensors are copied, in the parameter's type except for `step`. Throws CheckpointError where it does not fit, before
   * anything is changed. Hyperparameters are held to their kind, not to the ranges of the constructor: a schedule that
   * decays to 0 may end at -1e-18.
   */
  loadStateDict(given: OptimizerStateDict | Record<string, unknown>): void {
    const op = `${this.constructor.name}.loadStateDict`;
    checkStateDict(op, given);
    this.settle(true);
    let dict = given;
    for (const hook of this.loadingHooks.all()) dict = hook(this, dict as OptimizerStateDict) ?? dict;
    const { state: savedState, param_groups: savedGroups } = (dict ?? {}) as {
      state?: unknown;
      param_groups?: unknown;
    };
    if (!Array.isArray(savedGroups) || typeof savedState !== 'object' || savedState === null)
      fail(CheckpointError, op, 'an object with state and param_groups', describe(given));
    if (savedGroups.length !== this.paramGroups.length)
      fail(CheckpointError, op, `${this.paramGroups.length} parameter groups`, String(savedGroups.length));

    const params = new Map<number, Tensor>();
    const groups = (savedGroups as Record<string, unknown>[]).map((saved, i) => {
      const group = this.paramGroups[i];
      const numbers = saved.params;
      if (!Array.isArray(numbers) || numbers.length !== group.params.length)
        fail(
          CheckpointError,
          op,
          `${group.params.length} parameters in group ${i}`,
          Array.isArray(numbers) ? String(numbers.length) : describe(numbers),
        );
      numbers.forEach((number, k) => {
        params.set(Number(number), group.params[k]);
      });
      const values: Record<string, unknown> = { ...this.defaults };
      for (const [key, value] of Object.entries(saved))
        if (key !== 'params')
          values[camelCase(key)] = Array.isArray(value)
            ? value.map((item: unknown) => plainNumber(op, key, item))
            : plainNumber(op, key, value);
      if (group.paramNames !== undefined && values.paramNames === undefined) values.paramNames = group.paramNames;
      values.params = group.params;
      this.upgradeGroup(values);
      for (const [key, value] of Object.entries(this.defaults)) values[key] = ofOneKind(op, key, values[key], value);
      return values as unknown as ParamGroup;
    });
    const entries: [unknown, unknown][] = savedState instanceof Map ? [...savedState] : Object.entries(savedState);
    const state = entries.map(([key, values]): [Tensor, ParamState] => {
      const param = params.get(Number(key));
      if (param === undefined)
        fail(CheckpointError, op, `state of parameters 0 to ${params.size - 1}`, `state of ${describe(key)}`);
      if (typeof values !== 'object' || values === null)
        fail(CheckpointError, op, `an object as the state of parameter ${Number(key)}`, describe(values));
      const pairs: [unknown, unknown][] = values instanceof Map ? [...values] : Object.entries(values);
      return [
        param,
        Object.fromEntries(
          pairs.map(([name, value]) => [
            camelCase(String(name)),
            loadValue(op, Number(key), String(name), value, param, this.checksStateShape()),
          ]),
        ),
      ];
    });

    this.paramGroups.splice(0, this.paramGroups.length, ...groups);
    this.state.clear();
    for (const [param, values] of state) this.state.set(param, values);
    for (const hook of this.loadedHooks.all()) hook(this);
  }

  /** Whether state tensors of the parameter's dimensions have its shape. */
  protected checksStateShape(): boolean {
    return true;
  }
  /** Brings the hyperparameters of an older file up to date. */
  protected upgradeGroup(_group: Record<string, unknown>): void {}

  /** As Python prints it: the class and each group's hyperparameters. */
  toString(): string {
    const groups = this.paramGroups.map((group, i) => {
      const lines = Object.keys(group)
        .filter((key) => key !== 'params')
        .sort()
        .map((key) => `    ${snakeCase(key)}: ${String((group as unknown as Record<string, unknown>)[key])}`);
      return `Parameter Group ${i}\n${lines.join('\n')}\n`;
    });
    return `${this.constructor.name} (\n${groups.join('\n')})`;
  }
}
