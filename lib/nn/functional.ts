/** `nn.functional`: the stateless forms of layers and losses, one file a family in lib/ops. */

// ---- activations

// ---- linear, embedding, attention

// ---- convolution, pooling, interpolation

// ---- normalisation, dropout

// ---- losses and distances

// ---- data movement
export {};
