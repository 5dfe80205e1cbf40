/**
 * Checks that may kill or hang their process: they run in child processes, so that the one at fault is named and the
 * others still run.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

/** Throws what is wrong. Before each step it calls `at`, so that a step that kills the process is known. */
export interface Check {
  readonly name: string;
  run(at: (step: string) => void): void;
}

/**
 * What a child writes, a line each: it begins a check, comes to a step, or is done with a check, with a complaint where
 * something is wrong.
 */
export type Line =
  | { readonly begin: number }
  | { readonly step: string }
  | { readonly done: number; readonly complaint: string | null };

const here = path.dirname(fileURLToPath(import.meta.url));

interface Run {
  /** The check that did not end; -1 where all did. */
  readonly broken: number;
  readonly reason: string;
}

/**
 * Runs the checks of a module from number `from` on in one child; stores complaints until one check ends the child, or
 * writes nothing for so long.
 */
function runChild(module: string, from: number, patience: number, complaints: (string | null)[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', path.join(here, 'checks-main.ts'), module, String(from)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let [current, step, rest, hung] = [-1, '', '', false];
    const alarm = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, patience);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() as string;
      for (const line of lines.map((l) => JSON.parse(l) as Line)) {
        if ('begin' in line) [current, step] = [line.begin, ''];
        else if ('step' in line) step = line.step;
        else {
          complaints[line.done] = line.complaint;
          current = -1;
        }
      }
      alarm.refresh();
    });
    child.on('close', (code, signal) => {
      clearTimeout(alarm);
      const end = hung ? `did nothing for ${patience / 1000} s` : `ended the process with ${signal ?? `code ${code}`}`;
      resolve({
        broken: code === 0 && !hung ? -1 : Math.max(current, from),
        reason: `${end} at ${step || 'its beginning'}`,
      });
    });
  });
}

/**
 * Declares a test for each check that the module (a file beside this one) exports as `checks`. All run in the child
 * processes that the first test starts; a child that ends early or is silent for `patience` milliseconds is followed by
 * one that begins with the next check.
 */
export function describeChecks(title: string, module: string, checks: readonly Check[], patience: number): void {
  describe(title, function () {
    this.timeout(0);
    const complaints = new Array<string | null>(checks.length).fill('did not run');
    before(async () => {
      for (let from = 0; from < checks.length; ) {
        const { broken, reason } = await runChild(path.join(here, module), from, patience, complaints);
        if (broken < 0) return;
        complaints[broken] = reason;
        from = broken + 1;
      }
    });
    checks.forEach((check, i) => {
      it(check.name, () => {
        if (complaints[i] !== null) expect.fail(complaints[i]);
      });
    });
  });
}
