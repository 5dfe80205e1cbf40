/**
 * Modules that hold parameters: ParameterList, ParameterDict. A plain tensor becomes a parameter; `list[0]` and
 * `dict.name` find them.
 */
import { ArgumentError, describe, fail, IndexError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { ASSIGN, MISSING } from './callable.js';
import { checkKey, entriesOf, indexOfName, listOf, placeOf } from './container-keys.js';
import { HELD } from './members.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

abstract class Parameters extends Module {
  override get length(): number {
    return this[HELD].size;
  }
  protected hold(name: string, value: Tensor): void {
    if (!(value instanceof Tensor))
      fail(ArgumentError, this.constructor.name, 'parameters or tensors', describe(value));
    this[HELD].set(name, value instanceof Parameter ? value : new Parameter(value, value.info.differentiable));
  }
  override extraRepr(): string {
    return [...this[HELD]].map(([name, value]) => `  (${name}): ${summary(value as Parameter)}`).join('\n');
  }
}

function summary(parameter: Parameter): string {
  return `Parameter containing: [torch.${parameter.dtype} of size ${parameter.shape.join('x')}]`;
}

/** Parameters in a list (torch.nn.ParameterList). */
export class ParameterList extends Parameters implements Iterable<Parameter> {
  /**
   * The parameter at an index, counted from the end where it is negative; an assignment replaces one. Throws
   * IndexError.
   */
  [index: number]: Parameter;

  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }
  override [MISSING](name: string): unknown {
    const index = indexOfName(name);
    return index === null ? undefined : this.at(index);
  }
  override [ASSIGN](name: string, value: unknown): void {
    const index = indexOfName(name);
    if (index === null) super[ASSIGN](name, value);
    else this.set(index, value as Tensor);
  }
  private place(op: string, index: number): string {
    return String(placeOf(`ParameterList.${op}`, index, this.length));
  }
  at(index: number): Parameter {
    return this[HELD].get(this.place('at', index)) as Parameter;
  }
  get(index: number): Parameter {
    return this.at(index);
  }
  set(index: number, value: Tensor): this {
    this.hold(this.place('set', index), value);
    return this;
  }
  append(value: Tensor): this {
    this.hold(String(this.length), value);
    return this;
  }
  extend(values: Iterable<Tensor>): this {
    for (const value of listOf<Tensor>('ParameterList', 'an array or iterable of tensors', values)) this.append(value);
    return this;
  }
  [Symbol.iterator](): Iterator<Parameter> {
    return ([...this[HELD].values()] as Parameter[])[Symbol.iterator]();
  }
}

/** Parameters by name (torch.nn.ParameterDict). */
export class ParameterDict extends Parameters {
  constructor(values: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]> = {}) {
    super();
    this.update(values);
  }
  override [MISSING](name: string): unknown {
    return this[HELD].get(name);
  }
  override [ASSIGN](name: string, value: unknown): void {
    if (value instanceof Tensor || this[HELD].has(name)) this.set(name, value as Tensor);
    else super[ASSIGN](name, value);
  }
  has(name: string): boolean {
    return this[HELD].has(name);
  }
  get(name: string): Parameter {
    return (
      (this[HELD].get(name) as Parameter | undefined) ??
      fail(IndexError, 'ParameterDict.get', `one of ${[...this[HELD].keys()].join(', ')}`, describe(name))
    );
  }
  set(name: string, value: Tensor): this {
    this.hold(checkKey('ParameterDict', name), value);
    return this;
  }
  delete(name: string): boolean {
    return this[HELD].delete(name);
  }
  update(values: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]>): this {
    for (const [name, value] of entriesOf<Tensor>('ParameterDict', values)) this.set(name, value);
    return this;
  }
  keys(): string[] {
    return [...this[HELD].keys()];
  }
  values(): Parameter[] {
    return [...this[HELD].values()] as Parameter[];
  }
  items(): [string, Parameter][] {
    return [...this[HELD]] as [string, Parameter][];
  }
  [Symbol.iterator](): Iterator<string> {
    return this.keys()[Symbol.iterator]();
  }
}
