/**
 * Walks the graph backward, from the newest node to the oldest. It applies each node's derivative, reduces gradients
 * over broadcast dimensions, casts them, adds gradients that arrive at the same output, and frees saved tensors. The
 * walk is a loop, not a recursion, so the graph may be of any depth. The operators that the engine needs are in
 * gradient-operators.ts.
 */
import { AutogradError, fail, ShapeError } from '../errors.js';
import { broadcastsTo } from '../shape/broadcast.js';
import { elementCount, isDense, placeAlike, type Shape, sameShape } from '../shape/layout.js';
import type { DTypeInfo } from '../storage/dtype.js';
import { count, scopeStart, takenSince } from '../storage/scope.js';
import { isAmong, type Storage } from '../storage/storage.js';
import { type PostAccumulateGradHook, Tensor } from '../tensor/tensor.js';
import { isGradEnabled, withGradMode } from './grad-mode.js';
import { gradientOperators } from './gradient-operators.js';
import { gradientNode } from './graph.js';
import type { HookList } from './hook-list.js';
import type { Node } from './node.js';
import { observer } from './observer.js';

interface WalkOptions {
  readonly retainGraph: boolean;
  readonly createGraph: boolean;
  /** Gradients to return instead of accumulating into leaves; undefined accumulates into all leaves. */
  readonly captures?: readonly Tensor[];
  /** Accumulate only into these leaves. */
  readonly accumulateInto?: readonly Tensor[];
}

const NONE: (Tensor | null)[] = [];

/** The state of a node during a walk. */
class Pending {
  /** Gradients by output index. The array may be shorter than the number of outputs, if the last ones got none. */
  gradients: (Tensor | null)[] = NONE;
  dependencies = 0;
  /** False if no requested gradient depends on this node. */
  wanted = true;
  constructor(
    readonly walk: number,
    readonly outer: unknown,
  ) {}
}

/** Computes gradients of `outputs`, given theirs. Returns the captured gradients, null where none arrived. */
export function walkBackward(
  outputs: readonly Tensor[],
  gradOutputs: readonly Tensor[],
  options: WalkOptions,
): (Tensor | null)[] {
  const enabled = isGradEnabled();
  if (enabled === options.createGraph) return walk(outputs, gradOutputs, options);
  return withGradMode(options.createGraph, () => walk(outputs, gradOutputs, options));
}

let walks = 0;

function walk(outputs: readonly Tensor[], gradOutputs: readonly Tensor[], options: WalkOptions): (Tensor | null)[] {
  const { retainGraph, createGraph, captures, accumulateInto } = options;
  const id = ++walks;
  const visited: Node[] = [];
  // A derivative may call backward itself. The gradients of leaves and the tensors of hooks outlive that derivative, so
  // recording of its intermediates is off here.
  const outer = count(false);
  try {
    const roots = outputs.map((output) => gradientNode(output) as Node);
    findNodes(id, roots, visited);
    const targets = captures ?? accumulateInto;
    const captured = targets === undefined ? null : positionsOf(targets);
    if (captured !== null) markWanted(visited, captured);
    const results = new Array<Tensor | null>(targets?.length ?? 0).fill(null);

    const ready = new NewestFirst();
    for (let i = 0; i < outputs.length; i++)
      deliver(roots[i], roots[i].leaf === null ? outputs[i].outputIndex : 0, gradOutputs[i], createGraph);
    for (const root of new Set(roots)) if ((root.state as Pending).dependencies === 0) ready.push(root);

    for (let node = ready.pop(); node !== undefined; node = ready.pop()) {
      const state = node.state as Pending;
      const gradients = state.gradients;
      state.gradients = NONE;
      const live = state.wanted && hasAny(gradients);
      const positions = live ? captured?.get(node) : undefined;
      if (live && (node.hooks !== null || node.retained !== null)) runHooks(node, gradients);
      if (positions !== undefined) capture(positions, gradients, results);
      const { next, leaf } = node;
      if (leaf !== null) {
        if (live && captures === undefined && (captured === null || captured.has(node))) {
          accumulate(leaf, gradients[0] as Tensor, createGraph);
          if (node.postAccumulate !== null) runPostAccumulateHooks(leaf, node.postAccumulate);
        }
        continue;
      }
      if (live && leadsOn(next)) {
        const inputs =
          captured === null ? applyRule(node, gradients, createGraph) : applyInPart(node, gradients, createGraph);
        for (let i = 0; i < next.length; i++) {
          const target = next[i];
          const gradient = inputs[i];
          if (target === null || gradient === null || gradient === undefined || !(target.state as Pending).wanted)
            continue;
          const index = node.nextIndex[i];
          deliver(
            target,
            index,
            fitGradient(node, gradient, target.outputShapes[index], target.outputInfos[index], createGraph),
            createGraph,
          );
        }
      }
      if (!retainGraph && (captured === null || live)) node.release();
      for (let i = 0; i < next.length; i++) {
        const target = next[i];
        if (target !== null && --(target.state as Pending).dependencies === 0) ready.push(target);
      }
    }
    return results;
  } finally {
    count(outer);
    for (let i = 0; i < visited.length; i++) visited[i].state = (visited[i].state as Pending).outer;
  }
}

