/**
 * torch.cuda as PyTorch without CUDA has it: questions are answered with no, seeds and caches are nobody's, and what
 * needs a device throws DeviceError. So a program that asks `cuda.isAvailable()` first runs as it is.
 */
import { ArgumentError, describe, fail } from '../errors.js';
import { absent } from './absent.js';

export * as amp from './cuda-amp.js';

/** Whether there is a CUDA device: no. */
export function isAvailable(): boolean {
  return false;
}
/** How many CUDA devices there are: none. */
export function deviceCount(): number {
  return 0;
}
export function isInitialized(): boolean {
  return false;
}
export function isBf16Supported(): boolean {
  return false;
}
export function isTf32Supported(): boolean {
  return false;
}
export function getArchList(): string[] {
  return [];
}
/** Nothing to empty: memory of tensors is freed by the top-level `emptyCache`. */
export function emptyCache(): void {}

function wholeSeed(op: string, seed: unknown): void {
  if (typeof seed !== 'bigint' && !Number.isInteger(seed))
    fail(ArgumentError, op, 'a whole number as seed', describe(seed));
}
/** Seeds the generator of the current device, of which there is none: `manualSeed` of the top level seeds the CPU's. */
export function manualSeed(seed: number | bigint): void {
  wholeSeed('cuda.manualSeed', seed);
}
export function manualSeedAll(seed: number | bigint): void {
  wholeSeed('cuda.manualSeedAll', seed);
}
export function seed(): void {}
export function seedAll(): void {}
/** The states of all devices' generators: none. */
export function getRngStateAll(): never[] {
  return [];
}
export function setRngStateAll(_states: readonly unknown[]): void {}

/** Bytes on a device: 0, as there is none. */
const nothing = (_device?: unknown): number => 0;
export const memoryAllocated = nothing;
export const maxMemoryAllocated = nothing;
export const memoryReserved = nothing;
export const maxMemoryReserved = nothing;
export const memoryCached = nothing;
export const maxMemoryCached = nothing;

const needsDevice = (name: string) => absent('cuda', name, 'CUDA');
export const synchronize = needsDevice('synchronize');
export const currentDevice = needsDevice('currentDevice');
export const setDevice = needsDevice('setDevice');
export const getDeviceName = needsDevice('getDeviceName');
export const getDeviceProperties = needsDevice('getDeviceProperties');
export const getDeviceCapability = needsDevice('getDeviceCapability');
export const getRngState = needsDevice('getRngState');
export const setRngState = needsDevice('setRngState');
export const initialSeed = needsDevice('initialSeed');
export const memGetInfo = needsDevice('memGetInfo');
export const resetPeakMemoryStats = needsDevice('resetPeakMemoryStats');
export const resetMaxMemoryAllocated = needsDevice('resetMaxMemoryAllocated');
export const memorySummary = needsDevice('memorySummary');
export const setPerProcessMemoryFraction = needsDevice('setPerProcessMemoryFraction');
export const ipcCollect = needsDevice('ipcCollect');
export const init = needsDevice('init');
export const currentStream = needsDevice('currentStream');
export const defaultStream = needsDevice('defaultStream');
