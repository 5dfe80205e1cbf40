/**
 * What an optimizer remembers of a parameter, how it begins, and how it is read from a state dict. It knows no
 * algorithm.
 */
import { CheckpointError, describe, fail } from '../errors.js';
import type { TypedArray } from '../native/typed-array.js';
import { withStrides } from '../ops/core/relayout.js';
import { placeAlike, sameShape } from '../shape/layout.js';
import { defaultFloatInfo, FLOAT32, FLOAT64 } from '../storage/dtype.js';
import { allocate, allocateAs } from '../tensor/allocate.js';
import { castTo, fillWith } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';

/** What an optimizer remembers of one parameter; names are camelCased, in state dicts PyTorch's own. */
export type ParamState = Record<string, Tensor | number | null | (Tensor | number | null)[]>;

/** A value of a state dict as an optimizer keeps it: tensors copied, in the parameter's type except for `step`. */
export function loadValue(
  op: string,
  number: number,
  name: string,
  value: unknown,
  param: Tensor,
  checksShape: boolean,
): ParamState[string] {
  if (name === 'step' && !(value instanceof Tensor)) return stepTensor(Number(value));
  if (value instanceof Tensor) {
    if (name === 'step') return castTo(value, value.info);
    if (
      checksShape &&
      value.shape.length > 0 &&
      value.shape.length === param.shape.length &&
      !sameShape(value.shape, param.shape)
    )
      fail(CheckpointError, op, `${name} of shape [${param.shape}] for parameter ${number}`, `[${value.shape}]`);
    return castTo(value, value.shape.length === 0 && param.shape.length > 0 ? value.info : param.info);
  }
  if (Array.isArray(value))
    return value.map((item: unknown) => (item instanceof Tensor ? castTo(item, param.info) : (item as number | null)));
  if (value === null || typeof value === 'number') return value;
  return fail(
    CheckpointError,
    op,
    `tensors and numbers in the state of parameter ${number}`,
    `${name}=${describe(value)}`,
  );
}

/** A count of steps as PyTorch keeps it: a float32 tensor of no dimension (float64 where that is the default type). */
export function stepTensor(value: number): Tensor {
  const out = allocate([], defaultFloatInfo() === FLOAT64 ? FLOAT64 : FLOAT32);
  out.array[0] = value;
  return out;
}

/** Raises the step count in the state, begun at 0, and returns it. */
export function nextStep(state: ParamState): number {
  state.step ??= stepTensor(0);
  const step = state.step as Tensor;
  const value = Number(step.array[0]) + 1;
  step.array[0] = value;
  return value;
}

/**
 * The memory of a state tensor of the parameter's shape and layout, made of `value` (default 0) where it is not there
 * yet.
 */
export function stateArray(state: ParamState, name: string, param: Tensor, value = 0): TypedArray {
  let tensor = state[name] as Tensor | undefined | null;
  if (tensor === undefined || tensor === null) {
    tensor = allocateAs(param);
    fillWith(tensor, value);
    state[name] = tensor;
  } else if (!placeAlike(param.shape, param.strides, tensor.strides)) {
    // Loaded, or the parameter changed its memory format since.
    tensor = withStrides(tensor, param.strides);
    state[name] = tensor;
  }
  return tensor.array;
}

const empty: TypedArray[] = [];
/** Stands for a state that an algorithm does without. */
export function noArray(param: Tensor): TypedArray {
  empty[param.info.code] ??= new param.info.Array(0);
  return empty[param.info.code];
}
