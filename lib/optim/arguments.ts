/**
 * Names and pairs of hyperparameters: names on live objects are camelCase, state dicts carry PyTorch's own. It knows of
 * no algorithm.
 */
import { checkNumber } from '../arguments.js';
import { ArgumentError, describe, fail } from '../errors.js';
import { Tensor } from '../tensor/tensor.js';

/** `expAvgSq` as `exp_avg_sq`, `TMax` as `T_max`. */
export function snakeCase(name: string): string {
  if (/^[A-Z][A-Z0-9]/.test(name)) return `${name[0]}_${snakeCase(name[1].toLowerCase() + name.slice(2))}`;
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `exp_avg_sq` as `expAvgSq`, and `T_max` as `TMax`. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[A-Za-z0-9])_([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Two decay rates in [0, 1), numbers or tensors of one element, as numbers. */
export function checkBetas(op: string, betas: unknown): [number, number] {
  if (!Array.isArray(betas) || betas.length !== 2) fail(ArgumentError, op, 'two numbers for betas', describe(betas));
  const [first, second] = (betas as unknown[]).map((beta, i) => {
    const value = beta instanceof Tensor && beta.numel() === 1 ? Number(beta.item()) : beta;
    checkNumber(op, `betas[${i}]`, value, 0, 1);
    return value as number;
  });
  return [first, second];
}
