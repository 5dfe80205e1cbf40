/**
 * The addon in four worker threads at once: one is terminated in the middle, the others finish with the right numbers.
 */

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const here = path.dirname(fileURLToPath(import.meta.url));

describe('worker threads', () => {
  it('train side by side, survive the end of one, and let the process exit cleanly', () => {
    const result = spawnSync(process.execPath, ['--import', 'tsx', path.join(here, 'workers-main.ts')], {
      encoding: 'utf8',
      cwd: path.resolve(here, '..', '..'),
      timeout: 60_000,
    });
    expect(result.stderr).to.equal('');
    expect(result.status, `exit code (signal ${result.signal})`).to.equal(0);
    const { alone, together, terminated } = JSON.parse(result.stdout) as {
      alone: number[];
      together: number[][];
      terminated: boolean;
    };
    expect(terminated).to.equal(true);
    expect(alone.length).to.equal(40);
    expect(alone[39]).to.be.lessThan(alone[0]);
    expect(together).to.deep.equal([alone, alone, alone]);
  });
});
