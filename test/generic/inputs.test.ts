/**
 * What must not matter: how inputs lie in memory, which floating type they have (beyond rounding), whether the call is
 * repeated; and no kernel writes beside its output.
 */
import { expect } from 'chai';
import { autograd, noGrad, type Tensor, tensor } from '../../lib/index.js';
import { contiguousStrides } from '../../lib/shape/layout.js';
import { damagedZones, setGuardZones } from '../../lib/storage/guard.js';
import { windowOn } from '../../lib/tensor/tensor.js';
import '../samples/index.js';
import { allSamples, type Case } from '../samples/sample.js';
import { expectClose, numbers, outputsOf, shapes } from './compare.js';

interface Results {
  readonly outputs: readonly Tensor[];
  readonly gradients: readonly number[][];
}

/** The same values, two elements apart, with NaN between. */
function spread(t: Tensor): Tensor {
  const values = numbers(t);
  const wide = Float64Array.from({ length: values.length * 2 }, (_, i) => (i % 2 === 0 ? values[i / 2] : Number.NaN));
  const stride = contiguousStrides(t.shape).map((step) => 2 * step);
  return windowOn(tensor(wide), [...t.shape], stride, 0).requiresGrad_(t.requiresGrad);
}

/** The first row expanded over dim 0, without a copy and as a copy. */
function expanded(t: Tensor): [view: Tensor, copy: Tensor] {
  if (t.dim() === 0 || t.size(0) < 2) return [t, t];
  const row = windowOn(t, [1, ...t.shape.slice(1)], t.strides, t.offset).clone();
  const view = row.expand(t.shape).detach();
  const copy = view.clone().detach();
  return [view.requiresGrad_(t.requiresGrad), copy.requiresGrad_(t.requiresGrad)];
}

function inFloat32(t: Tensor): Tensor {
  return noGrad(() => t.float())
    .detach()
    .requiresGrad_(t.requiresGrad);
}

function evaluate(sample: Case, inputs: readonly Tensor[], differentiable: boolean): Results {
  const outputs = outputsOf(sample.call(...inputs));
  const live = differentiable ? outputs.filter((t) => t.requiresGrad) : [];
  const targets = inputs.filter((t) => t.requiresGrad);
  if (live.length === 0 || targets.length === 0) return { outputs, gradients: [] };
  const seeds = live.map((t) =>
    tensor(
      Float64Array.from({ length: t.numel() }, (_, i) => Math.sin(i + 1)),
      { shape: t.shape, dtype: t.dtype },
    ),
  );
  const gradients = autograd.grad(live, targets, { gradOutputs: seeds, allowUnused: true });
  return { outputs, gradients: gradients.map((g) => (g === null ? [] : numbers(g))) };
}

function expectSame(got: Results, expected: Results, tolerance: number, what: string): void {
  expect(shapes(got.outputs), what).to.equal(shapes(expected.outputs));
  got.outputs.forEach((t, i) => {
    expectClose(numbers(t), numbers(expected.outputs[i]), tolerance, tolerance, `${what}, output ${i}`);
  });
  got.gradients.forEach((g, i) => {
    expectClose(g, expected.gradients[i], tolerance, tolerance, `${what}, gradient of input ${i}`);
  });
}

for (const entry of allSamples.values()) {
  if (entry.random) continue;
  const differentiable = entry.notDifferentiable === undefined;
  describe(`inputs of ${entry.fn}`, () => {
    for (const sample of entry.cases) {
      const { inputs } = sample;
      it(`${sample.name}: repeated, and between guard zones`, () => {
        const plain = evaluate(sample, inputs, differentiable);
        expectSame(evaluate(sample, inputs, differentiable), plain, 0, 'a second run');
        setGuardZones(64);
        try {
          expectSame(evaluate(sample, inputs, differentiable), plain, 0, 'between guard zones');
          expect(damagedZones()).to.deep.equal([]);
        } finally {
          setGuardZones(0);
        }
      });
      if (inputs.length === 0) continue;
      it(`${sample.name}: non-contiguous and expanded inputs`, () => {
        expectSame(
          evaluate(sample, inputs.map(spread), differentiable),
          evaluate(sample, inputs, differentiable),
          1e-11,
          'non-contiguous inputs',
        );
        if (entry.expandable === false) return;
        const pairs = inputs.map(expanded);
        const views = pairs.map(([view]) => view);
        const copies = pairs.map(([, copy]) => copy);
        expectSame(
          evaluate(sample, views, differentiable),
          evaluate(sample, copies, differentiable),
          1e-11,
          'expanded inputs',
        );
      });
      if (entry.float32 === false) continue;
      it(`${sample.name}: float32 against float64`, () => {
        expectSame(
          evaluate(sample, inputs.map(inFloat32), differentiable),
          evaluate(sample, inputs, differentiable),
          entry.float32Tolerance ?? 1e-4,
          'float32',
        );
      });
    }
  });
}
