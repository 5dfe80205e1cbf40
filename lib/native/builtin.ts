/**
 * Modules of Node's that few programs need, loaded when they are asked for: each takes some milliseconds of a program's
 * start.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export const v8 = (): typeof import('node:v8') => require('node:v8') as typeof import('node:v8');
export const zlib = (): typeof import('node:zlib') => require('node:zlib') as typeof import('node:zlib');
export const workerThreads = (): typeof import('node:worker_threads') =>
  require('node:worker_threads') as typeof import('node:worker_threads');
