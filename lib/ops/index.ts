/** The public functions of the top level, one file a family. */
export { add, mul } from './arithmetic.js';
export { bfloat16, bool, byte, char, clone, contiguous, detach, double, float, half, int, long, short, to } from './convert.js';
export { exp } from './pointwise.js';
export { sum } from './reduce.js';
export { reshape } from './view.js';
