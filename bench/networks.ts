/**
 * Networks beyond the first workloads, so that mechanisms are tuned and not cases: recurrent language models, depthwise
 * and 1-D convolutions, group norm, long attention, odd sizes, inference of one image. torch_workloads.py has the same.
 */
import { arange, cat, nn, noGrad, optim, randint, randn, type Tensor } from 'nodegrad';
import { resnet, type Step, trainer } from './training.js';

type Model = (x: Tensor) => Tensor;
const call = (module: nn.Module, x: Tensor): Tensor => (module as unknown as Model)(x);

class LanguageModel extends nn.Module {
  readonly e: nn.Embedding;
  readonly rnn: nn.LSTM | nn.GRU;
  readonly o: nn.Linear;

  constructor(kind: 'LSTM' | 'GRU', vocabulary: number, width: number, hidden: number, layers: number) {
    super();
    this.e = new nn.Embedding(vocabulary, width);
    this.rnn = new nn[kind](width, hidden, { numLayers: layers, batchFirst: true });
    this.o = new nn.Linear(hidden, vocabulary);
  }
  override forward(x: Tensor): Tensor {
    const [y] = (this.rnn as nn.GRU)(this.e(x));
    return this.o(y as Tensor).flatten(0, 1);
  }
}

function languageModel(kind: 'LSTM' | 'GRU', batch: number, steps: number, hidden: number, layers: number): Step {
  const model = new LanguageModel(kind, 256, 256, hidden, layers);
  return trainer(model, new nn.CrossEntropyLoss(), randint(0, 256, [batch, steps]), randint(0, 256, [batch * steps]));
}

/** Widen by 1x1, depthwise 3x3, narrow by 1x1; with a shortcut where the shape stays. */
class Inverted extends nn.Module {
  readonly body: nn.Sequential;
  private readonly shortcut: boolean;

  constructor(i: number, o: number, stride: number) {
    super();
    this.shortcut = stride === 1 && i === o;
    this.body = new nn.Sequential(
      new nn.Conv2d(i, 4 * i, 1, { bias: false }),
      new nn.BatchNorm2d(4 * i),
      new nn.ReLU6(true),
      new nn.Conv2d(4 * i, 4 * i, 3, { stride, padding: 1, groups: 4 * i, bias: false }),
      new nn.BatchNorm2d(4 * i),
      new nn.ReLU6(true),
      new nn.Conv2d(4 * i, o, 1, { bias: false }),
      new nn.BatchNorm2d(o),
    );
  }
  override forward(x: Tensor): Tensor {
    const y = call(this.body, x);
    return this.shortcut ? x.add(y) : y;
  }
}

function mobile(): Step {
  const widths = [
    [32, 32, 1],
    [32, 64, 2],
    [64, 64, 1],
    [64, 128, 2],
    [128, 128, 1],
  ];
  const model = new nn.Sequential(
    new nn.Conv2d(3, 32, 3, { stride: 2, padding: 1, bias: false }),
    new nn.BatchNorm2d(32),
    new nn.ReLU6(true),
    ...widths.map(([i, o, stride]) => new Inverted(i, o, stride)),
    new nn.AdaptiveAvgPool2d(1),
    new nn.Flatten(),
    new nn.Linear(128, 10),
  );
  return trainer(
    model,
    new nn.CrossEntropyLoss(),
    randn([16, 3, 64, 64]),
    randint(0, 10, [16]),
    new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }),
  );
}

function conv1d(): Step {
  const layers: nn.Module[] = [];
  let channels = 1;
  for (const [out, kernel, stride] of [
    [32, 9, 2],
    [64, 5, 2],
    [128, 5, 2],
    [128, 3, 1],
  ]) {
    layers.push(
      new nn.Conv1d(channels, out, kernel, { stride, padding: kernel >> 1 }),
      new nn.BatchNorm1d(out),
      new nn.ReLU(),
    );
    channels = out;
  }
  const model = new nn.Sequential(...layers, new nn.AdaptiveAvgPool1d(1), new nn.Flatten(), new nn.Linear(128, 10));
  return trainer(model, new nn.CrossEntropyLoss(), randn([32, 1, 2048]), randint(0, 10, [32]));
}