/** Gives a state to every node that the roots lead to, and counts the edges to each. */
function findNodes(id: number, roots: readonly Node[], visited: Node[]): void {
  const stack: Node[] = [];
  const reach = (node: Node): Pending => {
    const state = node.state as Pending | null;
    if (state !== null && state.walk === id) return state;
    const fresh = new Pending(id, state);
    node.state = fresh;
    visited.push(node);
    stack.push(node);
    return fresh;
  };
  for (let i = 0; i < roots.length; i++) reach(roots[i]);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { next } = node;
    for (let i = 0; i < next.length; i++) {
      const target = next[i];
      if (target !== null) reach(target).dependencies++;
    }
  }
}

/** The places of the targets' gradients among the results, by node and output index. */
function positionsOf(targets: readonly Tensor[]): Map<Node, Map<number, number[]>> {
  const captured = new Map<Node, Map<number, number[]>>();
  targets.forEach((target, position) => {
    const node = gradientNode(target);
    if (node === null) return;
    const byIndex = captured.get(node) ?? new Map<number, number[]>();
    const index = node.leaf === null ? target.outputIndex : 0;
    byIndex.set(index, [...(byIndex.get(index) ?? []), position]);
    captured.set(node, byIndex);
  });
  return captured;
}

/**
 * Marks the nodes that are targets or lead to one. Visits the oldest nodes first, so that the nodes behind each are
 * marked already.
 */
function markWanted(visited: readonly Node[], captured: ReadonlyMap<Node, unknown>): void {
  for (const node of [...visited].sort((a, b) => a.sequence - b.sequence))
    (node.state as Pending).wanted = captured.has(node) || leadsOn(node.next);
}

/** Whether one of the edges leads to a wanted node. */
function leadsOn(next: readonly (Node | null)[]): boolean {
  for (let i = 0; i < next.length; i++) {
    const target = next[i];
    if (target !== null && (target.state as Pending).wanted) return true;
  }
  return false;
}

function hasAny(gradients: readonly (Tensor | null)[]): boolean {
  for (let i = 0; i < gradients.length; i++) if (gradients[i] !== null && gradients[i] !== undefined) return true;
  return false;
}

function capture(
  positions: ReadonlyMap<number, readonly number[]>,
  gradients: readonly (Tensor | null)[],
  results: (Tensor | null)[],
): void {
  for (const [index, list] of positions) {
    const gradient = gradients[index] ?? null;
    if (gradient === null) continue;
    for (const position of list) results[position] = gradient;
    gradient.storage.shared = true;
  }
}

