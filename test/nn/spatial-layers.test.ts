/**
 * Convolution, pooling, normalisation and upsampling layers from a seed against PyTorch's: print, state before and
 * after training steps, outputs and gradients; max pooling with NaN and ties (test/fixtures/spatial-layers.json, by
 * scripts/fixtures/spatial_layers.py).
 */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { ArgumentError, type DType, manualSeed, nn, ShapeError, type Tensor, tensor } from '../../lib/index.js';

interface Stored {
  readonly shape: number[];
  readonly dtype: DType;
  readonly data: (number | null)[];
}
interface Entry {
  readonly cls: string;
  readonly args: unknown[];
  readonly options: Record<string, unknown>;
  readonly repr: string;
  readonly state: Record<string, Stored>;
  readonly input: Stored;
  readonly steps: number;
  readonly evaluation: boolean;
  readonly out: Stored;
  readonly after: Record<string, Stored>;
  readonly grads: Record<string, Stored>;
}
interface Fixture {
  readonly layers: Entry[];
  readonly extremes: {
    readonly input: Stored;
    readonly args: [number, number, number, number];
    readonly out: Stored;
    readonly indices: Stored;
  }[];
  readonly nearest: {
    readonly n: number;
    readonly size: number | null;
    readonly scaleFactor: number | null;
    readonly mode: 'nearest';
    readonly out: number[];
  }[];
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/spatial-layers.json', import.meta.url), 'utf8'),
) as Fixture;

const restore = ({ data, shape, dtype }: Stored): Tensor =>
  tensor(
    Float64Array.from(data, (v) => v ?? Number.NaN),
    { shape, dtype },
  );

function expectNear(got: Tensor, expected: Stored, tolerance: number, what: string): void {
  expect(got.shape, what).to.deep.equal(expected.shape);
  expect(got.dtype, what).to.equal(expected.dtype);
  const numbers = got.double().tolist() as unknown;
  const flat = (Array.isArray(numbers) ? numbers.flat(8) : [numbers]) as number[];
  const scale = Math.max(1, ...expected.data.map((v) => Math.abs(v ?? 0)));
  flat.forEach((v, i) => {
    const written = expected.data[i];
    // Nine digits name a float32 exactly.
    const e = written === null ? Number.NaN : expected.dtype === 'float32' ? Math.fround(written) : written;
    if (Number.isNaN(e) ? Number.isNaN(v) : Math.abs(v - e) <= tolerance * scale) return;
    expect.fail(`${what}: element ${i} is ${v}, expected ${e}`);
  });
}

function expectState(layer: nn.Module, expected: Record<string, Stored>, what: string): void {
  const state = layer.stateDict();
  expect(Object.keys(state)).to.deep.equal(Object.keys(expected));
  for (const [key, value] of Object.entries(expected)) expectNear(state[key], value, 1e-6, `${key} ${what}`);
}

describe('spatial layers from a seed', () => {
  for (const entry of fixture.layers) {
    it(`${entry.repr} ${entry.input.dtype} ${entry.evaluation ? 'in evaluation' : ''}`, () => {
      manualSeed(1);
      const Layer = (nn as unknown as Record<string, new (...args: unknown[]) => nn.Layer>)[entry.cls];
      const layer = new Layer(...entry.args, entry.options);
      expect(String(layer)).to.equal(entry.repr);
      expectState(layer, entry.state, 'before');
      const x = restore(entry.input).requiresGrad_();
      let out = x;
      for (let i = 0; i < entry.steps; i++) out = layer(x);
      if (entry.evaluation) {
        layer.eval();
        out = layer(x);
      }
      // bfloat16 results are rounded once, gradients to it twice.
      const half = entry.input.dtype === 'bfloat16';
      expectNear(out, entry.out, half ? 2 ** -8 : 2e-6, 'output');
      expectState(layer, entry.after, 'after');
      const n = out.numel();
      const weights = Float64Array.from({ length: n }, (_, i) => (n === 1 ? -1 : -1 + (2 * i) / (n - 1)));
      out
        .mul(tensor(weights, { shape: out.shape, dtype: out.dtype }))
        .sum()
        .backward();
      const grads = Object.fromEntries(
        [['input', x] as [string, Tensor], ...layer.namedParameters()].filter(([, p]) => p.grad !== null),
      );
      expect(Object.keys(grads)).to.deep.equal(Object.keys(entry.grads));
      for (const [key, value] of Object.entries(entry.grads))
        expectNear(grads[key].grad as Tensor, value, half ? 2 ** -6 : 1e-5, `gradient of ${key}`);
    });
  }
});

