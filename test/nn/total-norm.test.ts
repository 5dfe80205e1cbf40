/** Norms of gradients of several types taken together, and clipping by them, against PyTorch. */
import { readFileSync } from 'node:fs';
import { type DType, nn, zeros } from '../../lib/index.js';
import { type Encoded, expectNear, type Generated, generated } from '../reference/calls.js';

interface Clipping {
  readonly order: number | 'inf' | '-inf';
  readonly gradients: readonly Generated[];
  readonly total: Encoded;
  readonly clipped: readonly Encoded[];
}
const cases = JSON.parse(readFileSync(new URL('../fixtures/total-norm.json', import.meta.url), 'utf8')) as Clipping[];
/** Two roundings of each type. */
const ROUNDINGS: Partial<Record<DType, number>> = {
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float32: 2 ** -22,
  float64: 2 ** -51,
};

describe('the norm of gradients of several types', () => {
  for (const { order, gradients, total, clipped } of cases) {
    it(`of order ${order}: ${gradients.map(({ dtype, scale }) => `${dtype} up to ${scale}`).join(', ')}`, () => {
      const parameters = gradients.map((gradient) => {
        const p = new nn.Parameter(zeros([...gradient.shape], { dtype: gradient.dtype }));
        p.grad = generated(gradient);
        return p;
      });
      // PyTorch rounds the norm of each tensor to its own type first.
      const coarsest = Math.max(...gradients.map(({ dtype }) => ROUNDINGS[dtype] as number));
      const tolerance = { rtol: 2 * coarsest, atol: 0 };
      expectNear(
        nn.utils.getTotalNorm(
          parameters.map((p) => p.grad!),
          order,
        ),
        total,
        null,
        tolerance,
        'total',
      );
      expectNear(nn.utils.clipGradNorm_(parameters, 1.5, order), total, null, tolerance, 'returned');
      for (const [i, p] of parameters.entries()) expectNear(p.grad!, clipped[i], null, tolerance, `gradient ${i}`);
    });
  }
});
