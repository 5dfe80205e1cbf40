/**
 * The workloads of the speed comparison; torch_workloads.py beside this file is PyTorch's side, workload by workload.
 */
import { arange, cat, nn, optim, rand, randint, randn, type Tensor, tensor } from 'nodegrad';
import { NETWORKS } from './networks.js';
import { type Model, resnet, type Step, trainer } from './training.js';

class DoubleConv extends nn.Sequential {
  constructor(i: number, o: number) {
    super(
      new nn.Conv2d(i, o, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(o),
      new nn.ReLU(true),
      new nn.Conv2d(o, o, 3, { padding: 1, bias: false }),
      new nn.BatchNorm2d(o),
      new nn.ReLU(true),
    );
  }
}

class UNet extends nn.Module {
  readonly inc: DoubleConv;
  readonly down = new nn.ModuleList();
  readonly up = new nn.ModuleList();
  readonly conv = new nn.ModuleList();
  readonly outc: nn.Conv2d;

  constructor(inChannels: number, outChannels: number, width: number) {
    super();
    const widths = [1, 2, 4, 8, 16].map((k) => k * width);
    this.inc = new DoubleConv(inChannels, width);
    for (let i = 1; i < 5; i++)
      this.down.append(new nn.Sequential(new nn.MaxPool2d(2), new DoubleConv(widths[i - 1], widths[i])));
    for (let i = 3; i >= 0; i--) this.up.append(new nn.ConvTranspose2d(widths[i + 1], widths[i], 2, { stride: 2 }));
    for (let i = 3; i >= 0; i--) this.conv.append(new DoubleConv(2 * widths[i], widths[i]));
    this.outc = new nn.Conv2d(width, outChannels, 1);
  }

  override forward(x: Tensor): Tensor {
    const skips = [this.inc(x)];
    for (const down of this.down) skips.push((down as unknown as Model)(skips[skips.length - 1]));
    let y = skips.pop() as Tensor;
    const ups = [...this.up] as unknown as Model[];
    const convs = [...this.conv] as unknown as Model[];
    for (let i = 0; i < ups.length; i++) y = convs[i](cat([skips.pop() as Tensor, ups[i](y)], 1));
    return this.outc(y);
  }
}

function unet(useAmp: boolean): Step {
  return trainer(
    new UNet(3, 2, 16),
    new nn.BCEWithLogitsLoss(),
    randn([4, 3, 128, 128]),
    rand([4, 2, 128, 128]).round(),
    undefined,
    useAmp,
  );
}

function mlp(): Step {
  const model = new nn.Sequential(
    new nn.Linear(784, 512),
    new nn.ReLU(),
    new nn.Linear(512, 256),
    new nn.ReLU(),
    new nn.Linear(256, 10),
  );
  return trainer(model, new nn.CrossEntropyLoss(), randn([128, 784]), randint(0, 10, [128]));
}

function tinymlp(): Step {
  const model = new nn.Sequential(
    new nn.Linear(8, 16),
    new nn.Tanh(),
    new nn.Linear(16, 16),
    new nn.Tanh(),
    new nn.Linear(16, 1),
  );
  return trainer(model, new nn.MSELoss(), randn([16, 8]), randn([16, 1]));
}

function scalarchain(): Step {
  const x = tensor([1.5], { requiresGrad: true });
  return () => {
    let y = x;
    for (let i = 0; i < 250; i++) y = y.mul(0.99).add(x);
    y.sum().backward();
    x.grad = null;
    return y.item() as number;
  };
}

function lenet(): Step {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 32, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(32, 64, 5),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(1024, 128),
    new nn.ReLU(),
    new nn.Dropout(0.25),
    new nn.Linear(128, 10),
  );
  return trainer(
    model,
    new nn.CrossEntropyLoss(),
    randn([64, 1, 28, 28]),
    randint(0, 10, [64]),
    new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 }),
  );
}

function resnet18(): Step {
  const model = resnet();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weightDecay: 5e-4 });
  return trainer(model, new nn.CrossEntropyLoss(), randn([32, 3, 32, 32]), randint(0, 10, [32]), optimizer);
}

class GPT extends nn.Module {
  readonly e: nn.Embedding;
  readonly p: nn.Embedding;
  readonly enc: nn.TransformerEncoder;
  readonly o: nn.Linear;
  declare readonly mask: Tensor;
  declare readonly pos: Tensor;

  constructor(vocabulary = 256, steps = 128, width = 256, heads = 8, layers = 4) {
    super();
    this.e = new nn.Embedding(vocabulary, width);
    this.p = new nn.Embedding(steps, width);
    const layer = new nn.TransformerEncoderLayer(width, heads, {
      dimFeedforward: 4 * width,
      dropout: 0,
      activation: 'gelu',
      batchFirst: true,
      normFirst: true,
    });
    this.enc = new nn.TransformerEncoder(layer, layers, { enableNestedTensor: false });
    this.o = new nn.Linear(width, vocabulary);
    this.registerBuffer('mask', nn.Transformer.generateSquareSubsequentMask(steps));
    this.registerBuffer('pos', arange(steps));
  }

  override forward(x: Tensor): Tensor {
    return this.o(this.enc(this.e(x).add(this.p(this.pos)), { mask: this.mask, isCausal: true })).flatten(0, 1);
  }
}

function gpt(): Step {
  const model = new GPT();
  return trainer(
    model,
    new nn.CrossEntropyLoss(),
    randint(0, 256, [8, 128]),
    randint(0, 256, [8 * 128]),
    new optim.AdamW(model.parameters(), { lr: 3e-4 }),
  );
}

export const WORKLOADS: Readonly<Record<string, () => Step>> = {
  unet16: () => unet(false),
  unet16_bf16: () => unet(true),
  mlp,
  tinymlp,
  scalarchain,
  lenet,
  resnet18,
  gpt,
  ...NETWORKS,
};
