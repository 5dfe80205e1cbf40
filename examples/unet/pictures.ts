/** What the run shows a person: the loss curve, and slices with prediction beside truth. */
import { noGrad, type Tensor } from 'nodegrad';
import { chartToPng, sharp } from '../drawing/render.js';
import type { SliceDataset } from './data.js';

/** A line of metrics.jsonl. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly valLoss: number;
  readonly diceBrain: number;
  readonly diceGrey: number;
  readonly seconds: number;
}

/** Draws both losses and both Dice overlaps over the epochs. */
export async function drawCurves(metrics: readonly EpochMetrics[], file: string): Promise<void> {
  const points = metrics.flatMap(({ epoch, trainLoss, valLoss, diceBrain, diceGrey }) => [
    { epoch, value: trainLoss, series: 'training loss', panel: 'loss' },
    { epoch, value: valLoss, series: 'validation loss', panel: 'loss' },
    { epoch, value: diceBrain, series: 'Dice, brain', panel: 'dice' },
    { epoch, value: diceGrey, series: 'Dice, grey matter', panel: 'dice' },
  ]);
  const panel = (name: string, title: string) => ({
    width: 360,
    height: 260,
    transform: [{ filter: `datum.panel === '${name}'` }],
    mark: { type: 'line' as const, point: true },
    encoding: {
      x: { field: 'epoch', type: 'quantitative' as const, axis: { tickMinStep: 1, format: 'd' } },
      y: { field: 'value', type: 'quantitative' as const, title, scale: { zero: name === 'loss' } },
      color: { field: 'series', type: 'nominal' as const, title: null, legend: { orient: 'bottom' as const } },
    },
  });
  await chartToPng(
    {
      title: 'UNet on axial slices of a T1 brain MRI',
      data: { values: points },
      hconcat: [panel('loss', 'binary cross entropy'), panel('dice', 'Dice on validation slices')],
      resolve: { scale: { color: 'independent' } },
    },
    file,
  );
}

const SCALE = 2;
const GAP = 8;
const HEADER = 28;

/** Draws a few slices of the set: the slice, the truth, the prediction. Brain is blue, grey matter orange. */
export async function drawPredictions(
  model: { (x: Tensor): Tensor; train(mode?: boolean): unknown; eval(): unknown },
  set: SliceDataset,
  file: string,
  count = 4,
): Promise<void> {
  model.eval();
  const picks = Array.from({ length: Math.min(count, set.length) }, (_, i) =>
    Math.floor(((i + 0.5) * set.length) / Math.min(count, set.length)),
  );
  const tiles: { input: Buffer; left: number; top: number }[] = [];
  let width = 0;
  let top = HEADER;
  for (const pick of picks) {
    const [image, truth] = await set.getItem(pick);
    const [, rows, columns] = image.shape;
    const predicted = noGrad(() => model(image.unsqueeze(0)).float().gt(0).float().squeeze(0));
    const panels = [overlay(image, null), overlay(image, truth), overlay(image, predicted)];
    for (let i = 0; i < panels.length; i++) {
      const input = await sharp(panels[i], { raw: { width: columns, height: rows, channels: 3 } })
        .resize(columns * SCALE, rows * SCALE, { kernel: 'nearest' })
        .png()
        .toBuffer();
      tiles.push({ input, left: GAP + i * (columns * SCALE + GAP), top });
    }
    width = Math.max(width, GAP + panels.length * (columns * SCALE + GAP));
    top += rows * SCALE + GAP;
  }
  model.train();
  const step = (width - GAP) / 3;
  const titles = ['slice', 'truth', 'prediction'].map(
    (text, i) =>
      `<text x="${GAP + (i + 0.5) * step - GAP / 2}" y="20" text-anchor="middle" font-family="DejaVu ` +
      `Sans" font-size="15">${text}</text>`,
  );
  const header = Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEADER}">${titles.join('')}</svg>`,
  );
  await sharp({ create: { width, height: top, channels: 3, background: 'white' } })
    .composite([...tiles, { input: header, left: 0, top: 0 }])
    .png()
    .toFile(file);
}

/** RGB pixels of the middle channel, brightened, with the mask's channels mixed in. */
function overlay(image: Tensor, mask: Tensor | null): Buffer {
  const [, rows, columns] = image.shape;
  const grey = image.select(0, 1).toTypedArray();
  const channels = mask === null ? [] : [0, 1].map((c) => mask.select(0, c).toTypedArray());
  const colours = [
    [60, 120, 255],
    [255, 150, 30],
  ];
  const out = Buffer.alloc(rows * columns * 3);
  for (let i = 0; i < rows * columns; i++) {
    const base = Math.min(255, Number(grey[i]) * 255 * 1.6);
    const top = channels.findLastIndex((channel) => Number(channel[i]) > 0);
    for (let c = 0; c < 3; c++) out[3 * i + c] = top < 0 ? base : 0.55 * base + 0.45 * colours[top][c];
  }
  return out;
}
