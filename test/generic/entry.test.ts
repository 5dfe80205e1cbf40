/**
 * The package's entry has PyTorch's names, the typed errors and a few names of its own, which are listed here; nothing
 * internal.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as nodegrad from '../../lib/index.js';
import { camelCase } from '../../scripts/compatibility.js';

const torch = new Set(
  (JSON.parse(readFileSync(new URL('../fixtures/entry-names.json', import.meta.url), 'utf8')) as string[]).map(
    camelCase,
  ),
);

const OWN = [
  // Python's syntax in an index list: x[1:3, ...].
  'Slice',
  'ellipsis',
  'slice',
  // Memory, which PyTorch counts on GPUs only.
  'emptyCache',
  'memoryStats',
  'resetPeakMemoryStats',
  // torch.set_printoptions has no such counterpart in public.
  'getPrintoptions',
  // torch.save into io.BytesIO.
  'saveToBuffer',
  // Methods that PyTorch has on tensors alone.
  'contiguous',
  'to',
  // tqdm, which Python programs import from a package of its own.
  'tqdm',
  'trange',
];

describe('the entry of the package', () => {
  it("has no name that is not PyTorch's, an error class or one of its own", () => {
    const isError = (value: unknown): boolean =>
      value === nodegrad.NodegradError ||
      (typeof value === 'function' && value.prototype instanceof nodegrad.NodegradError);
    const others = Object.entries(nodegrad).filter(([name, value]) => !torch.has(name) && !isError(value));
    expect(others.map(([name]) => name).sort()).to.deep.equal([...OWN].sort());
  });

  it('shares no function that makes errors or reads arguments', () => {
    for (const name of ['describe', 'fail', 'finish', 'infoOf', 'nearest', 'rejectUnknownOptions', 'sizesAndOptions'])
      expect(nodegrad).to.not.have.property(name);
  });
});
