/**
 * Names of devices. PyTorch's are all known, so that a program can name one before it asks whether it is there; tensors
 * live on 'cpu', the only one, and a use of any other is a DeviceError.
 */
import { ArgumentError, DeviceError, describe, fail } from '../errors.js';

/** Where tensors live. */
export type Device = 'cpu';

const TYPES = [
  'cpu',
  'cuda',
  'ipu',
  'xpu',
  'mkldnn',
  'opengl',
  'opencl',
  'ideep',
  'hip',
  've',
  'fpga',
  'maia',
  'xla',
  'lazy',
  'vulkan',
  'mps',
  'meta',
  'hpu',
  'mtia',
  'privateuseone',
] as const;
type DeviceType = (typeof TYPES)[number];
/** The name of a device that PyTorch knows, with an index or without: 'cpu', 'cuda', 'cuda:1'. */
export type DeviceName = DeviceType | `${DeviceType}:${number}`;

const NAME = new RegExp(`^(${TYPES.join('|')})(:(0|[1-9][0-9]*))?$`);

/** Whether the text is the name of a device, there or not. */
export function isDeviceName(value: string): value is DeviceName {
  return NAME.test(value);
}

/** Throws DeviceError for the name of a device that is not there, and for anything that is no name of one. */
export function checkDevice(op: string, device: unknown): void {
  if (device !== 'cpu' && !(typeof device === 'string' && /^cpu:(0|[1-9][0-9]*)$/.test(device)))
    fail(DeviceError, op, "device 'cpu', the only one there is", describe(device));
}

interface DeviceParts {
  type: string;
  index?: number | null;
}

/**
 * The name of a device, checked: `device('cpu')`, `device('cuda:1')`, `device('cuda', 1)`, `device({ type: 'cuda',
 * index: 1 })`. A device that is not there can be named; using it is an error. Throws ArgumentError for a name that
 * PyTorch does not know. torch.device
 */
export function device(type: string | DeviceParts, index?: number | null): DeviceName {
  if (typeof type === 'object' && type !== null && index === undefined) return device(type.type, type.index ?? null);
  if (typeof type !== 'string')
    fail(ArgumentError, 'device', "the name of a device, such as 'cpu' or 'cuda:0'", describe(type));
  if (index !== undefined && index !== null && (!Number.isInteger(index) || index < 0 || type.includes(':')))
    fail(
      ArgumentError,
      'device',
      'a whole index of at least 0 after a type without one',
      `${describe(index)} after ${describe(type)}`,
    );
  const name = index === undefined || index === null ? type : `${type}:${index}`;
  if (!isDeviceName(name))
    fail(ArgumentError, 'device', `one of ${TYPES.join(', ')}, with an index (':0') or without`, describe(name));
  return name;
}

/** The device of new tensors: 'cpu', the only one. torch.get_default_device */
export function getDefaultDevice(): Device {
  return 'cpu';
}

/**
 * Sets the device of new tensors, of which there is one; null is PyTorch's word for it too. Throws DeviceError for
 * another. torch.set_default_device
 */
export function setDefaultDevice(name: string | null): void {
  if (name !== null) checkDevice('setDefaultDevice', name);
}
