/** `nn.functional`: the stateless forms of layers and losses, from their families in lib/ops. */

export {
  celu,
  celu_,
  elu,
  elu_,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  hardtanh_,
  leakyRelu,
  leakyRelu_,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu_,
  relu6,
  selu,
  selu_,
  sigmoid,
  silu,
  softplus,
  softshrink,
  softsign,
  tanh,
  tanhshrink,
  threshold,
  threshold_,
} from '../ops/activations/activation.js';
export { cosineSimilarity, pairwiseDistance } from '../ops/linalg/distance.js';
export { normalize } from '../ops/linalg/vector-norm.js';
export { binaryCrossEntropy, binaryCrossEntropyWithLogits } from '../ops/losses/binary-cross-entropy.js';
export { crossEntropy, nllLoss } from '../ops/losses/cross-entropy.js';
export { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../ops/losses/difference-loss.js';
export {
  cosineEmbeddingLoss,
  hingeEmbeddingLoss,
  marginRankingLoss,
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
  softMarginLoss,
  tripletMarginLoss,
} from '../ops/losses/margin-loss.js';
export { gaussianNllLoss, klDiv, poissonNllLoss } from '../ops/losses/probability-loss.js';
export { pad } from '../ops/movement/pad.js';
export { batchNorm } from '../ops/normalisation/batch-norm.js';
export { localResponseNorm } from '../ops/normalisation/local-response-norm.js';
export { groupNorm, instanceNorm, layerNorm, rmsNorm } from '../ops/normalisation/row-norm.js';
export { bilinear, linear } from '../ops/products/linear.js';
export { alphaDropout, dropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } from '../ops/random/dropout.js';
export {
  functionalLogSoftmax as logSoftmax,
  functionalSoftmax as softmax,
  functionalSoftmin as softmin,
} from '../ops/reductions/softmax.js';
export { scaledDotProductAttention } from '../ops/sequence/attention.js';
export { embedding, oneHot } from '../ops/sequence/embedding.js';
export { embeddingBag } from '../ops/sequence/embedding-bag.js';
export { multiHeadAttentionForward } from '../ops/sequence/multi-head-attention.js';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from '../ops/spatial/avg-pool.js';
export { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } from '../ops/spatial/conv.js';
export { fold, unfold } from '../ops/spatial/fold.js';
export {
  interpolate,
  pixelShuffle,
  pixelUnshuffle,
  upsample,
  upsampleBilinear,
  upsampleNearest,
} from '../ops/spatial/interpolate.js';
export { lpPool1d, lpPool2d, lpPool3d } from '../ops/spatial/lp-pool.js';
export {
  adaptiveMaxPool1d,
  adaptiveMaxPool1dWithIndices,
  adaptiveMaxPool2d,
  adaptiveMaxPool2dWithIndices,
  adaptiveMaxPool3d,
  adaptiveMaxPool3dWithIndices,
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
} from '../ops/spatial/max-pool.js';
