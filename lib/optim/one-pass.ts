/**
 * The updates of a step as one parallel pass over all parameters: kernels keep what they are to do until the pass ends
 * (native/runtime/pass.h). It says which optimizers may, when it pays, and holds what the kernels read until then.
 */
import { addon } from '../native/addon.js';
import type { Tensor } from '../tensor/tensor.js';

/** Elements of all parameters up to which one thread updates them. */
const ONE_THREADS_WORK = 16384;
/**
 * The methods that update a parameter by one call of one kernel of native/kernels/optim/optim.cc and look at nothing
 * that it writes.
 */
const ONE_KERNEL = new WeakSet<object>();
let lastMark = 0;

/**
 * Says so of an optimizer's `update`. One that a program wrote may look at what it has just computed, so it is none of
 * these.
 */
export function updatesByOneKernel(optimizer: { readonly prototype: object }): void {
  ONE_KERNEL.add((optimizer.prototype as { readonly update: object }).update);
}

/**
 * Whether the method treats all elements alike, so that any order of them in memory does, if only it is the same in all
 * operands.
 */
export function updatesInAnyOrder(update: object): boolean {
  return ONE_KERNEL.has(update);
}

/**
 * Whether several parameters together are more than one thread's work: one alone is shared by its kernel, little is not
 * worth a pass.
 */
function isWorkToShare(groups: readonly { readonly params: readonly Tensor[] }[]): boolean {
  let parameters = 0;
  let elements = 0;
  for (const group of groups) {
    for (const param of group.params) {
      parameters++;
      elements += param.numel();
      if (parameters > 1 && elements > ONE_THREADS_WORK) return true;
    }
  }
  return false;
}

/** A pass that is open: from here on kernels wait, until `end`. */
export class OnePass {
  /** Set on each parameter's storage. */
  private readonly mark = ++lastMark;
  private readonly kept: Tensor[] = [];

  private constructor() {
    addon.beginPass();
  }
  /** One for updates by this method, or null where they are better done at once. */
  static begin(update: object, groups: readonly { readonly params: readonly Tensor[] }[]): OnePass | null {
    return ONE_KERNEL.has(update) && isWorkToShare(groups) ? new OnePass() : null;
  }

  /**
   * Before a parameter's update: keeps its gradient, and does what was to be done where another parameter has the same
   * memory.
   */
  add(param: Tensor, grad: Tensor): void {
    const { origin } = param.storage;
    if (origin.mark === this.mark) this.doKept();
    origin.mark = this.mark;
    if (grad !== param.gradient) this.kept.push(grad);
  }
  /** Does all that was kept so far, and lets go of what it read. */
  doKept(): void {
    addon.endPass();
    this.kept.length = 0;
    addon.beginPass();
  }
  end(): void {
    addon.endPass();
  }
}
