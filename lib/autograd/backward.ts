/** `backward` and `grad`: the public functions that compute gradients, and the checks of their arguments. */
import { type Arguments, checkBoolean, readArguments } from '../arguments.js';
import { ArgumentError, AutogradError, describe, fail, ShapeError } from '../errors.js';
import { elementCount, sameShape } from '../shape/layout.js';
import { collectAfterBackward } from '../storage/pool.js';
import { filledTensor } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { walkBackward } from './engine.js';
import { gradientOperators } from './gradient-operators.js';
import { gradientNode } from './graph.js';

type Tensors = Tensor | Iterable<Tensor>;
type Gradients = Tensor | Iterable<Tensor | null> | null;

/** Options of `Tensor.backward`. */
export interface BackwardOptions {
  /** The gradient of the tensor itself; default: one, for a single element. */
  gradient?: Tensor | null;
  /** Keep what was saved, so that backward can be called again. Default: the value of createGraph. */
  retainGraph?: boolean | null;
  /** Record the derivative itself, so that it can be differentiated. Default false. */
  createGraph?: boolean;
  /** Accumulate only into these tensors. */
  inputs?: Tensors | null;
}

/** Options of `autograd.backward`. */
export interface BackwardAllOptions extends Omit<BackwardOptions, 'gradient'> {
  /** The gradients of the tensors; default: ones, for single elements. */
  gradTensors?: Gradients;
}

/** Options of `autograd.grad`. */
export interface GradOptions {
  /** The gradients of the outputs; default: ones, for single elements. */
  gradOutputs?: Gradients;
  /** Keep what was saved, so that the graph can be used again. Default: the value of createGraph. */
  retainGraph?: boolean | null;
  /** Record the derivative itself, so that it can be differentiated. Default false. */
  createGraph?: boolean;
  /** Only true, as in PyTorch, which ignores it. */
  onlyInputs?: boolean;
  /**
   * Return null for an input that the outputs do not depend on, instead of throwing. Default: the value of
   * materializeGrads.
   */
  allowUnused?: boolean | null;
  /** The first dimension of gradOutputs counts a batch of gradients; so does that of the results. Default false. */
  isGradsBatched?: boolean;
  /** Give zeros for an input that the outputs do not depend on. Default false. */
  materializeGrads?: boolean;
}
/** Options without allowUnused: every gradient is a tensor. */
export type StrictGradOptions = GradOptions & { allowUnused?: false | null };

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
/** `value` as a list of tensors. */
function tensorList(op: string, name: string, value: unknown): readonly Tensor[] {
  if (value instanceof Tensor) return [value];
  if (!isIterable(value)) fail(ArgumentError, op, `a tensor or a list of tensors for ${name}`, describe(value));
  return [...value].map((item) =>
    item instanceof Tensor ? item : fail(ArgumentError, op, `tensors for ${name}`, describe(item)),
  );
}
/** `value` as a list of `count` gradients, some of which may be missing. */
function gradientList(op: string, name: string, value: unknown, count: number): readonly (Tensor | null)[] {
  if (value === undefined || value === null) return new Array<null>(count).fill(null);
  const given = value instanceof Tensor ? [value] : value;
  if (!isIterable(given)) fail(ArgumentError, op, `a tensor or a list of tensors for ${name}`, describe(value));
  const list = [...given];
  if (list.length !== count)
    fail(ArgumentError, op, `${count} gradients in ${name}, one an output`, String(list.length));
  return list.map((item) => {
    if (item === null || item === undefined || item instanceof Tensor) return item ?? null;
    return fail(ArgumentError, op, `tensors or null in ${name}`, describe(item));
  });
}

/** Checks the given gradients of the outputs. An output of one element gets the gradient 1 by default. */
function startingGradients(op: string, outputs: readonly Tensor[], given: readonly (Tensor | null)[]): Tensor[] {
  return outputs.map((output, i) => {
    if (gradientNode(output) === null)
      throw new AutogradError(
        `${op}: expected a tensor that requires grad, got one without a graph (output ${i}, ` +
          `${output.dtype}[${output.shape}])`,
      );
    const gradient = given[i];
    if (gradient === null) {
      if (elementCount(output.shape) !== 1)
        throw new AutogradError(
          `${op}: expected a gradient for an output of several elements, got none (output ${i}, ` +
            `${output.dtype}[${output.shape}])`,
        );
      return filledTensor(output.shape, output.info, 1);
    }
    if (!sameShape(gradient.shape, output.shape))
      fail(ShapeError, op, `a gradient of shape [${output.shape}]`, `[${gradient.shape}]`, { output: i });
    gradient.storage.shared = true;
    // A derivative gets gradients of its outputs' types, as in PyTorch's engine.
    return gradient.info === output.info ? gradient : gradientOperators.cast(gradient, output.info);
  });
}

