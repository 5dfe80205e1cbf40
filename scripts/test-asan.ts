/**
 * Runs the suite, or the test files that are named, on an addon built with AddressSanitizer and UBSan.
 * Usage: npm run test:asan [-- FILE...]
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { buildSanitized } from './sanitizer.js';

const files = process.argv.length > 2 ? process.argv.slice(2) : ['test/**/*.test.ts'];
const mocha = createRequire(import.meta.url).resolve('mocha/bin/mocha.js');
const env = { ...process.env, ...buildSanitized() };
const { status } = spawnSync(process.execPath, [mocha, ...files], { stdio: 'inherit', env });
process.exit(status ?? 1);
