/**
 * Every loadStateDict refuses what is no state dict, whatever its options, and says so of a promise whose `await` was
 * forgotten.
 */
import { expect } from 'chai';
import { amp, CheckpointError, nn, optim, tensor } from '../../lib/index.js';

const model = new nn.Linear(2, 2);
const optimizer = new optim.Adam(model.parameters());
const { lrScheduler } = optim;

const LOADERS: Record<string, (state: never) => unknown> = {
  Module: (state) => model.loadStateDict(state),
  'Module, not strict': (state) => model.loadStateDict(state, { strict: false }),
  Optimizer: (state) => optimizer.loadStateDict(state),
  LBFGS: (state) => new optim.LBFGS(model.parameters()).loadStateDict(state),
  StepLR: (state) => new lrScheduler.StepLR(optimizer, 2).loadStateDict(state),
  LambdaLR: (state) => new lrScheduler.LambdaLR(optimizer, () => 1).loadStateDict(state),
  SequentialLR: (state) =>
    new lrScheduler.SequentialLR(
      optimizer,
      [new lrScheduler.ConstantLR(optimizer), new lrScheduler.StepLR(optimizer, 2)],
      [3],
    ).loadStateDict(state),
  ReduceLROnPlateau: (state) => new lrScheduler.ReduceLROnPlateau(optimizer).loadStateDict(state),
  GradScaler: (state) => new amp.GradScaler().loadStateDict(state),
};
const BAD: [unknown, string][] = [
  [null, 'null'],
  [undefined, 'undefined'],
  [5, '5'],
  ['weights.pt', '"weights.pt"'],
  [[1], '[1]'],
  [tensor([1]), 'float32[1]'],
  [model, 'Linear'],
  [Promise.resolve({}), 'a promise of one: await load(...)'],
];

describe('loadStateDict', () => {
  for (const [name, load] of Object.entries(LOADERS))
    it(`of ${name} refuses what is no state dict`, () => {
      for (const [state, got] of BAD)
        expect(() => load(state as never)).to.throw(
          CheckpointError,
          `loadStateDict: expected a state dict, got ${got}`,
        );
    });
});
