/** `optim`: one file an algorithm, and the learning-rate schedulers. */

export type { HookHandle as RemovableHandle } from '../autograd/hook-list.js';
export { Adadelta } from './adadelta.js';
export { Adafactor } from './adafactor.js';
export { Adagrad } from './adagrad.js';
export { Adam, AdamW } from './adam.js';
export { Adamax } from './adamax.js';
export { ASGD } from './asgd.js';
export { LBFGS } from './lbfgs.js';
export * as lrScheduler from './lr-scheduler/index.js';
export { Muon } from './muon.js';
export { NAdam } from './nadam.js';
export {
  type GivenGroup,
  Optimizer,
  type OptimizerStateDict,
  type ParamGroup,
  type Params,
} from './optimizer.js';
export { RAdam } from './radam.js';
export { RMSprop } from './rmsprop.js';
export { Rprop } from './rprop.js';
export { SGD } from './sgd.js';
export * as swaUtils from './swa-utils.js';
