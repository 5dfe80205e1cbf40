/**
 * Transformers out of attention, linear layers and norms: encoder and decoder layers, stacks of them, and the whole.
 */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions, ShapeError } from '../../errors.js';
import { gelu, relu } from '../../ops/activations/activation.js';
import { add } from '../../ops/elementwise/arithmetic.js';
import { maskedFill } from '../../ops/elementwise/selection.js';
import { canonicalMask } from '../../ops/sequence/multi-head-attention.js';
import { sameShape } from '../../shape/layout.js';
import { BOOL, type DType, defaultFloatInfo, dtypeInfo } from '../../storage/dtype.js';
import { requireParameterRoom } from '../../storage/room.js';
import { allocate } from '../../tensor/allocate.js';
import { fillWith } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, callArguments, constructorArguments, type Factory } from '../arguments.js';
import { ModuleList } from '../containers.js';
import { deepcopy } from '../deepcopy.js';
import { xavierUniform_ } from '../init.js';
import { type Layer, Module } from '../module.js';
import { MultiheadAttention } from './attention.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norm.js';

/** 'relu', 'gelu', or any function or module from a tensor to a tensor. */
export type TransformerActivation = 'relu' | 'gelu' | ((input: Tensor) => Tensor);
type Mask = Tensor | null;

const LAYER = [
  'dModel',
  'nhead',
  'dimFeedforward',
  'dropout',
  'activation',
  'layerNormEps',
  'batchFirst',
  'normFirst',
  'bias',
  'device',
  'dtype',
] as const;
type LayerArguments = [
  dModel: number,
  nhead: number,
  dimFeedforward?: number,
  dropout?: number,
  activation?: TransformerActivation,
  layerNormEps?: number,
  batchFirst?: boolean,
  normFirst?: boolean,
  bias?: boolean,
  device?: string,
  dtype?: DType,
];

function activationOf(op: string, activation: TransformerActivation): (input: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return relu;
  if (activation === 'gelu') return (x) => gelu(x);
  return fail(ArgumentError, op, "activation 'relu', 'gelu' or a function", describe(activation));
}

/** The arguments of a layer of either stack with their defaults, and where its parameters are made as `factory`. */
function layerSettings(op: string, args: ConstructorArguments<typeof LAYER, LayerArguments>) {
  const {
    dModel,
    nhead,
    dimFeedforward = 2048,
    dropout = 0.1,
    activation = 'relu',
    layerNormEps = 1e-5,
    batchFirst = false,
    normFirst = false,
    bias = true,
    ...factory
  } = constructorArguments<typeof LAYER, LayerArguments>(op, LAYER, 2, args);
  return { dModel, nhead, dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, factory };
}

const ENCODER_LAYER = ['src', 'srcMask', 'srcKeyPaddingMask', 'isCausal'] as const;
type EncoderLayerCall = [src: Tensor, srcMask?: Mask, srcKeyPaddingMask?: Mask, isCausal?: boolean];

/**
 * Self-attention and a feed-forward net, each with dropout, a residual connection and a layer norm, after it or
 * (`normFirst`) before it (torch.nn.TransformerEncoderLayer; Vaswani et al. 2017). src is [S, N, dModel], or batch
 * first, or unbatched.
 */
export class TransformerEncoderLayer extends Module {
  static override readonly stateNames: Readonly<Record<string, string>> = { selfAttn: 'self_attn' };
  declare readonly selfAttn: MultiheadAttention;
  declare readonly linear1: Linear;
  declare readonly dropout: Dropout;
  declare readonly linear2: Linear;
  readonly normFirst: boolean;
  declare readonly norm1: LayerNorm;
  declare readonly norm2: LayerNorm;
  declare readonly dropout1: Dropout;
  declare readonly dropout2: Dropout;
  readonly activation: (input: Tensor) => Tensor;

