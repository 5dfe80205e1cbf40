/**
 * Single kernels against the machine's limits. Usage: npm run bench -- kernels [gemm] [conv] [bandwidth] [threads]
 * [import] [--against torch] [--python FILE] [--rounds N] [--seconds S] [--json FILE] The limits (multiply-adds in
 * registers, a triad over memory, OpenBLAS called from C) come from machine.cc; every side runs in processes of its
 * own, in turn, several rounds, and the medians count. Variables that pin an OpenBLAS kernel are unset for all.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundled, env, root } from '../process.js';
import { findPython } from '../python.js';
import { inTurn, median, type Numbers } from '../timing.js';
import { BANDWIDTH, CONVOLUTIONS, flops, GEMMS, PASSES } from './cases.js';
import { measureMachine } from './machine.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const SECTIONS = ['gemm', 'conv', 'bandwidth', 'threads', 'import'];
const { values: args, positionals } = parseArgs({
  args: process.argv.slice(3),
  allowPositionals: true,
  options: {
    against: { type: 'string' },
    python: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '0.3' },
    json: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !SECTIONS.includes(name));
if (unknown !== undefined) throw new Error(`no section ${unknown}; there are ${SECTIONS.join(', ')}`);
if (args.against !== undefined && args.against !== 'torch')
  throw new Error(`--against: expected torch, got ${args.against}`);
const python = args.against === undefined ? undefined : findPython(args.python);
const rounds = Number(args.rounds);
const seconds = Number(args.seconds);
const threads = availableParallelism();
const wants = (section: string): boolean => positionals.length === 0 || positionals.includes(section);

const program = bundled('kernels/measure.ts', 'measure.cjs');

function ours(count: number, section: string, names: readonly string[]): Numbers {
  const out = execFileSync(process.execPath, [program, args.seconds, section, ...names], {
    encoding: 'utf8',
    env: { ...env, NODEGRAD_NUM_THREADS: String(count) },
  });
  return JSON.parse(out) as Numbers;
}
function theirs(section: string, names: readonly string[]): Numbers {
  const out = execFileSync(
    python as string,
    [path.join(here, '..', 'torch_kernels.py'), String(threads), args.seconds, section, ...names],
    { encoding: 'utf8', env },
  );
  return JSON.parse(out) as Numbers;
}
const tables: Record<string, Record<string, unknown>[]> = {};
function table(title: string, rows: Record<string, number | string>[]): void {
  tables[title] = rows;
  const columns = Object.keys(rows[0]);
  console.log(`\n${title}\n\n| ${columns.join(' | ')} |\n|${' --- |'.repeat(columns.length)}`);
  const shown = (value: number | string): string => (typeof value === 'number' ? value.toPrecision(3) : value);
  for (const row of rows) console.log(`| ${columns.map((c) => shown(row[c])).join(' | ')} |`);
}

const limits = [1, threads].map((count) => measureMachine(count, Math.max(1, seconds), ['peak', 'triad'], env));
const peak = limits[1].peak as number;
table('The machine', [
  { limit: 'multiply-adds in registers, GF/s', 'one thread': limits[0].peak, [`${threads} threads`]: peak },
  { limit: 'triad over memory, GB/s', 'one thread': limits[0].triad, [`${threads} threads`]: limits[1].triad },
]);
console.log(`\n${cpus()[0].model.trim()}, ${threads} threads; ${limits[0].config}; Node ${process.version}`);

/** GF/s by name. */
function rates(list: Numbers, floating: (name: string) => number): Numbers {
  return Object.fromEntries(Object.entries(list).map(([name, time]) => [name, floating(name) / time / 1e9]));
}

