/** The public names, grouped as PyTorch groups them. No logic. */
export {
  AddonError,
  ArgumentError,
  AutogradError,
  CheckpointError,
  DeviceError,
  DTypeError,
  IndexError,
  NodegradError,
  OutOfMemoryError,
  ShapeError,
} from './errors.js';
export type { FileName, FileURL } from './file-name.js';
export { getNumThreads, setNumThreads } from './native/threads.js';
export type { CreationOptions, TensorData, TensorOptions } from './ops/creation/creation.js';
export { asTensor, fromNumpy, tensor } from './ops/creation/creation.js';
export {
  arange,
  empty,
  emptyLike,
  emptyPermuted,
  emptyStrided,
  eye,
  full,
  fullLike,
  linspace,
  logspace,
  ones,
  onesLike,
  type SizeArguments,
  type Sized,
  type Sizes,
  scalarTensor,
  zeros,
  zerosLike,
} from './ops/creation/factories.js';
export {
  BFloat16Tensor,
  BoolTensor,
  ByteTensor,
  CharTensor,
  DoubleTensor,
  FloatTensor,
  HalfTensor,
  IntTensor,
  type LegacyClass,
  LongTensor,
  ShortTensor,
  setDefaultTensorType,
  Tensor,
} from './ops/creation/legacy.js';
export type { MemoryFormat } from './shape/memory-format.js';
export * from './shape/memory-format-names.js';
export type { DType } from './storage/dtype.js';
export { getDefaultDtype, setDefaultDtype } from './storage/dtype.js';
export * from './storage/dtype-names.js';
export { emptyCache, type MemoryStats, memoryStats, resetPeakMemoryStats } from './storage/memory-stats.js';
export { type FloatLimits, finfo, type IntegerLimits, iinfo } from './storage/type-limits.js';
export { type Device, type DeviceName, device, getDefaultDevice, setDefaultDevice } from './tensor/device.js';
export { ellipsis, type Index, Slice, slice } from './tensor/indexing.js';

import './tensor/values.js';

export { enableGrad, inferenceMode, isGradEnabled, noGrad, setGradEnabled } from './autograd/grad-mode.js';
export { getPrintoptions, type PrintOptions, setPrintoptions } from './printing/format.js';

import './autograd/backward.js';
import './autograd/hooks.js';

export * as autograd from './autograd/index.js';
export * from './ops/index.js';

import './ops/random/distributions.js';

export { autocast, getAutocastDtype, isAutocastEnabled } from './amp/autocast.js';
export * as amp from './amp/index.js';
export * as accelerator from './devices/accelerator.js';
export * as backends from './devices/backends.js';
export * as cpu from './devices/cpu.js';
export * as cuda from './devices/cuda.js';
export {
  areDeterministicAlgorithmsEnabled,
  getDeterministicDebugMode,
  getFloat32MatmulPrecision,
  isDeterministicAlgorithmsWarnOnlyEnabled,
  setDeterministicDebugMode,
  setFloat32MatmulPrecision,
  useDeterministicAlgorithms,
} from './devices/determinism.js';
export * as mps from './devices/mps.js';
export * as linalg from './linalg/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export * as profiler from './profiler/index.js';
export * as random from './random/index.js';
export type { LoadCheckpointOptions, LoadedCheckpoint } from './serialization/load.js';
export { load } from './serialization/load.js';
export { save, saveToBuffer } from './serialization/save.js';
export { type ProgressStream, type Tqdm, type TqdmOptions, tqdm, trange } from './tqdm/tqdm.js';
export * as utils from './utils/index.js';
