/** Arguments as a report prints them. */
import { nn, Tensor } from '../../lib/index.js';

export function show(value: unknown, depth = 0): string {
  try {
    return text(value, depth);
  } catch (error) {
    return `(a value that cannot be printed: ${error instanceof Error ? error.message : typeof error})`;
  }
}

function text(value: unknown, depth: number): string {
  if (value instanceof Tensor) {
    const graph = value.requiresGrad ? (value.isLeaf ? ', requires grad' : ', recorded') : '';
    const place = value.isContiguous() ? '' : `, strides [${value.strides}]`;
    const values = value.numel() <= 6 && value.numel() > 0 && !value.requiresGrad ? ` = ${String(value.tolist())}` : '';
    const kind = value instanceof nn.Parameter ? 'Parameter ' : '';
    return `${kind}${value.dtype}[${value.shape}${place}${graph}]${values}`;
  }
  if (typeof value === 'string')
    return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}...` : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  if (typeof value === 'function')
    return `(function ${value.name}) ${Function.prototype.toString.call(value).replace(/\s+/g, ' ').slice(0, 60)}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > 3) return '...';
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name}(${(value as Uint8Array).length})`;
  if (Array.isArray(value)) {
    const items = Array.from(value.slice(0, 5), (item, i) => (i in value ? show(item, depth + 1) : '(hole)'));
    return `[${items.join(', ')}${value.length > 5 ? `, ... ${value.length}` : ''}]`;
  }
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name: string } } | null;
  if (prototype !== Object.prototype && prototype !== null) return `(${prototype.constructor?.name})`;
  const entries = Object.entries(Object.getOwnPropertyDescriptors(value)).map(
    ([key, own]) => `${key}: ${own.get === undefined ? show(own.value, depth + 1) : '(getter)'}`,
  );
  return `{ ${entries.join(', ')} }`;
}
