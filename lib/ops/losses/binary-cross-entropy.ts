/** Binary cross entropy of probabilities and of logits, fused with its reduction; weights are composed around it. */

import type { Gradients } from '../../autograd/node.js';
import { defineFunction } from '../../dispatch/define-function.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { fail, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import { broadcastsTo } from '../../shape/broadcast.js';
import { allocateAs, allocateLike, allocateResult } from '../../tensor/allocate.js';
import { fillWith } from '../../tensor/copy.js';
import type { Tensor } from '../../tensor/tensor.js';
import { scalarTensor } from '../core/promotion.js';
import { addOp, divOp, mul, subOp } from '../elementwise/arithmetic.js';
import { log, log1p, sigmoid } from '../elementwise/exponential.js';
import { clampMin } from '../elementwise/selection.js';
import {
  checkSameShape,
  type LossAttributes,
  type LossSpec,
  lossArguments,
  lossBackward,
  lossForward,
  lossSpec,
  type Reduction,
  reduceLoss,
  reductionOf,
} from './difference-loss.js';

const constant = (value: number, like: Tensor): Tensor => scalarTensor(value, like.info);
const oneMinus = (x: Tensor): Tensor => subOp([constant(1, x), x]);
const scaled = (x: Tensor, spec: LossSpec): Tensor => mul.op([x, constant(spec.scale, x)]);

/**
 * z = g s (x - t) / d, d = max(x (1 - x), 1e-12); dg = c s (x - t) / d, dx = h (1 - (x - t) (1 - 2x) / d) / d, dt = -h
 * / d, h = c g s.
 */
const binaryCrossEntropyBackwardOp: Operator<LossSpec, Tensor> = defineOp<LossSpec, LossSpec>({
  name: 'binaryCrossEntropyBackward',
  infer: (_, spec) => spec,
  forward: (spec, inputs) => lossBackward('binaryCrossEntropy', kernels.binaryCrossEntropyBackward, spec, inputs),
  save: (context, inputs) => context.save(...inputs),
  backward: (context, c): Gradients => {
    const [g, x, t] = [context.saved(0), context.saved(1), context.saved(2)];
    const dg = context.needs(0) ? binaryCrossEntropyBackwardOp([c, x, t], context.spec) : null;
    const d = clampMin(mul.op([x, oneMinus(x)]), 1e-12);
    const h = divOp([scaled(mul.op([c, g]), context.spec), d]);
    const slope = divOp([mul.op([subOp([x, t]), subOp([oneMinus(x), x])]), d]);
    return [
      dg,
      context.needs(1) ? mul.op([h, oneMinus(slope)]) : null,
      context.needs(2) ? mul.op([h, constant(-1, h)]) : null,
    ];
  },
});

/**
 * y = the reduction of -(t log x + (1 - t) log(1 - x)), logarithms at least -100; dx = g s (x - t) / (x (1 - x)), dt =
 * g s (log(1 - x) - log x).
 */
const binaryCrossEntropyOp = defineOp<LossAttributes, LossSpec>({
  name: 'binaryCrossEntropy',
  autocast: 'float32',
  infer: (inputs, attributes) => lossSpec('binaryCrossEntropy', inputs, attributes),
  forward: (spec, inputs) =>
    lossForward('binaryCrossEntropy', kernels.binaryCrossEntropy, spec, inputs, ([x]) => allocateAs(x)),
  save: (context, [x, t]) => context.save(x, t),
  backward: (context, g): Gradients => {
    const [x, t] = [context.saved(0), context.saved(1)];
    const dx = context.needs(0) ? binaryCrossEntropyBackwardOp([g, x, t], context.spec) : null;
    if (!context.needs(1)) return [dx, null];
    return [dx, mul.op([scaled(g, context.spec), subOp([log1p(mul.op([x, constant(-1, x)])), log.op([x])])])];
  },
});

/** z = g s (sigmoid(x) - t); dg = c s (sigmoid(x) - t), dx = c g s sigmoid'(x), dt = -c g s. */
const logitsBackwardOp: Operator<LossSpec, Tensor> = defineOp<LossSpec, LossSpec>({
  name: 'binaryCrossEntropyWithLogitsBackward',
  infer: (_, spec) => spec,
  forward: (spec, inputs) =>
    lossBackward('binaryCrossEntropyWithLogits', kernels.binaryCrossEntropyWithLogitsBackward, spec, inputs),
  save: (context, inputs) => context.save(...inputs),
  backward: (context, c): Gradients => {
    const [g, x, t] = [context.saved(0), context.saved(1), context.saved(2)];
    const dg = context.needs(0) ? logitsBackwardOp([c, x, t], context.spec) : null;
    if (!context.needs(1) && !context.needs(2)) return [dg, null, null];
    const h = scaled(mul.op([c, g]), context.spec);
    const y = sigmoid.op([x]);
    return [
      dg,
      context.needs(1) ? mul.op([h, mul.op([y, oneMinus(y)])]) : null,
      context.needs(2) ? mul.op([h, constant(-1, h)]) : null,
    ];
  },
});

