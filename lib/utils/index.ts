/** The public names of `utils`. */

export * as data from '../data/index.js';
export * as tensorboard from '../tensorboard/index.js';
export * as checkpoint from './checkpoint.js';