/** Reads the two settings that `backward` and `grad` share. */
function graphSettings(
  op: string,
  options: { retainGraph: unknown; createGraph: unknown },
): { retainGraph: boolean; createGraph: boolean } {
  const { createGraph } = options;
  const retainGraph = options.retainGraph ?? createGraph;
  checkBoolean(op, 'createGraph', createGraph);
  checkBoolean(op, 'retainGraph', retainGraph);
  return { retainGraph: retainGraph as boolean, createGraph: createGraph as boolean };
}

const BACKWARD_DEFAULTS = {
  tensors: undefined as unknown,
  gradTensors: null as unknown,
  retainGraph: null as unknown,
  createGraph: false as unknown,
  inputs: null as unknown,
};

/**
 * Computes the sum of the gradients of `tensors` with respect to the leaves of the graph, and adds it to each leaf's
 * `grad`. All arguments may come by name in one object. Throws ArgumentError for values that are not tensors,
 * AutogradError for tensors without a graph, ShapeError for a gradient of another shape. Source:
 * torch.autograd.backward.
 */
export function backward(
  tensors: Tensors | ({ tensors: Tensors } & BackwardAllOptions),
  ...rest: Arguments<[gradTensors?: Gradients, retainGraph?: boolean | null, createGraph?: boolean], BackwardAllOptions>
): void {
  const given = readArguments('backward', BACKWARD_DEFAULTS, [tensors, ...rest], 4);
  const outputs = tensorList('backward', 'tensors', given.tensors);
  const gradients = gradientList('backward', 'gradTensors', given.gradTensors, outputs.length);
  accumulate(outputs, gradients, graphSettings('backward', given), given.inputs);
}

function accumulate(
  outputs: readonly Tensor[],
  given: readonly (Tensor | null)[],
  settings: { retainGraph: boolean; createGraph: boolean },
  into: unknown,
): void {
  const inputs = into === undefined || into === null ? null : tensorList('backward', 'inputs', into);
  if (inputs !== null && inputs.length === 0)
    fail(ArgumentError, 'backward', 'at least one of inputs', 'an empty list');
  const gradients = startingGradients('backward', outputs, given);
  const { retainGraph } = settings;
  if (inputs === null) {
    walkBackward(outputs, gradients, settings);
    if (!retainGraph) collectAfterBackward();
    return;
  }
  for (const input of inputs)
    if (gradientNode(input) === null)
      fail(AutogradError, 'backward', 'inputs that require grad', `${input.dtype}[${input.shape}] that does not`);
  const results = walkBackward(outputs, gradients, { ...settings, captures: inputs });
  inputs.forEach((input, i) => {
    const gradient = results[i];
    if (gradient === null) return;
    input.gradient = input.gradient === null ? gradient : gradientOperators.add(input.gradient, gradient);
  });
}

const GRAD_DEFAULTS = {
  outputs: undefined as unknown,
  inputs: undefined as unknown,
  gradOutputs: null as unknown,
  retainGraph: null as unknown,
  createGraph: false as unknown,
  onlyInputs: true as unknown,
  allowUnused: null as unknown,
  isGradsBatched: false as unknown,
  materializeGrads: false as unknown,
};

/**
 * Computes the sum of the gradients of `outputs` with respect to each of `inputs`, and changes no `grad`. All arguments
 * may come by name in one object. An input that the outputs do not depend on is an AutogradError, unless `allowUnused`
 * (null for it) or `materializeGrads` (zeros) says otherwise. With `isGradsBatched`, each of `gradOutputs` has one
 * dimension more than its output, the first, and so have the results. Source: torch.autograd.grad.
 */
