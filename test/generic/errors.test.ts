/** Every bad call in the samples ends in the typed error that it should, whose message names the operation. */
import { expect } from 'chai';
import '../samples/index.js';
import { allSamples } from '../samples/sample.js';

for (const entry of allSamples.values()) {
  if (entry.errors.length === 0) continue;
  describe(`bad calls of ${entry.fn}`, () => {
    for (const bad of entry.errors) {
      it(bad.name, () => {
        expect(bad.call).to.throw(bad.error, bad.message);
      });
    }
  });
}
