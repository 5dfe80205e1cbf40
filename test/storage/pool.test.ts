/**
 * Memory that is used again: never while anybody can still see it, soon once nobody can. Values are compared after the
 * memory was poisoned, so that a block that came back too early reads as NaN.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect } from 'chai';
import {
  amp,
  autograd,
  emptyCache,
  memoryStats,
  nn,
  noGrad,
  ones,
  resetPeakMemoryStats,
  type Tensor,
} from '../../lib/index.js';
import { addon } from '../../lib/native/addon.js';
import { collector, setCollector } from '../../lib/storage/collector.js';
import { setPoison } from '../../lib/storage/guard.js';

const MIB = 2 ** 20;
const N = MIB / 4;

/** Takes and drops so much memory that everything that came back is taken again, after a full collection. */
function churn(): void {
  collector()?.major();
  for (let i = 0; i < 600; i++) ones([N]).mul(-7);
}

describe('memory that is used again', () => {
  before(() => {
    expect(collector(), 'a collector that can be asked').not.to.equal(null);
    setPoison(true);
  });
  after(() => setPoison(false));

  it('is what was dropped, in a loop that does not await', () => {
    const kept = ones([N]);
    emptyCache();
    resetPeakMemoryStats();
    const before = memoryStats().allocatedBytes;
    let x = kept;
    for (let i = 0; i < 2000; i++) x = x.add(1);
    expect(x.toTypedArray()[N - 1]).to.equal(2001);
    expect(memoryStats().peakAllocatedBytes - before).to.be.lessThan(300 * MIB);
    expect(memoryStats().peakReservedBytes - before).to.be.lessThan(400 * MIB);
  });

  it('is the same few blocks, in a loop that drops what it makes, however many there are', () => {
    emptyCache();
    const x = ones([4 * N]);
    let held: Tensor[] = Array.from({ length: 16 }, () => x.mul(2));
    held = [];
    const loop = (times: number): void => {
      for (let i = 0; i < times; i++) x.add(1);
    };
    loop(400);
    const before = memoryStats().allocatedBytes;
    resetPeakMemoryStats();
    loop(100);
    expect(held.length).to.equal(0);
    expect(memoryStats().peakAllocatedBytes - before).to.be.at.most(20 * MIB);
  });

  it('is not what a view, an array, a part of an array or a buffer shows', () => {
    const make = (v: number): Tensor => ones([N]).mul(v);
    const view = ((): Tensor => make(2).index([5]))();
    const array = ((): ArrayLike<number> => make(3).array as Float32Array)();
    const part = ((): Float32Array => (make(4).array as Float32Array).subarray(10, 20))();
    const buffer = ((): ArrayBufferLike => make(5).array.buffer)();
    const ofStorage = ((): ArrayBufferLike => make(6).storage.buffer)();
    churn();
    expect(view.item()).to.equal(2);
    expect([array[0], array[N - 1]]).to.deep.equal([3, 3]);
    expect([...part]).to.deep.equal(new Array(10).fill(4));
    expect(new Float32Array(buffer)[N - 1]).to.equal(5);
    expect(new Float32Array(ofStorage)[N - 1]).to.equal(6);
  });

  it('is not a gradient that somebody holds', () => {
    const seen: Tensor[] = [];
    const x = ones([N]).requiresGrad_();
    const middle = x.mul(3);
    middle.registerHook((g) => {
      seen.push(g);
    });
    const kept = middle.mul(5);
    kept.retainGrad();
    const out = kept.mul(2).add(kept).sum();
    const given = ones([]).mul(2);
    out.backward({ gradient: given, retainGraph: true });
    const first = x.grad as Tensor;
    const captured = autograd.grad(out, [middle, x], { retainGraph: true });
    out.backward();
    churn();
    const at = (t: Tensor | null): number => Number((t as Tensor).toTypedArray()[N - 1]);
    expect(seen.map(at)).to.deep.equal([30, 15, 15]);
    // Once for each of the three times that a gradient arrived.
    expect(at(kept.grad)).to.equal(2 * 3 + 3 + 3);
    expect(captured.map(at)).to.deep.equal([15, 45]);
    expect(x.grad).to.equal(first);
    expect(at(x.grad)).to.equal(90 + 45);
    expect(given.item()).to.equal(2);
  });

  it('is not a gradient that a user-written function or a module hook keeps', () => {
    const held: Tensor[] = [];
    class Double extends autograd.Function {
      static forward(_: unknown, x: Tensor): Tensor {
        return x.mul(2);
      }
      static backward(_: unknown, g: Tensor): Tensor {
        const own = g.mul(2);
        held.push(g, own, g.mul(7));
        return own;
      }
    }
    const layer = new nn.Tanh();
    layer.registerFullBackwardHook((_, gradInput, gradOutput) => {
      held.push(gradInput[0] as Tensor, gradOutput[0] as Tensor, (gradOutput[0] as Tensor).mul(5));
    });
    const x = ones([N]).mul(0).requiresGrad_();
    const y = (layer as unknown as (x: Tensor) => Tensor)(
      (Double as unknown as { apply(x: Tensor): Tensor }).apply(x.mul(3)),
    );
    y.mul(4).sum().backward();
    churn();
    expect(held.map((t) => t.toTypedArray()[N - 1])).to.deep.equal([4, 4, 20, 4, 8, 28]);
    expect(x.grad?.toTypedArray()[N - 1]).to.equal(24);
  });

  it('is not a cast that autocast keeps for the whole region, where backward runs inside it', () => {
    const layer = new nn.Linear(512, 512);
    const x = ones([64, 512]).requiresGrad_();
    const run = layer as unknown as (x: Tensor) => Tensor;
    const plain = noGrad(() => amp.autocast('cpu', { dtype: 'bfloat16' }, () => run(x)));
    const out = run(x).sum();
    // The rule of the layer casts its weight, and the region keeps that for the call without recording.
    amp.autocast('cpu', { dtype: 'bfloat16' }, () => {
      out.backward();
      churn();
      noGrad(() => expect(run(x).toTypedArray()).to.deep.equal(plain.toTypedArray()));
    });
  });

  it('is not what a recorded derivative needs', () => {
    const x = ones([N]).mul(2).requiresGrad_();
    const [first] = autograd.grad(x.pow(3).sum(), x, { createGraph: true }) as Tensor[];
    const [second] = autograd.grad(first.mul(first).sum(), x) as Tensor[];
    churn();
    expect(first.toTypedArray()[0]).to.equal(12);
    // d/dx (3 x^2)^2 = 36 x^3
    expect(second.toTypedArray()[N - 1]).to.equal(288);
  });

  it('is none where the runtime has no collector that can be asked', () => {
    setCollector(null);
    const before = memoryStats();
    const x = ones([N]).requiresGrad_();
    x.mul(3).mul(x).sum().backward();
    expect(x.grad?.toTypedArray()[7]).to.equal(6);
    expect(memoryStats()).to.deep.equal(before);
    setCollector(undefined);
    expect(collector()).to.not.equal(null);
  });

  it('begins at a cache line', () => {
    for (const count of [600, 5000, N, 3 * N + 1]) {
      const { storage } = ones([count]);
      expect(
        addon.lifetime.firstLine(new Uint8Array(storage.buffer, storage.byteOffset)),
        `${count} elements`,
      ).to.equal(0);
    }
  });

  it('is at once what a rule took and did not return', () => {
    const x = ones([8 * N]).requiresGrad_();
    let y = x;
    for (let i = 0; i < 10; i++) y = y.sigmoid();
    emptyCache();
    const before = memoryStats().allocatedBytes;
    resetPeakMemoryStats();
    y.backward(ones([]).expand([8 * N]));
    // The gradient that a rule gets, the one that it makes, and what it needs on the way; ten rules would leave ten
    // times that.
    expect(memoryStats().peakAllocatedBytes - before).to.be.at.most(4 * 9 * MIB);
    expect(Number(x.grad?.toTypedArray()[0])).to.be.greaterThan(0);
  });
});

