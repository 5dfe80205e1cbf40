/** The public names of `utils.tensorboard`. */
export {
  type EventOptions,
  type HistogramOptions,
  type ImageOptions,
  type Numbers,
  SummaryWriter,
  type SummaryWriterOptions,
} from './summary-writer.js';
