/** `autograd`: gradients on demand. */
export { backward, grad } from './backward.js';
