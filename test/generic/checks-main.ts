/**
 * The child process of checks.ts: runs the checks of a module from a number on, and writes a line before and after
 * each.
 */
import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Check, Line } from './checks.js';

const [, , module, from] = process.argv;
/** Written at once, however long the reader takes: a process that dies leaves what it wrote. */
function say(line: Line): void {
  let rest = Buffer.from(`${JSON.stringify(line)}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

const { checks } = (await import(pathToFileURL(module).href)) as { checks: readonly Check[] };
for (let i = Number(from); i < checks.length; i++) {
  say({ begin: i });
  let complaint: string | null = null;
  try {
    checks[i].run((step) => say({ step }));
  } catch (error) {
    complaint = (error as Error).message;
  }
  say({ done: i, complaint });
}
