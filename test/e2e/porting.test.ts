/**
 * Every line of docs/porting.md runs, and gives what the line beside it gives in PyTorch (scripts/fixtures/porting.py).
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { transform } from 'esbuild';
import * as nodegrad from '../../lib/index.js';
import { lines, loopProgram, programOf, traps } from './porting-page.js';

const fixture = JSON.parse(readFileSync(new URL('../fixtures/porting.json', import.meta.url), 'utf8')) as {
  loop: number;
  lines: Record<string, unknown>;
};
const AsyncFunction = (async () => {}).constructor as new (
  ...text: string[]
) => (...values: unknown[]) => Promise<unknown>;

const plain = (value: unknown): unknown =>
  value instanceof nodegrad.Tensor
    ? { dtype: value.dtype, shape: [...value.shape], values: value.tolist() }
    : ArrayBuffer.isView(value)
      ? Array.from(value as Float32Array)
      : value;

/** Numbers close to float32's rounding, and everything else equal. */
function expectAlike(got: unknown, wanted: unknown): void {
  if (typeof wanted === 'number') expect(got).to.be.closeTo(wanted, 1e-6 * Math.max(1, Math.abs(wanted)));
  else if (Array.isArray(wanted)) {
    expect(got).to.have.length(wanted.length);
    for (const [i, item] of wanted.entries()) expectAlike((got as unknown[])[i], item);
  } else if (typeof wanted === 'object' && wanted !== null) {
    expect(Object.keys(got as object)).to.deep.equal(Object.keys(wanted));
    for (const [key, item] of Object.entries(wanted)) expectAlike((got as Record<string, unknown>)[key], item);
  } else expect(got).to.equal(wanted);
}

describe('docs/porting.md', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-porting-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(program: string): Promise<unknown> {
    const silent = { log: () => {} };
    const { var: _, ...names } = nodegrad;
    const scope: Record<string, unknown> = { ...names, console: silent, path: path.join(folder, 'model.pt') };
    // TypeScript to JavaScript, in the block of an async function: a line may redeclare a name of the package.
    const { code } = await transform(`async () => {\n${program}\n}`, { loader: 'ts', target: 'node20' });
    return new AsyncFunction(...Object.keys(scope), `return (${code.trim().replace(/;$/, '')})();`)(
      ...Object.values(scope),
    );
  }

  it('is the page whose PyTorch column was run', () =>
    expect(lines.map(({ python }) => python).sort()).to.deep.equal(Object.keys(fixture.lines).sort()));

  for (const { python, nodegrad: code } of lines) {
    it(`${python} is ${code}`, async () => {
      const value = plain(await run(programOf(code)));
      const wanted = fixture.lines[python];
      if (wanted !== null) expectAlike(value, wanted);
    });
  }

  it("the training loop ends at PyTorch's loss", async () => expectAlike(await run(loopProgram), fixture.loop));

  for (const { written, happens, meant } of traps) {
    it(`${written} is a trap, ${meant} is none`, async () => {
      if (happens.endsWith('Error')) {
        const error = await run(programOf(written)).then(
          () => null,
          (reason: unknown) => reason as Error,
        );
        expect(error?.name).to.equal(happens);
      } else expect(String(await run(programOf(written)))).to.equal(happens);
      await run(programOf(meant));
    });
  }
});