/**
 * Calls the derivative of a node, and marks results that may have another owner as shared. If the derivative is not
 * recorded and keeps no tensor, its intermediates and the gradients that it consumed return to the pool at once.
 */
function applyRule(
  node: Node,
  gradients: (Tensor | null)[],
  createGraph: boolean,
): readonly (Tensor | null | undefined)[] {
  const backward = node.op.backward;
  if (backward === undefined) throw new AutogradError(`${node.name}: expected a derivative rule, got none`);
  const contained = !createGraph && node.op.contained === true;
  const start = scopeStart();
  const outer = count(contained);
  let results: readonly (Tensor | null | undefined)[];
  let taken: readonly Storage[];
  try {
    if (observer.active !== null) observer.active.backward?.(node);
    results = backward(node, gradients[0] as Tensor, gradients);
  } finally {
    count(outer);
    taken = takenSince(start);
  }
  if (observer.active !== null) observer.active.gradients(node, gradients, results);
  for (let i = 0; i < results.length; i++) {
    const result = results[i];
    if (result === null || result === undefined || result.storage.shared) continue;
    if (node.holds(result)) result.storage.shared = true;
    for (let j = 0; j < i; j++) if (results[j]?.storage === result.storage) result.storage.shared = true;
  }
  if (!contained) return results;
  for (let i = 0; i < taken.length; i++) {
    if (isAmong(taken[i], results)) taken[i].transient = true;
    else if (!taken[i].shared) taken[i].release();
  }
  for (let i = 0; i < gradients.length; i++) {
    const used = gradients[i];
    if (used !== null && !isAmong(used.storage, results)) discard(used);
  }
  return results;
}

/** applyRule for `grad(..., inputs)`: `needs(i)` is false for inputs that lead to no requested gradient. */
function applyInPart(
  node: Node,
  gradients: (Tensor | null)[],
  createGraph: boolean,
): readonly (Tensor | null | undefined)[] {
  const outer = node.skipped;
  node.skipped = node.next.map((target) => target !== null && !(target.state as Pending).wanted);
  try {
    return applyRule(node, gradients, createGraph);
  } finally {
    node.skipped = outer;
  }
}

/** Returns the memory of a consumed gradient to the pool, if the engine is its only owner. */
function discard(gradient: Tensor): void {
  if (gradient.storage.transient && !gradient.storage.shared) gradient.storage.release();
}

/**
 * Replaces `gradient` by `made`: returns the memory of `gradient` to the pool, unless `made` is a view of it, and notes
 * that the engine owns `made`.
 */
function replaced(gradient: Tensor, made: Tensor, createGraph: boolean): Tensor {
  if (createGraph || made.storage === gradient.storage) return made;
  made.storage.transient = true;
  discard(gradient);
  return made;
}

/** Adds a gradient to the sum of those that have arrived at an output of a node. */
function deliver(node: Node, index: number, gradient: Tensor, createGraph: boolean): void {
  const state = node.state as Pending;
  if (state.gradients === NONE) state.gradients = new Array<Tensor | null>(node.outputShapes.length).fill(null);
  const before = state.gradients[index];
  state.gradients[index] = before === null ? gradient : addUp(before, gradient, createGraph);
}

/** The sum of two gradients, computed in the memory of the first if the engine is its only owner. */
function addUp(a: Tensor, b: Tensor, createGraph: boolean): Tensor {
  if (
    !createGraph &&
    !a.storage.shared &&
    ownsAll(a) &&
    (a.contiguousLayout || isDense(a.shape, a.strides)) &&
    a.info === b.info &&
    sameShape(a.shape, b.shape)
  ) {
    gradientOperators.addInto(a, b);
    if (b.storage !== a.storage) discard(b);
    return a;
  }
  const sum = replaced(a, gradientOperators.add(a, b), createGraph);
  return replaced(b, sum, createGraph);
}

function ownsAll(t: Tensor): boolean {
  return t.storage.byteLength === elementCount(t.shape) * t.info.bytes;
}

