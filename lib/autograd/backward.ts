/** `backward` and `grad`: the public ways to ask for gradients, and the checks of what was asked. */
import { ArgumentError, AutogradError, fail, rejectUnknownOptions, ShapeError } from '../errors.js';
import { elementCount, sameShape } from '../shape/layout.js';
import { collectAfterBackward } from '../storage/pool.js';
import { Tensor } from '../tensor/tensor.js';
import { filledTensor } from '../ops/cast.js';
import { walkBackward } from './engine.js';
import { gradientOperators } from './gradient-operators.js';
import { gradientNode } from './graph.js';

/** Options of `backward`. */
export interface BackwardOptions {
  /** The gradient of the tensor itself; default: one, for a single element. */
  gradient?: Tensor | null;
  /** Keep what was saved, so that backward can be called again. Default: the value of createGraph. */
  retainGraph?: boolean;
  /** Record the derivative itself, so that it can be differentiated. Default false. */
  createGraph?: boolean;
  /** Accumulate only into these tensors. */
  inputs?: Tensor | readonly Tensor[];
}

/** Options of `autograd.grad`. */
export interface GradOptions {
  gradOutputs?: Tensor | readonly (Tensor | null)[] | null;
  retainGraph?: boolean;
  createGraph?: boolean;
  /** Give null for an input that the outputs do not depend on, instead of an error. Default: the value of materializeGrads. */
  allowUnused?: boolean;
  /** Give zeros for such an input. Default false. */
  materializeGrads?: boolean;
}

const BACKWARD_OPTIONS = ['gradient', 'retainGraph', 'createGraph', 'inputs'];
const GRAD_OPTIONS = ['gradOutputs', 'retainGraph', 'createGraph', 'allowUnused', 'materializeGrads'];

/** The given gradients of the outputs, checked, with ones for single elements. */
function startingGradients(op: string, outputs: readonly Tensor[], given: readonly (Tensor | null | undefined)[]): Tensor[] {
  return outputs.map((output, i) => {
    if (!(output instanceof Tensor)) fail(ArgumentError, op, 'tensors', String(output));
    if (gradientNode(output) === null)
      throw new AutogradError(`${op}: expected a tensor that requires grad, got one without a graph (output ${i}, ${output.dtype}[${output.shape}])`);
    const gradient = given[i];
    if (gradient === null || gradient === undefined) {
      if (elementCount(output.shape) !== 1)
        throw new AutogradError(`${op}: expected a gradient for an output of several elements, got none (output ${i}, ${output.dtype}[${output.shape}])`);
      return filledTensor(output.shape, output.info, 1);
    }
    if (!sameShape(gradient.shape, output.shape)) fail(ShapeError, op, `a gradient of shape [${output.shape}]`, `[${gradient.shape}]`, { output: i });
    gradient.storage.shared = true;
    return gradient;
  });
}

/** The sum of gradients of `tensors` with respect to the leaves of the graph, added to each leaf's `grad`. */
export function backward(tensors: Tensor | readonly Tensor[], gradTensors?: Tensor | readonly (Tensor | null)[] | null, options: Omit<BackwardOptions, 'gradient'> = {}): void {
  rejectUnknownOptions('backward', options, BACKWARD_OPTIONS.slice(1));
  const outputs = tensors instanceof Tensor ? [tensors] : tensors;
  const given = gradTensors instanceof Tensor ? [gradTensors] : (gradTensors ?? []);
  const createGraph = options.createGraph ?? false;
  const inputs = options.inputs === undefined ? undefined : options.inputs instanceof Tensor ? [options.inputs] : options.inputs;
  if (inputs !== undefined && inputs.length === 0) fail(ArgumentError, 'backward', 'at least one of inputs', 'an empty list');
  const gradients = startingGradients('backward', outputs, given);
  const retainGraph = options.retainGraph ?? createGraph;
  if (inputs === undefined) {
    walkBackward(outputs, gradients, { retainGraph, createGraph });
    if (!retainGraph) collectAfterBackward();
    return;
  }
  for (const input of inputs) if (gradientNode(input) === null) fail(AutogradError, 'backward', 'inputs that require grad', `${input.dtype}[${input.shape}] that does not`);
  const results = walkBackward(outputs, gradients, { retainGraph, createGraph, captures: inputs });
  inputs.forEach((input, i) => {
    const gradient = results[i];
    if (gradient === null) return;
    input.gradient = input.gradient === null ? gradient : gradientOperators.add(input.gradient, gradient);
  });
}

/** The sum of gradients of `outputs` with respect to each of `inputs`, without touching any `grad`. */
export function grad(outputs: Tensor | readonly Tensor[], inputs: Tensor | readonly Tensor[], options: GradOptions = {}): (Tensor | null)[] {
  rejectUnknownOptions('grad', options, GRAD_OPTIONS);
  const outs = outputs instanceof Tensor ? [outputs] : outputs;
  const ins = inputs instanceof Tensor ? [inputs] : inputs;
  const { createGraph = false, materializeGrads = false } = options;
  const allowUnused = options.allowUnused ?? materializeGrads;
  const given = options.gradOutputs instanceof Tensor ? [options.gradOutputs] : (options.gradOutputs ?? []);
  const gradients = startingGradients('grad', outs, given);
  ins.forEach((input, i) => {
    if (gradientNode(input) === null && !allowUnused)
      throw new AutogradError(`grad: expected inputs that require grad, got input ${i} that does not (${input.dtype}[${input.shape}])`);
  });
  const results = walkBackward(outs, gradients, { retainGraph: options.retainGraph ?? createGraph, createGraph, captures: ins });
  return results.map((result, i) => {
    if (result !== null) return result;
    if (materializeGrads) {
      return filledTensor(ins[i].shape, ins[i].info, 0);
    }
    if (!allowUnused)
      throw new AutogradError(
        `grad: expected outputs that depend on every input, got none that depends on input ${i} (${ins[i].dtype}[${ins[i].shape}]); pass { allowUnused: true } for null`,
      );
    return null;
  });
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** Adds the gradients of this tensor to the `grad` of every leaf that it depends on. */
    backward(gradient?: Tensor | null | BackwardOptions, retainGraph?: boolean, createGraph?: boolean, options?: BackwardOptions): void;
  }
}
Tensor.prototype.backward = function (this: Tensor, first, retainGraph, createGraph, last = {}) {
  const options: BackwardOptions = first instanceof Tensor || first === null || first === undefined ? { ...last } : { ...first };
  rejectUnknownOptions('backward', options, BACKWARD_OPTIONS);
  if (first instanceof Tensor) options.gradient = first;
  if (retainGraph !== undefined) options.retainGraph = retainGraph;
  if (createGraph !== undefined) options.createGraph = createGraph;
  const { gradient, ...rest } = options;
  backward(this, gradient, rest);
};
