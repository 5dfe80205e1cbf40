/**
 * topk with `sorted` false leaves its elements where PyTorch's does (scripts/fixtures/topk_order.py): what follows by
 * place depends on it.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type DType, stack, tensor, topk } from '../../../lib/index.js';

interface Case {
  readonly dtype: DType;
  readonly data: readonly (number | null)[];
  readonly k: number;
  readonly largest: boolean;
  readonly indices: readonly number[];
}
const cases = JSON.parse(readFileSync(new URL('../../fixtures/topk-order.json', import.meta.url), 'utf8')) as Case[];

describe('topk that is not sorted', () => {
  it(`has PyTorch's order in ${cases.length} cases of ties and NaN`, () => {
    for (const { dtype, data, k, largest, indices } of cases) {
      const x = tensor(
        data.map((value) => value ?? Number.NaN),
        { dtype },
      );
      const found = topk(x, k, { largest, sorted: false });
      const what = `${dtype}[${data.length}], k ${k}, largest ${largest}`;
      expect(found.indices.tolist(), what).to.deep.equal(indices);
      expect(found.values.equal(x.index([found.indices])) || data.includes(null), what).to.equal(true);
    }
  });

  it('has it along any dimension, with the gradient in the places of the elements', () => {
    const { data, k, indices } = cases.find(
      (one) => one.data.length === 24 && one.k === 6 && one.largest && !one.data.includes(null),
    ) as Case;
    const row = tensor(data as number[]);
    const x = stack([row, row.clone()], { dim: 1 }).requiresGrad_();
    const { values, indices: found } = topk(x, k, { dim: 0, sorted: false });
    expect(found.t().tolist()).to.deep.equal([indices, indices]);
    values.sum().backward();
    expect(x.grad?.t().tolist()).to.deep.equal([0, 1].map(() => data.map((_, i) => (indices.includes(i) ? 1 : 0))));
  });
});