describe('max pooling of NaN, ties and far values', () => {
  for (const { input, args, out, indices } of fixture.extremes) {
    it(`kernel, stride, padding, dilation ${args}`, () => {
      const [y, at] = nn.functional.maxPool2dWithIndices(restore(input), ...args);
      expectNear(y, out, 0, 'values');
      expectNear(at, indices, 0, 'indices');
      expectNear(nn.functional.maxPool2d(restore(input), ...args), out, 0, 'values without indices');
    });
  }
});

describe('nearest interpolation', () => {
  for (const { n, size, scaleFactor, mode, out } of fixture.nearest) {
    it(`${mode} of ${n} to ${size ?? `factor ${scaleFactor}`}`, () => {
      const x = tensor(
        Float32Array.from({ length: n }, (_, i) => i),
        { shape: [1, 1, n] },
      );
      expect(nn.functional.interpolate(x, { size, scaleFactor, mode }).reshape(-1).tolist()).to.deep.equal(out);
    });
  }
});

describe('spatial layers called wrongly', () => {
  const x = tensor([[[1, 2, 3]]]);
  const calls: [string, () => unknown, new (message: string) => Error, RegExp][] = [
    [
      'groups that do not divide',
      () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
      ArgumentError,
      /Conv2d: expected inChannels divisible by groups, got 3/,
    ],
    [
      'no kernel size',
      () => new nn.Conv2d(...([3, 4] as unknown as [number, number, number])),
      ArgumentError,
      /Conv2d: expected .*got no kernelSize/,
    ],
    [
      'a padding mode',
      () => new nn.Conv2d(3, 4, 3, { paddingMode: 'mirror' as 'reflect' }),
      ArgumentError,
      /paddingMode of zeros, reflect/,
    ],
    [
      'a transposed padding mode',
      () => new nn.ConvTranspose2d(3, 4, 3, { paddingMode: 'reflect' as 'zeros' }),
      ArgumentError,
      /paddingMode 'zeros'/,
    ],
    [
      'an output size',
      () => new nn.ConvTranspose1d(1, 1, 3, { stride: 2 })(x, [9]),
      ShapeError,
      /outputSize in \[7, 8\]/,
    ],
    [
      'dimensions of a batch norm',
      () => new nn.BatchNorm2d(1)(x),
      ShapeError,
      /BatchNorm2d: expected an input of 4 dimensions, got 3/,
    ],
    [
      'channels of an instance norm',
      () => new nn.InstanceNorm1d(2, { affine: true })(x),
      ShapeError,
      /InstanceNorm1d: expected an input of 2 channels, got 1/,
    ],
    ['groups of a group norm', () => new nn.GroupNorm(2, 3), ArgumentError, /numChannels divisible by numGroups/],
    [
      'a misspelt option',
      () => new nn.BatchNorm1d(3, { momentun: 0.1 } as never),
      ArgumentError,
      /did you mean "momentum"/,
    ],
  ];
  for (const [name, call, error, message] of calls) it(name, () => expect(call).to.throw(error, message));

  it('a transposed convolution reaches a wanted size', () => {
    const layer = new nn.ConvTranspose1d(1, 1, 3, { stride: 2 });
    expect(layer(x, [8]).shape).to.deep.equal([1, 1, 8]);
    expect(layer(x, [1, 1, 7]).shape).to.deep.equal([1, 1, 7]);
  });
});
