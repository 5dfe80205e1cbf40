/** All cases, each once a dtype and a layout, in a fixed order. */
import type { DType } from '../../lib/index.js';
import { type Case, type Layout, layoutsOf } from './case.js';
import { elementwise } from './elementwise.js';
import { moves } from './moves.js';
import { pools } from './pools.js';
import { products } from './products.js';
import { rows, stacked } from './rows.js';
import { sequences } from './sequences.js';

export interface Run {
  readonly key: string;
  readonly entry: Case;
  readonly dtype: DType;
  readonly layout: Layout;
}

const cases: readonly Case[] = [...products, ...rows, ...sequences, ...pools, ...stacked, ...elementwise, ...moves];

export const runs: readonly Run[] = cases.flatMap((entry, index) =>
  (entry.dtypes ?? (['float32', 'float64'] as const)).flatMap((dtype) =>
    layoutsOf(index, entry).map((layout) => ({ key: `${entry.name}, ${dtype}, ${layout}`, entry, dtype, layout })),
  ),
);
