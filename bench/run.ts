/**
 * The speed comparison (`npm run bench -- kernels` goes to kernels/run.ts). Usage: npm run bench [-- WORKLOAD...]
 * [--against torch] [--python FILE] [--rounds N] [--json FILE] Each workload runs in a process of its own; with
 * --against torch the two sides take turns, several rounds, and the ratios of medians and of peak memory are added.
 * Ours runs from one file of plain JavaScript, as a program with the package does. Variables that pin an OpenBLAS
 * kernel are unset for both sides.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NETWORKS } from './networks.js';
import { bundled, env } from './process.js';
import { findPython } from './python.js';
import { geometricMean, median } from './timing.js';
import { WORKLOADS } from './workloads.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    python: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string' },
  },
});

interface Result {
  readonly workload: string;
  readonly median_s: number;
  readonly peak_rss_mb: number;
}

const program = bundled('run-one.ts', 'run-one.cjs');

function last(output: string): Result {
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Result;
}
function ours(name: string): Result {
  return last(execFileSync(process.execPath, [program, name], { encoding: 'utf8', env }));
}
function theirs(python: string, name: string): Result {
  return last(execFileSync(python, [path.join(here, 'torch_workloads.py'), name], { encoding: 'utf8', env }));
}

const unknown = positionals.find((name) => !(name in WORKLOADS));
if (unknown !== undefined) throw new Error(`no workload ${unknown}; there are ${Object.keys(WORKLOADS).join(', ')}`);
if (args.against !== undefined && args.against !== 'torch')
  throw new Error(`--against: expected torch, got ${args.against}`);
const python = args.against === undefined ? undefined : findPython(args.python);
const rounds = Number(args.rounds);
const rows: Record<string, unknown>[] = [];
console.log(
  '| workload | ms a step | steps a second | peak MB ' +
    `|${python === undefined ? '' : ' PyTorch ms | PyTorch MB | speed | memory |'}`,
);
console.log(`| --- | --- | --- | --- |${python === undefined ? '' : ' --- | --- | --- | --- |'}`);
for (const name of positionals.length > 0 ? positionals : Object.keys(WORKLOADS)) {
  const mine: Result[] = [];
  const other: Result[] = [];
  for (let round = 0; round < (python === undefined ? 1 : rounds); round++) {
    mine.push(ours(name));
    if (python !== undefined) other.push(theirs(python, name));
  }
  const ms = median(mine.map((r) => r.median_s)) * 1000;
  const mb = median(mine.map((r) => r.peak_rss_mb));
  let line = `| ${name} | ${ms.toPrecision(3)} | ${(1000 / ms).toPrecision(3)} | ${mb} |`;
  const row: Record<string, unknown> = { workload: name, ms, mb };
  if (python !== undefined) {
    const torchMs = median(other.map((r) => r.median_s)) * 1000;
    const torchMb = median(other.map((r) => r.peak_rss_mb));
    Object.assign(row, { torchMs, torchMb, speed: torchMs / ms, memory: mb / torchMb });
    line +=
      ` ${torchMs.toPrecision(3)} | ${torchMb} | ${(torchMs / ms).toFixed(2)} x | ` +
      `${(mb / torchMb).toFixed(2)} x |`;
  }
  rows.push(row);
  console.log(line);
}
if (python !== undefined) {
  const mean = (list: readonly Record<string, unknown>[]): string =>
    `${geometricMean(list.map((row) => row.speed as number)).toFixed(2)} x`;
  const first = rows.filter((row) => !((row.workload as string) in NETWORKS));
  console.log(
    `\ngeometric mean of the speed ratios: ` +
      `${mean(rows)}${first.length > 0 && first.length < rows.length ? `; of the first eight: ${mean(first)}` : ''}`,
  );
}
if (args.json !== undefined)
  writeFileSync(
    args.json,
    `${JSON.stringify({ node: process.version, date: new Date().toISOString().slice(0, 10), rows }, null, 1)}\n`,
  );
