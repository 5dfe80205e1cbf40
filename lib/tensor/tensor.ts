/**
 * A tensor: a strided window on a storage, and its place in the autograd graph. A thin class: operators attach their
 * methods to it from lib/ops (see lib/dispatch/define-function.ts), so it imports none of them.
 */
import {
  ArgumentError,
  AutogradError,
  DTypeError,
  describe,
  fail,
  rejectUnknownOptions,
  ShapeError,
} from '../errors.js';
import type { TypedArray } from '../native/typed-array.js';
import { elementCount, isContiguous, isRowMajor, type Shape } from '../shape/layout.js';
import { followsFormat, type MemoryFormat, memoryFormatArgument } from '../shape/memory-format.js';
import type { DType, DTypeInfo } from '../storage/dtype.js';
import { Storage } from '../storage/storage.js';
import type { Device } from './device.js';

/** A callback that sees a gradient, and may return another in its place. */
export type GradientHook = (grad: Tensor) => Tensor | undefined | null | void;

/** A callback that sees a leaf whose `grad` has just changed. */
export type PostAccumulateGradHook = (leaf: Tensor) => void;

/** A node of the autograd graph. What else it has is declared where it is defined, in lib/autograd/node.ts. */
export interface GraphNode {
  /** Shape and type of each output. */
  readonly outputShapes: Shape[];
  readonly outputInfos: DTypeInfo[];
}

export class Tensor {
  /** Sizes, frozen. */
  readonly shape: Shape;
  /** Steps in elements, one a dimension. */
  readonly strides: readonly number[];
  /** The first element's place in the storage, in elements. */
  readonly offset: number;
  /** The row of the dtype table. */
  readonly info: DTypeInfo;
  readonly storage: Storage;
  /** Whether the elements lie in row-major order without gaps. */
  readonly contiguousLayout: boolean;
  /**
   * Whether the strides are those of a new tensor: dimensions of size 1 of a contiguous one may have others, and a say
   * in the layout of results.
   */
  readonly rowMajor: boolean;
  /** True for a number that became a tensor for an operator: it takes part in promotion as a scalar. */
  isWrappedNumber = false;

  // ---- autograd state, owned by lib/autograd
  /** The operator that made this tensor, and which of its outputs it is. Read through `gradientNode`. */
  node: GraphNode | null = null;
  outputIndex = 0;
  leafRequiresGrad = false;
  accumulator: GraphNode | null = null;
  gradient: Tensor | null = null;
  /** For a differentiable view: the tensor that owns the memory, and the version at which `node` was right. */
  base: Tensor | null = null;
  viewVersion = 0;

  private memory: TypedArray | null;

  /** Internal: tensors come from `tensor`, `zeros`, `rand` and their like. `shape` must be frozen. */
  constructor(
    storage: Storage,
    memory: TypedArray | null,
    info: DTypeInfo,
    shape: Shape,
    strides: readonly number[],
    offset: number,
    contiguousLayout: boolean,
    rowMajor = contiguousLayout && isRowMajor(shape, strides),
  ) {
    this.storage = storage;
    this.memory = memory;
    this.info = info;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.contiguousLayout = contiguousLayout;
    this.rowMajor = rowMajor;
  }

  /** Internal: makes this tensor show the memory of another under its own identity; see `rebind`. */
  static rebind(target: Tensor, source: Tensor): void {
    const open = target as { -readonly [K in keyof Tensor]: Tensor[K] };
    open.storage = source.storage;
    open.info = source.info;
    open.shape = source.shape;
    open.strides = source.strides;
    open.offset = source.offset;
    open.contiguousLayout = source.contiguousLayout;
    open.rowMajor = source.rowMajor;
    target.memory = null;
    if (target.accumulator !== null) {
      target.accumulator.outputShapes[0] = source.shape;
      target.accumulator.outputInfos[0] = source.info;
    }
  }

  /** The memory from the first element on, as kernels take it. */
  get array(): TypedArray {
    if (this.memory === null) this.memory = this.storage.view(this.info, this.offset);
    return this.memory;
  }

  get dtype(): DType {
    return this.info.name;
  }
  get device(): Device {
    return 'cpu';
  }
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  numel(): number {
    return elementCount(this.shape);
  }
  dim(): number {
    return this.shape.length;
  }
  storageOffset(): number {
    return this.offset;
  }
  elementSize(): number {
    return this.info.bytes;
  }
  /**
   * Whether the elements lie in memory in the order of `memoryFormat` without gaps, 'contiguous_format' (row-major) by
   * default.
   */
  isContiguous(options?: { memoryFormat?: MemoryFormat }): boolean {
    if (options === undefined) return this.contiguousLayout;
    rejectUnknownOptions('isContiguous', options, ['memoryFormat']);
    return followsFormat(
      this.shape,
      this.strides,
      memoryFormatArgument('isContiguous', options.memoryFormat, 'contiguous_format'),
    );
  }
  isFloatingPoint(): boolean {
    return this.info.floating;
  }
  /** How often the memory was changed in place. */
  get version(): number {
    return this.storage.version;
  }

