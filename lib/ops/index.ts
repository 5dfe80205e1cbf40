/** The public functions of the top level, one file a family. */

// ---- elementwise
export { add, mul } from './arithmetic.js';
export { exp } from './pointwise.js';

// ---- conversion
export { bfloat16, bool, byte, char, clone, contiguous, detach, double, float, half, int, long, short, to } from './convert.js';

// ---- reductions, scans, sorting
export { sum } from './reduce.js';

// ---- views
export { reshape } from './view.js';

// ---- indexing and data movement

// ---- matrix products
export { addmm, addmv, addr, baddbmm, bmm, dot, ger, inner, matmul, mm, mv, outer, vdot } from './matmul.js';

// ---- convolution, pooling, normalisation

// ---- random numbers
