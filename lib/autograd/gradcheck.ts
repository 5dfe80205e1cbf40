/**
 * Checks derivatives against central differences: `gradcheck` the first derivative, `gradgradcheck` the second. As
 * PyTorch does, it also checks that backward is deterministic, that it accepts missing and non-contiguous gradients,
 * and that gradients have the type of their input. (Slow mode of torch.autograd.gradcheck.)
 */
import { type Arguments, checkBoolean, checkNumber, readArguments } from '../arguments.js';
import { ArgumentError, AutogradError, describe, fail, NodegradError } from '../errors.js';
import { elementCount } from '../shape/layout.js';
import { FLOAT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { castTo, copyInto, filledTensor, fillWith } from '../tensor/copy.js';
import { Tensor, windowOn } from '../tensor/tensor.js';
import { grad } from './backward.js';
import { enableGrad, noGrad } from './grad-mode.js';

type CheckedFunction = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

export interface GradcheckOptions {
  /** Step of the central difference. Default 1e-6. */
  eps?: number;
  /** Absolute tolerance. Default 1e-5. */
  atol?: number;
  /** Relative tolerance. Default 1e-3. */
  rtol?: number;
  /** Throw where a check fails (the default), instead of returning false. */
  raiseException?: boolean;
  /** How far two runs of backward may differ. Default 0. */
  nondetTol?: number;
  /** Check that backward accepts outputs without a gradient. Default true. */
  checkUndefinedGrad?: boolean;
}
const SETTINGS = { eps: 1e-6, atol: 1e-5, rtol: 1e-3, raiseException: true, nondetTol: 0, checkUndefinedGrad: true };

/** A derivative that failed its check. */
export class GradcheckError extends NodegradError {}

interface Settings {
  readonly eps: number;
  readonly atol: number;
  readonly rtol: number;
  readonly nondetTol: number;
  readonly checkUndefinedGrad: boolean;
}

function outputsOf(what: string, fn: CheckedFunction, inputs: readonly Tensor[]): Tensor[] {
  const result: unknown = fn(...inputs);
  const list: unknown[] = Array.isArray(result) ? result : [result];
  for (const item of list)
    if (!(item instanceof Tensor))
      fail(ArgumentError, what, 'a function that returns a tensor or a list of tensors', describe(result));
  return (list as Tensor[]).filter((t) => t.info.differentiable);
}

/** Checks the function and its inputs, which are returned as a list. */
function checkCall(what: string, fn: unknown, inputs: unknown): Tensor[] {
  if (typeof fn !== 'function') fail(ArgumentError, what, 'a function to check', describe(fn));
  const list: unknown = inputs instanceof Tensor ? [inputs] : inputs;
  if (!Array.isArray(list)) fail(ArgumentError, what, 'a tensor or a list of tensors as inputs', describe(inputs));
  for (const input of list)
    if (!(input instanceof Tensor)) fail(ArgumentError, what, 'tensors as inputs', describe(input));
  return list as Tensor[];
}

/** The elements as a float64 array, in logical order. */
function values(t: Tensor): Float64Array {
  return Float64Array.from(castTo(t, FLOAT64).array.subarray(0, elementCount(t.shape)) as Float64Array);
}

function zerosLike(t: Tensor): Tensor {
  return filledTensor(t.shape, t.info, 0);
}

/** The address of element i (in logical order) in the tensor's array. */
function place(t: Tensor, index: number): number {
  let at = 0;
  let rest = index;
  for (let d = t.shape.length - 1; d >= 0; d--) {
    at += (rest % t.shape[d]) * t.strides[d];
    rest = Math.floor(rest / t.shape[d]);
  }
  return at;
}

/** The Jacobian of one output with respect to one input: one row per input element, one column per output element. */
type Jacobian = Float64Array[];

function numericalJacobians(
  what: string,
  fn: CheckedFunction,
  inputs: readonly Tensor[],
  checked: readonly number[],
  counts: readonly number[],
  eps: number,
): Jacobian[][] {
  return checked.map((i) => {
    const input = inputs[i];
    const array = input.array as Float64Array;
    const perOutput: Jacobian[] = counts.map(() => []);
    for (let k = 0; k < elementCount(input.shape); k++) {
      const at = place(input, k);
      const original = array[at];
      const evaluate = (value: number): Float64Array[] => {
        array[at] = value;
        return noGrad(() => outputsOf(what, fn, inputs).map(values));
      };
      const plus = evaluate(original + eps);
      const minus = evaluate(original - eps);
      array[at] = original;
      counts.forEach((count, o) => {
        perOutput[o].push(Float64Array.from({ length: count }, (_, c) => (plus[o][c] - minus[o][c]) / (2 * eps)));
      });
    }
    return perOutput;
  });
}

function gradientsFor(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | null)[],
): (Tensor | null)[] {
  const used = outputs.flatMap((output, o) => (output.requiresGrad && gradOutputs[o] !== null ? [o] : []));
  if (used.length === 0) return inputs.map(() => null);
  return grad(
    used.map((o) => outputs[o]),
    inputs,
    { gradOutputs: used.map((o) => gradOutputs[o]), retainGraph: true, allowUnused: true },
  );
}

