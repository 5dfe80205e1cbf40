/** The in-place distributions of PyTorch's CPU streams: uniform_, normal_, random_, bernoulli_ and their like. */

import { checkNumber } from '../../arguments.js';
import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, describe, fail } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { type Generator, generatorOf } from '../../random/generator.js';
import { BOOL, type DTypeInfo, FLOAT32 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocateAs } from '../../tensor/allocate.js';
import { castAs, copyInto } from '../../tensor/copy.js';
import { Tensor } from '../../tensor/tensor.js';
import { expandOp } from '../core/view.js';
import { type Draw, drawInplace } from './draw.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    uniformFill: KernelTable<[out: TypedArray, state: Uint32Array, from: number, to: number, n: number]>;
    normalFill: KernelTable<
      [out: TypedArray, state: Uint32Array, cached: Float64Array, mean: number, std: number, n: number, blocked: number]
    >;
    logNormalFill: KernelTable<
      [out: TypedArray, state: Uint32Array, cached: Float64Array, mean: number, std: number, n: number]
    >;
    exponentialFill: KernelTable<[out: TypedArray, state: Uint32Array, lambda: number, n: number]>;
    cauchyFill: KernelTable<[out: TypedArray, state: Uint32Array, median: number, sigma: number, n: number]>;
    geometricFill: KernelTable<[out: TypedArray, state: Uint32Array, p: number, n: number]>;
    bernoulliFill: KernelTable<[out: TypedArray, state: Uint32Array, p: number, value: number, n: number]>;
    /** out[i] = 1 with probability p[i], both of p's type */
    bernoulliEach: KernelTable<[out: TypedArray, p: TypedArray, state: Uint32Array, n: number]>;
    /** bounds: [how many values (0 for 2^64), the least of them] */
    randomFill: KernelTable<[out: TypedArray, state: Uint32Array, bounds: BigInt64Array, n: number]>;
    randomFullFill: KernelTable<[out: TypedArray, state: Uint32Array, n: number]>;
  }
}

type Rng = Generator | null;

function floating(op: string, x: Tensor): Tensor {
  if (!x.info.floating) fail(DTypeError, op, 'a floating dtype', describe(x));
  return x;
}

/** The largest finite value of each floating type. */
const LARGEST = {
  float32: (2 - 2 ** -23) * 2 ** 127,
  float64: Number.MAX_VALUE,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float16: 65504,
};

/** Draws uniform values in [from, to). */
export function uniformDraw(op: string, info: DTypeInfo, from: number, to: number, rng: Generator): Draw {
  checkNumber(op, 'from', from);
  checkNumber(op, 'to', to);
  if (from > to) fail(ArgumentError, op, 'bounds with from <= to', `from=${from}, to=${to}`);
  if (!(to - from <= LARGEST[info.name as keyof typeof LARGEST]))
    fail(ArgumentError, op, `bounds whose distance ${info.name} holds`, `from=${from}, to=${to}`);
  return (memory, n) => instanceOf('uniform_', kernels.uniformFill, info)(memory, rng.words, from, to, n);
}
/** Draws normal values; `contiguous` memory of 16 and more is drawn in blocks, anything else one by one. */
export function normalDraw(
  op: string,
  info: DTypeInfo,
  mean: number,
  std: number,
  rng: Generator,
  contiguous: boolean,
): Draw {
  checkNumber(op, 'mean', mean);
  if (!(checkNumber(op, 'std', std) >= 0)) fail(ArgumentError, op, 'a std of at least 0', String(std));
  return (memory, n) =>
    instanceOf('normal_', kernels.normalFill, info)(
      memory,
      rng.words,
      rng.cachedNormal,
      mean,
      std,
      n,
      contiguous && n >= 16 ? 1 : 0,
    );
}

