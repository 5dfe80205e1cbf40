/**
 * Replaces integer tensors of one element by their numbers, where a public function takes whole numbers. The names of
 * the parameters tell which arguments these are. So no function has to check for such tensors.
 */
import { integerOf, integersOf } from '../tensor/integer.js';
import type { Tensor } from '../tensor/tensor.js';

const NAMES = [
  'axis0',
  'axis1',
  'bins',
  'chunks',
  'col',
  'diagonal',
  'dilation',
  'dim',
  'dim0',
  'dim1',
  'dim2',
  'dimension',
  'dims',
  'end',
  'endDim',
  'groups',
  'high',
  'ignoreIndex',
  'k',
  'kernelSize',
  'length',
  'low',
  'm',
  'minlength',
  'n',
  'normalizedShape',
  'numClasses',
  'numGroups',
  'numSamples',
  'offset',
  'outputPadding',
  'outputSize',
  'pad',
  'padding',
  'paddingIdx',
  'row',
  'shape',
  'shifts',
  'size',
  'sizes',
  'splitSize',
  'splitSizeOrSections',
  'splitSizes',
  'start',
  'startDim',
  'step',
  'steps',
  'storageOffset',
  'stride',
] as const;

const INTEGERS: ReadonlySet<string> = new Set(NAMES);
type IntegerName = (typeof NAMES)[number];

type IntegerTensors<T> =
  | (number extends T ? Tensor : never)
  | (readonly number[] extends T ? readonly (number | Tensor)[] : never);
/** The type of an argument N: tensors are allowed too where the name stands for whole numbers. */
export type IntegerLike<N, T> = T | (N extends IntegerName ? IntegerTensors<T> : never);

/**
 * The places of the parameters that are whole numbers. `also` lists names that stand for tensors in other functions.
 */
export function integerPlaces(parameters: readonly string[], also: readonly string[] = []): readonly number[] {
  return parameters.flatMap((name, i) => (INTEGERS.has(name) || also.includes(name) ? [i] : []));
}

/** Replaces the tensors at these places of the arguments by numbers, in place. */
export function withIntegers(args: unknown[], places: readonly number[]): unknown[] {
  for (let i = 0; i < places.length; i++) {
    const at = places[i];
    const value = args[at];
    if (typeof value !== 'object' || value === null) continue;
    args[at] = Array.isArray(value) ? integersOf(value) : integerOf(value);
  }
  return args;
}
