/**
 * Every parameter with a kind refuses what is not of it, before anything is done: an ArgumentError that names the
 * function and the parameter.
 */
import { expect } from 'chai';
import { publicFunctions, signatures } from '../../lib/dispatch/define-function.js';
import type { Kind } from '../../lib/dispatch/parameter-kinds.js';
import { ArgumentError, zeros } from '../../lib/index.js';

/** A value of each kind, to stand before the wrong one. */
const RIGHT: Readonly<Record<Kind, () => unknown>> = {
  any: () => 1,
  tensor: () => zeros(2),
  'tensor?': () => null,
  operand: () => 1,
  'operand?': () => null,
  scalar: () => 1,
  number: () => 1,
  'number?': () => null,
  flag: () => false,
  'flag?': () => null,
  text: () => '',
  tensors: () => [zeros(2)],
  whole: () => 1,
  'whole?': () => null,
  sizes: () => [2],
  'sizes?': () => null,
};
/** Of no kind. */
const WRONG: readonly unknown[] = [Symbol('s'), () => 1, Object.create(null), new Date(0)];

describe('parameters of public functions', () => {
  for (const [name, fn] of publicFunctions) {
    const { parameters, kinds, required } = signatures.get(fn)!;
    const right = (i: number): unknown => (parameters[i] === 'input' ? zeros(2) : RIGHT[kinds[i]]());
    kinds.forEach((kind, place) => {
      if (kind === 'any') return;
      it(`${name} refuses ${parameters[place]} of another kind`, () => {
        for (const wrong of WRONG) {
          const value = (i: number): unknown =>
            i === place ? wrong : i < place || i < required ? right(i) : undefined;
          const options = Object.fromEntries(parameters.slice(1).map((parameter, i) => [parameter, value(i + 1)]));
          const call = (): unknown => (fn as (...given: unknown[]) => unknown)(value(0), options);
          expect(call).to.throw(
            ArgumentError,
            new RegExp(`^${name.slice(name.lastIndexOf('.') + 1)}: expected .* for ${parameters[place]}, got `),
          );
        }
      });
    });
  }
});
