/** What a module and all below it hold, by name: `namedModules`, `namedParameters`, `getSubmodule` and their kin. */
import { ArgumentError, describe, fail } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ModuleTree } from './module-tree.js';

/** Options of the methods that list members by name. */
export interface NamedOptions {
  /** Put before every name, with a dot. Default: nothing. */
  prefix?: string;
  /** Also those of submodules. Default true. */
  recurse?: boolean;
  /** What several modules share comes once, under its first name. Default true. */
  removeDuplicate?: boolean;
}

/** A module and all below it, a parent before its children; `seen` holds those that are left out. */
export function namedModules<M extends ModuleTree<M>>(
  root: M,
  prefix: string,
  removeDuplicate: boolean,
  seen: Set<M>,
): [string, M][] {
  const out: [string, M][] = [];
  const visit = (path: string, module: M): void => {
    if (removeDuplicate && seen.has(module)) return;
    seen.add(module);
    out.push([path, module]);
    for (const [key, child] of module.ownModules()) visit(joined(path, key), child);
  };
  visit(prefix, root);
  return out;
}

/** Parameters, or buffers, with the names that state dicts give them. */
export function namedTensors<M extends ModuleTree<M>>(
  root: M,
  { prefix = '', recurse = true, removeDuplicate = true }: NamedOptions,
  buffers: boolean,
): [string, Tensor][] {
  const seen = new Set<Tensor>();
  const out: [string, Tensor][] = [];
  const modules: [string, M][] = recurse ? namedModules(root, prefix, removeDuplicate, new Set()) : [[prefix, root]];
  for (const [path, module] of modules) {
    for (const { key, tensor, buffer } of module.ownTensors()) {
      if (buffer !== buffers || (removeDuplicate && seen.has(tensor))) continue;
      seen.add(tensor);
      out.push([joined(path, key), tensor]);
    }
  }
  return out;
}

/** The submodule at a path; the module itself for ''. */
export function submoduleAt<M extends ModuleTree<M>>(op: string, root: M, target: unknown): M {
  if (typeof target !== 'string') fail(ArgumentError, op, 'a path as a string', describe(target));
  let module = root;
  for (const key of target === '' ? [] : target.split('.')) {
    const found = [...module.ownModules()].find(([name]) => name === key);
    if (found === undefined)
      fail(
        ArgumentError,
        op,
        `a path into ${root.constructor.name}`,
        `${describe(target)}, where ${module.constructor.name} has no module ${key}`,
      );
    module = found[1];
  }
  return module;
}

/** The path of a member's module and the member's name in it. */
export function splitPath(op: string, target: unknown): [path: string, name: string] {
  if (typeof target !== 'string') fail(ArgumentError, op, 'a path as a string', describe(target));
  const dot = target.lastIndexOf('.');
  return [dot < 0 ? '' : target.slice(0, dot), target.slice(dot + 1)];
}

/** The parameter, or buffer, at a path. */
export function tensorAt<M extends ModuleTree<M>>(op: string, root: M, target: unknown, wantBuffer: boolean): Tensor {
  const [path, name] = splitPath(op, target);
  for (const { key, tensor, buffer } of submoduleAt(op, root, path).ownTensors())
    if (key === name && buffer === wantBuffer) return tensor;
  return fail(
    ArgumentError,
    op,
    `the path of a ${wantBuffer ? 'buffer' : 'parameter'} of ${root.constructor.name}`,
    describe(target),
  );
}

function joined(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