  constructor(...args: ConstructorArguments<typeof LAYER, LayerArguments>) {
    super();
    const op = 'TransformerEncoderLayer';
    const { dModel, nhead, dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, factory } =
      layerSettings(op, args);
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, ...factory });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, ...factory });
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.activation = activationOf(op, activation);
  }
  override forward(...args: ConstructorArguments<typeof ENCODER_LAYER, EncoderLayerCall>): Tensor {
    const op = 'TransformerEncoderLayer';
    const {
      src,
      srcMask,
      srcKeyPaddingMask,
      isCausal = false,
    } = callArguments<typeof ENCODER_LAYER, EncoderLayerCall>(op, ENCODER_LAYER, 1, args);
    const padding = canonicalMask(op, 'srcKeyPaddingMask', srcKeyPaddingMask, src.info);
    const mask = canonicalMask(op, 'srcMask', srcMask, src.info);
    const attend = (x: Tensor): Tensor =>
      this.dropout1(
        this.selfAttn(x, x, x, { attnMask: mask, keyPaddingMask: padding, needWeights: false, isCausal })[0],
      );
    const feed = (x: Tensor): Tensor => this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
    if (this.normFirst) {
      const x = add(src, attend(this.norm1(src)));
      return add(x, feed(this.norm2(x)));
    }
    const x = this.norm1(add(src, attend(src)));
    return this.norm2(add(x, feed(x)));
  }
}

const DECODER_LAYER = [
  'tgt',
  'memory',
  'tgtMask',
  'memoryMask',
  'tgtKeyPaddingMask',
  'memoryKeyPaddingMask',
  'tgtIsCausal',
  'memoryIsCausal',
] as const;
type DecoderLayerCall = [
  tgt: Tensor,
  memory: Tensor,
  tgtMask?: Mask,
  memoryMask?: Mask,
  tgtKeyPaddingMask?: Mask,
  memoryKeyPaddingMask?: Mask,
  tgtIsCausal?: boolean,
  memoryIsCausal?: boolean,
];

/** Self-attention, attention to the encoder's output, and a feed-forward net (torch.nn.TransformerDecoderLayer). */
export class TransformerDecoderLayer extends Module {
  static override readonly stateNames: Readonly<Record<string, string>> = {
    selfAttn: 'self_attn',
    multiheadAttn: 'multihead_attn',
  };
  declare readonly selfAttn: MultiheadAttention;
  declare readonly multiheadAttn: MultiheadAttention;
  declare readonly linear1: Linear;
  declare readonly dropout: Dropout;
  declare readonly linear2: Linear;
  readonly normFirst: boolean;
  declare readonly norm1: LayerNorm;
  declare readonly norm2: LayerNorm;
  declare readonly norm3: LayerNorm;
  declare readonly dropout1: Dropout;
  declare readonly dropout2: Dropout;
  declare readonly dropout3: Dropout;
  readonly activation: (input: Tensor) => Tensor;

  constructor(...args: ConstructorArguments<typeof LAYER, LayerArguments>) {
    super();
    const op = 'TransformerDecoderLayer';
    const { dModel, nhead, dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, factory } =
      layerSettings(op, args);
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, ...factory });
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst, ...factory });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, ...factory });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, ...factory });
    this.normFirst = normFirst;
    this.norm1 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...factory });
    this.norm2 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...factory });
    this.norm3 = new LayerNorm(dModel, { eps: layerNormEps, bias, ...factory });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.activation = activationOf(op, activation);
  }
  override forward(...args: ConstructorArguments<typeof DECODER_LAYER, DecoderLayerCall>): Tensor {
    const given = callArguments<typeof DECODER_LAYER, DecoderLayerCall>(
      'TransformerDecoderLayer',
      DECODER_LAYER,
      2,
      args,
    );
    const {
      tgt,
      memory,
      tgtMask,
      memoryMask,
      tgtKeyPaddingMask,
      memoryKeyPaddingMask,
      tgtIsCausal = false,
      memoryIsCausal = false,
    } = given;
    const attend = (x: Tensor): Tensor =>
      this.dropout1(
        this.selfAttn(x, x, x, {
          attnMask: tgtMask,
          keyPaddingMask: tgtKeyPaddingMask,
          isCausal: tgtIsCausal,
          needWeights: false,
        })[0],
      );
    const consult = (x: Tensor): Tensor =>
      this.dropout2(
        this.multiheadAttn(x, memory, memory, {
          attnMask: memoryMask,
          keyPaddingMask: memoryKeyPaddingMask,
          isCausal: memoryIsCausal,
          needWeights: false,
        })[0],
      );
    const feed = (x: Tensor): Tensor => this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
    if (this.normFirst) {
      let x = add(tgt, attend(this.norm1(tgt)));
      x = add(x, consult(this.norm2(x)));
      return add(x, feed(this.norm3(x)));
    }
    let x = this.norm1(add(tgt, attend(tgt)));
    x = this.norm2(add(x, consult(x)));
    return this.norm3(add(x, feed(x)));
  }
}

