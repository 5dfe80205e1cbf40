/**
 * Layers from a seed against PyTorch's: print, state, outputs and gradients (test/fixtures/layers.json, made by
 * scripts/fixtures/layers.py).
 */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type DType, manualSeed, nn, Tensor, tensor } from '../../lib/index.js';

interface Stored {
  readonly shape: number[];
  readonly dtype: DType;
  readonly data: number[];
}
interface Entry {
  readonly cls: string;
  readonly args: unknown[];
  readonly options: Record<string, unknown>;
  readonly repr: string;
  readonly state: Record<string, Stored>;
  readonly inputs: unknown[];
  readonly call: Record<string, unknown>;
  readonly out: Stored[];
  readonly grads: Record<string, Stored>;
}
type AnyLayer = nn.Module & ((...args: unknown[]) => unknown);

const entries = JSON.parse(readFileSync(new URL('../fixtures/layers.json', import.meta.url), 'utf8')) as Entry[];

function restore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(restore);
  if (typeof value !== 'object' || value === null || !('data' in value)) return value;
  const { data, shape, dtype } = value as Stored;
  // Infinity comes as a string.
  const numbers = data.map((x) => ((x as unknown) === '-inf' ? Number.NEGATIVE_INFINITY : x));
  return tensor(Float64Array.from(numbers), { shape, dtype });
}
function flat(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(flat) : [];
}
function expectNear(got: Tensor, expected: Stored, tolerance: number, what: string): void {
  expect(got.shape, what).to.deep.equal(expected.shape);
  expect(got.dtype, what).to.equal(expected.dtype);
  const numbers = Array.from(got.toTypedArray() as ArrayLike<number | bigint>, Number);
  const scale = Math.max(1, ...expected.data.map(Math.abs));
  for (let i = 0; i < numbers.length; i++) {
    if (!(Math.abs(numbers[i] - expected.data[i]) <= tolerance * scale))
      expect.fail(`${what}: element ${i} is ${numbers[i]}, expected ${expected.data[i]}`);
  }
}

describe('layers from a seed', () => {
  for (const entry of entries) {
    const title = `${entry.cls}(${[...entry.args, JSON.stringify(entry.options)].join(', ')})`;
    it(`${title} ${Object.keys(entry.call).join(' ')}`, () => {
      manualSeed(1);
      const Layer = (nn as unknown as Record<string, new (...args: unknown[]) => AnyLayer>)[entry.cls];
      const layer = new Layer(...entry.args, entry.options);
      expect(String(layer)).to.equal(entry.repr);
      const state = layer.stateDict();
      expect(Object.keys(state)).to.deep.equal(Object.keys(entry.state));
      for (const [key, value] of Object.entries(entry.state)) expectNear(state[key], value, 1e-6, key);
      manualSeed(2);
      const call = Object.fromEntries(Object.entries(entry.call).map(([key, value]) => [key, restore(value)]));
      const out = flat(layer(...entry.inputs.map(restore), ...(Object.keys(call).length > 0 ? [call] : [])));
      expect(out.length).to.equal(entry.out.length);
      entry.out.forEach((value, i) => {
        expectNear(out[i], value, 2e-6, `output ${i}`);
      });
      const loss = out
        .filter((t) => t.requiresGrad)
        .map((t) => {
          const n = t.numel();
          const weights = Float64Array.from({ length: n }, (_, i) => (n === 1 ? -1 : -1 + (2 * i) / (n - 1)));
          return t.mul(tensor(weights, { shape: t.shape, dtype: t.dtype })).sum();
        })
        .reduce((a, b) => a.add(b));
      loss.backward();
      const grads = Object.fromEntries(layer.namedParameters().filter(([, p]) => p.grad !== null));
      expect(Object.keys(grads)).to.deep.equal(Object.keys(entry.grads));
      for (const [key, value] of Object.entries(entry.grads))
        expectNear(grads[key].grad as Tensor, value, 1e-5, `gradient of ${key}`);
    });
  }
});
