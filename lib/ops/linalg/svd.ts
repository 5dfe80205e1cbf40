/** Singular values of matrices, whose derivative of every order goes through the singular vectors. */

import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import type { DTypeInfo } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf, fillWith } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { unsqueeze } from '../core/view.js';
import { addOp, divOp, mul, subOp } from '../elementwise/arithmetic.js';
import { matmul } from '../products/matmul.js';
import { sumOp } from '../reductions/reduce.js';
import { finishDims } from '../reductions/reduction.js';
import { permuteOp, transpose } from '../views/permute.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /**
     * input (b, m, n) = left (b, m, k) values (b, k) right (b, k, n); returns how many matrices could not be
     * decomposed.
     */
    svd: KernelTable<
      [input: TypedArray, left: TypedArray, values: TypedArray, right: TypedArray, batch: number, m: number, n: number],
      number
    >;
  }
}

interface SvdSpec {
  readonly batch: Shape;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

const transposed = (x: Tensor): Tensor => transpose(x, -2, -1);
const skew = (x: Tensor): Tensor => subOp([x, transposed(x)]);

/** 1 on the diagonal, else 0. */
function identity(k: number, info: DTypeInfo): Tensor {
  const out = allocate([k, k], info);
  fillWith(out, 0);
  fillWith(windowOn(out, [k], [k + 1], 0), 1);
  return out;
}

/**
 * A = U diag(s) V'; dA = U (K(U' gU) diag(s) + diag(s) K(V' gV) + diag(gs)) V' with K(X)[j, l] = (X - X')[j, l] /
 * (s[l]^2 - s[j]^2), and the parts of gU and gV outside of the spaces of U and V, divided by s (PyTorch: linalg.svd).
 */
export const svdOp: Operator<void, Tensor[]> = defineOp<void, SvdSpec, Tensor[]>({
  name: 'svd',
  autocast: 'float32',
  infer: ([x]) => {
    const [m, n] = x.shape.slice(-2);
    return { batch: x.shape.slice(0, -2), m, n, k: Math.min(m, n) };
  },
  forward: ({ batch, m, n, k }, [x]) => {
    const left = allocate([...batch, m, k], x.info);
    const values = allocate([...batch, k], x.info);
    const right = allocate([...batch, k, n], x.info);
    const failed = instanceOf('svd', kernels.svd, x.info)(
      contiguousOf(x).array,
      left.array,
      values.array,
      right.array,
      elementCount(batch),
      m,
      n,
    );
    if (failed > 0)
      fail(ArgumentError, 'svd', 'matrices of finite numbers', `${failed} that could not be decomposed`, { input: x });
    return [left, values, right];
  },
  save: (context, _, [left, values, right]) => context.save(left, values, right),
  backward: (context, _, [gU, gS, gV]): readonly (Tensor | null)[] => {
    const [u, s, vh] = [context.saved(0), context.saved(1), context.saved(2)];
    const { m, n, k } = context.spec;
    const row = unsqueeze(s, -2);
    const column = unsqueeze(s, -1);
    if (gU === null && gV === null) return [gS === null ? null : matmul(mul.op([u, unsqueeze(gS, -2)]), vh)];
    const unit = identity(k, s.info);
    const differences = addOp([subOp([mul.op([row, row]), mul.op([column, column])]), unit]);
    const parts: Tensor[] = [];
    if (gU !== null) parts.push(mul.op([divOp([skew(matmul(transposed(u), gU)), differences]), row]));
    if (gV !== null) parts.push(mul.op([column, divOp([skew(matmul(vh, transposed(gV))), differences])]));
    if (gS !== null) parts.push(mul.op([unit, unsqueeze(gS, -2)]));
    let out = matmul(
      matmul(
        u,
        parts.reduce((a, b) => addOp([a, b])),
      ),
      vh,
    );
    if (gU !== null && m > k) {
      const scaled = divOp([gU, row]);
      out = addOp([out, matmul(subOp([scaled, matmul(u, matmul(transposed(u), scaled))]), vh)]);
    }
    if (gV !== null && n > k) {
      const scaled = divOp([gV, column]);
      out = addOp([out, matmul(u, subOp([scaled, matmul(matmul(scaled, transposed(vh)), vh)]))]);
    }
    return [out];
  },
});

/**
 * The singular values of a matrix, or of each in a batch, falling: shape [..., min(m, n)]. PyTorch:
 * torch.linalg.svdvals.
 */
export const svdvals = defineFunction(
  { name: 'linalg.svdvals', parameters: ['A'] },
  (A: Tensor): Tensor => singularValues('svdvals', tensorArgument('svdvals', 'A', A)),
);

function singularValues(op: string, x: Tensor): Tensor {
  if (!x.info.floating) fail(DTypeError, op, 'a floating dtype', x.dtype, { A: x });
  if (x.shape.length < 2) fail(ShapeError, op, 'a matrix or a batch of matrices', `[${x.shape}]`);
  return svdOp([x], undefined)[1];
}

/** The sum of the singular values of the matrices over two dimensions (all of a matrix by default). */
export function nuclearNorm(
  op: string,
  x: Tensor,
  dim: number | readonly number[] | null | undefined,
  keepdim: boolean | undefined,
): Tensor {
  const given = dim === undefined || dim === null ? x.shape.map((_, d) => d) : typeof dim === 'number' ? [dim] : dim;
  const dims = given.map((d) => wrapDim(op, d, x.shape.length));
  if (dims.length !== 2 || dims[0] === dims[1])
    fail(ShapeError, op, 'two dims of matrices for the nuclear norm', `[${given}]`, { input: x });
  const rest = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const values = singularValues(op, permuteOp([x], [...rest, ...dims]));
  const sum = finishDims(sumOp([values], [values.shape.length - 1]), [values.shape.length - 1], false);
  return keepdim ? [...dims].sort((a, b) => a - b).reduce((out, d) => unsqueeze(out, d), sum) : sum;
}
