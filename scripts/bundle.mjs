#!/usr/bin/env node
// Bundles one TypeScript entry into one CommonJS file, the way the package ships. Usage: node scripts/bundle.mjs ENTRY
// OUTFILE
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const options = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: true,
  packages: 'external',
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/**
 * Names that bundling changed: two files may declare the same one. esbuild's keepNames sets the name of every function
 * and class while the bundle loads, which costs memory and a tenth of the time; only what was renamed needs it.
 */
async function renamed(entry) {
  const result = await build({
    ...options,
    entryPoints: [entry],
    outfile: 'named.js',
    sourcemap: false,
    keepNames: true,
    write: false,
  });
  const text = result.outputFiles[0].text;
  const functions = [...text.matchAll(/^__name\((\w+), "(\w+)"\);$/gm)].map(([, identifier, name]) => ({
    identifier,
    is: identifier,
    name,
  }));
  const classes = [
    ...text.matchAll(/^var (\w+) = class(?: (?!extends)(\w+))?[^{]*\{\n\s+static \{\n\s+__name\(this, "(\w+)"\);/gm),
  ].map(([, identifier, own, name]) => ({
    identifier,
    is: own ?? identifier,
    name,
  }));
  return [...functions, ...classes].filter(({ is, name }) => is !== name);
}

/** The names of the entry's exports. */
export async function exportsOf(entry) {
  const { metafile } = await build({
    ...options,
    entryPoints: [entry],
    format: 'esm',
    outfile: 'exports.js',
    sourcemap: false,
    metafile: true,
    write: false,
  });
  return Object.values(metafile.outputs)[0].exports;
}

/**
 * esbuild's helpers copy a module's names one by one behind getters, so that each may change later, a millisecond of
 * the start in all: the exports of the entry once more, and those of every module of Node's where it is imported.
 * Neither changes here. The lines stay, for the source map.
 */
function withoutCopies(text) {
  const helpers = [
    [/^var __toCommonJS = .*;$/m, 'var __toCommonJS = (mod) => __defProp(mod, "__esModule", { value: true });'],
    [/^var __toESM = [\s\S]*?^\)\);$/m, 'var __toESM = (mod) => ({ __proto__: mod, default: mod });'],
  ];
  return helpers.reduce(
    (result, [helper, short]) => result.replace(helper, (long) => short + '\n'.repeat(long.split('\n').length - 1)),
    text,
  );
}

/** `apart`: a file that the bundle loads from beside itself instead of containing it. */
export async function bundle(entry, outfile, apart) {
  const pairs = (await renamed(entry)).map(({ identifier, name }) => `[${identifier}, '${name}']`);
  const footer =
    `for (const [target, name] of [${pairs.join(', ')}]) Object.defineProperty(target, 'name', { value: ` +
    'name, configurable: true });';
  const plugin = {
    name: 'apart',
    setup: ({ onResolve }) =>
      onResolve({ filter: new RegExp(`/${apart}$`) }, () => ({ path: `./${apart}`, external: true })),
  };
  const made = await build({
    ...options,
    entryPoints: [entry],
    outfile,
    footer: { js: footer },
    plugins: apart === undefined ? [] : [plugin],
    write: false,
  });
  await mkdir(path.dirname(outfile), { recursive: true });
  for (const file of made.outputFiles)
    await writeFile(file.path, file.path.endsWith('.map') ? file.contents : withoutCopies(file.text));
}

if (argv[1] === fileURLToPath(import.meta.url)) await bundle(argv[2], argv[3]);
