/**
 * Tensors as text, laid out to the letter as PyTorch lays them out (torch/_tensor_str.py): alignment, scientific
 * notation, summaries of long dimensions, and what follows the values. Reads values; changes nothing.
 */
import { inspect } from 'node:util';
import { refreshView } from '../autograd/graph.js';
import type { Node } from '../autograd/node.js';
import { ArgumentError, describe, fail, rejectUnknownOptions } from '../errors.js';
import { elementCount, type Shape } from '../shape/layout.js';
import { type DType, defaultFloatInfo, FLOAT32 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { castTo } from '../tensor/copy.js';
import { Tensor } from '../tensor/tensor.js';
import { MAX_NESTED_DIMENSIONS } from '../tensor/values.js';

/** How tensors are printed. */
export interface PrintOptions {
  /** Digits after the point. Default 4. */
  precision: number;
  /** More elements than this are summarised. Default 1000. */
  threshold: number;
  /** How many are shown at either end of a summarised dimension. Default 3. */
  edgeitems: number;
  /** Characters a line. Default 80. */
  linewidth: number;
  /** Scientific notation: always, never, or (null) where the values ask for it. */
  sciMode: boolean | null;
}

const options: PrintOptions = { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80, sciMode: null };
const PROFILES: Readonly<Record<string, Partial<PrintOptions>>> = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Number.POSITIVE_INFINITY, edgeitems: 3, linewidth: 80 },
};

/**
 * Sets how tensors are printed; `profile` ('default', 'short', 'full') first, then the others. torch.set_printoptions
 */
export function setPrintoptions(given: Partial<PrintOptions> & { profile?: 'default' | 'short' | 'full' }): void {
  rejectUnknownOptions('setPrintoptions', given, [...Object.keys(options), 'profile']);
  const { profile, sciMode, ...rest } = given;
  if (profile !== undefined && (typeof profile !== 'string' || !Object.hasOwn(PROFILES, profile)))
    fail(ArgumentError, 'setPrintoptions', "profile 'default', 'short' or 'full'", describe(profile));
  for (const [name, value] of Object.entries(rest))
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0)
      fail(ArgumentError, 'setPrintoptions', `a number of at least 0 for ${name}`, describe(value));
  Object.assign(options, profile === undefined ? {} : PROFILES[profile], rest, { sciMode: sciMode ?? null });
}

/** How tensors are printed. torch.get_printoptions */
export function getPrintoptions(): PrintOptions {
  return { ...options };
}

type Value = number | bigint | boolean;

/**
 * The digits of a text without its last `extra` ones, rounded to even where those stand for exactly one half, else as
 * `rounded`.
 */
function tiesToEven(rounded: string, exact: string, extra: number): string {
  const kept = exact.slice(0, exact.length - extra);
  if (!/^50*$/.test(exact.slice(exact.length - extra))) return rounded;
  const digit = kept.replace(/\.$/, '').slice(-1);
  return Number(digit) % 2 === 0 ? kept.replace(/\.$/, '') : rounded;
}

const EXTRA = 40;

/** Python's format(value, f'.{digits}f'). */
export function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return special(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  if (size >= 1e21) return `${sign}${BigInt(size)}${digits > 0 ? `.${'0'.repeat(digits)}` : ''}`;
  const more = Math.min(EXTRA, 100 - digits);
  return sign + tiesToEven(size.toFixed(digits), size.toFixed(digits + more), more);
}

