/** Every public function has samples, with at least one bad call; every operator says whether it has a derivative. */
import { expect } from 'chai';
import { publicFunctions } from '../../lib/dispatch/define-function.js';
import { operators } from '../../lib/dispatch/define-op.js';
import * as nodegrad from '../../lib/index.js';
import '../samples/index.js';
import { moduleSamples } from '../samples/modules.js';
import { allSamples } from '../samples/sample.js';

/** What a name of samples stands for: 'nn.functional.relu' on the package, 'Tensor.index' on the prototype. */
function publicValue(name: string): unknown {
  const parts = name.split('.');
  const start: unknown = parts[0] === 'Tensor' ? nodegrad.Tensor.prototype : nodegrad;
  return (parts[0] === 'Tensor' ? parts.slice(1) : parts).reduce<unknown>(
    (owner, part) => (owner as Record<string, unknown> | undefined)?.[part],
    start,
  );
}

describe('every public function', () => {
  for (const name of publicFunctions.keys()) {
    it(`${name} has samples`, () => {
      const entry = allSamples.get(name);
      expect(entry, `samples({ fn: '${name}', ... }) in test/samples/`).to.not.equal(undefined);
      expect(entry!.cases.length, 'cases').to.be.greaterThan(0);
      expect(entry!.errors.length, 'bad calls').to.be.greaterThan(0);
    });
  }
  for (const name of allSamples.keys()) {
    it(`the samples of ${name} are of a function that exists`, () => {
      expect(publicFunctions.has(name) || typeof publicValue(name) === 'function').to.equal(true);
    });
  }
});

describe('every operator', () => {
  it('has a derivative, or a reason why not', () => {
    const silent = [...operators].filter(
      ([, operator]) => operator.definition.backward === undefined && !operator.definition.notDifferentiable,
    );
    expect(silent.map(([name]) => name)).to.deep.equal([]);
  });
});

describe('every module class', () => {
  const abstract = ['Module', 'RNNBase', 'RNNCellBase'];
  for (const [name, value] of Object.entries(nodegrad.nn)) {
    if (abstract.includes(name) || typeof value !== 'function' || !(value.prototype instanceof nodegrad.nn.Module))
      continue;
    it(`nn.${name} has a sample`, () => {
      expect(moduleSamples.has(name), `add('${name}', ...) in test/samples/modules.ts`).to.equal(true);
    });
  }
});
