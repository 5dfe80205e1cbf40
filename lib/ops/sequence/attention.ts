/**
 * Scaled dot product attention: a fused operator that never holds the matrix of weights, and the same thing composed of
 * operators for dropout, masks that are trained, second derivatives and empty tensors.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { ArgumentError, DTypeError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastShapes, broadcastStrides, broadcastsTo } from '../../shape/broadcast.js';
import { contiguousStrides, elementCount, type Shape } from '../../shape/layout.js';
import { type Plan, stridedPlan } from '../../shape/plan.js';
import { BOOL, type DTypeInfo, FLOAT32 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { scalarTensor, tensorArgument } from '../core/promotion.js';
import { gradientsByComposition } from '../core/recompute.js';
import { flatten, reshape, unsqueeze } from '../core/view.js';
import { addOp } from '../elementwise/arithmetic.js';
import { whereOp } from '../elementwise/selection.js';
import { matmulOp } from '../products/matmul-op.js';
import { dropout } from '../random/dropout.js';
import { softmaxOp } from '../reductions/softmax.js';

type Numbers = [
  plan: Plan,
  queries: number,
  keys: number,
  features: number,
  values: number,
  stepQ: number,
  stepK: number,
  stepV: number,
  maskRow: number,
  maskCol: number,
  together: number,
  masked: number,
  causal: number,
  scale: number,
];
declare module '../../native/kernels.js' {
  interface Kernels {
    attention: KernelTable<
      [q: TypedArray, k: TypedArray, v: TypedArray, mask: TypedArray, out: TypedArray, lse: TypedArray, ...Numbers]
    >;
    attentionBackward: KernelTable<
      [
        g: TypedArray,
        q: TypedArray,
        k: TypedArray,
        v: TypedArray,
        mask: TypedArray,
        out: TypedArray,
        lse: TypedArray,
        dq: TypedArray,
        dk: TypedArray,
        dv: TypedArray,
        ...Numbers,
      ]
    >;
  }
}

const OP = 'nn.functional.scaledDotProductAttention';
interface Attributes {
  readonly causal: boolean;
  readonly scale: number;
}
interface Spec extends Attributes {
  readonly batch: Shape;
  readonly queries: number;
  readonly keys: number;
  readonly features: number;
  readonly values: number;
}

/** The shapes of an attention: q [..., L, E], k [..., S, E], v [..., S, V], mask broadcast to [..., L, S]. */
function geometry(inputs: readonly Tensor[], { causal, scale }: Attributes): Spec {
  const [q, k, v, mask] = inputs;
  const [queries, features] = q.shape.slice(-2);
  const [keys, values] = v.shape.slice(-2);
  if (k.shape[k.shape.length - 1] !== features)
    fail(ShapeError, OP, 'query and key of one last size', `${features} and ${k.shape[k.shape.length - 1]}`, {
      query: q,
      key: k,
    });
  if (k.shape[k.shape.length - 2] !== keys)
    fail(ShapeError, OP, 'as many keys as values', `${k.shape[k.shape.length - 2]} and ${keys}`, { key: k, value: v });
  let batch = broadcastShapes(
    OP,
    broadcastShapes(OP, q.shape.slice(0, -2), k.shape.slice(0, -2)),
    v.shape.slice(0, -2),
  );
  if (mask !== undefined) {
    if (!broadcastsTo(mask.shape.slice(-2), [queries, keys]))
      fail(ShapeError, OP, `an attnMask that broadcasts to [..., ${queries}, ${keys}]`, `[${mask.shape}]`);
    batch = broadcastShapes(OP, batch, mask.shape.slice(0, -2));
  }
  return { batch, queries, keys, features, values, causal, scale };
}

function infer(inputs: readonly Tensor[], attributes: Attributes): Spec {
  const [q] = inputs;
  for (const x of inputs)
    if (x.info !== q.info)
      fail(DTypeError, OP, 'query, key, value (and a floating attnMask) of one dtype', `${q.dtype} and ${x.dtype}`);
  if (!q.info.floating) fail(DTypeError, OP, 'a floating dtype', q.dtype);
  return geometry(inputs, attributes);
}

/** Rows one after the other: the last dimension without gaps. */
function rowsOf(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  return x.strides[last] === 1 && x.strides[last - 1] >= x.shape[last] ? x : contiguousOf(x);
}

