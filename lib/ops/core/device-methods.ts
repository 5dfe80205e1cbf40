/**
 * What tensors tell of the device that they are on, and the ways to another: there is one device, so each is the tensor
 * itself or a DeviceError.
 */

import { defineFunction, defineMethod } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { checkDevice } from '../../tensor/device.js';
import { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from './promotion.js';

/** The tensor itself: it is on the CPU. Tensor.cpu */
const cpu = defineMethod('cpu', [], (input: Tensor): Tensor => input);
/** The tensor itself: pinned memory is for copies to other devices. Tensor.pin_memory */
const pinMemory = defineMethod('pinMemory', ['device'], (input: Tensor, _device?: string): Tensor => input);
/** False: there is no pinned memory. Tensor.is_pinned */
const isPinned = defineMethod('isPinned', ['device'], (_input: Tensor, _device?: string): boolean => false);

/** A method that moves to a device that is not there. */
function elsewhere(name: string) {
  return defineMethod(name, ['device', 'nonBlocking'], (input: Tensor, device?: string | number): Tensor => {
    checkDevice(name, typeof device === 'number' ? `${name}:${device}` : (device ?? name));
    return input;
  });
}
const cuda = elsewhere('cuda');
const xpu = elsewhere('xpu');
const ipu = elsewhere('ipu');
const hpu = elsewhere('hpu');
const mtia = elsewhere('mtia');

/** The index of the tensor's device: -1, as of all tensors on the CPU. torch.get_device */
export const getDevice = defineFunction(
  { name: 'getDevice', parameters: ['input'], hidden: true },
  (input: Tensor): number => {
    tensorArgument('getDevice', 'input', input);
    return -1;
  },
);

/** What a tensor may be elsewhere, and is not here. */
const NEVER = [
  'isCuda',
  'isMps',
  'isXpu',
  'isIpu',
  'isHpu',
  'isXla',
  'isVulkan',
  'isMaia',
  'isMtia',
  'isMeta',
  'isMkldnn',
  'isSparse',
  'isSparseCsr',
  'isQuantized',
  'isNested',
] as const;

function property(name: string, value: unknown): void {
  Object.defineProperty(Tensor.prototype, name, { get: () => value, configurable: true });
}
for (const name of NEVER) property(name, false);
property('isCpu', true);
/** How elements are stored: at strides, as all tensors here. torch.strided */
export const strided = 'strided';
property('layout', strided);

type Never = { readonly [N in (typeof NEVER)[number]]: false };
declare module '../../tensor/tensor.js' {
  interface Tensor extends Never {
    readonly isCpu: true;
    readonly layout: typeof strided;
    cpu: Method<typeof cpu>;
    /** Throws DeviceError, as `to('cuda')` does. */
    cuda: Method<typeof cuda>;
    xpu: Method<typeof xpu>;
    ipu: Method<typeof ipu>;
    hpu: Method<typeof hpu>;
    mtia: Method<typeof mtia>;
    pinMemory: Method<typeof pinMemory>;
    isPinned: Method<typeof isPinned>;
    getDevice: Method<typeof getDevice>;
  }
}
