/** Modules that hold modules: Sequential, ModuleList, ModuleDict. Their members are not properties, so any name will do. */
import { ArgumentError, describe, fail, IndexError } from '../errors.js';
import { isOptions } from '../ops/define-function.js';
import type { Tensor } from '../tensor/tensor.js';
import { indented, type Layer, Module } from './module.js';

/** Members numbered from 0. */
abstract class IndexedModules<M extends Module> extends Module implements Iterable<M> {
  protected list(): M[] {
    return [...this.held.values()] as M[];
  }
  /** Puts these members in the place of all. */
  protected setList(list: readonly M[]): void {
    this.held.clear();
    list.forEach((module, i) => {
      this.held.set(String(i), checked(this.constructor.name, module));
    });
  }
  override get length(): number {
    return this.held.size;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.list()[Symbol.iterator]();
  }
  /** The member at an index, counted from the end where it is negative. Throws IndexError. */
  at(index: number): M {
    return this.list()[this.place('at', index, this.length - 1)];
  }
  protected place(op: string, index: number, last: number): number {
    const wrapped = index < 0 ? index + this.length : index;
    if (!Number.isInteger(index) || wrapped < 0 || wrapped > last) fail(IndexError, `${this.constructor.name}.${op}`, `an index in [${-this.length}, ${last}]`, describe(index));
    return wrapped;
  }
  append(module: M): this {
    this.held.set(String(this.length), checked(this.constructor.name, module));
    return this;
  }
  extend(modules: Iterable<M>): this {
    for (const module of modules) this.append(module);
    return this;
  }
  insert(index: number, module: M): this {
    const list = this.list();
    list.splice(this.place('insert', index, this.length), 0, module);
    this.setList(list);
    return this;
  }
  /** Takes the last member, or that at an index, out and returns it. */
  pop(index = -1): M {
    const list = this.list();
    const [module] = list.splice(this.place('pop', index, this.length - 1), 1);
    this.setList(list);
    return module;
  }
}

function checked<M>(op: string, module: M): M {
  if (!(module instanceof Module)) fail(ArgumentError, op, 'modules', describe(module));
  return module;
}

/** Calls its members one after another, each with what the one before returned (torch.nn.Sequential). */
export class Sequential extends IndexedModules<Module> {
  /** @param modules the members, or one object (or Map) of them by name. Throws ArgumentError for what is not a module. */
  constructor(...modules: Module[] | [Readonly<Record<string, Module>> | ReadonlyMap<string, Module>]) {
    super();
    const first: unknown = modules[0];
    if (modules.length === 1 && (isOptions(first) || first instanceof Map)) {
      for (const [name, module] of first instanceof Map ? first : Object.entries(first)) this.registerModule(String(name), module as Module);
    } else this.setList(modules as Module[]);
  }
  override registerModule(name: string, module: Module | null): void {
    if (name === '' || name.includes('.')) fail(ArgumentError, 'Sequential', 'names that are not empty and have no dot', describe(name));
    this.held.set(name, checked('Sequential', module));
  }
  /** The member of an index or a name. */
  get(key: number | string): Module {
    if (typeof key === 'number') return this.at(key);
    return (this.held.get(key) as Module | undefined) ?? fail(IndexError, 'Sequential.get', `one of ${[...this.held.keys()].join(', ')}`, describe(key));
  }
  /** Puts a module in the place of a member. */
  set(index: number, module: Module): this {
    this.held.set([...this.held.keys()][this.place('set', index, this.length - 1)], checked('Sequential', module));
    return this;
  }
  /** The members of a range, as a Sequential that shares them. */
  slice(start?: number, end?: number): Sequential {
    return new Sequential(new Map([...this.held].slice(start, end) as [string, Module][]));
  }
  override forward(input: Tensor): Tensor {
    let x = input;
    for (const module of this.held.values()) x = (module as Layer)(x);
    return x;
  }
}

/** Members in a list, whose use is up to the forward of whoever holds it (torch.nn.ModuleList). */
export class ModuleList<M extends Module = Layer> extends IndexedModules<M> {
  constructor(modules: Iterable<M> = []) {
    super();
    this.setList([...modules]);
  }
  get(index: number): M {
    return this.at(index);
  }
  /** Puts a module in the place of a member. */
  set(index: number, module: M): this {
    this.held.set(String(this.place('set', index, this.length - 1)), checked('ModuleList', module));
    return this;
  }
  /** The members of a range, as a list that shares them. */
  slice(start?: number, end?: number): ModuleList<M> {
    return new ModuleList(this.list().slice(start, end));
  }
  /** Equal neighbours are printed once, with their number. */
  protected override childLines(): string[] {
    const runs: { from: number; to: number; text: string }[] = [];
    this.list().forEach((module, i) => {
      const text = String(module);
      const last = runs.at(-1);
      if (last?.text === text) last.to = i;
      else runs.push({ from: i, to: i, text });
    });
    return runs.map(({ from, to, text }) => indented(from === to ? `(${from}): ${text}` : `(${from}-${to}): ${to - from + 1} x ${text}`));
  }
}

/** Members by name, in the order in which they came (torch.nn.ModuleDict). */
export class ModuleDict<M extends Module = Layer> extends Module {
  constructor(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]> = {}) {
    super();
    this.update(modules);
  }
  override get length(): number {
    return this.held.size;
  }
  has(name: string): boolean {
    return this.held.has(name);
  }
  /** The member of a name. Throws IndexError that lists the names. */
  get(name: string): M {
    return (this.held.get(name) as M | undefined) ?? fail(IndexError, 'ModuleDict.get', `one of ${[...this.held.keys()].join(', ')}`, describe(name));
  }
  set(name: string, module: M): this {
    if (name === '' || name.includes('.')) fail(ArgumentError, 'ModuleDict.set', 'a name that is not empty and has no dot', describe(name));
    this.held.set(name, checked('ModuleDict', module));
    return this;
  }
  delete(name: string): boolean {
    return this.held.delete(name);
  }
  /** Takes a member out and returns it. */
  pop(name: string): M {
    const module = this.get(name);
    this.held.delete(name);
    return module;
  }
  clear(): void {
    this.held.clear();
  }
  update(modules: Readonly<Record<string, M>> | Iterable<readonly [string, M]>): this {
    const entries = Symbol.iterator in modules ? (modules as Iterable<readonly [string, M]>) : Object.entries(modules as Record<string, M>);
    for (const [name, module] of entries) this.set(name, module);
    return this;
  }
  keys(): string[] {
    return [...this.held.keys()];
  }
  values(): M[] {
    return [...this.held.values()] as M[];
  }
  items(): [string, M][] {
    return [...this.held] as [string, M][];
  }
  [Symbol.iterator](): Iterator<string> {
    return this.keys()[Symbol.iterator]();
  }
}
