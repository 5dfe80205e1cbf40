/**
 * The package's code cache: what fits is used, and whatever does not fit changes nothing but the time that loading
 * takes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Notes of every script with cached data whether V8 took it. */
const SPY = `
  const vm = require('node:vm');
  const taken = [];
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options);
      if (options?.cachedData) taken.push(!this.cachedDataRejected);
    }
  };
  process.on('exit', () => console.log(JSON.stringify(taken)));`;

describe('the code cache', () => {
  let folder: string;
  let cache: string;
  let good: Buffer;
  const library = () => path.join(folder, 'dist', 'library.js');
  const write = () =>
    execFileSync(
      process.execPath,
      ['-e', "require('./dist/code-cache.js').writeCodeCache(require.resolve('./dist/library.js'))"],
      { cwd: folder },
    );
  const run = (program: string, ...flags: string[]) =>
    execFileSync(process.execPath, [...flags, '-e', program], { cwd: folder, encoding: 'utf8' }).trim();
  /** Loads the package and adds; returns whether V8 took cached data, for each script that had some. */
  const taken = (...flags: string[]) => {
    const [sum, scripts] = run(
      `${SPY} console.log(JSON.stringify(require('.').tensor([1, 2]).add(1).tolist()))`,
      ...flags,
    ).split('\n');
    expect(JSON.parse(sum)).to.deep.equal([2, 3]);
    return JSON.parse(scripts) as boolean[];
  };

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-cache-'));
    cpSync(path.join(root, 'dist'), path.join(folder, 'dist'), {
      recursive: true,
      filter: (file) => !file.endsWith('.d.ts'),
    });
    cpSync(path.join(root, 'package.json'), path.join(folder, 'package.json'));
    mkdirSync(path.join(folder, 'build', 'Release'), { recursive: true });
    symlinkSync(
      path.join(root, 'build', 'Release', 'nodegrad.node'),
      path.join(folder, 'build', 'Release', 'nodegrad.node'),
    );
    cache = path.join(folder, 'build', 'code-cache', `${process.version}-${process.arch}.bin`);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is not needed', () => expect(taken()).to.deep.equal([]));

  it('is used once it was written, in one step', () => {
    write();
    expect(readdirSync(path.dirname(cache))).to.deep.equal([path.basename(cache)]);
    good = readFileSync(cache);
    expect(taken()).to.deep.equal([true]);
  });

  it('gives import and require one instance, and import() of a dataset a place to look from', () => {
    writeFileSync(path.join(folder, 'dataset.mjs'), 'export default class { length = 3; getItem(i) { return i; } }\n');
    const program = `
      const nodegrad = require('nodegrad');
      import('nodegrad').then(async ({ tensor, Tensor }) => {
        const loader = new nodegrad.utils.data.DataLoader({ module: './dataset.mjs' }, { batchSize: 3, numWorkers: 1 });
        for await (const batch of loader) {
          console.log(JSON.stringify([Tensor === nodegrad.Tensor, batch.add(tensor(1)).tolist()]));
        }
      });`;
    expect(JSON.parse(run(program))).to.deep.equal([true, [1, 2, 3]]);
  });

  it('is the one that this repository was built with', () => {
    const out = execFileSync(process.execPath, ['-e', `${SPY} require('.')`], { cwd: root, encoding: 'utf8' });
    expect(JSON.parse(out)).to.deep.equal([true]);
  });

  for (const [what, damage] of [
    [
      'damaged',
      (bytes: Buffer) => bytes.fill(bytes[bytes.length >> 1] ^ 1, bytes.length >> 1, (bytes.length >> 1) + 1),
    ],
    ['cut', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['of two bytes', (bytes: Buffer) => bytes.subarray(0, 2)],
    ['empty', () => Buffer.alloc(0)],
  ] as const)
    it(`is not believed where it is ${what}`, () => {
      writeFileSync(cache, damage(Buffer.from(good)));
      expect(taken()).to.deep.equal([]);
      writeFileSync(cache, good);
    });

  it('is not believed for a library of the same length with other code', () => {
    const before = readFileSync(library(), 'utf8');
    const last = '//# sourceMappingURL=library.js.map';
    expect(before).to.include(last);
    writeFileSync(library(), before.replace(last, 'module.exports.changed = 1'.padEnd(last.length)));
    expect(run("console.log(require('.').changed)")).to.equal('1');
    writeFileSync(library(), before);
    expect(taken()).to.deep.equal([true]);
  });

  it('is not believed in another folder, whose name stack traces then have', () => {
    const moved = mkdtempSync(path.join(tmpdir(), 'nodegrad-moved-'));
    try {
      cpSync(folder, moved, { recursive: true, verbatimSymlinks: true });
      const program = "try { require('.').tensor([1]).reshape([2]) } catch (error) { console.log(error.stack) }";
      const stack = execFileSync(process.execPath, ['-e', program], { cwd: moved, encoding: 'utf8' });
      expect(stack)
        .to.include(path.join(moved, 'dist', 'library.js'))
        .and.not.include(folder);
    } finally {
      rmSync(moved, { recursive: true, force: true });
    }
  });

  it('is refused under other flags of V8', () =>
    expect(taken('--expose-gc', '--stack-size=900')).to.deep.equal([false]));

  it('leaves source maps to Node where they are asked for', () => {
    const program = "try { require('.').tensor([1]).reshape([2]) } catch (error) { console.log(error.stack) }";
    expect(run(program, '--enable-source-maps')).to.match(/lib\/.+\.ts:\d+/);
    expect(run(program)).to.match(/^ShapeError.*dist\/library\.js:\d+:\d+/s);
    expect(taken('--enable-source-maps')).to.deep.equal([]);
  });

  it('is not used in a realm of its own, as Jest gives each file of tests', () => {
    const program = `
      const fs = require('node:fs'), path = require('node:path'), vm = require('node:vm');
      const context = vm.createContext({ process, Buffer, performance, URL, TextEncoder, TextDecoder });
      const load = (file) => {
        const module = { exports: {} };
        const inside = (name) => (name.startsWith('.') ? load(path.resolve(path.dirname(file), name)) : require(name));
        inside.resolve = (name) => path.resolve(path.dirname(file), name);
        const names = ['exports', 'require', 'module', '__filename', '__dirname'];
        const options = { filename: file, parsingContext: context };
        const run = vm.compileFunction(fs.readFileSync(file, 'utf8'), names, options);
        run(module.exports, inside, module, file, path.dirname(file));
        return module.exports;
      };
      const nodegrad = load(path.resolve('dist/index.js'));
      console.log(nodegrad.tensor([1, 2]).tolist() instanceof vm.runInContext('Array', context));`;
    expect(run(program)).to.equal('true');
  });

  it('leaves nothing behind where it cannot be written, and says so', () => {
    rmSync(path.dirname(cache), { recursive: true });
    writeFileSync(path.dirname(cache), '');
    const result = spawnSync(
      process.execPath,
      ['-e', "require('./dist/code-cache.js').writeCodeCache(require.resolve('./dist/library.js'))"],
      { cwd: folder, encoding: 'utf8' },
    );
    expect(result.status).to.not.equal(0);
    expect(result.stderr).to.include('EEXIST');
    expect(readdirSync(path.join(folder, 'build')).sort()).to.deep.equal(['Release', 'code-cache']);
    expect(taken()).to.deep.equal([]);
  });
});
