/**
 * The dictionaries as users see them: with the names that an object literal gave as properties, `new nn.ModuleDict({
 * relu }).relu`.
 */
import type { Tensor } from '../tensor/tensor.js';
import type { Layer, Module } from './module.js';
import { ModuleDict as Modules } from './module-dict.js';
import type { Parameter } from './parameter.js';
import { ParameterDict as Parameters } from './parameter-containers.js';

/** The members whose names are free. */
type Members<T, D> = { [N in Exclude<keyof T, keyof D>]: T[N] };

export interface ModuleDict<M extends Module = Layer> extends Modules<M> {}
/**
 * Modules by name (torch.nn.ModuleDict): `dict.name`, `dict['name']` or `dict.get('name')`; only `get` finds a name
 * that is a method's.
 */
export const ModuleDict: {
  // Two type parameters, so that `class extends nn.ModuleDict<M>` means the other signature.
  new <K extends string, T extends Readonly<Record<K, Module>>>(
    modules: T,
  ): ModuleDict<T[keyof T]> & Members<T, Modules>;
  new <M extends Module = Layer>(
    modules?: Readonly<Record<string, M>> | Iterable<readonly [string, M]> | ModuleDict<M>,
  ): ModuleDict<M>;
  readonly prototype: ModuleDict<Module>;
} = Modules;

export interface ParameterDict extends Parameters {}
/**
 * Parameters by name (torch.nn.ParameterDict): `dict.name`, `dict['name']` or `dict.get('name')`; only `get` finds a
 * name that is a method's.
 */
export const ParameterDict: {
  new <T extends Readonly<Record<string, Tensor>>>(
    values: T,
  ): ParameterDict & Members<Record<keyof T, Parameter>, Parameters>;
  new (values?: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]> | ParameterDict): ParameterDict;
  readonly prototype: ParameterDict;
} = Parameters as never;
