#!/usr/bin/env node
// Formats and lints TypeScript (Biome) and C++ (clang-format). With --write it mends what it can, else it only reports.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
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
process.exit(typescript && cpp ? 0 : 1);
