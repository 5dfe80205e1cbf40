/**
 * Trains a net alone, then four times in worker threads of which one is terminated mid-way; prints the losses of each.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { manualSeed, nn, optim, randn, type Tensor } from '../../lib/index.js';

const tsx = pathToFileURL(
  createRequire(import.meta.url)
    .resolve('tsx/esm/api')
    .replace(/\.cjs$/, '.mjs'),
).href;

/** The losses of `steps` steps from a fixed seed. */
function train(steps: number, onStep: (step: number) => void): number[] {
  manualSeed(7);
  const model = new nn.Sequential(
    new nn.Linear(32, 512),
    new nn.ReLU(),
    new nn.Linear(512, 512),
    new nn.ReLU(),
    new nn.Linear(512, 1),
  );
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  const lossFn = new nn.MSELoss();
  const x = randn([256, 32]);
  const y = x.select(1, 0).unsqueeze(1);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = lossFn(model(x) as Tensor, y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(loss.item() as number);
    onStep(step);
  }
  return losses;
}

function start(steps: number): Worker {
  // tsx is registered by hand in each thread: Node 20 does not pass its hooks on.
  const program =
    `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return ` +
    `import(${JSON.stringify(import.meta.url)}); });`;
  return new Worker(program, { eval: true, workerData: { steps } });
}

async function main(): Promise<void> {
  const alone = train(40, () => {});
  const doomed = start(1_000_000);
  const ended = new Promise<number>((resolve) => doomed.once('exit', resolve));
  const others = [0, 1, 2].map(() => {
    const worker = start(40);
    return new Promise<number[]>((resolve, reject) => {
      worker.on('message', (message: { losses?: number[] }) => message.losses && resolve(message.losses));
      worker.once('error', reject);
    });
  });
  await new Promise<void>((resolve) => {
    doomed.on('message', (message: { step?: number }) => message.step === 3 && resolve());
  });
  await doomed.terminate();
  const together = await Promise.all(others);
  console.log(JSON.stringify({ alone, together, terminated: (await ended) === 1 }));
}

if (isMainThread) await main();
else {
  const { steps } = workerData as { steps: number };
  const losses = train(steps, (step) => parentPort?.postMessage({ step }));
  parentPort?.postMessage({ losses });
}
