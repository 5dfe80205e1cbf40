/**
 * Which arguments of public functions are whole numbers, by the names that PyTorch gives them. An integer tensor of one
 * element may stand in the place of each; here it becomes the number, so that no function has to know.
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
/** The type of an argument, with tensors where it takes numbers under a name that stands for whole ones. */
export type IntegerLike<N, T> = T | (N extends IntegerName ? IntegerTensors<T> : never);

/** The places of whole numbers among parameters of these names; `also` are names that stand for tensors elsewhere. */
export function integerPlaces(parameters: readonly string[], also: readonly string[] = []): readonly number[] {
  return parameters.flatMap((name, i) => (INTEGERS.has(name) || also.includes(name) ? [i] : []));
}

/** The arguments, with numbers in the place of the tensors that stand for whole ones. */
export function withIntegers(args: unknown[], places: readonly number[]): unknown[] {
  for (let i = 0; i < places.length; i++) {
    const at = places[i];
    const value = args[at];
    if (typeof value !== 'object' || value === null) continue;
    args[at] = Array.isArray(value) ? integersOf(value) : integerOf(value);
  }
  return args;
}
