/**
 * Calls of single operators against PyTorch's, forward and backward, from the worst ratio on. Usage: npm run bench --
 * operators [PART OF A CASE...] [--python FILE] [--rounds N] [--seconds S] [--json FILE] cases.txt has the list. The
 * sides take turns, each in processes of its own, several rounds, and the medians count. Variables that pin an OpenBLAS
 * kernel are unset for both.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundled, env, root } from '../process.js';
import { findPython } from '../python.js';
import { geometricMean, inTurn, type Numbers } from '../timing.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: args, positionals } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: {
    python: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0.05' },
    json: { type: 'string' },
  },
});
const python = findPython(args.python);
const threads = String(availableParallelism());

const program = bundled('operators/measure.ts', 'operators.cjs');

const lines = readFileSync(path.join(here, 'cases.txt'), 'utf8').split('\n');
const cases = lines.filter(
  (line) =>
    line !== '' &&
    !line.startsWith('#') &&
    (positionals.length === 0 || positionals.some((part) => line.includes(part))),
);
if (cases.length === 0) throw new Error(`no case with ${positionals.join(' or ')}`);
const file = path.join(root, 'build', 'bench', 'operators.txt');
writeFileSync(file, cases.join('\n'));

/**
 * V8 compiles what runs often, on a processor that the kernels then lack: both sides call for so many seconds before
 * they take time.
 */
const WARM_UP = '0.4';
const run = (command: string, ...argv: string[]): Numbers =>
  JSON.parse(
    execFileSync(command, [...argv, args.seconds, WARM_UP, file], {
      encoding: 'utf8',
      env: { ...env, NODEGRAD_NUM_THREADS: threads },
    }),
  ) as Numbers;
const [mine, torch] = inTurn(
  [() => run(process.execPath, program), () => run(python, path.join(here, '..', 'torch_operators.py'), threads)],
  Number(args.rounds),
);

const different = [...Object.keys(mine), ...Object.keys(torch)].find((name) => !(name in mine && name in torch));
if (different !== undefined) throw new Error(`only one side has measured ${different}`);
const rows = Object.keys(mine)
  .map((name) => ({ name, us: mine[name] * 1e6, torchUs: torch[name] * 1e6, speed: torch[name] / mine[name] }))
  .sort((a, b) => a.speed - b.speed);
console.log('| call | us | PyTorch us | speed |\n| --- | --- | --- | --- |');
for (const { name, us, torchUs, speed } of rows)
  console.log(`| ${name} | ${us.toPrecision(3)} | ${torchUs.toPrecision(3)} | ${speed.toFixed(2)} x |`);
const below = rows.filter((row) => row.speed < 1).length;
console.log(
  `\n${rows.length} calls, ${below} slower than PyTorch's; geometric mean of the speed ratios: ` +
    `${geometricMean(rows.map((row) => row.speed)).toFixed(2)} x`,
);
console.log(`${cpus()[0].model.trim()}, ${threads} threads; Node ${process.version}`);
if (args.json !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  const report = { node: process.version, cpu: cpus()[0].model, threads, date, rows };
  writeFileSync(args.json, `${JSON.stringify(report, null, 1)}\n`);
}
