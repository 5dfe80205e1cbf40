/**
 * First derivatives of every public function while memory that comes back is filled with NaN: a gradient, a temporary of a rule or a saved tensor
 * whose memory was used again too early would show. Without a graph of the derivative, so that the engine hands back all it can.
 */
import { autograd, ones } from '../../lib/index.js';
import { collector } from '../../lib/storage/collector.js';
import { setPoison } from '../../lib/storage/guard.js';
import '../samples/index.js';
import { routes } from '../samples/routes.js';
import { allSamples } from '../samples/sample.js';

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