/** -infinity above the diagonal, 0 elsewhere. */
function squareSubsequentMask(size: number, dtype?: DType): Tensor {
  const info = dtype === undefined ? defaultFloatInfo() : dtypeInfo('generateSquareSubsequentMask', dtype);
  const mask = allocate([size, size], BOOL);
  const array = mask.array as Uint8Array;
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) array[i * size + j] = j > i ? 1 : 0;
  const zeros = allocate([size, size], info);
  fillWith(zeros, 0);
  return maskedFill(zeros, mask, Number.NEGATIVE_INFINITY);
}

/** The hint isCausal: as given, or whether the mask is the causal one. */
function isCausalMask(mask: Mask | undefined, given: boolean | null | undefined, size: number): boolean {
  if (given !== null && given !== undefined) return given;
  if (mask === null || mask === undefined || !mask.info.floating || !sameShape(mask.shape, [size, size])) return false;
  const values = mask.toTypedArray();
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      if (Number(values[i * size + j]) !== (j > i ? Number.NEGATIVE_INFINITY : 0)) return false;
  return true;
}

function clones<M extends Module>(op: string, layer: M, count: number): ModuleList<M> {
  if (!(layer instanceof Module)) fail(ArgumentError, op, 'a module as layer', describe(layer));
  const length = checkInteger(op, 'numLayers', count);
  requireParameterRoom(op, length * Math.max(1, layer.parameters().length));
  return new ModuleList(Array.from({ length }, () => deepcopy(layer)));
}

/** The module behind the last layer, or null. */
function lastNorm(op: string, norm: Layer | null): Layer | null {
  if (norm !== null && !(norm instanceof Module)) fail(ArgumentError, op, 'a module or null as norm', describe(norm));
  return norm;
}

const ENCODER = ['encoderLayer', 'numLayers', 'norm', 'enableNestedTensor', 'maskCheck'] as const;
type EncoderArguments = [
  encoderLayer: TransformerEncoderLayer,
  numLayers: number,
  norm?: Layer | null,
  enableNestedTensor?: boolean,
  maskCheck?: boolean,
];
const ENCODER_CALL = ['src', 'mask', 'srcKeyPaddingMask', 'isCausal'] as const;
type EncoderCall = [src: Tensor, mask?: Mask, srcKeyPaddingMask?: Mask, isCausal?: boolean | null];

/** `numLayers` copies of an encoder layer one after the other, and a norm where given (torch.nn.TransformerEncoder). */
export class TransformerEncoder extends Module {
  declare readonly layers: ModuleList<TransformerEncoderLayer>;
  readonly numLayers: number;
  declare readonly norm: Layer | null;
  readonly enableNestedTensor: boolean;
  readonly maskCheck: boolean;

