/** `linalg`: linear algebra beyond products. Names only, one file a family in lib/ops. */
export { vectorNorm } from '../ops/linalg/vector-norm.js';
export { svdvals } from '../ops/linalg/svd.js';
export { matmul, multiDot, vecdot } from '../ops/linalg/products.js';