function analyticalJacobian(
  outputs: readonly Tensor[],
  o: number,
  inputs: readonly Tensor[],
  nondetTol: number,
): Jacobian[] {
  const rows: Jacobian[] = inputs.map((input) =>
    Array.from({ length: elementCount(input.shape) }, () => new Float64Array(elementCount(outputs[o].shape))),
  );
  for (let c = 0; c < elementCount(outputs[o].shape); c++) {
    const seed = zerosLike(outputs[o]);
    (seed.array as Float64Array)[c] = 1;
    const run = (): (Tensor | null)[] =>
      gradientsFor(
        outputs,
        inputs,
        outputs.map((_, k) => (k === o ? seed : null)),
      );
    const first = run();
    const second = run();
    first.forEach((gradient, i) => {
      if (gradient === null) return;
      if (gradient.info !== inputs[i].info)
        throw new GradcheckError(
          `gradcheck: expected a gradient of dtype ${inputs[i].dtype} for input ${i}, got ${gradient.dtype}`,
        );
      const a = values(gradient);
      const b = values(second[i] as Tensor);
      a.forEach((value, k) => {
        rows[i][k][c] = value;
        if (Math.abs(value - b[k]) > nondetTol)
          throw new GradcheckError(
            `gradcheck: backward is not deterministic: input ${i}, output ${o}: ${value} and then ${b[k]} at ` +
              `element ${k}`,
          );
      });
    });
  }
  return rows;
}

function compare(
  analytical: Jacobian,
  numerical: Jacobian,
  i: number,
  o: number,
  settings: Settings,
  what: string,
): void {
  let worst = 0;
  let message = '';
  for (let k = 0; k < analytical.length; k++) {
    for (let c = 0; c < analytical[k].length; c++) {
      const a = analytical[k][c];
      const n = numerical[k][c];
      const excess = Math.abs(a - n) - (settings.atol + settings.rtol * Math.abs(n));
      if (excess <= 0 || (Number.isNaN(a) && Number.isNaN(n)) || a === n) continue;
      if (message === '' || excess > worst || Number.isNaN(excess)) {
        worst = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess;
        message =
          `${what}: the derivative of output ${o} with respect to input ${i} is wrong: at input element ` +
          `${k}, output element ${c} expected ${n} (numerical), got ${a} (analytical)`;
      }
    }
  }
  if (message !== '') throw new GradcheckError(message);
}