/** y = the reduction of (1 - t) x + log(1 + e^-x); dx = g s (sigmoid(x) - t), dt = -g s x. */
const logitsOp = defineOp<LossAttributes, LossSpec>({
  name: 'binaryCrossEntropyWithLogits',
  autocast: 'float32',
  infer: (inputs, attributes) => lossSpec('binaryCrossEntropyWithLogits', inputs, attributes),
  // PyTorch begins with 1 - t.
  forward: (spec, inputs) =>
    lossForward('binaryCrossEntropyWithLogits', kernels.binaryCrossEntropyWithLogits, spec, inputs, ([, t]) =>
      allocateResult(t.shape, [t], t.info),
    ),
  save: (context, [x, t]) => context.save(x, t),
  backward: (context, g): Gradients => {
    const [x, t] = [context.saved(0), context.saved(1)];
    const dx = context.needs(0) ? logitsBackwardOp([g, x, t], context.spec) : null;
    return [dx, context.needs(1) ? mul.op([scaled(g, context.spec), mul.op([x, constant(-1, x)])]) : null];
  },
});

function checkWeight(op: string, name: string, weight: Tensor, input: Tensor): void {
  if (!broadcastsTo(weight.shape, input.shape))
    fail(ShapeError, op, `a ${name} that broadcasts to [${input.shape}]`, `[${weight.shape}]`, {
      input,
      [name]: weight,
    });
}

/**
 * `-(target log(input) + (1 - target) log(1 - input))` of probabilities, logarithms no lower than -100, times `weight`
 * (broadcast), reduced. Input and target of one shape, else ShapeError. Source:
 * torch.nn.functional.binary_cross_entropy.
 */
export const binaryCrossEntropy = defineFunction(
  {
    name: 'nn.functional.binaryCrossEntropy',
    parameters: ['input', 'target', 'weight', 'sizeAverage', 'reduce', 'reduction'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
  ): Tensor => {
    const op = 'binaryCrossEntropy';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    if (weight === undefined || weight === null)
      return binaryCrossEntropyOp(lossArguments(op, { input, target }), { reduction, parameter: 0 });
    const [x, t, w] = lossArguments(op, { input, target, weight });
    checkSameShape(op, x, t);
    checkWeight(op, 'weight', w, x);
    return reduceLoss(mul.op([binaryCrossEntropyOp([x, t], { reduction: 'none', parameter: 0 }), w]), reduction);
  },
);

/**
 * Binary cross entropy of `sigmoid(input)`, computed without overflow: `(1 - t) x + (1 + (posWeight - 1) t) log(1 +
 * e^-x)`, times `weight`, reduced. `weight` and `posWeight` broadcast to the input; input and target of one shape, else
 * ShapeError. Source: torch.nn.functional.binary_cross_entropy_with_logits.
 */
export const binaryCrossEntropyWithLogits = defineFunction(
  {
    name: 'nn.functional.binaryCrossEntropyWithLogits',
    parameters: ['input', 'target', 'weight', 'sizeAverage', 'reduce', 'reduction', 'posWeight'],
    required: 2,
    composed: true,
  },
  (
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null,
    sizeAverage?: boolean | null,
    reduce?: boolean | null,
    reductionName?: Reduction,
    posWeight?: Tensor | null,
  ): Tensor => {
    const op = 'binaryCrossEntropyWithLogits';
    const reduction = reductionOf(op, reductionName, sizeAverage, reduce);
    const named: Record<string, Tensor> = { input, target };
    if (weight !== undefined && weight !== null) named.weight = weight;
    if (posWeight !== undefined && posWeight !== null) named.posWeight = posWeight;
    const tensors = lossArguments(op, named);
    const [x, t] = tensors;
    if (tensors.length === 2) return logitsOp([x, t], { reduction, parameter: 0 });
    checkSameShape(op, x, t);
    const elementwise: LossAttributes = { reduction: 'none', parameter: 0 };
    let loss = logitsOp([x, t], elementwise);
    if (named.posWeight !== undefined) {
      const p = tensors[tensors.length - 1];
      checkWeight(op, 'posWeight', p, x);
      // The loss at a target of 1 is log(1 + e^-x).
      const ones = allocateLike(x);
      fillWith(ones, 1);
      loss = addOp([loss, mul.op([mul.op([subOp([p, constant(1, p)]), t]), logitsOp([x, ones], elementwise)])]);
    }
    if (named.weight !== undefined) {
      checkWeight(op, 'weight', tensors[2], x);
      loss = mul.op([loss, tensors[2]]);
    }
    return reduceLoss(loss, reduction);
  },
);
