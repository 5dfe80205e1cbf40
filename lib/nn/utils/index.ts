/** `nn.utils`: what acts on the parameters of a model. */
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip-grad.js';
export { parametersToVector, vectorToParameters } from './parameter-vector.js';
export * as parametrizations from './parametrizations.js';
export * as parametrize from './parametrize.js';
export * as rnn from './rnn.js';
export { removeSpectralNorm, spectralNorm } from './spectral-norm.js';
export { removeWeightNorm, weightNorm } from './weight-norm.js';
