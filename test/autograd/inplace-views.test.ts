/**
 * Random programs of views, in-place changes and products: values and gradients against PyTorch, and a typed error
 * where PyTorch refuses the backward pass (test/fixtures/inplace-views.json, written by
 * scripts/fixtures/inplace_views.py).
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { AutogradError, arange, autograd, full, type Tensor, tensor } from '../../lib/index.js';

type Step = [name: string, tensor: number, ...rest: number[]];
interface Program {
  readonly steps: Step[];
  readonly values?: number[][];
  readonly grads?: number[][];
  readonly error?: boolean;
}
const programs = JSON.parse(
  readFileSync(new URL('../fixtures/inplace-views.json', import.meta.url), 'utf8'),
) as Program[];

function ramp(shape: readonly number[], start: number): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return arange(count, { dtype: 'float64' })
    .mul(0.25)
    .add(start)
    .reshape([...shape]);
}

function apply([name, k, a, b, c]: Step, tensors: Tensor[], w: Tensor): void {
  const t = tensors[k];
  switch (name) {
    case 'mul':
      tensors.push(t.mul(t));
      break;
    case 'scale_':
      t.mul_(a);
      break;
    case 'square_':
      t.mul_(t.clone());
      break;
    case 'fill_':
      t.fill_(a);
      break;
    case 'addw_':
      t.add_(w);
      break;
    case 'copy_':
      t.copy_(tensors[a].clone());
      break;
    case 'set_':
      t.indexPut_([a], w.index([1]));
      break;
    case 'rows_':
      t.indexPut_([[a, 0]], w.index([2]).mul(w.index([0])));
      break;
    case 'accumulate_':
      t.indexPut_([tensor([a, 0, 0], { dtype: 'int64' })], w.index([0]), true);
      break;
    case 'scatter_': {
      const one = t.shape.map(() => 1);
      t.scatterAdd_(0, full(one, BigInt(a < 0 ? a + t.shape[0] : a)), w.index([2]).reshape(one));
      break;
    }
    case 'view':
      tensors.push(t.view(t.shape));
      break;
    case 'flat':
      tensors.push(t.reshape(-1).mul(1));
      break;
    case 'detach':
      tensors.push(t.detach());
      break;
    case 'expand':
      tensors.push(t.expand([a, ...t.shape]));
      break;
    case 'transpose':
      tensors.push(t.transpose(a, b));
      break;
    case 'select':
      tensors.push(t.select(a, b));
      break;
    case 'narrow':
      tensors.push(t.narrow(a, b, c));
      break;
    case 'unsqueeze':
      tensors.push(t.unsqueeze(a));
      break;
    case 'diagonal':
      tensors.push(t.diagonal(a, b, c));
      break;
    default:
      throw new Error(`no step ${name}`);
  }
}

function close(got: ArrayLike<number | bigint>, want: readonly number[], what: string): void {
  expect(got.length, what).to.equal(want.length);
  want.forEach((value, i) => {
    expect(Number(got[i]), `${what}, element ${i}`).to.be.closeTo(value, 1e-9 * Math.max(1, Math.abs(value)));
  });
}

describe('in-place changes of views', () => {
  programs.forEach(({ steps, values, grads, error }, p) => {
    it(`program ${p}: ${steps.map((step) => step.join(' ')).join('; ')}${error ? ' (refused)' : ''}`, () => {
      const x = ramp([2, 3, 3], -2).requiresGrad_();
      const w = ramp([3], 0.5).requiresGrad_();
      const tensors = [x.mul(1), w];
      for (const step of steps) apply(step, tensors, w);
      const loss = tensors.map((t, i) => t.mul(ramp(t.shape, i + 1)).sum()).reduce((a, b) => a.add(b));
      const backward = (): (Tensor | null)[] => autograd.grad(loss, [x, w]);
      if (error) {
        expect(backward).to.throw(AutogradError, /changed by an in-place operation/);
        return;
      }
      for (const [i, t] of tensors.entries()) close(t.toTypedArray(), values?.[i] ?? [], `tensor ${i}`);
      for (const [i, g] of backward().entries())
        close((g as Tensor).toTypedArray(), grads?.[i] ?? [], `gradient of ${i === 0 ? 'x' : 'w'}`);
    });
  });
});
