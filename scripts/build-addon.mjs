#!/usr/bin/env node
// Builds the native addon with cmake-js, from the headers of node-api-headers: nothing is downloaded.
// Usage: node scripts/build-addon.mjs [--sanitize [--level scalar|avx2|avx512]]
// --sanitize builds with AddressSanitizer and UBSan into build-asan/; with --level, scalar and that one SIMD level into
// build-asan-LEVEL/.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { keepCodeCache } from './code-cache.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { sanitize, level } = parseArgs({
  options: { sanitize: { type: 'boolean', default: false }, level: { type: 'string' } },
}).values;
const require = createRequire(import.meta.url);
const cmakeJs = path.join(path.dirname(require.resolve('cmake-js/package.json')), 'bin', 'cmake-js');

const args = [
  cmakeJs,
  'compile',
  '--directory',
  root,
  '--out',
  path.join(root, sanitize ? `build-asan${level === undefined ? '' : `-${level}`}` : 'build'),
  '--parallel',
  String(cpus().length),
];
if (sanitize) args.push('--CDNODEGRAD_SANITIZE=ON');
const env = level === undefined ? process.env : { ...process.env, NODEGRAD_LEVELS: level === 'scalar' ? '' : level };
const result = spawnSync(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
if (result.status !== 0) {
  console.error('\nnodegrad: the native addon was not built; the message above says why.');
  console.error(
    'It needs a C++17 compiler, cmake, OpenBLAS and SLEEF. In a clone, scripts/setup.sh installs them; as ' +
      'a dependency:',
  );
  console.error('  apt-get install g++ cmake make pkg-config libopenblas-dev libsleef-dev');
}
if (result.status === 0 && !sanitize) keepCodeCache();
process.exit(result.status ?? 1);