/** How many of the last batch dimensions lie between the rows of q, as heads do that are parts of a projection. */
function headDimensions({ batch, queries }: Spec, q: Tensor): number {
  if (queries === 1) return 0;
  const strides = broadcastStrides(q.shape.slice(0, -2), q.strides.slice(0, -2), batch);
  let count = 0;
  while (count < batch.length && strides[batch.length - 1 - count] < q.strides[q.strides.length - 2]) count++;
  return count;
}

/** The list with its entry at `from` at place `to`. */
function moved<E>(list: readonly E[], from: number, to: number): E[] {
  const out = [...list];
  out.splice(to, 0, ...out.splice(from, 1));
  return out;
}

/**
 * A permutation of x [..., heads, L, E] as it lies in memory: [..., L, heads, E] with `heads` dimensions in place of
 * one.
 */
function rowsTogether(x: Tensor, heads: number): Tensor {
  const rows = x.shape.length - 2;
  return windowOn(x, moved(x.shape, rows, rows - heads), moved(x.strides, rows, rows - heads), x.offset);
}

/** An uninitialised tensor [...batch, rows, width] with its last `heads` batch dimensions between the rows. */
function allocateTogether(batch: Shape, rows: number, width: number, heads: number, info: DTypeInfo): Tensor {
  const shape = [...batch, rows, width];
  const memory = allocate(moved(shape, batch.length, batch.length - heads), info);
  return heads === 0
    ? memory
    : windowOn(memory, shape, moved(memory.strides, batch.length - heads, batch.length), memory.offset);
}

/**
 * What both kernels take after their memory; the plan [index, q, k, v, mask] is made last, since one buffer serves all
 * plans.
 */
function numbersOf(spec: Spec, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | undefined, heads: number): Numbers {
  const { batch, queries, keys, features, values, causal, scale } = spec;
  const lead = (x: Tensor): number[] => broadcastStrides(x.shape.slice(0, -2), x.strides.slice(0, -2), batch);
  const [maskRow, maskCol] =
    mask === undefined ? [0, 0] : broadcastStrides(mask.shape, mask.strides, [...batch, queries, keys]).slice(-2);
  const none = batch.map(() => 0);
  const plan = stridedPlan(batch, [
    contiguousStrides(batch),
    lead(q),
    lead(k),
    lead(v),
    mask === undefined ? none : lead(mask),
  ]);
  const step = (x: Tensor): number => x.strides[x.strides.length - 2];
  const together = elementCount(batch.slice(batch.length - heads));
  return [
    plan,
    queries,
    keys,
    features,
    values,
    step(q),
    step(k),
    step(v),
    maskRow,
    maskCol,
    together,
    mask === undefined ? 0 : 1,
    causal ? 1 : 0,
    scale,
  ];
}

const wide = (x: Tensor): Tensor => (x.info.half ? castTo(x, FLOAT32) : x);

/**
 * y = P v with P = softmax(scale q k^T + mask); dv = P^T g, dS = P (g v^T - rowsum(g y)), dq = scale dS k, dk = scale
 * dS^T q. The second output, the logarithm of each row's sum, is for backward. The mask takes no gradient.
 */