export function grad(
  outputs: Tensors,
  inputs: Tensors,
  ...rest: Arguments<
    [
      gradOutputs?: Gradients,
      retainGraph?: boolean | null,
      createGraph?: boolean,
      onlyInputs?: boolean,
      allowUnused?: false | null,
    ],
    StrictGradOptions
  >
): Tensor[];
export function grad(
  outputs: Tensors,
  inputs: Tensors,
  ...rest: Arguments<
    [
      gradOutputs?: Gradients,
      retainGraph?: boolean | null,
      createGraph?: boolean,
      onlyInputs?: boolean,
      allowUnused?: boolean | null,
      isGradsBatched?: boolean,
      materializeGrads?: boolean,
    ],
    GradOptions
  >
): (Tensor | null)[];
export function grad(all: { outputs: Tensors; inputs: Tensors } & StrictGradOptions): Tensor[];
export function grad(all: { outputs: Tensors; inputs: Tensors } & GradOptions): (Tensor | null)[];
export function grad(...args: unknown[]): (Tensor | null)[] {
  const op = 'grad';
  const given = readArguments(op, GRAD_DEFAULTS, args);
  const outputs = tensorList(op, 'outputs', given.outputs);
  const inputs = tensorList(op, 'inputs', given.inputs);
  const { allowUnused, materializeGrads } = given;
  for (const key of ['onlyInputs', 'isGradsBatched', 'materializeGrads'] as const) checkBoolean(op, key, given[key]);
  if (given.onlyInputs === false)
    fail(ArgumentError, op, 'onlyInputs: true (use backward to accumulate into leaves)', 'false');
  if (allowUnused !== null) checkBoolean(op, 'allowUnused', allowUnused);
  if (materializeGrads === true && allowUnused === false)
    fail(ArgumentError, op, 'allowUnused true or not given with materializeGrads', 'false');
  const settings = graphSettings(op, given);
  const gradOutputs = gradientList(op, 'gradOutputs', given.gradOutputs, outputs.length);
  inputs.forEach((input, i) => {
    if (gradientNode(input) === null && allowUnused !== true && materializeGrads !== true)
      throw new AutogradError(
        `grad: expected inputs that require grad, got input ${i} that does not (${input.dtype}[${input.shape}])`,
      );
  });
  const results =
    given.isGradsBatched === true
      ? batchedGradients(outputs, inputs, gradOutputs, settings)
      : walkBackward(outputs, startingGradients(op, outputs, gradOutputs), { ...settings, captures: inputs });
  return results.map((result, i) => {
    if (result !== null) return result;
    const { shape, info, dtype } = inputs[i];
    if (materializeGrads === true)
      return filledTensor(given.isGradsBatched === true ? [batchOf(gradOutputs), ...shape] : shape, info, 0);
    if (allowUnused !== true)
      throw new AutogradError(
        `grad: expected outputs that depend on every input, got none that depends on input ${i} ` +
          `(${dtype}[${shape}]); pass { allowUnused: true } for null`,
      );
    return null;
  });
}

/** The number of gradients in a batch. */
function batchOf(gradOutputs: readonly (Tensor | null)[]): number {
  const first = gradOutputs[0];
  if (
    first === null ||
    first === undefined ||
    first.shape.length === 0 ||
    gradOutputs.some((g) => g?.shape[0] !== first.shape[0])
  )
    return fail(
      ShapeError,
      'grad',
      'gradOutputs with a first dimension of one size for isGradsBatched',
      describe(gradOutputs),
    );
  return first.shape[0];
}

/** Walks the graph once for each gradient of the batch, and stacks the results. */
function batchedGradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null)[],
  { retainGraph, createGraph }: { retainGraph: boolean; createGraph: boolean },
): (Tensor | null)[] {
  const count = batchOf(gradOutputs);
  if (count === 0) return inputs.map(({ shape, info }) => filledTensor([0, ...shape], info, 0));
  const rows = Array.from({ length: count }, (_, b) => {
    const gradients = startingGradients(
      'grad',
      outputs,
      gradOutputs.map((g) => (g as Tensor).select(0, b)),
    );
    return walkBackward(outputs, gradients, {
      retainGraph: retainGraph || b < count - 1,
      createGraph,
      captures: inputs,
    });
  });
  return inputs.map((_, i) =>
    rows[0][i] === null ? null : gradientOperators.stack(rows.map((row) => row[i] as Tensor)),
  );
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /**
     * Adds the gradients of this tensor to the `grad` of every leaf that it depends on. Source: torch.Tensor.backward.
     */
    backward(
      ...args: Arguments<
        [gradient?: Tensor | null, retainGraph?: boolean | null, createGraph?: boolean, inputs?: Tensors | null],
        BackwardOptions
      >
    ): void;
  }
}
const METHOD_DEFAULTS = {
  gradient: null as unknown,
  retainGraph: null as unknown,
  createGraph: false as unknown,
  inputs: null as unknown,
};
const PLAIN = { retainGraph: false, createGraph: false };

Tensor.prototype.backward = function (this: Tensor, ...args) {
  if (args.length === 0) {
    accumulate([this], [null], PLAIN, null);
    return;
  }
  const given = readArguments('backward', METHOD_DEFAULTS, args);
  if (given.gradient !== null && !(given.gradient instanceof Tensor))
    fail(ArgumentError, 'backward', 'a tensor for gradient', describe(given.gradient));
  accumulate([this], [given.gradient], graphSettings('backward', given), given.inputs);
};
