/**
 * torch.cuda.amp, PyTorch's older names of torch.amp for CUDA: without a device, a region computes as it would alone,
 * and a scaler is disabled.
 */

import { type GradScalerOptions, GradScaler as Scaler } from '../amp/grad-scaler.js';
import { isOptions } from '../arguments.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';

/** A scaler that scales nothing, as in PyTorch where CUDA is not available. torch.cuda.amp.GradScaler */
export class GradScaler extends Scaler {
  constructor(options: GradScalerOptions = {}) {
    super({ ...options, enabled: false });
  }
}

/**
 * Calls `fn` and returns its value; PyTorch turns a CUDA region off where CUDA is not available.
 * torch.cuda.amp.autocast
 */
export function autocast<R>(fn: () => R): R;
export function autocast<R>(options: { enabled?: boolean; dtype?: string; cacheEnabled?: boolean }, fn: () => R): R;
export function autocast<R>(...args: unknown[]): R {
  const fn = args[args.length - 1];
  if (args.length === 2 && isOptions(args[0]))
    rejectUnknownOptions('cuda.amp.autocast', args[0], ['enabled', 'dtype', 'cacheEnabled']);
  if (typeof fn !== 'function' || args.length > 2)
    fail(ArgumentError, 'cuda.amp.autocast', 'options and a function, or a function', describe(args));
  return (fn as () => R)();
}
