#!/usr/bin/env node
// Formats and lints TypeScript (Biome) and C++ (clang-format), and finds lines of more than 120 columns in every file.
// With --write it mends what it can, else it only reports.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const write = process.argv.includes('--write');
const bin = (name) => path.join(root, 'node_modules', '.bin', name);
const run = (name, args) => spawnSync(bin(name), args, { cwd: root, stdio: 'inherit' }).status === 0;

const sources = ['native', 'bench'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => path.join(folder, file)),
);
const typescript = run('biome', ['check', '--error-on-warnings', ...(write ? ['--write'] : [])]);
const cpp = run('clang-format', write ? ['-i', ...sources] : ['--dry-run', '--Werror', ...sources]);

const COLUMNS = 120;
const TEXT = /\.(ts|mjs|cc|h|py|sh|md|txt|gyp|json)$|^\.ci\/run$/;
/** Folders that hold no source of ours, and files that programs write. */
const LEFT_OUT =
  /^(node_modules|build[^/]*|dist|runs|\.git|test\/fixtures|docs\/compatibility\.md|package-lock\.json)(\/|$)/;
/** A row of a Markdown table, a regular expression: they cannot be broken. */
const UNBREAKABLE = /^\s*(\||\/[^/*])/;

function* filesIn(folder) {
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = path.posix.join(folder, entry.name);
    if (LEFT_OUT.test(file)) continue;
    if (entry.isDirectory()) yield* filesIn(file);
    else if (TEXT.test(file)) yield file;
  }
}

let short = true;
for (const file of filesIn('.')) {
  readFileSync(path.join(root, file), 'utf8')
    .split('\n')
    .forEach((line, i) => {
      if (line.length <= COLUMNS || UNBREAKABLE.test(line)) return;
      console.error(`${file}:${i + 1}: ${line.length} columns, at most ${COLUMNS} are allowed`);
      short = false;
    });
}
process.exit(typescript && cpp && short ? 0 : 1);
