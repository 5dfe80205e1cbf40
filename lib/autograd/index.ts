/** `autograd`: gradients on demand, user-written operators, checks. */
export {
  AnomalyError,
  type DetectAnomalyOptions,
  detectAnomaly,
  isAnomalyEnabled,
  setDetectAnomaly,
} from './anomaly.js';
export {
  type BackwardAllOptions,
  type BackwardOptions,
  backward,
  type GradOptions,
  grad,
  type StrictGradOptions,
} from './backward.js';
export { AutogradFunction as Function, type FunctionContext } from './function.js';
export { enableGrad, inferenceMode, isGradEnabled, noGrad, setGradEnabled } from './grad-mode.js';
export {
  GradcheckError,
  type GradcheckOptions,
  type GradgradcheckOptions,
  gradcheck,
  gradgradcheck,
} from './gradcheck.js';
export { Variable } from './variable.js';