describe('memoryStats and emptyCache', () => {
  it('count what tensors hold and what is kept, and give that back', () => {
    emptyCache();
    expect(memoryStats().cachedBytes).to.equal(0);
    const before = memoryStats().allocatedBytes;
    resetPeakMemoryStats();
    const x = ones([4 * N]);
    expect(memoryStats().allocatedBytes - before).to.equal(4 * MIB);
    for (let i = 0; i < 4; i++) x.add(1);
    emptyCache();
    expect(memoryStats().allocatedBytes - before).to.equal(4 * MIB);
    expect(memoryStats().reservedBytes).to.equal(memoryStats().allocatedBytes);
    expect(memoryStats().peakAllocatedBytes - before).to.be.within(8 * MIB, 20 * MIB);
    resetPeakMemoryStats();
    expect(memoryStats().peakAllocatedBytes - before).to.equal(4 * MIB);
    expect(x.toTypedArray()[0]).to.equal(1);
  });

  it('follow the need: what a large computation took is let go while small ones go on', () => {
    emptyCache();
    // What the tests before this one hold stays.
    const held = memoryStats().reservedBytes;
    for (let i = 0; i < 3; i++) ones([300 * N]).add(1);
    expect(memoryStats().reservedBytes - held).to.be.greaterThan(600 * MIB);
    for (let i = 0; i < 3000; i++) ones([N]).add(i);
    expect(memoryStats().reservedBytes - held).to.be.lessThan(300 * MIB);
    emptyCache();
  }).timeout(120_000);

  it('bring the resident memory back down', function () {
    // AddressSanitizer keeps freed memory, to notice its use.
    if (process.env.ASAN_OPTIONS !== undefined) this.skip();
    const program = `
      import { emptyCache, ones } from '${path.resolve('lib/index.ts')}';
      const rss = () => process.memoryUsage.rss() / 2 ** 20;
      const small = rss();
      (() => { const list = []; for (let i = 0; i < 40; i++) list.push(ones([10 * 2 ** 18])); })();
      const large = rss();
      emptyCache();
      console.log(JSON.stringify({ small, large, after: rss() }));`;
    const out = JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { encoding: 'utf8' }),
    ) as Record<string, number>;
    expect(out.large - out.small).to.be.greaterThan(300);
    expect(out.after - out.small).to.be.lessThan(100);
  });
});
