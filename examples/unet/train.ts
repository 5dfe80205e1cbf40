/**
 * Trains a UNet on a folder of images and masks; by default on the slices of a brain MRI beside this file.
 * Usage: npm run demo, or node --import tsx examples/unet/train.ts --images DIR --masks DIR --val-images DIR
 * --val-masks DIR [--epochs N]
 *   [--batch-size N] [--lr X] [--amp] [--pretrained FILE] [--resume FILE] [--out DIR]
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { amp, getRngState, load, manualSeed, nn, optim, save, setRngState, type Tensor, tqdm, utils } from 'nodegrad';
import { getLoaders, SliceDataset } from './data.js';
import { evaluate } from './evaluate.js';
import { UNet } from './model.js';
import { drawCurves, drawPredictions, type EpochMetrics } from './pictures.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const { values: args } = parseArgs({
  options: {
    images: { type: 'string', default: path.join(here, 'data/train/images') },
    masks: { type: 'string', default: path.join(here, 'data/train/masks') },
    'val-images': { type: 'string', default: path.join(here, 'data/val/images') },
    'val-masks': { type: 'string', default: path.join(here, 'data/val/masks') },
    epochs: { type: 'string', default: '12' },
    'batch-size': { type: 'string', default: '8' },
    lr: { type: 'string', default: '1e-3' },
    amp: { type: 'boolean', default: false },
    pretrained: { type: 'string' },
    resume: { type: 'string' },
    out: { type: 'string', default: 'runs/unet' },
  },
});

function positive(name: 'epochs' | 'batch-size' | 'lr', whole: boolean): number {
  const value = Number(args[name]);
  if (!(value > 0) || (whole && !Number.isInteger(value)))
    throw new Error(`--${name}: expected a ${whole ? 'whole ' : ''}number above 0, got ${args[name]}`);
  return value;
}
const epochs = positive('epochs', true);
const batchSize = positive('batch-size', true);
const lr = positive('lr', false);
const device = 'cpu';
const metricsFile = path.join(args.out, 'metrics.jsonl');
const checkpointFile = path.join(args.out, 'checkpoint.pth');

/** What a checkpoint of this script holds. */
interface Checkpoint {
  state_dict: Record<string, Tensor>;
  optimizer: Parameters<optim.Optimizer['loadStateDict']>[0];
  scaler: Parameters<amp.GradScaler['loadStateDict']>[0];
  epoch: number;
  global_step: number;
  rng_state: Tensor;
}

manualSeed(0);
const model = new UNet(3, 2).to(device);
const optimizer = new optim.Adam(model.parameters(), { lr });
const lossFn = new nn.BCEWithLogitsLoss();
const valPaths = { images: args['val-images'], masks: args['val-masks'] };
const [trainLoader, valLoader] = getLoaders({ images: args.images, masks: args.masks }, valPaths, { batchSize });
const scaler = new amp.GradScaler({ enabled: args.amp });
mkdirSync(args.out, { recursive: true });
if (args.pretrained) model.loadStateDict(((await load(args.pretrained)) as Checkpoint).state_dict);

let firstEpoch = 0;
let globalStep = 0;
let metrics: EpochMetrics[] = [];
if (args.resume) {
  const checkpoint = (await load(args.resume)) as Checkpoint;
  model.loadStateDict(checkpoint.state_dict);
  optimizer.loadStateDict(checkpoint.optimizer);
  scaler.loadStateDict(checkpoint.scaler);
  firstEpoch = checkpoint.epoch;
  globalStep = checkpoint.global_step;
  setRngState(checkpoint.rng_state);
  // Lines that the checkpoint does not know of belong to an epoch that was cut off.
  if (existsSync(metricsFile)) metrics = readLines(metricsFile).filter((line) => line.epoch <= firstEpoch);
  writeFileSync(metricsFile, metrics.map((line) => `${JSON.stringify(line)}\n`).join(''));
} else rmSync(metricsFile, { force: true });

function readLines(file: string): EpochMetrics[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EpochMetrics);
}

const writer = new utils.tensorboard.SummaryWriter({
  logDir: path.join(args.out, 'tensorboard'),
  purgeStep: args.resume ? globalStep : undefined,
});
for (let epoch = firstEpoch; epoch < epochs; epoch++) {
  const started = performance.now();
  const loop = tqdm(trainLoader, { desc: `epoch ${epoch + 1}/${epochs}` });
  let sum = 0;
  let images = 0;
  for await (const [data, targets] of loop) {
    const loss = amp.autocast(device, { dtype: 'bfloat16', enabled: args.amp }, () => lossFn(model(data), targets));
    optimizer.zeroGrad();
    scaler.scale(loss).backward();
    scaler.step(optimizer);
    scaler.update();
    const value = loss.item() as number;
    loop.setPostfix({ loss: value });
    writer.addScalar('loss/train', value, globalStep++);
    sum += value * data.shape[0];
    images += data.shape[0];
  }
  const { loss: valLoss, dice } = await evaluate(model, valLoader, lossFn);
  const line: EpochMetrics = {
    epoch: epoch + 1,
    trainLoss: sum / images,
    valLoss,
    diceBrain: dice[0],
    diceGrey: dice[1],
    seconds: (performance.now() - started) / 1000,
  };
  metrics.push(line);
  appendFileSync(metricsFile, `${JSON.stringify(line)}\n`);
  writer.addScalar('loss/val', valLoss, globalStep);
  writer.addScalar('dice/brain', dice[0], globalStep);
  writer.addScalar('dice/grey', dice[1], globalStep);
  const checkpoint: Checkpoint = {
    state_dict: model.stateDict(),
    optimizer: optimizer.stateDict(),
    scaler: scaler.stateDict(),
    epoch: epoch + 1,
    global_step: globalStep,
    rng_state: getRngState(),
  };
  await save(checkpoint, checkpointFile);
  console.log(
    `epoch ${epoch + 1}: validation loss ${valLoss.toFixed(4)}, Dice brain ${dice[0].toFixed(4)}, grey ` +
      `matter ${dice[1].toFixed(4)}`,
  );
}
writer.close();

await drawCurves(metrics, path.join(args.out, 'curves.png'));
await drawPredictions(model, new SliceDataset(valPaths), path.join(args.out, 'predictions.png'));
console.log(`checkpoint, metrics, TensorBoard files and pictures are in ${args.out}`);
