/** The public matrix products: which operator serves which shapes (matmul-op.ts does the work). */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp } from '../../dispatch/define-op.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { ArgumentError, DTypeError, fail, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { broadcastsTo } from '../../shape/broadcast.js';
import { elementCount } from '../../shape/layout.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { defineInplace } from '../core/inplace.js';
import { asOperand, resultType, tensorArgument } from '../core/promotion.js';
import { viewOp } from '../core/view.js';
import { add, mul } from '../elementwise/arithmetic.js';
import { linearOp, matmulOp, productPolicy } from './matmul-op.js';

const PLAIN = { transposeA: false, transposeB: false, alpha: 1, beta: 0 };

/** y = sum of a[i] b[i]; da = g b, db = g a. */
const dotOp = defineOp<string, string>({
  name: 'dot',
  autocast: productPolicy,
  infer: ([a, b], op) => {
    if (a.shape[0] !== b.shape[0]) fail(ShapeError, op, 'vectors of one length', `${a.shape[0]} and ${b.shape[0]}`);
    if (a.info !== b.info) fail(DTypeError, op, 'vectors of one dtype', `${a.dtype} and ${b.dtype}`);
    if (!a.info.half) instanceOf(op, kernels.matmul, a.info);
    return op;
  },
  forward: (op, [a, b]) => {
    const out = allocate([], a.info);
    const step = (x: Tensor): number => Math.max(x.strides[0], 1);
    const x = a.strides[0] >= 1 ? a : contiguousOf(a);
    const y = b.strides[0] >= 1 ? b : contiguousOf(b);
    instanceOf(op, kernels.matmul, x.info)(
      x.array,
      y.array,
      new x.info.Array(0),
      out.array,
      1,
      1,
      1,
      a.shape[0],
      1,
      step(x),
      0,
      step(y),
      1,
      0,
    );
    return out;
  },
  save: (context, [a, b]) => context.save(context.needs(1) ? a : null, context.needs(0) ? b : null),
  backward: (context, g) => [
    context.needs(0) ? mul.op([g, context.saved(1)]) : null,
    context.needs(1) ? mul.op([g, context.saved(0)]) : null,
  ],
});

function dims(op: string, name: string, x: Tensor, ndim: number): Tensor {
  const tensor = tensorArgument(op, name, x);
  if (tensor.shape.length !== ndim)
    fail(ShapeError, op, `${name} of ${ndim} dimension${ndim === 1 ? '' : 's'}`, `${tensor.shape.length}`, {
      [name]: tensor,
    });
  return tensor;
}

/** alpha or beta as a number; integral for integers. Default 1. */
export function factor(op: string, name: string, value: number | undefined, x: Tensor): number {
  const number = value === undefined ? 1 : Number(value);
  if (!x.info.floating && !Number.isInteger(number))
    fail(ArgumentError, op, `an integral ${name} for ${x.dtype}`, String(value));
  return number;
}

/**
 * The matrix product of two tensors, as PyTorch's `torch.matmul`: vectors give dot products and matrix-vector products,
 * dimensions before the last two are a batch and broadcast.
 *
 * Throws ShapeError where the summed dimensions differ, DTypeError for different or boolean dtypes.
 */
export const matmul = defineFunction(
  { name: 'matmul', parameters: ['input', 'other'], required: 2 },
  (input: Tensor, other: Tensor): Tensor => {
    const a = tensorArgument('matmul', 'input', input);
    const b = tensorArgument('matmul', 'other', other);
    if (a.shape.length === 0 || b.shape.length === 0)
      fail(ShapeError, 'matmul', 'operands of at least 1 dimension', `${a.shape.length} and ${b.shape.length}`);
    return product('matmul', a, b);
  },
);

/** matmul of checked operands. */
function product(op: string, a: Tensor, b: Tensor): Tensor {
  const linear = { op, transpose: false, alpha: 1, beta: 0 };
  if (b.shape.length === 1) {
    if (a.shape.length === 1) return dotOp([a, b], op);
    if (a.shape.length === 2) return linearOp([b, a], { ...linear, transpose: true });
    const column = linearOp([a, viewOp([b], [b.shape[0], 1])], linear);
    return viewOp([column], column.shape.slice(0, -1));
  }
  if (b.shape.length === 2) return linearOp([a, b], linear);
  if (a.shape.length === 1) {
    const row = matmulOp([viewOp([a], [1, a.shape[0]]), b], { op, ...PLAIN });
    return viewOp([row], [...row.shape.slice(0, -2), row.shape[row.shape.length - 1]]);
  }
  return matmulOp([a, b], { op, ...PLAIN });
}

