/** From a seed alone, no weights copied: the loss curves of small models equal PyTorch's (scripts/fixtures/training.py) at every step. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { manualSeed, nn, optim, randint, randn, slice, type Tensor } from '../../lib/index.js';

const F = nn.functional;
const fixture = JSON.parse(readFileSync(new URL('../fixtures/training.json', import.meta.url), 'utf8')) as Record<string, number[]>;

class MLP extends nn.Module {
  fc1 = new nn.Linear(8, 32);
  fc2 = new nn.Linear(32, 32);
  fc3 = new nn.Linear(32, 4);
  override forward(x: Tensor): Tensor {
    return this.fc3(this.fc2(this.fc1(x).relu()).tanh());
  }
}

class Classifier extends nn.Module {
  lstm = new nn.LSTM(6, 16, { numLayers: 2, batchFirst: true });
  head = new nn.Linear(16, 3);
  override forward(x: Tensor): Tensor {
    const [out] = this.lstm(x);
    return this.head(out.index([slice(), -1]));
  }
}

interface Run {
  model: () => nn.Layer;
  data: () => [Tensor, Tensor];
  optimizer: (parameters: Tensor[]) => optim.Optimizer;
  loss: (output: Tensor, target: Tensor) => Tensor;
  schedule?: (optimizer: optim.Optimizer) => optim.lrScheduler.LRScheduler;
}

const RUNS: Record<string, Run> = {
  mlp: {
    model: () => new MLP(),
    data: () => [randn([32, 8]), randint(0, 4, [32])],
    optimizer: (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9 }),
    loss: F.crossEntropy,
    schedule: (o) => new optim.lrScheduler.CosineAnnealingLR(o, 50),
  },
  lstm: {
    model: () => new Classifier(),
    data: () => [randn([8, 12, 6]), randint(0, 3, [8])],
    optimizer: (p) => new optim.Adam(p, { lr: 3e-3 }),
    loss: F.crossEntropy,
  },
};

describe('training from a seed', () => {
  for (const [name, run] of Object.entries(RUNS)) {
    it(`${name}: 50 losses are PyTorch's`, () => {
      manualSeed(0);
      const model = run.model();
      const [x, y] = run.data();
      const optimizer = run.optimizer(model.parameters());
      const scheduler = run.schedule?.(optimizer);
      fixture[name].forEach((expected, step) => {
        const loss = run.loss(model(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        scheduler?.step();
        const got = Number(loss.item());
        expect(Math.abs(got - expected), `step ${step}: ${got}, expected ${expected}`).to.be.at.most(1e-4 * expected);
      });
    });
  }
});
