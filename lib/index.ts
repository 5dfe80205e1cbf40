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
export { emptyCache, type MemoryStats, memoryStats, resetPeakMemoryStats } from './storage/memory-stats.js';
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
  setDefaultTensorType,
  ShortTensor,
  Tensor,
} from './ops/creation/legacy.js';
export { type Device, device, type DeviceName, getDefaultDevice, setDefaultDevice } from './tensor/device.js';
export { finfo, type FloatLimits, iinfo, type IntegerLimits } from './storage/type-limits.js';
export type { DType } from './storage/dtype.js';
export * from './storage/dtype-names.js';
export type { MemoryFormat } from './shape/memory-format.js';
export * from './shape/memory-format-names.js';
export { getDefaultDtype, setDefaultDtype } from './storage/dtype.js';
export { asTensor, fromNumpy, tensor } from './ops/creation/creation.js';
export type { CreationOptions, TensorData, TensorOptions } from './ops/creation/creation.js';
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
  scalarTensor,
  type SizeArguments,
  type Sized,
  type Sizes,
  zeros,
  zerosLike,
} from './ops/creation/factories.js';
export { ellipsis, type Index, Slice, slice } from './tensor/indexing.js';
import './tensor/values.js';
export { getPrintoptions, type PrintOptions, setPrintoptions } from './printing/format.js';
export { enableGrad, inferenceMode, isGradEnabled, noGrad, setGradEnabled } from './autograd/grad-mode.js';
import './autograd/backward.js';
import './autograd/hooks.js';
export * as autograd from './autograd/index.js';
export * from './ops/index.js';

import './ops/random/distributions.js';
export * as random from './random/index.js';
export * as linalg from './linalg/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export * as amp from './amp/index.js';
export { autocast, getAutocastDtype, isAutocastEnabled } from './amp/autocast.js';
export { save, saveToBuffer } from './serialization/save.js';
export { load } from './serialization/load.js';
export type { LoadCheckpointOptions, LoadedCheckpoint } from './serialization/load.js';
export * as utils from './utils/index.js';
export * as accelerator from './devices/accelerator.js';
export * as backends from './devices/backends.js';
export * as cpu from './devices/cpu.js';
export * as cuda from './devices/cuda.js';
export * as mps from './devices/mps.js';
export {
  areDeterministicAlgorithmsEnabled,
  getDeterministicDebugMode,
  getFloat32MatmulPrecision,
  isDeterministicAlgorithmsWarnOnlyEnabled,
  setDeterministicDebugMode,
  setFloat32MatmulPrecision,
  useDeterministicAlgorithms,
} from './devices/determinism.js';
export * as profiler from './profiler/index.js';
export { type ProgressStream, type Tqdm, tqdm, type TqdmOptions, trange } from './tqdm/tqdm.js';