/** A non-contiguous copy of a gradient. */
function spread(t: Tensor): Tensor {
  const n = elementCount(t.shape);
  const wide = allocate([n, 2], t.info);
  fillWith(wide, Number.NaN);
  const strides: number[] = [];
  let step = 2;
  for (let d = t.shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= Math.max(t.shape[d], 1);
  }
  const view = windowOn(wide, [...t.shape], strides, 0);
  copyInto(view, t);
  return view;
}

function checkSpreadGradients(outputs: readonly Tensor[], inputs: readonly Tensor[], what: string): void {
  const seeds = outputs.map((output, o) => {
    const seed = zerosLike(output);
    for (let k = 0; k < elementCount(output.shape); k++) (seed.array as Float64Array)[k] = Math.sin(1 + k + 7 * o);
    return seed;
  });
  const plain = gradientsFor(outputs, inputs, seeds);
  const strided = gradientsFor(outputs, inputs, seeds.map(spread));
  plain.forEach((gradient, i) => {
    const other = strided[i];
    if (gradient === null || other === null) return;
    const a = values(gradient);
    const b = values(other);
    const bad = a.findIndex(
      (value, k) =>
        !(Math.abs(value - b[k]) <= 1e-9 + 1e-9 * Math.abs(value)) && !(Number.isNaN(value) && Number.isNaN(b[k])),
    );
    if (bad >= 0)
      throw new GradcheckError(
        `${what}: a non-contiguous gradient of the outputs changes that of input ${i}: element ${bad} expected ` +
          `${a[bad]}, got ${b[bad]}`,
      );
  });
}

function checkMissingGradients(outputs: readonly Tensor[], inputs: readonly Tensor[], what: string): void {
  if (outputs.length < 2) return;
  outputs.forEach((output, o) => {
    if (!output.requiresGrad) return;
    const seed = zerosLike(output);
    fillWith(seed, 1);
    // Only this output has a gradient. The result must be the same as with zeros for the other outputs.
    const alone = gradientsFor(
      outputs,
      inputs,
      outputs.map((_, k) => (k === o ? seed : null)),
    );
    const withZeros = gradientsFor(
      outputs,
      inputs,
      outputs.map((other, k) => (k === o ? seed : zerosLike(other))),
    );
    inputs.forEach((input, i) => {
      const a = alone[i] === null ? new Float64Array(elementCount(input.shape)) : values(alone[i] as Tensor);
      const b = withZeros[i] === null ? new Float64Array(elementCount(input.shape)) : values(withZeros[i] as Tensor);
      const bad = a.findIndex((value, k) => !(Math.abs(value - b[k]) <= 1e-9 + 1e-9 * Math.abs(value)));
      if (bad >= 0)
        throw new GradcheckError(
          `${what}: a missing gradient of other outputs than ${o} does not count as zero for input ${i}: element ` +
            `${bad} expected ${b[bad]}, got ${a[bad]}`,
        );
    });
  });
}

function runCheck(what: string, fn: CheckedFunction, inputs: readonly Tensor[], settings: Settings): void {
  const checked = inputs.flatMap((input, i) => (input.requiresGrad ? [i] : []));
  if (checked.length === 0) fail(ArgumentError, what, 'at least one input that requires grad', 'none');
  for (const i of checked) {
    if (inputs[i].info !== FLOAT64)
      fail(
        ArgumentError,
        what,
        'float64 inputs (differences in lower precision say nothing)',
        `${inputs[i].dtype} for input ${i}`,
      );
    if (inputs[i].strides.some((s, d) => s === 0 && inputs[i].shape[d] > 1))
      fail(ArgumentError, what, 'inputs whose elements lie apart in memory', `an expanded input ${i}`);
  }
  const outputs = enableGrad(() => outputsOf(what, fn, inputs));
  const targets = checked.map((i) => inputs[i]);
  const counts = outputs.map((output) => elementCount(output.shape));
  const numerical = numericalJacobians(what, fn, inputs, checked, counts, settings.eps);
  outputs.forEach((output, o) => {
    if (!output.requiresGrad) {
      const used = numerical.findIndex((perOutput) =>
        perOutput[o].some((row) => row.some((v) => Math.abs(v) > settings.atol)),
      );
      if (used >= 0)
        throw new GradcheckError(`${what}: output ${o} depends on input ${checked[used]}, but does not require grad`);
      return;
    }
    const analytical = analyticalJacobian(outputs, o, targets, settings.nondetTol);
    checked.forEach((i, position) => {
      compare(analytical[position], numerical[position][o], i, o, settings, what);
    });
  });
  checkSpreadGradients(outputs, targets, what);
  if (settings.checkUndefinedGrad) checkMissingGradients(outputs, targets, what);
}

