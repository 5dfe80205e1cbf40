/**
 * The declarations of dist/ as a user's TypeScript reads them: the ported programs, test/types/ and the lines of
 * docs/porting.md, compiled in a project of its own with the oldest compiler that is supported, the newest, and those
 * between, strict, with the declarations checked (`skipLibCheck: false`), with the libraries of ES2020 and without
 * Node's types.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as nodegrad from '../../lib/index.js';
import { camelCase } from '../../scripts/compatibility.js';
import { lines, loopProgram, programOf, traps } from './porting-page.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

const NODE16 = { module: 'node16', moduleResolution: 'node16' };
const BUNDLER = { module: 'esnext', moduleResolution: 'bundler' };
const COMMONJS = { module: 'commonjs', moduleResolution: 'node10' };
const WITH_NODE = { types: ['node'], typeRoots: [path.join(root, 'node_modules', '@types')] };

/**
 * The package of each compiler, and the projects that it compiles. TypeScript 7 has no node10, which 6 wants to be
 * asked for.
 */
const PROJECTS: [compiler: string, options: Record<string, unknown>][] = [
  ['typescript-5.4', { ...NODE16, exactOptionalPropertyTypes: true }],
  ['typescript-5.4', { ...COMMONJS, ...WITH_NODE }],
  ['typescript-5.6', { ...BUNDLER, exactOptionalPropertyTypes: true }],
  ['typescript-5.9', { ...NODE16, lib: ['ES2020', 'ESNext.Disposable'] }],
  ['typescript', { ...COMMONJS, ignoreDeprecations: '6.0', exactOptionalPropertyTypes: true }],
  ['typescript-7.0', { ...NODE16 }],
  ['typescript-7.0', { ...NODE16, exactOptionalPropertyTypes: true, ...WITH_NODE }],
  ['typescript-7.0', { ...BUNDLER, lib: ['ESNext', 'DOM'] }],
  ['typescript-7.0', { module: 'commonjs', moduleResolution: 'bundler', exactOptionalPropertyTypes: true }],
];

/** A module that names every method that a tensor has at run time: each is declared too, wherever its file is. */
function allMethods(): string {
  const { names } = JSON.parse(readFileSync(path.join(root, 'test', 'fixtures', 'torch-names.json'), 'utf8')) as {
    names: Record<string, string[]>;
  };
  const methods = names['torch.Tensor'].map(camelCase).filter((name) => name in nodegrad.Tensor.prototype);
  return (
    `import type { Tensor } from 'nodegrad';\nexport const methods = (x: Tensor): unknown[] => ` +
    `[\n${methods.map((name) => `x.${name},`).join('\n')}\n];\n`
  );
}

/** A module with every line of docs/porting.md in a function of its own. */
function portingLines(): string {
  const programs = [
    ...lines.map(({ nodegrad: code }) => programOf(code)),
    loopProgram,
    ...traps.map(({ meant }) => programOf(meant)),
  ];
  const functions = programs.map(
    (program, i) => `export async function line${i}(): Promise<unknown> {\n${program}\nreturn undefined;\n}`,
  );
  const used = Object.keys(nodegrad).filter(
    (name) => name !== 'var' && name !== 'Tensor' && new RegExp(`(?<![.'\\w])${name}\\b`).test(functions.join('\n')),
  );
  return (
    `import { ${used.join(', ')}, type Tensor } from 'nodegrad';\ndeclare const console: { log(...values: ` +
    `unknown[]): void };\ndeclare const path: string;\n${functions.join('\n')}\n`
  );
}

describe('the declarations of the package', () => {
  let folder: string;
  let programs: string[];

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-types-'));
    const installed = path.join(folder, 'node_modules', 'nodegrad');
    mkdirSync(installed, { recursive: true });
    cpSync(path.join(root, 'package.json'), path.join(installed, 'package.json'));
    cpSync(path.join(root, 'dist'), path.join(installed, 'dist'), {
      recursive: true,
      filter: (file) => !/\.(js|mjs|map)$/.test(file),
    });
    for (const source of ['test/e2e/ports', 'test/types'])
      for (const file of readdirSync(path.join(root, source)).filter((name) => name.endsWith('.ts')))
        cpSync(path.join(root, source, file), path.join(folder, file));
    writeFileSync(path.join(folder, 'porting.ts'), portingLines());
    writeFileSync(path.join(folder, 'methods.ts'), allMethods());
    programs = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const needsNode = (file: string): boolean => /from 'node:/.test(readFileSync(path.join(folder, file), 'utf8'));

  for (const [compiler, options] of PROJECTS)
    it(`compile with ${compiler}: ${JSON.stringify({ ...options, typeRoots: undefined })}`, () => {
      const files = programs.filter((file) => 'types' in options || !needsNode(file));
      const config = {
        compilerOptions: {
          target: 'ES2020',
          lib: ['ES2020'],
          types: [],
          strict: true,
          skipLibCheck: false,
          noEmit: true,
          ...options,
        },
        files,
      };
      writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
      const result = spawnSync(
        process.execPath,
        [path.join(root, 'node_modules', compiler, 'bin', 'tsc'), '--project', folder],
        { cwd: folder, encoding: 'utf8' },
      );
      expect(result.stdout + result.stderr).to.equal('');
      expect(result.status).to.equal(0);
    }).timeout(300_000);
});
