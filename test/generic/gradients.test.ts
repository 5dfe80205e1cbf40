/** First and second derivatives of every public function, against central differences in float64. */
import { autograd } from '../../lib/index.js';
import '../samples/index.js';
import { routes } from '../samples/routes.js';
import { allSamples } from '../samples/sample.js';

for (const entry of allSamples.values()) {
  if (entry.notDifferentiable !== undefined || entry.random) continue;
  describe(`derivatives of ${entry.fn}`, () => {
    for (const sample of entry.cases) {
      if (!sample.inputs.some((t) => t.requiresGrad)) continue;
      it(sample.name, () => {
        autograd.gradcheck(sample.call, sample.inputs);
        autograd.gradgradcheck(sample.call, sample.inputs);
      });
    }
  });
}

describe('derivatives on other routes', () => {
  for (const route of routes) {
    it(route.name, () => {
      autograd.gradcheck(route.call, route.inputs, route.options);
    });
  }
});
