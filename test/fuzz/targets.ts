/**
 * What can be called: every function, class, method and accessor within reach of the package's entry, and the samples
 * of the generic tests with other tensors. `drawCall` makes one call of a stream of choices.
 */

import { publicFunctions, signatures } from '../../lib/dispatch/define-function.js';
import * as nodegrad from '../../lib/index.js';
import { nn, Tensor } from '../../lib/index.js';
import '../samples/index.js';
import { allSamples, type Samples } from '../samples/sample.js';
import { anyArguments, argumentsFor, changed, changedArguments, familyOf } from './arguments.js';
import { type ClassStart, classStarts } from './class-starts.js';
import { functionStarts } from './function-starts.js';
import { isInternal } from './internal-members.js';
import { Maker } from './maker.js';
import { inGraph, oddTensor } from './odd-tensors.js';
import type { Choices } from './random.js';
import { show } from './show.js';
import { oddValue } from './values.js';

/** One call, ready to be made. */
export interface Call {
  /** The public name of what is called. */
  readonly name: string;
  /** The call as a report prints it. */
  readonly text: string;
  /** Tensors that the call is given: an error must leave them as they are. */
  readonly tensors: readonly Tensor[];
  readonly run: () => unknown;
}

/** What is not called, each with its reason. */
export const EXCLUDED: Readonly<Record<string, string>> = {
  'utils.data.readImage': 'reads a file through a package that is not always installed',
  'utils.data.writeImage': 'writes a file through a package that is not always installed',
};

type AnyFunction = (...args: unknown[]) => unknown;
type AnyClass = new (...args: unknown[]) => object;

const isClass = (value: unknown): value is AnyClass =>
  typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));

interface Found {
  readonly functions: Map<string, AnyFunction>;
  readonly classes: Map<string, AnyClass>;
}

/** All functions and classes by their public names; what has several names is found under each. */
function walk(): Found {
  const functions = new Map<string, AnyFunction>();
  const classes = new Map<string, AnyClass>();
  const visit = (owner: object, prefix: string, depth: number): void => {
    for (const [key, value] of Object.entries(owner)) {
      const name = prefix + key;
      if (name in EXCLUDED) continue;
      if (isClass(value)) classes.set(name, value);
      else if (typeof value === 'function') functions.set(name, value as AnyFunction);
      // Namespaces, not instances or typed arrays.
      if (
        typeof value === 'object' &&
        value !== null &&
        depth < 3 &&
        (Object.getPrototypeOf(value) === null || Object.getPrototypeOf(value) === Object.prototype)
      )
        visit(value as object, `${name}.`, depth + 1);
    }
  };
  visit(nodegrad, '', 0);
  return { functions, classes };
}

const { functions, classes } = walk();
const functionNames = [...functions.keys()];
const sampleEntries = [...allSamples.values()];

/** Names of methods and accessors of a prototype and those that it inherits. */
function members(prototype: object): { methods: string[]; getters: string[]; setters: string[] } {
  const methods = new Set<string>();
  const getters = new Set<string>();
  const setters = new Set<string>();
  const hidden = new Set<string>();
  for (
    let p: object | null = prototype;
    p !== null && p !== Object.prototype && p !== Function.prototype && p !== Array.prototype;
    p = Object.getPrototypeOf(p) as object | null
  ) {
    for (const [name, own] of Object.entries(Object.getOwnPropertyDescriptors(p))) {
      if (isInternal(p.constructor.name, name)) hidden.add(name);
      if (name === 'constructor' || (name in Object.prototype && name !== 'toString')) continue;
      if (typeof own.value === 'function') methods.add(name);
      if (own.get !== undefined) getters.add(name);
      if (own.set !== undefined) setters.add(name);
    }
  }
  const shown = (names: Set<string>): string[] => [...names].filter((name) => !hidden.has(name));
  return { methods: shown(methods), getters: shown(getters), setters: shown(setters) };
}

const tensorMembers = members(Tensor.prototype);

/** Starting points that draw on one stream of choices. */
export class Starts {
  readonly functions: Readonly<Record<string, () => unknown[]>>;
  readonly classes: Readonly<Record<string, ClassStart>>;