  constructor(...args: ConstructorArguments<typeof ENCODER, EncoderArguments>) {
    super();
    const {
      encoderLayer,
      numLayers,
      norm = null,
      enableNestedTensor = true,
      maskCheck = true,
    } = constructorArguments<typeof ENCODER, EncoderArguments>('TransformerEncoder', ENCODER, 2, args);
    this.layers = clones('TransformerEncoder', encoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = lastNorm('TransformerEncoder', norm);
    this.enableNestedTensor = enableNestedTensor;
    this.maskCheck = maskCheck;
  }
  override forward(...args: ConstructorArguments<typeof ENCODER_CALL, EncoderCall>): Tensor {
    const op = 'TransformerEncoder';
    const { src, mask, srcKeyPaddingMask, isCausal } = callArguments<typeof ENCODER_CALL, EncoderCall>(
      op,
      ENCODER_CALL,
      1,
      args,
    );
    const padding = canonicalMask(op, 'srcKeyPaddingMask', srcKeyPaddingMask, src.info);
    const added = canonicalMask(op, 'mask', mask, src.info);
    const first = this.layers.at(0);
    const size = src.shape.length === 2 || !first.selfAttn.batchFirst ? src.shape[0] : src.shape[1];
    const causal = isCausalMask(added, isCausal, size);
    let output = src;
    for (const layer of this.layers)
      output = layer(output, { srcMask: added ?? null, isCausal: causal, srcKeyPaddingMask: padding ?? null });
    return this.norm === null ? output : this.norm(output);
  }
}

const DECODER = ['decoderLayer', 'numLayers', 'norm'] as const;
type DecoderArguments = [decoderLayer: TransformerDecoderLayer, numLayers: number, norm?: Layer | null];
const DECODER_CALL = DECODER_LAYER;
type DecoderCall = [
  tgt: Tensor,
  memory: Tensor,
  tgtMask?: Mask,
  memoryMask?: Mask,
  tgtKeyPaddingMask?: Mask,
  memoryKeyPaddingMask?: Mask,
  tgtIsCausal?: boolean | null,
  memoryIsCausal?: boolean,
];

/** `numLayers` copies of a decoder layer one after the other, and a norm where given (torch.nn.TransformerDecoder). */
export class TransformerDecoder extends Module {
  declare readonly layers: ModuleList<TransformerDecoderLayer>;
  readonly numLayers: number;
  declare readonly norm: Layer | null;

  constructor(...args: ConstructorArguments<typeof DECODER, DecoderArguments>) {
    super();
    const {
      decoderLayer,
      numLayers,
      norm = null,
    } = constructorArguments<typeof DECODER, DecoderArguments>('TransformerDecoder', DECODER, 2, args);
    this.layers = clones('TransformerDecoder', decoderLayer, numLayers);
    this.numLayers = numLayers;
    this.norm = lastNorm('TransformerDecoder', norm);
  }
  override forward(...args: ConstructorArguments<typeof DECODER_CALL, DecoderCall>): Tensor {
    const { tgt, memory, tgtIsCausal, ...rest } = callArguments<typeof DECODER_CALL, DecoderCall>(
      'TransformerDecoder',
      DECODER_CALL,
      2,
      args,
    );
    const first = this.layers.at(0);
    const size = tgt.shape.length === 2 || !first.selfAttn.batchFirst ? tgt.shape[0] : tgt.shape[1];
    const causal = isCausalMask(rest.tgtMask, tgtIsCausal, size);
    let output = tgt;
    for (const layer of this.layers) output = layer(output, memory, { ...rest, tgtIsCausal: causal });
    return this.norm === null ? output : this.norm(output);
  }
}

const WHOLE = [
  'dModel',
  'nhead',
  'numEncoderLayers',
  'numDecoderLayers',
  'dimFeedforward',
  'dropout',
  'activation',
  'customEncoder',
  'customDecoder',
  'layerNormEps',
  'batchFirst',
  'normFirst',
  'bias',
  'device',
  'dtype',
] as const;
type WholeArguments = [
  dModel?: number,
  nhead?: number,
  numEncoderLayers?: number,
  numDecoderLayers?: number,
  dimFeedforward?: number,
  dropout?: number,
  activation?: TransformerActivation,
  customEncoder?: TransformerEncoder | null,
  customDecoder?: TransformerDecoder | null,
  layerNormEps?: number,
  batchFirst?: boolean,
  normFirst?: boolean,
  bias?: boolean,
  device?: string,
  dtype?: DType,
];
const WHOLE_CALL = [
  'src',
  'tgt',
  'srcMask',
  'tgtMask',
  'memoryMask',
  'srcKeyPaddingMask',
  'tgtKeyPaddingMask',
  'memoryKeyPaddingMask',
  'srcIsCausal',
  'tgtIsCausal',
  'memoryIsCausal',
] as const;
type WholeCall = [
  src: Tensor,
  tgt: Tensor,
  srcMask?: Mask,
  tgtMask?: Mask,
  memoryMask?: Mask,
  srcKeyPaddingMask?: Mask,
  tgtKeyPaddingMask?: Mask,
  memoryKeyPaddingMask?: Mask,
  srcIsCausal?: boolean | null,
  tgtIsCausal?: boolean | null,
  memoryIsCausal?: boolean,
];

/**
 * An encoder and a decoder (torch.nn.Transformer; Vaswani et al. 2017). src [S, N, dModel] and tgt [T, N, dModel] give
 * [T, N, dModel].
 */
export class Transformer extends Module {
  declare readonly encoder: TransformerEncoder;
  declare readonly decoder: TransformerDecoder;
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;

