/**
 * One layer of a recurrent network in one direction over a whole sequence, as a fused operator, and the same layer
 * composed of ordinary operators for second derivatives. It knows nothing of stacks of layers, which
 * lib/nn/layers/recurrent.ts builds.
 */

import { isGradEnabled } from '../../autograd/grad-mode.js';
import type { Gradients } from '../../autograd/node.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { DTypeError, fail, ShapeError } from '../../errors.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { FLOAT32 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateLike } from '../../tensor/allocate.js';
import { castTo, contiguousOf } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { relu } from '../activations/activation.js';
import { gradientsByComposition } from '../core/recompute.js';
import { add, addOp, mul, sub } from '../elementwise/arithmetic.js';
import { sigmoid, tanh } from '../elementwise/exponential.js';
import { linearOp } from '../products/matmul-op.js';
import { stackOp } from '../views/cat.js';
import { narrow, select } from '../views/slice.js';

type Sizes = [
  mode: number,
  steps: number,
  batch: number,
  inputs: number,
  hidden: number,
  outputs: number,
  reverse: number,
];
type Arrays<N extends number, A extends TypedArray[] = []> = A['length'] extends N ? A : Arrays<N, [...A, TypedArray]>;
declare module '../../native/kernels.js' {
  interface Kernels {
    /** x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr; gates, cells, hidden, out */
    recurrentLayer: KernelTable<[...Arrays<12>, ...Sizes]>;
    /**
     * g_out, g_h, g_c, x, h0, c0, w_ih, w_hh, w_hr, gates, cells, hidden, out; dx, dh0, dc0, dw_ih, dw_hh, db_ih,
     * db_hh, dw_hr
     */
    recurrentLayerBackward: KernelTable<[...Arrays<21>, ...Sizes]>;
  }
}

export type RecurrentMode = 'RNN_TANH' | 'RNN_RELU' | 'LSTM' | 'GRU';
const MODES: readonly RecurrentMode[] = ['RNN_TANH', 'RNN_RELU', 'LSTM', 'GRU'];
/** Rows of the weights for each hidden feature. */
export const GATES: Readonly<Record<RecurrentMode, number>> = { RNN_TANH: 1, RNN_RELU: 1, LSTM: 4, GRU: 3 };

interface Attributes {
  /** The public name, for messages. */
  readonly op: string;
  readonly mode: RecurrentMode;
  readonly bias: boolean;
  readonly projected: boolean;
  readonly reverse: boolean;
}
interface Spec extends Attributes {
  readonly steps: number;
  readonly batch: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly outputs: number;
  /** Where each operand is in the list of inputs; -1 where it is not there. */
  readonly at: Readonly<Record<'c0' | 'wIh' | 'wHh' | 'bIh' | 'bHh' | 'wHr', number>>;
}
/** Inputs are x, h0, (c0), wIh, wHh, (bIh, bHh), (wHr). */
function positions({ mode, bias, projected }: Attributes): Spec['at'] {
  const w = mode === 'LSTM' ? 3 : 2;
  return {
    c0: mode === 'LSTM' ? 2 : -1,
    wIh: w,
    wHh: w + 1,
    bIh: bias ? w + 2 : -1,
    bHh: bias ? w + 3 : -1,
    wHr: projected ? w + (bias ? 4 : 2) : -1,
  };
}

function infer(inputs: readonly Tensor[], attributes: Attributes): Spec {
  const { op, mode } = attributes;
  const at = positions(attributes);
  const [x, h0] = inputs;
  if (!x.info.floating) fail(DTypeError, op, 'a floating dtype', x.dtype);
  for (const t of inputs)
    if (t.info !== x.info)
      fail(DTypeError, op, 'input, state and weights of one dtype', `${x.dtype} and ${t.dtype}`, { input: x });
  const [steps, batch, features] = x.shape;
  const gates = inputs[at.wIh].shape[0];
  const hidden = gates / GATES[mode];
  const outputs = at.wHr < 0 ? hidden : inputs[at.wHr].shape[0];
  const expect = (name: string, t: Tensor, shape: Shape): void => {
    if (!sameShape(t.shape, shape)) fail(ShapeError, op, `${name} of shape [${shape}]`, `[${t.shape}]`, { input: x });
  };
  if (steps === 0) fail(ShapeError, op, 'a sequence of at least one step', 'none', { input: x });
  expect('h0', h0, [batch, outputs]);
  if (at.c0 >= 0) expect('c0', inputs[at.c0], [batch, hidden]);
  expect('the input weight', inputs[at.wIh], [gates, features]);
  expect('the hidden weight', inputs[at.wHh], [gates, outputs]);
  if (at.bIh >= 0) for (const i of [at.bIh, at.bHh]) expect('a bias', inputs[i], [gates]);
  if (at.wHr >= 0) expect('the projection', inputs[at.wHr], [outputs, hidden]);
  return { ...attributes, at, steps, batch, inputs: features, hidden, outputs };
}

