/** Modules that hold parameters: ParameterList, ParameterDict. A plain tensor becomes a parameter. */
import { ArgumentError, describe, fail, IndexError } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { Parameter } from './parameter.js';

abstract class Parameters extends Module {
  override get length(): number {
    return this.held.size;
  }
  protected hold(name: string, value: Tensor): void {
    if (!(value instanceof Tensor)) fail(ArgumentError, this.constructor.name, 'parameters or tensors', describe(value));
    this.held.set(name, value instanceof Parameter ? value : new Parameter(value, value.info.floating));
  }
  override extraRepr(): string {
    return [...this.held].map(([name, value]) => `  (${name}): ${summary(value as Parameter)}`).join('\n');
  }
}

function summary(parameter: Parameter): string {
  return `Parameter containing: [torch.${parameter.dtype} of size ${parameter.shape.join('x')}]`;
}

/** Parameters in a list (torch.nn.ParameterList). */
export class ParameterList extends Parameters implements Iterable<Parameter> {
  constructor(values: Iterable<Tensor> = []) {
    super();
    this.extend(values);
  }
  private place(op: string, index: number): string {
    const wrapped = index < 0 ? index + this.length : index;
    if (!Number.isInteger(index) || wrapped < 0 || wrapped >= this.length)
      fail(IndexError, `ParameterList.${op}`, `an index in [${-this.length}, ${this.length - 1}]`, describe(index));
    return String(wrapped);
  }
  at(index: number): Parameter {
    return this.held.get(this.place('at', index)) as Parameter;
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
    for (const value of values) this.append(value);
    return this;
  }
  [Symbol.iterator](): Iterator<Parameter> {
    return ([...this.held.values()] as Parameter[])[Symbol.iterator]();
  }
}

/** Parameters by name (torch.nn.ParameterDict). */
export class ParameterDict extends Parameters {
  constructor(values: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]> = {}) {
    super();
    this.update(values);
  }
  has(name: string): boolean {
    return this.held.has(name);
  }
  get(name: string): Parameter {
    return (this.held.get(name) as Parameter | undefined) ?? fail(IndexError, 'ParameterDict.get', `one of ${[...this.held.keys()].join(', ')}`, describe(name));
  }
  set(name: string, value: Tensor): this {
    if (name === '' || name.includes('.')) fail(ArgumentError, 'ParameterDict.set', 'a name that is not empty and has no dot', describe(name));
    this.hold(name, value);
    return this;
  }
  delete(name: string): boolean {
    return this.held.delete(name);
  }
  update(values: Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]>): this {
    const entries = Symbol.iterator in values ? (values as Iterable<readonly [string, Tensor]>) : Object.entries(values as Record<string, Tensor>);
    for (const [name, value] of entries) this.set(name, value);
    return this;
  }
  keys(): string[] {
    return [...this.held.keys()];
  }
  values(): Parameter[] {
    return [...this.held.values()] as Parameter[];
  }
  items(): [string, Parameter][] {
    return [...this.held] as [string, Parameter][];
  }
  [Symbol.iterator](): Iterator<string> {
    return this.keys()[Symbol.iterator]();
  }
}