  constructor(...args: ConstructorArguments<typeof WHOLE, WholeArguments>) {
    super();
    const given = constructorArguments<typeof WHOLE, WholeArguments>('Transformer', WHOLE, 0, args);
    const {
      dModel = 512,
      nhead = 8,
      numEncoderLayers = 6,
      numDecoderLayers = 6,
      dimFeedforward = 2048,
      dropout = 0.1,
      activation = 'relu',
    } = given;
    const { layerNormEps = 1e-5, batchFirst = false, normFirst = false, bias = true, device, dtype } = given;
    const settings = { dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst, bias, device, dtype };
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps: layerNormEps, bias, device, dtype });
    this.encoder =
      given.customEncoder ??
      new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, settings), numEncoderLayers, norm());
    this.decoder =
      given.customDecoder ??
      new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, settings), numDecoderLayers, norm());
    this.resetParameters();
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = batchFirst;
  }
  /** Draws all matrices anew. */
  resetParameters(): void {
    for (const parameter of this.parameters()) if (parameter.shape.length > 1) xavierUniform_(parameter);
  }
  override forward(...args: ConstructorArguments<typeof WHOLE_CALL, WholeCall>): Tensor {
    const op = 'Transformer';
    const { src, tgt, srcMask, srcKeyPaddingMask, srcIsCausal, ...rest } = callArguments<typeof WHOLE_CALL, WholeCall>(
      op,
      WHOLE_CALL,
      2,
      args,
    );
    const batch = this.batchFirst ? 0 : 1;
    if (src.shape.length === 3 && src.shape[batch] !== tgt.shape[batch])
      fail(ShapeError, op, 'src and tgt of one batch size', `${src.shape[batch]} and ${tgt.shape[batch]}`, {
        src,
        tgt,
      });
    for (const x of [src, tgt])
      if (x.shape[x.shape.length - 1] !== this.dModel)
        fail(ShapeError, op, `src and tgt of ${this.dModel} features`, String(x.shape[x.shape.length - 1]), {
          src,
          tgt,
        });
    const memory = this.encoder(src, { mask: srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return this.decoder(tgt, memory, rest);
  }
  /** [size, size] with -infinity above the diagonal and 0 elsewhere: position i sees 0..i. */
  static generateSquareSubsequentMask(size: number, options: Factory = {}): Tensor {
    rejectUnknownOptions('generateSquareSubsequentMask', options, ['device', 'dtype']);
    return squareSubsequentMask(checkInteger('generateSquareSubsequentMask', 'size', size), options.dtype);
  }
}
