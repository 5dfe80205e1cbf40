/**
 * The three matrix-product operators, closed under differentiation: products over batches (`matmul`), a matrix applied
 * to the last dimension of any tensor (`linear`), and the sum of outer products over all leading dimensions
 * (`linearWeight`). Transposes are flags for BLAS, never copies. It knows nothing of the public functions.
 */

import type { Gradients } from '../../autograd/node.js';
import type { AutocastPolicy } from '../../dispatch/autocast-policy.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { DTypeError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastShapes, broadcastStrides, broadcastsTo } from '../../shape/broadcast.js';
import { contiguousStrides, elementCount, reshapeStrides, type Shape } from '../../shape/layout.js';
import { type Plan, stridedPlan } from '../../shape/plan.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { contiguousOf, copyInto, fillWith } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { scalarTensor } from '../core/promotion.js';
import { mul } from '../elementwise/arithmetic.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out[i] = alpha op(a[i]) op(b[i]) + beta out[i] (+ bias); the plan [out, a, b] walks the batch. */
    matmul: KernelTable<
      [
        a: TypedArray,
        b: TypedArray,
        bias: TypedArray,
        out: TypedArray,
        plan: Plan,
        m: number,
        n: number,
        k: number,
        transposedA: number,
        lda: number,
        transposedB: number,
        ldb: number,
        alpha: number,
        beta: number,
      ]
    >;
  }
}

/** The kernels by dtype. */
const instances = kernels.matmul;

/** Whether rows of x's last two dimensions follow each other in memory, elements of a row side by side. */
function rowsAlong(x: Tensor): boolean {
  if (x.contiguousLayout) return true;
  const last = x.shape.length - 1;
  const rows = last === 0 ? 1 : x.shape[last - 1];
  const cols = x.shape[last];
  const rowStep = last === 0 ? cols : x.strides[last - 1];
  return (x.strides[last] === 1 || cols === 1) && (rows === 1 || rowStep >= Math.max(1, cols));
}
function columnsAlong(x: Tensor): boolean {
  const last = x.shape.length - 1;
  const rows = last === 0 ? 1 : x.shape[last - 1];
  const cols = x.shape[last];
  const rowStep = last === 0 ? cols : x.strides[last - 1];
  return (rowStep === 1 || rows === 1) && (cols === 1 || x.strides[last] >= Math.max(1, rows));
}

/** x as BLAS takes a matrix (or a batch of them): rows or columns one after the other with a step; otherwise a copy. */
function storedMatrix(x: Tensor): Tensor {
  return rowsAlong(x) || columnsAlong(x) ? x : contiguousOf(x);
}
/** Elements between the rows of a stored matrix, or between its columns where they are what follows one another. */
function storedStep(x: Tensor, transposed: boolean): number {
  const last = x.shape.length - 1;
  const rows = last === 0 ? 1 : x.shape[last - 1];
  const cols = x.shape[last];
  if (transposed) return cols === 1 ? Math.max(1, rows) : x.strides[last];
  return rows === 1 || x.contiguousLayout ? Math.max(1, cols) : x.strides[last - 1];
}

/** All leading dimensions as one: a matrix of rows, without a copy where memory allows. */
function foldRows(x: Tensor): Tensor {
  if (x.shape.length <= 2) return x;
  const cols = x.shape[x.shape.length - 1];
  const shape = [cols === 0 ? 0 : elementCount(x.shape) / cols, cols];
  const strides = reshapeStrides(x.shape, x.strides, shape);
  return strides === null
    ? windowOn(contiguousOf(x), shape, contiguousStrides(shape), 0)
    : windowOn(x, shape, strides, x.offset);
}

/** Arrays without elements by dtype code. */
const EMPTY: TypedArray[] = [];
function noBias(x: Tensor): TypedArray {
  EMPTY[x.info.code] ??= new x.info.Array(0);
  return EMPTY[x.info.code];
}

interface Geometry {
  /** The output's shape. */
  readonly shape: Shape;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly alpha: number;
  readonly beta: number;
}

/** The plan of one product. */
const single = (): Plan => 1;

/**
 * Allocates the output, lays beta's operand into it, and calls the kernel; the plan is made last, since one buffer
 * serves all plans.
 */