const attentionOp: Operator<Attributes, Tensor[]> = defineOp<Attributes, Spec, Tensor[]>({
  name: 'attention',
  autocast: 'lower',
  nativeHalf: true,
  nonDifferentiableOutputs: [1],
  infer,
  forward: (spec, inputs) => {
    const [q, k, v] = inputs.slice(0, 3).map((x) => rowsOf(wide(x)));
    const mask = inputs.length > 3 ? wide(inputs[3]) : undefined;
    const heads = headDimensions(spec, q);
    const out = allocateTogether(spec.batch, spec.queries, spec.values, heads, q.info);
    const lse = allocate([...spec.batch, spec.queries], q.info);
    const kernel = instanceOf(OP, kernels.attention, q.info);
    kernel(
      q.array,
      k.array,
      v.array,
      (mask ?? q).array,
      out.array,
      lse.array,
      ...numbersOf(spec, q, k, v, mask, heads),
    );
    return [inputs[0].info.half ? castTo(out, inputs[0].info) : out, lse];
  },
  save: (context, inputs, outputs) => context.save(...inputs.slice(0, 3), inputs[3] ?? null, ...outputs),
  backward: (context, g): Gradients => {
    const { spec } = context;
    const inputs =
      context.next.length > 3 ? [0, 1, 2, 3].map((i) => context.saved(i)) : [0, 1, 2].map((i) => context.saved(i));
    if (isGradEnabled())
      return gradientsByComposition(context, inputs, [g], (x) => [compose(x[0], x[1], x[2], x[3], spec, 0)]);
    const [q, k, v] = inputs.slice(0, 3).map((x) => rowsOf(wide(x)));
    const mask = inputs.length > 3 ? wide(inputs[3]) : undefined;
    const { batch, queries, keys, features, values } = spec;
    const heads = headDimensions(spec, q);
    const dq = allocateTogether(batch, queries, features, heads, q.info);
    const dk = allocateTogether(batch, keys, features, heads, q.info);
    const dv = allocateTogether(batch, keys, values, heads, q.info);
    const kernel = instanceOf(OP, kernels.attentionBackward, q.info);
    const [gradient, out] = [g, context.saved(4)].map((x) => contiguousOf(rowsTogether(wide(x), heads)));
    kernel(
      gradient.array,
      q.array,
      k.array,
      v.array,
      (mask ?? q).array,
      out.array,
      context.saved(5).array,
      dq.array,
      dk.array,
      dv.array,
      ...numbersOf(spec, q, k, v, mask, heads),
    );
    return [dq, dk, dv];
  },
});

/** A bool mask (true: attend) as what is added to the scores: 0 or -infinity. */
export function additiveMask(keep: Tensor, info: DTypeInfo): Tensor {
  return whereOp([scalarTensor(0, info), scalarTensor(Number.NEGATIVE_INFINITY, info), keep]);
}

/** True on and below the diagonal: a query sees the keys up to its own place. */
function causalMask(queries: number, keys: number): Tensor {
  const mask = allocate([queries, keys], BOOL);
  const array = mask.array as Uint8Array;
  for (let i = 0; i < queries; i++) for (let j = 0; j < keys; j++) array[i * keys + j] = j <= i ? 1 : 0;
  return mask;
}

/** Rows of which every score is -infinity, as [..., L, 1]; null where there is none. */
function emptyRows(scores: Tensor): Tensor | null {
  const flat = contiguousOf(wide(scores));
  const array = flat.array as Float32Array | Float64Array;
  const keys = scores.shape[scores.shape.length - 1];
  const rows = allocate([...scores.shape.slice(0, -1), 1], BOOL);
  const marks = rows.array as Uint8Array;
  let any = false;
  for (let i = 0; i < elementCount(rows.shape); i++) {
    let empty = keys > 0;
    for (let j = 0; empty && j < keys; j++) empty = array[i * keys + j] === Number.NEGATIVE_INFINITY;
    marks[i] = empty ? 1 : 0;
    any ||= empty;
  }
  return any ? rows : null;
}

/**
 * The same attention out of operators: dropout(softmax(scale q k^T + mask)) v; rows without a key to attend to are 0.
 */
function compose(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor | undefined,
  { causal, scale, queries, keys }: Spec,
  dropoutP: number,
): Tensor {
  let scores = matmulOp([q, k], { op: OP, transposeA: false, transposeB: true, alpha: scale, beta: 0 });
  const added = causal ? additiveMask(causalMask(queries, keys), scores.info) : mask;
  if (added !== undefined) scores = addOp([scores, added]);
  const empty = added === undefined ? null : emptyRows(scores);
  const zero = scalarTensor(0, scores.info);
  let weights = softmaxOp([empty === null ? scores : whereOp([zero, scores, empty])], scores.shape.length - 1);
  if (empty !== null) weights = whereOp([zero, weights, empty]);
  if (dropoutP > 0) weights = dropout(weights, dropoutP, true);
  return matmulOp([weights, v], { op: OP, transposeA: false, transposeB: false, alpha: 1, beta: 0 });
}

/**
 * Heads of q in groups that share a head of k and v: [..., H, L, E] as [..., Hk, H / Hk, L, E], and k, v with a size of
 * 1 there.
 */
