/** The public functions of the top level, one file a family. */

// ---- elementwise
export { add, div, divide, floorDivide, fmod, mul, multiply, neg, negative, remainder, rsub, sub, subtract, trueDivide } from './arithmetic.js';
export { floatPower, pow, reciprocal, rsqrt, sqrt, square } from './power.js';
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cos,
  cosh,
  erf,
  erfc,
  exp,
  exp2,
  expm1,
  hypot,
  log,
  log10,
  log1p,
  log2,
  sigmoid,
  sin,
  sinh,
  tan,
  tanh,
} from './pointwise.js';
export { arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh } from './pointwise.js';
export { abs, absolute, ceil, copysign, fix, floor, frac, nanToNum, round, sgn, sign, trunc } from './rounding.js';
export { allclose, eq, equal, ge, gt, isclose, isfinite, isinf, isnan, isneginf, isposinf, le, lt, ne, signbit } from './comparison.js';
export { greater, greaterEqual, less, lessEqual, notEqual } from './comparison.js';
export { bitwiseAnd, bitwiseLeftShift, bitwiseNot, bitwiseOr, bitwiseRightShift, bitwiseXor, logicalAnd, logicalNot, logicalOr, logicalXor } from './logical.js';
export { clamp, clampMax, clampMin, clip, fmax, fmin, lerp, maskedFill, maximum, minimum, where } from './selection.js';
export { addcdiv, addcmul, xlogy } from './fused-arithmetic.js';
export { celu, celu_, hardshrink, prelu, relu, relu_, selu, selu_, threshold, threshold_ } from './activation.js';

// ---- conversion
export { clone, contiguous, detach, to } from './convert.js';

// ---- reductions, scans, sorting
export { mean, nanmean, nansum, prod, sum } from './reduce.js';
export { amax, amin, aminmax, argmax, argmin, max, min } from './extrema.js';
export { std, stdMean, var, varMean } from './variance.js';
export { logSoftmax, logsumexp, softmax } from './softmax.js';
export { norm } from './norm.js';
export { cosineSimilarity, pairwiseDistance } from './distance.js';
export { all, any, countNonzero } from './logical-reduce.js';
export { cummax, cummin, cumprod, cumsum, logcumsumexp } from './scan.js';
export { argsort, kthvalue, median, mode, msort, sort, topk } from './sort.js';
export { bincount, bucketize, histc, searchsorted, unique, uniqueConsecutive } from './search.js';

// ---- views
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
} from './view.js';
export { asStrided, asStridedScatter } from './as-strided.js';
export { isComplex, isConj, isFloatingPoint, isNeg, isNonzero, isSameSize, isSigned, isTensor, numel } from './metadata.js';
export { getDevice, strided } from './device-methods.js';
export { canCast, promoteTypes, resultType } from './type-queries.js';
import './apply.js';
import './resize.js';
export {
  aliasCopy,
  asStridedCopy,
  blockDiag,
  conj,
  conjPhysical,
  diagonalCopy,
  expandCopy,
  indexReduce,
  narrowCopy,
  nonzeroStatic,
  permuteCopy,
  positive,
  real,
  resolveConj,
  resolveNeg,
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
} from './view-copies.js';
export { adjoint, moveaxis, movedim, permute, swapaxes, swapdims, t, transpose } from './permute.js';
export { diagonal, diagonalScatter, narrow, select, selectScatter, sliceScatter } from './slice.js';
export { chunk, dsplit, hsplit, split, splitWithSizes, tensorSplit, unbind, vsplit } from './split.js';

// ---- indexing and data movement
export { atleast1d, atleast2d, atleast3d, cat, columnStack, concat, concatenate, dstack, hstack, rowStack, stack, vstack } from './cat.js';
export { fill, zero_ } from './fill.js';
export { indexAdd, indexCopy, indexFill, indexSelect, put, take } from './index-select.js';
export { gather, scatter, scatterAdd, takeAlongDim } from './gather.js';
export { scatterReduce } from './scatter-reduce.js';
export { argwhere, maskedScatter, maskedSelect, nonzero } from './masked.js';
export { indexPut } from './indexing.js';
export { cartesianProd, meshgrid, repeatInterleave, tile } from './repeat.js';
export { flip, fliplr, flipud, roll, rot90 } from './flip.js';
export { diag, diagEmbed, diagflat, trace, tril, trilIndices, triu, triuIndices } from './triangle.js';
export { constantPadNd } from './pad.js';

// ---- matrix products
export { einsum } from './einsum.js';
export { addbmm, chainMatmul, kron, tensordot } from './tensor-products.js';
export { addmm, addmv, addr, baddbmm, bmm, dot, ger, inner, matmul, mm, mv, outer, vdot } from './matmul.js';

// ---- convolution, pooling, normalisation
export { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } from './conv.js';
export { adaptiveMaxPool1d, maxPool1d, maxPool1dWithIndices, maxPool2d, maxPool3d } from './max-pool.js';
export { adaptiveAvgPool1d, avgPool1d } from './avg-pool.js';
export { pixelShuffle, pixelUnshuffle } from './interpolate.js';

// ---- random numbers
export { defaultGenerator, Generator, getRngState, initialSeed, manualSeed, seed, setRngState } from '../random/generator.js';
export { normal, rand, randint, randintLike, randLike, randn, randnLike, randperm } from '../random/creation.js';
export type { RandomOptions } from '../random/creation.js';
export { bernoulli, multinomial } from '../random/sampling.js';