class NormedBlock extends nn.Module {
  readonly body: nn.Sequential;
  readonly sc: nn.Module;

  constructor(i: number, o: number) {
    super();
    this.body = new nn.Sequential(
      new nn.GroupNorm(8, i),
      new nn.SiLU(),
      new nn.Conv2d(i, o, 3, { padding: 1 }),
      new nn.GroupNorm(8, o),
      new nn.SiLU(),
      new nn.Conv2d(o, o, 3, { padding: 1 }),
    );
    this.sc = i === o ? new nn.Identity() : new nn.Conv2d(i, o, 1);
  }
  override forward(x: Tensor): Tensor {
    return call(this.body, x).add(call(this.sc, x));
  }
}

/** One level of a UNet of residual blocks with group norm, as diffusion models have them. */
class NormedUNet extends nn.Module {
  readonly a = new NormedBlock(64, 64);
  readonly down = new nn.Conv2d(64, 128, 3, { stride: 2, padding: 1 });
  readonly b = new NormedBlock(128, 128);
  readonly up = new nn.Upsample({ scaleFactor: 2, mode: 'nearest' });
  readonly c = new NormedBlock(192, 64);

  override forward(x: Tensor): Tensor {
    const skip = this.a(x);
    return this.c(cat([this.up(this.b(this.down(skip))), skip], 1));
  }
}

function groupNorm(): Step {
  return trainer(new NormedUNet(), new nn.MSELoss(), randn([4, 64, 32, 32]), randn([4, 64, 32, 32]));
}

class LongAttention extends nn.Module {
  readonly p: nn.Embedding;
  readonly enc: nn.TransformerEncoder;
  declare readonly pos: Tensor;

  constructor(steps: number, width: number, heads: number, layers: number) {
    super();
    this.p = new nn.Embedding(steps, width);
    const layer = new nn.TransformerEncoderLayer(width, heads, {
      dimFeedforward: 2 * width,
      dropout: 0,
      activation: 'gelu',
      batchFirst: true,
      normFirst: true,
    });
    this.enc = new nn.TransformerEncoder(layer, layers, { enableNestedTensor: false });
    this.registerBuffer('pos', arange(steps));
  }
  override forward(x: Tensor): Tensor {
    return this.enc(x.add(this.p(this.pos)));
  }
}

function longAttention(): Step {
  return trainer(new LongAttention(1024, 256, 8, 2), new nn.MSELoss(), randn([2, 1024, 256]), randn([2, 1024, 256]));
}

function oddSizes(): Step {
  const model = new nn.Sequential(
    new nn.Conv2d(3, 17, 3, { padding: 1 }),
    new nn.BatchNorm2d(17),
    new nn.GELU(),
    new nn.MaxPool2d(3),
    new nn.Conv2d(17, 37, 5, { padding: 1 }),
    new nn.Tanh(),
    new nn.AvgPool2d(2),
    new nn.Flatten(),
    new nn.Linear(37 * 25, 101),
    new nn.LayerNorm(101),
    new nn.ELU(),
    new nn.Linear(101, 7),
  );
  return trainer(
    model,
    new nn.CrossEntropyLoss(),
    randn([13, 3, 37, 41]),
    randint(0, 7, [13]),
    new optim.RMSprop(model.parameters(), { lr: 1e-3 }),
  );
}

function inference(): Step {
  const model = resnet().eval() as unknown as Model;
  const x = randn([1, 3, 64, 64]);
  return () => noGrad(() => model(x).sum().item() as number);
}

export const NETWORKS: Readonly<Record<string, () => Step>> = {
  lstm: () => languageModel('LSTM', 32, 64, 512, 1),
  gru: () => languageModel('GRU', 16, 96, 256, 2),
  mobile,
  conv1d,
  groupnorm: groupNorm,
  longattention: longAttention,
  oddsizes: oddSizes,
  batch1: inference,
};