const sizesOf = ({ mode, steps, batch, inputs, hidden, outputs, reverse }: Spec): Sizes => [
  MODES.indexOf(mode),
  steps,
  batch,
  inputs,
  hidden,
  outputs,
  reverse ? 1 : 0,
];

/** As kernels take it: contiguous, at least float32. */
function ready(x: Tensor): Tensor {
  return x.info.half ? castTo(x, FLOAT32) : contiguousOf(x);
}

/**
 * out[t], h and c after the last step, of h[t], c[t] = cell(W_ih x[t] + b_ih, W_hh h[t-1] + b_hh, c[t-1]) for every t;
 * backward is backpropagation through time in one kernel. Outputs: out [T, B, P], h [B, P], c [B, H] (LSTM), and what
 * backward needs.
 */
const recurrentOp: Operator<Attributes, Tensor[]> = defineOp<Attributes, Spec, Tensor[]>({
  name: 'recurrentLayer',
  autocast: 'lower',
  nativeHalf: true,
  nonDifferentiableOutputs: [3, 4, 5],
  infer,
  forward: (spec, given) => {
    const { at, mode, steps, batch, hidden, outputs, reverse } = spec;
    const inputs = given.map(ready);
    const info = inputs[0].info;
    const array = (i: number): TypedArray => (i < 0 ? new info.Array(0) : inputs[i].array);
    const rows = steps * batch;
    const gates = allocate([rows, hidden * GATES[mode]], info);
    const cells = allocate([mode === 'LSTM' || mode === 'GRU' ? rows : 0, hidden], info);
    const wide = allocate([spec.projected ? rows : 0, hidden], info);
    const out = allocate([steps, batch, outputs], info);
    const kernel = instanceOf(spec.op, kernels.recurrentLayer, inputs[0].info);
    kernel(
      array(0),
      array(1),
      array(at.c0),
      array(at.wIh),
      array(at.wHh),
      array(at.bIh),
      array(at.bHh),
      array(at.wHr),
      gates.array,
      cells.array,
      wide.array,
      out.array,
      ...sizesOf(spec),
    );
    const narrowed = (x: Tensor): Tensor => castTo(x, given[0].info);
    const last = (x: Tensor, width: number): Tensor =>
      narrowed(windowOn(x, [batch, width], [width, 1], x.offset + (reverse ? 0 : (steps - 1) * batch * width)));
    const cell = mode === 'LSTM' ? last(cells, hidden) : allocate([0], given[0].info);
    return [given[0].info.half ? narrowed(out) : out, last(out, outputs), cell, gates, cells, wide];
  },
  save: (context, inputs, outputs) => context.save(...inputs, outputs[0], outputs[3], outputs[4], outputs[5]),
  backward: (context, _, gradOutputs): Gradients => {
    const { spec } = context;
    const count = context.next.length;
    const given = Array.from({ length: count }, (__, i) => context.saved(i));
    if (isGradEnabled())
      return gradientsByComposition(context, given, gradOutputs.slice(0, spec.mode === 'LSTM' ? 3 : 2), (x) =>
        compose(x, spec),
      );
    const inputs = given.map(ready);
    const info = inputs[0].info;
    const none = new info.Array(0);
    const [out, gates, cells, wide] = [count, count + 1, count + 2, count + 3].map(
      (i) => ready(context.saved(i)).array,
    );
    const incoming = [0, 1, 2].map((i) => {
      const g = gradOutputs[i];
      return g === null || (i === 2 && spec.mode !== 'LSTM') ? none : ready(g).array;
    });
    const { at } = spec;
    const array = (i: number): TypedArray => (i < 0 ? none : inputs[i].array);
    // The state's gradients are the kernel's workspace as well, so they are always made.
    const results = inputs.map((x, i) => (context.needs(i) || i === 1 || i === at.c0 ? allocateLike(x) : null));
    const result = (i: number): TypedArray => (i < 0 ? none : (results[i]?.array ?? none));
    const kernel = instanceOf(spec.op, kernels.recurrentLayerBackward, inputs[0].info);
    kernel(
      incoming[0],
      incoming[1],
      incoming[2],
      array(0),
      array(1),
      array(at.c0),
      array(at.wIh),
      array(at.wHh),
      array(at.wHr),
      gates,
      cells,
      wide,
      out,
      result(0),
      result(1),
      result(at.c0),
      result(at.wIh),
      result(at.wHh),
      result(at.bIh),
      result(at.bHh),
      result(at.wHr),
      ...sizesOf(spec),
    );
    return results;
  },
});