function multiply(
  op: string,
  g: Geometry,
  a: Tensor,
  flipA: boolean,
  b: Tensor,
  flipB: boolean,
  plan: () => Plan,
  addend: Tensor | undefined,
): Tensor {
  const { shape, m, n, k, alpha } = g;
  const kernel = instanceOf(op, instances, a.info);
  const out = allocate(shape, a.info);
  if (elementCount(shape) === 0) return out;
  let bias = noBias(out);
  let beta = 0;
  if (addend !== undefined && g.beta !== 0) {
    if (g.beta === 1 && addend.shape.length === 1 && addend.shape[0] === n && addend.contiguousLayout)
      bias = addend.array;
    else {
      copyInto(out, addend);
      beta = g.beta;
    }
  }
  const acrossA = !rowsAlong(a);
  const acrossB = !rowsAlong(b);
  const [stepA, stepB] = [storedStep(a, acrossA), storedStep(b, acrossB)];
  kernel(
    a.array,
    b.array,
    bias,
    out.array,
    plan(),
    m,
    n,
    k,
    flipA !== acrossA ? 1 : 0,
    stepA,
    flipB !== acrossB ? 1 : 0,
    stepB,
    alpha,
    beta,
  );
  return out;
}

/** bfloat16 has products of its own, float16 none. */
const nativeHalf = ([a]: readonly Tensor[]): boolean => instances[a.info.code] !== undefined;

function checkTypes(op: string, inputs: readonly Tensor[]): void {
  for (let i = 1; i < inputs.length; i++)
    if (inputs[i].info !== inputs[0].info)
      fail(DTypeError, op, 'operands of one dtype', `${inputs[0].dtype} and ${inputs[i].dtype}`, { ...inputs });
  if (instances[inputs[0].info.code] === undefined && !inputs[0].info.half) instanceOf(op, instances, inputs[0].info);
}

function checkAddend(op: string, addend: Tensor | undefined, shape: Shape): void {
  if (addend !== undefined && !broadcastsTo(addend.shape, shape))
    fail(ShapeError, op, `an input that broadcasts to [${shape}]`, `[${addend.shape}]`);
}

/** beta's operand's gradient. */
function addendGradient(g: Tensor, beta: number): Tensor {
  return beta === 1 ? g : mul.op([g, scalarTensor(beta, g.info)]);
}

/** PyTorch's autocast on the CPU leaves products with a vector as they are unless they come by matmul. */
export function productPolicy(op: string): AutocastPolicy | undefined {
  return op === 'mv' || op === 'addmv' || op === 'dot' || op === 'vdot' ? undefined : 'lower';
}

export interface ProductAttributes {
  /** The public function's name, for messages. */
  readonly op: string;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  readonly beta: number;
}
interface ProductSpec extends Geometry {
  readonly attributes: ProductAttributes;
  readonly batch: Shape;
}

/**
 * Y = alpha op(A) op(B) + beta C over broadcast batches; dA = alpha g op(B)^T, dB = alpha op(A)^T g (each transposed
 * where its operand is), dC = beta g.
 */
export const matmulOp: Operator<ProductAttributes, Tensor> = defineOp<ProductAttributes, ProductSpec>({
  name: 'matmul',
  nativeHalf,
  autocast: 'lower',
  infer: (inputs, attributes) => {
    const [a, b] = inputs;
    const { op, transposeA, transposeB, alpha, beta } = attributes;
    const i = a.shape.length - 2;
    const j = b.shape.length - 2;
    const [m, k] = transposeA ? [a.shape[i + 1], a.shape[i]] : [a.shape[i], a.shape[i + 1]];
    const [k2, n] = transposeB ? [b.shape[j + 1], b.shape[j]] : [b.shape[j], b.shape[j + 1]];
    if (k !== k2)
      fail(ShapeError, op, `as many columns in the first matrix as rows in the second`, `${k} and ${k2}`, {
        first: a,
        second: b,
      });
    checkTypes(op, inputs);
    const batch = broadcastShapes(op, a.shape.slice(0, -2), b.shape.slice(0, -2));
    const shape = [...batch, m, n];
    checkAddend(op, inputs[2], shape);
    return { shape, m, n, k, alpha, beta, attributes, batch };
  },
  forward: (spec, [a, b, addend]) => {
    const { batch, m, n, attributes } = spec;
    const storedA = storedMatrix(a);
    const storedB = storedMatrix(b);
    const plan = (): Plan => {
      if (batch.length === 0) return 1;
      const out = contiguousStrides(batch).map((s) => s * m * n);
      const lead = (x: Tensor): number[] => broadcastStrides(x.shape.slice(0, -2), x.strides.slice(0, -2), batch);
      return stridedPlan(batch, [out, lead(storedA), lead(storedB)]);
    };
    return multiply(attributes.op, spec, storedA, attributes.transposeA, storedB, attributes.transposeB, plan, addend);
  },
  save: (context, [a, b]) => context.save(context.needs(1) ? a : null, context.needs(0) ? b : null),
  backward: (context, g): Gradients => {
    const { alpha, beta, attributes } = context.spec;
    const { op, transposeA: ta, transposeB: tb } = attributes;
    const product = (x: Tensor, y: Tensor, transposeA: boolean, transposeB: boolean): Tensor =>
      matmulOp([x, y], { op, transposeA, transposeB, alpha, beta: 0 });
    return [
      !context.needs(0) ? null : ta ? product(context.saved(1), g, tb, true) : product(g, context.saved(1), false, !tb),
      !context.needs(1) ? null : tb ? product(g, context.saved(0), true, ta) : product(context.saved(0), g, !ta, false),
      context.needs(2) ? addendGradient(g, beta) : null,
    ];
  },
});

