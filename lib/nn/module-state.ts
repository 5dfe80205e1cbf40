/** State dicts of modules: what goes into one, and how one is checked against a module and copied into it. */
import { ArgumentError, CheckpointError, describe, fail } from '../errors.js';
import { detach } from '../ops/core/convert.js';
import { reshape } from '../ops/core/view.js';
import { type Shape, sameShape } from '../shape/layout.js';
import { checkStateDict } from '../state-dict.js';
import { copyInto } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { HOOKS, type ModuleHooks } from './module-hooks.js';
import type { ModuleTree } from './module-tree.js';
import { Parameter } from './parameter.js';

/**
 * Tensors under PyTorch's keys. A module's state dict also carries, not enumerable, PyTorch's `_metadata`: the version
 * of each module's layout by its path, which checkpoints keep and loading reads.
 */
export type StateDict = Record<string, Tensor>;

export interface StateOptions {
  /** A dict that takes the entries. Default: a new one. */
  destination?: StateDict | null;
  /** Put before every key as it is: 'encoder.' gives 'encoder.weight'. Default: nothing. */
  prefix?: string;
  /** Give the parameters themselves instead of detached tensors. Default false. */
  keepVars?: boolean;
}
export interface LoadOptions {
  /** Throw for missing and unexpected keys. Default true. */
  strict?: boolean;
  /** Put the dict's tensors in the place of the module's, instead of copying values. Default false. */
  assign?: boolean;
}
export interface LoadResult {
  readonly missingKeys: string[];
  readonly unexpectedKeys: string[];
}

/** The key of what `getExtraState` gives. */
const EXTRA = '_extra_state';

/** What a state dict needs of a module. */
interface StatefulModule extends ModuleTree<StatefulModule> {
  /** Of modules of the class itself: they take no other. */
  readonly [HOOKS]: ModuleHooks<never>;
  /** Keys that a state dict of an older version may lack. */
  absentBefore(version: number): readonly string[];
  getExtraState(): unknown;
  setExtraState(state: unknown): void;
  setMember(property: string, value: Tensor): void;
}

/** Whether a class defines one of the two methods for extra state. */
function defines(module: StatefulModule, method: 'getExtraState' | 'setExtraState'): boolean {
  return Object.hasOwn(module, method) || module[method] !== rootOf(module)[method];
}
/** The prototype of Module itself, which is the one that owns `ownTensors`; this file imports the type alone. */
function rootOf(module: StatefulModule): StatefulModule {
  let prototype = Object.getPrototypeOf(module) as StatefulModule;
  while (!Object.hasOwn(prototype, 'ownTensors')) prototype = Object.getPrototypeOf(prototype) as StatefulModule;
  return prototype;
}

/**
 * A module and all below it with the prefixes of their keys, a parent before its children; a shared module is there
 * under each of its names, as in PyTorch.
 */
function placesOf(module: StatefulModule, prefix: string, out: Place[] = []): Place[] {
  out.push({ module, prefix });
  for (const [key, child] of module.ownModules()) placesOf(child, `${prefix}${key}.`, out);
  return out;
}
interface Place {
  readonly module: StatefulModule;
  readonly prefix: string;
}

export function stateOf(
  module: StatefulModule,
  { destination, prefix = '', keepVars = false }: StateOptions,
): StateDict {
  if (typeof prefix !== 'string') fail(ArgumentError, 'stateDict', 'a prefix as a string', describe(prefix));
  if (
    destination !== undefined &&
    destination !== null &&
    (typeof destination !== 'object' || !Object.isExtensible(destination))
  )
    fail(
      ArgumentError,
      'stateDict',
      'an object to which keys can be added for destination',
      typeof destination === 'object' ? 'one that is not extensible' : describe(destination),
    );
  const state: StateDict = destination ?? {};
  const versions: Versions = {};
  fill(module, prefix, keepVars, state, versions);
  hide(versions, undefined);
  hide(state, versions);
  return state;
}

/** Puts the entries of a module and of all below it in, between the hooks. */
function fill(module: StatefulModule, prefix: string, keepVars: boolean, state: StateDict, versions: Versions): void {
  const version = { version: (module.constructor as { readonly stateVersion: number } & typeof Object).stateVersion };
  versions[prefix.slice(0, -1)] = version;
  for (const hook of module[HOOKS].statePre.all()) hook(module as never, prefix, keepVars);
  for (const { key, tensor, persistent } of module.ownTensors())
    if (persistent) state[prefix + key] = keepVars ? tensor : detach(tensor);
  if (defines(module, 'getExtraState')) state[prefix + EXTRA] = module.getExtraState() as Tensor;
  for (const [key, child] of module.ownModules()) fill(child, `${prefix}${key}.`, keepVars, state, versions);
  for (const hook of module[HOOKS].statePost.all()) hook(module as never, state, prefix, version);
}

type Versions = Record<string, { version: number }>;

/** Gives a dict PyTorch's attribute of that name, which also marks it as an OrderedDict (lib/serialization). */
function hide(dict: object, metadata: Versions | undefined): void {
  Object.defineProperty(dict, '_metadata', { value: metadata, enumerable: false, writable: true, configurable: true });
}

