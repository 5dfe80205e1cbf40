/** The operators of the gated linear unit: one half of a tensor, let through as far as the other half says. */

import type { Gradients } from '../../autograd/node.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { type KernelTable, kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { type Plan, planOf } from '../../shape/plan.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateResult } from '../../tensor/allocate.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { addOp, mul, scaled, subOp } from '../elementwise/arithmetic.js';
import { sigmoid } from '../elementwise/exponential.js';
import { catOp } from '../views/cat.js';
import { chunk } from '../views/split.js';

declare module '../../native/kernels.js' {
  interface Kernels {
    /** out = a s(b), s the logistic function. */
    glu: KernelTable<[a: TypedArray, b: TypedArray, out: TypedArray, plan: Plan]>;
    /** out = g a s(b) (1 - s(b)): the derivative by b. */
    gluGate: KernelTable<[g: TypedArray, a: TypedArray, b: TypedArray, out: TypedArray, plan: Plan]>;
  }
}

interface Spec {
  readonly dim: number;
}

/** The halves of a tensor along a dimension, on its memory. */
function halvesOf(x: Tensor, dim: number): [Tensor, Tensor] {
  const n = x.shape[dim] / 2;
  const shape = x.shape.map((size, d) => (d === dim ? n : size));
  return [windowOn(x, shape, x.strides, x.offset), windowOn(x, shape, x.strides, x.offset + n * x.strides[dim])];
}

function gate(a: Tensor, b: Tensor, out: Tensor): void {
  instanceOf('glu', kernels.glu, a.info)(a.array, b.array, out.array, planOf(out.shape, [out, a, b]));
}

/** y = a s(b); dx = gluBackward(g, x). */
export const gluOp: Operator<number, Tensor> = defineOp<number, Spec>({
  name: 'glu',
  nativeHalf: true,
  infer: (_, dim) => ({ dim }),
  forward: ({ dim }, [x]) => {
    const [a, b] = halvesOf(x, dim);
    const out = allocateResult(a.shape, [a, b], x.info);
    gate(a, b, out);
    return out;
  },
  save: (context, [x]) => context.save(x),
  backward: (context, g): Gradients => [gluBackwardOp([g, context.saved(0)], context.spec.dim)],
});

/** The halves g s(b) and g a t, where t = s(b) (1 - s(b)) has the derivative t (1 - 2 s(b)). */
const gluBackwardOp: Operator<number, Tensor> = defineOp<number, Spec>({
  name: 'gluBackward',
  nativeHalf: true,
  infer: (_, dim) => ({ dim }),
  forward: ({ dim }, [g, x]) => {
    const out = allocate(x.shape, x.info);
    const [a, b] = halvesOf(x, dim);
    const [da, db] = halvesOf(out, dim);
    gate(g, b, da);
    instanceOf('glu', kernels.gluGate, x.info)(g.array, a.array, b.array, db.array, planOf(db.shape, [db, g, a, b]));
    return out;
  },
  save: (context, [g, x]) => context.save(g, x),
  backward: (context, h): Gradients => {
    const { dim } = context.spec;
    const g = context.saved(0);
    const [a, b] = chunk(context.saved(1), 2, dim);
    const [ha, hb] = chunk(h, 2, dim);
    const s = sigmoid.op([b]);
    const t = subOp([s, mul.op([s, s])]);
    const through = mul.op([g, t]);
    const dg = addOp([mul.op([ha, s]), mul.op([mul.op([hb, a]), t])]);
    const da = mul.op([hb, through]);
    const curved = mul.op([mul.op([hb, a]), subOp([through, scaled(mul.op([through, s]), 2)])]);
    return [dg, catOp([da, addOp([mul.op([ha, through]), curved])], dim)];
  },
});
