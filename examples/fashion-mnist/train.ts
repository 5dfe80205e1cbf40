/**
 * A small convolutional net on the whole of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017).
 * Usage: apt-get install dataset-fashion-mnist; npm run example:fashion-mnist [-- --data DIR --epochs N --batch-size N]
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { manualSeed, nn, noGrad, optim, type Tensor, tqdm, utils } from 'nodegrad';
import { readIdx } from './idx.js';

const { values: args } = parseArgs({
  options: {
    data: { type: 'string', default: '/usr/share/datasets/fashion-mnist' },
    epochs: { type: 'string', default: '5' },
    'batch-size': { type: 'string', default: '128' },
  },
});
if (!existsSync(args.data)) {
  console.error(
    `${args.data} is not there: apt-get install dataset-fashion-mnist, or name the folder of the idx.gz ` +
      'files with --data',
  );
  process.exit(1);
}

/** Images as [N, 1, 28, 28], centred and scaled, with their labels. */
function readSet(name: 'train' | 't10k'): utils.data.TensorDataset {
  const images = readIdx(path.join(args.data, `${name}-images-idx3-ubyte.gz`));
  const labels = readIdx(path.join(args.data, `${name}-labels-idx1-ubyte.gz`));
  return new utils.data.TensorDataset(images.unsqueeze(1).float().div(255).sub(0.286).div(0.353), labels.long());
}

manualSeed(0);
const model = new nn.Sequential(
  new nn.Conv2d(1, 32, 3, { padding: 1, bias: false }),
  new nn.BatchNorm2d(32),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Conv2d(32, 64, 3, { padding: 1, bias: false }),
  new nn.BatchNorm2d(64),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Dropout(0.25),
  new nn.Linear(64 * 7 * 7, 128),
  new nn.ReLU(),
  new nn.Linear(128, 10),
);
const epochs = Number(args.epochs);
const batchSize = Number(args['batch-size']);
const trainLoader = new utils.data.DataLoader(readSet('train'), { batchSize, shuffle: true });
const testLoader = new utils.data.DataLoader(readSet('t10k'), { batchSize: 500 });
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, {
  maxLr: 4e-3,
  epochs,
  stepsPerEpoch: trainLoader.length,
});
const lossFn = new nn.CrossEntropyLoss();

async function accuracy(): Promise<number> {
  model.eval();
  let right = 0;
  let all = 0;
  for await (const [images, labels] of testLoader) {
    right += noGrad(() => (model(images) as Tensor).argmax(1).eq(labels).sum().item()) as number;
    all += labels.shape[0];
  }
  model.train();
  return right / all;
}

for (let epoch = 1; epoch <= epochs; epoch++) {
  const loop = tqdm(trainLoader, { desc: `epoch ${epoch}/${epochs}` });
  for await (const [images, labels] of loop) {
    const loss = lossFn(model(images) as Tensor, labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    scheduler.step();
    loop.setPostfix({ loss: loss.item() });
  }
  console.log(`epoch ${epoch}: test accuracy ${(await accuracy()).toFixed(4)}`);
}