function grouped(q: Tensor, k: Tensor, v: Tensor): [Tensor, Tensor, Tensor] {
  const heads = (x: Tensor): number => x.shape[x.shape.length - 3];
  if (q.shape.length < 3 || heads(k) !== heads(v) || heads(k) === 0 || heads(q) % heads(k) !== 0)
    fail(
      ShapeError,
      OP,
      'a number of query heads that is a multiple of that of keys and of values',
      `${heads(q)}, ${heads(k)} and ${heads(v)}`,
      { query: q, key: k, value: v },
    );
  const split = reshape(q, [...q.shape.slice(0, -3), heads(k), heads(q) / heads(k), ...q.shape.slice(-2)]);
  return [split, unsqueeze(k, -3), unsqueeze(v, -3)];
}

/**
 * softmax(scale q k^T + mask) v. PyTorch's `torch.nn.functional.scaled_dot_product_attention`.
 *
 * `query` is [..., L, E], `key` [..., S, E], `value` [..., S, V]; leading dimensions broadcast; the result is [..., L,
 * V].
 * `attnMask` broadcasts to [..., L, S]: bool (true takes part) or floating (added to the scores). `dropoutP` (default
 * 0) drops weights whatever the mode; `isCausal` lets query i see keys 0..i and excludes a mask; `scale` defaults to 1
 * / sqrt(E); `enableGqa` lets H query heads share fewer key and value heads. Throws ShapeError, DTypeError,
 * ArgumentError. Tiled as in Dao, FlashAttention-2 (2023).
 */
export const scaledDotProductAttention = defineFunction(
  {
    name: OP,
    parameters: ['query', 'key', 'value', 'attnMask', 'dropoutP', 'isCausal', 'scale', 'enableGqa'],
    keywords: 2,
    required: 3,
    composed: true,
    kinds: { value: 'tensor' },
  },
  (
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attnMask?: Tensor | null,
    dropoutP: number = 0,
    isCausal: boolean = false,
    scale?: number | null,
    enableGqa: boolean = false,
  ): Tensor => {
    let q = tensorArgument(OP, 'query', query);
    let k = tensorArgument(OP, 'key', key);
    let v = tensorArgument(OP, 'value', value);
    for (const x of [q, k, v])
      if (x.shape.length < 2)
        fail(ShapeError, OP, 'operands of at least 2 dimensions', String(x.shape.length), {
          query: q,
          key: k,
          value: v,
        });
    if (!(dropoutP >= 0 && dropoutP <= 1)) fail(ArgumentError, OP, 'dropoutP from 0 to 1', String(dropoutP));
    let mask = attnMask === null || attnMask === undefined ? undefined : tensorArgument(OP, 'attnMask', attnMask);
    if (mask !== undefined && isCausal) fail(ArgumentError, OP, 'attnMask or isCausal, not both', 'both');
    if (mask !== undefined && mask.info !== BOOL && !mask.info.floating)
      fail(DTypeError, OP, 'a bool or floating attnMask', mask.dtype);
    if (mask !== undefined && mask.info === BOOL) mask = additiveMask(mask, q.info);
    if (enableGqa) {
      [q, k, v] = grouped(q, k, v);
      if (mask !== undefined && mask.shape.length > 2) {
        const count = mask.shape[mask.shape.length - 3];
        mask =
          count === 1
            ? unsqueeze(mask, -3)
            : reshape(mask, [...mask.shape.slice(0, -3), k.shape[k.shape.length - 4], -1, ...mask.shape.slice(-2)]);
      }
    }
    if (mask !== undefined && mask.shape.length < 2) mask = reshape(mask, [1, mask.shape[0] ?? 1]);
    const attributes = { causal: isCausal, scale: scale ?? 1 / Math.sqrt(q.shape[q.shape.length - 1]) };
    const inputs = mask === undefined ? [q, k, v] : [q, k, v, mask];
    const out = attend(inputs, attributes, dropoutP);
    return enableGqa ? flatten(out, -4, -3) : out;
  },
);

function attend(inputs: readonly Tensor[], attributes: Attributes, dropoutP: number): Tensor {
  const [q, k, v, mask] = inputs;
  const spec = geometry(inputs, attributes);
  const { batch, queries, keys, features, values } = spec;
  if (elementCount(batch) * queries * values === 0 || keys === 0 || features === 0)
    return compose(q, k, v, mask, spec, dropoutP);
  if (dropoutP > 0 || mask?.requiresGrad) return compose(q, k, v, mask, spec, dropoutP);
  return attentionOp(inputs, attributes)[0];
}
