/** `optim.swaUtils`: averages of weights over a training run. */
export {
  AveragedModel,
  type AveragedModelOptions,
  type AvgFn,
  getEmaAvgFn,
  getEmaMultiAvgFn,
  getSwaAvgFn,
  getSwaMultiAvgFn,
  type MultiAvgFn,
  updateBn,
} from './averaged-model.js';
export { SWALR } from './lr-scheduler/swa.js';
