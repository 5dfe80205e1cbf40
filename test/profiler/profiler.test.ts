/**
 * Profiles: what is recorded, nested and averaged; the table against PyTorch's (test/fixtures/profiler-table.json, made
 * by scripts/fixtures/profiler_table.py); the trace file.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { observer } from '../../lib/autograd/observer.js';
import {
  ArgumentError,
  autograd,
  manualSeed,
  NodegradError,
  nn,
  noGrad,
  optim,
  profiler,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';

type Avg = profiler.FunctionEventAvg;
const byName = (list: profiler.EventList, name: string): Avg => {
  const found = list.find(({ key }) => key === name);
  expect(found, `${name} among ${list.map(({ key }) => key).join(', ')}`).to.not.equal(undefined);
  return found as Avg;
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('profiler.profile', () => {
  afterEach(() => expect(observer.active).to.equal(null));

  it('counts operators with their shapes, and the bytes that they make', () => {
    const x = randn([16, 32]);
    const prof = profiler.profile(() => {
      for (let i = 0; i < 3; i++) x.exp();
      x.add(1).mul(x);
      zeros([4]).exp();
    });
    const all = prof.keyAverages();
    expect(byName(all, 'exp').count).to.equal(4);
    expect(byName(all, 'exp').cpuMemoryUsage).to.equal(3 * 16 * 32 * 4 + 16);
    expect(byName(all, 'mul').selfCpuMemoryUsage).to.equal(16 * 32 * 4);
    const shaped = prof.keyAverages({ groupByInputShape: true }).filter(({ key }) => key === 'exp');
    expect(shaped.map(({ count, inputShapes }) => [count, inputShapes])).to.deep.equal([
      [3, [[16, 32]]],
      [1, [[4]]],
    ]);
    const [first] = prof.events();
    expect([first.name, first.kind, first.inputShapes, first.inputDtypes]).to.deep.equal([
      'exp',
      'op',
      [[16, 32]],
      ['float32'],
    ]);
    expect(prof.events().every(({ cpuTimeTotal, start }) => cpuTimeTotal >= 0 && start >= 0)).to.equal(true);
  });

  it('shows derivative rules with what they call, and optimizer steps', () => {
    manualSeed(0);
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.Tanh(), new nn.Linear(4, 1));
    const optimizer = new optim.Adam(model.parameters());
    const x = randn([5, 3]);
    const prof = profiler.profile(() => {
      const loss = (model(x) as Tensor).square().mean();
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
    const events = prof.events();
    const rule = events.find(({ name }) => name === 'TanhBackward0');
    expect(rule?.kind).to.equal('backward');
    const inside = events.filter(({ cpuParent }) => cpuParent === rule);
    expect(inside.map(({ kind }) => kind)).to.include('op');
    expect((rule as profiler.FunctionEvent).cpuTimeTotal).to.be.at.least(
      inside.reduce((sum, event) => sum + event.cpuTimeTotal, 0),
    );
    for (const name of ['Optimizer.step#Adam.step', 'Optimizer.zeroGrad#Adam.zeroGrad'])
      expect(byName(prof.keyAverages(), name).count).to.equal(1);
    expect(byName(prof.keyAverages(), 'AddmmBackward0').count).to.equal(2);
    // What every event took itself adds up to what those around all others took.
    const outermost = events
      .filter(({ cpuParent }) => cpuParent === null)
      .reduce((sum, event) => sum + event.cpuTimeTotal, 0);
    expect(prof.selfCpuTimeTotal).to.be.closeTo(outermost, 1e-6 * outermost);
  });

  it('nests named pieces, and gives back their values', () => {
    const prof = profiler.profile(() => {
      const y = profiler.recordFunction('outer', () => {
        profiler.recordFunction('inner', () => randn([4]).exp());
        return randn([4]).log();
      });
      expect(y.shape).to.deep.equal([4]);
      expect(() =>
        profiler.recordFunction('failing', () => {
          throw new RangeError('as it was');
        }),
      ).to.throw(RangeError, 'as it was');
    });
    const [outer, inner, failing] = ['outer', 'inner', 'failing'].map(
      (name) => prof.events().find((event) => event.name === name) as profiler.FunctionEvent,
    );
    expect([inner.cpuParent, outer.cpuParent, failing.cpuParent]).to.deep.equal([outer, null, null]);
    expect(prof.events().find(({ name }) => name === 'exp')?.cpuParent).to.equal(inner);
    expect(outer.selfCpuTimeTotal).to.be.below(outer.cpuTimeTotal);
    expect(profiler.recordFunction('without a profile', () => 7)).to.equal(7);
  });

  it('goes on after a call that threw', () => {
    const prof = profiler.profile(() => {
      for (let i = 0; i < 2; i++) expect(() => randn([2, 3]).mm(randn([2, 3]))).to.throw(NodegradError);
      randn([2]).exp();
    });
    const exp = prof.events().find(({ name }) => name === 'exp') as profiler.FunctionEvent;
    expect(exp.cpuParent).to.equal(null);
    expect(prof.events().filter(({ name }) => name === 'mm' || name === 'matmul')).to.deep.equal([]);
  });

  it('takes functions that return promises', async () => {
    const prof = await profiler.profile(async () => {
      randn([3]).exp();
      const values = await Promise.all([
        profiler.recordFunction('slow', async () => {
          await pause(15);
          return randn([3]).sin();
        }),
        profiler.recordFunction('quick', async () => {
          await pause(1);
          return randn([3]).cos();
        }),
      ]);
      expect(values.length).to.equal(2);
    });
    const named = (name: string): profiler.FunctionEvent =>
      prof.events().find((event) => event.name === name) as profiler.FunctionEvent;
    expect(named('slow').isAsync).to.equal(true);
    expect(named('slow').cpuTimeTotal).to.be.at.least(14_000);
    expect(named('sin').cpuParent).to.equal(named('slow'));
    expect(byName(prof.keyAverages(), 'exp').count).to.equal(1);
  });

  it('ends with the function that fails, sync or async', async () => {
    expect(() =>
      profiler.profile(() => {
        throw new RangeError('now');
      }),
    ).to.throw(RangeError, 'now');
    expect(observer.active).to.equal(null);
    const error: unknown = await profiler
      .profile(async () => {
        await pause(1);
        throw new RangeError('later');
      })
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(RangeError);
  });

  it('works beside anomaly detection and another profile', () => {
    let inner: profiler.Profile | undefined;
    const outer = profiler.profile(() => {
      randn([2]).exp();
      inner = profiler.profile(() => {
        expect(() => autograd.detectAnomaly(() => tensor([-1]).log())).to.throw(autograd.AnomalyError, /NaN/);
        randn([2]).sin();
      });
    });
    expect(byName(outer.keyAverages(), 'exp').count).to.equal(1);
    expect(byName(outer.keyAverages(), 'sin').count).to.equal(1);
    expect((inner as profiler.Profile).events().some(({ name }) => name === 'exp')).to.equal(false);
    const x = tensor([0], { requiresGrad: true });
    expect(() =>
      autograd.detectAnomaly(() => {
        profiler.profile(() => x.sqrt().backward());
      }),
    ).to.throw(autograd.AnomalyError, /Inf/);
  });

  it('can be started and stopped by hand', () => {
    const prof = new profiler.Profile();
    expect(() => prof.stop()).to.throw(ArgumentError, /started/);
    prof.start();
    expect(() => prof.start()).to.throw(ArgumentError, /not started/);
    randn([3]).exp();
    prof.stop();
    randn([3]).exp();
    expect(byName(prof.keyAverages(), 'exp').count).to.equal(1);
  });

  it('changes no result', () => {
    const run = (): number[] => {
      manualSeed(3);
      const x = randn([7, 5], { requiresGrad: true });
      x.softmax(1).log().mul(x).sum().backward();
      return (x.grad as Tensor).flatten().tolist() as number[];
    };
    let profiled: number[] = [];
    profiler.profile(() => {
      profiled = run();
    });
    expect(profiled).to.deep.equal(run());
  });

  it('refuses wrong arguments', () => {
    expect(() => profiler.profile(5 as never)).to.throw(ArgumentError, /expected a function, got 5/);
    expect(() => profiler.profile(() => 1, { recordShape: true } as never)).to.throw(
      ArgumentError,
      /did you mean "recordShapes"/,
    );
    expect(() => profiler.profile(() => 1, { schedule: 3 } as never)).to.throw(ArgumentError, /schedule/);
    expect(() => profiler.recordFunction(1 as never, () => 1)).to.throw(ArgumentError, /name/);
    const prof = profiler.profile((p) => {
      expect(() => p.events()).to.throw(ArgumentError, /recording/);
      randn([2]);
    });
    expect(() => prof.table({ sortBy: 'time' as never })).to.throw(ArgumentError, /selfCpuTimeTotal/);
    expect(() => prof.keyAverages({ groupByInputShapes: true } as never)).to.throw(ArgumentError, /groupByInputShape/);
    const some = profiler.profile(() => noGrad(() => randn([2]).exp()));
    for (const options of [{ sortBy: 'x' }, { rowLimit: 1.5 }, { timeUnit: 'h' }, { rows: 3 }])
      expect(() => some.table(options as never)).to.throw(ArgumentError);
  });
});

describe('profiler.schedule', () => {
  it('is what it says', () => {
    const { NONE, WARMUP, RECORD, RECORD_AND_SAVE } = profiler.ProfilerAction;
    const plan = profiler.schedule({ skipFirst: 1, wait: 1, warmup: 1, active: 2, repeat: 2 });
    expect(Array.from({ length: 11 }, (_, step) => plan(step))).to.deep.equal([
      NONE,
      NONE,
      WARMUP,
      RECORD,
      RECORD_AND_SAVE,
      NONE,
      WARMUP,
      RECORD,
      RECORD_AND_SAVE,
      NONE,
      NONE,
    ]);
    for (const options of [
      { wait: -1, warmup: 0, active: 1 },
      { wait: 0, warmup: 0, active: 0 },
      { wait: 0, warmup: 0, active: 1, skip: 1 },
    ])
      expect(() => profiler.schedule(options as never)).to.throw(ArgumentError);
  });

  it('chooses the steps that are recorded', () => {
    const traces: [number, number[]][] = [];
    profiler.profile(
      (prof) => {
        for (let step = 0; step < 10; step++) {
          zeros([step + 1]).exp();
          prof.step();
        }
      },
      {
        schedule: profiler.schedule({ wait: 1, warmup: 1, active: 2, repeat: 2 }),
        onTraceReady: (prof) => {
          const events = prof.events();
          traces.push([
            prof.stepNum,
            events.filter(({ name }) => name === 'exp').map(({ inputShapes }) => inputShapes[0][0]),
          ]);
          expect(events.filter(({ cpuParent }) => cpuParent === null).map(({ name }) => name)).to.deep.equal(
            [2, 1].map((back) => `ProfilerStep#${prof.stepNum - back}`),
          );
        },
      },
    );
    expect(traces).to.deep.equal([
      [4, [3, 4]],
      [8, [7, 8]],
    ]);
  });
});

describe('the table of a profile', () => {
  interface Fixture {
    readonly rows: readonly (readonly [string, number, number, number, number, number, number[][]])[];
    readonly tables: readonly { shaped: boolean; memory: boolean; options: Record<string, unknown>; text: string }[];
  }
  const fixture = JSON.parse(
    readFileSync(new URL('../fixtures/profiler-table.json', import.meta.url), 'utf8'),
  ) as Fixture;
  const camel = (text: string): string => text.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

  fixture.tables.forEach(({ shaped, memory, options, text }) => {
    it(`is PyTorch's to the letter with ${JSON.stringify(options)}${shaped ? ', by shape' : ''}`, () => {
      const list = new profiler.EventList();
      list.profileMemory = memory;
      for (const [
        key,
        count,
        cpuTimeTotal,
        selfCpuTimeTotal,
        cpuMemoryUsage,
        selfCpuMemoryUsage,
        shapes,
      ] of fixture.rows)
        list.push(
          Object.assign(new profiler.FunctionEventAvg(key, shaped ? shapes : null, true), {
            count,
            cpuTimeTotal,
            selfCpuTimeTotal,
            cpuMemoryUsage,
            selfCpuMemoryUsage,
          }),
        );
      const ours = Object.fromEntries(
        Object.entries(options).map(([key, value]) => [camel(key), key === 'sort_by' ? camel(value as string) : value]),
      );
      expect(list.table(ours)).to.equal(text);
    });
  });

  it('leaves out what was only called inside', () => {
    const prof = profiler.profile(() => profiler.recordFunction('outer', () => randn([2]).exp()));
    const text = prof.table({ topLevelEventsOnly: true, sortBy: 'cpuTimeTotal' });
    expect(text).to.match(/outer/);
    expect(text).not.to.match(/ exp /);
    expect(prof.table({ rowLimit: 1 }).split('\n').length).to.equal(3 + 1 + 3);
  });
});

describe('the trace file of a profile', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-trace-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  interface TraceEvent {
    readonly ph: string;
    readonly name: string;
    readonly cat?: string;
    readonly ts: number;
    readonly dur?: number;
    readonly pid: number;
    readonly tid: number;
    readonly id?: number;
    readonly args?: Record<string, unknown>;
  }

  it('has every event with what the format requires, complete events nested by time', async () => {
    const x = randn([8, 8], { requiresGrad: true });
    const prof = await profiler.profile(async () => {
      await profiler.recordFunction('waiting', () => pause(2));
      profiler.recordFunction('training', () => x.exp().sum().backward());
    });
    const file = path.join(folder, 'trace.json');
    writeFileSync(file, 'what was there before');
    await prof.exportChromeTrace(file);
    expect(readdirSync(folder)).to.deep.equal(['trace.json']);
    const trace = JSON.parse(readFileSync(file, 'utf8')) as { displayTimeUnit: string; traceEvents: TraceEvent[] };
    expect(trace.displayTimeUnit).to.equal('ms');
    for (const event of trace.traceEvents) {
      expect(event).to.include.keys('ph', 'name', 'ts', 'pid', 'tid');
      expect(Number.isFinite(event.ts)).to.equal(true);
    }
    const complete = trace.traceEvents.filter(({ ph }) => ph === 'X');
    expect(complete.length).to.equal(prof.events().length - 1);
    const stack: TraceEvent[] = [];
    for (const event of [...complete].sort((a, b) => a.ts - b.ts || (b.dur as number) - (a.dur as number))) {
      while (stack.length > 0 && event.ts >= stack[stack.length - 1].ts + (stack[stack.length - 1].dur as number))
        stack.pop();
      if (stack.length > 0)
        expect(event.ts + (event.dur as number)).to.be.at.most(
          stack[stack.length - 1].ts + (stack[stack.length - 1].dur as number) + 1e-6,
        );
      stack.push(event);
    }
    expect(complete.find(({ name }) => name === 'exp')).to.deep.include({
      cat: 'cpu_op',
      args: { 'Input Dims': [[8, 8]], 'Input type': ['float32'], 'Bytes allocated': 256 },
    });
    const [begin, end] = trace.traceEvents.filter(({ name }) => name === 'waiting');
    expect([begin.ph, end.ph, begin.id === end.id, begin.cat]).to.deep.equal(['b', 'e', true, 'user_annotation']);
    expect(trace.traceEvents.filter(({ ph }) => ph === 'M').map(({ name }) => name)).to.deep.equal([
      'process_name',
      'thread_name',
    ]);
  });

  it('is not there where it cannot be written', async () => {
    const prof = profiler.profile(() => randn([2]).exp());
    const error: unknown = await prof
      .exportChromeTrace(path.join(folder, 'no', 'such', 'folder.json'))
      .catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(NodegradError);
    expect((error as Error).message).to.match(/^exportChromeTrace: expected to write/);
    expect(existsSync(path.join(folder, 'no'))).to.equal(false);
    expect(await prof.exportChromeTrace('' as never).catch((reason: unknown) => reason)).to.be.instanceOf(
      ArgumentError,
    );
  });
});
