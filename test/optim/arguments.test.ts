/**
 * Edge values of every hyperparameter of every optimizer and scheduler: what PyTorch's constructors accept is accepted,
 * what they refuse is refused with a typed error, and a few steps give PyTorch's numbers
 * (scripts/fixtures/optim_arguments.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { NodegradError, optim, type Tensor, tensor } from '../../lib/index.js';
import { camelOptions } from './fixture.js';

interface Case {
  options: Record<string, unknown>;
  /** Whether the constructor accepted the options. */
  made: boolean;
  /** The parameters at the end, or the rates and momenta of each step; null where a step raised. */
  result: unknown;
}
const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/optim-arguments.json', import.meta.url), 'utf8'),
  (_, value: unknown) =>
    value === 'NaN'
      ? Number.NaN
      : value === 'Infinity'
        ? Number.POSITIVE_INFINITY
        : value === '-Infinity'
          ? Number.NEGATIVE_INFINITY
          : value,
) as { optimizers: Record<string, Case[]>; schedulers: Record<string, Case[]> };

const shown = (options: object): string =>
  JSON.stringify(options, (_, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

/** PyTorch tests some ranges by `value < 0`, which is false for NaN. A NaN is refused here in all of them. */
function hasNaN(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.values(value).some(hasNaN) : Number.isNaN(value);
}

function runOptimizer(name: string, options: Record<string, unknown>): unknown {
  const matrix = name === 'Muon' || name === 'Adafactor';
  const make = (data: number[], requiresGrad = false): Tensor =>
    tensor(data, { shape: matrix ? [2, 2] : [3], dtype: 'float64', requiresGrad });
  const p = make(matrix ? [1, -2, 3, 0.5] : [1, -2, 3], true);
  const g = make(matrix ? [0.5, -1, 0.25, 2] : [0.5, -1, 0.25]);
  const Class = (optim as unknown as Record<string, new (params: Tensor[], options: object) => optim.Optimizer>)[name];
  const optimizer = new Class([p], options);
  const closure = (): Tensor => {
    optimizer.zeroGrad();
    const loss = p.sub(1).pow(2).sum();
    loss.backward();
    return loss;
  };
  for (let step = 1; step <= 4; step++) {
    if (name === 'LBFGS') optimizer.step(closure);
    else {
      p.grad = g.mul(step);
      optimizer.step();
    }
  }
  return [...p.toTypedArray()];
}

function runScheduler(name: string, options: Record<string, unknown>): unknown {
  const [a, b] = [0, 1].map(() => tensor([0], { requiresGrad: true }));
  const optimizer = new optim.SGD([{ params: [a] }, { params: [b], lr: 0.05 }], { lr: 0.1, momentum: 0.9 });
  const classes: unknown = name === 'SWALR' ? optim.swaUtils : optim.lrScheduler;
  const Class = (
    classes as Record<string, new (optimizer: optim.Optimizer, options: object) => { step(metric?: number): void }>
  )[name];
  const scheduler = new Class(optimizer, options);
  const rates = (): number[] => optimizer.paramGroups.flatMap((group) => [group.lr, group.momentum]);
  const out = [rates()];
  for (let step = 0; step < 7; step++) {
    optimizer.step();
    if (name === 'ReduceLROnPlateau') scheduler.step(1);
    else scheduler.step();
    out.push(rates());
  }
  return out;
}

/** Where the numbers differ by more than `tolerance`, or undefined. */
function difference(actual: unknown, expected: unknown, tolerance: number): string | undefined {
  const a = (actual as unknown[]).flat() as number[];
  const b = (expected as unknown[]).flat() as number[];
  if (a.length !== b.length) return `${a.length} numbers, expected ${b.length}`;
  const at = a.findIndex(
    (value, i) =>
      !Object.is(value + 0, b[i] + 0) && !(Math.abs(value - b[i]) <= tolerance * Math.max(Math.abs(b[i]), 1e-3)),
  );
  return at < 0 ? undefined : `${a[at]} at ${at}, expected ${b[at]}`;
}

function check(
  name: string,
  cases: readonly Case[],
  run: (name: string, options: Record<string, unknown>) => unknown,
  tolerance: number,
): void {
  const wrong: string[] = [];
  for (const { options, made, result } of cases) {
    let actual: unknown;
    let error: unknown;
    try {
      actual = run(name, camelOptions(options));
    } catch (caught) {
      error = caught;
    }
    const says = `${name} ${shown(options)}: `;
    if (error !== undefined && !(error instanceof NodegradError))
      wrong.push(`${says}an error that is not typed: ${String(error)}`);
    else if (result === null) {
      if (error === undefined) wrong.push(`${says}PyTorch ${made ? 'fails in a step' : 'refuses it'}`);
    } else if (hasNaN(options)) {
      if (error === undefined) wrong.push(`${says}a NaN is accepted`);
    } else if (error !== undefined) wrong.push(`${says}PyTorch accepts it; ${String(error)}`);
    else {
      const different = difference(actual, result, tolerance);
      if (different !== undefined) wrong.push(`${says}${different}`);
    }
  }
  expect(wrong.join('\n')).to.equal('');
}

describe('edge values of hyperparameters', function () {
  this.timeout(60_000);
  for (const [name, cases] of Object.entries(fixture.optimizers)) {
    // Muon multiplies in bfloat16 in PyTorch.
    it(`${name}: ${cases.length} cases`, () => check(name, cases, runOptimizer, name === 'Muon' ? 2e-2 : 1e-9));
  }
  for (const [name, cases] of Object.entries(fixture.schedulers))
    it(`${name}: ${cases.length} cases`, () => check(name, cases, runScheduler, 1e-12));
});
