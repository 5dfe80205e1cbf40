/**
 * What kind of value a parameter takes. PyTorch gives the same name to parameters of the same kind, so the name tells
 * the kind; a function that differs says so in its declaration. Kinds are checked before the function runs. The
 * function itself checks ranges and shapes.
 */
import { ArgumentError, describe } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** `any` leaves all checks to the function. A trailing `?` also allows null. */
export type Kind =
  | 'any'
  | 'tensor'
  | 'tensor?'
  | 'operand'
  | 'operand?'
  | 'scalar'
  | 'number'
  | 'number?'
  | 'flag'
  | 'flag?'
  | 'text'
  | 'tensors'
  | 'whole'
  | 'whole?'
  | 'sizes'
  | 'sizes?';

/** Each kind as an error names it. */
const WORDS: Readonly<Record<Kind, string>> = {
  any: 'anything',
  tensor: 'a tensor',
  'tensor?': 'a tensor or null',
  operand: 'a tensor or a number',
  'operand?': 'a tensor, a number or null',
  scalar: 'a number',
  number: 'a number',
  'number?': 'a number or null',
  flag: 'a boolean',
  'flag?': 'a boolean or null',
  text: 'a string',
  tensors: 'an array of tensors',
  whole: 'a whole number',
  'whole?': 'a whole number or null',
  sizes: 'a number or an array of numbers',
  'sizes?': 'a number, an array of numbers or null',
};

const NAMES: Readonly<Partial<Record<Kind, string>>> = {
  tensor: `
    tensor mask src tensor1 tensor2 mat mat1 mat2 batch1 batch2 vec vec1 vec2 x x1 x2 y A query key anchor
    positive negative input1 input2 source target boundaries sortedSequence index condition var totalNorm`,
  'tensor?': `
    weight bias runningMean runningVar posWeight attnMask keyPaddingMask inProjWeight inProjBias biasK biasV
    outProjWeight outProjBias qProjWeight kProjWeight vProjWeight staticK staticV offsets perSampleWeights sorter
    weights`,
  operand: 'other end exponent values',
  'operand?': 'min max',
  scalar: 'alpha beta val',
  number: `
    eps margin lambd negativeSlope minVal maxVal threshold gain rtol atol delta labelSmoothing sparsity clipValue
    paddingValue dropoutP sigma median decimals a b mean std base`,
  'number?': 'momentum nan posinf neginf scale',
  flag: `
    keepdim inplace training ceilMode returnIndices countIncludePad batchFirst descending sorted outInt32 right
    returnInverse returnCounts includeSelf full errorIfNonfinite enforceSorted sparse scaleGradByFreq logTarget
    logInput swap largest accumulate replacement nonBlocking copy equalNan asTuple sparseGrad antialias enableGqa
    isCausal needWeights addZeroAttn includeLastOffset useInputStats averageAttnWeights useSeparateProjWeight
    requiresGrad`,
  'flag?': 'sizeAverage alignCorners recomputeScaleFactor foreach stable',
  text: 'reduction mode nonlinearity approximate side paddingSide',
  whole: `
    offset diagonal dim0 dim1 dim2 dimension axis0 axis1 startDim endDim n steps bins minlength numClasses
    numGroups groups numSamples ignoreIndex length row col upscaleFactor downscaleFactor`,
  'whole?': 'paddingIdx storageOffset divisorOverride',
  'sizes?': 'size stride kernelSize dilation outputPadding outputSize normalizedShape physicalLayout scaleFactor',
  tensors: 'tensors sequences',
};

const KINDS = new Map<string, Kind>(
  Object.entries(NAMES).flatMap(([kind, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, kind as Kind] as const),
  ),
);

/** The kinds of the parameters of a function, by their names unless its declaration says otherwise. */
export function kindsOf(
  parameters: readonly string[],
  required: number,
  own: Readonly<Partial<Record<string, Kind>>>,
): readonly Kind[] {
  return parameters.map((name, i) => {
    if (own[name] !== undefined) return own[name];
    const kind = KINDS.get(name) ?? 'any';
    // A required argument is not null, unless the declaration says so.
    return i < required && kind.endsWith('?') ? (kind.slice(0, -1) as Kind) : kind;
  });
}

// One bit for each kind of value, so that one comparison tells whether a parameter takes a value.
const TENSOR = 1;
const NUMBER = 2;
const WHOLE = 4;
const BOOLEAN = 8;
const BIGINT = 16;
const STRING = 32;
const NULL = 64;
const ARRAY = 128;
const NUMBERS = 256;
const OTHER = 512;
const OBJECT = TENSOR | ARRAY | OTHER;

const SCALAR = NUMBER | BOOLEAN | BIGINT;
const ACCEPTED: Readonly<Record<Exclude<Kind, 'any'>, number>> = {
  tensor: TENSOR,
  'tensor?': TENSOR | NULL,
  operand: TENSOR | SCALAR,
  'operand?': TENSOR | SCALAR | NULL,
  scalar: SCALAR,
  number: NUMBER,
  'number?': NUMBER | NULL,
  flag: BOOLEAN,
  'flag?': BOOLEAN | NULL,
  text: STRING,
  whole: WHOLE,
  'whole?': WHOLE | NULL,
  sizes: NUMBER | NUMBERS,
  'sizes?': NUMBER | NUMBERS | NULL,
  tensors: ARRAY | NUMBERS,
};

/** A parameter whose kind is checked, and its place. */
export interface Check {
  readonly place: number;
  readonly parameter: string;
  readonly kind: Kind;
  readonly accepted: number;
  /** The bits of the values that need no conversion. */
  readonly plain: number;
}

/** The checks of parameters of these kinds. Objects at the places `converted` are replaced before the check. */
export function checksOf(
  parameters: readonly string[],
  kinds: readonly Kind[],
  converted: readonly number[],
): readonly Check[] {
  return kinds.flatMap((kind, place) => {
    const isConverted = converted.includes(place);
    if (kind === 'any' && !isConverted) return [];
    const accepted = kind === 'any' ? -1 : ACCEPTED[kind];
    return [
      { place, parameter: parameters[place], kind, accepted, plain: isConverted ? accepted & ~OBJECT : accepted },
    ];
  });
}

/** The kind of a value, as bits to compare with those of a check. */
export function bitsOf(value: unknown): number {
  if (value instanceof Tensor) return TENSOR;
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? NUMBER | WHOLE : NUMBER;
    case 'boolean':
      return BOOLEAN;
    case 'string':
      return STRING;
    case 'bigint':
      return BIGINT;
  }
  if (value === null) return NULL;
  if (!Array.isArray(value)) return OTHER;
  // Null is allowed in the list: some functions take it for a size that they choose.
  for (let i = 0; i < value.length; i++) if (typeof value[i] !== 'number' && value[i] !== null) return ARRAY;
  return NUMBERS;
}

/** Throws ArgumentError for the first argument that is not of its parameter's kind. Undefined arguments are skipped. */
export function checkKinds(name: string, checks: readonly Check[], args: readonly unknown[]): void {
  for (let i = 0; i < checks.length; i++) {
    const { place, parameter, kind, accepted } = checks[i];
    const value = args[place];
    if (value !== undefined && (bitsOf(value) & accepted) === 0)
      throw new ArgumentError(`${name}: expected ${WORDS[kind]} for ${parameter}, got ${describe(value)}`);
  }
}
