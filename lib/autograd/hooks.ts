/** The methods of a tensor that concern its place in the graph: hooks, kept gradients, detaching. */
import { checkFunction } from '../arguments.js';
import { AutogradError, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';
import { gradientNode } from './graph.js';
import { type HookHandle, HookList } from './hook-list.js';
import type { Node } from './node.js';

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** Calls `hook` with this tensor's gradient whenever it is complete; what it returns takes the gradient's place. */
    registerHook(hook: GradientHook): HookHandle;
    /**
     * Calls `hook` with this leaf each time after backward has changed its `grad`, while backward goes on: the hook may
     * reduce the gradient, step an optimizer for this parameter alone, or set `grad` to null so that its memory is free
     * at once. Records nothing unless backward does (`createGraph`). `autograd.grad` calls no such hook. AutogradError:
     * a tensor that is not a leaf, or that requires no gradient. Source:
     * torch.Tensor.register_post_accumulate_grad_hook
     */
    registerPostAccumulateGradHook(hook: PostAccumulateGradHook): HookHandle;
    /** Keeps the gradient of a tensor that is not a leaf in `grad`. */
    retainGrad(): void;
    /** Whether `retainGrad` was called on a tensor that is not a leaf. */
    readonly retainsGrad: boolean;
    /** Takes this tensor out of the graph, in place. */
    detach_(): Tensor;
    /** The node that made this tensor, or null for a leaf. */
    readonly gradFn: Node | null;
  }
}

function nodeOf(op: string, tensor: Tensor): Node {
  return (
    gradientNode(tensor) ??
    fail(AutogradError, op, 'a tensor that requires grad', `${tensor.dtype}[${tensor.shape}] that does not`)
  );
}

Tensor.prototype.registerHook = function (this: Tensor, hook) {
  checkFunction('registerHook', 'a function of the gradient', hook);
  const node = nodeOf('registerHook', this);
  const index = node.leaf === null ? this.outputIndex : 0;
  node.hooks ??= new Map();
  const list = node.hooks.get(index) ?? new HookList();
  node.hooks.set(index, list);
  return list.add(hook);
};

Tensor.prototype.registerPostAccumulateGradHook = function (this: Tensor, hook) {
  const op = 'registerPostAccumulateGradHook';
  checkFunction(op, 'a function of the leaf', hook);
  const node = nodeOf(op, this);
  if (node.leaf === null)
    fail(AutogradError, op, 'a leaf of the graph', `the result of ${node.name} (${describe(this)})`);
  node.postAccumulate ??= new HookList();
  return node.postAccumulate.add(hook);
};

Tensor.prototype.retainGrad = function (this: Tensor) {
  const node = nodeOf('retainGrad', this);
  if (node.leaf !== null) return;
  node.retained ??= new Map();
  node.retained.set(this.outputIndex, this);
};

Tensor.prototype.detach_ = function (this: Tensor) {
  if (this.base !== null)
    throw new AutogradError('detach_: expected a tensor that owns its memory, got a view; use detach()');
  this.node = null;
  this.outputIndex = 0;
  this.leafRequiresGrad = false;
  return this;
};

Object.defineProperty(Tensor.prototype, 'gradFn', {
  get(this: Tensor): Node | null {
    const node = gradientNode(this);
    return node === null || node.leaf !== null ? null : node;
  },
  configurable: true,
});

Object.defineProperty(Tensor.prototype, 'retainsGrad', {
  get(this: Tensor): boolean {
    return this.node?.retained?.get(this.outputIndex) === this;
  },
  configurable: true,
});
