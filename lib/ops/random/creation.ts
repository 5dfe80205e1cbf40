/** New tensors of random values: rand, randn, randint, randperm, normal, and the forms that are like another tensor. */

import { isOptions } from '../../arguments.js';
import { noGrad } from '../../autograd/grad-mode.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, describe, fail, rejectUnknownOptions } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { type Generator, generatorOf } from '../../random/generator.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import type { Shape } from '../../shape/layout.js';
import { type MemoryFormat, memoryFormatArgument } from '../../shape/memory-format.js';
import { type DType, type DTypeInfo, defaultFloatInfo, FLOAT64, INT64, promote } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateChecked, allocateInFormat } from '../../tensor/allocate.js';
import { castTo } from '../../tensor/copy.js';
import { integersOf } from '../../tensor/integer.js';
import { Tensor } from '../../tensor/tensor.js';
import { isScalar, scalarTensor, tensorArgument } from '../core/promotion.js';
import type { CreationOptions } from '../creation/creation.js';
import { finish, infoOf, type SizeArguments, sizesAndOptions } from '../creation/factories.js';
import { addOp, mul } from '../elementwise/arithmetic.js';
import { integerDraw, normalDraw, uniformDraw } from './distributions.js';
import { type Draw, drawInto } from './draw.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    randpermFill: KernelTable<[out: TypedArray, state: Uint32Array, n: number]>;
  }
}

export interface RandomOptions extends CreationOptions {
  generator?: Generator | null;
}
type RandomArguments =
  | [size: Shape | (RandomOptions & { size?: Shape }), options?: RandomOptions]
  | (number | RandomOptions)[];
const OPTIONS = ['dtype', 'device', 'requiresGrad', 'generator'] as const;

function floatingInfo(op: string, dtype: DType | null | undefined, byDefault: DTypeInfo): DTypeInfo {
  const info = infoOf(op, dtype, byDefault);
  if (!info.floating) fail(DTypeError, op, 'a floating dtype', info.name);
  return info;
}

type MakeDraw = (op: string, info: DTypeInfo, rng: Generator, contiguous: boolean) => Draw;
const uniformValues: MakeDraw = (op, info, rng) => uniformDraw(op, info, 0, 1, rng);
const normalValues: MakeDraw = (op, info, rng, contiguous) => normalDraw(op, info, 0, 1, rng, contiguous);

function bySize(op: string, makeDraw: MakeDraw) {
  return (...args: RandomArguments): Tensor => {
    const { size, options } = sizesAndOptions(op, args as SizeArguments, OPTIONS);
    const info = floatingInfo(op, options.dtype, defaultFloatInfo());
    const draw = makeDraw(op, info, generatorOf(op, (options as RandomOptions).generator), true);
    return finish(op, drawInto(allocateChecked(op, size, info), draw), options.device, options.requiresGrad);
  };
}
/** Uniform values in [0, 1); the shape as an array or as numbers. torch.rand */
export const rand = bySize('rand', uniformValues);
/** Standard normal values; the shape as an array or as numbers. torch.randn */
export const randn = bySize('randn', normalValues);

function like(name: string, makeDraw: MakeDraw) {
  return defineFunction(
    { name, parameters: ['input', ...OPTIONS, 'memoryFormat'] as const, keywords: 5, method: false },
    (
      input: Tensor,
      dtype?: DType,
      device?: string,
      requiresGrad?: boolean,
      generator?: Generator | null,
      memoryFormat?: MemoryFormat,
    ): Tensor => {
      const x = tensorArgument(name, 'input', input);
      const out = allocateInFormat(
        name,
        x,
        memoryFormatArgument(name, memoryFormat, 'preserve_format'),
        floatingInfo(name, dtype, x.info),
      );
      return finish(
        name,
        drawInto(out, makeDraw(name, out.info, generatorOf(name, generator), out.contiguousLayout)),
        device,
        requiresGrad,
      );
    },
  );
}
/** Uniform values in [0, 1) in the shape and type of a tensor. torch.rand_like */
export const randLike = like('randLike', uniformValues);
/** Standard normal values in the shape and type of a tensor. torch.randn_like */
export const randnLike = like('randnLike', normalValues);

