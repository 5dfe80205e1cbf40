/** Arguments of a call: what a parameter's name asks for, and small changes of arguments that are right. */
import { type DType, Generator, Tensor, tensor } from '../../lib/index.js';
import { inGraph, laidOut, oddShape, oddTensor, plainTensor } from './odd-tensors.js';
import type { Choices } from './random.js';
import { oddNumber, oddValue } from './values.js';

const TENSORS = new Set(
  (
    'input other tensor weight target source src tensor1 tensor2 mat1 mat2 mat vec vec1 vec2 batch1 batch2 ' +
    'x y x1 x2 input1 input2 query key value bias runningMean runningVar mean std var values end exponent a ' +
    'b posWeight min max'
  ).split(' '),
);
const INDICES = new Set('index indices offsets sorter batchSizes'.split(' '));
const INTEGERS = new Set(
  (
    'dim dim0 dim1 dim2 dim_ dimension k n start step length diagonal offset storageOffset groups numGroups ' +
    'numClasses chunks repeats m steps row col base minlength bins decimals startDim endDim upscaleFactor ' +
    'downscaleFactor paddingIdx ignoreIndex source destination splitSize numSamples'
  ).split(' '),
);
const LISTS = new Set(
  (
    'size dims shape kernelSize stride padding dilation outputSize normalizedShape sizes repeats shifts pad ' +
    'splitSizes outputPadding indicesOrSections splitSizeOrSections lengths physicalLayout'
  ).split(' '),
);
const FLAGS = new Set(
  (
    'keepdim inplace training descending stable sorted largest full accumulate right includeSelf unbiased ' +
    'batchFirst ceilMode countIncludePad logTarget logInput replacement equalNan copy sparse'
  ).split(' '),
);

