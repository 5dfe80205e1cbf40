/**
 * The contract with C++. Each family of lib/ops declares the kernels that it calls by augmenting `Kernels`, beside the operators
 * that call them; a kernel is an array indexed by dtype code (`DTypeInfo.code`), with holes where C++ has no such instance.
 */
import type { Plan } from '../shape/plan.js';
import type { TypedArray } from '../storage/dtype.js';
import { addon } from './addon.js';

/** What may cross the border: memory, numbers, and plans (a number or an Int32Array). */
export type KernelArgument = TypedArray | Uint32Array | number;

/** A kernel's instances by dtype code. */
export type KernelTable<Arguments extends KernelArgument[] = KernelArgument[], Result = void> = ReadonlyArray<((...args: Arguments) => Result) | undefined>;

/** The kernels by name; families add to it by declaration merging. */
export interface Kernels {
  /** Sets every element of a strided output to the one element of `value`. */
  fill: KernelTable<[out: TypedArray, value: TypedArray, plan: Plan]>;
}

export const kernels = addon.kernels as unknown as Kernels;
