/** Datasets that a module makes: how worker threads come to have one each. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { ArgumentError, describe, fail } from '../errors.js';
import type { FileName } from '../file-name.js';
import { importModule } from '../native/dynamic-import.js';
import { type AnyDataset, isDataset } from './fetch.js';

/** A module whose export makes the dataset: a class, a function, or the dataset itself. */
export interface DatasetModule {
  /** A file's path (from the working directory) or URL: `new URL('./dataset.js', import.meta.url)`. */
  readonly module: FileName;
  /** What the class or function is given; structured-cloned into each worker. */
  readonly options?: unknown;
  /** Which export; default 'default'. */
  readonly exportName?: string;
}

export function isDatasetModule(value: unknown): value is DatasetModule {
  return (
    typeof value === 'object' &&
    value !== null &&
    'module' in value &&
    (typeof value.module === 'string' || value.module instanceof URL) &&
    !isDataset(value)
  );
}

/** The module's URL as text, which a message to a worker can carry. */
export function urlOf(module: FileName): string {
  if (typeof module !== 'string') return module.href;
  return /^(file|data|node):/.test(module) ? module : pathToFileURL(path.resolve(module)).href;
}

/** A module and which of its exports is meant. */
export interface ModuleSpec {
  readonly module: FileName;
  /** Default 'default'. */
  readonly exportName?: string;
}
export function isModuleSpec(value: unknown): value is ModuleSpec | FileName {
  return typeof value === 'string' || value instanceof URL || isDatasetModule(value);
}
/** The same as a message to a worker can carry it. */
export function moduleSpec(value: ModuleSpec | FileName): { module: string; exportName: string } {
  if (typeof value === 'string' || !('module' in value)) return { module: urlOf(value), exportName: 'default' };
  return { module: urlOf(value.module), exportName: value.exportName ?? 'default' };
}

/** What the module exports under the name. */
export async function exportOf({ module, exportName = 'default' }: ModuleSpec): Promise<unknown> {
  const url = urlOf(module);
  const exports = (await importModule(url).catch((cause: unknown) => {
    throw new ArgumentError(
      `DataLoader: expected a module that can be imported from ${url}, got ` +
        `${cause instanceof Error ? cause.message : describe(cause)}`,
      { cause },
    );
  })) as Record<string, unknown>;
  // A CommonJS module that was compiled from ES exports has them one level down.
  const inner = exports.default;
  if (exportName === 'default' && typeof inner === 'object' && inner !== null && 'default' in inner)
    return (inner as Record<string, unknown>).default;
  return exports[exportName];
}

/** Imports the module and makes the dataset. Throws ArgumentError where it exports none. */
export async function datasetOf(spec: DatasetModule): Promise<AnyDataset> {
  const { options, exportName = 'default' } = spec;
  const url = urlOf(spec.module);
  const made = await exportOf(spec);
  let dataset: unknown = made;
  if (typeof made === 'function') {
    const prototype: unknown = made.prototype;
    const isClass =
      typeof prototype === 'object' &&
      prototype !== null &&
      ('getItem' in prototype || Symbol.iterator in prototype || Symbol.asyncIterator in prototype);
    const isGenerator = /^(Async)?GeneratorFunction$/.test(made.constructor.name);
    dataset =
      isClass && !isGenerator
        ? new (made as new (options: unknown) => unknown)(options)
        : await (made as (options: unknown) => unknown)(options);
  }
  if (!isDataset(dataset))
    fail(
      ArgumentError,
      'DataLoader',
      `a dataset, or a class or function that makes one, as export ${JSON.stringify(exportName)} of ${url}`,
      describe(dataset),
    );
  return dataset;
}
