/**
 * Convolutions and transposed convolutions in one, two and three dimensions. All are linear in input and weight, so
 * three kernels and their mutual derivatives serve every order of derivative.
 */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import type { Shape } from '../../shape/layout.js';
import { suggestedFormat } from '../../shape/memory-format.js';
import { FLOAT64 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { inFormat, inFormatOfRows } from '../core/relayout.js';
import { viewOp } from '../core/view.js';
import { sumOp } from '../reductions/reduce.js';
import { checkSpatialInput, type Sizes, type SpatialDims, withBatch } from './batch.js';
import { type ConvAttributes, type ConvGeometry, convGeometry, convTransposeGeometry } from './conv-geometry.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** y = conv(x, weight) + bias */
    conv: KernelTable<
      [x: TypedArray, weight: TypedArray, bias: TypedArray, y: TypedArray, hasBias: number, geometry: Int32Array]
    >;
    /** x = the transposed convolution of y, + bias of x's channels */
    convBackwardInput: KernelTable<
      [y: TypedArray, weight: TypedArray, bias: TypedArray, x: TypedArray, hasBias: number, geometry: Int32Array]
    >;
    convBackwardWeight: KernelTable<[y: TypedArray, x: TypedArray, weight: TypedArray, geometry: Int32Array]>;
  }
}

type ConvOperator = Operator<ConvAttributes | ConvGeometry, Tensor>;

function isGeometry(attributes: ConvAttributes | ConvGeometry): attributes is ConvGeometry {
  return 'words' in attributes;
}

/** bfloat16 has kernels of its own, float16 none. */
const nativeHalf = ([x]: readonly Tensor[]): boolean => kernels.conv[x.info.code] !== undefined;

/**
 * A fresh result in PyTorch's layout: channels last where the input is, or the weight; of rows the weight alone
 * decides.
 */
function laidOut(nd: SpatialDims, [x, weight]: readonly Tensor[], out: Tensor): Tensor {
  if (nd === 1) return inFormatOfRows(weight, out);
  if (nd === 3 && x.info === FLOAT64) return out;
  const format = suggestedFormat(x.shape, x.strides);
  return inFormat(out, format === 'contiguous_format' ? suggestedFormat(weight.shape, weight.strides) : format);
}

/** Calls `conv` or `convBackwardInput`, which take the same arguments. */
function run(
  op: string,
  table: typeof kernels.conv,
  out: Shape,
  geometry: ConvGeometry,
  inputs: readonly Tensor[],
): Tensor {
  const [x, weight, bias] = inputs.map(contiguousOf);
  const kernel = instanceOf(op, table, x.info);
  const y = allocate(out, x.info);
  kernel(x.array, weight.array, (bias ?? weight).array, y.array, bias === undefined ? 0 : 1, geometry.words);
  return y;
}

/** The gradient of a bias: g summed over all but the channels. */
function biasGradient(g: Tensor): Tensor {
  const dims = g.shape.map((_, d) => d).filter((d) => d !== 1);
  return viewOp([sumOp([g], dims)], [g.shape[1]]);
}

