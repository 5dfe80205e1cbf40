/** `nn.functional`: the stateless forms of layers and losses, one file a family in lib/ops. */

// ---- activations
export { functionalLogSoftmax as logSoftmax, functionalSoftmax as softmax, functionalSoftmin as softmin } from '../ops/softmax.js';

// ---- linear, embedding, attention
export { bilinear, linear } from '../ops/linear.js';
