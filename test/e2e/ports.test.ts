/**
 * Whole programs as a user of PyTorch ports them: test/e2e/ports/ has each in PyTorch and in nodegrad, line by line.
 * The losses of the nodegrad program, from the seed alone, are those of the PyTorch program
 * (scripts/fixtures/ports.py).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

const fixture = JSON.parse(readFileSync(new URL('../fixtures/ports.json', import.meta.url), 'utf8')) as Record<
  string,
  number[]
>;
const programs = new URL('./ports/', import.meta.url);

describe('programs ported from PyTorch', () => {
  it('has a PyTorch program and losses for each nodegrad program, and the reverse', () => {
    const stems = (extension: string): string[] =>
      readdirSync(programs)
        .filter((file) => file.endsWith(extension))
        .map((file) => file.slice(0, -extension.length))
        .sort();
    expect(stems('.ts')).to.deep.equal(stems('.py'));
    expect(Object.keys(fixture).sort()).to.deep.equal(stems('.py'));
  });

  for (const [name, wanted] of Object.entries(fixture)) {
    it(`${name}: every loss is PyTorch's`, async () => {
      const { main } = (await import(new URL(`${name}.ts`, programs).href)) as {
        main: () => number[] | Promise<number[]>;
      };
      const losses = await main();
      expect(losses.length).to.equal(wanted.length);
      for (const [i, loss] of losses.entries())
        expect(loss, `value ${i}`).to.be.closeTo(wanted[i], 1e-4 * Math.max(1, Math.abs(wanted[i])));
    });
  }
});