/** Reduces a gradient over broadcast dimensions and casts it, so that it has the shape and type of its tensor. */
function fitGradient(node: Node, gradient: Tensor, shape: Shape, info: DTypeInfo, createGraph: boolean): Tensor {
  let fitted = gradient;
  if (!sameShape(fitted.shape, shape)) {
    if (!broadcastsTo(shape, fitted.shape)) {
      fail(AutogradError, `${node.name} backward`, `a gradient of shape [${shape}]`, `[${fitted.shape}]`);
    }
    fitted = replaced(fitted, gradientOperators.sumToShape(fitted, shape), createGraph);
  }
  if (fitted.info !== info) fitted = replaced(fitted, gradientOperators.cast(fitted, info), createGraph);
  return fitted;
}

function runHooks(node: Node, gradients: (Tensor | null)[]): void {
  if (node.hooks !== null) {
    for (const [index, hooks] of node.hooks) {
      for (const hook of hooks.all()) {
        const gradient = gradients[index] ?? null;
        if (gradient === null) continue;
        gradient.storage.shared = true;
        const replaced = hook(gradient);
        if (replaced === undefined || replaced === null) continue;
        if (!sameShape(replaced.shape, gradient.shape))
          fail(ShapeError, `${node.name} hook`, `a gradient of shape [${gradient.shape}]`, `[${replaced.shape}]`);
        replaced.storage.shared = true;
        gradients[index] = replaced;
      }
    }
  }
  if (node.retained !== null) {
    for (const [index, tensor] of node.retained) {
      const gradient = gradients[index] ?? null;
      if (gradient === null) continue;
      gradient.storage.shared = true;
      tensor.gradient = tensor.gradient === null ? gradient : gradientOperators.add(tensor.gradient, gradient);
    }
  }
}

function runPostAccumulateHooks(leaf: Tensor, hooks: HookList<PostAccumulateGradHook>): void {
  for (const hook of hooks.all()) {
    const returned: unknown = hook(leaf);
    if (returned instanceof Tensor)
      fail(
        AutogradError,
        'registerPostAccumulateGradHook',
        'a hook that returns nothing (it may set grad)',
        'a tensor',
      );
  }
}

/**
 * Whether a gradient has the layout of its leaf, or is row-major if the leaf has gaps. Optimizers walk through both in
 * one pass.
 */
function fitsLayout(leaf: Tensor, gradient: Tensor): boolean {
  if (leaf.contiguousLayout || !isDense(leaf.shape, leaf.strides)) return gradient.contiguousLayout;
  return placeAlike(leaf.shape, leaf.strides, gradient.strides);
}

/**
 * Adds a gradient to a leaf's `grad`. The first gradient becomes `grad` without a copy, if the engine is its only
 * owner.
 */
function accumulate(leaf: Tensor, gradient: Tensor, createGraph: boolean): void {
  const before = leaf.gradient;
  if (before === null) {
    if (createGraph || (!gradient.storage.shared && fitsLayout(leaf, gradient) && ownsAll(gradient))) {
      leaf.gradient = gradient;
      gradient.storage.shared = gradient.storage.shared || createGraph;
      gradient.storage.transient = false;
    } else {
      leaf.gradient = gradientOperators.copyFor(leaf, gradient);
      discard(gradient);
    }
  } else if (createGraph) leaf.gradient = gradientOperators.add(before, gradient);
  else {
    gradientOperators.addInto(before, gradient);
    before.storage.version++;
    if (gradient.storage !== before.storage) discard(gradient);
  }
}

/** A heap of nodes, the newest on top. */
class NewestFirst {
  private readonly heap: Node[] = [];

  push(node: Node): void {
    const heap = this.heap;
    let i = heap.length;
    heap.push(node);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent].sequence >= node.sequence) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = node;
  }

  pop(): Node | undefined {
    const heap = this.heap;
    const top = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].sequence > heap[child].sequence) child++;
      if (heap[child].sequence <= last.sequence) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