/** The product of two matrices: [n, m] and [m, p] give [n, p]. PyTorch's `torch.mm`. */
export const mm = defineFunction(
  { name: 'mm', parameters: ['input', 'mat2'], required: 2 },
  (input: Tensor, mat2: Tensor): Tensor =>
    linearOp([dims('mm', 'input', input, 2), dims('mm', 'mat2', mat2, 2)], {
      op: 'mm',
      transpose: false,
      alpha: 1,
      beta: 0,
    }),
);

function sameBatch(op: string, a: Tensor, b: Tensor): void {
  if (a.shape[0] !== b.shape[0])
    fail(ShapeError, op, 'batches of one size', `${a.shape[0]} and ${b.shape[0]}`, { first: a, second: b });
}

/** The products of two batches of matrices: [b, n, m] and [b, m, p] give [b, n, p]. PyTorch's `torch.bmm`. */
export const bmm = defineFunction(
  { name: 'bmm', parameters: ['input', 'mat2'], required: 2 },
  (input: Tensor, mat2: Tensor): Tensor => {
    const a = dims('bmm', 'input', input, 3);
    const b = dims('bmm', 'mat2', mat2, 3);
    sameBatch('bmm', a, b);
    return matmulOp([a, b], { op: 'bmm', ...PLAIN });
  },
);

/** The product of a matrix [n, m] and a vector [m]. PyTorch's `torch.mv`. */
export const mv = defineFunction(
  { name: 'mv', parameters: ['input', 'vec'], required: 2 },
  (input: Tensor, vec: Tensor): Tensor =>
    linearOp([dims('mv', 'vec', vec, 1), dims('mv', 'input', input, 2)], {
      op: 'mv',
      transpose: true,
      alpha: 1,
      beta: 0,
    }),
);

/** The sum of the products of two vectors' elements. PyTorch's `torch.dot`. */
export const dot = defineFunction(
  { name: 'dot', parameters: ['input', 'tensor'], required: 2 },
  (input: Tensor, tensor: Tensor): Tensor =>
    dotOp([dims('dot', 'input', input, 1), dims('dot', 'tensor', tensor, 1)], 'dot'),
);

/** As `dot`; of complex vectors it would conjugate the first. PyTorch's `torch.vdot`. */
export const vdot = defineFunction(
  { name: 'vdot', parameters: ['input', 'other'], required: 2 },
  (input: Tensor, other: Tensor): Tensor =>
    dotOp([dims('vdot', 'input', input, 1), dims('vdot', 'other', other, 1)], 'vdot'),
);

/**
 * Sums of products over the last dimension of both: [..., k] and [...', k] give [..., ...']. PyTorch's `torch.inner`.
 */
export const inner = defineFunction(
  { name: 'inner', parameters: ['input', 'other'], required: 2 },
  (input: Tensor, other: Tensor): Tensor => {
    const a = tensorArgument('inner', 'input', input);
    const b = tensorArgument('inner', 'other', other);
    if (a.shape.length === 0 || b.shape.length === 0) return mul(a, b);
    const k = b.shape[b.shape.length - 1];
    if (a.shape[a.shape.length - 1] !== k)
      fail(ShapeError, 'inner', 'last dimensions of one size', `${a.shape[a.shape.length - 1]} and ${k}`, {
        input: a,
        other: b,
      });
    const rest = b.shape.slice(0, -1);
    const matrix = b.reshape([elementCount(rest), k]);
    const out = linearOp([a, matrix], { op: 'inner', transpose: true, alpha: 1, beta: 0 });
    return viewOp([out], [...a.shape.slice(0, -1), ...rest]);
  },
);

/** All products of the elements of two vectors: [n] and [m] give [n, m]. PyTorch's `torch.outer`. */
export const outer = defineFunction(
  { name: 'outer', parameters: ['input', 'vec2'], required: 2 },
  (input: Tensor, vec2: Tensor): Tensor => {
    const a = dims('outer', 'input', input, 1);
    const b = dims('outer', 'vec2', vec2, 1);
    return products(a, b);
  },
);
function products(a: Tensor, b: Tensor): Tensor {
  return mul(viewOp([a], [a.shape[0], 1]), b);
}
/** As `outer`, under its older name. */
export const ger = defineFunction(
  { name: 'ger', parameters: ['input', 'vec2'], required: 2 },
  (input: Tensor, vec2: Tensor): Tensor => products(dims('ger', 'input', input, 1), dims('ger', 'vec2', vec2, 1)),
);

