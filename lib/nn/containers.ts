/**
 * Modules that hold modules by number: Sequential and ModuleList. Their members are not properties of their own;
 * `list[0]` finds them all the same.
 */

import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, IndexError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { ASSIGN, MISSING } from './callable.js';
import { checkBounds, checkKey, indexOfName, listOf, placeOf } from './container-keys.js';
import { HELD } from './members.js';
import { type Layer, Module } from './module.js';
import { indented } from './module-print.js';

/** Members numbered from 0. */
abstract class IndexedModules<M extends Module> extends Module implements Iterable<M> {
  /**
   * The member at an index, counted from the end where it is negative; an assignment replaces one. Throws IndexError.
   */
  [index: number]: M;

  override [MISSING](name: string): unknown {
    const index = indexOfName(name);
    return index === null ? this[HELD].get(name) : this.at(index);
  }
  override [ASSIGN](name: string, value: unknown): void {
    const index = indexOfName(name);
    if (index !== null) this.replace(this.place(`[${name}]`, index, this.length - 1), value as M);
    else if (value instanceof Module || this[HELD].has(name))
      this[HELD].set(checkKey(this.constructor.name, name), checked(this.constructor.name, value));
    else super[ASSIGN](name, value);
  }
  protected override holdModule(op: string, name: string, module: Module | null): void {
    this[HELD].set(checkKey(op, name), checked(op, module));
  }
  protected override get holdsModules(): boolean {
    return true;
  }
  /** Puts a module in the place of a member. */
  protected replace(place: number, module: M): void {
    this[HELD].set([...this[HELD].keys()][place], checked(this.constructor.name, module));
  }
  protected list(): M[] {
    return [...this[HELD].values()] as M[];
  }
  /** Puts these members in the place of all. */
  protected setList(list: readonly M[]): void {
    this[HELD].clear();
    list.forEach((module, i) => {
      this[HELD].set(String(i), checked(this.constructor.name, module));
    });
  }
  override get length(): number {
    return this[HELD].size;
  }
  [Symbol.iterator](): Iterator<M> {
    return this.list()[Symbol.iterator]();
  }
  /** The member at an index, counted from the end where it is negative. Throws IndexError. */
  at(index: number): M {
    return this.list()[this.place('at', index, this.length - 1)];
  }
  protected place(op: string, index: number, last: number): number {
    return placeOf(`${this.constructor.name}.${op}`, index, this.length, last);
  }
  append(module: M): this {
    this[HELD].set(String(this.length), checked(this.constructor.name, module));
    return this;
  }
  extend(modules: Iterable<M>): this {
    for (const module of listOf<M>(`${this.constructor.name}.extend`, 'an array or iterable of modules', modules))
      this.append(module);
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

/** The module itself, or an ArgumentError. */
export function checked<M>(op: string, module: M): M {
  if (!(module instanceof Module)) fail(ArgumentError, op, 'modules', describe(module));
  return module;
}

/** Calls its members one after another, each with what the one before returned (torch.nn.Sequential). */
export class Sequential extends IndexedModules<Module> {
  /**
   * @param modules the members, or one object (or Map) of them by name. Throws ArgumentError for what is not a module.
   */
  constructor(...modules: Module[] | [Readonly<Record<string, Module>> | ReadonlyMap<string, Module>]) {
    super();
    const first: unknown = modules[0];
    if (modules.length === 1 && (isOptions(first) || first instanceof Map)) {
      for (const [name, module] of first instanceof Map ? first : Object.entries(first))
        this.holdModule('Sequential', String(name), module as Module);
    } else this.setList(modules as Module[]);
  }
  /** The member of an index or a name. */
  get(key: number | string): Module {
    if (typeof key === 'number') return this.at(key);
    return (
      (this[HELD].get(key) as Module | undefined) ??
      fail(IndexError, 'Sequential.get', `one of ${[...this[HELD].keys()].join(', ')}`, describe(key))
    );
  }
  /** Puts a module in the place of a member. */
  set(index: number, module: Module): this {
    this.replace(this.place('set', index, this.length - 1), module);
    return this;
  }
  /** The members of a range, as a Sequential that shares them. */
  slice(start?: number, end?: number): Sequential {
    checkBounds('Sequential.slice', start, end);
    return new Sequential(new Map([...this[HELD]].slice(start, end) as [string, Module][]));
  }
  override forward(input: Tensor): Tensor {
    let x = input;
    for (const module of this[HELD].values()) x = (module as Layer)(x);
    return x;
  }
}

/** Members in a list, whose use is up to the forward of whoever holds it (torch.nn.ModuleList). */
export class ModuleList<M extends Module = Layer> extends IndexedModules<M> {
  /** @param modules the members. Throws ArgumentError for what is not a module. */
  constructor(modules: Iterable<M> = []) {
    super();
    this.setList(listOf<M>('ModuleList', 'an array or iterable of modules', modules));
  }
  get(index: number): M {
    return this.at(index);
  }
  /** Puts a module in the place of a member. */
  set(index: number, module: M): this {
    this.replace(this.place('set', index, this.length - 1), module);
    return this;
  }
  /** The members of a range, as a list that shares them. */
  slice(start?: number, end?: number): ModuleList<M> {
    checkBounds('ModuleList.slice', start, end);
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
    return runs.map(({ from, to, text }) =>
      indented(from === to ? `(${from}): ${text}` : `(${from}-${to}): ${to - from + 1} x ${text}`),
    );
  }
}
