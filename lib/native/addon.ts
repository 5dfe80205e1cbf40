/** Finds and loads the native addon, and explains a failure: what was looked for, and what to run. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AddonError } from '../errors.js';

interface Addon {
  /** See native/bind/bind.h. */
  readonly kernelList: string;
  kernel(place: number): (...args: (NodeJS.TypedArray | number)[]) => unknown;
  readonly simdLevel: 'avx512' | 'avx2' | 'scalar' | 'neon';
  /** See native/bind/lifetime.h. */
  readonly lifetime: {
    watch(object: object): number;
    unwatch(place: number): void;
    collected(places: Int32Array): number;
    expect(bytes: number): void;
    firstLine(memory: Uint8Array): number;
  };
  /** CRC-32C of `bytes`, continued from `previous`, which is 0 at first. */
  crc32c(bytes: Uint8Array, previous: number): number;
  /** Returns to the system what malloc keeps and nobody uses. */
  giveBackPages(): void;
  /**
   * From here on optimizers' kernels keep what they are to do, until the end of the pass does it all as one parallel
   * region.
   */
  beginPass(): void;
  endPass(): void;
  getNumThreads(): number;
  setNumThreads(count: number): void;
}

const require = createRequire(import.meta.url);
// lib/native/addon.ts in a clone, dist/library.js in the package: the addon is in build/ at the package's root.
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.basename(here) === 'dist' ? path.dirname(here) : path.resolve(here, '..', '..');

function load(): Addon {
  const file = process.env.NODEGRAD_ADDON ?? path.join(root, 'build', 'Release', 'nodegrad.node');
  try {
    return require(file) as Addon;
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    const cure = /libopenblas/.test(reason)
      ? 'OpenBLAS is missing: apt-get install libopenblas0 (dnf install openblas, apk add openblas, brew ' +
        'install openblas)'
      : /libsleef/.test(reason)
        ? 'SLEEF is missing: apt-get install libsleef3 (dnf install sleef, apk add sleef, brew install sleef)'
        : 'build it: npm rebuild nodegrad, or in a clone bash scripts/setup.sh';
    throw new AddonError(
      `nodegrad: cannot load the native addon ${file} on ${process.platform} ${process.arch}, Node ` +
        `${process.version}: ${reason}\n${cure}`,
      { cause: error },
    );
  }
}

export const addon: Addon = load();