/** What the tensors of one call have in common, so that some of the calls succeed. */
export interface Family {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export function familyOf(c: Choices): Family {
  return {
    shape: oddShape(c),
    dtype: c.pick<DType>([
      'float32',
      'float32',
      'float32',
      'float64',
      'float16',
      'bfloat16',
      'int64',
      'int32',
      'uint8',
      'bool',
    ]),
  };
}

function relative(c: Choices, { shape, dtype }: Family): Tensor {
  const type = c.chance(0.8) ? dtype : undefined;
  if (c.chance(0.65)) return inGraph(c, oddTensor(c, { shape, dtype: type }));
  if (c.chance(0.5)) {
    // A shape that broadcasts.
    const part = shape.slice(c.below(shape.length + 1)).map((n) => (c.chance(0.3) ? 1 : n));
    return inGraph(c, oddTensor(c, { shape: part, dtype: type }));
  }
  return inGraph(c, oddTensor(c, { dtype: type }));
}

/** A value of the kind that a parameter's name asks for. */
export function named(c: Choices, name: string, family: Family): unknown {
  if (name === 'dtype') return c.pick(['float32', 'float64', 'int64', 'bool', 'float16']);
  if (name === 'generator') return new Generator().manualSeed(1);
  if (name === 'reduction') return c.pick(['none', 'mean', 'sum']);
  if (name === 'mask' || name === 'condition') return oddTensor(c, { shape: family.shape, dtype: 'bool' });
  if (name === 'tensors' || name === 'sequences' || name === 'parameters')
    return c.list(c.between(1, 3), () => relative(c, family));
  if (INDICES.has(name)) {
    const shape = c.chance(0.5) ? family.shape : oddShape(c);
    return oddTensor(c, { shape, dtype: c.pick<DType>(['int64', 'int64', 'int32']) });
  }
  if (INTEGERS.has(name) && c.chance(0.9)) return c.between(-3, 4);
  if (LISTS.has(name)) return c.chance(0.3) ? c.between(0, 3) : c.list(c.between(0, 4), () => c.between(-1, 4));
  if (FLAGS.has(name)) return c.chance(0.5);
  if (TENSORS.has(name)) return c.chance(0.85) ? relative(c, family) : c.unit();
  return c.pick<unknown>([1, 2, 0.5, c.unit(), true, null, undefined, relative(c, family)]);
}

/** Arguments for a list of parameters, some odd, some in an options object. */
export function argumentsFor(c: Choices, parameters: readonly string[]): unknown[] {
  const family = familyOf(c);
  const count = c.chance(0.5) ? parameters.length : c.below(parameters.length + 2);
  const odd = c.pick([0, 0.15, 0.15, 0.4]);
  const args: unknown[] = c.list(count, (i) =>
    i >= parameters.length || c.chance(odd) ? oddValue(c) : named(c, parameters[i], family),
  );
  if (c.chance(0.3) && parameters.length > 1) {
    const from = c.between(1, Math.max(1, count));
    const options: Record<string, unknown> = {};
    for (const name of parameters.slice(from))
      if (c.chance(0.5)) options[name] = c.chance(odd) ? oddValue(c) : named(c, name, family);
    return [...args.slice(0, from), options];
  }
  return args;
}

/** Arguments of which nothing is known. */
export function anyArguments(c: Choices): unknown[] {
  return c.list(c.pick([0, 1, 1, 1, 2, 2, 3, 4]), () => oddValue(c));
}

/** A value like another one, but not quite. */
export function changed(c: Choices, value: unknown, depth = 0): unknown {
  if (c.chance(0.3)) return oddValue(c);
  if (value instanceof Tensor) {
    const { shape, dtype } = value;
    switch (c.below(6)) {
      case 0:
        return oddTensor(c);
      case 1:
        return inGraph(c, plainTensor(c, shape, oddTensor(c, { shape: [0] }).dtype));
      case 2:
        return inGraph(c, laidOut(c, plainTensor(c, shape, dtype)));
      case 3: {
        const other = [...shape];
        if (other.length > 0) other[c.below(other.length)] = c.pick([0, 0, 1, 2, 3, 9]);
        return inGraph(c, plainTensor(c, other, dtype));
      }
      case 4: {
        const other = [...shape];
        if (c.chance(0.5)) other.pop();
        else other.unshift(c.between(0, 2));
        return inGraph(c, plainTensor(c, other, dtype));
      }
      default:
        return inGraph(c, plainTensor(c, shape, dtype));
    }
  }
  if (typeof value === 'number')
    return c.chance(0.4)
      ? value + c.pick([-1, 1, 0.5])
      : c.chance(0.1)
        ? tensor(c.pick([0, 1, -1, 2.5]), { dtype: c.pick<DType>(['int64', 'float32']) })
        : oddNumber(c);
  if (typeof value === 'boolean') return c.chance(0.5) ? !value : oddValue(c);
  if (Array.isArray(value) && value.length > 0 && depth < 3) {
    const copy: unknown[] = [...(value as unknown[])];
    const at = c.below(copy.length);
    switch (c.below(4)) {
      case 0:
        copy.splice(at, 1);
        break;
      case 1:
        copy.push(copy[at]);
        break;
      default:
        copy[at] = changed(c, copy[at], depth + 1);
    }
    return copy;
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype && depth < 3) {
    // By descriptors: a getter of the fuzzer's throws.
    const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(value)) as Record<string, unknown>;
    const keys = Object.keys(copy);
    if (keys.length === 0 || c.chance(0.15)) copy.unknown = 1;
    else {
      const key = c.pick(keys);
      if (c.chance(0.2)) delete copy[key];
      else
        Object.defineProperty(copy, key, {
          value: changed(c, Object.getOwnPropertyDescriptor(copy, key)?.value, depth + 1),
          enumerable: true,
        });
    }
    return copy;
  }
  return oddValue(c);
}

/** Right arguments with one or two changes: of a value, of their number. */
export function changedArguments(c: Choices, args: readonly unknown[]): unknown[] {
  const out = [...args];
  const changes = c.pick([0, 1, 1, 1, 1, 2, 3]);
  for (let k = 0; k < changes; k++) {
    const kind = c.below(10);
    if (out.length === 0 || kind === 0) out.push(oddValue(c));
    else if (kind === 1) out.pop();
    else {
      const at = c.below(out.length);
      out[at] = changed(c, out[at]);
    }
  }
  return out;
}
