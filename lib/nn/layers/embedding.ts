/** A table of vectors that are looked up by index. */

import { checkInteger } from '../../arguments.js';
import { noGrad } from '../../autograd/grad-mode.js';
import { ArgumentError, fail, rejectUnknownOptions, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { embedding } from '../../ops/sequence/embedding.js';
import type { DType } from '../../storage/dtype.js';
import { fillWith } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter } from '../arguments.js';
import { normal_ } from '../init.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { repr, reprFloat } from '../python-repr.js';

const OP = 'Embedding';
const NAMES = [
  'numEmbeddings',
  'embeddingDim',
  'paddingIdx',
  'maxNorm',
  'normType',
  'scaleGradByFreq',
  'sparse',
  '_weight',
  '_freeze',
  'device',
  'dtype',
] as const;
type Arguments = [
  numEmbeddings: number,
  embeddingDim: number,
  paddingIdx?: number | null,
  maxNorm?: number | null,
  normType?: number,
  scaleGradByFreq?: boolean,
  sparse?: boolean,
  _weight?: Tensor | null,
  _freeze?: boolean,
  device?: string,
  dtype?: DType,
];

export interface PretrainedOptions {
  /** The weight takes no gradient. Default true. */
  freeze?: boolean;
  paddingIdx?: number | null;
  maxNorm?: number | null;
  normType?: number;
  scaleGradByFreq?: boolean;
  sparse?: boolean;
}
const PRETRAINED = ['freeze', 'paddingIdx', 'maxNorm', 'normType', 'scaleGradByFreq', 'sparse'];

/**
 * Rows of a weight [numEmbeddings, embeddingDim] at integer indices [...], as [..., embeddingDim] (torch.nn.Embedding).
 * The weight begins normal(0, 1); the row of `paddingIdx` begins at zero and takes no gradient; `maxNorm` scales longer
 * rows down as they are used.
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  readonly sparse: boolean;
  declare weight: Parameter;

  constructor(...args: ConstructorArguments<typeof NAMES, Arguments>) {
    super();
    const given = constructorArguments<typeof NAMES, Arguments>(OP, NAMES, 2, args);
    const {
      numEmbeddings,
      embeddingDim,
      paddingIdx = null,
      maxNorm = null,
      normType = 2,
      scaleGradByFreq = false,
      sparse = false,
      _weight = null,
      _freeze = false,
    } = given;
    this.numEmbeddings = checkInteger(OP, 'numEmbeddings', numEmbeddings);
    this.embeddingDim = checkInteger(OP, 'embeddingDim', embeddingDim);
    if (
      paddingIdx !== null &&
      (!Number.isInteger(paddingIdx) || paddingIdx >= numEmbeddings || paddingIdx < -numEmbeddings)
    )
      fail(ArgumentError, OP, `paddingIdx in [${-numEmbeddings}, ${numEmbeddings - 1}]`, String(paddingIdx));
    this.paddingIdx = paddingIdx !== null && paddingIdx < 0 ? numEmbeddings + paddingIdx : paddingIdx;
    this.maxNorm = maxNorm;
    this.normType = normType;
    this.scaleGradByFreq = scaleGradByFreq;
    this.sparse = sparse;
    if (_weight === null) {
      this.weight = emptyParameter(OP, [numEmbeddings, embeddingDim], given);
      this.resetParameters();
    } else {
      if (_weight.shape.length !== 2 || _weight.shape[0] !== numEmbeddings || _weight.shape[1] !== embeddingDim)
        fail(ShapeError, OP, `a weight of shape [${numEmbeddings},${embeddingDim}]`, `[${_weight.shape}]`);
      this.weight = new Parameter(_weight);
    }
    if (_freeze) this.weight.requiresGrad_(false);
  }
  /** Draws the weight anew. */
  resetParameters(): void {
    normal_(this.weight);
    const row = this.paddingIdx;
    if (row !== null)
      noGrad(() =>
        fillWith(windowOn(this.weight, [this.embeddingDim], [1], this.weight.offset + row * this.embeddingDim), 0),
      );
  }
  override forward(input: Tensor): Tensor {
    return embedding(
      input,
      this.weight,
      this.paddingIdx,
      this.maxNorm,
      this.normType,
      this.scaleGradByFreq,
      this.sparse,
    );
  }
  override extraRepr(): string {
    let text = `${repr(this.numEmbeddings)}, ${repr(this.embeddingDim)}`;
    if (this.paddingIdx !== null) text += `, padding_idx=${repr(this.paddingIdx)}`;
    if (this.maxNorm !== null) text += `, max_norm=${reprFloat(this.maxNorm)}`;
    if (this.normType !== 2) text += `, norm_type=${reprFloat(this.normType)}`;
    if (this.scaleGradByFreq) text += `, scale_grad_by_freq=True`;
    if (this.sparse) text += ', sparse=True';
    return text;
  }
  /** A table over given rows, frozen unless told otherwise (torch.nn.Embedding.from_pretrained). */
  static fromPretrained(embeddings: Tensor, options: PretrainedOptions | boolean = {}): Embedding {
    const given: PretrainedOptions = typeof options === 'boolean' ? { freeze: options } : options;
    rejectUnknownOptions(`${OP}.fromPretrained`, given, PRETRAINED);
    const { freeze = true, ...rest } = given;
    const rows = tensorArgument(`${OP}.fromPretrained`, 'embeddings', embeddings);
    if (rows.shape.length !== 2)
      fail(ShapeError, `${OP}.fromPretrained`, 'embeddings of 2 dimensions', String(rows.shape.length), {
        embeddings: rows,
      });
    return new Embedding(rows.shape[0], rows.shape[1], { ...rest, _weight: rows, _freeze: freeze });
  }
}