if (wants('gemm')) {
  const raw = (): Numbers => measureMachine(threads, seconds, GEMMS, env) as unknown as Numbers;
  const [c, mine, torch] = inTurn(
    [
      () => Object.fromEntries(Object.entries(raw()).filter(([name]) => GEMMS.includes(name))),
      () => rates(ours(threads, 'gemm', GEMMS), flops),
      ...(python === undefined ? [] : [() => rates(theirs('gemm', GEMMS), flops)]),
    ],
    rounds,
  );
  table(
    `Matrix products, ${threads} threads, GF/s`,
    GEMMS.map((name) => ({
      'm x k x n': name,
      nodegrad: mine[name],
      'OpenBLAS from C': c[name],
      'of OpenBLAS': mine[name] / c[name],
      'of the peak': mine[name] / peak,
      ...(torch === undefined ? {} : { PyTorch: torch[name], 'of PyTorch': mine[name] / torch[name] }),
    })),
  );
}

if (wants('conv')) {
  const names = CONVOLUTIONS.flatMap((shape) => PASSES.map((pass) => `${shape} | ${pass}`));
  const floating = (name: string): number => flops(name.split(' | ')[0]);
  const [mine, torch] = inTurn(
    [
      () => rates(ours(threads, 'conv', names), floating),
      ...(python === undefined ? [] : [() => rates(theirs('conv', names), floating)]),
    ],
    rounds,
  );
  table(
    `Convolutions 3x3, padding 1, ${threads} threads, GF/s`,
    names.map((name) => ({
      'n, c, k, size': name.split(' | ')[0],
      pass: name.split(' | ')[1],
      nodegrad: mine[name],
      'of the peak': mine[name] / peak,
      ...(torch === undefined ? {} : { PyTorch: torch[name], 'of PyTorch': mine[name] / torch[name] }),
    })),
  );
}

if (wants('bandwidth')) {
  const names = Object.keys(BANDWIDTH);
  const bytes = (name: string): number => 4 * BANDWIDTH[name].elements;
  const [{ triad }, mine, torch] = inTurn(
    [
      () => ({ triad: measureMachine(threads, Math.max(1, seconds), ['triad'], env).triad as number }),
      () => ours(threads, 'bandwidth', names),
      ...(python === undefined ? [] : [() => theirs('bandwidth', names)]),
    ],
    rounds,
  );
  table(
    `Arrays beyond the cache, ${threads} threads, triad in the same minutes ${triad.toPrecision(3)} GB/s`,
    names.map((name) => {
      const least = bytes(name) / (triad * 1e9);
      return {
        operation: name,
        MB: bytes(name) / 1e6,
        ms: mine[name] * 1000,
        'times its traffic': mine[name] / least,
        'of the triad': least / mine[name],
        ...(torch === undefined ? {} : { 'PyTorch ms': torch[name] * 1000, speed: torch[name] / mine[name] }),
      };
    }),
  );
}

if (wants('threads')) {
  const products = GEMMS.filter((name) => flops(name) >= 2 ** 31);
  const passes = CONVOLUTIONS.flatMap((shape) => PASSES.map((pass) => `${shape} | ${pass}`));
  const [one, many] = inTurn(
    [1, threads].map((count) => () => ({ ...ours(count, 'gemm', products), ...ours(count, 'conv', passes) })),
    rounds,
  );
  table(
    `${threads} threads against one`,
    [...products, ...passes].map((name) => ({
      what: name.replace(' |', ','),
      'ms on one': one[name] * 1000,
      [`ms on ${threads}`]: many[name] * 1000,
      gain: one[name] / many[name],
    })),
  );
}

if (wants('import')) {
  const program =
    "const [t, m] = [performance.now(), process.memoryUsage.rss()]; await import('nodegrad'); " +
    'console.log(JSON.stringify({ ms: performance.now() - t, MB: (process.memoryUsage.rss() - m) / 2 ** ' +
    '20 }))';
  const runs = Array.from({ length: 3 + 2 * rounds }, () => {
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
      env,
      cwd: root,
    });
    return JSON.parse(out) as Numbers;
  });
  table("import 'nodegrad'", [
    { what: 'median', ms: median(runs.map((r) => r.ms)), 'MB added': median(runs.map((r) => r.MB)) },
  ]);
}

if (args.json !== undefined) {
  const date = new Date().toISOString().slice(0, 10);
  const report = { node: process.version, cpu: cpus()[0].model, threads, date, tables };
  writeFileSync(args.json, `${JSON.stringify(report, null, 1)}\n`);
}
