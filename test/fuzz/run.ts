/**
 * Runs calls in processes of their own, one after the other, at one SIMD level each, and gathers what was found: also
 * deaths and hangs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { addon } from '../../lib/native/addon.js';
import type { Finding } from './judge.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const LEVELS = ['scalar', 'avx2', 'avx512'];
/** Calls of one process: few enough that memory of one call is soon given back. */
const BATCH = 2000;

export interface FuzzOptions {
  readonly seed: number;
  readonly seconds: number;
  /** The first call; default 0. */
  readonly from?: number;
  /** How many calls at most. */
  readonly calls?: number;
  readonly level?: string;
  /** Environment of the processes: the sanitizers'. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds of the clock that a call may take. */
  readonly limit?: number;
  /** The file of the process; default: the one that makes the calls of the seed. */
  readonly worker?: string;
  readonly onText?: (text: string) => void;
  readonly onFinding?: (found: FoundCall) => void;
}

export interface FoundCall extends Finding {
  readonly number: number;
  readonly level: string;
}

export interface FuzzReport {
  readonly calls: number;
  readonly levels: Readonly<Record<string, number>>;
  readonly found: readonly FoundCall[];
}

/** The SIMD levels that this processor has. */
export function levels(): string[] {
  const best = LEVELS.indexOf(addon.simdLevel);
  return best < 0 ? [addon.simdLevel] : LEVELS.slice(0, best + 1);
}

interface Round {
  /** The call that was begun last. */
  readonly last: number;
  readonly calls: number;
  readonly found: FoundCall[];
}

function runProcess(options: FuzzOptions, level: string, from: number, to: number, until: number): Promise<Round> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nodegrad-fuzz-'));
  const limit = (options.limit ?? 60) * 1000;
  return new Promise((resolve, reject) => {
    const args = [
      '--no-warnings',
      '--max-old-space-size=2048',
      '--import',
      TSX,
      path.join(here, options.worker ?? 'worker.ts'),
      String(options.seed),
      String(from),
      String(to),
    ];
    const child: ChildProcess = spawn(process.execPath, options.onText === undefined ? args : [...args, '--tell'], {
      cwd: directory,
      env: {
        ...process.env,
        TSX_TSCONFIG_PATH: path.join(here, '..', '..', 'tsconfig.json'),
        NODEGRAD_SIMD: level,
        ...options.env,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    let current = from - 1;
    let heard = Date.now();
    let rest = '';
    let errors = '';
    let ended: 'hang' | 'time' | null = null;
    const found: FoundCall[] = [];
    const timer = setInterval(() => {
      // Starting takes as long as it takes; what hangs is a call.
      if (current >= from && Date.now() - heard > limit) ended ??= 'hang';
      else if (Date.now() > until) ended ??= 'time';
      if (ended !== null) child.kill('SIGKILL');
    }, 100);
    child.stderr?.on('data', (data: Buffer) => {
      errors = (errors + data.toString()).slice(-4000);
    });
    (child.stdio[3] as Readable).on('data', (data: Buffer) => {
      heard = Date.now();
      const lines = (rest + data.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const body = line.slice(line.indexOf(' ') + 1);
        if (line.startsWith('call ')) current = Number(body);
        else if (line.startsWith('text ')) options.onText?.(body);
        else if (line.startsWith('found '))
          found.push({ ...(JSON.parse(body) as Finding & { number: number }), level });
      }
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(timer);
      rmSync(directory, { recursive: true, force: true });
      if (current < from && ended === null) {
        reject(new Error(`the process did not begin: exit ${code ?? signal}\n${errors}`));
        return;
      }
      const lost = (kind: string, detail: string): number =>
        found.push({ kind, name: '', text: '', detail, at: `${kind} ${current}`, number: current, level });
      if (ended === 'hang') lost('a call does not end', `${limit / 1000} s`);
      else if (ended === null && (signal !== null || code !== 0))
        lost('the process died', `${signal ?? `exit code ${code}`}\n${errors}`);
      resolve({ last: current, calls: Math.max(0, current - from + 1), found });
    });
  });
}

/**
 * The text of a call that its process did not live to report, from one more process that only says what it is about to
 * do.
 */
async function textOf(options: FuzzOptions, call: FoundCall): Promise<FoundCall> {
  let text = '';
  await runProcess(
    { ...options, limit: 2, onText: (line) => (text = line) },
    call.level,
    call.number,
    call.number + 1,
    Date.now() + 60_000,
  );
  return { ...call, text };
}

/** Makes calls until the time or their number is up. Each cause is reported once. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const until = Date.now() + options.seconds * 1000;
  const first = options.from ?? 0;
  const end = options.calls === undefined ? Number.POSITIVE_INFINITY : first + options.calls;
  const rotation = options.level === undefined ? levels() : [options.level];
  const counts: Record<string, number> = {};
  const causes = new Set<string>();
  const found: FoundCall[] = [];
  let calls = 0;
  let next = first;
  for (let round = 0; next < end && Date.now() < until; round++) {
    const level = rotation[round % rotation.length];
    const result = await runProcess(options, level, next, Math.min(next + BATCH, end), until);
    calls += result.calls;
    counts[level] = (counts[level] ?? 0) + result.calls;
    next = Math.max(next, result.last + 1);
    for (const one of result.found) {
      const cause = `${one.kind} ${one.at}`;
      if (causes.has(cause)) continue;
      causes.add(cause);
      const whole = one.text === '' ? await textOf(options, one) : one;
      found.push(whole);
      options.onFinding?.(whole);
    }
  }
  return { calls, levels: counts, found };
}
