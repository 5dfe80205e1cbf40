/** What functions of a device that is not there have in common. */
import { DeviceError, fail } from '../errors.js';

/** A function that throws DeviceError: PyTorch without that device throws too. */
export function absent(namespace: string, name: string, device: string): (...args: unknown[]) => never {
  return () => fail(DeviceError, `${namespace}.${name}`, `a ${device} device`, 'none (isAvailable() is false)');
}
