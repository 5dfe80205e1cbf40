/** The public names of `utils.data`. */
export { type Collated, defaultCollate, defaultConvert } from './collate.js';
export { DataLoader } from './data-loader.js';
export {
  ChainDataset,
  ConcatDataset,
  Dataset,
  IterableDataset,
  type MapDataset,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './dataset.js';
export type { DatasetModule, ModuleSpec } from './dataset-module.js';
export { DistributedSampler, type DistributedSamplerOptions } from './distributed-sampler.js';
export { type ImageMode, readImage, writeImage } from './image-file.js';
export type { DataLoaderOptions, WorkerInit } from './loader-options.js';
export {
  BatchSampler,
  RandomSampler,
  type RandomSamplerOptions,
  Sampler,
  SequentialSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from './sampler.js';
export { getWorkerInfo, type WorkerInfo } from './worker-info.js';