function check(
  what: string,
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions,
): boolean {
  const list = checkCall(what, fn, inputs);
  const { eps, atol, rtol, raiseException, nondetTol, checkUndefinedGrad } = readArguments(
    what,
    SETTINGS,
    [options],
    0,
  );
  for (const [name, value] of Object.entries({ eps, atol, rtol, nondetTol })) checkNumber(what, name, value, 0);
  for (const [name, value] of Object.entries({ raiseException, checkUndefinedGrad })) checkBoolean(what, name, value);
  try {
    runCheck(what, fn, list, { eps, atol, rtol, nondetTol, checkUndefinedGrad });
    return true;
  } catch (error) {
    if (!raiseException && error instanceof GradcheckError) return false;
    throw error;
  }
}

/**
 * True if the derivative of `fn` at `inputs` (float64) agrees with central differences; throws GradcheckError if not.
 */
export function gradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  return check('gradcheck', fn, inputs, options);
}

export interface GradgradcheckOptions extends GradcheckOptions {
  /** Gradients of the outputs at which the derivative is taken; default: fixed pseudo-random values. */
  gradOutputs?: Tensor | readonly Tensor[];
}

/**
 * Whether the second derivative of `fn` agrees with differences of the first, also with respect to the gradients of the
 * outputs.
 */
export function gradgradcheck(
  fn: CheckedFunction,
  inputs: Tensor | readonly Tensor[],
  ...args: Arguments<[gradOutputs?: Tensor | readonly Tensor[] | null], GradgradcheckOptions>
): boolean {
  const op = 'gradgradcheck';
  const ins = checkCall(op, fn, inputs);
  if (!ins.some((input) => input.requiresGrad))
    fail(ArgumentError, op, 'at least one input that requires grad', 'none');
  const { gradOutputs, ...rest } = readArguments(
    op,
    { gradOutputs: null as Tensor | readonly Tensor[] | null, ...SETTINGS },
    [...args],
    1,
  );
  const outputs = enableGrad(() => outputsOf(op, fn, ins));
  const given = gradOutputs === null ? undefined : checkCall(op, fn, gradOutputs);
  const live = outputs.flatMap((output, o) => (output.requiresGrad ? [o] : []));
  if (live.length === 0) throw new AutogradError('gradgradcheck: expected outputs that require grad, got none');
  const seeds = live.map((o) => {
    if (given?.[o] !== undefined) return given[o];
    const seed = zerosLike(outputs[o]);
    for (let k = 0; k < elementCount(seed.shape); k++) (seed.array as Float64Array)[k] = Math.cos(2 + 3 * k + o);
    return seed.requiresGrad_();
  });
  const targets = ins.flatMap((input, i) => (input.requiresGrad ? [i] : []));
  const first: CheckedFunction = (...args) =>
    enableGrad(() => {
      const xs = args.slice(0, ins.length);
      const results = outputsOf(op, fn, xs);
      const gradients = grad(
        live.map((o) => results[o]),
        targets.map((i) => xs[i]),
        { gradOutputs: args.slice(ins.length), createGraph: true, allowUnused: true },
      );
      return gradients.map((gradient, k) => gradient ?? zerosLike(xs[targets[k]]));
    });
  return check('gradgradcheck', first, [...ins, ...seeds], rest);
}
