/** Averaged weights and the statistics of batch norms against torch.optim.swa_utils (scripts/fixtures/swa.py). */
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import {
  ArgumentError,
  DeviceError,
  load,
  nn,
  optim,
  ShapeError,
  type Tensor,
  tensor,
  utils,
} from '../../lib/index.js';

const { AveragedModel, getEmaAvgFn, getEmaMultiAvgFn, getSwaAvgFn, getSwaMultiAvgFn, updateBn } = optim.swaUtils;
type State = Record<string, Tensor>;
interface Run {
  states: State[];
  output: Tensor;
  after: State;
  momentum: number;
  training: boolean;
}
interface Fixture {
  start: State;
  models: State[];
  x: Tensor;
  batches: Tensor[];
  runs: Record<string, Run>;
}
const file = fileURLToPath(new URL('../fixtures/swa.pt', import.meta.url));
const build = (): nn.Sequential =>
  new nn.Sequential(new nn.Linear(3, 4), new nn.BatchNorm1d(4), new nn.Linear(4, 2)).double();
const OPTIONS: Record<string, optim.swaUtils.AveragedModelOptions> = {
  default: {},
  buffers: { useBuffers: true },
  ema: { avgFn: getEmaAvgFn(0.9) },
  'ema of all': { multiAvgFn: getEmaMultiAvgFn({ decay: 0.9 }) },
  'ema of all and buffers': { multiAvgFn: getEmaMultiAvgFn(0.25), useBuffers: true },
  swa: { avgFn: getSwaAvgFn() },
  'swa of all': { multiAvgFn: getSwaMultiAvgFn() },
  own: { avgFn: (averaged, current, n) => averaged.mul(n).div(n.add(2)).add(current) },
};

function close(actual: Tensor, expected: Tensor, what: string): void {
  expect([actual.dtype, actual.shape], what).to.deep.equal([expected.dtype, expected.shape]);
  const wanted = expected.toTypedArray();
  actual.toTypedArray().forEach((value, i) => {
    expect(Math.abs(Number(value) - Number(wanted[i])), `${what}[${i}]: ${value}, expected ${wanted[i]}`).to.be.at.most(
      1e-12,
    );
  });
}
function compare(model: nn.Module, state: State, what: string): void {
  const own = model.stateDict();
  expect(Object.keys(own), what).to.deep.equal(Object.keys(state));
  for (const [key, value] of Object.entries(own)) close(value as Tensor, state[key], `${what}: ${key}`);
}

describe('optim.swaUtils', () => {
  let fixture: Fixture;
  before(async () => {
    fixture = (await load(file)) as unknown as Fixture;
  });

  it('has every case', () => {
    expect(Object.keys(OPTIONS)).to.deep.equal(Object.keys(fixture.runs));
  });

  for (const [name, options] of Object.entries(OPTIONS)) {
    it(`AveragedModel, ${name}: weights, buffers, keys and outputs are PyTorch's, and so is updateBn`, async () => {
      const run = fixture.runs[name];
      const start = build();
      start.loadStateDict(fixture.start);
      const averaged = new AveragedModel(start, options);
      const model = build();
      compare(averaged, run.states[0], 'before');
      for (const [i, weights] of fixture.models.entries()) {
        model.loadStateDict(weights);
        averaged.updateParameters(model);
        compare(averaged, run.states[i + 1], `update ${i + 1}`);
      }
      compare(start, fixture.start, 'the copied model');
      averaged.eval();
      close(averaged(fixture.x), run.output, 'output');
      await updateBn(
        fixture.batches.map((batch) => [batch, null]),
        averaged,
      );
      compare(averaged, run.after, 'after updateBn');
      expect([(averaged.module.children()[1] as nn.BatchNorm1d).momentum, averaged.training]).to.deep.equal([
        run.momentum,
        run.training,
      ]);
      const again = new AveragedModel({ model: build(), ...options });
      again.loadStateDict(averaged.stateDict());
      compare(again, run.after, 'loaded');
    });
  }

  it('updateBn takes a DataLoader and batches of tensors, and leaves a model without batch norm alone', async () => {
    const { batches, runs, models } = fixture;
    const model = build();
    model.loadStateDict(models[3]);
    const rows = batches.flatMap((batch) => batch.unbind(0));
    await updateBn({ loader: batches, model });
    const other = build();
    other.loadStateDict(models[3]);
    await updateBn(new utils.data.DataLoader(rows, { batchSize: 5 }), other, 'cpu');
    expect(Number(other.stateDict()['1.num_batches_tracked'].item())).to.equal(3);
    expect(Number(model.stateDict()['1.num_batches_tracked'].item())).to.equal(3);
    expect(runs.default.training).to.equal(false);
    let called = false;
    class Plain extends nn.Module {
      override forward(): void {
        called = true;
      }
    }
    await updateBn([tensor([1])], new Plain());
    expect(called).to.equal(false);
  });

  it('refuses what cannot be', async () => {
    const model = build();
    expect(() => new AveragedModel(5 as never)).to.throw(ArgumentError, /AveragedModel: expected a module, got 5/);
    expect(() => new AveragedModel(model, { avgFn: getSwaAvgFn(), multiAvgFn: getSwaMultiAvgFn() })).to.throw(
      ArgumentError,
      /either avgFn or multiAvgFn/,
    );
    expect(() => new AveragedModel(model, null, 5 as never)).to.throw(ArgumentError, /a function as avgFn/);
    expect(() => new AveragedModel(model, 'cuda')).to.throw(DeviceError);
    const averaged = new AveragedModel(model);
    expect(() => averaged.updateParameters(new nn.Linear(3, 4))).to.throw(ArgumentError, /a module with 6 parameters/);
    expect(() =>
      averaged.updateParameters(new nn.Sequential(new nn.Linear(3, 5), new nn.BatchNorm1d(5), new nn.Linear(5, 2))),
    ).to.throw(ShapeError, /place 0/);
    expect(() => averaged.updateParameters(undefined as never)).to.throw(ArgumentError, /a module, got undefined/);
    expect(() => getEmaAvgFn(1.5)).to.throw(ArgumentError, /decay in \[0, 1\], got 1.5/);
    expect(() => getEmaMultiAvgFn(-0.1)).to.throw(ArgumentError, /decay/);
    for (const call of [
      () => updateBn(5 as never, model),
      () => updateBn([], 5 as never),
      () => updateBn([], model, 'cuda'),
    ]) {
      const error = await call().then(
        () => null,
        (caught: unknown) => caught,
      );
      expect(error).to.be.instanceOf(Error);
      expect((error as Error).message).to.match(/^updateBn/);
    }
  });
});
