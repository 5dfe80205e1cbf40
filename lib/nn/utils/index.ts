/** `nn.utils`: what acts on the parameters of a model. */
export { clipGradNorm_, clipGradsWithNorm_, clipGradValue_, getTotalNorm } from './clip-grad.js';
export { parametersToVector, vectorToParameters } from './parameter-vector.js';
export * as rnn from './rnn.js';
