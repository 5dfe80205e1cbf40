/**
 * 10,000 synchronous training steps of a small net; prints the resident memory (MB) at step 1,000 and at the end, and
 * the loss.
 */
import { manualSeed, nn, optim, randn, type Tensor } from '../../lib/index.js';

manualSeed(0);
const model = new nn.Sequential(new nn.Linear(64, 256), new nn.Tanh(), new nn.Linear(256, 1));
const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
const lossFn = new nn.MSELoss();
const x = randn([128, 64]);
const y = x.sum(1, { keepdim: true }).sin();
const resident = (): number => process.memoryUsage.rss() / 2 ** 20;

let early = 0;
let firstLoss = 0;
let lastLoss = 0;
for (let step = 1; step <= 10_000; step++) {
  const loss = lossFn(model(x) as Tensor, y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  lastLoss = loss.item() as number;
  if (step === 1) firstLoss = lastLoss;
  if (step === 1000) early = resident();
}
console.log(JSON.stringify({ early, late: resident(), firstLoss, lastLoss }));
