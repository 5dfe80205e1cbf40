/**
 * From a seed alone, no weights copied: the loss curves of small models equal PyTorch's (scripts/fixtures/training.py)
 * at every step.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { amp, cat, manualSeed, nn, optim, rand, randint, randn, slice, type Tensor } from '../../lib/index.js';

const F = nn.functional;
const fixture = JSON.parse(readFileSync(new URL('../fixtures/training.json', import.meta.url), 'utf8')) as Record<
  string,
  number[]
>;

class MLP extends nn.Module {
  fc1 = new nn.Linear(8, 32);
  fc2 = new nn.Linear(32, 32);
  fc3 = new nn.Linear(32, 4);
  override forward(x: Tensor): Tensor {
    return this.fc3(this.fc2(F.relu(this.fc1(x))).tanh());
  }
}

class DoubleConv extends nn.Module {
  conv1: nn.Conv2d;
  norm1: nn.BatchNorm2d;
  conv2: nn.Conv2d;
  norm2: nn.BatchNorm2d;
  constructor(inChannels: number, outChannels: number) {
    super();
    this.conv1 = new nn.Conv2d(inChannels, outChannels, 3, { padding: 1, bias: false });
    this.norm1 = new nn.BatchNorm2d(outChannels);
    this.conv2 = new nn.Conv2d(outChannels, outChannels, 3, { padding: 1, bias: false });
    this.norm2 = new nn.BatchNorm2d(outChannels);
  }
  override forward(x: Tensor): Tensor {
    return F.relu(this.norm2(this.conv2(F.relu(this.norm1(this.conv1(x))))));
  }
}

class UNet extends nn.Module {
  down1 = new DoubleConv(3, 4);
  down2 = new DoubleConv(4, 8);
  bottom = new DoubleConv(8, 16);
  up2 = new nn.ConvTranspose2d(16, 8, 2, { stride: 2 });
  join2 = new DoubleConv(16, 8);
  up1 = new nn.ConvTranspose2d(8, 4, 2, { stride: 2 });
  join1 = new DoubleConv(8, 4);
  head = new nn.Conv2d(4, 2, 1);
  override forward(x: Tensor): Tensor {
    const a = this.down1(x);
    const b = this.down2(F.maxPool2d(a, 2));
    const c = this.bottom(F.maxPool2d(b, 2));
    const d = this.join2(cat([b, this.up2(c)], 1));
    return this.head(this.join1(cat([a, this.up1(d)], 1)));
  }
}

class Transformer extends nn.Module {
  embed = new nn.Embedding(20, 16);
  encoder = new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(16, 2, { dimFeedforward: 32, dropout: 0.1, batchFirst: true }),
    2,
    { enableNestedTensor: false },
  );
  head = new nn.Linear(16, 20);
  override forward(x: Tensor): Tensor {
    return this.head(this.encoder(this.embed(x)));
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
  unet: {
    model: () => new UNet(),
    data: () => [randn([2, 3, 16, 16]), rand([2, 2, 16, 16]).gt(0.5).float()],
    optimizer: (p) => new optim.Adam(p, { lr: 1e-3 }),
    loss: F.binaryCrossEntropyWithLogits,
  },
  transformer: {
    model: () => new Transformer(),
    data: () => [randint(0, 20, [4, 10]), randint(0, 20, [4, 10])],
    optimizer: (p) => new optim.AdamW(p, { lr: 1e-3 }),
    loss: (output, target) => F.crossEntropy(output.reshape(-1, 20), target.reshape(-1)),
  },
  lstm: {
    model: () => new Classifier(),
    data: () => [randn([8, 12, 6]), randint(0, 3, [8])],
    optimizer: (p) => new optim.Adam(p, { lr: 3e-3 }),
    loss: F.crossEntropy,
  },
};

/**
 * Under autocast to bfloat16, with a GradScaler: products are rounded where PyTorch's are, but not always from the same
 * last bit.
 */
const MIXED: Record<string, Run> = {
  mlp_amp: { ...RUNS.mlp, optimizer: (p) => new optim.Adam(p, { lr: 3e-3 }), schedule: undefined },
  unet_amp: RUNS.unet,
};

describe('training from a seed', () => {
  for (const [name, run] of Object.entries(MIXED)) {
    it(`${name}: 50 losses in mixed precision follow PyTorch's`, () => {
      manualSeed(0);
      const model = run.model();
      const [x, y] = run.data();
      const optimizer = run.optimizer(model.parameters());
      const scaler = new amp.GradScaler({ initScale: 1024, growthInterval: 20 });
      fixture[name].forEach((expected, step) => {
        const loss = amp.autocast('cpu', { dtype: 'bfloat16' }, () => run.loss(model(x), y));
        optimizer.zeroGrad();
        scaler.scale(loss).backward();
        expect(scaler.step(optimizer).stepped).to.equal(true);
        scaler.update();
        const got = Number(loss.item());
        expect(Math.abs(got - expected), `step ${step}: ${got}, expected ${expected}`).to.be.at.most(4e-3 * expected);
      });
      expect(scaler.getScale()).to.equal(4096);
    });
  }

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
