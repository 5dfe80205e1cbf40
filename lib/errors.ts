/**
 * The typed errors of the public interface. Every user mistake ends in one of these classes, whose message names the
 * operation, what was expected and what came. It knows tensors only by the two properties that a message prints.
 */

/** Base class of every error that nodegrad throws on purpose. */
export class NodegradError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Shapes that do not fit the operation. */
export class ShapeError extends NodegradError {}
/** A dtype that the operation does not take, or cannot produce. */
export class DTypeError extends NodegradError {}
/** An index or a dimension out of range. */
export class IndexError extends NodegradError {}
/** An argument whose value or kind is not allowed; also a misspelt option. */
export class ArgumentError extends NodegradError {}
/** A misuse of the autograd graph: freed, not differentiable, changed after it was saved. */
export class AutogradError extends NodegradError {}
/** A checkpoint that is damaged, hostile, or does not fit the model. */
export class CheckpointError extends NodegradError {}
/** Memory that cannot be had. */
export class OutOfMemoryError extends NodegradError {}
/** A device that does not exist. */
export class DeviceError extends NodegradError {}
/** The native addon cannot be found or loaded. */
export class AddonError extends NodegradError {}

interface Described {
  readonly dtype: string;
  readonly shape: readonly number[];
}

function isDescribed(value: unknown): value is Described {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dtype' in value &&
    typeof value.dtype === 'string' &&
    'shape' in value &&
    Array.isArray(value.shape)
  );
}

/** How deep arrays in arrays are printed: an array may hold itself. */
const DEEPEST = 4;

/** One value as messages print it: `float32[8,4]` for a tensor, JSON-like for the rest. */
export function describe(value: unknown): string {
  return describeAt(value, 0);
}

function describeAt(value: unknown, depth: number): string {
  if (isDescribed(value)) return `${value.dtype}[${value.shape.map((n) => describeAt(n, depth + 1)).join(',')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value))
    return value.length > 8
      ? `array of ${value.length}`
      : depth > DEEPEST
        ? '[...]'
        : `[${Array.from(value, (item) => describeAt(item, depth + 1)).join(', ')}]`;
  // A module can be called, and is no function otherwise.
  if (typeof value === 'function')
    return value instanceof Function ? `function ${value.name || '(anonymous)'}` : (value as object).constructor.name;
  if (typeof value === 'object' && value !== null)
    return typeof value.constructor === 'function' && value.constructor !== Object ? value.constructor.name : 'object';
  return String(value);
}

type ErrorClass = new (message: string) => NodegradError;

/**
 * The one error factory: `<op>: expected <requirement>, got <actual> (x=float32[8,4], groups=2)`.
 * `context` names the operands and options that decide the matter.
 */
export function fail(
  Class: ErrorClass,
  op: string,
  expected: string,
  got: string,
  context?: Record<string, unknown>,
): never {
  const parts =
    context === undefined ? [] : Object.entries(context).map(([name, value]) => `${name}=${describe(value)}`);
  throw new Class(`${op}: expected ${expected}, got ${got}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

/** The known name nearest to a misspelt one, or undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const scored = known
    .map((candidate) => [editDistance(name.toLowerCase(), candidate.toLowerCase()), candidate] as const)
    .sort((a, b) => a[0] - b[0]);
  return scored.length > 0 && scored[0][0] <= Math.max(2, Math.floor(name.length / 3)) ? scored[0][1] : undefined;
}

/**
 * Throws ArgumentError for the first key of `options` that is not in `known`, with the name that was probably meant.
 */
export function rejectUnknownOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) fail(ArgumentError, op, 'an options object', describe(options));
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new ArgumentError(
      `${op}: unknown option ` +
        `${JSON.stringify(key)}${near === undefined ? '' : `, did you mean ${JSON.stringify(near)}?`} ` +
        `(options: ${known.join(', ') || 'none'})`,
    );
  }
}
