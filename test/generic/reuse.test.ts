/**
 * First derivatives of every public function while memory that comes back is filled with NaN: a gradient, a temporary
 * of a rule or a saved tensor whose memory was used again too early would show. Without a graph of the derivative, so
 * that the engine hands back all it can.
 */
import { expect } from 'chai';
import { autograd, nn, noGrad, ones, rand } from '../../lib/index.js';
import { collector } from '../../lib/storage/collector.js';
import { setPoison } from '../../lib/storage/guard.js';
import { poolBytes } from '../../lib/storage/pool.js';
import '../samples/index.js';
import { routes } from '../samples/routes.js';
import { allSamples } from '../samples/sample.js';
import { numbers, outputsOf } from './compare.js';

describe('derivatives on memory that is used again', () => {
  before(() => setPoison(true));
  after(() => setPoison(false));

  for (const entry of allSamples.values()) {
    const cases = entry.cases.filter((sample) => sample.inputs.some((t) => t.requiresGrad));
    if (entry.notDifferentiable !== undefined || entry.random || cases.length === 0) continue;
    it(entry.fn, () => {
      for (const sample of cases) {
        autograd.gradcheck(sample.call, sample.inputs);
        // What lived through the sample is old now, and what was dropped is poisoned.
        collector()?.minor();
        ones([4]);
      }
    });
  }
  it('on other routes', () => {
    for (const route of routes) autograd.gradcheck(route.call, route.inputs, route.options);
  });
});

/** Without a graph, functions of several operators hand back what they make on the way (composed.ts). */
describe('results without a graph on memory that is used again', () => {
  before(() => setPoison(true));
  after(() => setPoison(false));

  const values = (results: unknown): number[][] => outputsOf(results).map(numbers);
  for (const entry of allSamples.values()) {
    if (entry.random) continue;
    it(entry.fn, () => {
      for (const sample of entry.cases) {
        const recorded = values(sample.call(...sample.inputs));
        const kept = noGrad(() => sample.call(...sample.inputs));
        // What was handed back is lent again, and written over.
        const others = Array.from({ length: 8 }, () => ones([64]));
        expect(values(kept), sample.name).to.deep.equal(recorded);
        expect(others.length).to.equal(8);
      }
    });
  }
  it('goes back as a function ends, but for its results', () => {
    const [x, y] = [rand([64, 64]), rand([64, 64])];
    const before = poolBytes().inUse;
    const distances = nn.functional.pairwiseDistance(x, y);
    const held = poolBytes().inUse - before;
    expect(distances.shape).to.deep.equal([64]);
    expect(held).to.be.within(256, 2048);
    // A graph holds what its derivative reads.
    x.requiresGrad_();
    const recorded = nn.functional.pairwiseDistance(x, y);
    expect(poolBytes().inUse - before - held).to.be.above(64 * 64 * 4);
    expect(recorded.requiresGrad).to.equal(true);
  });
});
