/** Charts and SVG as PNG files. Fonts come from a package, so that a machine without any draws the same picture. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

const FONT = 'DejaVu Sans';

/** Tells the SVG renderer where fonts are; must run before it is loaded. */
function provideFonts(): void {
  const fonts = path.join(path.dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const folder = mkdtempSync(path.join(tmpdir(), 'nodegrad-fonts-'));
  const file = path.join(folder, 'fonts.conf');
  writeFileSync(
    file,
    '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM ' +
      `"fonts.dtd"><fontconfig><dir>${fonts}</dir><cachedir>${folder}</cachedir></fontconfig>`,
  );
  process.env.FONTCONFIG_FILE = file;
}
provideFonts();
const { default: sharp } = await import('sharp');

export { sharp };

/** Draws an SVG text into a PNG file. */
export async function svgToPng(svg: string, file: string): Promise<void> {
  await sharp(Buffer.from(svg)).flatten({ background: 'white' }).png().toFile(file);
}

/** Draws a Vega-Lite chart into a PNG file, at twice its size in pixels. */
export async function chartToPng(spec: TopLevelSpec, file: string): Promise<void> {
  const config = { background: 'white', font: FONT, title: { fontSize: 14 }, ...spec.config };
  const view = new vega.View(vega.parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  const svg = await view.toSVG(2);
  view.finalize();
  await svgToPng(svg, file);
}
