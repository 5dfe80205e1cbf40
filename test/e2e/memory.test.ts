/** Memory of a synchronous loop without dispose or scope: step 10,000 ends where step 1,000 stood. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const here = path.dirname(fileURLToPath(import.meta.url));

describe('memory', () => {
  it('stays within 20 MB over 10,000 synchronous training steps', () => {
    const out = execFileSync(process.execPath, ['--import', 'tsx', path.join(here, 'memory-loop.ts')], {
      encoding: 'utf8',
      cwd: path.resolve(here, '..', '..'),
    });
    const { early, late, firstLoss, lastLoss } = JSON.parse(out) as Record<string, number>;
    expect(lastLoss).to.be.lessThan(firstLoss);
    expect(late - early, `megabytes gained after step 1,000 (${early} then)`).to.be.lessThan(20);
  });
});
