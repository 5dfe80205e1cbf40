/**
 * Elementwise operators from table rows: a kernel of the same name and a derivative in one line. Operands come in their common type
 * (promotion.ts); broadcasting is a plan, not a copy.
 */
import type { Node } from '../autograd/node.js';
import { type KernelTable, kernels } from '../native/kernels.js';
import { broadcastShapes } from '../shape/broadcast.js';
import { elementCount, type Shape, sameShape } from '../shape/layout.js';
import { type Plan, planOf } from '../shape/plan.js';
import type { DTypeInfo, TypedArray } from '../storage/dtype.js';
import { allocate, allocateLike } from '../tensor/allocate.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineOp, instanceOf, type Operator } from './define-op.js';
import type { AutocastPolicy } from './dispatch-state.js';

export type UnaryKernel = KernelTable<[input: TypedArray, out: TypedArray, plan: Plan]>;
export type BinaryKernel = KernelTable<[a: TypedArray, b: TypedArray, out: TypedArray, plan: Plan]>;
export type TernaryKernel = KernelTable<[a: TypedArray, b: TypedArray, c: TypedArray, out: TypedArray, plan: Plan]>;

type AnyKernel = ReadonlyArray<((...args: (TypedArray | Plan)[]) => void) | undefined>;
type Gradients = readonly (Tensor | null)[];

/** What a row saves for its derivative; saved in this order, and only what a needed gradient reads. */
export type Keep = (needs: readonly boolean[], inputs: readonly Tensor[], output: Tensor) => (Tensor | null)[];

interface Row {
  readonly name: string;
  /** The type of the output, where it is not that of the inputs (comparisons give bool). */
  readonly output?: DTypeInfo;
  readonly keep?: Keep;
  readonly backward?: (g: Tensor, context: Node) => Gradients;
  readonly notDifferentiable?: string;
  readonly autocast?: AutocastPolicy;
}

/** A declared elementwise operator; it has no attributes. */
export type Elementwise = ((inputs: readonly Tensor[]) => Tensor) & Pick<Operator<void, Tensor>, 'definition'>;

interface Spec {
  readonly shape: Shape;
}

/** Declares an elementwise operator of any number of operands; the kernel of the same name takes them, the output and a plan. */
export function elementwiseOp(row: Row): Elementwise {
  const { name, output, keep, backward } = row;
  const table = (kernels as unknown as Record<string, AnyKernel | undefined>)[name];
  if (table === undefined) throw new Error(`no kernel ${name}`);
  const operator = defineOp<void, Spec>({
    name,
    autocast: row.autocast,
    nativeHalf: table[8] !== undefined,
    infer(inputs) {
      let shape = inputs[0].shape;
      for (let i = 1; i < inputs.length; i++) shape = broadcastShapes(name, shape, inputs[i].shape);
      return { shape };
    },
    forward: ({ shape }, inputs) => elementwiseForward(name, table, shape, inputs, output ?? inputs[0].info),
    save:
      keep === undefined
        ? undefined
        : (context, inputs, outputs) => {
            const needs = inputs.map((_, i) => context.needs(i));
            context.save(...keep(needs, inputs, outputs[0]));
          },
    backward: backward === undefined ? undefined : (context, g) => backward(g, context),
    notDifferentiable: row.notDifferentiable,
  });
  return operator as unknown as Elementwise;
}

function elementwiseForward(name: string, table: AnyKernel, shape: Shape, inputs: readonly Tensor[], info: DTypeInfo): Tensor {
  const first = inputs[0];
  const kernel = instanceOf(name, table, first);
  const same = sameShape(first.shape, shape);
  const out = same ? allocateLike(first, info) : allocate(shape, info);
  if (inputs.length === 1) kernel(first.array, out.array, first.contiguousLayout ? elementCount(shape) : planOf(shape, [out, first]));
  else if (inputs.length === 2) kernel(first.array, inputs[1].array, out.array, planOf(shape, [out, first, inputs[1]]));
  else if (inputs.length === 3) kernel(first.array, inputs[1].array, inputs[2].array, out.array, planOf(shape, [out, first, inputs[1], inputs[2]]));
  else kernel(...inputs.map((t) => t.array), out.array, planOf(shape, [out, ...inputs]));
  return out;
}
