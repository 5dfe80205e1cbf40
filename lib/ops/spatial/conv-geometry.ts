/**
 * Shapes of convolutions and transposed convolutions: every check of their arguments, and the geometry as
 * native/kernels/ conv_geometry.h reads it. A transposed convolution is described by the convolution whose gradient it
 * is.
 */
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import type { Shape } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { geometryWords, type Sizes, spatialList, threeDims } from './batch.js';

export interface ConvAttributes {
  readonly stride: Sizes;
  readonly padding: Sizes | 'same' | 'valid';
  readonly dilation: Sizes;
  readonly groups: number;
  /** Only of a transposed convolution. */
  readonly outputPadding?: Sizes;
}

/** A convolution y = conv(x, weight) whose shapes are known. */
export interface ConvGeometry {
  readonly x: Shape;
  readonly weight: Shape;
  readonly y: Shape;
  readonly words: Int32Array;
}

function geometry(
  op: string,
  x: Shape,
  weight: Shape,
  y: Shape,
  groups: number,
  stride: number[],
  padding: number[],
  dilation: number[],
): ConvGeometry {
  const words = geometryWords(op, [
    x[0],
    x[1],
    y[1],
    groups,
    ...threeDims(x.slice(2), 1),
    ...threeDims(weight.slice(2), 1),
    ...threeDims(y.slice(2), 1),
    ...threeDims(stride, 1),
    ...threeDims(padding, 0),
    ...threeDims(dilation, 1),
  ]);
  return { x, weight, y, words };
}

/** What both kinds of convolution ask of their operands. */
function checkOperands(op: string, nd: number, inputs: readonly Tensor[], groups: number, biasSize: number): void {
  const [input, weight, bias] = inputs;
  if (!Number.isInteger(groups) || groups < 1)
    fail(ArgumentError, op, 'groups to be a whole number of at least 1', describe(groups));
  if (weight.shape.length !== nd + 2)
    fail(ShapeError, op, `a weight of ${nd + 2} dimensions`, `${weight.shape.length}`, { input, weight });
  for (const other of inputs)
    if (other.info !== input.info)
      fail(DTypeError, op, `weight and bias of the input's dtype ${input.dtype}`, other.dtype, { input, weight });
  if (weight.shape.slice(2).some((n) => n < 1))
    fail(ShapeError, op, 'a kernel of at least 1 in every dimension', `[${weight.shape.slice(2)}]`, { input, weight });
  if (weight.shape[0] < groups)
    fail(ShapeError, op, `a weight of at least ${groups} (groups) in its first dimension`, `${weight.shape[0]}`, {
      input,
      weight,
      groups,
    });
  if (weight.shape[0] % groups !== 0)
    fail(ShapeError, op, 'a weight whose first dimension is divisible by groups', `${weight.shape[0]}`, {
      input,
      weight,
      groups,
    });
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== biasSize))
    fail(ShapeError, op, `a bias of shape [${biasSize}]`, `[${bias.shape}]`, { input, weight });
}

/** Geometry of y = conv(input, weight): y = floor((x + 2 padding - dilation (kernel - 1) - 1) / stride) + 1. */
export function convGeometry(
  op: string,
  nd: number,
  inputs: readonly Tensor[],
  attributes: ConvAttributes,
): ConvGeometry {
  const [input, weight] = inputs;
  const { groups } = attributes;
  checkOperands(op, nd, inputs, groups, weight.shape[0]);
  if (input.shape[1] !== weight.shape[1] * groups)
    fail(
      ShapeError,
      op,
      `an input of ${weight.shape[1] * groups} channels (weight's dim 1 times groups)`,
      `${input.shape[1]}`,
      { input, weight, groups },
    );
  const stride = spatialList(op, 'stride', attributes.stride, nd, 1);
  const dilation = spatialList(op, 'dilation', attributes.dilation, nd, 1);
  const kernel = weight.shape.slice(2);
  const sizes = input.shape.slice(2);
  const reach = kernel.map((k, d) => dilation[d] * (k - 1) + 1);
  let padding: number[];
  let out: number[];
  if (attributes.padding === 'same') {
    if (stride.some((s) => s !== 1))
      fail(ArgumentError, op, "stride 1 with padding 'same'", describe(attributes.stride));
    // The odd element of padding goes to the far side.
    padding = reach.map((r) => Math.floor((r - 1) / 2));
    out = sizes;
  } else {
    if (typeof attributes.padding === 'string' && attributes.padding !== 'valid')
      fail(ArgumentError, op, "padding of 'same', 'valid', a number or numbers", describe(attributes.padding));
    padding =
      attributes.padding === 'valid'
        ? new Array<number>(nd).fill(0)
        : spatialList(op, 'padding', attributes.padding as Sizes, nd, 0);
    for (let d = 0; d < nd; d++)
      if (reach[d] > sizes[d] + 2 * padding[d])
        fail(
          ShapeError,
          op,
          `a kernel (of reach ${reach[d]}) not larger than the padded input ${sizes[d] + 2 * padding[d]} ` +
            `at spatial dim ${d}`,
          `[${kernel}]`,
          {
            input,
            weight,
          },
        );
    out = sizes.map((n, d) => Math.floor((n + 2 * padding[d] - reach[d]) / stride[d]) + 1);
  }
  return geometry(
    op,
    input.shape,
    weight.shape,
    Object.freeze([input.shape[0], weight.shape[0], ...out]),
    groups,
    stride,
    padding,
    dilation,
  );
}

/**
 * Geometry of the convolution whose gradient convTranspose(input, weight) is: its y has the input's shape, its x the
 * result's.
 */
export function convTransposeGeometry(
  op: string,
  nd: number,
  inputs: readonly Tensor[],
  attributes: ConvAttributes,
): ConvGeometry {
  const [input, weight] = inputs;
  const { groups } = attributes;
  const channels = weight.shape.length > 1 ? weight.shape[1] * groups : 0;
  checkOperands(op, nd, inputs, groups, channels);
  if (input.shape[1] !== weight.shape[0])
    fail(ShapeError, op, `an input of ${weight.shape[0]} channels (weight's first dimension)`, `${input.shape[1]}`, {
      input,
      weight,
      groups,
    });
  if (input.shape.slice(2).includes(0))
    fail(ShapeError, op, 'an input of at least 1 in every spatial dimension', `[${input.shape}]`, { input, weight });
  const stride = spatialList(op, 'stride', attributes.stride, nd, 1);
  const dilation = spatialList(op, 'dilation', attributes.dilation, nd, 1);
  if (typeof attributes.padding === 'string')
    fail(ArgumentError, op, 'padding of a number or numbers', describe(attributes.padding));
  const padding = spatialList(op, 'padding', attributes.padding, nd, 0);
  const outputPadding = spatialList(op, 'outputPadding', attributes.outputPadding ?? 0, nd, 0);
  const out = input.shape.slice(2).map((n, d) => {
    if (outputPadding[d] >= stride[d] && outputPadding[d] >= dilation[d])
      fail(ArgumentError, op, `outputPadding smaller than stride or dilation`, describe(outputPadding), {
        stride,
        dilation,
      });
    return (n - 1) * stride[d] - 2 * padding[d] + dilation[d] * (weight.shape[d + 2] - 1) + outputPadding[d] + 1;
  });
  if (out.some((n) => n < 1))
    fail(ShapeError, op, 'arguments that give an output of at least 1 in every dimension', `[${out}]`, {
      input,
      weight,
    });
  return geometry(
    op,
    Object.freeze([input.shape[0], channels, ...out]),
    weight.shape,
    input.shape,
    groups,
    stride,
    padding,
    dilation,
  );
}