/** The four operators of one number of dimensions. */
function convOperators(nd: SpatialDims): { conv: ConvOperator; convTranspose: ConvOperator } {
  /** y = conv(x, w) + b; dx = convBackwardInput(g, w), dw = convBackwardWeight(g, x), db = sum of g. */
  const conv: ConvOperator = defineOp<ConvAttributes | ConvGeometry, ConvGeometry>({
    name: `conv${nd}d`,
    nativeHalf,
    autocast: 'lower',
    infer: (inputs, attributes) =>
      isGeometry(attributes) ? attributes : convGeometry(`conv${nd}d`, nd, inputs, attributes),
    forward: (geometry, inputs) => laidOut(nd, inputs, run(`conv${nd}d`, kernels.conv, geometry.y, geometry, inputs)),
    save: (context, [x, weight]) => context.save(context.needs(1) ? x : null, context.needs(0) ? weight : null),
    backward: (context, g): Gradients => [
      context.needs(0) ? convBackwardInput([g, context.saved(1)], context.spec) : null,
      context.needs(1) ? convBackwardWeight([g, context.saved(0)], context.spec) : null,
      context.needs(2) ? biasGradient(g) : null,
    ],
  });

  /** x = convBackwardInput(y, w), linear in both; dy = conv(g, w), dw = convBackwardWeight(y, g). */
  const convBackwardInput = defineOp<ConvGeometry, ConvGeometry>({
    name: `conv${nd}dBackwardInput`,
    nativeHalf,
    infer: (_, geometry) => geometry,
    forward: (geometry, inputs) =>
      run(`conv${nd}dBackwardInput`, kernels.convBackwardInput, geometry.x, geometry, inputs),
    save: (context, [y, weight]) => context.save(context.needs(1) ? y : null, context.needs(0) ? weight : null),
    backward: (context, g): Gradients => [
      context.needs(0) ? conv([g, context.saved(1)], context.spec) : null,
      context.needs(1) ? convBackwardWeight([context.saved(0), g], context.spec) : null,
    ],
  });

  /** w = convBackwardWeight(y, x), linear in both; dy = conv(x, g), dx = convBackwardInput(y, g). */
  const convBackwardWeight = defineOp<ConvGeometry, ConvGeometry>({
    name: `conv${nd}dBackwardWeight`,
    nativeHalf,
    infer: (_, geometry) => geometry,
    forward: (geometry, inputs) => {
      const [y, x] = inputs.map(contiguousOf);
      const out = allocate(geometry.weight, y.info);
      instanceOf(`conv${nd}dBackwardWeight`, kernels.convBackwardWeight, y.info)(
        y.array,
        x.array,
        out.array,
        geometry.words,
      );
      return out;
    },
    save: (context, [y, x]) => context.save(context.needs(1) ? y : null, context.needs(0) ? x : null),
    backward: (context, g): Gradients => [
      context.needs(0) ? conv([context.saved(1), g], context.spec) : null,
      context.needs(1) ? convBackwardInput([context.saved(0), g], context.spec) : null,
    ],
  });

  /**
   * y = convTranspose(x, w) + b = convBackwardInput(x, w) + b; dx = conv(g, w), dw = convBackwardWeight(x, g), db = sum
   * of g.
   */
  const convTranspose: ConvOperator = defineOp<ConvAttributes | ConvGeometry, ConvGeometry>({
    name: `convTranspose${nd}d`,
    nativeHalf,
    autocast: 'lower',
    infer: (inputs, attributes) =>
      isGeometry(attributes) ? attributes : convTransposeGeometry(`convTranspose${nd}d`, nd, inputs, attributes),
    forward: (geometry, inputs) =>
      laidOut(nd, inputs, run(`convTranspose${nd}d`, kernels.convBackwardInput, geometry.x, geometry, inputs)),
    save: (context, [x, weight]) => context.save(context.needs(1) ? x : null, context.needs(0) ? weight : null),
    backward: (context, g): Gradients => [
      context.needs(0) ? conv([g, context.saved(1)], context.spec) : null,
      context.needs(1) ? convBackwardWeight([context.saved(0), g], context.spec) : null,
      context.needs(2) ? biasGradient(g) : null,
    ],
  });
  return { conv, convTranspose };
}

function operands(op: string, input: unknown, weight: unknown, bias: unknown): Tensor[] {
  const given = [tensorArgument(op, 'input', input), tensorArgument(op, 'weight', weight)];
  return bias === undefined || bias === null ? given : [...given, tensorArgument(op, 'bias', bias)];
}

const CONV_PARAMETERS = ['input', 'weight', 'bias', 'stride', 'padding', 'dilation', 'groups'] as const;
const CONV_TRANSPOSE_PARAMETERS = [
  'input',
  'weight',
  'bias',
  'stride',
  'padding',
  'outputPadding',
  'groups',
  'dilation',
] as const;

