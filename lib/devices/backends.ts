/**
 * torch.backends: switches of libraries that are not in use here. They keep what a program sets, so that it can read it
 * again, and change no result; sums of products are of full precision and the same in every run.
 */
interface Cudnn {
  benchmark: boolean;
  benchmarkLimit: number | null;
  deterministic: boolean;
  enabled: boolean;
  allowTf32: boolean;
  isAvailable(): boolean;
  version(): number | null;
}
export const cudnn: Cudnn = {
  benchmark: false,
  benchmarkLimit: null,
  deterministic: false,
  enabled: true,
  allowTf32: true,
  isAvailable: () => false,
  version: () => null,
};

interface MatmulSwitches {
  allowTf32: boolean;
  allowFp16ReducedPrecisionReduction: boolean;
  allowBf16ReducedPrecisionReduction: boolean;
}
interface Cuda {
  readonly matmul: MatmulSwitches;
  isBuilt(): boolean;
}
export const cuda: Cuda = {
  matmul: { allowTf32: false, allowFp16ReducedPrecisionReduction: true, allowBf16ReducedPrecisionReduction: true },
  isBuilt: () => false,
};

interface Library {
  isAvailable(): boolean;
}
export const mps: Library & { isBuilt(): boolean } = { isAvailable: () => false, isBuilt: () => false };
/** Products are OpenBLAS's and this library's own. */
export const mkl: Library = { isAvailable: () => false };
export const mkldnn: Library = { isAvailable: () => false };
/** Threads are this library's own. */
export const openmp: Library = { isAvailable: () => false };

for (const group of [cudnn, cuda.matmul, cuda, mps, mkl, mkldnn, openmp]) Object.seal(group);