const linear = (x: Tensor, w: Tensor, bias?: Tensor): Tensor =>
  linearOp(bias === undefined ? [x, w] : [x, w, bias], { op: 'recurrentLayer', transpose: true, alpha: 1, beta: 1 });

/** The same layer, step by step out of ordinary operators: out, h, and c for an LSTM. */
function compose(inputs: readonly Tensor[], { at, mode, steps, hidden, reverse }: Spec): Tensor[] {
  const optional = (i: number): Tensor | undefined => (i < 0 ? undefined : inputs[i]);
  const part = (x: Tensor, i: number): Tensor => narrow(x, 1, i * hidden, hidden);
  let h = inputs[1];
  let c = optional(at.c0);
  const out = new Array<Tensor>(steps);
  for (let k = 0; k < steps; k++) {
    const t = reverse ? steps - 1 - k : k;
    const x = linear(select(inputs[0], 0, t), inputs[at.wIh], optional(at.bIh));
    const y = linear(h, inputs[at.wHh], optional(at.bHh));
    if (mode === 'GRU') {
      const [r, z] = [0, 1].map((i) => sigmoid.op([addOp([part(x, i), part(y, i)])]));
      const n = tanh.op([addOp([part(x, 2), mul.op([r, part(y, 2)])])]);
      h = add(n, mul(z, sub(h, n)));
    } else if (mode === 'LSTM') {
      const gates = addOp([x, y]);
      const [i, f, o] = [0, 1, 3].map((k) => sigmoid.op([part(gates, k)]));
      c = addOp([mul.op([f, c as Tensor]), mul.op([i, tanh.op([part(gates, 2)])])]);
      h = mul.op([o, tanh.op([c])]);
      if (at.wHr >= 0) h = linear(h, inputs[at.wHr]);
    } else h = mode === 'RNN_TANH' ? tanh.op([addOp([x, y])]) : relu(addOp([x, y]));
    out[t] = h;
  }
  return [stackOp(out, 0), h, ...(c === undefined ? [] : [c])];
}

export interface LayerWeights {
  readonly wIh: Tensor;
  readonly wHh: Tensor;
  readonly bIh?: Tensor | null;
  readonly bHh?: Tensor | null;
  readonly wHr?: Tensor | null;
}
export interface LayerResult {
  /** [T, B, P] */
  readonly out: Tensor;
  /** [B, P] */
  readonly h: Tensor;
  /** [B, H], of an LSTM */
  readonly c: Tensor | undefined;
}

/**
 * One layer in one direction: `x` is [T, B, I], `h0` [B, P], `c0` [B, H] for an LSTM. Throws ShapeError, DTypeError in
 * the name of `op`.
 */
export function recurrentLayer(
  op: string,
  mode: RecurrentMode,
  x: Tensor,
  h0: Tensor,
  c0: Tensor | undefined,
  weights: LayerWeights,
  reverse = false,
): LayerResult {
  const { wIh, wHh, bIh, bHh, wHr } = weights;
  const present = (t: Tensor | null | undefined): Tensor[] => (t === null || t === undefined ? [] : [t]);
  const inputs = [x, h0, ...present(c0), wIh, wHh, ...present(bIh), ...present(bHh), ...present(wHr)];
  const bias = bIh !== null && bIh !== undefined;
  const projected = wHr !== null && wHr !== undefined;
  const results = recurrentOp(inputs, { op, mode, bias, projected, reverse });
  return { out: results[0], h: results[1], c: mode === 'LSTM' ? results[2] : undefined };
}

/** Zeros of the given shape and type. */
export function zeroState(shape: Shape, like: Tensor): Tensor {
  const out = allocate([...shape], like.info);
  out.array.fill(0 as never, 0, elementCount(shape));
  return out;
}