function convFunction(nd: SpatialDims, operator: ConvOperator) {
  const name = `conv${nd}d`;
  return defineFunction(
    { name: `nn.functional.${name}`, parameters: CONV_PARAMETERS, required: 2 },
    (
      input: Tensor,
      weight: Tensor,
      bias?: Tensor | null,
      stride?: Sizes,
      padding?: Sizes | 'same' | 'valid',
      dilation?: Sizes,
      groups?: number,
    ): Tensor => {
      const [x, ...rest] = operands(name, input, weight, bias);
      checkSpatialInput(name, x, nd);
      const attributes = { stride: stride ?? 1, padding: padding ?? 0, dilation: dilation ?? 1, groups: groups ?? 1 };
      return withBatch(x, nd, (batched) => operator([batched, ...rest], attributes));
    },
  );
}

function convTransposeFunction(nd: SpatialDims, operator: ConvOperator) {
  const name = `convTranspose${nd}d`;
  return defineFunction(
    { name: `nn.functional.${name}`, parameters: CONV_TRANSPOSE_PARAMETERS, required: 2 },
    (
      input: Tensor,
      weight: Tensor,
      bias?: Tensor | null,
      stride?: Sizes,
      padding?: Sizes,
      outputPadding?: Sizes,
      groups?: number,
      dilation?: Sizes,
    ): Tensor => {
      const [x, ...rest] = operands(name, input, weight, bias);
      checkSpatialInput(name, x, nd);
      const attributes = {
        stride: stride ?? 1,
        padding: padding ?? 0,
        dilation: dilation ?? 1,
        groups: groups ?? 1,
        outputPadding: outputPadding ?? 0,
      };
      return withBatch(x, nd, (batched) => operator([batched, ...rest], attributes));
    },
  );
}

const OPERATORS = [convOperators(1), convOperators(2), convOperators(3)];

/**
 * Slides a kernel over the input: y[n, k, p] = bias[k] + sum over c, r of weight[k, c, r] x[n, c, p stride - padding +
 * r dilation]. input [N, C, L] or [C, L]; weight [K, C / groups, R]; bias [K]. padding is a number, 'valid' or 'same'
 * (stride 1 only). Returns [N, K, P]. Throws ShapeError, DTypeError, ArgumentError. PyTorch:
 * torch.nn.functional.conv1d.
 */
export const conv1d = convFunction(1, OPERATORS[0].conv);
/**
 * As `conv1d` in two dimensions: input [N, C, H, W] or [C, H, W], weight [K, C / groups, R, S]. PyTorch:
 * torch.nn.functional.conv2d.
 */
export const conv2d = convFunction(2, OPERATORS[1].conv);
/**
 * As `conv1d` in three dimensions: input [N, C, D, H, W] or [C, D, H, W], weight [K, C / groups, T, R, S]. PyTorch:
 * torch.nn.functional.conv3d.
 */
export const conv3d = convFunction(3, OPERATORS[2].conv);
/**
 * The gradient of `conv1d` with respect to its input, as a layer: y[n, k, p stride - padding + r dilation] += weight[c,
 * k, r] x[n, c, p]. input [N, C, L] or [C, L]; weight [C, K / groups, R]; bias [K]; outputPadding widens the far side.
 * Returns [N, K, P]. Throws ShapeError, DTypeError, ArgumentError. PyTorch: torch.nn.functional.conv_transpose1d.
 */
export const convTranspose1d = convTransposeFunction(1, OPERATORS[0].convTranspose);
/** As `convTranspose1d` in two dimensions. PyTorch: torch.nn.functional.conv_transpose2d. */
export const convTranspose2d = convTransposeFunction(2, OPERATORS[1].convTranspose);
/** As `convTranspose1d` in three dimensions. PyTorch: torch.nn.functional.conv_transpose3d. */
export const convTranspose3d = convTransposeFunction(3, OPERATORS[2].convTranspose);