interface RandintOptions extends RandomOptions {
  low?: number | bigint;
  high?: number | bigint;
  size?: Shape;
}
type Whole = number | bigint;

/**
 * Whole numbers in [low, high), int64 by default: randint(high, size) or randint(low, high, size), any of them also by
 * name. Throws ArgumentError where low >= high or the type does not hold them. torch.randint
 */
export function randint(
  ...args:
    | [high: Whole, size: Shape, options?: RandintOptions]
    | [low: Whole, high: Whole, size: Shape, options?: RandintOptions]
    | (Whole | RandintOptions)[]
): Tensor {
  const last = args[args.length - 1];
  const options: RandintOptions = isOptions(last) ? last : {};
  rejectUnknownOptions('randint', options, ['low', 'high', 'size', ...OPTIONS]);
  const given = (isOptions(last) ? args.slice(0, -1) : [...args]) as unknown[];
  const named = options.size ?? (given.length > 0 && Array.isArray(given[given.length - 1]) ? given.pop() : undefined);
  if (!Array.isArray(named))
    fail(ArgumentError, 'randint', 'an array of sizes', named === undefined ? 'none' : describe(named));
  const size = integersOf(named) as Shape;
  const bounds = [
    ...given,
    ...(given.length === 0 && options.low !== undefined ? [options.low] : []),
    ...(options.high === undefined ? [] : [options.high]),
  ] as Whole[];
  if (bounds.length < 1 || bounds.length > 2)
    fail(ArgumentError, 'randint', 'high, or low and high, before the size', describe(given));
  const [low, high] = bounds.length === 1 ? [0, bounds[0]] : bounds;
  const info = infoOf('randint', options.dtype, INT64);
  const draw = integerDraw('randint', info, low, high, generatorOf('randint', options.generator));
  return finish(
    'randint',
    drawInto(allocateChecked('randint', size, info), draw),
    options.device,
    options.requiresGrad,
  );
}

/**
 * Whole numbers in [low, high) (low is 0 where one bound is given), in the shape and type of a tensor.
 * torch.randint_like
 */
export const randintLike = defineFunction(
  {
    name: 'randintLike',
    parameters: ['input', 'low', 'high', ...OPTIONS, 'memoryFormat'] as const,
    keywords: 5,
    required: 1,
    method: false,
  },
  (
    input: Tensor,
    low?: Whole,
    high?: Whole,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
    generator?: Generator | null,
    memoryFormat?: MemoryFormat,
  ): Tensor => {
    const x = tensorArgument('randintLike', 'input', input);
    const out = allocateInFormat(
      'randintLike',
      x,
      memoryFormatArgument('randintLike', memoryFormat, 'preserve_format'),
      infoOf('randintLike', dtype, x.info),
    );
    const draw = integerDraw(
      'randintLike',
      out.info,
      high === undefined ? 0 : (low ?? 0),
      (high ?? low) as Whole,
      generatorOf('randintLike', generator),
    );
    return finish('randintLike', drawInto(out, draw), device, requiresGrad);
  },
);

/** The whole numbers 0..n-1 in random order, int64 by default. torch.randperm */
export const randperm = defineFunction(
  { name: 'randperm', parameters: ['n', ...OPTIONS] as const, keywords: 4, method: false },
  (n: number, dtype?: DType, device?: string, requiresGrad?: boolean, generator?: Generator | null): Tensor => {
    const out = allocateChecked('randperm', [n], infoOf('randperm', dtype, INT64));
    const { info } = out;
    const limit = info.floating ? Number.POSITIVE_INFINITY : 2 ** (8 * info.bytes - (info.name === 'uint8' ? 0 : 1));
    if (n > limit) fail(ArgumentError, 'randperm', `an n that ${info.name} holds`, String(n));
    const kernel = instanceOf('randperm', kernels.randpermFill, out.info);
    const rng = generatorOf('randperm', generator);
    return finish(
      'randperm',
      drawInto(out, (memory, count) => kernel(memory, rng.words, count)),
      device,
      requiresGrad,
    );
  },
);

