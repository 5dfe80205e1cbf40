/**
 * What kind of value a parameter takes. PyTorch gives one name to parameters of one kind, so that the name says it; a function that differs
 * says so in its declaration. Kinds are checked before the function runs; ranges and shapes are the function's own business.
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
  tensor:
    'tensor mask src tensor1 tensor2 mat mat1 mat2 batch1 batch2 vec vec1 vec2 x x1 x2 y A query key anchor positive negative input1 input2 source target boundaries sortedSequence index condition var totalNorm',
  'tensor?':
    'weight bias runningMean runningVar posWeight attnMask keyPaddingMask inProjWeight inProjBias biasK biasV outProjWeight outProjBias qProjWeight kProjWeight vProjWeight staticK staticV offsets perSampleWeights sorter weights',
  operand: 'other end exponent values',
  'operand?': 'min max',
  scalar: 'alpha beta val',
  number:
    'eps margin lambd negativeSlope minVal maxVal threshold gain rtol atol delta labelSmoothing sparsity clipValue paddingValue dropoutP sigma median decimals a b mean std base',
  'number?': 'momentum nan posinf neginf scale',
  flag: 'keepdim inplace training ceilMode returnIndices countIncludePad batchFirst descending sorted outInt32 right returnInverse returnCounts includeSelf full errorIfNonfinite enforceSorted sparse scaleGradByFreq logTarget logInput swap largest accumulate replacement nonBlocking copy equalNan asTuple sparseGrad antialias enableGqa isCausal needWeights addZeroAttn includeLastOffset useInputStats averageAttnWeights useSeparateProjWeight requiresGrad',
  'flag?': 'sizeAverage alignCorners recomputeScaleFactor foreach stable',
  text: 'reduction mode nonlinearity approximate side paddingSide',
  whole:
    'offset diagonal dim0 dim1 dim2 dimension axis0 axis1 startDim endDim n steps bins minlength numClasses numGroups groups numSamples ignoreIndex length row col upscaleFactor downscaleFactor',
  'whole?': 'paddingIdx storageOffset divisorOverride',
  'sizes?': 'size stride kernelSize dilation outputPadding outputSize normalizedShape physicalLayout scaleFactor',
  tensors: 'tensors sequences',
};

const KINDS = new Map<string, Kind>(Object.entries(NAMES).flatMap(([kind, names]) => names.split(' ').map((name) => [name, kind as Kind] as const)));

/** The kinds of the parameters of a function, by their names unless its declaration says otherwise. */
export function kindsOf(parameters: readonly string[], required: number, own: Readonly<Partial<Record<string, Kind>>>): readonly Kind[] {
  return parameters.map((name, i) => {
    if (own[name] !== undefined) return own[name];
    const kind = KINDS.get(name) ?? 'any';
    // What must be given is not null, unless the declaration says so.
    return i < required && kind.endsWith('?') ? (kind.slice(0, -1) as Kind) : kind;
  });
}

/** A number, or an array of them; some functions take null for a size of their own. */
function isSizes(value: unknown): boolean {
  return typeof value === 'number' || (Array.isArray(value) && value.every((item) => typeof item === 'number' || item === null));
}

function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case 'any':
      return true;
    case 'tensor':
      return value instanceof Tensor;
    case 'tensor?':
      return value === null || value instanceof Tensor;
    case 'operand':
      return value instanceof Tensor || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
    case 'operand?':
      return value === null || value instanceof Tensor || typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
    case 'scalar':
      return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint';
    case 'number':
      return typeof value === 'number';
    case 'number?':
      return value === null || typeof value === 'number';
    case 'flag':
      return typeof value === 'boolean';
    case 'flag?':
      return value === null || typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'whole':
      return Number.isInteger(value);
    case 'whole?':
      return value === null || Number.isInteger(value);
    case 'sizes':
      return isSizes(value);
    case 'sizes?':
      return value === null || isSizes(value);
    case 'tensors':
      return Array.isArray(value);
  }
}

/** Throws ArgumentError for the first argument that is not of its parameter's kind; undefined is an argument that was not given. */
export function checkKinds(name: string, parameters: readonly string[], kinds: readonly Kind[], args: readonly unknown[]): void {
  for (let i = 0; i < args.length; i++) {
    const value = args[i];
    if (value !== undefined && !isOf(kinds[i], value))
      throw new ArgumentError(`${name.slice(name.lastIndexOf('.') + 1)}: expected ${WORDS[kinds[i]]} for ${parameters[i]}, got ${describe(value)}`);
  }
}
