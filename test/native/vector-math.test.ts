/**
 * The mathematical functions on every SIMD level that the machine has: within 4 units in the last place everywhere, and
 * whatever the layout.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Report } from './vector-math-main.js';

const here = path.dirname(fileURLToPath(import.meta.url));

async function reportOf(level: string): Promise<Report> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', path.join(here, 'vector-math-main.ts')],
    {
      cwd: path.resolve(here, '..', '..'),
      encoding: 'utf8',
      env: { ...process.env, NODEGRAD_SIMD: level },
    },
  );
  return JSON.parse(stdout, (_, value: unknown) => (value === null ? Number.POSITIVE_INFINITY : value)) as Report;
}

describe('mathematical functions', () => {
  for (const level of ['scalar', 'avx2', 'avx512']) {
    it(
      `with NODEGRAD_SIMD=${level} are within 4 units in the last place, and their bits do not depend on ` +
        'the layout',
      async function () {
        const report = await reportOf(level);
        if (report.level !== level && level !== 'scalar') {
          console.log(`      skipped: the addon or the processor has no ${level}`);
          this.skip();
        }
        for (const [type, functions] of Object.entries({ float32: report.float32, float64: report.float64 })) {
          expect(Object.keys(functions).length).to.be.at.least(22);
          for (const [name, worst] of Object.entries(functions))
            expect(worst.ulps, `${name} of ${type} (${worst.at})`).to.be.at.most(name === 'fmod' ? 0 : 4);
        }
        expect(report.byLayout).to.deep.equal([]);
      },
    );
  }
});
