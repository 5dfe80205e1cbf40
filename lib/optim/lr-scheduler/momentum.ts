/** What a schedule that moves momentum needs of an optimizer: its momentum, or Adam's beta1 in its place. */
import { ArgumentError, fail } from '../../errors.js';
import type { Optimizer, ParamGroup } from '../optimizer.js';

/** Whether beta1 is the momentum; ArgumentError where the optimizer has neither. */
export function hasMomentum(op: string, optimizer: Optimizer): boolean {
  if (!('momentum' in optimizer.defaults) && !('betas' in optimizer.defaults))
    fail(ArgumentError, op, 'an optimizer with momentum or betas, or cycleMomentum: false', optimizer.constructor.name);
  return 'betas' in optimizer.defaults;
}

export function setMomentum(group: ParamGroup, value: number): void {
  if (group.betas !== undefined) group.betas = [value, group.betas[1]];
  else group.momentum = value;
}
