/** torch.mps as PyTorch without it has it. */
import { absent } from './absent.js';

/** Whether there is an MPS device: no. */
export function isAvailable(): boolean {
  return false;
}
export function deviceCount(): number {
  return 0;
}
/** Seeds a generator that is not there. */
export function manualSeed(_seed: number | bigint): void {}

const needsDevice = (name: string) => absent('mps', name, 'MPS');
export const synchronize = needsDevice('synchronize');
export const emptyCache = needsDevice('emptyCache');
export const seed = needsDevice('seed');
export const getRngState = needsDevice('getRngState');
export const setRngState = needsDevice('setRngState');
export const currentAllocatedMemory = needsDevice('currentAllocatedMemory');
export const driverAllocatedMemory = needsDevice('driverAllocatedMemory');