interface Normal {
  /** Null where a tensor holds the means, or the deviations. */
  readonly mean: number | null;
  readonly std: number | null;
  readonly shape: Shape;
  readonly info: DTypeInfo;
  readonly generator: Generator;
}
/** y = a draw by mean and std; their gradients are 0, as in PyTorch, which has what a draw depends on in the graph. */
const normalOp = defineOp<Normal, Normal>({
  name: 'normal',
  nativeHalf: true,
  infer: (_, attributes) => attributes,
  forward: ({ mean, std, shape, info, generator }, inputs) => {
    const means = mean === null ? castTo(inputs[0], info) : scalarTensor(mean, info);
    const deviations = std === null ? castTo(inputs[inputs.length - 1], info) : scalarTensor(std, info);
    const drawn = drawInto(allocate(shape, info), normalDraw('normal', info, 0, 1, generator, true));
    return noGrad(() => addOp([mul.op([drawn, deviations]), means]));
  },
  backward: (context) => context.next.map(() => null),
});

/**
 * Normal values whose mean and standard deviation are numbers (then `size` is the shape) or tensors (broadcast
 * together). mean + std z with z as randn draws it. torch.normal
 */
export const normal = defineFunction(
  {
    name: 'normal',
    parameters: ['mean', 'std', 'size', ...OPTIONS] as const,
    keywords: 4,
    method: false,
    kinds: { mean: 'operand', std: 'operand' },
  },
  (
    mean: Tensor | number,
    std: Tensor | number = 1,
    size?: Shape,
    dtype?: DType,
    device?: string,
    requiresGrad?: boolean,
    generator?: Generator | null,
  ): Tensor => {
    const rng = generatorOf('normal', generator);
    if (!(mean instanceof Tensor) && !(std instanceof Tensor)) {
      if (size === undefined) fail(ArgumentError, 'normal', 'a size where mean and std are numbers', 'none');
      const out = allocateChecked('normal', size, floatingInfo('normal', dtype, defaultFloatInfo()));
      return finish(
        'normal',
        drawInto(out, normalDraw('normal', out.info, mean, std, rng, true)),
        device,
        requiresGrad,
      );
    }
    for (const value of [mean, std])
      if (!(value instanceof Tensor) && !isScalar(value))
        fail(ArgumentError, 'normal', 'tensors or numbers', describe(value));
    const tensors = [mean, std].filter((value) => value instanceof Tensor);
    const info = tensors.length === 1 ? tensors[0].info : promote(tensors[0].info, tensors[1].info);
    if (!info.floating) fail(DTypeError, 'normal', 'tensors of floating dtype', describe(tensors));
    if (std instanceof Tensor && [...castTo(std, FLOAT64).toTypedArray()].some((s) => !(Number(s) >= 0)))
      fail(ArgumentError, 'normal', 'a std of at least 0 everywhere', describe(std));
    if (!(std instanceof Tensor) && !(std >= 0)) fail(ArgumentError, 'normal', 'a std of at least 0', describe(std));
    const shape =
      tensors.length === 1 ? [...tensors[0].shape] : broadcastShapes('normal', tensors[0].shape, tensors[1].shape);
    const number = (value: Tensor | number): number | null => (value instanceof Tensor ? null : value);
    const out = normalOp(tensors, { mean: number(mean), std: number(std), shape, info, generator: rng });
    return finish('normal', out, device, requiresGrad);
  },
);
