/** torch.accelerator: there is none. */
import { absent } from './absent.js';

export function isAvailable(): boolean {
  return false;
}
export function deviceCount(): number {
  return 0;
}
/** The accelerator of this machine: none. */
export function currentAccelerator(): null {
  return null;
}
export const synchronize = absent('accelerator', 'synchronize', 'accelerator');
export const currentDeviceIndex = absent('accelerator', 'currentDeviceIndex', 'accelerator');
export const setDeviceIndex = absent('accelerator', 'setDeviceIndex', 'accelerator');
