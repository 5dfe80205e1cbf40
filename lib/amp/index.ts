/** `amp`: automatic mixed precision. */
export { autocast, isAutocastAvailable } from './autocast.js';
export { GradScaler } from './grad-scaler.js';
