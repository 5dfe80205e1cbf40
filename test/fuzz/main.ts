/**
 * The fuzzer: calls every public function, method, constructor and module with odd arguments, in processes of their
 * own, and reports what dies, hangs, or fails with anything but a typed error; each finding with the command that
 * replays it. Usage: npm run fuzz -- [--seconds N] [--seed S] [--call N] [--calls N] [--simd LEVEL] [--sanitize]
 */
import { parseArgs } from 'node:util';
import { buildSanitized } from '../../scripts/sanitizer.js';
import { type FoundCall, type FuzzOptions, fuzz } from './run.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    call: { type: 'string' },
    calls: { type: 'string' },
    simd: { type: 'string' },
    sanitize: { type: 'boolean', default: false },
  },
});

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: expected a whole number, got ${text}`);
  return value;
}

const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : whole('seed', values.seed);
const call = values.call === undefined ? undefined : whole('call', values.call);

function report(found: FoundCall): void {
  console.log(`\n${found.kind}: ${found.text || found.name}\n    ${found.detail}`);
  console.log(
    `    npm run fuzz -- --seed ${seed} --call ${found.number} --simd ` +
      `${found.level}${values.sanitize ? ' --sanitize' : ''}`,
  );
}

const options: FuzzOptions = {
  seed,
  seconds: call === undefined ? whole('seconds', values.seconds) : 3600,
  from: call,
  calls: call === undefined ? (values.calls === undefined ? undefined : whole('calls', values.calls)) : 1,
  level: values.simd,
  env: values.sanitize ? buildSanitized() : undefined,
  onText: call === undefined ? undefined : (text) => console.log(text),
  onFinding: report,
};
const { calls, levels, found } = await fuzz(options);
const counts = Object.entries(levels).map(([level, count]) => `${count} at ${level}`);
console.log(
  `\n${calls} calls (${counts.join(', ')}) from seed ${seed}: ` +
    `${found.length === 0 ? 'nothing found' : `${found.length} found`}`,
);
process.exit(found.length === 0 ? 0 : 1);
