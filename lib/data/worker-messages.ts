/**
 * What the loader and its workers say to each other, and how tensors travel: their bytes move from thread to thread
 * without a copy. Types and arithmetic of the library only, so that the worker's entry can load the one instance that
 * datasets use.
 */
import { isDense } from '../shape/layout.js';
import type { DType } from '../storage/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DatasetModule } from './dataset-module.js';
import type { Request } from './fetch.js';

/** A worker's start: given as workerData.nodegradDataLoader. */
export interface WorkerStart {
  readonly id: number;
  readonly numWorkers: number;
  readonly seed: bigint;
  /** The library's URL. */
  readonly library: string;
  readonly dataset: DatasetModule & { readonly module: string };
  /** The module of a function to call with the worker's number. */
  readonly init: { readonly module: string; readonly exportName: string } | null;
  /** Whether the worker collates items, converts single ones, or sends them as they are. */
  readonly collate: 'stack' | 'convert' | null;
  readonly batchSize: number | null;
  readonly dropLast: boolean;
}
/** To a worker: a batch is wanted; an epoch begins; the end. */
export type WorkerRequest =
  | { readonly kind: 'fetch'; readonly id: number; readonly request: Request }
  | { readonly kind: 'epoch' }
  | { readonly kind: 'end' };
export interface WorkerFailure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}
/** From a worker. `id` is that of the request. */
export type WorkerAnswer =
  | { readonly kind: 'batch'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'exhausted'; readonly id: number }
  | { readonly kind: 'failure'; readonly id: number; readonly error: WorkerFailure };

/** A tensor on its way. */
export interface PackedTensor {
  readonly nodegradTensor: true;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Without gaps. */
  readonly strides: readonly number[];
  readonly bytes: ArrayBuffer;
}
export function isPackedTensor(value: unknown): value is PackedTensor {
  return typeof value === 'object' && value !== null && (value as PackedTensor).nodegradTensor === true;
}

function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * The same structure with `replace` called on everything that is no array, Map or plain object; undefined means: go in.
 */
export function mapStructure(value: unknown, replace: (value: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) return value.map((item) => mapStructure(item, replace));
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, mapStructure(item, replace)]));
  if (isPlainObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStructure(item, replace)]));
  return value;
}

/** Tensors as their bytes in buffers of their own, which are listed to be moved. */
export function pack(
  value: unknown,
  isTensor: (value: object) => value is Tensor,
): { value: unknown; transfer: ArrayBuffer[] } {
  const transfer: ArrayBuffer[] = [];
  const packed = mapStructure(value, (item) => {
    if (!isTensor(item)) return undefined;
    // As a batch that the thread itself made: its order of dimensions in memory decides where random values go.
    const source = isDense(item.shape, item.strides) ? item.detach() : item.detach().clone();
    const { array } = source;
    const bytes = new ArrayBuffer(source.numel() * array.BYTES_PER_ELEMENT);
    new Uint8Array(bytes).set(new Uint8Array(array.buffer, array.byteOffset, bytes.byteLength));
    transfer.push(bytes);
    return {
      nodegradTensor: true,
      dtype: item.dtype,
      shape: [...item.shape],
      strides: [...source.strides],
      bytes,
    } satisfies PackedTensor;
  });
  return { value: packed, transfer };
}
