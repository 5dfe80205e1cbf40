/** The public names of `utils.data`. */
export { type Collated, defaultCollate } from './collate.js';
export { DataLoader, type DataLoaderOptions } from './data-loader.js';
export type { DatasetModule } from './dataset-module.js';
export { ChainDataset, ConcatDataset, Dataset, IterableDataset, type MapDataset, randomSplit, StackDataset, Subset, TensorDataset } from './dataset.js';
export { type ImageMode, readImage, writeImage } from './image-file.js';
export { BatchSampler, RandomSampler, type RandomSamplerOptions, Sampler, SequentialSampler, SubsetRandomSampler, WeightedRandomSampler } from './sampler.js';
export { getWorkerInfo, type WorkerInfo } from './worker-info.js';
