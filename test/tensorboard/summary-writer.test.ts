/**
 * SummaryWriter against event files that PyTorch's own wrote (scripts/fixtures/event_files.py), and what a user relies
 * on: nothing lost.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, full, NodegradError, ShapeError, tensor, utils } from '../../lib/index.js';
import { decode, type EventMessage, events, HPARAMS, type ValueMessage } from './decode.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const { SummaryWriter } = utils.tensorboard;
const TIME = 1234.5;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-events-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function eventsIn(logDir = folder): EventMessage[] {
  const files = readdirSync(logDir).filter((name) => name.startsWith('events.out.tfevents.'));
  return files.sort().flatMap((name) => events(readFileSync(path.join(logDir, name))));
}
const fixture = (name: string): EventMessage[] =>
  events(readFileSync(path.join(here, '..', 'fixtures', 'tensorboard', name)));
const values = (list: EventMessage[]): ValueMessage[] => list.flatMap((event) => event.summary?.value ?? []);

describe("SummaryWriter: PyTorch's messages", () => {
  it('scalars, text and histograms', () => {
    const writer = new SummaryWriter({ logDir: folder });
    writer.addScalar('loss/train', 0.25, 3, TIME);
    writer.addScalar('negative step', tensor([-1.5]), { globalStep: -2, walltime: TIME });
    writer.addScalar('no step', Infinity, null, TIME);
    writer.addText('note', 'Größe **fett**', 7, TIME);
    const x = Array.from({ length: 11 }, (_, i) => (i - 5) / 4);
    writer.addHistogram('default bins', tensor(x, { dtype: 'float64' }), 1, { walltime: TIME });
    writer.addHistogram('one value', [0, 0], { globalStep: 1, walltime: TIME });
    writer.addHistogram('equal bins', Float32Array.from(x), 1, 4, TIME);
    writer.addHistogram('edges', x, 1, { bins: [-1, 0, 0.5, 5], walltime: TIME });
    writer.addHistogram('thinned', x, 1, 10, TIME, 3);
    writer.close();
    const [version, ...rest] = eventsIn();
    expect(version.fileVersion).to.equal('brain.Event:2');
    expect(Math.abs(version.wallTime - Date.now() / 1000)).to.be.lessThan(60);
    const [, ...expected] = fixture('events.bin');
    expect(rest.map((event) => event.summary?.value[0].tag)).to.deep.equal(
      expected.map((event) => event.summary?.value[0].tag),
    );
    for (const [i, event] of rest.entries()) {
      const limits = event.summary?.value[0].histo?.limits;
      const theirs = expected[i].summary?.value[0].histo;
      if (limits !== undefined && theirs !== undefined) {
        // numpy's edges of equal width may differ from ours in the last bit.
        limits.forEach((limit, k) => {
          expect(limit).to.be.closeTo(theirs.limits[k], 1e-12);
        });
        theirs.limits = limits;
      }
      expect(event).to.deep.equal(expected[i]);
    }
  });

  it('hyperparameters', () => {
    const writer = new SummaryWriter(folder);
    writer.addHparams({ lr: 0.5, name: 'first', flag: true }, { accuracy: 0.75 }, { runName: 'run', globalStep: 2 });
    writer.close();
    const strip = (list: EventMessage[]): unknown =>
      values(list).map(({ tag, simpleValue, metadata }) => {
        const content = metadata?.plugin.content;
        return {
          tag,
          simpleValue,
          plugin: metadata?.plugin.name,
          content: content === undefined ? undefined : decode(HPARAMS, content),
        };
      });
    const sorted = (list: unknown): string => JSON.stringify(list);
    const expected = strip(fixture('hparams.bin')) as {
      content?: {
        start?: { hparams: { key: string; value: unknown }[] };
        experiment?: { hparams: { name: string; type: number }[] };
      };
    }[];
    // PyTorch takes a boolean for a number, and writes a map in no order.
    for (const { content } of expected) {
      content?.start?.hparams.sort(
        (a, b) => ['lr', 'name', 'flag'].indexOf(a.key) - ['lr', 'name', 'flag'].indexOf(b.key),
      );
      const flag = content?.start?.hparams.find(({ key }) => key === 'flag');
      if (flag !== undefined) flag.value = { bool: 1 };
      const type = content?.experiment?.hparams.find(({ name }) => name === 'flag');
      if (type !== undefined) type.type = 2;
    }
    expect(sorted(strip(eventsIn(path.join(folder, 'run'))))).to.equal(sorted(expected));
  });

  it('several series, each a run below', () => {
    const writer = new SummaryWriter({ logDir: folder });
    writer.addScalars('loss/all', { train: 1, val: tensor(2) }, 5);
    writer.addScalars('loss/all', { train: 0.5 }, 6);
    writer.close();
    expect(
      readdirSync(folder)
        .filter((name) => !name.startsWith('events'))
        .sort(),
    ).to.deep.equal(['loss_all_train', 'loss_all_val']);
    expect(values(eventsIn(path.join(folder, 'loss_all_train')))).to.deep.equal([
      { tag: 'loss/all', simpleValue: 1 },
      { tag: 'loss/all', simpleValue: 0.5 },
    ]);
  });

  it('a purge step', () => {
    new SummaryWriter({ logDir: folder, purgeStep: 4, filenameSuffix: '.again' }).close();
    expect(readdirSync(folder)[0]).to.match(/\.again$/);
    expect(eventsIn().map(({ step, fileVersion, sessionLog }) => ({ step, fileVersion, sessionLog }))).to.deep.equal([
      { step: undefined, fileVersion: 'brain.Event:2', sessionLog: undefined },
      { step: 4, fileVersion: 'brain.Event:2', sessionLog: undefined },
      { step: 4, fileVersion: undefined, sessionLog: { status: 1 } },
    ]);
  });
});

describe('SummaryWriter: histograms', () => {
  it('count NaN and infinite values in no bin, and refuse to show nothing', () => {
    const writer = new SummaryWriter({ logDir: folder });
    writer.addHistogram('h', [1, Number.NaN, Infinity], 0);
    expect(() => writer.addHistogram('h', [Number.NaN], 0)).to.throw(ArgumentError, /within the bins/);
    expect(() => writer.addHistogram('h', tensor(new Float32Array(0)), 0)).to.throw(
      ArgumentError,
      /at least one value/,
    );
    expect(() => writer.addHistogram('h', [1, Infinity], 0, 4)).to.throw(ArgumentError, /finite/);
    expect(() => writer.addHistogram('h', [1], 0, 0)).to.throw(ArgumentError, /bins/);
    expect(() => writer.addHistogram('h', [1], 0, [2, 1])).to.throw(ArgumentError, /do not decrease/);
    expect(() => writer.addHistogram('h', [1], 0, 'auto' as never)).to.throw(ArgumentError, /'tensorflow'/);
    writer.close();
    const histo = values(eventsIn())[0].histo;
    expect(histo?.counts).to.deep.equal([0, 1]);
    expect(histo?.num).to.equal(3);
    expect(histo?.min).to.be.NaN;
  });
});

describe('SummaryWriter: nothing is lost', () => {
  it('events wait in a queue until flush, close or enough of them', () => {
    const writer = new SummaryWriter({ logDir: folder, maxQueue: 3, flushSecs: 1000 });
    writer.addScalar('a', 1, 1);
    expect(eventsIn()).to.have.length(0);
    writer.addScalar('a', 2, 2);
    expect(eventsIn()).to.have.length(3);
    writer.addScalar('a', 3, 3);
    writer.flush();
    expect(eventsIn()).to.have.length(4);
    writer.addScalar('a', 4, 4);
    writer.close();
    writer.close();
    expect(eventsIn()).to.have.length(5);
    writer.addScalar('a', 5, 5);
    writer.close();
    expect(values(eventsIn()).map(({ simpleValue }) => simpleValue)).to.deep.equal([1, 2, 3, 4, 5]);
  });

  it('a waiting event is written after flushSecs, also where nothing follows', async () => {
    const writer = new SummaryWriter({ logDir: folder, flushSecs: 0.01 });
    writer.addScalar('a', 1, 1);
    for (let i = 0; i < 200 && eventsIn().length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(eventsIn()).to.have.length(2);
    writer.close();
  });

  it('a program that ends without close has all its events in the file', () => {
    const script = path.join(folder, 'program.mts');
    const logDir = path.join(folder, 'logs');
    mkdirSync(logDir);
    writeFileSync(
      script,
      `import { SummaryWriter } from ${JSON.stringify(path.join(here, '..', '..', 'lib', 'tensorboard', 'index.ts'))};
       const writer = new SummaryWriter(${JSON.stringify(logDir)});
       for (let i = 0; i < 25; i++) writer.addScalar('a', i, i);
       process.exit(3);`,
    );
    const run = spawnSync(process.execPath, ['--import', 'tsx', script], {
      cwd: path.join(here, '..', '..'),
      encoding: 'utf8',
    });
    expect(run.status, run.stderr).to.equal(3);
    expect(values(eventsIn(logDir))).to.have.length(25);
  });
});

describe('SummaryWriter: arguments by name', () => {
  it('write what they write by position', () => {
    const image = full([1, 2, 2], 0.5);
    const write = (logDir: string, byName: boolean): unknown => {
      const writer = byName
        ? new SummaryWriter({ logDir, comment: 'c', maxQueue: 3 })
        : new SummaryWriter(logDir, 'c', null, 3);
      const when = { globalStep: 2, walltime: TIME };
      if (byName) {
        writer.addScalar({ tag: 'a', scalarValue: 1, ...when });
        writer.addHistogram({ tag: 'b', values: [1, 2], bins: 3, ...when });
        writer.addImage({ tag: 'c', imgTensor: image, ...when });
        writer.addText({ tag: 'd', textString: 'x', ...when });
      } else {
        writer.addScalar('a', 1, 2, TIME);
        writer.addHistogram('b', [1, 2], 2, 3, TIME);
        writer.addImage('c', image, 2, TIME);
        writer.addText('d', 'x', tensor(2) as never, { walltime: TIME });
      }
      writer.close();
      return eventsIn(logDir).slice(1);
    };
    const byPosition = write(path.join(folder, 'position'), false);
    expect(write(path.join(folder, 'name'), true)).to.deep.equal(byPosition);
    expect(byPosition).to.have.length(4);
    const writer = new SummaryWriter({ logDir: folder });
    writer.addScalars({ mainTag: 'e', tagScalarDict: { x: 1 }, globalStep: 1 });
    writer.addHparams({ hparamDict: { lr: 0.1 }, metricDict: { loss: 1 }, runName: 'run' });
    writer.close();
    expect(readdirSync(folder)).to.include.members(['e_x', 'run']);
    expect(() => writer.addScalar({ tag: 'a', value: 1 } as never)).to.throw(ArgumentError, /unknown option "value"/);
  });
});

describe('SummaryWriter: wrong calls', () => {
  it('are refused by name', () => {
    const writer = new SummaryWriter({ logDir: folder });
    expect(() => new SummaryWriter({ logdir: folder } as never)).to.throw(ArgumentError, /did you mean "logDir"/);
    expect(() => new SummaryWriter(5 as never)).to.throw(ArgumentError);
    expect(() => writer.addScalar('', 1)).to.throw(ArgumentError, /a tag/);
    expect(() => writer.addScalar('a', 'x' as never)).to.throw(ArgumentError, /a number or a tensor of one element/);
    expect(() => writer.addScalar('a', full([2], 1))).to.throw(ArgumentError, /got float32\[2\]/);
    expect(() => writer.addScalar('a', 1, { globalstep: 1 } as never)).to.throw(
      ArgumentError,
      /did you mean "globalStep"/,
    );
    expect(() => writer.addScalar('a', 1, Number.NaN)).to.throw(ArgumentError, /globalStep/);
    expect(() => writer.addScalars('a', 1 as never)).to.throw(ArgumentError);
    expect(() => writer.addText('a', 1 as never)).to.throw(ArgumentError);
    expect(() => writer.addHparams({ a: {} as never }, {})).to.throw(ArgumentError, /as a, got/);
    expect(() => writer.addImage('a', full([2, 2], 1))).to.throw(ShapeError, /3 dimensions for dataformats CHW, got 2/);
    expect(() => writer.addImage('a', full([2, 2, 2], 1))).to.throw(ShapeError, /1, 3, 4 channels, got 2/);
    expect(() => writer.addImage('a', full([3, 0, 2], 1))).to.throw(ShapeError, /at least one pixel/);
    expect(() => writer.addImage('a', full([2, 2], 1), 0, { dataformats: 'HH' })).to.throw(
      ArgumentError,
      /dataformats/,
    );
    writer.close();
    expect(values(eventsIn())).to.have.length(0);
  });

  it('where the folder cannot be written to', () => {
    writeFileSync(path.join(folder, 'file'), '');
    for (const place of [
      { logDir: path.join(folder, 'file') },
      { logDir: path.join(folder, '\u0000') },
      { logDir: folder, filenameSuffix: '\u0000' },
    ])
      expect(() => new SummaryWriter(place)).to.throw(NodegradError, /^SummaryWriter: expected to write ".*", got /);
  });
});
