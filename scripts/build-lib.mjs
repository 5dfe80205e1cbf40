#!/usr/bin/env node
// Builds dist/: one CommonJS bundle (so that `import` and `require` share one instance of the library), an ES module that
// re-exports it, and the type declarations.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const options = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  // Classes keep their names in errors and in printed modules.
  keepNames: true,
  sourcemap: true,
  packages: 'external',
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
};
await build({ ...options, entryPoints: [path.join(root, 'lib', 'index.ts')], outfile: path.join(dist, 'index.js') });
// The entry of DataLoader's worker threads; it loads index.js at run time, so that there is one instance of the library.
await build({ ...options, entryPoints: [path.join(root, 'lib', 'data', 'worker.ts')], outfile: path.join(dist, 'data-worker.js') });
writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');
writeFileSync(path.join(dist, 'index.mjs'), "export * from './index.js';\n");
writeFileSync(path.join(dist, 'index.d.mts'), "export * from './index.js';\n");

const tsc = spawnSync(path.join(root, 'node_modules', '.bin', 'tsc'), ['--project', path.join(root, 'tsconfig.build.json')], { cwd: root, stdio: 'inherit' });
process.exit(tsc.status ?? 1);
