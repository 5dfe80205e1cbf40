#!/usr/bin/env node
// Builds dist/: one CommonJS bundle (so that `import` and `require` share one instance of the library), an ES module
// that re-exports it, and the type declarations.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, exportsOf } from './bundle.mjs';
import { keepCodeCache } from './code-cache.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

await bundle(path.join(root, 'lib', 'index.ts'), path.join(dist, 'library.js'), 'dynamic-import.js');
for (const name of ['dynamic-import', 'code-cache'])
  await bundle(path.join(root, 'lib', 'native', `${name}.ts`), path.join(dist, `${name}.js`));
writeFileSync(
  path.join(dist, 'index.js'),
  "'use strict';\nmodule.exports = " +
    "require('./code-cache.js').runFromCodeCache(require.resolve('./library.js')) ?? " +
    "require('./library.js');\n",
);
// The entry of DataLoader's worker threads; it loads index.mjs at run time, so that there is one instance of the
// library.
await bundle(path.join(root, 'lib', 'data', 'worker.ts'), path.join(dist, 'data-worker.js'));
writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');
// Names are listed, since Node would otherwise read the whole bundle once more to find them.
const names = await exportsOf(path.join(root, 'lib', 'index.ts'));
// `var` is a word of the language, so that it takes two steps. To take them for every name costs a millisecond at each
// start.
const plain = names.filter((name) => name !== 'var');
const lines = [
  "import { createRequire } from 'node:module';",
  "const library = createRequire(import.meta.url)('./index.js');",
  `export const { ${plain.join(', ')} } = library;`,
  'const { var: variance } = library;',
  'export { variance as var };',
];
writeFileSync(path.join(dist, 'index.mjs'), `${lines.join('\n')}\n`);
writeFileSync(path.join(dist, 'index.d.mts'), "export * from './index.js';\n");

// By its own path: .bin/tsc may be one of the older compilers that the tests of the declarations install.
const compiler = path.join(root, 'node_modules', 'typescript-7.0', 'bin', 'tsc');
const tsc = spawnSync(process.execPath, [compiler, '--project', path.join(root, 'tsconfig.build.json')], {
  cwd: root,
  stdio: 'inherit',
});
keepCodeCache();
process.exit(tsc.status ?? 1);
