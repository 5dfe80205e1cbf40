/**
 * A part of the checks that are too long for every commit, chosen by a seed, so that each commit runs another part: the
 * sanitizer build at one SIMD level over a quarter of the suite, and a quarter of the mutations.
 * Usage: npm run test:sample [-- SEED]; the seed is the commit's hash by default.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { addon } from '../lib/native/addon.js';
import { buildSanitized } from './sanitizer.js';

const SHARE = 4;
const MUTATIONS = 600;
const LEVELS = ['scalar', 'avx2', 'avx512'];

const seed = process.argv[2] ?? execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
// On a processor without SIMD levels of our own (the addon then names its own level), scalar is the only one.
const levels = LEVELS.slice(0, Math.max(1, LEVELS.indexOf(addon.simdLevel) + 1));
const level = levels[createHash('sha256').update(seed).digest().readUInt32BE() % levels.length];

function run(script: string, args: string[], env: Record<string, string> = {}): boolean {
  const command = ['--import', 'tsx', `scripts/${script}`, ...args];
  return spawnSync(process.execPath, command, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

console.log(`sample of ${seed}: sanitizers at ${level}, one test in ${SHARE}; ${MUTATIONS} mutations`);
const sanitized = run('sample-tests.ts', [seed, String(SHARE)], buildSanitized(level));
console.log('');
const mutated = run('mutate.ts', ['--sample', seed, String(MUTATIONS)]);
process.exit(sanitized && mutated ? 0 : 1);
