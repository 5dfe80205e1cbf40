/** `nn.functional`: the stateless forms of layers and losses, one file a family in lib/ops. */

// ---- activations

// ---- linear, embedding, attention
export { linear } from '../ops/linear.js';
