/**
 * A weight that is computed from other tensors before each call of its module, by a forward pre-hook: the older form of
 * spectral and weight normalisation. The weight itself is then a plain property, and no parameter.
 */
import { noGrad } from '../../autograd/grad-mode.js';
import { ArgumentError, describe, fail } from '../../errors.js';
import { detach } from '../../ops/core/convert.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { ForwardPreHook } from '../hooks.js';
import { Module } from '../module.js';
import { HOOKS } from '../module-hooks.js';
import { Parameter } from '../parameter.js';

/** What a hook computes. */
interface Purpose {
  /** 'spectral norm' or 'weight norm'. */
  readonly kind: string;
  /** The weight's property; what it is computed from has this name with a suffix. */
  readonly property: string;
  readonly suffixes: readonly string[];
  /** The weight; `training`: the module is called while it trains. */
  readonly compute: (module: Module, training: boolean) => Tensor;
}
/** By hook, since copies of a module share its hooks. */
const purposes = new WeakMap<ForwardPreHook, Purpose>();

function purposesOf(module: Module): [ForwardPreHook, Purpose][] {
  return module[HOOKS].forwardPre.all().flatMap((hook): [ForwardPreHook, Purpose][] => {
    const purpose = purposes.get(hook);
    return purpose === undefined ? [] : [[hook, purpose]];
  });
}

/**
 * A parameter or buffer of a module, by its property or its key in state dicts. Throws ArgumentError where there is
 * none.
 */
export function tensorOf(op: string, module: Module, name: string): { property: string; key: string; tensor: Tensor } {
  if (!(module instanceof Module)) fail(ArgumentError, op, 'a module', describe(module));
  for (const own of module.ownTensors()) if (own.property === name || own.key === name) return own;
  return fail(ArgumentError, op, `the name of a parameter of ${module.constructor.name}`, describe(name));
}

/** The property of a module that a reparametrization made. */
export function read(module: Module, property: string): Tensor {
  return (module as unknown as Record<string, Tensor>)[property];
}
function write(module: Module, property: string, value: Tensor): void {
  (module as unknown as Record<string, Tensor>)[property] = value;
}

/**
 * Takes a parameter out, registers what it is computed from (keys in state dicts: its own with the suffixes in lower
 * case), and computes it from now on.
 */
export function installWeightHook(
  op: string,
  module: Module,
  name: string,
  parts: Readonly<Record<string, Tensor>>,
  kind: string,
  compute: (read: (suffix: string) => Tensor, training: boolean) => Tensor,
): void {
  const { property, key, tensor } = tensorOf(op, module, name);
  Reflect.deleteProperty(module, property);
  for (const [suffix, value] of Object.entries(parts))
    module.registerTensor(property + suffix, `${key}_${suffix.toLowerCase()}`, value);
  write(module, property, detach(tensor));
  const purpose: Purpose = {
    kind,
    property,
    suffixes: Object.keys(parts),
    compute: (host, training) => compute((suffix) => read(host, property + suffix), training),
  };
  const hook: ForwardPreHook = (host) => {
    write(host, property, purpose.compute(host, host.training));
  };
  purposes.set(hook, purpose);
  module.registerForwardPreHook(hook);
}

/** Makes the computed weight the parameter again. Throws ArgumentError where no such hook is there. */
export function removeWeightHook<M extends Module>(op: string, module: M, name: string, kind: string): M {
  if (!(module instanceof Module)) fail(ArgumentError, op, 'a module', describe(module));
  const found = purposesOf(module).find(
    ([, purpose]) => purpose.kind === kind && (purpose.property === name || module.stateKey(purpose.property) === name),
  );
  if (found === undefined)
    fail(ArgumentError, op, `a module with ${kind} of ${describe(name)}`, module.constructor.name);
  const [hook, { property, suffixes, compute }] = found;
  const weight = noGrad(() => compute(module, false));
  module[HOOKS].forwardPre.removeWhere((own) => own === hook);
  for (const suffix of ['', ...suffixes]) Reflect.deleteProperty(module, property + suffix);
  module.registerParameter(property, new Parameter(weight));
  return module;
}
