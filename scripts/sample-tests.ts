/**
 * Runs one test in SHARE of the suite, chosen by the hash of the test's name and the seed.
 * Usage: node --import tsx scripts/sample-tests.ts SEED SHARE
 */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha, { type Suite } from 'mocha';

const [seed, share] = process.argv.slice(2);
const folder = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', 'test');

/** Tests that run no kernel (package, declarations, layers), and tests that start processes of their own. */
const LEFT_OUT = /^(e2e\/(package|types|workers)|fuzz|native\/code-cache|paths|structure)/;
/** A suite of more tests is a loop over samples. Its tests are chosen one by one; others may build on each other. */
const LOOP = 200;

function isChosen(name: string): boolean {
  const hash = createHash('sha256').update(`${seed} ${name}`).digest();
  return hash.readUInt32BE() % Number(share) === 0;
}

/** Keeps the chosen tests of a suite. Mocha runs no hooks of a suite without tests. */
function choose(suite: Suite): void {
  if (suite.tests.length > LOOP) suite.tests = suite.tests.filter((test) => isChosen(test.fullTitle()));
  else if (!isChosen(suite.fullTitle())) suite.tests = [];
  for (const inner of suite.suites) choose(inner);
}

// A sanitizer makes a test slower.
const mocha = new Mocha({ timeout: 240_000, reporter: 'dot' });
for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort())
  if (file.endsWith('.test.ts') && !LEFT_OUT.test(file)) mocha.addFile(path.join(folder, file));
await mocha.loadFilesAsync();
choose(mocha.suite);
mocha.run((failures) => process.exit(failures === 0 ? 0 : 1));
