/** The parameters of Module's methods: PyTorch's names in order, and the types of what is given for them. */
import type { MemoryFormat } from '../shape/memory-format.js';
import type { DType } from '../storage/dtype.js';
import type { DeviceName } from '../tensor/device.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ConstructorArguments } from './arguments.js';
import type { StateDict } from './module-state.js';
import type { Parameter } from './parameter.js';

export const REGISTER_BUFFER = ['name', 'tensor', 'persistent'] as const;
export type RegisterBuffer = [name: string, tensor: Tensor | null, persistent?: boolean];
export const REGISTER_PARAMETER = ['name', 'param'] as const;
export type RegisterParameter = [name: string, param: Parameter | null];
export const REGISTER_MODULE = ['name', 'module'] as const;
export type RegisterModule<M> = [name: string, module: M | null];
export const NAMED = ['prefix', 'recurse', 'removeDuplicate'] as const;
export type Named = [prefix?: string, recurse?: boolean, removeDuplicate?: boolean];
export const RECURSE = ['recurse'] as const;
export type Recurse = [recurse?: boolean];
export const NAMED_MODULES = ['memo', 'prefix', 'removeDuplicate'] as const;
export type NamedModules<M> = [memo?: Set<M> | null, prefix?: string, removeDuplicate?: boolean];
export const TARGET = ['target'] as const;
export type Target = [target: string];
export const SET_SUBMODULE = ['target', 'module', 'strict'] as const;
export type SetSubmodule<M> = [target: string, module: M, strict?: boolean];
export const TO = ['target', 'dtype', 'nonBlocking', 'device', 'tensor', 'memoryFormat'] as const;
export type To = [
  target?: DType | DeviceName | Tensor | null,
  dtype?: DType | null,
  nonBlocking?: boolean,
  device?: string,
  tensor?: Tensor,
  memoryFormat?: MemoryFormat,
];
export const STATE_DICT = ['destination', 'prefix', 'keepVars'] as const;
export type StateDictCall = [destination?: StateDict | null, prefix?: string, keepVars?: boolean];
export const LOAD_STATE_DICT = ['stateDict', 'strict', 'assign'] as const;
export const HOOK = ['hook', 'prepend'] as const;
/** A hook, and whether it runs before those that are there already, or both by name. */
export type HookArguments<H> = [hook: H, options?: { prepend?: boolean }] | [options: { hook: H; prepend?: boolean }];

/** What a method takes: by position, by name, or both. */
export type Given<P extends readonly string[], A extends readonly unknown[]> = ConstructorArguments<P, A>;
