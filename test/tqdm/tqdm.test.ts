/**
 * The progress bar: its line against Python's tqdm (scripts/fixtures/tqdm_meter.py), and what it writes to a terminal
 * and elsewhere.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, tqdm, trange } from '../../lib/index.js';
import { formatInterval, formatMeter, formatNumber, formatSize } from '../../lib/tqdm/format.js';

const fixture = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'tqdm', 'meter.json');
interface Fixture {
  meters: { arguments: Record<string, never> & { prefix: string; unit_scale: boolean }; line: string }[];
  numbers: [number, string][];
  sizes: [number, string][];
  intervals: [number, string][];
}
const known = JSON.parse(readFileSync(fixture, 'utf8')) as Fixture;

/** Takes what is written, as a terminal or as a file. */
class Screen {
  text = '';
  constructor(
    readonly isTTY: boolean,
    readonly columns = 80,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

const ESCAPE = '\x1b';

/** What a terminal shows in the end: carriage return, line feed, cursor up and erase are obeyed. */
function shown(text: string): string[] {
  const lines = [''];
  let row = 0;
  let column = 0;
  for (let i = 0; i < text.length; ) {
    const control = text[i] === ESCAPE ? /^\[(\d*)([AK])/.exec(text.slice(i + 1, i + 8)) : null;
    if (control !== null) {
      if (control[2] === 'A') row -= Number(control[1]);
      else lines[row] = '';
      i += 1 + control[0].length;
      continue;
    }
    if (text[i] === '\r') column = 0;
    else if (text[i] === '\n') {
      row++;
      column = 0;
      lines[row] ??= '';
    } else {
      lines[row] = lines[row].padEnd(column).slice(0, column) + text[i] + lines[row].slice(column + 1);
      column++;
    }
    i++;
  }
  return lines;
}

async function* asyncRange(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield i;
}

describe("tqdm: the line is that of Python's", () => {
  for (const { arguments: given, line } of known.meters)
    it(line, () => {
      const plain = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
      expect(
        formatMeter({ ...plain, desc: given.prefix, unitScale: given.unit_scale } as unknown as Parameters<
          typeof formatMeter
        >[0]),
      ).to.equal(line);
    });

  it('numbers, sizes, times', () => {
    expect(known.numbers.map(([value]) => formatNumber(value))).to.deep.equal(known.numbers.map(([, text]) => text));
    expect(known.sizes.map(([value]) => formatSize(value))).to.deep.equal(known.sizes.map(([, text]) => text));
    expect(known.intervals.map(([value]) => formatInterval(value))).to.deep.equal(
      known.intervals.map(([, text]) => text),
    );
    expect(formatNumber(Number.NaN)).to.equal('NaN');
  });
});

describe('tqdm: iteration', () => {
  it('passes through arrays, generators, Maps and async iterables', async () => {
    const file = new Screen(false);
    expect([...tqdm([1, 2, 3], { file })]).to.deep.equal([1, 2, 3]);
    expect([...tqdm(new Map([['a', 1]]), { file })]).to.deep.equal([['a', 1]]);
    expect([...trange(3, { file })]).to.deep.equal([0, 1, 2]);
    const collected: number[] = [];
    for await (const i of tqdm(asyncRange(3), { file })) collected.push(i);
    for await (const i of tqdm([7, 8], { file })) collected.push(i);
    expect(collected).to.deep.equal([0, 1, 2, 7, 8]);
    expect(
      file.text
        .split('\n')
        .slice(0, -1)
        .map((line) => line.replace(/\[.*/, '[')),
    ).to.deep.equal([
      '100%|██████████| 3/3 [',
      '100%|██████████| 1/1 [',
      '100%|██████████| 3/3 [',
      '3it [',
      '100%|██████████| 2/2 [',
    ]);
  });

  it('takes the total from length, size or the option, and does without', () => {
    const file = new Screen(false);
    const unknown = Object.defineProperty(asyncRange(2), 'length', {
      get: () => {
        throw new Error('unknown');
      },
    });
    expect(tqdm('abc', { file }).total).to.equal(undefined);
    expect(tqdm(new Set([1, 2]), { file }).total).to.equal(2);
    expect(tqdm(asyncRange(2), { file, total: 9 }).total).to.equal(9);
    expect(tqdm(unknown, { file }).total).to.equal(undefined);
  });

  it('closes after break and throw, and stops the source', () => {
    const file = new Screen(false);
    let ended = 0;
    function* source(): Generator<number> {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        ended++;
      }
    }
    for (const i of tqdm(source(), { file })) if (i === 2) break;
    expect(() => {
      for (const i of tqdm(source(), { file })) if (i === 1) throw new Error('stop');
    }).to.throw('stop');
    expect(ended).to.equal(2);
    expect(file.text).to.match(/^2it \[.*\]\n1it \[.*\]\n$/);
  });

  it('says what to do with an async source in for..of', () => {
    expect(() => [...tqdm(asyncRange(1), { disable: true })]).to.throw(ArgumentError, /use for await/);
    expect(() => [...tqdm({ total: 3, disable: true })]).to.throw(ArgumentError, /got none/);
  });
});

describe('tqdm: on a terminal', () => {
  it('draws in place, as wide as the terminal, and ends with a new line', () => {
    const file = new Screen(true, 100);
    const bar = tqdm({ total: 4, desc: 'train', file, mininterval: 0 });
    bar.update();
    bar.setPostfix({ loss: 0.123456, name: ' x ', big: 12n });
    bar.update(3);
    bar.setDescription('done');
    bar.close();
    const lines = shown(file.text);
    expect(lines).to.have.length(2);
    expect(lines[1]).to.equal('');
    expect(lines[0]).to.match(/^done: 100%\|█+\| 4\/4 \[00:00<00:00, .*it\/s, loss=0\.123, name=x, big=12\]$/);
    expect(lines[0]).to.have.length.at.most(99);
    expect(file.text).to.match(/train: {2}25%\|.* 1\/4/);
  });

  it('vanishes with leave: false', () => {
    const file = new Screen(true);
    for (const _ of trange(3, { file, leave: false }));
    expect(shown(file.text)).to.deep.equal(['']);
  });

  it('draws an inner bar below the outer, and removes it when done', () => {
    const file = new Screen(true);
    for (const i of trange(2, { file, desc: 'outer', mininterval: 0 })) {
      for (const j of trange(2, { file, desc: 'inner', mininterval: 0 })) {
        if (i === 0 && j === 1)
          expect(shown(file.text).map((line) => line.slice(0, 11))).to.deep.equal(['outer:   0%', 'inner:  50%']);
      }
    }
    expect(shown(file.text).map((line) => line.slice(0, 11))).to.deep.equal(['outer: 100%', '']);
  });

  it('writes messages above the bar', () => {
    const file = new Screen(true);
    const bar = tqdm({ total: 2, file });
    bar.write('a message');
    bar.close();
    bar.write('and one after');
    expect(shown(file.text).map((line) => line.slice(0, 13))).to.deep.equal([
      'a message',
      '  0%|        ',
      'and one after',
      '',
    ]);
  });

  it('is not drawn more often than mininterval', () => {
    const file = new Screen(true);
    for (const _ of trange(20000, { file, mininterval: 1000 }));
    expect(file.text.match(/\r/g)).to.have.length(2);
  });
});

describe('tqdm: elsewhere', () => {
  it('writes plain lines at intervals, without control characters', () => {
    const file = new Screen(false);
    const bar = tqdm({ total: 2, file, mininterval: 0 });
    bar.update();
    bar.update();
    bar.close();
    expect([ESCAPE, '\r'].some((control) => file.text.includes(control))).to.equal(false);
    expect(file.text.split('\n')).to.have.length(4);
    const quiet = new Screen(false);
    for (const _ of trange(1000, { file: quiet }));
    expect(quiet.text.split('\n')).to.have.length(2);
  });

  it('is silent when disabled', () => {
    const file = new Screen(true);
    for (const _ of trange(3, { file, disable: true }));
    expect(file.text).to.equal('');
  });

  it('counts from initial, and begins anew', () => {
    const file = new Screen(false);
    const bar = tqdm({ total: 10, initial: 4, file });
    bar.update();
    expect(bar.n).to.equal(5);
    bar.reset(3);
    expect([bar.n, bar.total]).to.deep.equal([0, 3]);
    expect(String(bar)).to.match(/0\/3/);
    bar.close();
  });

  it('refuses wrong calls', () => {
    expect(() => tqdm([1], { descr: 'x' } as never)).to.throw(ArgumentError, /did you mean "desc"/);
    expect(() => tqdm(5 as never)).to.throw(ArgumentError, /an iterable/);
    expect(() => tqdm({ total: -1 })).to.throw(ArgumentError, /total/);
    expect(() => tqdm([], { smoothing: 2 })).to.throw(ArgumentError, /smoothing/);
    expect(() => trange(-1)).to.throw(ArgumentError);
  });
});