/** Python's format(value, f'.{digits}e'). */
export function scientific(value: number, digits: number): string {
  if (!Number.isFinite(value)) return special(value);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const size = Math.abs(value);
  const more = Math.min(EXTRA, 100 - digits);
  const [rounded, exponent] = size.toExponential(digits).split('e');
  const [exact, exactExponent] = size.toExponential(digits + more).split('e');
  const mantissa = exponent === exactExponent ? tiesToEven(rounded, exact, more) : rounded;
  return `${sign}${mantissa}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function special(value: number): string {
  return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
}

/** The text of one element, padded to the width that the widest needs. */
function formatterOf(values: readonly Value[], floating: boolean): { width: number; format: (value: Value) => string } {
  const { precision } = options;
  let text: (value: Value) => string;
  let width = 1;
  if (!floating) {
    text = (value) => (typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value));
    for (const value of values) width = Math.max(width, text(value).length);
  } else {
    const finite = (values as number[]).filter((value) => Number.isFinite(value) && value !== 0);
    let scientificMode = false;
    let whole = true;
    if (finite.length > 0) {
      let low = Number.POSITIVE_INFINITY;
      let high = 0;
      for (const value of finite) {
        low = Math.min(low, Math.abs(value));
        high = Math.max(high, Math.abs(value));
        if (!Number.isInteger(value)) whole = false;
      }
      scientificMode = options.sciMode ?? (high / low > 1000 || high > 1e8 || low < 1e-4);
    }
    const plain = (value: number): string =>
      whole ? fixed(value, 0) + (Number.isFinite(value) ? '.' : '') : fixed(value, precision);
    text = scientificMode ? (value) => scientific(value as number, precision) : (value) => plain(value as number);
    for (const value of finite) width = Math.max(width, text(value).length);
  }
  return { width, format: (value) => text(value).padStart(width) };
}

/** Which places of a dimension are shown. */
function shown(n: number, summarize: boolean): number[] {
  const { edgeitems } = options;
  if (!summarize || n <= 2 * edgeitems) return Array.from({ length: n }, (_, i) => i);
  return Array.from({ length: 2 * edgeitems }, (_, i) => (i < edgeitems ? i : n - 2 * edgeitems + i));
}

/** The elements that are shown, in order. */
function shownValues(x: Tensor, summarize: boolean): Value[] {
  const places = x.shape.map((n) => shown(n, summarize));
  const offsets: number[] = [];
  const visit = (dim: number, offset: number): void => {
    if (dim === x.shape.length) offsets.push(offset);
    else for (const i of places[dim]) visit(dim + 1, offset + i * x.strides[dim]);
  };
  visit(0, 0);
  return valuesAt(x, offsets);
}

/** The elements at these places of the memory, counted from the tensor's first. */
function valuesAt(x: Tensor, offsets: readonly number[]): Value[] {
  const few = allocate([offsets.length], x.info);
  for (let i = 0; i < offsets.length; i++) few.array[i] = x.array[offsets[i]];
  const raw: Iterable<number | bigint> = x.info.half ? castTo(few, FLOAT32).array : few.array;
  const values = Array.from(raw).slice(0, offsets.length);
  return x.info.name === 'bool' ? values.map((value) => value !== 0) : values;
}

/** The bracketed values. */
function contents(x: Tensor, indent: number): string {
  if (x.shape.length > MAX_NESTED_DIMENSIONS) return `${x.shape.length} dimensions`;
  if (elementCount(x.shape) === 0) return '[]';
  const { edgeitems, linewidth } = options;
  const summarize = elementCount(x.shape) > options.threshold;
  const values = summarize && edgeitems === 0 ? [] : shownValues(x, summarize);
  const { width, format } = formatterOf(values, x.info.floating);
  const ndim = x.shape.length;
  if (ndim === 0) return format(values[0]);
  let next = 0;
  const vector = (n: number, margin: number): string => {
    const line = Math.max(1, Math.floor((linewidth - margin) / (width + 2)));
    const count = shown(n, summarize).length;
    const items = Array.from({ length: count }, () => format(values[next++]));
    if (summarize && edgeitems === 0) items.splice(0, items.length, '...');
    else if (count < n) items.splice(edgeitems, 0, ' ...');
    const lines: string[] = [];
    for (let i = 0; i < items.length; i += line) lines.push(items.slice(i, i + line).join(', '));
    return `[${lines.join(`,\n${' '.repeat(margin + 1)}`)}]`;
  };
  const rows = (dim: number, margin: number): string => {
    const n = x.shape[dim];
    if (dim === ndim - 1) return vector(n, margin);
    const count = shown(n, summarize).length;
    const parts = Array.from({ length: count }, () => rows(dim + 1, margin + 1));
    if (count < n) parts.splice(edgeitems, 0, '...');
    return `[${parts.join(`,${'\n'.repeat(ndim - dim - 1)}${' '.repeat(margin + 1)}`)}]`;
  };
  return rows(0, indent);
}

/** PyTorch's names of derivative nodes, where they do not follow from the operator's. */
const NODE_NAMES: Readonly<Record<string, string>> = {
  attention: 'ScaledDotProductFlashAttentionForCpu',
  batchNorm: 'NativeBatchNorm',
  cast: 'ToCopy',
  conv1d: 'Convolution',
  conv2d: 'Convolution',
  conv3d: 'Convolution',
  crossEntropy: 'NllLoss',
  groupNorm: 'NativeGroupNorm',
  layerNorm: 'NativeLayerNorm',
  matmul: 'Bmm',
  maxAlong: 'Max',
  minAlong: 'Min',
  maxPool2d: 'MaxPool2DWithIndices',
  norm: 'LinalgVectorNorm',
  powScalar: 'Pow',
  putRows: 'IndexPut',
  addRows: 'IndexPut',
  stdMean: 'Std',
  takeRows: 'Index',
  varMean: 'Var',
};
/**
 * Reductions, which drop their dimensions by a view of the result; PyTorch's node of the full one and of one along
 * dimensions.
 */
const REDUCTIONS: Readonly<Record<string, readonly [full: string, along: string]>> = {
  sum: ['SumBackward0', 'SumBackward1'],
  mean: ['MeanBackward0', 'MeanBackward1'],
  prod: ['ProdBackward0', 'ProdBackward1'],
  amax: ['MaxBackward1', 'AmaxBackward0'],
  amin: ['MinBackward1', 'AminBackward0'],
};

/** The name of the node that made a tensor, as PyTorch prints it: `MulBackward0`. */
export function gradFnName(node: Node, ndim: number): string {
  const inner = node.next[0];
  const dropped =
    node.name === 'view' &&
    inner !== null &&
    inner !== undefined &&
    (inner.name in REDUCTIONS || /^(maxAlong|minAlong|varMean|stdMean|norm|logsumexp)$/.test(inner.name));
  const name = dropped ? inner.name : node.name;
  if (name in REDUCTIONS) return REDUCTIONS[name][ndim === 0 ? 0 : 1];
  if (name === 'linear') return node.next.length > 2 ? 'AddmmBackward0' : ndim === 1 ? 'MvBackward0' : 'MmBackward0';
  const own = NODE_NAMES[name] ?? name[0].toUpperCase() + name.slice(1);
  return /Backward\d*$/.test(own) ? own : `${own}Backward0`;
}

function tuple(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
}

/** The tensor as PyTorch prints it. */
export function formatTensor(x: Tensor): string {
  const prefix = 'tensor(';
  const indent = prefix.length;
  const suffixes: string[] = [];
  const empty = elementCount(x.shape) === 0;
  if (empty ? x.shape.length !== 1 : options.edgeitems === 0) suffixes.push(`size=${tuple(x.shape)}`);
  const silent = x.info === defaultFloatInfo() || (!empty && (x.info.name === 'int64' || x.info.name === 'bool'));
  if (!silent) suffixes.push(`dtype=torch.${x.dtype}`);
  refreshView(x);
  if (x.node !== null) suffixes.push(`grad_fn=<${gradFnName(x.node, x.shape.length)}>`);
  else if (x.requiresGrad) suffixes.push('requires_grad=True');
  let text = prefix + contents(x, indent);
  let line = text.length - text.lastIndexOf('\n') + 1;
  for (const suffix of suffixes) {
    if (line + suffix.length + 2 > options.linewidth) {
      text += `,\n${' '.repeat(indent)}${suffix}`;
      line = indent + suffix.length;
    } else {
      text += `, ${suffix}`;
      line += suffix.length + 2;
    }
  }
  return `${text})`;
}

declare module '../tensor/tensor.js' {
  interface Tensor {
    /** The values as PyTorch prints them. */
    toString(): string;
    /**
     * The text for a template literal; throws where an operator of JavaScript (`a + b`, `a > b`, `+a`) wants a number.
     */
    [Symbol.toPrimitive](hint: string): string;
    /** What `JSON.stringify` writes. */
    toJSON(): TensorSummary;
    /** The places of the first dimension, as views. */
    [Symbol.iterator](): IterableIterator<Tensor>;
  }
}

Tensor.prototype.toString = function (this: Tensor): string {
  return formatTensor(this);
};
Object.defineProperty(Tensor.prototype, inspect.custom, {
  value(this: Tensor): string {
    return this.toString();
  },
  configurable: true,
  writable: true,
});
Tensor.prototype[Symbol.toPrimitive] = function (this: Tensor, hint: string): string {
  if (hint === 'string') return this.toString();
  return fail(
    ArgumentError,
    'Tensor',
    'a method in the place of a JavaScript operator (add, sub, mul, div, neg, gt, lt, ge, le, eq), item() ' +
      'for the number of a one-element tensor, or String(x) for its text',
    `an operator on ${describe(this)}`,
  );
};

/** What `JSON.stringify` writes of a tensor: enough to recognise it, and never more than a little. */
export interface TensorSummary {
  readonly shape: Shape;
  readonly dtype: DType;
  /** The first elements in row-major order; as text where JSON has no such number (infinities, NaN, large int64). */
  readonly values: readonly (number | boolean | string)[];
}
const SUMMARY = 32;

Tensor.prototype.toJSON = function (this: Tensor): TensorSummary {
  const count = Math.min(SUMMARY, elementCount(this.shape));
  const places = new Array<number>(this.shape.length).fill(0);
  const offsets = Array.from({ length: count }, () => {
    const at = places.reduce((sum, place, d) => sum + place * this.strides[d], 0);
    for (let d = places.length - 1; d >= 0 && ++places[d] === this.shape[d]; d--) places[d] = 0;
    return at;
  });
  const values = valuesAt(this, offsets).map((value) => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return typeof value === 'boolean' || Number.isFinite(value) ? value : String(value);
  });
  return { shape: this.shape, dtype: this.dtype, values };
};
Tensor.prototype[Symbol.iterator] = function* (this: Tensor): IterableIterator<Tensor> {
  if (this.shape.length === 0) fail(ArgumentError, 'iteration', 'a tensor with dimensions', `a scalar, ${this.dtype}`);
  for (const part of this.unbind(0)) yield part;
};
