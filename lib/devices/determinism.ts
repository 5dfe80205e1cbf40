/**
 * Settings of determinism and precision: results are the same in every run and for every number of threads, and
 * products are of full precision, whatever is set here. What a program sets it can read again.
 */
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';

let deterministic = false;
let warnOnly = false;

function requireBoolean(op: string, name: string, value: unknown): void {
  if (typeof value !== 'boolean') fail(ArgumentError, op, `a boolean for ${name}`, describe(value));
}

/** Asks for deterministic algorithms, which all are. torch.use_deterministic_algorithms */
export function useDeterministicAlgorithms(mode: boolean, options: { warnOnly?: boolean } = {}): void {
  requireBoolean('useDeterministicAlgorithms', 'mode', mode);
  rejectUnknownOptions('useDeterministicAlgorithms', options, ['warnOnly']);
  requireBoolean('useDeterministicAlgorithms', 'warnOnly', options.warnOnly ?? false);
  deterministic = mode;
  warnOnly = options.warnOnly ?? false;
}
/** torch.are_deterministic_algorithms_enabled */
export function areDeterministicAlgorithmsEnabled(): boolean {
  return deterministic;
}
/** torch.is_deterministic_algorithms_warn_only_enabled */
export function isDeterministicAlgorithmsWarnOnlyEnabled(): boolean {
  return warnOnly;
}

const MODES = ['default', 'warn', 'error'] as const;
/** The setting above as 0 ('default'), 1 ('warn') or 2 ('error'). torch.set_deterministic_debug_mode */
export function setDeterministicDebugMode(mode: 0 | 1 | 2 | (typeof MODES)[number]): void {
  const level = typeof mode === 'number' ? mode : MODES.indexOf(mode);
  if (![0, 1, 2].includes(level))
    fail(ArgumentError, 'setDeterministicDebugMode', "0, 1, 2, 'default', 'warn' or 'error'", describe(mode));
  useDeterministicAlgorithms(level > 0, { warnOnly: level === 1 });
}
/** torch.get_deterministic_debug_mode */
export function getDeterministicDebugMode(): 0 | 1 | 2 {
  return deterministic ? (warnOnly ? 1 : 2) : 0;
}

const PRECISIONS = ['highest', 'high', 'medium'] as const;
type Precision = (typeof PRECISIONS)[number];
let precision: Precision = 'highest';
/**
 * How much precision products of float32 may lose on a device that can trade it: none here.
 * torch.set_float32_matmul_precision
 */
export function setFloat32MatmulPrecision(value: Precision): void {
  if (!PRECISIONS.includes(value))
    fail(ArgumentError, 'setFloat32MatmulPrecision', "'highest', 'high' or 'medium'", describe(value));
  precision = value;
}
/** torch.get_float32_matmul_precision */
export function getFloat32MatmulPrecision(): Precision {
  return precision;
}
