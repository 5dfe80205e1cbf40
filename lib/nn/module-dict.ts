/**
 * Modules by name, in the order in which they came. Members are not properties of their own, so any name will do;
 * `dict.name` finds those whose name is free.
 */
import { describe, fail, IndexError } from '../errors.js';
import { ASSIGN, MISSING } from './callable.js';
import { checkKey, entriesOf } from './container-keys.js';
import { checked } from './containers.js';
import { HELD } from './members.js';
import { type Layer, Module } from './module.js';

/** Members by name, in the order in which they came (torch.nn.ModuleDict). */
export class ModuleDict<M extends Module = Layer> extends Module {
  override [MISSING](name: string): unknown {
    return this[HELD].get(name);
  }
  override [ASSIGN](name: string, value: unknown): void {
    if (value instanceof Module || this[HELD].has(name)) this.set(name, value as M);
    else super[ASSIGN](name, value);
  }
  protected override get holdsModules(): boolean {
    return true;
  }
  protected override holdModule(_op: string, name: string, module: Module | null): void {
    this.set(name, module as M);
  }
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    this.update(modules);
  }
  override get length(): number {
    return this[HELD].size;
  }
  has(name: string): boolean {
    return this[HELD].has(name);
  }
  /** The member of a name. Throws IndexError that lists the names. */
  get(name: string): M {
    return (
      (this[HELD].get(name) as M | undefined) ??
      fail(IndexError, 'ModuleDict.get', `one of ${[...this[HELD].keys()].join(', ')}`, describe(name))
    );
  }
  set(name: string, module: M): this {
    this[HELD].set(checkKey('ModuleDict', name), checked('ModuleDict', module));
    return this;
  }
  delete(name: string): boolean {
    return this[HELD].delete(name);
  }
  /** Takes a member out and returns it. */
  pop(name: string): M {
    const module = this.get(name);
    this[HELD].delete(name);
    return module;
  }
  clear(): void {
    this[HELD].clear();
  }
  update(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]>): this {
    for (const [name, module] of entriesOf<M>('ModuleDict', modules)) this.set(name, module);
    return this;
  }
  keys(): string[] {
    return [...this[HELD].keys()];
  }
  values(): M[] {
    return [...this[HELD].values()] as M[];
  }
  items(): [string, M][] {
    return [...this[HELD]] as [string, M][];
  }
  [Symbol.iterator](): Iterator<string> {
    return this.keys()[Symbol.iterator]();
  }
}
