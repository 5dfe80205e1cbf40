/**
 * Functions of indices and dimensions on a 0-dimensional tensor, against PyTorch's answers
 * (scripts/fixtures/scalar_indices.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as nodegrad from '../../../lib/index.js';
import { type DType, NodegradError, Tensor, tensor } from '../../../lib/index.js';

interface Shown {
  shape: number[];
  dtype: DType;
  values: unknown;
}
interface Fixture {
  operands: Record<string, Shown>;
  cases: { call: [string, ...unknown[]]; result: Shown | Shown[] | 'error' }[];
}
const fixture = JSON.parse(
  readFileSync(new URL('../../fixtures/scalar-indices.json', import.meta.url), 'utf8'),
) as Fixture;

const operand = ({ shape, dtype, values }: Shown): Tensor => tensor(values as number, { shape, dtype });

/** As the fixture shows a result. */
function shown(result: unknown): unknown {
  if (!(result instanceof Tensor)) return [...(result as Tensor[])].map(shown);
  const values = JSON.parse(
    JSON.stringify(result.tolist(), (_, value: unknown) => (Number.isNaN(value) ? 'NaN' : value)),
  ) as unknown;
  return { shape: [...result.shape], dtype: result.dtype, values };
}

describe('functions of indices on a scalar', () => {
  for (const { call, result } of fixture.cases) {
    const [name, ...args] = call;
    it(`${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`, () => {
      const fn = (nodegrad as unknown as Record<string, (...given: unknown[]) => unknown>)[name];
      const given = args.map((arg) =>
        typeof arg === 'string' && arg in fixture.operands ? operand(fixture.operands[arg]) : arg,
      );
      if (result === 'error') expect(() => fn(...given)).to.throw(NodegradError);
      else expect(shown(fn(...given))).to.deep.equal(result);
    });
  }
});
