#!/usr/bin/env node
// Bundles one TypeScript entry into one CommonJS file, the way the package ships. Usage: node scripts/bundle.mjs ENTRY OUTFILE
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export async function bundle(entry, outfile) {
  await build({
    entryPoints: [entry],
    outfile,
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
  });
}

if (argv[1] === fileURLToPath(import.meta.url)) await bundle(argv[2], argv[3]);
