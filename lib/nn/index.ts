/** `nn`: modules, parameters, and the functions that they are built on. */

export type { HookHandle } from '../autograd/hook-list.js';
export { ModuleList, Sequential } from './containers.js';
export { deepcopy } from './deepcopy.js';
export * as functional from './functional.js';
export type {
  BackwardHook,
  BackwardPreHook,
  ForwardHook,
  ForwardPreHook,
  LoadStateDictPostHook,
  LoadStateDictPreHook,
  StateDictHook,
  StateDictPreHook,
} from './hooks.js';
export * as init from './init.js';
export {
  CELU,
  ELU,
  GELU,
  GLU,
  Hardshrink,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softplus,
  Softshrink,
  Softsign,
  Tanh,
  Tanhshrink,
  Threshold,
} from './layers/activation.js';
export { MultiheadAttention } from './layers/attention.js';
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d, ConvTranspose3d } from './layers/conv.js';
export { AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout } from './layers/dropout.js';
export { Embedding } from './layers/embedding.js';
export { Fold, LocalResponseNorm, LPPool1d, LPPool2d, LPPool3d, Unfold } from './layers/fold.js';
export { Bilinear, Linear } from './layers/linear.js';
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MarginRankingLoss,
  MSELoss,
  MultiLabelMarginLoss,
  MultiLabelSoftMarginLoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SmoothL1Loss,
  SoftMarginLoss,
  TripletMarginLoss,
} from './layers/loss.js';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  LayerNorm,
  RMSNorm,
} from './layers/norm.js';
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveAvgPool3d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AdaptiveMaxPool3d,
  AvgPool1d,
  AvgPool2d,
  AvgPool3d,
  MaxPool1d,
  MaxPool2d,
  MaxPool3d,
  MaxUnpool1d,
  MaxUnpool2d,
  MaxUnpool3d,
} from './layers/pool.js';
export { GRU, LSTM, RNN, RNNBase } from './layers/recurrent.js';
export { GRUCell, LSTMCell, RNNCell, RNNCellBase } from './layers/recurrent-cells.js';
export { Flatten, Identity, Unflatten } from './layers/shape.js';
export { LogSoftmax, Softmax, Softmax2d, Softmin } from './layers/softmax.js';
export {
  Transformer,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from './layers/transformer.js';
export {
  PixelShuffle,
  PixelUnshuffle,
  Upsample,
  UpsamplingBilinear2d,
  UpsamplingNearest2d,
} from './layers/upsample.js';
export { type Layer, Module } from './module.js';
export type { ModuleToOptions } from './module-convert.js';
export type { GradientTuple, HookOptions } from './module-hooks.js';
export type { LoadOptions, LoadResult, StateDict, StateOptions } from './module-state.js';
export type { NamedOptions } from './module-walk.js';
export { Buffer, type BufferOptions, Parameter, type ParameterOptions } from './parameter.js';
export { ParameterList } from './parameter-containers.js';
export { ModuleDict, ParameterDict } from './typed-dicts.js';
export * as utils from './utils/index.js';
