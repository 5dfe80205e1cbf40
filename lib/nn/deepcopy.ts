/** Python's copy.deepcopy for modules, tensors and plain data: what is shared inside stays shared inside the copy. */
import { AutogradError } from '../errors.js';
import { castAs } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';

/**
 * A copy of `value` and of all that it holds; functions and instances of other classes are shared. Throws AutogradError
 * for a tensor that is not a leaf.
 */
export function deepcopy<T>(value: T): T {
  const seen = new Map<unknown, unknown>();
  const copy = <V>(item: V): V => {
    if (seen.has(item)) return seen.get(item) as V;
    const twin = twinOf(item, copy, seen);
    seen.set(item, twin);
    return twin as V;
  };
  return copy(value);
}

function twinOf(item: unknown, copy: <V>(value: V) => V, seen: Map<unknown, unknown>): unknown {
  if (item instanceof Module) return item.deepcopyWith(copy, seen);
  if (item instanceof Tensor) return tensorTwin(item);
  if (Array.isArray(item)) {
    const twin: unknown[] = [];
    seen.set(item, twin);
    for (const value of item) twin.push(copy(value));
    return Object.isFrozen(item) ? Object.freeze(twin) : twin;
  }
  if (item instanceof Map) return new Map([...item].map(([key, value]) => [copy(key), copy(value)]));
  if (item instanceof Set) return new Set([...item].map((value) => copy(value)));
  if (typeof item === 'object' && item !== null && Object.getPrototypeOf(item) === Object.prototype) {
    const twin: Record<string, unknown> = {};
    seen.set(item, twin);
    for (const [key, value] of Object.entries(item)) twin[key] = copy(value);
    return twin;
  }
  return item;
}

function tensorTwin(item: Tensor): Tensor {
  if (item.node !== null)
    throw new AutogradError(
      `deepcopy: expected tensors that are leaves of the graph, got the result of ${item.node.name} ` +
        `(${item.dtype}[${item.shape}])`,
    );
  const data = castAs(item, item.info);
  const twin =
    item instanceof Parameter
      ? new Parameter(data, item.requiresGrad)
      : item instanceof Buffer
        ? new Buffer(data, item.persistent)
        : data;
  if (!(item instanceof Parameter) && item.requiresGrad) twin.requiresGrad_();
  if (item.gradient !== null) twin.grad = castAs(item.gradient, item.gradient.info);
  return twin;
}
