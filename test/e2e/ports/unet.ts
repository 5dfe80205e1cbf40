/** unet.py in nodegrad, line by line. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  cat,
  channelsLast,
  cuda,
  type DeviceName,
  Generator,
  inferenceMode,
  load,
  manualSeed,
  nn,
  optim,
  randint,
  randn,
  save,
  slice,
  type Tensor,
  utils,
  where,
  zeros,
} from 'nodegrad';

const F = nn.functional;
const { DataLoader, Dataset, randomSplit } = utils.data;

/** (convolution => [BN] => ReLU) * 2 */
class DoubleConv extends nn.Module {
  doubleConv: nn.Sequential;

  constructor(inChannels: number, outChannels: number, midChannels = outChannels) {
    super();
    this.doubleConv = new nn.Sequential(
      new nn.Conv2d(inChannels, midChannels, { kernelSize: 3, padding: 1, bias: false }),
      new nn.BatchNorm2d(midChannels),
      new nn.ReLU({ inplace: true }),
      new nn.Conv2d(midChannels, outChannels, { kernelSize: 3, padding: 1, bias: false }),
      new nn.BatchNorm2d(outChannels),
      new nn.ReLU({ inplace: true }),
    );
  }

  override forward(x: Tensor): Tensor {
    return this.doubleConv(x);
  }
}

class Down extends nn.Module {
  maxpoolConv: nn.Sequential;

  constructor(inChannels: number, outChannels: number) {
    super();
    this.maxpoolConv = new nn.Sequential(
      new nn.MaxPool2d(2),
      new DoubleConv(inChannels, outChannels),
      new nn.Dropout(0.2),
    );
  }

  override forward(x: Tensor): Tensor {
    return this.maxpoolConv(x);
  }
}

class Up extends nn.Module {
  up: nn.Upsample | nn.ConvTranspose2d;
  conv: DoubleConv;

  constructor(inChannels: number, outChannels: number, { bilinear = true } = {}) {
    super();
    if (bilinear) {
      this.up = new nn.Upsample({ scaleFactor: 2, mode: 'bilinear', alignCorners: true });
      this.conv = new DoubleConv(inChannels, outChannels, inChannels / 2);
    } else {
      this.up = new nn.ConvTranspose2d(inChannels, inChannels / 2, { kernelSize: 2, stride: 2 });
      this.conv = new DoubleConv(inChannels, outChannels);
    }
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    x1 = this.up(x1);
    const diffY = x2.size()[2] - x1.size()[2];
    const diffX = x2.size()[3] - x1.size()[3];
    const [left, top] = [Math.floor(diffX / 2), Math.floor(diffY / 2)];
    x1 = F.pad(x1, [left, diffX - left, top, diffY - top]);
    const x = cat([x2, x1], { dim: 1 });
    return this.conv(x);
  }
}

class UNet extends nn.Module {
  nChannels: number;
  nClasses: number;
  inc: DoubleConv;
  down1: Down;
  down2: Down;
  up1: Up;
  drop: nn.Dropout2d;
  up2: Up;
  outc: nn.Conv2d;

  constructor(nChannels: number, nClasses: number) {
    super();
    this.nChannels = nChannels;
    this.nClasses = nClasses;
    this.inc = new DoubleConv(nChannels, 4);
    this.down1 = new Down(4, 8);
    this.down2 = new Down(8, 8);
    this.up1 = new Up(16, 8, { bilinear: true });
    this.drop = new nn.Dropout2d(0.1);
    this.up2 = new Up(8, 4, { bilinear: false });
    this.outc = new nn.Conv2d(4, nClasses, { kernelSize: 1 });
  }

  override forward(images: Tensor): Tensor {
    const x1 = this.inc(images);
    const x2 = this.down1(x1);
    const x3 = this.down2(x2);
    let x = this.up1(x3, x2);
    x = this.drop(x);
    x = this.up2(x, x1);
    return this.outc(x);
  }
}

/** Bright rectangles on noise, and the class of each pixel: background, wide rectangle, high rectangle. */
class Shapes extends Dataset<{ image: Tensor; mask: Tensor }> {
  images: Tensor;
  masks: Tensor;

  constructor(count: number) {
    super();
    this.images = randn(count, 1, 14, 14).mul(0.3);
    this.masks = zeros(count, 14, 14, { dtype: 'int64' });
    for (let i = 0; i < count; i++) {
      const [top, left] = randint(0, 7, [2]).tolist() as number[];
      const [height, width] = i % 2 === 0 ? [3, 6] : [6, 3];
      this.images.index([i, 0, slice(top, top + height), slice(left, left + width)]).add_(1);
      this.masks.indexPut_([i, slice(top, top + height), slice(left, left + width)], 1 + (i % 2));
    }
  }

  override get length(): number {
    return this.images.size(0);
  }

