/**
 * A short run of the fuzzer from a fixed seed, at every SIMD level of the machine; and that it finds one planted fault
 * of each kind, reaches every class and makes the same call of a seed and a number again. `npm run fuzz` takes a new
 * seed each time.
 */
import { expect } from 'chai';
import { Choices } from './random.js';
import { fuzz, levels } from './run.js';
import { classesWithoutStart, drawCall, Starts, startsWithoutTarget } from './targets.js';

const SEED = 20261201;
const CALLS = 600;

describe('the fuzzer', function () {
  this.timeout(600_000);

  it('finds one planted fault of each kind', async () => {
    const { found } = await fuzz({
      seed: 1,
      seconds: 300,
      calls: 9,
      level: levels()[0],
      limit: 10,
      worker: 'planted-worker.ts',
    });
    expect(found.map(({ number, kind }) => `${number}: ${kind}`)).to.deep.equal([
      '2: an error that is not typed',
      '3: a failure that nobody hears',
      '4: memory beside a buffer was written to',
      '5: an error left a tensor changed',
      '6: a setting was left changed',
      '7: the process died',
      '8: a call does not end',
    ]);
    expect(found.map(({ text }) => text)).to.deep.equal([2, 3, 4, 5, 6, 7, 8].map((number) => `planted ${number}`));
  });

  it('has a start for every class, and no start of what is not there', () => {
    const starts = new Starts(new Choices(1, 1));
    expect(classesWithoutStart(starts)).to.deep.equal([]);
    expect(startsWithoutTarget(starts)).to.deep.equal([]);
  });

  it('makes the same call of a seed and a number again', () => {
    for (let number = 0; number < 200; number++)
      expect(drawCall(new Choices(SEED, number)).text).to.equal(drawCall(new Choices(SEED, number)).text);
  });

  levels().forEach((level, i) => {
    it(`finds nothing in ${CALLS} calls at ${level}`, async () => {
      const { found, calls } = await fuzz({ seed: SEED, seconds: 500, from: i * CALLS, calls: CALLS, level });
      expect(
        found.map(
          ({ kind, number, text, detail }) =>
            `${kind}, npm run fuzz -- --seed ${SEED} --call ${number} --simd ${level}: ${text}\n${detail}`,
        ),
      ).to.deep.equal([]);
      expect(calls).to.equal(CALLS);
    });
  });
});
