/** PyTorch's runs of every optimizer (scripts/fixtures/optim.py), and our optimizers made as they were. */
import { readFileSync } from 'node:fs';
import { optim, type Tensor } from '../../lib/index.js';
import { camelCase } from '../../lib/optim/arguments.js';

export interface Saved {
  dtype: 'float32' | 'float64';
  shape: number[];
  data: number[];
}
export interface SavedDict {
  state: Record<string, Record<string, Saved>>;
  param_groups: Record<string, unknown>[];
}
export interface Run {
  name: string;
  options: Record<string, unknown>;
  begin: Saved[];
  grads: Saved[][];
  after: Saved[][];
  paused: SavedDict;
  end: SavedDict;
}
export const fixture = JSON.parse(readFileSync(new URL('../fixtures/optim.json', import.meta.url), 'utf8')) as {
  optimizers: Run[];
  lbfgs: {
    options: Record<string, unknown>;
    losses: number[];
    end: number[];
    func_evals: number;
    n_iter: number;
    keys: string[];
  }[];
  muon: { begin: number[][]; grads: number[][][]; after: number[][][] };
};

export const camelOptions = (options: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).map(([k, v]) => [camelCase(k), v]));

export function build(run: Pick<Run, 'name' | 'options'>, params: Tensor[]): optim.Optimizer {
  const Class = (optim as unknown as Record<string, new (params: Tensor[], options: object) => optim.Optimizer>)[
    run.name
  ];
  return new Class(params, camelOptions(run.options));
}