  constructor(c: Choices) {
    const maker = new Maker(c);
    this.functions = functionStarts(maker);
    this.classes = classStarts(maker);
  }
}

/** Classes that neither have a start nor are excluded; errors need none. */
export function classesWithoutStart(starts: Starts): string[] {
  return [...classes]
    .filter(([name, value]) => !(name in starts.classes) && !(value.prototype instanceof Error))
    .map(([name]) => name);
}

/** Starts of classes and functions that do not exist. */
export function startsWithoutTarget(starts: Starts): string[] {
  return [
    ...Object.keys(starts.classes).filter((name) => !classes.has(name)),
    ...Object.keys(starts.functions).filter((name) => !functions.has(name)),
  ];
}

function tensorsIn(value: unknown, depth = 0, out: Tensor[] = []): Tensor[] {
  if (value instanceof Tensor) out.push(value);
  else if (Array.isArray(value) && depth < 3 && value.length < 10)
    for (const item of value) tensorsIn(item, depth + 1, out);
  else if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype &&
    depth < 3
  )
    for (const own of Object.values(Object.getOwnPropertyDescriptors(value)) as PropertyDescriptor[])
      tensorsIn(own.value, depth + 1, out);
  return out;
}

const listed = (args: readonly unknown[]): string => args.map((arg) => show(arg)).join(', ');

function functionCall(c: Choices, starts: Starts): Call {
  const name = c.pick(functionNames);
  const fn = functions.get(name) as AnyFunction;
  const start = starts.functions[name] as (() => unknown[]) | undefined;
  const parameters = signatures.get(fn)?.parameters;
  let args: unknown[];
  if (start !== undefined && c.chance(0.7)) args = changedArguments(c, start());
  else if (parameters !== undefined && c.chance(0.9)) args = argumentsFor(c, parameters);
  else args = anyArguments(c);
  return { name, text: `${name}(${listed(args)})`, tensors: tensorsIn(args), run: () => fn(...args) };
}

function sampleCall(c: Choices): Call {
  const entry: Samples = c.pick(sampleEntries);
  const sample = c.pick(entry.cases);
  const inputs = sample.inputs.map((x) => {
    const next = c.chance(0.5) ? changed(c, x) : x.detach();
    return next instanceof Tensor ? inGraph(c, next) : x.detach();
  });
  return {
    name: entry.fn,
    text: `${entry.fn}, sample '${sample.name}', inputs ${listed(inputs)}`,
    tensors: inputs,
    run: () => sample.call(...inputs),
  };
}

function tensorCall(c: Choices, starts: Starts): Call {
  const { methods, getters, setters } = tensorMembers;
  const family = familyOf(c);
  let target: Tensor = inGraph(c, oddTensor(c, c.chance(0.8) ? family : {}));
  if (c.chance(0.03)) {
    const name = c.pick(getters);
    return {
      name: `Tensor.${name}`,
      text: `${show(target)}.${name}`,
      tensors: [target],
      run: () => (target as unknown as Record<string, unknown>)[name],
    };
  }
  if (c.chance(0.05)) {
    const name = c.pick(setters);
    const value = c.chance(0.3) ? oddTensor(c, family) : oddValue(c);
    return {
      name: `Tensor.${name}`,
      text: `${show(target)}.${name} = ${show(value)}`,
      tensors: [target],
      run: () => Reflect.set(target, name, value),
    };
  }
  const name = c.pick(methods);
  const plain = name.endsWith('_') ? name.slice(0, -1) : name;
  const fn = functions.get(name) ?? functions.get(plain) ?? functions.get(`nn.functional.${plain}`);
  const { parameters } = signatures.get(fn) ?? signatures.get(publicFunctions.get(`Tensor.${name}`)) ?? {};
  const start = starts.functions[plain] as (() => unknown[]) | undefined;
  let args: unknown[];
  if (start !== undefined && c.chance(0.6)) {
    const [first, ...rest] = start();
    if (first instanceof Tensor) target = first;
    args = changedArguments(c, rest);
  } else if (parameters !== undefined && c.chance(0.9))
    args = argumentsFor(c, ['input', ...parameters.slice(1)]).slice(1);
  else args = anyArguments(c);
  const method = (target as unknown as Record<string, AnyFunction>)[name];
  return {
    name: `Tensor.${name}`,
    text: `${show(target)}.${name}(${listed(args)})`,
    tensors: [target, ...tensorsIn(args)],
    run: () => method.apply(target, args),
  };
}

