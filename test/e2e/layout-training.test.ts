/**
 * Seeded runs equal PyTorch's where the layout of results decides which random value goes where: dropout, transformers,
 * images in channels last.
 */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import {
  type MemoryFormat,
  manualSeed,
  nn,
  optim,
  rand,
  randLike,
  randn,
  randnLike,
  slice,
  type Tensor,
  zeros,
} from '../../lib/index.js';

interface Images {
  readonly losses: number[];
  readonly out: number[];
  readonly weight: number[];
  readonly grad: number[];
  readonly state: Record<string, number[]>;
  readonly values: number[];
}
interface Fixture {
  readonly dropped: number[][];
  readonly like: [number[][][], number[][][], number[][]];
  readonly transformer: { readonly batchFirst: number[]; readonly sequenceFirst: number[] };
  readonly images: Record<string, Images>;
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/layout-training.json', import.meta.url), 'utf8'),
) as Fixture;

function expectNear(got: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(got.length).to.equal(expected.length);
  got.forEach((value, i) => {
    expect(value, `element ${i}`).to.be.closeTo(expected[i], tolerance);
  });
}
const flat = (values: unknown): number[] => (values as unknown[]).flat(Infinity) as number[];

describe('layout in seeded runs', () => {
  it('dropout of x.t().add(1) drops the same elements', () => {
    manualSeed(0);
    const x = rand(4, 6);
    expectNear(flat(nn.functional.dropout(x.t().add(1), 0.5).tolist()), flat(fixture.dropped), 1e-6);
  });

  it('randLike and randnLike fill memory in its order', () => {
    manualSeed(0);
    const x = rand(2, 3, 4);
    expectNear(flat(randLike(x.permute(2, 0, 1).mul(2)).tolist()), flat(fixture.like[0]), 0);
    const apart = x.permute(1, 2, 0).index([slice(null, null, 2)]);
    expectNear(flat(randnLike(apart.neg()).tolist()), flat(fixture.like[1]), 1e-6);
    expectNear(
      flat(randnLike(zeros(4, 10).index([slice(), slice(null, null, 2)])).tolist()),
      flat(fixture.like[2]),
      1e-6,
    );
  });

  for (const batchFirst of [true, false]) {
    it(`a transformer layer with dropout, batchFirst ${batchFirst}, has the same losses`, () => {
      manualSeed(0);
      const layer = new nn.TransformerEncoderLayer(16, 2, 32, { dropout: 0.2, batchFirst });
      const [x, y] = [randn(6, 5, 16), randn(6, 5, 16)];
      const optimizer = new optim.Adam(layer.parameters(), { lr: 0.01 });
      const losses: number[] = [];
      for (let step = 0; step < 20; step++) {
        optimizer.zeroGrad();
        const loss = nn.functional.mseLoss(layer(x) as Tensor, y);
        loss.backward();
        optimizer.step();
        losses.push(Number(loss.item()));
      }
      expectNear(losses, batchFirst ? fixture.transformer.batchFirst : fixture.transformer.sequenceFirst, 1e-5);
    });
  }

  for (const [name, expected] of Object.entries(fixture.images)) {
    it(`images, ${name}`, () => {
      const [algorithm, memoryFormat] = name.split(' ') as [
        'SGD' | 'Adam' | 'RMSprop' | 'Adagrad' | 'Adafactor',
        MemoryFormat,
      ];
      manualSeed(0);
      const model = new nn.Sequential(
        new nn.Conv2d(3, 8, 3, { padding: 1 }),
        new nn.BatchNorm2d(8),
        new nn.ReLU(),
        new nn.Dropout(0.3),
        new nn.MaxPool2d(2),
        new nn.Conv2d(8, 8, 3, { padding: 1, groups: 2 }),
        new nn.GroupNorm(2, 8),
        new nn.Dropout(0.3),
        new nn.Upsample({ scaleFactor: 2 }),
        new nn.Conv2d(8, 4, 1),
      ).to({ memoryFormat });
      const x = randn(2, 3, 8, 8).to({ memoryFormat });
      const y = randn(2, 4, 8, 8);
      const optimizer = new optim[algorithm](model.parameters(), { lr: 0.01 });
      const losses: number[] = [];
      let out = x;
      for (let step = 0; step < 10; step++) {
        optimizer.zeroGrad();
        out = model(x) as Tensor;
        const loss = nn.functional.mseLoss(out, y);
        loss.backward();
        optimizer.step();
        losses.push(Number(loss.item()));
      }
      expectNear(losses, expected.losses, 1e-5);
      const weight = [...model.parameters()][0];
      expect(out.stride(), 'output').to.deep.equal(expected.out);
      expect(weight.stride(), 'weight').to.deep.equal(expected.weight);
      expect(weight.grad?.stride(), 'gradient').to.deep.equal(expected.grad);
      const { state } = optimizer.stateDict();
      for (const [key, strides] of Object.entries(expected.state))
        expect((state.get(0) as Record<string, Tensor>)[key].stride(), key).to.deep.equal(strides);
      expectNear(flat(weight.flatten().tolist()), expected.values, 2e-5);
    });
  }
});
