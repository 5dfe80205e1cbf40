/**
 * The layers of lib/ and native/: no import or include goes up, none in a circle, and docs/architecture.md shows the
 * same layers.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cruise } from 'dependency-cruiser';
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config';
// @ts-expect-error the configuration is plain JavaScript
import configuration, { LAYERS, NATIVE_LAYERS } from '../../.dependency-cruiser.mjs';

interface Layer {
  readonly name: string;
  readonly rooms: readonly string[];
}
const layers = LAYERS as readonly Layer[];
const nativeLayers = NATIVE_LAYERS as readonly Layer[];
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** The place of a file's layer among `layers`; -1 for a file without one. */
function layerOf(file: string, among: readonly Layer[]): number {
  return among.findIndex(({ rooms }) => rooms.some((room) => file === room || file.startsWith(`${room}/`)));
}

/** The files that a C++ file includes, with paths from native/. */
function includesOf(file: string, all: ReadonlySet<string>): string[] {
  const text = readFileSync(path.join(root, 'native', file), 'utf8');
  return [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name]) => {
    const beside = path.posix.join(path.posix.dirname(file), name);
    const found = [beside, name].find((candidate) => all.has(candidate));
    expect(found, `${file} includes ${name}`).to.be.a('string');
    return found as string;
  });
}

describe('layers', () => {
  it('of lib: no import goes up or in a circle', async () => {
    const { forbidden, options } = configuration;
    const tsConfig = extractTSConfig(path.join(root, 'tsconfig.json'));
    const { output } = await cruise(
      ['lib'],
      { ...options, baseDir: root, ruleSet: { forbidden }, validate: true },
      undefined,
      { tsConfig },
    );
    expect(output).to.be.an('object');
    const { summary, modules } = output as Exclude<typeof output, string>;
    expect(modules.filter(({ source }) => source.startsWith('lib/')).length).to.be.greaterThan(300);
    expect(summary.totalDependenciesCruised).to.be.greaterThan(2000);
    expect(summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} imports ${to}`)).to.deep.equal([]);
  });

  it('of native: no include goes up or in a circle', () => {
    const files = readdirSync(path.join(root, 'native'), { recursive: true, encoding: 'utf8' })
      .map((file) => file.split(path.sep).join('/'))
      .filter((file) => /\.(cc|h)$/.test(file));
    const all = new Set(files);
    const includes = new Map(files.map((file) => [file, includesOf(file, all)]));
    const wrong: string[] = [];
    for (const [file, included] of includes) {
      const own = layerOf(file, nativeLayers);
      if (own < 0) wrong.push(`${file} has no layer`);
      for (const other of included)
        if (layerOf(other, nativeLayers) > own) wrong.push(`${file} includes ${other}, which lies higher`);
    }
    const done = new Set<string>();
    const visit = (file: string, above: readonly string[]): void => {
      if (above.includes(file)) wrong.push(`a circle: ${[...above.slice(above.indexOf(file)), file].join(', ')}`);
      if (done.has(file) || above.includes(file)) return;
      for (const other of includes.get(file) ?? []) visit(other, [...above, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(wrong).to.deep.equal([]);
  });

  it('are drawn in docs/architecture.md', () => {
    const text = readFileSync(path.join(root, 'docs', 'architecture.md'), 'utf8');
    for (const [folder, among] of [
      ['lib', layers],
      ['native', nativeLayers],
    ] as const) {
      const rows = among
        .map(({ name, rooms }) => `| ${name} | ${rooms.map((room) => `\`${room}\``).join(', ')} |`)
        .reverse();
      expect(text, `the layers of ${folder}`).to.contain(rows.join('\n'));
    }
  });
});