const uniform = defineFunction(
  { name: 'Tensor.uniform_', parameters: ['input', 'from', 'to', 'generator'], keywords: 1, method: 'uniform_' },
  (input: Tensor, from: number = 0, to: number = 1, generator?: Rng): Tensor =>
    drawInplace(
      'uniform_',
      input,
      uniformDraw('uniform_', floating('uniform_', input).info, from, to, generatorOf('uniform_', generator)),
    ),
);
const normal = defineFunction(
  { name: 'Tensor.normal_', parameters: ['input', 'mean', 'std', 'generator'], keywords: 1, method: 'normal_' },
  (input: Tensor, mean: number = 0, std: number = 1, generator?: Rng): Tensor =>
    drawInplace(
      'normal_',
      input,
      normalDraw(
        'normal_',
        floating('normal_', input).info,
        mean,
        std,
        generatorOf('normal_', generator),
        input.contiguousLayout,
      ),
    ),
);
const logNormal = defineFunction(
  { name: 'Tensor.logNormal_', parameters: ['input', 'mean', 'std', 'generator'], keywords: 1, method: 'logNormal_' },
  (input: Tensor, mean: number = 1, std: number = 2, generator?: Rng): Tensor => {
    if (!(checkNumber('logNormal_', 'std', std) > 0)) fail(ArgumentError, 'logNormal_', 'a std above 0', String(std));
    const kernel = instanceOf('logNormal_', kernels.logNormalFill, floating('logNormal_', input).info);
    const rng = generatorOf('logNormal_', generator);
    return drawInplace('logNormal_', input, (memory, n) =>
      kernel(memory, rng.words, rng.cachedNormal, checkNumber('logNormal_', 'mean', mean), std, n),
    );
  },
);
const exponential = defineFunction(
  { name: 'Tensor.exponential_', parameters: ['input', 'lambd', 'generator'], keywords: 1, method: 'exponential_' },
  (input: Tensor, lambd: number = 1, generator?: Rng): Tensor => {
    if (!(checkNumber('exponential_', 'lambd', lambd) > 0))
      fail(ArgumentError, 'exponential_', 'a lambd above 0', String(lambd));
    const kernel = instanceOf('exponential_', kernels.exponentialFill, floating('exponential_', input).info);
    const rng = generatorOf('exponential_', generator);
    return drawInplace('exponential_', input, (memory, n) => kernel(memory, rng.words, lambd, n));
  },
);
const cauchy = defineFunction(
  { name: 'Tensor.cauchy_', parameters: ['input', 'median', 'sigma', 'generator'], keywords: 1, method: 'cauchy_' },
  (input: Tensor, median: number = 0, sigma: number = 1, generator?: Rng): Tensor => {
    if (!(checkNumber('cauchy_', 'sigma', sigma) > 0)) fail(ArgumentError, 'cauchy_', 'a sigma above 0', String(sigma));
    const kernel = instanceOf('cauchy_', kernels.cauchyFill, floating('cauchy_', input).info);
    const rng = generatorOf('cauchy_', generator);
    return drawInplace('cauchy_', input, (memory, n) =>
      kernel(memory, rng.words, checkNumber('cauchy_', 'median', median), sigma, n),
    );
  },
);
const geometric = defineFunction(
  {
    name: 'Tensor.geometric_',
    parameters: ['input', 'p', 'generator'],
    keywords: 1,
    required: 2,
    method: 'geometric_',
  },
  (input: Tensor, p: number, generator?: Rng): Tensor => {
    if (!(checkNumber('geometric_', 'p', p) > 0 && p < 1))
      fail(ArgumentError, 'geometric_', 'a p in (0, 1)', String(p));
    const kernel = instanceOf('geometric_', kernels.geometricFill, input.info);
    const rng = generatorOf('geometric_', generator);
    return drawInplace('geometric_', input, (memory, n) => kernel(memory, rng.words, p, n));
  },
);

/** Ones (or `value`) with probability p, zeros else, in a type of any kind. */
export function bernoulliDraw(op: string, info: DTypeInfo, p: number, rng: Generator, value = 1): Draw {
  if (!(checkNumber(op, 'p', p) >= 0 && p <= 1)) fail(ArgumentError, op, 'a p in [0, 1]', String(p));
  return (memory, n) => instanceOf(op, kernels.bernoulliFill, info)(memory, rng.words, p, value, n);
}
/**
 * Ones with the probabilities of a floating tensor, which broadcast to the shape of `like`; in its layout, and in the
 * type of `p`.
 */
