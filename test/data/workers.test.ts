/** DataLoader with worker threads: order, errors, early ends, timeouts, and a process that ends when it should. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, manualSeed, NodegradError, type Tensor, utils } from '../../lib/index.js';
import { rejection } from '../serialization/rejection.js';
import Numbers from './numbers.js';

const { DataLoader } = utils.data;
const here = path.dirname(fileURLToPath(import.meta.url));
const module = new URL('./numbers.ts', import.meta.url);
type Batch = [Tensor, Tensor, Tensor];

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of source) result.push(item);
  return result;
}
const numbers = (options: object, loader: object = {}): utils.data.DataLoader<unknown, Batch> =>
  new DataLoader<unknown, Batch>({ module, options }, { numWorkers: 2, ...loader });

describe('DataLoader with workers', function () {
  this.timeout(120_000);

  it('gives the same batches in the same order as without', async () => {
    manualSeed(1);
    const here = await collect(
      new DataLoader<unknown, Batch>(new Numbers({ length: 11 }), { batchSize: 2, shuffle: true }),
    );
    manualSeed(1);
    const there = await collect(numbers({ length: 11 }, { batchSize: 2, shuffle: true }));
    const values = (batches: Batch[]): unknown[] => batches.map(([x, i]) => [x.tolist(), i.tolist()]);
    expect(values(there)).to.deep.equal(values(here));
    expect(there).to.have.length(6);
    expect(new Set(there.flatMap(([, , worker]) => worker.tolist() as number[]))).to.deep.equal(new Set([0, 1]));
  });

  it('knows its length once it is prepared', async () => {
    const loader = numbers({ length: 7 }, { batchSize: 2 });
    expect(() => loader.length).to.throw(ArgumentError, /prepare/);
    await loader.prepare();
    expect(loader.length).to.equal(4);
  });

  it('moves every dtype and container', async () => {
    const loader = new DataLoader<unknown, Record<string, never>>(
      { module, exportName: 'mixed' },
      { numWorkers: 1, batchSize: null },
    );
    const [item] = (await collect(loader)) as unknown as {
      half: Tensor;
      long: Tensor;
      map: Map<string, number>;
      text: string;
      turned: Tensor;
    }[];
    expect([
      item.half.dtype,
      item.half.tolist(),
      item.long.dtype,
      item.long.tolist(),
      item.map,
      item.text,
    ]).to.deep.equal(['bfloat16', [1.5], 'int64', [5], new Map([['key', 1]]), 'a']);
    expect(item.turned.tolist()).to.deep.equal([
      [1, 3],
      [2, 4],
    ]);
    expect(item.turned.stride(), 'the order in memory').to.deep.equal([1, 2]);
  });

  it('runs a collateFn here', async () => {
    const outside = 100;
    const loader = new DataLoader<[Tensor, number, number], number>(
      { module, options: { length: 4 } },
      { numWorkers: 1, batchSize: 2, collateFn: (items) => items.reduce((sum, [, i]) => sum + i, outside) },
    );
    expect(await collect(loader)).to.deep.equal([101, 105]);
  });

  it('shares an iterable out by getWorkerInfo', async () => {
    const loader = new DataLoader<unknown, Tensor>(
      { module, options: 7, exportName: 'Stream' },
      { numWorkers: 2, batchSize: 2, persistentWorkers: true },
    );
    for (let round = 0; round < 2; round++) {
      const batches = (await collect(loader)).map((batch) => batch.tolist());
      expect(batches).to.deep.equal([[0, 2], [1, 3], [4, 6], [5]]);
    }
    await loader.close();
  });

  it('gives each worker a stream of its own, fixed by manualSeed', async () => {
    const draw = async (): Promise<unknown[]> => {
      manualSeed(5);
      return (await collect(new DataLoader<unknown, Tensor>({ module, exportName: 'noise' }, { numWorkers: 2 }))).map(
        (x) => x.item(),
      );
    };
    const values = await draw();
    expect(new Set(values).size).to.equal(4);
    expect(await draw()).to.deep.equal(values);
  });

  it('runs a workerInitFn of a module in each worker, which finds its dataset', async () => {
    const loader = new DataLoader<unknown, Tensor>(
      { module, exportName: 'Begun', options: 6 },
      { numWorkers: 2, batchSize: 1, workerInitFn: { module, exportName: 'begin' } },
    );
    expect((await collect(loader)).map((batch) => batch.item())).to.deep.equal([100, 201, 102, 203, 104, 205]);
    expect(() => numbers({ length: 2 }, { workerInitFn: () => 1 })).to.throw(
      ArgumentError,
      /the module of workerInitFn/,
    );
    const failing = new DataLoader(
      { module, exportName: 'Begun', options: 2 },
      { numWorkers: 1, workerInitFn: { module, exportName: 'nothing' } },
    );
    expect((await rejection(collect(failing))).message).to.match(/a function as workerInitFn, got number/);
  });

  it("hands on a worker's error with its stack, in its turn", async () => {
    const seen: unknown[] = [];
    const error = await rejection(
      (async () => {
        for await (const [, i] of numbers({ length: 8, failAt: 5 })) seen.push(i.item());
      })(),
    );
    expect(seen).to.deep.equal([0, 1, 2, 3, 4]);
    expect(error).to.be.instanceOf(NodegradError);
    expect(error.message).to.match(
      /^DataLoader: worker 1 failed with RangeError: item 5 is broken\nin the worker:\n[\s\S]*numbers\.ts/,
    );
    expect((error.cause as Error).name).to.equal('RangeError');
  });

  it('notices a worker that ends, and one that does not answer', async () => {
    expect((await rejection(collect(numbers({ length: 8, exitAt: 3 })))).message).to.match(/worker 1 to stay alive/);
    expect(
      (await rejection(collect(numbers({ length: 8, hangAt: 3 }, { numWorkers: 1, timeout: 8 })))).message,
    ).to.match(/batch of worker 0 within 8 s, got none/);
  });

  it('ends its workers after a break', async () => {
    const pulse = new SharedArrayBuffer(4);
    const count = new Int32Array(pulse);
    for await (const _ of numbers({ length: 100, pulse })) {
      while (Atomics.load(count, 0) < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      break;
    }
    const atEnd = Atomics.load(count, 0);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(Atomics.load(count, 0)).to.equal(atEnd);
  });

  it('says why a module gives no dataset', async () => {
    const load = (exportName: string): Promise<unknown> =>
      collect(new DataLoader({ module, exportName }, { numWorkers: 1 }));
    expect((await rejection(load('nothing'))).message).to.match(/as export "nothing" of file:.*numbers\.ts, got 5/);
    expect((await rejection(load('broken'))).message).to.match(/cannot be made/);
    expect((await rejection(collect(new DataLoader('no/such/file.js', { numWorkers: 1 })))).message).to.match(
      /no\/such\/file\.js/,
    );
  });

  it('keeps no process alive: neither an iterator that was dropped nor kept workers', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-workers-'));
    try {
      const script = path.join(folder, 'program.mts');
      writeFileSync(
        script,
        `import { utils } from ${JSON.stringify(path.join(here, '..', '..', 'lib', 'index.ts'))};
         const dataset = { module: ${JSON.stringify(fileURLToPath(module))}, options: { length: 20 } };
         const dropped = new utils.data.DataLoader(dataset, { numWorkers: 1 })[Symbol.asyncIterator]();
         await dropped.next();
         const kept = new utils.data.DataLoader(dataset, { numWorkers: 1, persistentWorkers: true });
         let n = 0;
         for await (const batch of kept) n++;
         console.log(n);`,
      );
      const run = spawnSync(process.execPath, ['--import', 'tsx', script], {
        cwd: path.join(here, '..', '..'),
        encoding: 'utf8',
        timeout: 60_000,
      });
      expect(run.status, run.stderr).to.equal(0);
      expect(run.stdout).to.equal('20\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
