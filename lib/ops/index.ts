/** The public functions of the top level, one folder per family. */

import './core/resize.js';
import './elementwise/apply.js';
import './elementwise/methods.js';

export {
  defaultGenerator,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from '../random/generator.js';
export {
  celu,
  celu_,
  hardshrink,
  prelu,
  relu,
  relu_,
  selu,
  selu_,
  threshold,
  threshold_,
} from './activations/activation.js';
export { asStrided, asStridedScatter } from './core/as-strided.js';
export { conj, conjPhysical, real, resolveConj, resolveNeg } from './core/complex.js';
export { clone, contiguous, detach, to } from './core/convert.js';
export { getDevice, strided } from './core/device-methods.js';
export { fill, zero_ } from './core/fill.js';
export { canCast, promoteTypes, resultType } from './core/type-queries.js';
export {
  broadcastShapesOf as broadcastShapes,
  broadcastTensors,
  broadcastTo,
  flatten,
  ravel,
  reshape,
  squeeze,
  unflatten,
  unsqueeze,
} from './core/view.js';
export {
  add,
  div,
  divide,
  floorDivide,
  fmod,
  mul,
  multiply,
  neg,
  negative,
  positive,
  remainder,
  rsub,
  sub,
  subtract,
  trueDivide,
} from './elementwise/arithmetic.js';
export * from './elementwise/comparison.js';
export * from './elementwise/exponential.js';
export * from './elementwise/fused-arithmetic.js';
export * from './elementwise/logical.js';
export { floatPower, pow, reciprocal, rsqrt, sqrt, square } from './elementwise/power.js';
export * from './elementwise/rounding.js';
export {
  clamp,
  clampMax,
  clampMin,
  clip,
  fmax,
  fmin,
  lerp,
  maskedFill,
  maximum,
  minimum,
  where,
} from './elementwise/selection.js';
export * from './elementwise/special.js';
export * from './elementwise/trigonometric.js';
export { gather, scatter, scatterAdd, takeAlongDim } from './indexing/gather.js';
export { indexAdd, indexCopy, indexFill, indexSelect, put, take } from './indexing/index-select.js';
export { indexPut } from './indexing/indexing.js';
export { argwhere, maskedScatter, maskedSelect, nonzero, nonzeroStatic } from './indexing/masked.js';
export { indexReduce, scatterReduce } from './indexing/scatter-reduce.js';
export { cosineSimilarity, pairwiseDistance } from './linalg/distance.js';
export { norm } from './linalg/vector-norm.js';
export { flip, fliplr, flipud, roll, rot90 } from './movement/flip.js';
export { constantPadNd } from './movement/pad.js';
export { cartesianProd, meshgrid, repeatInterleave, tile } from './movement/repeat.js';
export {
  blockDiag,
  diag,
  diagEmbed,
  diagflat,
  trace,
  tril,
  trilIndices,
  triu,
  triuIndices,
} from './movement/triangle.js';
export { einsum } from './products/einsum.js';
export { addmm, addmv, addr, baddbmm, bmm, dot, ger, inner, matmul, mm, mv, outer, vdot } from './products/matmul.js';
export { addbmm, chainMatmul, kron, tensordot } from './products/tensor-products.js';
export type { RandomOptions } from './random/creation.js';
export { normal, rand, randint, randintLike, randLike, randn, randnLike, randperm } from './random/creation.js';
export { bernoulli, multinomial } from './random/sampling.js';
export { amax, amin, aminmax, argmax, argmin, max, min } from './reductions/extrema.js';
export { all, any, countNonzero } from './reductions/logical-reduce.js';
export { mean, nanmean, nansum, prod, sum } from './reductions/reduce.js';
export { cummax, cummin, cumprod, cumsum, logcumsumexp } from './reductions/scan.js';
export { bincount, bucketize, histc, searchsorted, unique, uniqueConsecutive } from './reductions/search.js';
export { logSoftmax, logsumexp, softmax } from './reductions/softmax.js';
export { argsort, kthvalue, median, mode, msort, sort, topk } from './reductions/sort.js';
export { std, stdMean, var, varMean } from './reductions/variance.js';
export { adaptiveAvgPool1d, avgPool1d } from './spatial/avg-pool.js';
export { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } from './spatial/conv.js';
export { pixelShuffle, pixelUnshuffle } from './spatial/interpolate.js';
export { adaptiveMaxPool1d, maxPool1d, maxPool1dWithIndices, maxPool2d, maxPool3d } from './spatial/max-pool.js';
export {
  atleast1d,
  atleast2d,
  atleast3d,
  cat,
  columnStack,
  concat,
  concatenate,
  dstack,
  hstack,
  rowStack,
  stack,
  vstack,
} from './views/cat.js';
export {
  isComplex,
  isConj,
  isFloatingPoint,
  isNeg,
  isNonzero,
  isSameSize,
  isSigned,
  isTensor,
  numel,
} from './views/metadata.js';
export { adjoint, moveaxis, movedim, permute, swapaxes, swapdims, t, transpose } from './views/permute.js';
export { diagonal, diagonalScatter, narrow, select, selectScatter, sliceScatter } from './views/slice.js';
export { chunk, dsplit, hsplit, split, splitWithSizes, tensorSplit, unbind, vsplit } from './views/split.js';
export {
  aliasCopy,
  asStridedCopy,
  diagonalCopy,
  expandCopy,
  narrowCopy,
  permuteCopy,
  splitWithSizesCopy,
  squeezeCopy,
  tCopy,
  transposeCopy,
  unbindCopy,
  unfoldCopy,
  unsafeChunk,
  unsafeSplit,
  unsqueezeCopy,
  viewCopy,
} from './views/view-copies.js';
