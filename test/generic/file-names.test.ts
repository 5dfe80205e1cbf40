/**
 * Every function that takes a file takes a path or a file: URL, and refuses the rest by name before it reads or writes.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { ArgumentError, type FileName, load, profiler, save, tensor, utils, zeros } from '../../lib/index.js';

const image = zeros([1, 2, 2], { dtype: 'uint8' });
const recorded = profiler.profile(() => tensor([1]).add(1));

/** Writers come before the readers of what they wrote. */
const CALLS: { op: string; file: string; writes: boolean; call: (file: FileName) => Promise<unknown> }[] = [
  { op: 'save', file: 'a.pt', writes: true, call: (file) => save({ x: tensor([1]) }, file) },
  { op: 'load', file: 'a.pt', writes: false, call: (file) => load(file) },
  { op: 'writeImage', file: 'a.png', writes: true, call: (file) => utils.data.writeImage(image, file) },
  { op: 'readImage', file: 'a.png', writes: false, call: (file) => utils.data.readImage(file) },
  { op: 'exportChromeTrace', file: 'a.json', writes: true, call: async (file) => recorded.exportChromeTrace(file) },
];

describe('file names', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-names-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const { op, file, writes, call } of CALLS) {
    it(`${op} takes a path and a file: URL`, async () => {
      const target = path.join(folder, file);
      for (const name of [target, pathToFileURL(target)]) {
        if (writes) rmSync(target, { force: true });
        await call(name);
        expect(existsSync(target)).to.equal(true);
      }
    });

    it(`${op} refuses anything else`, async () => {
      for (const [name, got] of [
        ['', '""'],
        [new URL('https://example.org/a'), 'https://example.org/a'],
        [undefined, 'undefined'],
        [5, '5'],
        [{ href: 'file:///a' }, 'object'],
      ] as const) {
        const error = await call(name as FileName).then(
          () => null,
          (reason: unknown) => reason,
        );
        expect(error).to.be.instanceOf(ArgumentError);
        expect((error as Error).message).to.equal(`${op}: expected a path or a file: URL, got ${got}`);
      }
    });
  }
});