export function bernoulliOf(op: string, like: Tensor, p: Tensor, rng: Generator): Tensor {
  floating(op, p);
  const probabilities = allocateAs(like, p.info);
  copyInto(probabilities, p);
  const n = probabilities.numel();
  const wide = p.info.half ? castAs(probabilities, FLOAT32).array : probabilities.array;
  for (let i = 0; i < n; i++)
    if (!(Number(wide[i]) >= 0 && Number(wide[i]) <= 1))
      fail(ArgumentError, op, 'probabilities in [0, 1]', String(wide[i]), { p });
  const out = allocateAs(probabilities);
  instanceOf(op, kernels.bernoulliEach, p.info)(out.array, probabilities.array, rng.words, n);
  return out;
}
const bernoulliInplace = defineFunction(
  { name: 'Tensor.bernoulli_', parameters: ['input', 'p', 'generator'], keywords: 1, method: 'bernoulli_' },
  (input: Tensor, p: number | Tensor = 0.5, generator?: Rng): Tensor => {
    const rng = generatorOf('bernoulli_', generator);
    if (!(p instanceof Tensor))
      return drawInplace('bernoulli_', input, bernoulliDraw('bernoulli_', input.info, p, rng));
    return drawInplace('bernoulli_', input, () =>
      copyInto(input, bernoulliOf('bernoulli_', input, expandOp([p], input.shape), rng)),
    );
  },
);

/** The largest whole number up to which a type holds all, and the least. */
function integerBounds(info: DTypeInfo): { least: bigint; most: bigint } {
  if (info.floating) {
    const digits = { float32: 24n, float64: 53n, float16: 11n, bfloat16: 8n }[info.name as 'float32'];
    return { least: -(2n ** digits), most: 2n ** digits };
  }
  if (info === BOOL) return { least: 0n, most: 1n };
  const bits = BigInt(8 * info.bytes);
  return info.name === 'uint8'
    ? { least: 0n, most: 255n }
    : { least: -(2n ** (bits - 1n)), most: 2n ** (bits - 1n) - 1n };
}
function whole(op: string, name: string, value: unknown): bigint {
  if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value)))
    fail(ArgumentError, op, `a whole number for ${name}`, describe(value));
  return BigInt(value as number | bigint);
}
/** Draws whole numbers in [from, to); without `to` up to the largest that the type holds. */
export function integerDraw(
  op: string,
  info: DTypeInfo,
  from: number | bigint,
  to: number | bigint | null,
  rng: Generator,
): Draw {
  const { least, most } = integerBounds(info);
  const low = whole(op, 'from', from);
  const end = to === null ? most + 1n : whole(op, 'to', to);
  if (low >= end) fail(ArgumentError, op, 'bounds with from < to', `from=${low}, to=${end}`);
  // A floating type holds larger numbers too, rounded; PyTorch warns of it.
  if (!info.floating && (low < least || end - 1n > most))
    fail(ArgumentError, op, `bounds that ${info.name} holds`, `[${low}, ${end})`);
  const bounds = BigInt64Array.of(BigInt.asIntN(64, end - low), BigInt.asIntN(64, low));
  return (memory, n) => instanceOf('random_', kernels.randomFill, info)(memory, rng.words, bounds, n);
}
const random = defineFunction(
  { name: 'Tensor.random_', parameters: ['input', 'from', 'to', 'generator'], keywords: 1, method: 'random_' },
  (input: Tensor, from?: number | bigint, to?: number | bigint | null, generator?: Rng): Tensor => {
    const rng = generatorOf('random_', generator);
    if (from === undefined && to === undefined)
      return drawInplace('random_', input, (memory, n) =>
        instanceOf('random_', kernels.randomFullFill, input.info)(memory, rng.words, n),
      );
    const draw =
      to === undefined
        ? integerDraw('random_', input.info, 0, from as number, rng)
        : integerDraw('random_', input.info, from ?? 0, to, rng);
    return drawInplace('random_', input, draw);
  },
);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    /** Uniform values in [from, to) (0 and 1 by default); 53 random bits for float64, 24 for the rest. */
    uniform_: Method<typeof uniform>;
    /** Normal values of the given mean and standard deviation. */
    normal_: Method<typeof normal>;
    /** e to the power of normal values (mean 1, std 2 by default). */
    logNormal_: Method<typeof logNormal>;
    /** Values with density lambd e^(-lambd x). */
    exponential_: Method<typeof exponential>;
    cauchy_: Method<typeof cauchy>;
    /** The number of trials of probability p up to the first success. */
    geometric_: Method<typeof geometric>;
    /** Ones with probability p (a number, or a tensor that broadcasts to this one), zeros else. */
    bernoulli_: Method<typeof bernoulliInplace>;
    /** Whole numbers: random_(to), random_(from, to), or all that the type holds from 0 on. */
    random_: Method<typeof random>;
  }
}
