/**
 * What a process that makes calls has in common with every other: it writes the number of each call before it makes it,
 * so that a death is laid to the right one, and a line for each finding. Arguments: SEED FROM TO [--tell].
 */
import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import type { Finding } from './judge.js';

// As in a container of 2 GiB: what is too large is refused before it takes memory that others need. The library must
// load after this.
os.totalmem = () => 2 ** 31;
process.constrainedMemory = () => 2 ** 31 - 1;
syncBuiltinESMExports();

/** Judges one call, and tells what it is before it is made. */
export type Judge = (seed: number, number: number, tell: (text: string) => void) => Promise<Finding | null>;

function say(line: string): void {
  writeSync(3, `${line}\n`);
}

/** Makes the calls that the arguments ask for. */
export async function serve(judge: Judge): Promise<void> {
  const [seed, from, to] = process.argv.slice(2, 5).map(Number);
  const telling = process.argv.includes('--tell');
  for (let number = from; number < to; number++) {
    say(`call ${number}`);
    const finding = await judge(seed, number, (text) => {
      if (telling) say(`text ${text}`);
    });
    if (finding !== null) say(`found ${JSON.stringify({ number, ...finding })}`);
    // The process is spent: the next one begins with fresh memory.
    if (finding?.kind === 'memory') break;
  }
  process.exit(0);
}
