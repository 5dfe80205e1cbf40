/** State dicts of modules: what goes into one, and how one is checked against a module and copied into it. */
import { CheckpointError, describe, rejectUnknownOptions } from '../errors.js';
import { copyInto } from '../ops/cast.js';
import { detach } from '../ops/convert.js';
import { reshape } from '../ops/view.js';
import { sameShape, type Shape } from '../shape/layout.js';
import { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';
import { Parameter } from './parameter.js';

/**
 * Tensors under PyTorch's keys. A module's state dict also carries, not enumerable, PyTorch's `_metadata`: the version of each
 * module's layout by its path, which checkpoints keep and loading reads.
 */
export type StateDict = Record<string, Tensor>;

export interface StateOptions {
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

/** A place in a module for one entry of a state dict. */
interface Slot {
  readonly key: string;
  /** The module's path, its name in the metadata. */
  readonly path: string;
  /** The key within the module. */
  readonly name: string;
  readonly module: Module;
  readonly property: string;
  readonly tensor: Tensor;
}

/** The places of a module and all below it; a shared module has a place under each of its names, as in PyTorch. */
function slotsOf(module: Module, prefix: string, out: Slot[] = []): Slot[] {
  for (const { key, property, tensor, persistent } of module.ownTensors())
    if (persistent) out.push({ key: prefix + key, path: prefix.slice(0, -1), name: key, module, property, tensor });
  for (const [key, child] of module.ownModules()) slotsOf(child, `${prefix}${key}.`, out);
  return out;
}

export function stateOf(module: Module, options: StateOptions): StateDict {
  rejectUnknownOptions('stateDict', options, ['prefix', 'keepVars']);
  const state: StateDict = {};
  const prefix = options.prefix ?? '';
  for (const { key, tensor } of slotsOf(module, prefix)) state[key] = options.keepVars ? tensor : detach(tensor);
  hide(state, versionsOf(module, prefix));
  return state;
}

type Versions = Record<string, { version: number }>;

/** The version of every module's layout, by path, a parent before its children. */
function versionsOf(module: Module, prefix: string, out: Versions = {}): Versions {
  out[prefix.slice(0, -1)] = { version: (module.constructor as typeof Module).stateVersion };
  for (const [key, child] of module.ownModules()) versionsOf(child, `${prefix}${key}.`, out);
  if (!Object.hasOwn(out, '_metadata')) hide(out, undefined);
  return out;
}

/** Gives a dict PyTorch's attribute of that name, which also marks it as an OrderedDict (lib/serialization). */
function hide(dict: object, metadata: Versions | undefined): void {
  Object.defineProperty(dict, '_metadata', { value: metadata, enumerable: false, writable: true, configurable: true });
}

/** The version that a state dict names for a module; 0 where it names none. */
function versionIn(state: object, path: string): number {
  const metadata: unknown = (state as { _metadata?: unknown })._metadata;
  if (typeof metadata !== 'object' || metadata === null || metadata instanceof Tensor || !Object.hasOwn(metadata, path)) return 0;
  const version: unknown = (metadata as Record<string, { version?: unknown } | null>)[path]?.version;
  return typeof version === 'number' ? version : 0;
}

export function loadState(module: Module, given: Readonly<Record<string, Tensor>> | ReadonlyMap<string, Tensor>, options: LoadOptions): LoadResult {
  rejectUnknownOptions('loadStateDict', options, ['strict', 'assign']);
  if (typeof given !== 'object' || given === null) throw new CheckpointError(`loadStateDict: expected a state dict, got ${describe(given)}`);
  const state: Readonly<Record<string, unknown>> = given instanceof Map ? Object.fromEntries(given) : given;
  const { strict = true, assign = false } = options;
  const slots = slotsOf(module, '');
  const known = new Set(slots.map((slot) => slot.key));
  const missingKeys: string[] = [];
  const unexpectedKeys = Object.keys(state).filter((key) => !known.has(key));
  const problems: string[] = [];
  const loads: { slot: Slot; value: Tensor }[] = [];
  for (const slot of slots) {
    const found = Object.hasOwn(state, slot.key) ? state[slot.key] : undefined;
    if (found === undefined) {
      if (!slot.module.absentBefore(versionIn(given, slot.path)).includes(slot.name)) missingKeys.push(slot.key);
    } else if (!(found instanceof Tensor)) problems.push(`${slot.key}: expected a tensor, got ${describe(found)}.`);
    else {
      // A scalar was stored as one element before PyTorch 0.4.
      const value = slot.tensor.shape.length === 0 && found.shape.length === 1 && found.shape[0] === 1 ? reshape(detach(found), []) : found;
      if (sameShape(value.shape, slot.tensor.shape)) loads.push({ slot, value });
      else
        problems.push(`size mismatch for ${slot.key}: copying a param with shape ${size(value.shape)} from checkpoint, the shape in current model is ${size(slot.tensor.shape)}.`);
    }
  }
  if (strict) {
    if (unexpectedKeys.length > 0) problems.unshift(`Unexpected key(s) in state_dict: ${quoted(unexpectedKeys)}.`);
    if (missingKeys.length > 0) problems.unshift(`Missing key(s) in state_dict: ${quoted(missingKeys)}.`);
  }
  if (problems.length > 0) throw new CheckpointError(`loadStateDict: expected a state dict that fits ${module.constructor.name}, got one with errors:\n\t${problems.join('\n\t')}`);
  for (const { slot, value } of loads) {
    if (assign) slot.module.setMember(slot.property, assigned(slot.tensor, value));
    else {
      copyInto(slot.tensor, value);
      slot.tensor.storage.version++;
    }
  }
  return { missingKeys, unexpectedKeys };
}

/** The dict's tensor as it takes the place of the module's: a parameter stays one, and keeps whether it requires grad. */
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
