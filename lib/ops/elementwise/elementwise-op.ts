/**
 * Elementwise operators from table rows: a kernel of the same name and a derivative in one line. Operands come in their
 * common type (promotion.ts); broadcasting is a plan, not a copy. Every row can also write straight into the memory of
 * its target (`into`), which is what in-place functions do.
 */

import type { Gradients, Node } from '../../autograd/node.js';
import { attachOutputs, beginCall, endCall, openNode } from '../../autograd/record.js';
import type { AutocastPolicy } from '../../dispatch/autocast-policy.js';
import { defineOp, type Operator } from '../../dispatch/define-op.js';
import { fail, ShapeError } from '../../errors.js';
import { kernels } from '../../native/kernels.js';
import type { TypedArray } from '../../native/typed-array.js';
import { broadcastShapes } from '../../shape/broadcast.js';
import { elementCount, type Shape, sameShape } from '../../shape/layout.js';
import { type Plan, planOf } from '../../shape/plan.js';
import { BFLOAT16, type DTypeInfo, FLOAT32 } from '../../storage/dtype.js';
import { instanceOf } from '../../storage/kernel-instance.js';
import { allocate, allocateResult } from '../../tensor/allocate.js';
import { castAs, castOperand } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';
import { adoptInplace } from '../core/as-strided.js';
import { snapshot } from '../core/inplace.js';

/** (operands..., output, plan, numbers...) */
type AnyKernel = ReadonlyArray<((...args: (TypedArray | Plan)[]) => void) | undefined>;
/** A node of an elementwise operator. */
export interface ElementwiseContext extends Node {
  readonly spec: Spec;
}

/** What a row saves for its derivative; saved in this order, and only what a needed gradient reads. */
export type Keep = (
  needs: readonly boolean[],
  inputs: readonly Tensor[],
  output: Tensor,
  numbers: readonly number[],
) => (Tensor | null)[];

export interface Row {
  readonly name: string;
  /** The kernel's name, where it is not the operator's. */
  readonly kernel?: string;
  /** The type of the output, where it is not that of the first operand (comparisons give bool). */
  readonly output?: DTypeInfo;
  /**
   * The order in which operands decide the layout of the output, where it is not their own (PyTorch's where has its
   * condition first); or none does.
   */
  readonly layout?: readonly number[] | 'contiguous';
  readonly keep?: Keep;
  readonly backward?: (g: Tensor, context: ElementwiseContext) => Gradients;
  readonly notDifferentiable?: string;
  readonly autocast?: AutocastPolicy;
}

/**
 * A declared elementwise operator: operands in their common type, and the numbers that its functor is constructed from.
 */
export interface Elementwise {
  (inputs: readonly Tensor[], numbers?: readonly number[]): Tensor;
  readonly definition: Operator<readonly number[] | undefined>['definition'];
  /**
   * Writes the result into `target`'s memory and takes its place in the graph; false where that needs a detour. `op` is
   * the name in messages.
   */
  into(op: string, target: Tensor, inputs: readonly Tensor[], numbers: readonly number[]): boolean;
}

interface Spec {
  readonly shape: Shape;
  readonly numbers: readonly number[];
}

const NO_NUMBERS: readonly number[] = Object.freeze([]);

/**
 * Declares an elementwise operator of any number of operands; the kernel of the same name takes them, the output, a
 * plan and numbers.
 */
