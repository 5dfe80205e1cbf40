/**
 * The contract with C++. Each family of lib/ops declares the kernels that it calls by augmenting `Kernels`, beside the
 * operators that call them; a kernel is an array indexed by dtype code (`DTypeInfo.code`), with holes where C++ has no
 * such instance.
 */
import type { Plan } from '../shape/plan.js';
import { addon } from './addon.js';
import type { TypedArray } from './typed-array.js';

/** What may cross the border: memory, numbers, and plans (a number or an Int32Array). */
export type KernelArgument = TypedArray | Uint32Array | number;

/** A kernel's instances by dtype code. */
export type KernelTable<Arguments extends KernelArgument[] = KernelArgument[], Result = void> = ReadonlyArray<
  ((...args: Arguments) => Result) | undefined
>;

/** The kernels by name; families add to it by declaration merging. */
export interface Kernels {
  /** Sets every element of a strided output to the one element of `value`. */
  fill: KernelTable<[out: TypedArray, value: TypedArray, plan: Plan]>;
}

type Kernel = (...args: KernelArgument[]) => unknown;

/**
 * The tables of the addon's list. A kernel takes its own place in its table when it is first called: to make all of
 * them takes a megabyte.
 */
function makeTables(): Record<string, Kernel[]> {
  const tables: Record<string, Kernel[]> = {};
  let count = 0;
  for (const line of addon.kernelList.split('\n')) {
    const [name, ...codes] = line.split(' ');
    tables[name] ??= [];
    const table = tables[name];
    for (const code of codes.map(Number)) {
      const place = count++;
      const first: Kernel = (...args) => {
        if (table[code] === first) table[code] = addon.kernel(place);
        return table[code](...args);
      };
      table[code] = first;
    }
  }
  return tables;
}

export const kernels = makeTables() as unknown as Kernels;
