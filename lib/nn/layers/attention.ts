/** Attention with several heads as a layer. */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, fail } from '../../errors.js';
import { multiHeadAttentionForward } from '../../ops/sequence/multi-head-attention.js';
import { transpose } from '../../ops/views/permute.js';
import type { DType } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, callArguments, constructorArguments, emptyParameter } from '../arguments.js';
import { constant_, xavierNormal_, xavierUniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { Linear } from './linear.js';

const OP = 'MultiheadAttention';
const NAMES = [
  'embedDim',
  'numHeads',
  'dropout',
  'bias',
  'addBiasKv',
  'addZeroAttn',
  'kdim',
  'vdim',
  'batchFirst',
  'device',
  'dtype',
] as const;
type Arguments = [
  embedDim: number,
  numHeads: number,
  dropout?: number,
  bias?: boolean,
  addBiasKv?: boolean,
  addZeroAttn?: boolean,
  kdim?: number | null,
  vdim?: number | null,
  batchFirst?: boolean,
  device?: string,
  dtype?: DType,
];
const CALL = [
  'query',
  'key',
  'value',
  'keyPaddingMask',
  'needWeights',
  'attnMask',
  'averageAttnWeights',
  'isCausal',
] as const;
type Mask = Tensor | null;
type Call = [
  query: Tensor,
  key: Tensor,
  value: Tensor,
  keyPaddingMask?: Mask,
  needWeights?: boolean,
  attnMask?: Mask,
  averageAttnWeights?: boolean,
  isCausal?: boolean,
];

/** The output projection; it prints under the name that PyTorch gives it. */
class NonDynamicallyQuantizableLinear extends Linear {}

/**
 * Attention of `numHeads` heads (torch.nn.MultiheadAttention; Vaswani et al. 2017). query is [L, N, E], key and value
 * [S, N, kdim], [S, N, vdim]; batch first with `batchFirst`; without N unbatched. The result is [output, weights],
 * weights null with `needWeights: false`, which is the fast way. In bool masks true means: ignore.
 */
export class MultiheadAttention extends Module {
  static override readonly stateNames = {
    inProjWeight: 'in_proj_weight',
    inProjBias: 'in_proj_bias',
    qProjWeight: 'q_proj_weight',
    kProjWeight: 'k_proj_weight',
    vProjWeight: 'v_proj_weight',
    outProj: 'out_proj',
    biasK: 'bias_k',
    biasV: 'bias_v',
  };
  readonly embedDim: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly headDim: number;
  readonly addZeroAttn: boolean;
  declare qProjWeight: Parameter | null;
  declare kProjWeight: Parameter | null;
  declare vProjWeight: Parameter | null;
  declare inProjWeight: Parameter | null;
  declare inProjBias: Parameter | null;
  declare outProj: Linear;
  declare biasK: Parameter | null;
  declare biasV: Parameter | null;

  constructor(...args: ConstructorArguments<typeof NAMES, Arguments>) {
    super();
    const given = constructorArguments<typeof NAMES, Arguments>(OP, NAMES, 2, args);
    const {
      embedDim,
      numHeads,
      dropout = 0,
      bias = true,
      addBiasKv = false,
      addZeroAttn = false,
      kdim,
      vdim,
      batchFirst = false,
    } = given;
    const factory = { device: given.device, dtype: given.dtype };
    this.embedDim = checkInteger(OP, 'embedDim', embedDim, 1);
    this.numHeads = checkInteger(OP, 'numHeads', numHeads, 1);
    this.kdim = kdim ?? embedDim;
    this.vdim = vdim ?? embedDim;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.headDim = embedDim / numHeads;
    if (!Number.isInteger(this.headDim))
      fail(ArgumentError, OP, 'an embedDim that numHeads divides', `${embedDim} and ${numHeads}`);
    this.addZeroAttn = addZeroAttn;
    const projection = (wanted: boolean, rows: number, columns: number): Parameter | null =>
      wanted ? emptyParameter(OP, [rows, columns], factory) : null;
    this.registerParameter('qProjWeight', projection(!this.packed, embedDim, embedDim));
    this.registerParameter('kProjWeight', projection(!this.packed, embedDim, this.kdim));
    this.registerParameter('vProjWeight', projection(!this.packed, embedDim, this.vdim));
    this.registerParameter('inProjWeight', projection(this.packed, 3 * embedDim, embedDim));
    this.registerParameter('inProjBias', bias ? emptyParameter(OP, [3 * embedDim], factory) : null);
    this.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, { bias, ...factory });
    this.registerParameter('biasK', addBiasKv ? emptyParameter(OP, [1, 1, embedDim], factory) : null);
    this.registerParameter('biasV', addBiasKv ? emptyParameter(OP, [1, 1, embedDim], factory) : null);
    this.resetParameters();
  }
  /** Whether one weight projects query, key and value. */
  get packed(): boolean {
    return this.kdim === this.embedDim && this.vdim === this.embedDim;
  }
  /** Draws the input projections anew; biases become 0. */
  resetParameters(): void {
    for (const weight of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight])
      if (weight !== null) xavierUniform_(weight);
    if (this.inProjBias !== null) {
      constant_(this.inProjBias, 0);
      if (this.outProj.bias !== null) constant_(this.outProj.bias, 0);
    }
    for (const bias of [this.biasK, this.biasV]) if (bias !== null) xavierNormal_(bias);
  }
  override forward(...args: ConstructorArguments<typeof CALL, Call>): [output: Tensor, weights: Tensor | null] {
    const {
      query,
      key,
      value,
      keyPaddingMask,
      needWeights = true,
      attnMask,
      averageAttnWeights = true,
      isCausal = false,
    } = callArguments<typeof CALL, Call>(OP, CALL, 3, args);
    const swap = this.batchFirst && query.shape.length === 3;
    // The same tensor stays the same tensor, so that one product projects all three.
    const turned = (x: Tensor): Tensor => (swap ? transpose(x, 0, 1) : x);
    const q = turned(query);
    const k = key === query ? q : turned(key);
    const v = value === key ? k : turned(value);
    const [output, weights] = multiHeadAttentionForward(
      q,
      k,
      v,
      this.embedDim,
      this.numHeads,
      this.inProjWeight,
      this.inProjBias,
      this.biasK,
      this.biasV,
      this.addZeroAttn,
      this.dropout,
      this.outProj.weight,
      this.outProj.bias,
      this.training,
      keyPaddingMask,
      needWeights,
      attnMask,
      !this.packed,
      this.qProjWeight,
      this.kProjWeight,
      this.vProjWeight,
      null,
      null,
      averageAttnWeights,
      isCausal,
    );
    return [swap ? transpose(output, 0, 1) : output, weights];
  }
}