/**
 * beta input + alpha (mat1 @ mat2), with `input` broadcast to [n, p]; beta = 0 ignores `input`, NaN and all. PyTorch's
 * `torch.addmm`.
 */
export const addmm = defineFunction(
  { name: 'addmm', parameters: ['input', 'mat1', 'mat2', 'beta', 'alpha'], keywords: 2, required: 3 },
  (input: Tensor, mat1: Tensor, mat2: Tensor, beta?: number, alpha?: number): Tensor => {
    const a = dims('addmm', 'mat1', mat1, 2);
    const addend = tensorArgument('addmm', 'input', input);
    return linearOp([a, dims('addmm', 'mat2', mat2, 2), addend], {
      op: 'addmm',
      transpose: false,
      alpha: factor('addmm', 'alpha', alpha, a),
      beta: factor('addmm', 'beta', beta, a),
    });
  },
);

/** beta input + alpha (mat @ vec), with `input` broadcast to [n]. PyTorch's `torch.addmv`. */
export const addmv = defineFunction(
  { name: 'addmv', parameters: ['input', 'mat', 'vec', 'beta', 'alpha'], keywords: 2, required: 3 },
  (input: Tensor, mat: Tensor, vec: Tensor, beta?: number, alpha?: number): Tensor => {
    const a = dims('addmv', 'mat', mat, 2);
    const addend = tensorArgument('addmv', 'input', input);
    return linearOp([dims('addmv', 'vec', vec, 1), a, addend], {
      op: 'addmv',
      transpose: true,
      alpha: factor('addmv', 'alpha', alpha, a),
      beta: factor('addmv', 'beta', beta, a),
    });
  },
);

/** beta input + alpha outer(vec1, vec2), with `input` broadcast to [n, m]. PyTorch's `torch.addr`. */
export const addr = defineFunction(
  { name: 'addr', parameters: ['input', 'vec1', 'vec2', 'beta', 'alpha'], keywords: 2, required: 3, composed: true },
  (input: Tensor, vec1: Tensor, vec2: Tensor, beta: number = 1, alpha: number = 1): Tensor => {
    const a = dims('addr', 'vec1', vec1, 1);
    const b = dims('addr', 'vec2', vec2, 1);
    const addend = tensorArgument('addr', 'input', input);
    const scaled = alpha === 1 ? products(a, b) : mul(products(a, b), alpha);
    if (!broadcastsTo(addend.shape, scaled.shape))
      fail(ShapeError, 'addr', `an input that broadcasts to [${scaled.shape}]`, `[${addend.shape}]`);
    if (beta === 0) return asOperand('addr', scaled, resultType('addr', [addend, scaled]));
    return add(beta === 1 ? addend : mul(addend, beta), scaled);
  },
);

/** beta input + alpha (batch1 @ batch2), with `input` broadcast to [b, n, p]. PyTorch's `torch.baddbmm`. */
export const baddbmm = defineFunction(
  { name: 'baddbmm', parameters: ['input', 'batch1', 'batch2', 'beta', 'alpha'], keywords: 2, required: 3 },
  (input: Tensor, batch1: Tensor, batch2: Tensor, beta?: number, alpha?: number): Tensor => {
    const a = dims('baddbmm', 'batch1', batch1, 3);
    const b = dims('baddbmm', 'batch2', batch2, 3);
    sameBatch('baddbmm', a, b);
    const attributes = {
      op: 'baddbmm',
      transposeA: false,
      transposeB: false,
      alpha: factor('baddbmm', 'alpha', alpha, a),
      beta: factor('baddbmm', 'beta', beta, a),
    };
    return matmulOp([a, b, tensorArgument('baddbmm', 'input', input)], attributes);
  },
);

defineInplace('addmm_', addmm);
defineInplace('addmv_', addmv);
defineInplace('addr_', addr);
defineInplace('baddbmm_', baddbmm);

declare module '../../tensor/tensor.js' {
  interface Tensor {
    matmul: Method<typeof matmul>;
    mm: Method<typeof mm>;
    bmm: Method<typeof bmm>;
    mv: Method<typeof mv>;
    dot: Method<typeof dot>;
    vdot: Method<typeof vdot>;
    inner: Method<typeof inner>;
    outer: Method<typeof outer>;
    ger: Method<typeof ger>;
    addmm: Method<typeof addmm>;
    addmm_: Method<typeof addmm>;
    addmv: Method<typeof addmv>;
    addmv_: Method<typeof addmv>;
    addr: Method<typeof addr>;
    addr_: Method<typeof addr>;
    baddbmm: Method<typeof baddbmm>;
    baddbmm_: Method<typeof baddbmm>;
  }
}
