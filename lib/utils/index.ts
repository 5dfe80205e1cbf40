/** The public names of `utils`. */
export * as tensorboard from '../tensorboard/index.js';
