/** `linalg`: linear algebra beyond products. Names only, one file a family in lib/ops. */

export { matmul, multiDot, vecdot } from '../ops/linalg/products.js';
export { svdvals } from '../ops/linalg/svd.js';
export { vectorNorm } from '../ops/linalg/vector-norm.js';