  override getItem(idx: number): { image: Tensor; mask: Tensor } {
    return { image: this.images.index(idx), mask: this.masks.index(idx) };
  }
}

function diceCoeff(input: Tensor, target: Tensor, epsilon = 1e-6): Tensor {
  const sumDim = [-1, -2];
  const inter = input.mul(target).sum({ dim: sumDim }).mul(2);
  let setsSum = input.sum({ dim: sumDim }).add(target.sum({ dim: sumDim }));
  setsSum = where(setsSum.eq(0), inter, setsSum);
  const dice = inter.add(epsilon).div(setsSum.add(epsilon));
  return dice.mean();
}

function diceLoss(input: Tensor, target: Tensor): Tensor {
  return diceCoeff(input.flatten(0, 1), target.flatten(0, 1)).neg().add(1);
}

function make(device: DeviceName): [UNet, optim.RMSprop, optim.lrScheduler.ReduceLROnPlateau] {
  let model = new UNet(1, 3);
  model = model.to({ memoryFormat: channelsLast });
  model.to({ device });
  const optimizer = new optim.RMSprop(model.parameters(), {
    lr: 1e-3,
    weightDecay: 1e-8,
    momentum: 0.9,
    foreach: true,
  });
  const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, 'max', { patience: 1 });
  return [model, optimizer, scheduler];
}

async function evaluate(
  net: UNet,
  dataloader: utils.data.DataLoader<{ image: Tensor; mask: Tensor }>,
  device: DeviceName,
): Promise<Tensor> {
  return inferenceMode(async () => {
    net.eval();
    let diceScore = zeros([]);
    for await (const batch of dataloader) {
      let { image, mask: maskTrue } = batch;
      image = image.to({ device, dtype: 'float32', memoryFormat: channelsLast });
      maskTrue = maskTrue.to({ device, dtype: 'int64' });
      let maskPred = net(image);
      maskTrue = F.oneHot(maskTrue, net.nClasses).permute(0, 3, 1, 2).float();
      maskPred = F.oneHot(maskPred.argmax({ dim: 1 }), net.nClasses)
        .permute(0, 3, 1, 2)
        .float();
      const foreground = [slice(), slice(1, null)];
      diceScore = diceScore.add(
        diceCoeff(maskPred.index(foreground).flatten(0, 1), maskTrue.index(foreground).flatten(0, 1)),
      );
    }
    net.train();
    return diceScore.div(Math.max(dataloader.length, 1));
  });
}

export async function main(): Promise<number[]> {
  manualSeed(5);
  const device = cuda.isAvailable() ? 'cuda' : 'cpu';
  const dataset = new Shapes(24);
  const nVal = 4;
  const [trainSet, valSet] = randomSplit(dataset, [dataset.length - nVal, nVal], {
    generator: new Generator().manualSeed(0),
  });
  const loaderArgs = { batchSize: 4, numWorkers: 0, pinMemory: false };
  const trainLoader = new DataLoader(trainSet, { shuffle: true, ...loaderArgs });
  const valLoader = new DataLoader(valSet, { shuffle: false, dropLast: true, ...loaderArgs });

  let [model, optimizer, scheduler] = make(device);
  const criterion = new nn.CrossEntropyLoss();
  const losses: number[] = [];
  for (let epoch = 1; epoch < 7; epoch++) {
    model.train();
    for await (const batch of trainLoader) {
      let { image: images, mask: trueMasks } = batch;
      images = images.to({ device, dtype: 'float32', memoryFormat: channelsLast });
      trueMasks = trueMasks.to({ device, dtype: 'int64' });
      const masksPred = model(images);
      let loss = criterion(masksPred, trueMasks);
      loss = loss.add(
        diceLoss(
          F.softmax(masksPred, { dim: 1 }).float(),
          F.oneHot(trueMasks, model.nClasses).permute(0, 3, 1, 2).float(),
        ),
      );
      optimizer.zeroGrad({ setToNone: true });
      loss.backward();
      nn.utils.clipGradNorm_(model.parameters(), 1.0);
      optimizer.step();
      losses.push(loss.item());
    }
    scheduler.step(await evaluate(model, valLoader, device));

    if (epoch === 3) {
      const folder = mkdtempSync(join(tmpdir(), 'unet-'));
      const path = join(folder, 'checkpoint.pth');
      await save(
        { model: model.stateDict(), optimizer: optimizer.stateDict(), scheduler: scheduler.stateDict() },
        path,
      );
      [model, optimizer, scheduler] = make(device);
      const checkpoint = await load(path, { mapLocation: device });
      rmSync(folder, { recursive: true });
      model.loadStateDict(checkpoint.model);
      optimizer.loadStateDict(checkpoint.optimizer);
      scheduler.loadStateDict(checkpoint.scheduler);
    }
  }
  return losses;
}
