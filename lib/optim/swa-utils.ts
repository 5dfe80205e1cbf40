/** `optim.swaUtils`: stochastic weight averaging. */
export { SWALR } from './lr-scheduler/swa.js';
