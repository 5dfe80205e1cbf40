/**
 * What a module shows of its members to the files that walk, convert, save and load it. The class in module.ts has all
 * of it; those files do not import the class, which imports them.
 */
import type { Tensor } from '../tensor/tensor.js';

/** A parameter or buffer of a module itself. */
export interface OwnTensor {
  /** The property that holds it. */
  readonly property: string;
  /** Its key in state dicts, without the module's path. */
  readonly key: string;
  readonly tensor: Tensor;
  readonly buffer: boolean;
  /** Whether state dicts have it. */
  readonly persistent: boolean;
}

/** A module whose submodules are of type M. */
export interface ModuleTree<M> {
  ownTensors(): Iterable<OwnTensor>;
  ownModules(): Iterable<[string, M]>;
}