export function elementwiseOp(row: Row): Elementwise {
  const { name, output, layout, keep, backward } = row;
  const table = (kernels as unknown as Record<string, AnyKernel | undefined>)[row.kernel ?? name];
  if (table === undefined) throw new Error(`no kernel ${row.kernel ?? name}`);
  // With a number kept in float32 beside a 16-bit tensor; by the tensor's code.
  const mixedTable = (kernels as unknown as Record<string, AnyKernel | undefined>)[`${row.kernel ?? name}Mixed`];

  const infer = (inputs: readonly Tensor[], numbers: readonly number[] | undefined): Spec => {
    let shape = inputs[0].shape;
    for (let i = 1; i < inputs.length; i++) shape = broadcastShapes(name, shape, inputs[i].shape);
    return { shape, numbers: numbers ?? NO_NUMBERS };
  };
  const kept = (keeps: Keep, context: ElementwiseContext, inputs: readonly Tensor[], out: Tensor): (Tensor | null)[] =>
    keeps(
      inputs.map((_, i) => context.needs(i)),
      inputs,
      out,
      context.spec.numbers,
    );

  const operator = defineOp<readonly number[] | undefined, Spec>({
    name,
    autocast: row.autocast,
    nativeHalf: table[BFLOAT16.code] !== undefined,
    infer,
    forward: (spec, given) => {
      // A number kept in float32 beside a 16-bit tensor: computed in float32, rounded once.
      const mixed = mixedTable === undefined && isMixed(given);
      const inputs = mixed ? [castOperand(given[0], FLOAT32), given[1]] : given;
      const first = inputs[0];
      const kernel = instanceOf(name, mixedTable !== undefined && isMixed(given) ? mixedTable : table, first.info);
      const info = output ?? first.info;
      const out =
        layout === undefined ? allocateResult(spec.shape, inputs, info) : outputOf(layout, spec.shape, inputs, info);
      run(kernel, spec, inputs, out);
      return mixed && output === undefined ? castAs(out, given[0].info) : out;
    },
    save:
      keep === undefined
        ? undefined
        : (context, inputs, outputs) => context.save(...kept(keep, context, inputs, outputs[0])),
    backward: backward === undefined ? undefined : (context, g) => backward(g, context),
    notDifferentiable: row.notDifferentiable,
  }) as unknown as Operator<readonly number[] | undefined, Tensor>;

  const into = (op: string, target: Tensor, inputs: readonly Tensor[], numbers: readonly number[]): boolean => {
    const mixed = isMixed(inputs);
    const kernel = (mixed ? mixedTable : table)?.[inputs[0].info.code];
    if (
      kernel === undefined ||
      row.autocast !== undefined ||
      (output ?? inputs[0].info) !== target.info ||
      (!mixed && inputs[0].info.half && inputs.some((t) => t.info === FLOAT32)) ||
      overlapsPartly(target, inputs)
    )
      return false;
    const running = beginCall(operator.definition, inputs, numbers, target);
    const spec = infer(inputs, numbers);
    if (!sameShape(spec.shape, target.shape))
      fail(
        ShapeError,
        op,
        `operands that broadcast to the target's shape [${target.shape}]`,
        `a result of shape [${spec.shape}]`,
      );
    // The result as a tensor of its own: it may be saved, while `target` goes on to later versions of the same memory.
    const result = windowOn(target, target.shape, target.strides, target.offset);
    const node = openNode(operator.definition, spec, inputs) as ElementwiseContext | null;
    // What is saved of the target's old values is copied before they are gone.
    const saved =
      node === null || keep === undefined
        ? null
        : kept(keep, node, inputs, result).map((t) =>
            t !== null && t !== result && t.storage === target.storage ? snapshot(t) : t,
          );
    run(kernel, spec, inputs, target);
    target.storage.version++;
    if (node !== null) {
      attachOutputs(node, [result]);
      if (saved !== null) node.save(...saved);
    }
    adoptInplace(target, result);
    endCall(running, spec, target);
    return true;
  };
  return Object.assign(operator, { into }) as unknown as Elementwise;
}

function outputOf(
  layout: NonNullable<Row['layout']>,
  shape: Shape,
  inputs: readonly Tensor[],
  info: DTypeInfo,
): Tensor {
  if (layout === 'contiguous') return allocate(shape, info);
  return allocateResult(
    shape,
    layout.map((i) => inputs[i]),
    info,
  );
}

function run(
  kernel: (...args: (TypedArray | Plan)[]) => void,
  spec: Spec,
  inputs: readonly Tensor[],
  out: Tensor,
): void {
  const { shape, numbers } = spec;
  const first = inputs[0];
  if (inputs.length === 1) {
    const plan = first.contiguousLayout && out.contiguousLayout ? elementCount(shape) : planOf(shape, [out, first]);
    if (numbers.length === 0) kernel(first.array, out.array, plan);
    else kernel(first.array, out.array, plan, ...numbers);
  } else if (inputs.length === 2) {
    const second = inputs[1];
    const plan = planOf(shape, [out, first, second]);
    if (numbers.length === 0) kernel(first.array, second.array, out.array, plan);
    else kernel(first.array, second.array, out.array, plan, ...numbers);
  } else kernel(...inputs.map((t) => t.array), out.array, planOf(shape, [out, ...inputs]), ...numbers);
}

function isMixed(inputs: readonly Tensor[]): boolean {
  return inputs.length === 2 && inputs[0].info.half && inputs[1].info === FLOAT32;
}

/**
 * Whether an operand shows the target's memory in another order, so that writing would change what is still to be read.
 */
function overlapsPartly(target: Tensor, inputs: readonly Tensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i];
    if (input === target || !input.storage.overlaps(target.storage)) continue;
    if (
      input.array.byteOffset !== target.array.byteOffset ||
      !sameShape(input.shape, target.shape) ||
      !sameShape(input.strides, target.strides)
    )
      return true;
  }
  return false;
}
