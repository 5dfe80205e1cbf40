/** Files as callers name them: a path or a file: URL. It reads and writes nothing. */
import { fileURLToPath } from 'node:url';
import { ArgumentError, describe, fail } from './errors.js';

/**
 * A URL object. Spelt out, since TypeScript knows the name `URL` only where a project has the types of Node or of
 * browsers.
 */
export interface FileURL {
  readonly href: string;
  readonly protocol: string;
  readonly pathname: string;
}
/**
 * A path, relative to the working directory or absolute, or a file: URL such as `new URL('./weights.pt',
 * import.meta.url)`.
 */
export type FileName = string | FileURL;

/** The path of a file name. Throws ArgumentError for an empty path, a URL that is no file's, and anything else. */
export function filePath(op: string, file: FileName): string {
  if (typeof file === 'string' && file !== '') return file;
  if (!(file instanceof URL)) fail(ArgumentError, op, 'a path or a file: URL', describe(file));
  if (file.protocol !== 'file:') fail(ArgumentError, op, 'a path or a file: URL', file.href);
  return fileURLToPath(file);
}
