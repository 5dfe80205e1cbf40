#!/usr/bin/env node
// Keeps the library's code as V8 compiled it, for this Node, once dist/ and the addon are both there. Loading works
// without: a failure is said, no more.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export function keepCodeCache() {
  const library = path.join(root, 'dist', 'library.js');
  if (!existsSync(library) || !existsSync(path.join(root, 'build', 'Release', 'nodegrad.node'))) return;
  try {
    createRequire(import.meta.url)(path.join(root, 'dist', 'code-cache.js')).writeCodeCache(library);
  } catch (error) {
    console.error(`nodegrad: no code cache was written, so that loading takes longer: ${error.message}`);
  }
}
