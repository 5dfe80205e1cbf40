/** `nn`: modules, parameters, and the functions that they are built on. */
export * as functional from './functional.js';

// ---- module and containers

// ---- linear, embedding, attention, recurrent

// ---- convolution, pooling, upsampling

// ---- normalisation, dropout

// ---- activations

// ---- losses