/** Layers that a call makes at most, where it does not ask for more than there can be. */
const MOST_LAYERS = 100;

/**
 * An instance by right arguments, or the constructor by odd ones; then a method, an accessor or a call of the instance.
 */
function classCall(c: Choices, starts: Starts): Call {
  const name = c.pick(Object.keys(starts.classes).filter((key) => classes.has(key)));
  const Class = classes.get(name) as AnyClass;
  const { make, instance, calls = {}, layers = [] }: ClassStart = starts.classes[name];
  const odd = c.chance(0.45);
  const args = c.chance(0.1) ? anyArguments(c) : odd ? changedArguments(c, make()) : make();
  for (const place of layers)
    if (typeof args[place] === 'number' && args[place] > MOST_LAYERS && args[place] < 2 ** 31)
      args[place] = MOST_LAYERS;
  const statics = Object.getOwnPropertyNames(Class).filter(
    (key) => typeof (Class as unknown as Record<string, unknown>)[key] === 'function' && key !== 'prototype',
  );
  if (statics.length > 0 && c.chance(0.1)) {
    const key = c.pick(statics);
    const given = anyArguments(c);
    return {
      name: `${name}.${key}`,
      text: `${name}.${key}(${listed(given)})`,
      tensors: tensorsIn(given),
      run: () => (Class as unknown as Record<string, AnyFunction>)[key](...given),
    };
  }
  const { methods, getters, setters } = members(Class.prototype as object);
  const made = instance === undefined ? `new ${name}(${listed(args)})` : `an instance of ${name}`;
  const construct = instance ?? ((): object => Reflect.construct(Class, args));
  const callable = Class.prototype instanceof nn.Module || Class === (nn.Module as unknown);
  const meant = Object.keys(calls);
  const kind = c.unit();
  if (kind < 0.2 || methods.length + meant.length === 0)
    return { name, text: made, tensors: tensorsIn(args), run: construct };
  if (kind < 0.27 && getters.length + setters.length > 0) {
    const get = setters.length === 0 || c.chance(0.6);
    const key = c.pick(get ? getters : setters);
    const value = oddValue(c);
    return {
      name: `${name}.${key}`,
      text: `${made}.${key}${get ? '' : ` = ${show(value)}`}`,
      tensors: tensorsIn(args),
      run: () => {
        const object = construct();
        return get ? (object as Record<string, unknown>)[key] : Reflect.set(object, key, value);
      },
    };
  }
  const useMeant = meant.length > 0 && c.chance(callable ? 0.8 : 0.6);
  const key = useMeant ? (callable && c.chance(0.7) ? '' : c.pick(meant)) : c.pick(methods);
  const base = useMeant ? calls[key]() : anyArguments(c);
  const given = useMeant ? (c.chance(odd ? 0.5 : 0.85) ? changedArguments(c, base) : base) : base;
  const twice = c.chance(0.2);
  return {
    name: key === '' ? name : `${name}.${key}`,
    text: `${made}${key === '' ? '' : `.${key}`}(${listed(given)})${twice ? ', twice' : ''}`,
    tensors: tensorsIn([...args, ...given]),
    run: async () => {
      const object = construct() as Record<string, AnyFunction>;
      const call = (): unknown => (key === '' ? (object as unknown as AnyFunction)(...given) : object[key](...given));
      const result = await call();
      return twice ? [result, await call()] : result;
    },
  };
}

/** The call that a stream of choices stands for. */
export function drawCall(c: Choices): Call {
  const starts = new Starts(c);
  const kind = c.unit();
  if (kind < 0.35) return functionCall(c, starts);
  if (kind < 0.45) return sampleCall(c);
  if (kind < 0.7) return tensorCall(c, starts);
  return classCall(c, starts);
}
