/** Values as Python's repr writes them, for printing modules as PyTorch prints them. It knows nothing of modules. */

import { describe } from '../errors.js';

/** A float: 1.0, 1e-05, inf. Numbers that PyTorch holds as ints go through `repr`. */
export function reprFloat(value: unknown): string {
  if (typeof value !== 'number') return repr(value);
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits, exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  // Python changes to the exponent form below 1e-4 and from 1e16 on, with at least two digits of exponent.
  if (value !== 0 && (power < -4 || power >= 16))
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  // From 1e16 on JavaScript and Python would part; below, String gives plain digits down to 1e-6.
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

/** Arrays nested deeper are shortened, so that one that contains itself ends. */
const DEEPEST = 8;

/** An int, float, bool, string, null (None) or a tuple of them. An integral number is an int. */
export function repr(value: unknown): string {
  return reprAt(value, 0);
}
function reprAt(value: unknown, depth: number): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : reprFloat(value);
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) {
    if (depth === DEEPEST) return '(...)';
    return `(${value.map((item) => reprAt(item, depth + 1)).join(', ')}${value.length === 1 ? ',' : ''})`;
  }
  // A symbol or an object without prototype has no text of its own.
  return typeof value === 'object' || typeof value === 'symbol' ? describe(value) : String(value);
}

/** A word without quotes, as PyTorch prints modes; any other value as `repr`. */
export function reprWord(value: unknown): string {
  return typeof value === 'string' ? value : repr(value);
}

/** Whether a value is an array of nothing but `number`: PyTorch then leaves it out. */
export function isAll(value: unknown, number: number): boolean {
  return Array.isArray(value) && value.every((item) => item === number);
}
