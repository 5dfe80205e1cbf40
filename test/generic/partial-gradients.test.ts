/**
 * The gradient of one input alone, for which a rule leaves out the others, against that of all inputs together: for
 * every public function, to the bit.
 */
import { expect } from 'chai';
import { autograd, nn, ones, profiler, randn, type Tensor } from '../../lib/index.js';
import '../samples/index.js';
import { routes } from '../samples/routes.js';
import { allSamples } from '../samples/sample.js';

const bitsOf = (gradient: Tensor | null): readonly number[] | null =>
  gradient === null ? null : (gradient.reshape(-1).tolist() as number[]);

function compare(name: string, call: (...x: Tensor[]) => Tensor | readonly Tensor[], inputs: readonly Tensor[]): void {
  const result = call(...inputs);
  const outputs = (Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor]).filter(
    (output) => output.requiresGrad,
  );
  const wanted = inputs.filter((input) => input.requiresGrad);
  if (outputs.length === 0 || wanted.length < 2) return;
  for (const createGraph of [false, true]) {
    const options = {
      gradOutputs: outputs.map((output) => ones(output.shape, { dtype: output.dtype })),
      retainGraph: true,
      allowUnused: true,
      createGraph,
    };
    const all = autograd.grad(outputs, wanted, options);
    wanted.forEach((input, i) => {
      const [alone] = autograd.grad(outputs, [input], options);
      expect(bitsOf(alone), `${name}, input ${i}, createGraph ${createGraph}`).to.deep.equal(bitsOf(all[i]));
    });
  }
}

describe('gradients of one input alone', () => {
  for (const entry of allSamples.values()) {
    const cases = entry.cases.filter((sample) => sample.inputs.filter((t) => t.requiresGrad).length > 1);
    if (entry.notDifferentiable !== undefined || entry.random || cases.length === 0) continue;
    it(entry.fn, () => {
      for (const sample of cases) compare(sample.name, sample.call, sample.inputs);
    });
  }
  it('on other routes', () => {
    for (const route of routes) compare(route.name, route.call, route.inputs);
  });

  it('run no kernel for the others', () => {
    const x = randn([2, 3, 5, 5], { requiresGrad: true });
    const w = randn([4, 3, 3, 3], { requiresGrad: true });
    const convolved = nn.functional.conv2d(x, w);
    const ran = (inputs: readonly Tensor[]): string[] => {
      const prof = profiler.profile(() =>
        autograd.grad([convolved], inputs, { gradOutputs: [ones(convolved.shape)], retainGraph: true }),
      );
      return prof.events().flatMap(({ name, kind }) => (kind === 'op' && name.startsWith('conv') ? [name] : []));
    };
    const [both, one, other] = [ran([x, w]), ran([x]), ran([w])];
    expect(both).to.have.length(2);
    expect([one.length, other.length]).to.deep.equal([1, 1]);
    expect([...one, ...other].sort()).to.deep.equal([...both].sort());
  });
});