/** The version that a state dict names for a module; 0 where it names none. */
function versionIn(state: object, path: string): number {
  const metadata: unknown = (state as { _metadata?: unknown })._metadata;
  if (typeof metadata !== 'object' || metadata === null || metadata instanceof Tensor || !Object.hasOwn(metadata, path))
    return 0;
  const version: unknown = (metadata as Record<string, { version?: unknown } | null>)[path]?.version;
  return typeof version === 'number' ? version : 0;
}

export function loadState(
  root: StatefulModule,
  given: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>,
  { strict = true, assign = false }: LoadOptions,
): LoadResult {
  checkStateDict('loadStateDict', given);
  // A copy, which hooks may change.
  const state: Record<string, unknown> = given instanceof Map ? Object.fromEntries(given) : { ...given };
  const places = placesOf(root, '');
  const missingKeys: string[] = [];
  const unexpectedKeys: string[] = [];
  const problems: string[] = [];
  for (const { module, prefix } of places) {
    const metadata = { version: versionIn(given, prefix.slice(0, -1)) };
    for (const hook of module[HOOKS].loadPre.all())
      hook(module as never, state as StateDict, prefix, metadata, strict, missingKeys, unexpectedKeys, problems);
  }
  const known = new Set<string>();
  const loads: (() => void)[] = [];
  for (const place of places) plan(place, state, given, assign, { known, missingKeys, problems, loads });
  unexpectedKeys.push(...Object.keys(state).filter((key) => !known.has(key)));
  const check = (): void => {
    const all = [...problems];
    if (strict && unexpectedKeys.length > 0) all.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpectedKeys)}.`);
    if (strict && missingKeys.length > 0) all.unshift(`Missing key(s) in state_dict: ${quoted(missingKeys)}.`);
    if (all.length > 0)
      throw new CheckpointError(
        `loadStateDict: expected a state dict that fits ${root.constructor.name}, got one with ` +
          `errors:\n\t${all.join('\n\t')}`,
      );
  };
  // Hooks that run afterwards may forgive keys, so that only then it is known whether some are amiss.
  const forgiving = problems.length === 0 && places.some(({ module }) => !module[HOOKS].loadPost.empty);
  if (!forgiving) check();
  for (const load of loads) load();
  if (forgiving) {
    runPostHooks(root, { missingKeys, unexpectedKeys });
    check();
  }
  return { missingKeys, unexpectedKeys };
}

function runPostHooks(module: StatefulModule, keys: LoadResult): void {
  for (const [, child] of module.ownModules()) runPostHooks(child, keys);
  for (const hook of module[HOOKS].loadPost.all()) hook(module as never, keys);
}

interface Findings {
  readonly known: Set<string>;
  readonly missingKeys: string[];
  readonly problems: string[];
  readonly loads: (() => void)[];
}

/** Compares the entries of one module with its members, and notes what is to be copied. */
function plan(
  { module, prefix }: Place,
  state: Readonly<Record<string, unknown>>,
  given: object,
  assign: boolean,
  { known, missingKeys, problems, loads }: Findings,
): void {
  for (const { key: name, property, tensor, persistent } of module.ownTensors()) {
    if (!persistent) continue;
    const key = prefix + name;
    known.add(key);
    const found = Object.hasOwn(state, key) ? state[key] : undefined;
    if (found === undefined) {
      if (!module.absentBefore(versionIn(given, prefix.slice(0, -1))).includes(name)) missingKeys.push(key);
    } else if (!(found instanceof Tensor)) problems.push(`${key}: expected a tensor, got ${describe(found)}.`);
    else {
      // A scalar was stored as one element before PyTorch 0.4.
      const value =
        tensor.shape.length === 0 && found.shape.length === 1 && found.shape[0] === 1
          ? reshape(detach(found), [])
          : found;
      if (sameShape(value.shape, tensor.shape)) loads.push(() => put(module, property, tensor, value, assign));
      else
        problems.push(
          `size mismatch for ${key}: copying a param with shape ${size(value.shape)} from checkpoint, the ` +
            `shape in current model is ${size(tensor.shape)}.`,
        );
    }
  }
  if (!defines(module, 'setExtraState')) return;
  const key = prefix + EXTRA;
  known.add(key);
  if (Object.hasOwn(state, key)) loads.push(() => module.setExtraState(state[key]));
  else missingKeys.push(key);
}

function put(module: StatefulModule, property: string, tensor: Tensor, value: Tensor, assign: boolean): void {
  if (assign) module.setMember(property, assigned(tensor, value));
  else {
    copyInto(tensor, value);
    tensor.storage.version++;
  }
}

/**
 * The dict's tensor as it takes the place of the module's: a parameter stays one, and keeps whether it requires grad.
 */
function assigned(current: Tensor, value: Tensor): Tensor {
  if (!(current instanceof Parameter)) return detach(value);
  return value instanceof Parameter ? value : new Parameter(value, current.requiresGrad);
}

function size(shape: Shape): string {
  return `torch.Size([${shape.join(', ')}])`;
}
function quoted(keys: readonly string[]): string {
  return keys.map((key) => JSON.stringify(key)).join(', ');
}
