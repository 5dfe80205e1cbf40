/**
 * The package as others load it: `import` and `require` give one instance with the same names; a missing addon is
 * explained.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

describe('the package', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-package-'));
    mkdirSync(path.join(folder, 'node_modules'));
    symlinkSync(root, path.join(folder, 'node_modules', 'nodegrad'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is one instance for import and require', () => {
    const program = `
      const viaRequire = require('nodegrad');
      import('nodegrad').then((viaImport) => {
        const names = Object.keys(viaRequire).filter((name) => viaImport[name] !== viaRequire[name]);
        const sum = viaImport.tensor([1, 2, 3]).add(viaRequire.tensor([1, 1, 1])).tolist();
        console.log(JSON.stringify({ names, sum }));
      });`;
    const out = execFileSync(process.execPath, ['-e', program], { cwd: folder, encoding: 'utf8' });
    expect(JSON.parse(out)).to.deep.equal({ names: [], sum: [2, 3, 4] });
  });

  it('says what to run where the addon is missing', () => {
    const result = spawnSync(process.execPath, ['-e', "require('nodegrad')"], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODEGRAD_ADDON: '/nowhere/nodegrad.node' },
    });
    expect(result.status).to.not.equal(0);
    expect(result.stderr).to.match(
      /AddonError: nodegrad: cannot load the native addon \/nowhere\/nodegrad\.node on .*build it: npm rebuild nodegrad/s,
    );
  });
});
