/**
 * The process that makes the calls. It writes the number of each call before it makes it, so that a death is laid to the right one, and a line
 * for each finding. Usage: worker.ts SEED FROM TO [--tell]; it changes into an empty directory of its own, which is what files are written to.
 */
import { writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

// As on a machine of 1 GiB: what is too large is refused before it takes memory that others need.
os.totalmem = () => 2 ** 30;
syncBuiltinESMExports();

const [seed, from, to] = process.argv.slice(2, 5).map(Number);
const telling = process.argv.includes('--tell');
const { judge } = await import('./judge.js');
const say = (line: string): void => {
  writeSync(3, `${line}\n`);
};
for (let number = from; number < to; number++) {
  say(`call ${number}`);
  const finding = await judge(seed, number, telling ? (text) => say(`text ${text}`) : undefined);
  if (finding !== null) say(`found ${JSON.stringify({ number, ...finding })}`);
  // The process is spent: the next one begins with fresh memory.
  if (finding?.kind === 'memory') process.exit(0);
}
process.exit(0);