  get isLeaf(): boolean {
    return this.node === null && (this.leafRequiresGrad || !this.requiresGrad);
  }
  get requiresGrad(): boolean {
    // A view whose memory changed since takes its place in the graph from its base.
    return (
      this.leafRequiresGrad ||
      this.node !== null ||
      (this.base !== null && this.base.node !== null && this.viewVersion !== this.storage.version)
    );
  }
  set requiresGrad(value: boolean) {
    if (typeof value !== 'boolean') fail(ArgumentError, 'requiresGrad', 'a boolean', describe(value));
    this.requiresGrad_(value);
  }
  /** Makes autograd record operations on this leaf, or stop. */
  requiresGrad_(requiresGrad = true): this {
    if (typeof requiresGrad !== 'boolean') fail(ArgumentError, 'requiresGrad_', 'a boolean', describe(requiresGrad));
    if (requiresGrad && !this.info.differentiable) fail(AutogradError, 'requiresGrad_', 'a floating dtype', this.dtype);
    if (!requiresGrad && this.node !== null)
      throw new AutogradError(
        'requiresGrad_: expected a leaf to turn gradients off for, got the result of an operator; use detach()',
      );
    if (this.node === null) this.leafRequiresGrad = requiresGrad;
    return this;
  }
  /** The accumulated gradient of a leaf, or of a tensor on which `retainGrad` was called. */
  get grad(): Tensor | null {
    return this.gradient;
  }
  set grad(value: Tensor | null) {
    if (value !== null && value !== undefined) {
      if (!(value instanceof Tensor)) fail(ArgumentError, 'grad', 'a tensor or null', describe(value));
      if (value === this)
        throw new AutogradError(
          'grad: expected another tensor than the one whose gradient it is, got the tensor itself',
        );
      if (value.shape.length !== this.shape.length || value.shape.some((n, i) => n !== this.shape[i]))
        fail(ShapeError, 'grad', `a gradient of shape [${this.shape}]`, `[${value.shape}]`);
      if (value.info !== this.info) fail(AutogradError, 'grad', `a gradient of dtype ${this.dtype}`, value.dtype);
      // It has an owner outside: the engine must not add into it unseen.
      value.storage.shared = true;
    }
    this.gradient = value ?? null;
  }

  /**
   * The same memory outside of the graph (torch.Tensor.data). In-place changes of `x.data` are seen by x and go
   * unnoticed by autograd: they do not raise the version that a derivative checks. Assigning makes x show the memory of
   * another tensor, with its shape and dtype, and keeps x's place in the graph, its gradient and its version. Throws
   * ArgumentError for anything but a tensor, and DTypeError for a dtype without gradients where x requires one.
   */
  get data(): Tensor {
    return new Tensor(
      this.storage.alias(),
      null,
      this.info,
      this.shape,
      this.strides,
      this.offset,
      this.contiguousLayout,
    );
  }
  set data(value: Tensor) {
    if (!(value instanceof Tensor)) fail(ArgumentError, 'data', 'a tensor', describe(value));
    if (this.requiresGrad && !value.info.differentiable)
      fail(DTypeError, 'data', 'a floating dtype for a tensor that requires grad', value.dtype);
    const storage = value.storage.alias(this.storage.version);
    Tensor.rebind(
      this,
      new Tensor(storage, null, value.info, value.shape, value.strides, value.offset, value.contiguousLayout),
    );
  }
}

// For each property that a prototype is given, V8 copies the list of those before it: for all operators' methods 1600
// pages and 26 ms of a start. A deletion turns the list into a hash table; the first calls through the prototype make
// it a list again.
Reflect.set(Tensor.prototype, 'method', null);
Reflect.deleteProperty(Tensor.prototype, 'method');

/**
 * Makes a leaf show the memory of another tensor, as a module's change of dtype does. Its gradient is up to the caller.
 */
export function rebind(target: Tensor, source: Tensor): void {
  Tensor.rebind(target, source);
}

/** A tensor over fresh memory: contiguous, of the given frozen shape. */
export function tensorOver(memory: TypedArray, info: DTypeInfo, shape: Shape, strides: readonly number[]): Tensor {
  return new Tensor(
    new Storage(memory.buffer, memory.byteOffset, memory.byteLength),
    memory,
    info,
    shape,
    strides,
    0,
    true,
  );
}

/** A window on the memory of `source`; no autograd. */
export function windowOn(source: Tensor, shape: Shape, strides: readonly number[], offset: number): Tensor {
  return new Tensor(
    source.storage,
    null,
    source.info,
    Object.freeze(shape),
    strides,
    offset,
    isContiguous(shape, strides),
  );
}
