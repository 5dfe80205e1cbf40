/** Comparisons that the generic tests share: every element, NaN equal to NaN. */
import { expect } from 'chai';
import { noGrad, Tensor } from '../../lib/index.js';

/** The outputs of a call as a list of tensors. */
export function outputsOf(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  expect(Array.isArray(result), 'a tensor or an array of tensors').to.equal(true);
  return (result as unknown[]).filter((item): item is Tensor => item instanceof Tensor);
}

/** Elements as numbers, in logical order. */
export function numbers(t: Tensor): number[] {
  return noGrad(() => Array.from(t.toTypedArray() as ArrayLike<number | bigint>, Number));
}

/** Whether two lists agree within atol + rtol |expected|; throws with the first element that does not. */
export function expectClose(
  got: readonly number[],
  expected: readonly number[],
  rtol: number,
  atol: number,
  what: string,
): void {
  expect(got.length, `${what}: number of elements`).to.equal(expected.length);
  for (let i = 0; i < got.length; i++) {
    const a = got[i];
    const b = expected[i];
    if (Object.is(a, b) || a === b || (Number.isNaN(a) && Number.isNaN(b))) continue;
    if (!(Math.abs(a - b) <= atol + rtol * Math.abs(b))) expect.fail(`${what}: element ${i} is ${a}, expected ${b}`);
  }
}

/** The shapes of outputs, for messages. */
export function shapes(outputs: readonly Tensor[]): string {
  return outputs.map((t) => `[${t.shape}]`).join(' ');
}