export interface LinearAttributes {
  readonly op: string;
  /** Whether the matrix is applied transposed: rows of it are what each output sums with. */
  readonly transpose: boolean;
  readonly alpha: number;
  readonly beta: number;
}
interface LinearSpec extends Geometry {
  readonly attributes: LinearAttributes;
}

/**
 * y[..., n] = alpha x[..., k] op(W) + beta c; dx = alpha g op(W)^T, dW = alpha (sum over rows of x^T g), transposed
 * where W is; dc = beta g.
 */
export const linearOp: Operator<LinearAttributes, Tensor> = defineOp<LinearAttributes, LinearSpec>({
  name: 'linear',
  nativeHalf,
  autocast: ({ op }) => productPolicy(op),
  infer: (inputs, attributes) => {
    const [x, w] = inputs;
    const { op, transpose, alpha, beta } = attributes;
    const last = x.shape.length - 1;
    const k = x.shape[last];
    const k2 = w.shape[transpose ? 1 : 0];
    const n = w.shape[transpose ? 0 : 1];
    if (k !== k2) fail(ShapeError, op, `${k2} elements in the summed dimension`, String(k), { first: x, second: w });
    checkTypes(op, inputs);
    let m = 1;
    for (let d = 0; d < last; d++) m *= x.shape[d];
    // At its length at once: a list that grows by push is given room for many more.
    const shape = last === 1 ? [m, n] : [...x.shape.slice(0, last), n];
    checkAddend(op, inputs[2], shape);
    return { shape, m, n, k, alpha, beta, attributes };
  },
  forward: (spec, [x, w, addend]) =>
    multiply(
      spec.attributes.op,
      spec,
      storedMatrix(spec.k === 0 ? flat(x, spec.m, 0) : foldRows(x)),
      false,
      storedMatrix(w),
      spec.attributes.transpose,
      single,
      addend,
    ),
  save: (context, [x, w]) => context.save(context.needs(1) ? x : null, context.needs(0) ? w : null),
  backward: (context, g): Gradients => {
    const { alpha, beta, attributes } = context.spec;
    const { op, transpose } = attributes;
    const x = context.needs(1) ? context.saved(0) : null;
    return [
      context.needs(0) ? linearOp([g, context.saved(1)], { op, transpose: !transpose, alpha, beta: 0 }) : null,
      x === null ? null : linearWeightOp(transpose ? [g, x] : [x, g], { op, alpha }),
      context.needs(2) ? addendGradient(g, beta) : null,
    ];
  },
});

/** A matrix of rows x cols over memory that holds no element of it. */
function flat(x: Tensor, rows: number, cols: number): Tensor {
  return windowOn(x, [rows, cols], [1, 1], x.offset);
}

interface WeightAttributes {
  readonly op: string;
  readonly alpha: number;
}
interface WeightSpec extends WeightAttributes {
  readonly rows: number;
}

/** Y[m, n] = alpha sum over all leading dimensions of a[..., m]^T b[..., n]; da = alpha b g^T, db = alpha a g. */
export const linearWeightOp: Operator<WeightAttributes, Tensor> = defineOp<WeightAttributes, WeightSpec>({
  name: 'linearWeight',
  nativeHalf,
  autocast: 'lower',
  infer: (inputs, { op, alpha }) => {
    checkTypes(op, inputs);
    return { op, alpha, rows: elementCount(inputs[0].shape.slice(0, -1)) };
  },
  forward: ({ op, alpha, rows }, [a, b]) => {
    const m = a.shape[a.shape.length - 1];
    const n = b.shape[b.shape.length - 1];
    const shape = [m, n];
    if (rows === 0 && m * n > 0) {
      const zeros = allocate(shape, a.info);
      fillWith(zeros, 0);
      return zeros;
    }
    if (m * n === 0) return allocate(shape, a.info);
    return multiply(
      op,
      { shape, m, n, k: rows, alpha, beta: 0 },
      storedMatrix(foldRows(a)),
      true,
      storedMatrix(foldRows(b)),
      false,
      single,
      undefined,
    );
  },
  save: (context, [a, b]) => context.save(context.needs(1) ? a : null, context.needs(0) ? b : null),
  backward: (context, g): Gradients => {
    const { op, alpha } = context.spec;
    return [
      context.needs(0) ? linearOp([context.saved(1), g], { op, transpose: true, alpha, beta: 0 }) : null,
      context.needs(1) ? linearOp([context.saved(0), g], { op, transpose: false, alpha, beta: 0 }) : null,
    ];
  },
});
