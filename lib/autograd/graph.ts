/** Connects tensors and nodes: which node a tensor's gradient goes to, and how a result enters the graph. */
import { AutogradError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { isGradEnabled } from './grad-mode.js';
import { type Differentiable, Node } from './node.js';

const ACCUMULATE: Differentiable = { name: 'accumulateGrad' };

/**
 * Makes a new node for a view from its base, after an in-place change of either. lib/ops/core/as-strided.ts sets it.
 */
let rebuildView: ((view: Tensor) => void) | null = null;
export function setViewRebuilder(rebuild: (view: Tensor) => void): void {
  rebuildView = rebuild;
}

/** Updates the node of a view after in-place changes of the memory that it shares. */
export function refreshView(tensor: Tensor): void {
  if (tensor.base === null || tensor.viewVersion === tensor.storage.version) return;
  if (tensor.base.requiresGrad) rebuildView?.(tensor);
  else tensor.node = null;
}

/**
 * The node that the tensor's gradient goes to, or null where it needs none; the output index is `tensor.outputIndex`.
 */
export function gradientNode(tensor: Tensor): Node | null {
  if (tensor.base !== null) refreshView(tensor);
  if (tensor.node !== null) return tensor.node;
  if (!tensor.leafRequiresGrad) return null;
  if (tensor.accumulator === null) {
    const node = new Node(ACCUMULATE, null);
    node.leaf = tensor;
    node.outputShapes.push(tensor.shape);
    node.outputInfos.push(tensor.info);
    tensor.accumulator = node;
  }
  return tensor.accumulator;
}

/** Whether an operator on these inputs must be recorded. */
export function recordingNeeded(inputs: readonly Tensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (inputs[i].requiresGrad) return isGradEnabled();
  return false;
}

/** A node with edges to the inputs; outputs are attached by `attachOutput`. */
export function nodeFor(op: Differentiable, spec: unknown, inputs: readonly Tensor[]): Node {
  const node = new Node(op, spec);
  for (let i = 0; i < inputs.length; i++) {
    const input = inputs[i];
    const target = input.info.differentiable ? gradientNode(input) : null;
    node.next.push(target);
    node.nextIndex.push(target === null || input.node === null ? 0 : input.outputIndex);
  }
  return node;
}

/** Makes `output` the next output of the node. */
export function attachOutput(node: Node, output: Tensor): void {
  const index = node.outputShapes.length;
  node.outputShapes.push(output.shape);
  node.outputInfos.push(output.info);
  if (!output.info.differentiable) return;
  output.node = node;
  output.outputIndex = index;
}

/** Throws where an in-place change of the tensor would break the graph. */
export function checkInplace(op: string, tensor: Tensor): void {
  for (let i = 0; i < tensor.shape.length; i++) {
    if (tensor.strides[i] === 0 && tensor.shape[i] > 1) {
      throw new AutogradError(
        `${op}: expected a tensor whose elements lie apart in memory, got an expanded one (shape ` +
          `[${tensor.shape}], strides [${tensor.strides}]); clone() it first`,
      );
    }
  }
  if (!isGradEnabled()) return;
  if (tensor.leafRequiresGrad && tensor.node === null)
    throw new AutogradError(
      `${op}: expected a tensor that may change in place, got a leaf that requires grad; use noGrad(() => ...) ` +
        `or an out-of-place operator`,
    );
  if (tensor.base?.leafRequiresGrad && tensor.base.node === null)
    throw new AutogradError(
      `${op}: expected a tensor that may change in place, got a view of a leaf that requires grad`,
    );
}
